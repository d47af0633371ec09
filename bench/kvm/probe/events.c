#include "events.h"

#include "common.h"
#include "symbols.h"
#include "trace.h"

#include <string.h>

const char *const count_names[COUNTS] = {
#define X(name) #name,
    EVENTS_COLUMNS(X)
#undef X
};

/* IC IALLUIS */
#define WORD_IC_IALLUIS UINT32_C(0xd508711f)

enum how {
    BY_TRACEPOINT,
    BY_FUNCTION, /* a probe where it begins */
    BY_CALLS, /* probes where it is branched to */
    BY_WORD, /* probes where IC IALLUIS is */
};

enum event {
    FAULT,
    CLEAN_OP,
    CLEAN,
    TLBI,
    TLBI_NSH,
    TLBI_RANGE,
    TLBI_VMID,
    ICACHE,
    ICACHE_ALL,
    MAP,
    RELAX,
    UNMAP,
    FLUSH,
    UNMAP_VM,
    FLUSH_VM,
    SETWAY,
    TOGGLE,
    GFN_UNMAP,
    SET_SPTE,
    TABLE,
    PUT_PAGE,
    WALK_MAP,
    WALK_UNMAP,
    WALK_FLUSH,
    EVENTS
};

struct spec {
    const char *name, *target;
    enum how how;
    const char *arguments, *keys, *values;
    bool absent_is_zero; /* a kernel without that function does no such thing */
};

/* Function and tracepoint names as in 6.1 to 7.3. Keys are such as take few values: a
 * histogram has room for some thousand. Of a range's begin only the offset into 64 KiB
 * is kept. */
static const struct spec specs[EVENTS] = {
    [FAULT] = {"fault", "kvm_guest_fault", BY_TRACEPOINT, NULL, "hsr,ipa.log2", NULL, false},
    [CLEAN_OP] = {"clean_op", "clean_dcache_guest_page", BY_FUNCTION, NULL, NULL, NULL, false},
    [CLEAN] = {"clean", "dcache_clean_inval_poc", BY_CALLS, "begin=%x0 end=%x1", NULL, "begin,end",
               false},
    [TLBI] = {"tlbi", "__kvm_tlb_flush_vmid_ipa", BY_FUNCTION, NULL, NULL, NULL, false},
    [TLBI_NSH] = {"tlbi_nsh", "__kvm_tlb_flush_vmid_ipa_nsh", BY_FUNCTION, NULL, NULL, NULL, true},
    [TLBI_RANGE] = {"tlbi_range", "__kvm_tlb_flush_vmid_range", BY_FUNCTION,
                    "offset=%x1:b16@0/64 pages=%x2", "offset,pages", NULL, true},
    [TLBI_VMID] = {"tlbi_vmid", "__kvm_tlb_flush_vmid", BY_FUNCTION, NULL, NULL, NULL, false},
    [ICACHE] = {"icache", "icache_inval_pou", BY_CALLS, "begin=%x0 end=%x1", NULL, "begin,end",
                false},
    [ICACHE_ALL] = {"icache_all", "ic ialluis", BY_WORD, NULL, NULL, NULL, false},
    [MAP] = {"map", "kvm_pgtable_stage2_map", BY_FUNCTION, "size=%x2", "size", NULL, false},
    [RELAX] = {"relax", "kvm_pgtable_stage2_relax_perms", BY_FUNCTION, NULL, NULL, NULL, false},
    [UNMAP] = {"unmap", "kvm_pgtable_stage2_unmap", BY_FUNCTION, NULL, NULL, NULL, false},
    [FLUSH] = {"flush", "kvm_pgtable_stage2_flush", BY_FUNCTION, NULL, NULL, NULL, false},
    [UNMAP_VM] = {"unmap_vm", "stage2_unmap_vm", BY_FUNCTION, NULL, NULL, NULL, false},
    [FLUSH_VM] = {"flush_vm", "stage2_flush_vm", BY_FUNCTION, NULL, NULL, NULL, false},
    [SETWAY] = {"setway", "kvm_set_way_flush", BY_FUNCTION, NULL, NULL, NULL, false},
    [TOGGLE] = {"toggle", "kvm_toggle_cache", BY_FUNCTION, NULL, NULL, NULL, false},
    [GFN_UNMAP] = {"gfn_unmap", "kvm_unmap_gfn_range", BY_FUNCTION, NULL, NULL, NULL, false},
    [SET_SPTE] = {"set_spte", "kvm_set_spte_gfn", BY_FUNCTION, NULL, NULL, NULL, false},
    [TABLE] = {"table", "stage2_memcache_zalloc_page", BY_FUNCTION, NULL, NULL, NULL, false},
    [PUT_PAGE] = {"put_page", "kvm_s2_put_page", BY_FUNCTION, NULL, NULL, NULL, false},
    [WALK_MAP] = {"walk_map", "stage2_map_walker", BY_FUNCTION, NULL, NULL, NULL, false},
    [WALK_UNMAP] = {"walk_unmap", "stage2_unmap_walker", BY_FUNCTION, NULL, NULL, NULL, false},
    [WALK_FLUSH] = {"walk_flush", "stage2_flush_walker", BY_FUNCTION, NULL, NULL, NULL, false},
};

enum { MOST_PLACES = 24 };

/* What became of a spec: the kernel's events that stand for it. */
struct source {
    bool known;
    int probes;
    char names[MOST_PLACES][32];
};

static struct source sources[EVENTS];
static bool tlbi_hidden;

/* The rest of the host (interrupt controllers, suspend, kexec) does such things too,
 * but not for a VM's memory. What runs at EL2 without VHE can't be probed. */
static bool of_kvm(const char *function)
{
    if (strncmp(function, "__kvm_nvhe_", strlen("__kvm_nvhe_")) == 0) {
        return false;
    }
    return strstr(function, "kvm") || strstr(function, "stage2") || strstr(function, "guest") ||
           strstr(function, "user_mem_abort");
}

static bool add_probe(enum event event, const char *place)
{
    struct source *source = &sources[event];
    const struct spec *spec = &specs[event];
    char *name = source->names[source->probes];
    snprintf(name, sizeof source->names[0], "s2f_%s_%d", spec->name, source->probes);
    if (!trace_probe(name, place, spec->arguments) ||
        !trace_count(NULL, name, spec->keys, spec->values)) {
        return false;
    }
    source->probes++;
    return true;
}

static bool open_function(enum event event)
{
    const char *symbol = symbols_find(specs[event].target);
    if (!symbol) {
        return specs[event].absent_is_zero;
    }
    return add_probe(event, symbol);
}

static bool open_places(enum event event)
{
    struct place places[MOST_PLACES];
    const struct spec *spec = &specs[event];
    int count = spec->how == BY_CALLS
                    ? symbols_branches_to(spec->target, of_kvm, places, MOST_PLACES)
                    : symbols_words(WORD_IC_IALLUIS, of_kvm, places, MOST_PLACES);
    if (count == MOST_PLACES) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (!add_probe(event, places[i].text)) {
            note("no probe at %s", places[i].text);
            return false;
        }
    }
    return sources[event].probes > 0;
}

static bool open_event(enum event event)
{
    const struct spec *spec = &specs[event];
    switch (spec->how) {
    case BY_TRACEPOINT:
        return trace_count("kvm", spec->target, spec->keys, spec->values);
    case BY_FUNCTION:
        return open_function(event);
    case BY_CALLS:
    case BY_WORD:
        return open_places(event);
    }
    return false;
}

void events_open(void)
{
    trace_open();
    if (!symbols_load()) {
        die(PROBE_MISSING, "/proc/kallsyms hides addresses (kernel.kptr_restrict, or lockdown)");
    }
    for (int event = 0; event < EVENTS; event++) {
        sources[event].known = open_event((enum event)event);
        if (!sources[event].known) {
            note("this kernel lets not count: %s", specs[event].target);
        }
    }
    symbols_free();
}

void events_hide_tlbi(void)
{
    tlbi_hidden = true;
}

/* All that the columns are made of. */
struct sums {
    uint64_t hits, bytes;
    uint64_t map_4k, map_2m;
    uint64_t range_ops, range_singles, range_unsure;
    uint64_t tr_w, tr_r, perm_w, other, code, mmio;
};

/* Instructions for one range: the base-32 digits of its pairs of pages, and a plain
 * one for an odd page. A CPU with 52-bit tables needs more for a range that begins
 * off 64 KiB, and user space is not told which this is. */
static void add_range(struct sums *sums, const struct tally *tally)
{
    uint64_t pages = tally->key[1];
    for (uint64_t pairs = pages >> 1; pairs; pairs >>= 5) {
        sums->range_ops += (pairs & 31) ? tally->hits : 0;
    }
    sums->range_singles += (pages & 1) * tally->hits;
    if (tally->key[0] != 0 && pages > 1) {
        sums->range_unsure += tally->hits;
    }
}

/* The syndrome says what was attempted, the address which slot. The classes by
 * powers of two (rounded up) tell the three apart: 0x1000_1000, 0x5000_0000, and
 * RAM from 0x9000_0000 on. */
static void add_fault(struct sums *sums, const struct tally *tally)
{
    uint64_t esr = tally->key[0];
    bool data = esr >> 26 == 0x24;
    bool write = data && (esr >> 6 & 1) && !(esr >> 7 & 1);
    uint64_t status = esr >> 2 & 0xf;
    bool translation = status == 1;
    bool permission = status == 3;
    if (tally->key[1] < 31) {
        sums->mmio += tally->hits;
    } else if (tally->key[1] == 31) {
        sums->code += tally->hits;
    } else if (data && translation) {
        *(write ? &sums->tr_w : &sums->tr_r) += tally->hits;
    } else if (write && permission) {
        sums->perm_w += tally->hits;
    } else {
        sums->other += tally->hits;
    }
}

struct reading {
    enum event event;
    struct sums *sums;
};

static void add_tally(const struct tally *tally, void *context)
{
    const struct reading *reading = context;
    struct sums *sums = reading->sums;
    sums->hits += tally->hits;
    /* Histograms print no difference as a value, but the sums' difference is it. */
    sums->bytes += tally->sum[1] - tally->sum[0];
    if (reading->event == MAP) {
        *(tally->key[0] == 4096 ? &sums->map_4k : &sums->map_2m) += tally->hits;
    } else if (reading->event == TLBI_RANGE) {
        add_range(sums, tally);
    } else if (reading->event == FAULT) {
        add_fault(sums, tally);
    }
}

static uint64_t read_event(enum event event, struct sums *sums)
{
    struct reading reading = {event, sums};
    uint64_t lost = 0;
    *sums = (struct sums){0};
    if (specs[event].how == BY_TRACEPOINT) {
        return trace_read("kvm", specs[event].target, add_tally, &reading);
    }
    for (int i = 0; i < sources[event].probes; i++) {
        lost += trace_read(NULL, sources[event].names[i], add_tally, &reading);
    }
    return lost;
}

/* Bytes of the lines that the kernel's loops step by: bits of CTR_EL0. */
static uint64_t ctr_line(unsigned shift)
{
    uint64_t ctr = 0;
#if defined(__aarch64__)
    __asm__("mrs %0, ctr_el0" : "=r"(ctr));
#endif
    return UINT64_C(4) << (ctr >> shift & 0xf);
}

static void set(struct counts *now, enum count count, enum event event, uint64_t value)
{
    now->at[count] = sources[event].known ? (int64_t)value : -1;
}

static void set_faults(struct counts *now, const struct sums *sums)
{
    uint64_t data = sums->tr_w + sums->tr_r + sums->perm_w + sums->other;
    set(now, COUNT_s2_faults, FAULT, data + sums->code + sums->mmio);
    set(now, COUNT_data_faults, FAULT, data);
    set(now, COUNT_data_tr_w, FAULT, sums->tr_w);
    set(now, COUNT_data_tr_r, FAULT, sums->tr_r);
    set(now, COUNT_data_perm_w, FAULT, sums->perm_w);
    set(now, COUNT_data_other, FAULT, sums->other);
    set(now, COUNT_code_faults, FAULT, sums->code);
    set(now, COUNT_mmio_exits, FAULT, sums->mmio);
}

static void set_caches(struct counts *now, const struct sums sums[EVENTS])
{
    set(now, COUNT_cmo_calls, CLEAN, sums[CLEAN].hits);
    set(now, COUNT_cmo_lines, CLEAN, sums[CLEAN].bytes / ctr_line(16));
    set(now, COUNT_cmo_op_calls, CLEAN_OP, sums[CLEAN_OP].hits);
    set(now, COUNT_icache_calls, ICACHE, sums[ICACHE].hits);
    set(now, COUNT_icache_lines, ICACHE, sums[ICACHE].bytes / ctr_line(0));
    set(now, COUNT_ic_ialluis, ICACHE_ALL, sums[ICACHE_ALL].hits);
}

/* Every leaf and every table that is taken out gives up one reference by the kernel's
 * put_page, a table a second one, its own page. Invalidated at once are tables and,
 * unless put off into ranges, leaves; relaxing invalidates too. */
static uint64_t freed_tables(const struct sums sums[EVENTS])
{
    uint64_t at_once = sums[TLBI].hits + sums[TLBI_NSH].hits - sums[RELAX].hits;
    return sums[TLBI_RANGE].hits ? at_once : sums[PUT_PAGE].hits - at_once;
}

static void set_tlbi(struct counts *now, const struct sums sums[EVENTS])
{
    const struct sums *range = &sums[TLBI_RANGE];
    bool known =
        sources[TLBI].known && sources[TLBI_NSH].known && sources[TLBI_RANGE].known && !tlbi_hidden;
    bool table = known && sources[PUT_PAGE].known && sources[RELAX].known;
    uint64_t at_once = sums[TLBI].hits + sums[TLBI_NSH].hits;
    now->at[COUNT_tlbi_calls] = known ? (int64_t)(at_once + range->range_singles) : -1;
    now->at[COUNT_tlbi_range] = known ? (int64_t)range->range_ops : -1;
    now->at[COUNT_tlbi_table] = table ? (int64_t)freed_tables(sums) : -1;
    now->unsure = range->range_unsure;
    set(now, COUNT_tlbi_vmid, TLBI_VMID, sums[TLBI_VMID].hits);
    if (tlbi_hidden) {
        now->at[COUNT_tlbi_vmid] = -1;
    }
}

static void set_calls(struct counts *now, const struct sums sums[EVENTS])
{
    static const struct {
        enum count count;
        enum event event;
    } plain[] = {
        {COUNT_map_calls, MAP},           {COUNT_relax_calls, RELAX},
        {COUNT_unmap_calls, UNMAP},       {COUNT_flush_calls, FLUSH},
        {COUNT_unmap_vm_calls, UNMAP_VM}, {COUNT_flush_vm_calls, FLUSH_VM},
        {COUNT_setway_traps, SETWAY},     {COUNT_toggle_traps, TOGGLE},
        {COUNT_gfn_unmap, GFN_UNMAP},     {COUNT_set_spte, SET_SPTE},
        {COUNT_s2_tables_alloc, TABLE},   {COUNT_walk_map, WALK_MAP},
        {COUNT_walk_unmap, WALK_UNMAP},   {COUNT_walk_flush, WALK_FLUSH},
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        set(now, plain[i].count, plain[i].event, sums[plain[i].event].hits);
    }
    set(now, COUNT_map_4k, MAP, sums[MAP].map_4k);
    set(now, COUNT_map_2m, MAP, sums[MAP].map_2m);
    now->at[COUNT_insns_kernel_bare] = -1;
}

void events_read(struct counts *now)
{
    struct sums sums[EVENTS];
    now->lost = 0;
    for (int event = 0; event < EVENTS; event++) {
        now->lost += read_event((enum event)event, &sums[event]);
    }
    set_faults(now, &sums[FAULT]);
    set_caches(now, sums);
    set_tlbi(now, sums);
    set_calls(now, sums);
}

void events_difference(const struct counts *before, const struct counts *after,
                       struct counts *phase)
{
    for (int count = 0; count < COUNTS; count++) {
        bool known = before->at[count] >= 0 && after->at[count] >= 0;
        phase->at[count] = known ? after->at[count] - before->at[count] : -1;
    }
    phase->lost = after->lost - before->lost;
    phase->unsure = after->unsure - before->unsure;
    if (phase->unsure) {
        phase->at[COUNT_tlbi_calls] = -1;
        phase->at[COUNT_tlbi_range] = -1;
    }
}

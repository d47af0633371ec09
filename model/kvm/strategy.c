#include "kvm/strategy.h"

#include <stddef.h>
#include <string.h>

const struct strategy strategy_rows[] = {
    {.name = "unmap",
     .title = "unmap-and-fault, as Linux ships it",
     .reinit_unmap = true,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_EVERY},
    {.name = "unmap-lazy",
     .title = "unmap-and-fault, lines only at the fault",
     .caveat = "unsafe for file-backed or shared memory: clean, stale lines may be written to disk",
     .reinit_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_EVERY},
    {.name = "eager",
     .title = "eager clean+invalidate at the first run",
     .caveat = "needs that no line is filled speculatively between the flush and a guest's "
               "write with its MMU off",
     .reinit_icache = true,
     .flush_at = FLUSH_FIRST_RUN,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_NONE},
    {.name = "eager-toggle1",
     .title = "eager, flushed again at the first MMU-on",
     .caveat = "later vCPUs' writes with their MMU off are not covered",
     .reinit_icache = true,
     .flush_at = FLUSH_FIRST_RUN,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_FIRST},
    {.name = "eager-naive",
     .title = "eager inside every re-init, toggles unchanged",
     .caveat = "flushes before the VMM rewrites memory: what it rewrites stays in the caches",
     .reinit_icache = true,
     .flush_at = FLUSH_EACH_INIT,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_EVERY},
    {.name = "fwb",
     .title = "FEAT_S2FWB hardware",
     .reinit_icache = true,
     .toggle = TOGGLE_NONE,
     .fwb = true},
    {.name = "none",
     .title = "nothing at re-init (control)",
     .caveat = "incoherent: a control that the verdict must catch",
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_NONE},
};
const size_t strategy_count = sizeof strategy_rows / sizeof *strategy_rows;

const struct strategy strategy_more[] = {
    {.name = "unmap-vmall",
     .title = "unmap-and-fault with one TLB invalidation of the whole VM",
     .caveat = "table pages must be kept until the invalidation is done; for a VM that runs "
               "nowhere only",
     .reinit_unmap = true,
     .tlbi_whole = true,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_EVERY},
    {.name = "lazy-vmall",
     .title = "lines only at the fault, one TLB invalidation of the whole VM",
     .caveat = "unsafe for file-backed or shared memory: clean, stale lines may be written to disk",
     .reinit_unmap = true,
     .tlbi_whole = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_EVERY},
    {.name = "hybrid",
     .title = "unmap blocks, flush pages",
     .caveat = "needs that no line is filled speculatively between the flush or fault and a "
               "guest's write with its MMU off; blocks of files or shared memory as unmap-lazy",
     .reinit_unmap = true,
     .reinit_icache = true,
     .unmap_leaves = LEAVES_BLOCKS,
     .flush_at = FLUSH_FIRST_RUN,
     .flush_leaves = LEAVES_PAGES,
     .cmo_at_fault = true,
     .toggle = TOGGLE_NONE},
    {.name = "eager-workers",
     .title = "eager, flushed by four threads",
     .caveat = "as eager; needs idle cores, and how maintenance scales over cores is not measured",
     .reinit_icache = true,
     .flush_at = FLUSH_FIRST_RUN,
     .workers = 4,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_NONE},
    {.name = "ranged",
     .title = "flush what the VMM or the guest wrote, to the page",
     .caveat = "needs a complete record of all writes since the last clean, whose cost is not in "
               "here; what was only read stays in the caches",
     .reinit_icache = true,
     .flush_at = FLUSH_FIRST_RUN,
     .flush_record = RECORD_RANGES,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_NONE},
    {.name = "loaded",
     .title = "flush what the VMM wrote, to the page",
     .caveat = "what the guest left dirty may be written back over what it writes with its MMU "
               "off; what was only read stays in the caches",
     .reinit_icache = true,
     .flush_at = FLUSH_FIRST_RUN,
     .flush_record = RECORD_LOADER,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_NONE},
    {.name = "dirty-log",
     .title = "flush the leaves that a dirty log names",
     .caveat = "the log must run from the last clean on: its cost is in here only where the "
               "workload logs; what was only read stays in the caches",
     .reinit_icache = true,
     .flush_at = FLUSH_FIRST_RUN,
     .flush_record = RECORD_LEAVES,
     .cmo_at_unmap = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_NONE},
    {.name = "recreate",
     .title = "a new VM on fresh memory",
     .caveat = "what the guest left in memory is gone; the VMM must load all that it needs; making "
               "the VM and its vCPUs is not in the cost",
     .reinit_unmap = true,
     .tlbi_whole = true,
     .recreate = true,
     .cmo_at_fault = true,
     .toggle = TOGGLE_EVERY},
};
const size_t strategy_more_count = sizeof strategy_more / sizeof *strategy_more;

const struct strategy_impossible strategy_impossible[] = {
    {"set-way", "clean the caches by set and way",
     "set/way operations reach one core's caches only, system caches ignore them, and lines move "
     "while they run"},
};
const size_t strategy_impossible_count = sizeof strategy_impossible / sizeof *strategy_impossible;

const struct strategy strategy_ideal = {
    .name = "ideal",
    .title = "no maintenance (yardstick)",
    .toggle = TOGGLE_NONE,
    .fwb = true,
    .ideal = true,
};

#define AT(field) .section = "strategy", .offset = offsetof(struct strategy, field)
const struct option_row strategy_options[] = {
    {.name = "title",
     .kind = OPTION_TEXT,
     AT(title),
     .text_size = sizeof strategy_ideal.title,
     .fallback = "",
     .help = "the name for people"},
    {.name = "caveat",
     .kind = OPTION_TEXT,
     AT(caveat),
     .text_size = sizeof strategy_ideal.caveat,
     .fallback = "",
     .help = "what to say beside its cost"},
    {.name = "reinit_unmap",
     .kind = OPTION_FLAG,
     AT(reinit_unmap),
     .fallback = "no",
     .help = "tear stage 2 down at re-init"},
    {.name = "reinit_icache",
     .kind = OPTION_FLAG,
     AT(reinit_icache),
     .fallback = "no",
     .help = "invalidate the whole I-cache at re-init"},
    {.name = "flush_at",
     .kind = OPTION_CHOICE,
     .choices = CHOICES_OF(FLUSH_AT_CHOICES),
     AT(flush_at),
     .fallback = "none",
     .help = "when everything mapped is cleaned and invalidated"},
    {.name = "cmo_at_unmap",
     .kind = OPTION_FLAG,
     AT(cmo_at_unmap),
     .fallback = "yes",
     .help = "clean+invalidate each leaf that is unmapped"},
    {.name = "cmo_at_fault",
     .kind = OPTION_FLAG,
     AT(cmo_at_fault),
     .fallback = "yes",
     .help = "clean+invalidate each leaf that is mapped"},
    {.name = "toggle",
     .kind = OPTION_CHOICE,
     .choices = CHOICES_OF(TOGGLE_CHOICES),
     AT(toggle),
     .fallback = "every",
     .help = "whose MMU-on flushes everything mapped"},
    {.name = "unmap_leaves",
     .kind = OPTION_CHOICE,
     .choices = CHOICES_OF(LEAF_CHOICES),
     AT(unmap_leaves),
     .fallback = "all",
     .help = "which leaves reinit_unmap takes"},
    {.name = "flush_leaves",
     .kind = OPTION_CHOICE,
     .choices = CHOICES_OF(LEAF_CHOICES),
     AT(flush_leaves),
     .fallback = "all",
     .help = "which leaves flush_at takes"},
    {.name = "flush_record",
     .kind = OPTION_CHOICE,
     .choices = CHOICES_OF(FLUSH_RECORD_CHOICES),
     AT(flush_record),
     .fallback = "none",
     .help = "the flush goes by a record of writes: leaves, ranges to the page, or the loader's"},
    {.name = "tlbi_whole",
     .kind = OPTION_FLAG,
     AT(tlbi_whole),
     .fallback = "no",
     .help = "one TLB invalidation of the whole VM ends reinit_unmap, none by leaf"},
    {.name = "recreate",
     .kind = OPTION_FLAG,
     AT(recreate),
     .fallback = "no",
     .help = "the memory is given back at re-init, as with a new VM"},
    {.name = "workers",
     .kind = OPTION_WHOLE,
     .high = STRATEGY_WORKERS_MAX,
     AT(workers),
     .fallback = "0",
     .help = "threads that share the flush; each needs a core of its own"},
    {.name = "chunk",
     .kind = OPTION_WHOLE,
     .unit = UNIT_BYTES,
     .high = 0x1p52,
     AT(chunk),
     .fallback = "0",
     .help = "unmaps and flushes give mmu_lock up after so much memory; 0: as the kernel does"},
    {.name = "fwb", .kind = OPTION_FLAG, AT(fwb), .fallback = "no", .help = "leans on FEAT_S2FWB"},
};
const size_t strategy_option_count = sizeof strategy_options / sizeof *strategy_options;

const struct strategy *strategy_find(const char *name, struct error *err)
{
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; i < strategy_count + strategy_more_count; i++) {
        const struct strategy *row =
            i < strategy_count ? &strategy_rows[i] : &strategy_more[i - strategy_count];
        if (strcmp(row->name, name) == 0) {
            return row;
        }
        names[count++] = row->name;
    }
    for (size_t i = 0; i < strategy_impossible_count; i++) {
        if (strcmp(strategy_impossible[i].name, name) == 0) {
            error_input(err, NULL, "%s is no strategy: %s", name, strategy_impossible[i].reason);
            return NULL;
        }
    }
    /* Where none is near, the built-in rows are a list short enough to show. */
    char hint[512] = "";
    bool near = error_nearest(name, names, count) != NULL;
    error_suggest(hint, sizeof hint, name, names, near ? count : strategy_count);
    error_input(err, NULL, "no strategy '%s'%s", name, hint);
    return NULL;
}

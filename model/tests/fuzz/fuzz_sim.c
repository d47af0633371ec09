/*
 * A simulation: the bytes choose a VM, what happens in it, a machine, a kernel
 * and a strategy. It is written as a workload file and read back, then played
 * in both fidelities. What must hold: every actor's time adds up (asserted at
 * the end of each run) and by the ledger too; both fidelities count the same
 * events, but for lines by their state in the caches and what follows from
 * them; both oracles say the same; and what is mapped is what was mapped less
 * what was unmapped, unless dirty logging exchanges leaves.
 */
#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/counts.h"
#include "guest/workload.h"
#include "run/sim.h"

#define LINES_MAX 48
#define TEXT_MAX 16384

/* --- choices out of bytes --- */

struct choices {
    const uint8_t *at, *end;
    char text[TEXT_MAX];
    size_t used;
    unsigned vcpus, slots;
    bool logs; /* dirty logging replaces leaves by others */
    bool more; /* what older inputs did not choose from: WITH_MORE */
};

/* A first byte from here on asks for prefaults, chunks and more VMs. Others mean what
 * they always meant, so that past findings stay what they are. */
#define WITH_MORE 0xf0

static unsigned choose(struct choices *choices, unsigned count)
{
    return choices->at < choices->end && count > 0 ? *choices->at++ % count : 0;
}

static const char *one_of(struct choices *choices, const char *const *words, unsigned count)
{
    return words[choose(choices, count)];
}
#define ONE_OF(choices, words) one_of(choices, words, sizeof(words) / sizeof *(words))

static void put(struct choices *choices, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct choices *choices, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(choices->text + choices->used, TEXT_MAX - choices->used, format, args);
    va_end(args);
    FUZZ_EXPECT(length >= 0 && choices->used + (size_t)length < TEXT_MAX, "the text is too long");
    choices->used += (size_t)length;
}

/* A line that ends in one of the words. One choice for each call: the order in
 * which arguments are evaluated is the compiler's. */
#define PUT_ONE_OF(choices, text, words) put(choices, text "%s\n", ONE_OF(choices, words))

/* --- the VM --- */

static void put_vm(struct choices *choices)
{
    static const char *const granules[] = {"4K", "4K", "16K", "64K"};
    static const char *const backings[] = {"4k", "thp", "hugetlb", "shm", "hugetlb-1g"};
    static const char *const misaligns[] = {"0", "0", "64K", "1M"};
    static const char *const starts[] = {"1G", "1G", "0x3fe00000"};
    static const char *const s1_pages[] = {"0", "4K", "2M"};
    choices->vcpus = 1 + choose(choices, 4);
    choices->slots = choose(choices, 3);
    const char *play = choose(choices, 4) == 3 ? "concurrent" : "serial";
    unsigned copies = choices->more ? 1 + choose(choices, 4) : choose(choices, 8) == 7 ? 2 : 1;
    put(choices, "[workload]\nplay = %s\n[vm]\nram = %uM\nvcpus = %u\ncopies = %u\n", play,
        2 + 2 * choose(choices, 5), choices->vcpus, copies);
    PUT_ONE_OF(choices, "granule = ", granules);
    PUT_ONE_OF(choices, "backing = ", backings);
    PUT_ONE_OF(choices, "ram_misalign = ", misaligns);
    PUT_ONE_OF(choices, "ram_ipa = ", starts);
    PUT_ONE_OF(choices, "s1_page = ", s1_pages);
    put(choices, "density = %u\n", 1 + choose(choices, 80));
    put(choices, "off_access_share = 0.%u\n", choose(choices, 10));
    for (unsigned i = 0; i < choices->slots; i++) {
        put(choices, "[slot s%u]\nipa = 0x%x00000\nbytes = %uK\n", i, 8 + 8 * i,
            64 * (1 + choose(choices, 40)));
        PUT_ONE_OF(choices, "backing = ", backings);
        put(choices, "code = %u\n", choose(choices, 2));
        put(choices, "read_only = %u\n", choose(choices, 2));
    }
}

/* --- what happens --- */

/* An address and a size; some of them do not fit and are refused. */
static void put_range(struct choices *choices)
{
    static const char *const steps[] = {"0", "64K", "1M", "2M", "12K", "3M"};
    static const char *const sizes[] = {"4K", "64K", "2M", "1M", "16K", "4M"};
    unsigned place = choose(choices, 8);
    if (place == 0) {
        put(choices, " 0x9000000 64K"); /* a device, outside every slot */
    } else if (place <= choices->slots) {
        put(choices, " s%u 64K", place - 1);
    } else {
        put(choices, " ram+%s", ONE_OF(choices, steps));
        put(choices, " %s", ONE_OF(choices, sizes));
    }
}

static void put_repeat(struct choices *choices)
{
    static const char *const strides[] = {"4K", "64K", "2M", "0"};
    if (choose(choices, 4) == 3) {
        put(choices, " every %s", ONE_OF(choices, strides));
        put(choices, " times %u", 1 + choose(choices, 20));
    }
    put(choices, "\n");
}

static const char *slot_name(struct choices *choices)
{
    static const char *const names[] = {"ram", "s0", "s1"};
    return names[choose(choices, choices->slots + 1)];
}

static void put_vmm(struct choices *choices)
{
    static const char *const memory[] = {"fill",          "fill-uncached", "read",
                                         "read-uncached", "device-read",   "notify"};
    unsigned what = choose(choices, choices->more ? 18 : 14);
    if (what >= 14) {
        put(choices, "vmm = prefault");
        put_range(choices);
        put_repeat(choices);
    } else if (what < 6) {
        put(choices, "vmm = %s", memory[what]);
        put_range(choices);
        put(choices, "\n");
    } else if (what < 9) {
        put(choices, "vmm = reinit all\n");
    } else if (what == 9) {
        put(choices, "vmm = reinit %u\n", choose(choices, choices->vcpus));
    } else if (what == 10) {
        static const char *const logs[] = {"on", "off", "on-split"};
        choices->logs = true;
        put(choices, "vmm = dirty-log %s\n", ONE_OF(choices, logs));
    } else {
        static const char *const verbs[] = {"drop", "slot-delete", "slot-add"};
        const char *verb = verbs[what - 11];
        put(choices, "vmm = %s %s\n", verb, slot_name(choices));
    }
}

static void put_touch(struct choices *choices, unsigned vcpu)
{
    static const char *const verbs[] = {"read", "write", "fetch"};
    put(choices, "vcpu%u = %s", vcpu, ONE_OF(choices, verbs));
    put_range(choices);
    put_repeat(choices);
}

static void put_guest(struct choices *choices)
{
    static const char *const other[] = {"enter",    "mmu on",     "mmu off",     "insns 12345",
                                        "vmregs 2", "setway 300", "compute 2us", "enter"};
    unsigned vcpu = choose(choices, choices->vcpus), what = choose(choices, 16);
    if (what < 8) {
        put(choices, "vcpu%u = %s\n", vcpu, other[what]);
    } else {
        put_touch(choices, vcpu);
    }
}

/* A signal is raised before anybody waits for it, so that most are no deadlock. */
static void put_signal(struct choices *choices, unsigned number)
{
    unsigned by = choose(choices, choices->vcpus);
    put(choices, "vmm = signal n%u\nvcpu%u = wait n%u\n", number, by, number);
}

static void put_timeline(struct choices *choices)
{
    put(choices, "[timeline]\nphase = first\n");
    for (unsigned i = 0; i < choices->vcpus; i++) {
        put(choices, "vcpu%u = enter\n", i);
    }
    for (unsigned i = 0; i < LINES_MAX && choices->at < choices->end; i++) {
        unsigned what = choose(choices, 16);
        if (what == 0) {
            put(choices, "phase = p%u\n", i);
        } else if (what == 1) {
            put_signal(choices, i);
        } else if (what < 7) {
            put_vmm(choices);
        } else {
            put_guest(choices);
        }
    }
}

/* --- where it runs --- */

struct scene {
    struct timeline timeline;
    struct platform platform;
    double value[COSTS];
    struct kernel kernel;
    struct strategy strategy;
    bool preemptible;
};

static void choose_machine(struct choices *choices, struct scene *scene)
{
    static struct platform base;
    struct error err = {0};
    if (base.cores == 0) {
        FUZZ_EXPECT(platform_load("neoverse-n1", &base, &err), "%s", err.text);
    }
    static const uint64_t caches[] = {256 * KIB, 0, MIB, 64 * KIB};
    static const uint64_t lines[] = {64, 64, 128, 32};
    scene->platform = base;
    scene->platform.cache_bytes = caches[choose(choices, 4)];
    scene->platform.line_bytes = lines[choose(choices, 4)];
    scene->platform.cache_ways = 1 + choose(choices, 16);
    unsigned flags = choose(choices, 32);
    scene->platform.fwb = flags & 1;
    scene->platform.dic = flags & 2;
    scene->platform.vhe = flags & 4;
    scene->platform.tlbirange = flags & 8;
    scene->platform.lpa2 = flags & 16;
    platform_modes(&scene->platform, scene->value);
    /* One cost far off: free, or very dear. */
    unsigned cost = choose(choices, COSTS);
    scene->value[cost] *= choose(choices, 3) == 2 ? 100 : 1;
}

static void choose_kernel(struct choices *choices, struct scene *scene)
{
    static const char *const versions[] = {"5.10", "5.14", "5.15", "6.1",  "6.2",  "6.5",
                                           "6.6",  "6.7",  "6.10", "6.12", "6.13", "7.3"};
    struct error err = {0};
    FUZZ_EXPECT(kernel_resolve(ONE_OF(choices, versions), &scene->kernel, &err), "%s", err.text);
    const struct kernel_rule *rule = &kernel_rules[choose(choices, (unsigned)kernel_rule_count)];
    if (choose(choices, 4) == 3) {
        scene->kernel.value[rule->which] = rule->code;
    }
}

/* A built-in row, or any mixture of what a study may set. */
static void choose_strategy(struct choices *choices, struct scene *scene)
{
    static const uint64_t chunks[] = {0, 0, 0, 4 * KIB, 64 * KIB, 2 * MIB, 6 * MIB, GIB};
    unsigned all = (unsigned)(strategy_count + strategy_more_count);
    unsigned row = choose(choices, all + 2);
    scene->strategy = row < strategy_count ? strategy_rows[row]
                      : row < all          ? strategy_more[row - strategy_count]
                                           : strategy_ideal;
    scene->preemptible = choose(choices, 2);
    if (choices->more) {
        scene->strategy.chunk = chunks[choose(choices, 8)];
    }
    if (row <= all) {
        return;
    }
    struct strategy *own = &scene->strategy;
    uint64_t chunk = own->chunk;
    unsigned flags = choose(choices, 256);
    *own = (struct strategy){.name = "own",
                             .reinit_unmap = flags & 1,
                             .reinit_icache = flags & 2,
                             .cmo_at_unmap = flags & 4,
                             .cmo_at_fault = flags & 8,
                             .tlbi_whole = flags & 16,
                             .recreate = flags & 32,
                             .fwb = flags & 64,
                             .chunk = chunk};
    own->flush_at = (int)choose(choices, 3);
    own->toggle = (int)choose(choices, 3);
    own->unmap_leaves = (int)choose(choices, 3);
    own->flush_leaves = (int)choose(choices, 3);
    own->flush_record = (int)choose(choices, 3);
    own->workers = choose(choices, 4);
}

/* --- what must hold --- */

static void expect_ledger(const struct sim *sim)
{
    const struct ledger *ledger = &sim->ledger;
    for (uint32_t i = 0; i < sim->engine.actor_count; i++) {
        ps_t busy =
            ledger_busy(ledger, (struct ledger_slice){i, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL});
        ps_t waited = ledger_waited(ledger, i, LEDGER_ALL, LEDGER_ALL);
        ps_t idle = ledger_idled(ledger, i, LEDGER_ALL);
        FUZZ_EXPECT(busy + waited + idle == sim->engine.actors[i].now, "actor %u", i);
    }
}

static void expect_mapped(struct sim *sim)
{
    uint64_t mapped = sim_count(sim, LEDGER_ALL, LEDGER_ALL, EV_map_bytes);
    uint64_t unmapped = sim_count(sim, LEDGER_ALL, LEDGER_ALL, EV_unmap_bytes), covered = 0;
    for (uint32_t i = 0; i < sim->point->timeline->vm.copies; i++) {
        covered += sim_vm(sim, i)->stage2.map.covered;
    }
    FUZZ_EXPECT(mapped - unmapped == covered, "%llu mapped, %llu unmapped, %llu left",
                (unsigned long long)mapped, (unsigned long long)unmapped,
                (unsigned long long)covered);
}

/* Who overlaps with whom is a matter of timing: then the two may differ. */
static void expect_same(const struct sim *exact, const struct sim *fast)
{
    if (exact->engine.overlapped || fast->engine.overlapped) {
        return;
    }
    for (size_t column = 0; column < count_column_count; column++) {
        for (uint32_t i = 0; i < count_columns[column].kind_count; i++) {
            enum event_kind kind = count_columns[column].kinds[i];
            bool by_cache =
                kind == EV_line_absent || kind == EV_line_clean || kind == EV_line_dirty;
            uint64_t a = sim_count(exact, LEDGER_ALL, LEDGER_ALL, kind);
            uint64_t b = sim_count(fast, LEDGER_ALL, LEDGER_ALL, kind);
            FUZZ_EXPECT(by_cache || a == b, "%llu %s exact, %llu fast", (unsigned long long)a,
                        event_name[kind], (unsigned long long)b);
        }
    }
    for (int reader = 0; reader < READERS; reader++) {
        const struct verdict *a = &exact->memory.oracle.verdict[reader];
        const struct verdict *b = &fast->memory.oracle.verdict[reader];
        FUZZ_EXPECT(a->outcome == b->outcome && a->lines_stale == b->lines_stale,
                    "%s: %s of %llu lines exact, %s of %llu fast", reader_name[reader],
                    outcome_name[a->outcome], (unsigned long long)a->lines_stale,
                    outcome_name[b->outcome], (unsigned long long)b->lines_stale);
    }
}

static void play(const struct point *point, bool logs, struct sim *sim)
{
    struct error err = {0};
    sim_init(sim, point);
    bool good = sim_run(sim, &err);
    FUZZ_EXPECT(good, "%s", err.text); /* deadlocks are refused where the file is read */
    expect_ledger(sim);
    if (!logs) {
        expect_mapped(sim);
    }
}

static void play_both(const struct scene *scene, bool logs)
{
    static struct sim exact, fast;
    struct error err = {0};
    struct point point = {.timeline = &scene->timeline,
                          .platform = &scene->platform,
                          .value = scene->value,
                          .kernel = &scene->kernel,
                          .strategy = &scene->strategy,
                          .exact = true,
                          .preemptible = scene->preemptible};
    struct point quick = point;
    quick.exact = false;
    if (!sim_possible(&point, &err)) {
        fuzz_expect_error(&err);
        return;
    }
    play(&point, logs, &exact);
    play(&quick, logs, &fast);
    expect_same(&exact, &fast);
    sim_free(&exact);
    sim_free(&fast);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scene scene;
    static struct choices choices;
    struct error err = {0};
    choices.at = data;
    choices.end = data + size;
    choices.used = 0;
    choices.logs = false;
    choices.more = size > 0 && data[0] >= WITH_MORE;
    choices.at += choices.more;
    choose_machine(&choices, &scene);
    choose_kernel(&choices, &scene);
    choose_strategy(&choices, &scene);
    put_vm(&choices);
    put_timeline(&choices);
    if (getenv("FUZZ_SHOW")) {
        printf(
            "kernel %s, strategy %s, chunk %llu, workers %llu, fwb %d, dic %d, vhe %d, cache %llu, "
            "preemptible %d\n%s",
            scene.kernel.name, scene.strategy.name, (unsigned long long)scene.strategy.chunk,
            (unsigned long long)scene.strategy.workers, scene.platform.fwb, scene.platform.dic,
            scene.platform.vhe, (unsigned long long)scene.platform.cache_bytes, scene.preemptible,
            choices.text);
        (void)fflush(stdout);
    }
    const char *path = fuzz_file(0, (const uint8_t *)choices.text, choices.used);
    struct workload *workload = workload_read(path, &err);
    if (!workload || !workload_build(workload, &scene.timeline, &err)) {
        fuzz_expect_error(&err);
        workload_free(workload);
        return 0;
    }
    play_both(&scene, choices.logs);
    timeline_free(&scene.timeline);
    workload_free(workload);
    return 0;
}

/*
 * A simulation: the bytes choose a VM, what happens in it, a machine, a kernel
 * and a strategy. It is written as a workload file and read back, then played
 * in both fidelities. What must hold: every actor's time adds up (asserted at
 * the end of each run) and by the ledger too; both fidelities count the same
 * events, but for lines by their state in the caches and what follows from
 * them; both oracles say the same; and what is mapped is what was mapped less
 * what was unmapped, unless dirty logging exchanges leaves.
 */
#include "choices.h"
#include "core/error.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "check/counts/counts.h"
#include "guest/workload/workload.h"
#include "run/sim.h"

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
                             .reinit_icache = flags & 2,
                             .reinit_unmap_cleans = flags & 4,
                             .notifier_unmap_cleans = flags & 1,
                             .fault_cleans = flags & 8,
                             .recreate = flags & 32,
                             .fwb = flags & 64,
                             .chunk = chunk};
    own->reinit_tlbi = flags & 16 ? REINIT_TLBI_VM : REINIT_TLBI_LEAF;
    own->flush_at = (enum flush_at)choose(choices, 3);
    own->toggle = (enum toggle)choose(choices, 3);
    own->reinit_unmap = (enum reinit_unmap)choose(choices, 4);
    own->flush_leaves = (enum flush_leaves)choose(choices, 3);
    own->flush_record = (enum flush_record)choose(choices, 4);
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
    choices_begin(&choices, data, size);
    choose_machine(&choices, &scene);
    choose_kernel(&choices, &scene);
    choose_strategy(&choices, &scene);
    choices_put_workload(&choices);
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

/*
 * A simulation: the bytes choose a VM, what happens in it, a machine, a kernel
 * and a strategy. It is written as a workload file and read back, then played
 * in both fidelities. What must hold: every actor's time adds up (asserted at
 * the end of each run) and by the ledger too; both fidelities count the same
 * events, but for lines by their state in the caches and what follows from
 * them; both oracles say the same; and what is mapped is what was mapped less
 * what was unmapped, unless dirty logging exchanges leaves.
 */
#include "core/error.h"
#include "fuzz.h"
#include "tests/scene.h"

#include <stdio.h>
#include <stdlib.h>

#include "check/counts/counts.h"
#include "guest/workload/workload.h"
#include "run/sim.h"

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
    struct point point = scene_point(scene, true), quick = scene_point(scene, false);
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
    scene_choose(&scene, &choices);
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

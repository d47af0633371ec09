#include "study/lanes.h"

#include "core/alloc.h"
#include "study/evaluate.h"

#include <stdlib.h>

#define CELLS_LOOKED_AT 64

static enum lane_kind kind_of(const struct strategy *strategy, const struct vm_shape *vm)
{
    bool several = (uint64_t)vm->vcpus * vm->copies > 1, workers = strategy->workers > 1;
    return workers   ? several ? LANE_VCPUS_WORKERS : LANE_WORKERS
           : several ? LANE_VCPUS
                     : LANE_ALONE;
}

/* The lanes of a cell: its strategies, then the yardstick. */
static bool sort_cell(const struct study *study, size_t cell, struct lanes *lanes,
                      struct error *err)
{
    size_t strategies = study->role[AXIS_STRATEGY]->values.count;
    struct setup setup;
    struct timeline timeline;
    if (!study_setup(study, study_point(study, cell, 0), &setup, err)) {
        return false;
    }
    bool good = workload_build(setup.workload, &timeline, err);
    for (size_t s = 0; good && s <= strategies; s++) {
        setup_use(&setup, s < strategies ? study->strategies[s] : &strategy_ideal);
        enum lane_kind kind = kind_of(setup.strategy, &timeline.vm);
        lanes->kind[kind].lane[lanes->kind[kind].count++] = cell * (strategies + 1) + s;
    }
    if (good) {
        timeline_free(&timeline);
    }
    setup_free(&setup);
    return good;
}

bool lanes_sort(const struct study *study, struct lanes *lanes, struct error *err)
{
    size_t cells = study_cells(study), strategies = study->role[AXIS_STRATEGY]->values.count;
    size_t looked_at = cells < CELLS_LOOKED_AT ? cells : CELLS_LOOKED_AT;
    bool good = true;
    *lanes = (struct lanes){.all = study->points + cells};
    for (int kind = 0; kind < LANE_KINDS; kind++) {
        lanes->kind[kind].lane = alloc_zeroed(looked_at * (strategies + 1),
                                              sizeof *lanes->kind[kind].lane, "a study's lanes");
    }
    for (size_t i = 0; good && i < looked_at; i++) {
        good = sort_cell(study, i * cells / looked_at, lanes, err);
    }
    for (int kind = 0; kind < LANE_KINDS; kind++) {
        lanes->kind[kind].share =
            (double)lanes->kind[kind].count / (double)(looked_at * (strategies + 1));
    }
    return good;
}

void lanes_free(struct lanes *lanes)
{
    for (int kind = 0; kind < LANE_KINDS; kind++) {
        free(lanes->kind[kind].lane);
    }
    *lanes = (struct lanes){0};
}

/* Timelines that its draws are on, each of which is played once though all else is priced again. */
static size_t timelines_of(struct scenario *scenario)
{
    bool has[1 + DRAW_STRATA] = {true};
    size_t count = 0;
    for (size_t run = 1; run < scenario->runs; run++) {
        has[scenario_stratum(scenario, run)] = true;
    }
    for (size_t stratum = 0; stratum <= DRAW_STRATA; stratum++) {
        count += has[stratum];
    }
    return count;
}

bool lanes_sample(const struct study *study, struct store *store, size_t lane,
                  struct lane_sample *sample, struct error *err)
{
    struct sweep sweep = {.jobs = 1};
    struct evaluator evaluator;
    struct scenario scenario;
    const struct trial *trial = NULL;
    size_t strategies = study->role[AXIS_STRATEGY]->values.count, which = lane % (strategies + 1);
    size_t point = study_point(study, lane / (strategies + 1), 0);
    *sample = (struct lane_sample){.played = 1};
    evaluator_open(&evaluator, study, &sweep, store);
    if (scenario_open(&scenario, &evaluator, point, (struct scenario_key){0}, err)) {
        const struct strategy *strategy =
            which < strategies ? study->strategies[which] : &strategy_ideal;
        trial = evaluate_trial(&scenario, strategy, err);
        sample->again = trial && trial_is_for_all_costs(trial);
        if (trial) {
            sample->played = sample->again ? timelines_of(&scenario)
                                           : evaluate_plays(&scenario, strategy, trial);
        }
        scenario_close(&scenario);
    }
    evaluator_close(&evaluator);
    return trial;
}

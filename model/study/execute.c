#include "study/execute.h"

#include "core/alloc.h"
#include "study/evaluate.h"

#include <stdlib.h>
#include <string.h>

/* --- results --- */

static void fill_metric(const struct scenario *scenario, const struct trial *trial,
                        const struct times *times, const struct times *ideal, enum metric metric,
                        double *values, struct spread *spread)
{
    size_t draws = scenario->runs - 1, shifts = scenario->evaluator->study->shifts;
    *spread = (struct spread){.known = metric_known(metric, trial, &times[0])};
    if (!spread->known) {
        return;
    }
    bool all = true;
    spread->mode = metric_value(metric, trial, &times[0], &ideal[0]);
    if (metric_is_count(metric)) {
        spread_constant(spread, spread->mode, draws, shifts);
        return;
    }
    for (size_t run = 1; run <= draws; run++) {
        all = all && metric_known(metric, trial, &times[run]);
        values[run - 1] = metric_value(metric, trial, &times[run], &ideal[run]);
    }
    spread_fill(spread, values, all ? draws : 0, shifts);
}

/* --- cells --- */

/* One cell under way. */
struct cell {
    const struct study *study;
    struct scenario scenario;
    struct setup_hasher *hasher;
    struct times *ideal, *times; /* [runs] */
    double *values; /* [runs] */
};

static bool cell_open(struct cell *cell, struct evaluator *evaluator, size_t index,
                      struct error *err)
{
    const struct study *study = evaluator->study;
    char identity[128];
    *cell = (struct cell){.study = study};
    if (!scenario_open(&cell->scenario, evaluator, study_point(study, index, 0),
                       (struct scenario_key){0}, err)) {
        return false;
    }
    size_t runs = cell->scenario.runs;
    study_identity(study, identity, sizeof identity);
    cell->hasher = setup_hash_begin(&cell->scenario.setup, identity);
    cell->ideal = alloc_zeroed(runs, sizeof *cell->ideal, "values of a study");
    cell->times = alloc_zeroed(runs, sizeof *cell->times, "values of a study");
    cell->values = alloc_zeroed(runs, sizeof *cell->values, "values of a study");
    return true;
}

static void cell_close(struct cell *cell)
{
    setup_hash_free(cell->hasher);
    free(cell->ideal);
    free(cell->times);
    free(cell->values);
    scenario_close(&cell->scenario);
}

static bool fill_point(struct cell *cell, const struct strategy *strategy,
                       struct point_result *point, struct error *err)
{
    struct scenario *scenario = &cell->scenario;
    struct strategy_verdict verdict;
    if (!evaluate_runs(scenario, strategy, cell->times, err) ||
        !evaluate_verdict(scenario, strategy, &verdict, err)) {
        return false;
    }
    const struct trial *trial = evaluate_trial(scenario, strategy, err);
    for (int metric = 0; metric < METRICS; metric++) {
        fill_metric(scenario, trial, cell->times, cell->ideal, (enum metric)metric, cell->values,
                    &point->metric[metric]);
    }
    memcpy(point->verdict, trial->verdict, sizeof point->verdict);
    point->worst = verdict.worst;
    point->hypothetical = verdict.hypothetical;
    struct setup setup = scenario->setup;
    setup_use(&setup, strategy);
    setup_hash_finish(cell->hasher, setup.strategy, &scenario->timeline, point->hash);
    return true;
}

/* Each strategy's run at the modes, which is all there is without draws. */
static bool play_modes(void *context, size_t part, struct error *err)
{
    struct cell *cell = context;
    const struct strategy *strategy = part ? cell->study->strategies[part - 1] : &strategy_ideal;
    return evaluate_trial(&cell->scenario, strategy, err);
}

static bool fill_points(struct cell *cell, size_t index, struct study_results *results,
                        struct error *err)
{
    const struct study *study = cell->study;
    size_t strategies = study->role[AXIS_STRATEGY]->values.count;
    bool good =
        sweep_parts(cell->scenario.evaluator->sweep, strategies + 1, play_modes, cell, err) &&
        evaluate_runs(&cell->scenario, &strategy_ideal, cell->ideal, err);
    for (size_t s = 0; good && s < strategies; s++) {
        good = fill_point(cell, study->strategies[s],
                          &results->points[study_point(study, index, s)], err);
    }
    return good;
}

/* --- all cells --- */

struct executing {
    struct evaluator evaluator;
    const struct cell_watch *watch; /* NULL: none */
    struct study_results *results;
};

static bool run_cell(void *context, size_t index, struct error *err)
{
    struct executing *executing = context;
    const struct cell_watch *watch = executing->watch;
    struct study_results *results = executing->results;
    struct cell cell;
    if (watch && watch->wanted && !watch->wanted(watch->context, index)) {
        return true;
    }
    if (!cell_open(&cell, &executing->evaluator, index, err)) {
        return false;
    }
    bool good = fill_points(&cell, index, results, err);
    struct cell_done done = {index, cell.scenario.plays, cell.scenario.reprices};
    cell_close(&cell);
#pragma omp critical(study_tally)
    {
        results->plays += done.plays;
        results->reprices += done.reprices;
    }
    return good &&
           (!watch || !watch->finished || watch->finished(watch->context, results, &done, err));
}

/* Exact runs are long, so that what is too large for them is seen before any. */
static bool cells_possible(struct evaluator *evaluator, struct error *err)
{
    const struct study *study = evaluator->study;
    bool good = true;
    for (size_t i = 0; good && study->fidelity == FIDELITY_EXACT && i < study_cells(study); i++) {
        struct cell cell;
        good = cell_open(&cell, evaluator, i, err);
        if (good) {
            struct setup *setup = &cell.scenario.setup;
            good = trial_possible(setup, &cell.scenario.timeline, err);
            cell_close(&cell);
        }
    }
    return good;
}

bool study_execute(const struct study *study, struct sweep *sweep, const struct cell_watch *watch,
                   struct study_results *results, struct error *err)
{
    struct executing executing = {.watch = watch, .results = results};
    *results = (struct study_results){.count = study->points};
    evaluator_open(&executing.evaluator, study, sweep);
    bool good = cells_possible(&executing.evaluator, err);
    if (good) {
        results->points = alloc_zeroed(study->points, sizeof *results->points, "values of a study");
        good = sweep_parts(sweep, study_cells(study), run_cell, &executing, err);
    }
    evaluator_close(&executing.evaluator);
    if (!good) {
        study_results_free(results);
    }
    return good;
}

bool study_sample(const struct study *study, size_t index, bool *again, struct error *err)
{
    struct sweep sweep = {.jobs = 1};
    struct evaluator evaluator;
    struct cell cell;
    const struct trial *trial = NULL;
    evaluator_open(&evaluator, study, &sweep);
    if (cell_open(&cell, &evaluator, index, err)) {
        trial = evaluate_trial(&cell.scenario, study->strategies[0], err);
        *again = trial && trial->serial && !study->replay;
        cell_close(&cell);
    }
    evaluator_close(&evaluator);
    return trial;
}

void study_results_free(struct study_results *results)
{
    free(results->points);
    results->points = NULL;
}

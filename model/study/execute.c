#include "study/execute.h"

#include "core/alloc.h"
#include "core/error.h"
#include "study/evaluate.h"
#include "study/verdict.h"

#include <stdio.h>
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
        spread->fitted += times[run].fitted;
        values[run - 1] = metric_value(metric, trial, &times[run], &ideal[run]);
    }
    spread->fitted = all ? spread->fitted : 0;
    spread_fill(spread, values, all ? draws : 0, shifts);
}

/* --- cells --- */

/* One cell under way. */
struct cell {
    const struct study *study;
    const bool *wanted; /* [METRICS] */
    bool tails; /* one of them is of tails */
    struct scenario scenario;
    struct setup_hasher *hasher;
    struct times *ideal, *times; /* [runs] */
    double *values; /* [runs] */
    struct point_result *result; /* [strategies] */
    uint64_t plays, reprices;
};

static bool cell_open(struct cell *cell, struct evaluator *evaluator, size_t index,
                      const bool wanted[METRICS], struct error *err)
{
    const struct study *study = evaluator->study;
    char identity[128];
    *cell = (struct cell){.study = study, .wanted = wanted};
    for (int metric = 0; metric < METRICS; metric++) {
        cell->tails |= wanted[metric] && metric_is_tail((enum metric)metric);
    }
    if (!scenario_open(&cell->scenario, evaluator, study_point(study, index, 0),
                       (struct scenario_key){0}, err)) {
        return false;
    }
    size_t runs = cell->scenario.runs, strategies = study->role[AXIS_STRATEGY]->values.count;
    study_identity(study, identity, sizeof identity);
    cell->hasher = setup_hash_begin(&cell->scenario.setup, identity);
    cell->ideal = alloc_zeroed(runs, sizeof *cell->ideal, "values of a study");
    cell->times = alloc_zeroed(runs, sizeof *cell->times, "values of a study");
    cell->values = alloc_zeroed(runs, sizeof *cell->values, "values of a study");
    cell->result = alloc_zeroed(strategies, sizeof *cell->result, "values of a study");
    return true;
}

static void cell_close(struct cell *cell)
{
    setup_hash_free(cell->hasher);
    free(cell->ideal);
    free(cell->times);
    free(cell->values);
    free(cell->result);
    scenario_close(&cell->scenario);
}

/* All runs of a strategy; counts those that had to be played. */
static bool fill_times(struct cell *cell, const struct strategy *strategy, struct times *times,
                       struct error *err)
{
    if (!evaluate_runs(&cell->scenario, strategy, cell->tails ? TAILS_ALL : TAILS_NONE, times,
                       err)) {
        return false;
    }
    for (size_t run = 0; run < cell->scenario.runs; run++) {
        bool saved = times[run].priced || times[run].fitted;
        cell->plays += !saved;
        cell->reprices += saved;
    }
    return true;
}

static bool fill_point(struct cell *cell, const struct strategy *strategy,
                       struct point_result *point, struct error *err)
{
    struct scenario *scenario = &cell->scenario;
    struct strategy_verdict verdict;
    if (!fill_times(cell, strategy, cell->times, err) ||
        !evaluate_verdict(scenario, strategy, &verdict, err)) {
        return false;
    }
    for (size_t run = 0; run < scenario->runs; run++) {
        unsigned stratum = scenario_stratum(scenario, run);
        if (!point->source[stratum].play[0] &&
            (!evaluate_hash(scenario, strategy, stratum, point->source[stratum].play, err) ||
             !evaluate_hash(scenario, &strategy_ideal, stratum, point->source[stratum].ideal,
                            err))) {
            return false;
        }
    }
    const struct trial *trial = evaluate_trial(scenario, strategy, err);
    for (int metric = 0; metric < METRICS; metric++) {
        if (cell->wanted[metric]) {
            fill_metric(scenario, trial, cell->times, cell->ideal, (enum metric)metric,
                        cell->values, &point->metric[metric]);
        }
    }
    point->worst = verdict.worst;
    verdict_text(trial->verdict, point->condition, sizeof point->condition);
    snprintf(point->hypothetical, sizeof point->hypothetical, "%s",
             verdict.hypothetical ? verdict.hypothetical : "");
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

static bool fill_points(struct cell *cell, struct error *err)
{
    const struct study *study = cell->study;
    struct scenario *scenario = &cell->scenario;
    size_t strategies = study->role[AXIS_STRATEGY]->values.count;
    char draws[SETUP_HASH];
    if (!sweep_parts(scenario->evaluator->sweep, strategies + 1, play_modes, cell, err) ||
        !fill_times(cell, &strategy_ideal, cell->ideal, err) ||
        !scenario_keep_draws(scenario, draws, err)) {
        return false;
    }
    for (size_t s = 0; s < strategies; s++) {
        struct point_result *result = &cell->result[s];
        memcpy(result->draws, draws, sizeof draws);
        if (!fill_point(cell, study->strategies[s], result, err)) {
            return false;
        }
    }
    return true;
}

/* --- all cells --- */

struct executing {
    struct evaluator evaluator;
    const bool *wanted; /* [METRICS] */
};

static bool run_cell(void *context, size_t index, struct error *err)
{
    struct executing *executing = context;
    struct store *store = executing->evaluator.store;
    const struct shard *shard = &store_about(store)->shard;
    struct cell cell;
    if (shard_of_cell(index, shard->count) != shard->number || store_has_cell(store, index)) {
        return true;
    }
    if (!cell_open(&cell, &executing->evaluator, index, executing->wanted, err)) {
        return false;
    }
    bool good = fill_points(&cell, err);
    if (good) {
        struct store_cell done = {index, cell.plays, cell.reprices, cell.result};
        good = store_add_cell(store, cell.study, &done, cell.wanted, err);
    } else if (err->simulation) {
        char why[sizeof err->text];
        memcpy(why, err->text, sizeof why);
        good = store_add_failed(store, index, why, err);
    }
    cell_close(&cell);
    return good;
}

/* Exact runs are long, so that what is too large for them is seen before any. */
static bool cells_possible(struct evaluator *evaluator, struct error *err)
{
    const struct study *study = evaluator->study;
    bool good = true;
    for (size_t i = 0; good && study->fidelity == FIDELITY_EXACT && i < study_cells(study); i++) {
        struct scenario scenario;
        good = scenario_open(&scenario, evaluator, study_point(study, i, 0),
                             (struct scenario_key){0}, err);
        if (good) {
            good = trial_possible(&scenario.setup, &scenario.timeline, err);
            scenario_close(&scenario);
        }
    }
    return good;
}

bool study_execute(const struct study *study, struct sweep *sweep, struct store *store,
                   const bool wanted[METRICS], struct error *err)
{
    struct executing executing = {.wanted = wanted};
    evaluator_open(&executing.evaluator, study, sweep, store);
    bool good = cells_possible(&executing.evaluator, err) &&
                sweep_parts(sweep, study_cells(study), run_cell, &executing, err) &&
                store_flush(store, err);
    evaluator_close(&executing.evaluator);
    return good;
}

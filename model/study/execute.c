#include "study/execute.h"

#include "core/alloc.h"
#include "study/draws.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* What all strategies of a cell share. */
struct cell {
    const struct study *study;
    size_t index;
    struct setup setup; /* the strategy in it changes */
    struct timeline timeline;
    double (*values)[COSTS]; /* the modes, then the draws */
    ps_t (*prices)[EVENT_KINDS]; /* of events at each of these */
    struct setup_hasher *hasher;
    size_t runs; /* 1 + draws */
    uint64_t plays, reprices;
};

/* One strategy in a cell, at all draws. */
struct lane {
    struct trial played; /* at the modes */
    struct times *times; /* [runs] */
};

static bool cell_open(struct cell *cell, const struct study *study, size_t index, struct error *err)
{
    *cell = (struct cell){.study = study, .index = index, .runs = 1 + study->draws};
    if (!study_setup(study, study_point(study, index, 0), &cell->setup, err)) {
        return false;
    }
    if (!workload_build(cell->setup.workload, &cell->timeline, err)) {
        setup_free(&cell->setup);
        return false;
    }
    cell->values = alloc_zeroed(cell->runs, sizeof *cell->values, "values of a study");
    platform_modes(&cell->setup.platform, cell->values[0]);
    struct draw_plan draws = {.seed = study->seed,
                              .draws = study->draws,
                              .shifts = study->shifts,
                              .sequence = study->sequence};
    draw_costs(&draws, &cell->setup.platform, cell->values + 1);
    char identity[128];
    study_identity(study, identity, sizeof identity);
    cell->hasher = setup_hash_begin(&cell->setup, identity);
    cell->prices = alloc_zeroed(cell->runs, sizeof *cell->prices, "values of a study");
    for (size_t run = 0; run < cell->runs; run++) {
        trial_prices(&cell->setup, &cell->timeline, cell->values[run], cell->prices[run]);
    }
    return true;
}

static void cell_close(struct cell *cell)
{
    setup_hash_free(cell->hasher);
    free(cell->prices);
    free(cell->values);
    timeline_free(&cell->timeline);
    setup_free(&cell->setup);
}

/* The times at one draw, by pricing again where that is the same. */
static bool lane_draw(struct cell *cell, struct lane *lane, size_t run, struct error *err)
{
    const double *value = cell->values[run];
    const ps_t *price = cell->prices[run];
    if (!cell->study->replay && trial_can_reprice(&lane->played, &cell->setup, value, price)) {
        trial_reprice(&lane->played, price, &lane->times[run]);
        cell->reprices++;
        return true;
    }
    struct trial again;
    cell->plays++;
    if (!trial_play(&cell->setup, &cell->timeline, value, &again, err)) {
        return false;
    }
    trial_times(&again, price, &lane->times[run]);
    return true;
}

static bool lane_run(struct cell *cell, const struct strategy *strategy, struct lane *lane,
                     struct error *err)
{
    const ps_t *price = cell->prices[0];
    setup_use(&cell->setup, strategy);
    cell->plays++;
    if (!trial_play(&cell->setup, &cell->timeline, cell->values[0], &lane->played, err)) {
        return false;
    }
    INVARIANT(memcmp(price, lane->played.price, sizeof lane->played.price) == 0,
              "a run and pricing it again disagree on what events cost");
    trial_times(&lane->played, price, &lane->times[0]);
    for (size_t run = 1; run < cell->runs; run++) {
        if (!lane_draw(cell, lane, run, err)) {
            return false;
        }
    }
    return true;
}

/* --- results --- */

static void fill_metric(const struct cell *cell, const struct lane *lane, const struct lane *ideal,
                        enum metric metric, double *values, struct spread *spread)
{
    *spread = (struct spread){.known = metric_known(metric, &lane->played, &lane->times[0])};
    if (!spread->known) {
        return;
    }
    bool all = true;
    spread->mode = metric_value(metric, &lane->played, &lane->times[0], &ideal->times[0]);
    if (metric_is_count(metric)) {
        spread_constant(spread, spread->mode, cell->runs - 1, cell->study->shifts);
        return;
    }
    for (size_t run = 1; run < cell->runs; run++) {
        all = all && metric_known(metric, &lane->played, &lane->times[run]);
        values[run - 1] =
            metric_value(metric, &lane->played, &lane->times[run], &ideal->times[run]);
    }
    spread_fill(spread, values, all ? cell->runs - 1 : 0, cell->study->shifts);
}

static void fill_point(struct cell *cell, const struct lane *lane, const struct lane *ideal,
                       double *values, struct point_result *point)
{
    for (int metric = 0; metric < METRICS; metric++) {
        fill_metric(cell, lane, ideal, (enum metric)metric, values, &point->metric[metric]);
    }
    memcpy(point->verdict, lane->played.verdict, sizeof point->verdict);
    point->worst = NOT_READ;
    for (int reader = 0; reader < READERS; reader++) {
        enum outcome outcome = lane->played.verdict[reader].outcome;
        point->worst = outcome > point->worst ? outcome : point->worst;
    }
    point->hypothetical = setup_hypothetical(&cell->setup.platform, cell->setup.strategy);
    setup_hash_finish(cell->hasher, cell->setup.strategy, &cell->timeline, point->hash);
}

static bool cell_lanes(struct cell *cell, struct point_result *points, struct error *err)
{
    const struct study *study = cell->study;
    struct lane *ideal = alloc_zeroed(1, sizeof *ideal, "values of a study"),
                *lane = alloc_zeroed(1, sizeof *lane, "values of a study");
    double *values = alloc_zeroed(cell->runs, sizeof *values, "values of a study");
    ideal->times = alloc_zeroed(cell->runs, sizeof *ideal->times, "values of a study");
    lane->times = alloc_zeroed(cell->runs, sizeof *lane->times, "values of a study");
    bool good = lane_run(cell, &strategy_ideal, ideal, err);
    for (size_t s = 0; good && s < study->role[AXIS_STRATEGY]->values.count; s++) {
        good = lane_run(cell, study->strategies[s], lane, err);
        if (good) {
            fill_point(cell, lane, ideal, values, &points[study_point(study, cell->index, s)]);
        }
    }
    free(lane->times);
    free(ideal->times);
    free(values);
    free(lane);
    free(ideal);
    return good;
}

static bool run_cell(const struct study *study, size_t index, const struct cell_watch *watch,
                     struct study_results *results, struct error *err)
{
    struct cell cell;
    if (!cell_open(&cell, study, index, err)) {
        return false;
    }
    bool good = cell_lanes(&cell, results->points, err);
#pragma omp critical(study_tally)
    {
        results->plays += cell.plays;
        results->reprices += cell.reprices;
    }
    struct cell_done done = {index, cell.plays, cell.reprices};
    cell_close(&cell);
    return good &&
           (!watch || !watch->finished || watch->finished(watch->context, results, &done, err));
}

/* --- threads --- */

/* The error of the first cell that failed; cells after it need not be run. */
struct failure {
    size_t cell;
    struct error err;
};

static bool still_wanted(const struct cell_watch *watch, const struct failure *failure, size_t cell)
{
    bool wanted;
#pragma omp critical(study_failure)
    wanted = cell < failure->cell;
    return wanted && (!watch || !watch->wanted || watch->wanted(watch->context, cell));
}

static void note_failure(struct failure *failure, size_t cell, const struct error *err)
{
#pragma omp critical(study_failure)
    if (cell < failure->cell) {
        *failure = (struct failure){cell, *err};
    }
}

/* Exact runs are long, so that what is too large for them is seen before any. */
static bool cells_possible(const struct study *study, struct error *err)
{
    bool good = true;
    for (size_t i = 0; good && study->fidelity == FIDELITY_EXACT && i < study_cells(study); i++) {
        struct cell cell;
        good = cell_open(&cell, study, i, err);
        if (good) {
            good = trial_possible(&cell.setup, &cell.timeline, err);
            cell_close(&cell);
        }
    }
    return good;
}

bool study_execute(const struct study *study, unsigned jobs, const struct cell_watch *watch,
                   struct study_results *results, struct error *err)
{
    size_t cells = study_cells(study);
    struct failure failure = {.cell = SIZE_MAX};
    *results = (struct study_results){.count = study->points};
    if (!cells_possible(study, err)) {
        return false;
    }
    results->points = alloc_zeroed(study->points, sizeof *results->points, "values of a study");
#pragma omp parallel for schedule(dynamic) num_threads(jobs ? (int)jobs : omp_get_num_procs())
    for (size_t cell = 0; cell < cells; cell++) {
        struct error own;
        if (!still_wanted(watch, &failure, cell)) {
            continue;
        }
        if (!run_cell(study, cell, watch, results, &own)) {
            note_failure(&failure, cell, &own);
        }
    }
    if (failure.cell != SIZE_MAX) {
        study_results_free(results);
        *err = failure.err;
        return false;
    }
    return true;
}

bool study_sample(const struct study *study, size_t index, bool *again, struct error *err)
{
    struct cell cell;
    if (!cell_open(&cell, study, index, err)) {
        return false;
    }
    struct trial *played = alloc_zeroed(1, sizeof *played, "values of a study");
    setup_use(&cell.setup, study->strategies[0]);
    bool good = trial_play(&cell.setup, &cell.timeline, cell.values[0], played, err);
    *again = played->serial && !study->replay;
    free(played);
    cell_close(&cell);
    return good;
}

void study_results_free(struct study_results *results)
{
    free(results->points);
    results->points = NULL;
}

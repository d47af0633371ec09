#include "study/winner_map.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/portable_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- one cell --- */

bool winner_map_may_win(const struct strategy_verdict *verdict, bool what_if, bool sound)
{
    bool coherent = verdict->worst != STALE && (!sound || verdict->worst != ONLY_IF);
    return coherent && (what_if || !verdict->hypothetical);
}

/* The draws of one strategy; without any, its value at the modes. */
static const double *draws_of(const double *values, size_t strategy, size_t runs, size_t *n)
{
    size_t first = runs > 1 ? 1 : 0;
    *n = runs - first;
    return values + strategy * runs + first;
}

static double median_of(const double *values, size_t n, double *scratch)
{
    memcpy(scratch, values, n * sizeof *values);
    return stats_quantile(scratch, n, 0.5);
}

/* The lowest median among those that may, `but` left out; the first of equals. */
static size_t lowest(const double *values, size_t strategies, size_t runs, const bool *may,
                     size_t but, double *scratch)
{
    size_t best = WINNER_NONE, n;
    double min = INFINITY;
    for (size_t s = 0; s < strategies; s++) {
        if (!may[s] || s == but) {
            continue;
        }
        const double *draws = draws_of(values, s, runs, &n);
        double median = median_of(draws, n, scratch);
        if (best == WINNER_NONE || median < min) {
            best = s;
            min = median;
        }
    }
    return best;
}

/* The share of the draws in which none beats the winner. */
static double share_won(const double *values, size_t strategies, size_t runs, const bool *may,
                        size_t winner)
{
    size_t won = 0;
    for (size_t run = 1; run < runs; run++) {
        bool beaten = false;
        for (size_t s = 0; s < strategies; s++) {
            beaten |= may[s] && values[s * runs + run] < values[winner * runs + run];
        }
        won += !beaten;
    }
    return runs > 1 ? (double)won / (double)(runs - 1) : NAN;
}

static double margin_of(const double *winner, const double *other, size_t n, double *scratch)
{
    for (size_t i = 0; i < n; i++) {
        if (winner[i] <= 0 || other[i] <= 0) {
            return NAN;
        }
        scratch[i] = portable_log(other[i] / winner[i]) / M_LN2;
    }
    return stats_quantile(scratch, n, 0.5);
}

static const struct winner_map_choice no_choice = {.winner = WINNER_NONE,
                                                   .runner_up = WINNER_NONE,
                                                   .probability = NAN,
                                                   .margin = NAN,
                                                   .value = NAN,
                                                   .p10 = NAN,
                                                   .p90 = NAN};

void winner_map_choose(const double *values, size_t strategies, size_t runs, const bool *may,
                       double *scratch, struct winner_map_choice *choice)
{
    size_t n;
    *choice = no_choice;
    choice->winner = lowest(values, strategies, runs, may, WINNER_NONE, scratch);
    if (choice->winner == WINNER_NONE) {
        return;
    }
    const double *draws = draws_of(values, choice->winner, runs, &n);
    choice->probability = share_won(values, strategies, runs, may, choice->winner);
    choice->value = median_of(draws, n, scratch);
    if (runs > 1) {
        choice->p10 = stats_quantile(scratch, n, 0.1);
        choice->p90 = stats_quantile(scratch, n, 0.9);
    }
    choice->runner_up = lowest(values, strategies, runs, may, choice->winner, scratch);
    if (choice->runner_up != WINNER_NONE) {
        choice->margin =
            margin_of(draws, draws_of(values, choice->runner_up, runs, &n), n, scratch);
    }
}

static void fill_cell(const struct winner_map_request *request, size_t strategies, size_t runs,
                      const struct strategy_verdict *verdict, const double *values,
                      struct winner_map_cell *cell)
{
    bool *may = alloc_zeroed(strategies, sizeof *may, "values of a map");
    double *scratch = alloc_zeroed(runs, sizeof *scratch, "values of a map");
    for (int sound = 0; sound < 2; sound++) {
        for (size_t s = 0; s < strategies; s++) {
            may[s] = winner_map_may_win(&verdict[s], request->what_if, sound || request->sound);
        }
        winner_map_choose(values, strategies, runs, may, scratch,
                          sound ? &cell->sound : &cell->best);
    }
    if (cell->best.winner != WINNER_NONE) {
        cell->verdict = verdict[cell->best.winner];
    }
    cell->decided =
        cell->best.winner != WINNER_NONE && (runs == 1 || cell->best.probability >= WINNER_DECIDED);
    free(scratch);
    free(may);
}

/* --- all cells --- */

static bool find_axis(const struct study *study, const char *option, const char *name,
                      const struct axis **axis, struct error *err)
{
    const char *names[STUDY_AXES];
    char hint[256] = "";
    *axis = name ? groups_axis(study, name) : NULL;
    if (!name || (*axis && (*axis)->role != AXIS_STRATEGY)) {
        return true;
    }
    for (size_t i = 0; i < study->axis_count; i++) {
        names[i] = study->axes[i].name;
    }
    error_suggest(hint, sizeof hint, name, names, study->axis_count);
    return error_input(err, NULL, "%s: the study has no such axis as '%.80s'%s", option, name,
                       *axis ? ": the strategies are what is compared" : hint);
}

/* The study's point of a cell. */
static size_t point_of(const struct winner_map_results *results, size_t index)
{
    size_t x = index % results->x_count;
    size_t y = index / results->x_count % results->y_count;
    size_t point = groups_point(&results->groups, index / results->x_count / results->y_count);
    point += results->x ? x * results->x->stride : 0;
    return point + (results->y ? y * results->y->stride : 0);
}

/* Before anything is played. */
static bool fits(const struct study *study, size_t cells, unsigned jobs, struct error *err)
{
    const struct winner_map_results *results = NULL;
    uint64_t strategies = study->role[AXIS_STRATEGY]->values.count, runs = 1 + study->draws;
    uint64_t kept = cells * (sizeof *results->cell + strategies * sizeof *results->verdict);
    return scenario_count_allowed(study, jobs, kept, (strategies + 1) * runs * sizeof(double),
                                  "the map", "fewer --jobs, draws, strategies or points take less",
                                  err);
}

struct mapping {
    struct evaluator evaluator;
    const struct winner_map_request *request;
    struct winner_map_results *results;
};

static bool run_cell(void *context, size_t index, struct error *err)
{
    struct mapping *mapping = context;
    struct winner_map_results *results = mapping->results;
    const struct study *study = mapping->evaluator.study;
    size_t strategies = study->role[AXIS_STRATEGY]->values.count;
    struct strategy_verdict *verdict = results->verdict + index * strategies;
    struct scenario scenario;
    if (!scenario_open(&scenario, &mapping->evaluator, point_of(results, index),
                       (struct scenario_key){0}, err)) {
        return false;
    }
    double *values = alloc_zeroed(strategies * scenario.runs, sizeof *values, "values of a map");
    bool good = true;
    for (size_t s = 0; good && s < strategies; s++) {
        good = evaluate_verdict(&scenario, study->strategies[s], &verdict[s], err);
    }
    good = good && evaluate_metric(&scenario, mapping->request->metric, study->strategies,
                                   strategies, values, err);
    if (good) {
        fill_cell(mapping->request, strategies, scenario.runs, verdict, values,
                  &results->cell[index]);
    } else if (err->simulation) {
        memset(verdict, 0, strategies * sizeof *verdict);
        results->cell[index] =
            (struct winner_map_cell){.best = no_choice, .sound = no_choice, .failed = true};
    }
    free(values);
    scenario_close(&scenario);
    return good;
}

static bool run_cells(const struct study *study, const struct winner_map_request *request,
                      struct sweep *sweep, struct store *store, struct winner_map_results *results,
                      struct error *err)
{
    size_t cells = results->groups.count * results->x_count * results->y_count;
    size_t strategies = study->role[AXIS_STRATEGY]->values.count;
    struct mapping mapping = {.request = request, .results = results};
    if (!fits(study, cells, sweep->jobs, err)) {
        return false;
    }
    results->cell = alloc_zeroed(cells, sizeof *results->cell, "values of a map");
    results->verdict =
        alloc_zeroed(cells * strategies, sizeof *results->verdict, "values of a map");
    evaluator_open(&mapping.evaluator, study, sweep, store);
    bool good = sweep_passing(sweep, cells, run_cell, &mapping, &results->failed, err);
    evaluator_close(&mapping.evaluator);
    return good;
}

bool winner_map_run(const struct study *study, const struct winner_map_request *request,
                    struct sweep *sweep, struct store *store, struct winner_map_results *results,
                    struct error *err)
{
    *results = (struct winner_map_results){.metric = request->metric};
    if (!find_axis(study, "--x", request->x, &results->x, err) ||
        !find_axis(study, "--y", request->y, &results->y, err)) {
        return false;
    }
    if (results->x && results->x == results->y) {
        return error_input(err, NULL, "--x and --y are both %s, expected two axes", request->x);
    }
    groups_init(&results->groups, study, results->x, results->y);
    results->x_count = results->x ? results->x->values.count : 1;
    results->y_count = results->y ? results->y->values.count : 1;
    bool good = run_cells(study, request, sweep, store, results, err);
    if (!good) {
        winner_map_free(results);
    }
    return good;
}

void winner_map_free(struct winner_map_results *results)
{
    free(results->cell);
    free(results->verdict);
    *results = (struct winner_map_results){0};
}

double winner_map_undecided(const struct winner_map_results *results, size_t group)
{
    size_t cells = results->x_count * results->y_count, known = 0, undecided = 0;
    for (size_t i = 0; i < cells; i++) {
        const struct winner_map_cell *cell = &results->cell[group * cells + i];
        known += !cell->failed;
        undecided += !cell->failed && !cell->decided;
    }
    return known > 0 ? (double)undecided / (double)known : 0;
}

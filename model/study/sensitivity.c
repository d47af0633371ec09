#include "study/sensitivity.h"

#include "core/alloc.h"
#include "study/draws.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define BOOTSTRAP 400
#define DRAW_SHIFTS 8

/* One cell under way. */
struct work {
    const struct sensitivity_request *request;
    struct spot spot;
    struct spot_verdict *verdict; /* [strategies] */
    double *value; /* [strategies] */
    bool *may, *wanted; /* [strategies] */
    struct sensitivity_cell *cell;
    bool asked; /* somebody may win, so that there is something to decide */
    bool undecided; /* of the value of information: now */
    double chance[INFORMATION_ORDERS];
    double known[COSTS];
};

bool sensitivity_spread(const struct cost *cost)
{
    return cost->high > cost->low;
}

/* --- what is looked at --- */

/* The strategies that may win, and the two that cost least at the modes. */
static bool find_best(struct work *work, struct error *err)
{
    struct spot *spot = &work->spot;
    struct map_choice choice;
    double scratch[1];
    for (size_t s = 0; s < spot->strategies; s++) {
        if (!spot_verdict(spot, s, &work->verdict[s], err)) {
            return false;
        }
        work->may[s] = map_may_win(&work->verdict[s], work->request->what_if, false);
    }
    if (!spot_values(spot, work->request->metric, spot->values[0], NULL, work->value, err)) {
        return false;
    }
    map_choose(work->value, spot->strategies, 1, work->may, scratch, &choice);
    work->asked = choice.winner != MAP_NOBODY;
    work->cell->a = choice.winner;
    work->cell->b = choice.runner_up;
    return true;
}

static bool find_strategies(struct work *work, struct error *err)
{
    const struct study *study = work->spot.study;
    const char *of = work->request->of;
    if (!find_best(work, err)) {
        return false;
    }
    if (of && strchr(of, ',')) {
        return groups_pair(study, "--of", of, &work->cell->a, &work->cell->b, err);
    }
    if (of) {
        work->cell->b = MAP_NOBODY;
        return groups_strategy(study, "--of", of, strlen(of), &work->cell->a, err);
    }
    return true;
}

/* The output at these costs. */
static bool output_at(struct work *work, const double costs[COSTS], double *output,
                      struct error *err)
{
    const struct sensitivity_cell *cell = work->cell;
    bool pair = cell->b != MAP_NOBODY;
    enum metric metric = work->request->metric;
    memset(work->wanted, 0, work->spot.strategies * sizeof *work->wanted);
    work->wanted[cell->a] = true;
    work->wanted[pair ? cell->b : cell->a] = true;
    if (!spot_values(&work->spot, pair ? spot_difference_metric(metric) : metric, costs,
                     work->wanted, work->value, err)) {
        return false;
    }
    *output = work->value[cell->a] - (pair ? work->value[cell->b] : 0);
    return true;
}

/* --- one cost after another --- */

static bool tornado(struct work *work, struct error *err)
{
    const struct cost *costs = work->spot.setup.platform.cost;
    struct sensitivity_cell *cell = work->cell;
    double at[COSTS];
    memcpy(at, work->spot.values[0], sizeof at);
    if (!output_at(work, at, &cell->at_modes, err)) {
        return false;
    }
    for (int id = 0; id < COSTS; id++) {
        struct sensitivity_cost *cost = &cell->cost[id];
        at[id] = costs[id].low;
        bool good = output_at(work, at, &cost->at_low, err);
        at[id] = costs[id].high;
        if (!good || !output_at(work, at, &cost->at_high, err)) {
            return false;
        }
        at[id] = costs[id].mode;
        cost->live = sensitivity_spread(&costs[id]) &&
                     (cost->at_low != cell->at_modes || cost->at_high != cell->at_modes);
    }
    return true;
}

/* --- all together --- */

static void fill_indices(struct work *work, const struct sobol_plan *plan, const int *ids,
                         const double *output)
{
    struct sobol_result *result = alloc_zeroed(1, sizeof *result, "values of a sensitivity");
    sobol_indices(plan, output, result);
    work->cell->mean = result->mean;
    work->cell->variance = result->variance;
    for (size_t i = 0; i < plan->inputs; i++) {
        work->cell->cost[ids[i]].index = result->index[i];
    }
    free(result);
}

static bool indices(struct work *work, struct error *err)
{
    const struct cost *costs = work->spot.setup.platform.cost;
    struct sobol_plan plan = {
        .seed = work->spot.study->seed, .points = work->request->points, .bootstrap = BOOTSTRAP};
    int ids[COSTS];
    double u[COSTS], at[COSTS];
    for (int id = 0; id < COSTS; id++) {
        if (work->cell->cost[id].live) {
            ids[plan.inputs++] = id;
        }
    }
    if (plan.inputs == 0) {
        work->cell->mean = work->cell->at_modes;
        return true;
    }
    double *base = sobol_base(&plan),
           *output = alloc_zeroed(sobol_count(&plan), sizeof *output, "values of a sensitivity");
    bool good = true;
    memcpy(at, work->spot.values[0], sizeof at);
    for (size_t i = 0; good && i < sobol_count(&plan); i++) {
        sobol_point(&plan, base, i, u);
        for (size_t input = 0; input < plan.inputs; input++) {
            at[ids[input]] = draw_quantile(&costs[ids[input]], u[input]);
        }
        good = output_at(work, at, &output[i], err);
    }
    if (good) {
        fill_indices(work, &plan, ids, output);
    }
    free(output);
    free(base);
    return good;
}

/* --- the value of information --- */

static void inform(struct work *work, double (*drawn)[COSTS], const struct decision *decision)
{
    const struct cost *costs = work->spot.setup.platform.cost;
    double *input = alloc_zeroed(decision->draws, sizeof *input, "values of a sensitivity");
    work->undecided = information_undecided(decision);
    information_chance(decision, work->spot.study->seed, work->chance);
    for (int id = 0; id < COSTS; id++) {
        for (size_t i = 0; i < decision->draws; i++) {
            input[i] = drawn[i][id];
        }
        work->known[id] = sensitivity_spread(&costs[id])
                              ? information_known(decision, input)
                              : gsl_stats_mean(work->chance, 1, INFORMATION_ORDERS);
    }
    free(input);
}

static bool information(struct work *work, struct error *err)
{
    struct spot *spot = &work->spot;
    size_t n = work->request->points;
    struct draw_plan plan = {.seed = spot->study->seed,
                             .draws = n,
                             .shifts = n % DRAW_SHIFTS == 0 ? DRAW_SHIFTS : 1,
                             .sequence = spot->study->sequence};
    double(*drawn)[COSTS] = alloc_zeroed(n, sizeof *drawn, "values of a sensitivity");
    double *values = alloc_zeroed(spot->strategies * n, sizeof *values, "values of a sensitivity");
    bool good = true;
    draw_costs(&plan, &spot->setup.platform, drawn);
    for (size_t i = 0; good && i < n; i++) {
        good = spot_values(spot, work->request->metric, drawn[i], work->may, work->value, err);
        for (size_t s = 0; s < spot->strategies; s++) {
            values[s * n + i] = work->value[s];
        }
    }
    struct decision decision = {values, spot->strategies, n, work->may};
    if (good) {
        inform(work, drawn, &decision);
    }
    free(values);
    free(drawn);
    return good;
}

/* --- cells --- */

static bool run_work(struct work *work, struct error *err)
{
    if (!find_strategies(work, err)) {
        return false;
    }
    if (work->cell->a == MAP_NOBODY) {
        return true;
    }
    return tornado(work, err) && indices(work, err) && (!work->asked || information(work, err));
}

/* What a cell says about the value of information; the rest is in the results. */
struct told {
    bool undecided, asked;
    double chance[INFORMATION_ORDERS], known[COSTS];
};

static bool run_cell(const struct sensitivity_results *results,
                     const struct sensitivity_request *request, size_t index, struct told *told,
                     struct error *err)
{
    struct work work = {.request = request, .cell = &results->cell[index]};
    const struct study *study = results->groups.study;
    if (!spot_open(&work.spot, study, groups_point(&results->groups, index), (struct spot_key){0},
                   err)) {
        return false;
    }
    work.verdict =
        alloc_zeroed(work.spot.strategies, sizeof *work.verdict, "values of a sensitivity");
    work.value = alloc_zeroed(work.spot.strategies, sizeof *work.value, "values of a sensitivity");
    work.may = alloc_zeroed(work.spot.strategies, sizeof *work.may, "values of a sensitivity");
    work.wanted =
        alloc_zeroed(work.spot.strategies, sizeof *work.wanted, "values of a sensitivity");
    bool good = run_work(&work, err);
    *told = (struct told){.undecided = work.undecided, .asked = work.asked};
    memcpy(told->chance, work.chance, sizeof told->chance);
    memcpy(told->known, work.known, sizeof told->known);
    free(work.verdict);
    free(work.value);
    free(work.may);
    free(work.wanted);
    spot_close(&work.spot);
    return good;
}

/* The machine's means over its cells. */
static void add_up(struct sensitivity_results *results, const struct told *told, size_t machine)
{
    const struct study *study = results->groups.study;
    const struct axis *axis = study->role[AXIS_MACHINE];
    struct information *information = results->information[machine];
    double cells = 0, chance[INFORMATION_ORDERS] = {0};
    for (size_t i = 0; i < results->groups.count; i++) {
        if (!told[i].asked || study_digit(axis, groups_point(&results->groups, i)) != machine) {
            continue;
        }
        cells++;
        results->undecided[machine] += told[i].undecided;
        for (int id = 0; id < COSTS; id++) {
            information[id].known += told[i].known[id];
        }
        for (size_t order = 0; order < INFORMATION_ORDERS; order++) {
            chance[order] += told[i].chance[order];
        }
    }
    results->undecided[machine] /= fmax(cells, 1);
    for (int id = 0; id < COSTS; id++) {
        information[id].known /= fmax(cells, 1);
        information[id].chance = gsl_stats_mean(chance, 1, INFORMATION_ORDERS) / fmax(cells, 1);
        information[id].noise = gsl_stats_sd(chance, 1, INFORMATION_ORDERS) / fmax(cells, 1);
        information[id].gain = information[id].chance - information[id].known;
    }
}

/* Before anything is played. Of each thread, by point: the draws and what comes of
 * them for each strategy, twice; two Sobol' points, and an output for each cost. */
static bool fits(const struct study *study, const struct sensitivity_request *request, size_t cells,
                 unsigned jobs, struct error *err)
{
    uint64_t strategies = study->role[AXIS_STRATEGY]->values.count;
    uint64_t kept = cells * (sizeof(struct sensitivity_cell) + sizeof(struct told));
    uint64_t own = request->points * (4 * (uint64_t)COSTS + 8 + 2 * strategies) * sizeof(double);
    return spots_allowed(
        study, jobs, kept, own, "the sensitivity",
        "fewer --jobs, --points, draws, strategies or points of the study take less", err);
}

bool sensitivity_run(const struct study *study, const struct sensitivity_request *request,
                     unsigned jobs, struct sensitivity_results *results, struct error *err)
{
    size_t failed = SIZE_MAX, done = 0;
    *results = (struct sensitivity_results){.machines = study->role[AXIS_MACHINE]->values.count};
    groups_init(&results->groups, study, NULL, NULL);
    if (!fits(study, request, results->groups.count, jobs, err)) {
        return false;
    }
    results->cell =
        alloc_zeroed(results->groups.count, sizeof *results->cell, "values of a sensitivity");
    results->undecided =
        alloc_zeroed(results->machines, sizeof *results->undecided, "values of a sensitivity");
    results->information =
        alloc_zeroed(results->machines, sizeof *results->information, "values of a sensitivity");
    struct told *told =
        alloc_zeroed(results->groups.count, sizeof *told, "values of a sensitivity");
    if (request->progress) {
        request->progress(0, results->groups.count);
    }
#pragma omp parallel for schedule(dynamic) num_threads(jobs ? (int)jobs : omp_get_num_procs())
    for (size_t i = 0; i < results->groups.count; i++) {
        struct error own;
        if (!run_cell(results, request, i, &told[i], &own)) {
#pragma omp critical(sensitivity_failure)
            if (i < failed) {
                failed = i;
                *err = own;
            }
        }
        spots_progress(request->progress, &done, results->groups.count);
    }
    for (size_t machine = 0; machine < results->machines; machine++) {
        add_up(results, told, machine);
    }
    free(told);
    if (failed != SIZE_MAX) {
        sensitivity_free(results);
    }
    return failed == SIZE_MAX;
}

void sensitivity_free(struct sensitivity_results *results)
{
    free(results->cell);
    free(results->undecided);
    free(results->information);
    *results = (struct sensitivity_results){0};
}

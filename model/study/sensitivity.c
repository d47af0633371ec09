#include "study/sensitivity.h"

#include "core/alloc.h"
#include "machine/misfit.h"
#include "study/draws.h"
#include "study/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BOOTSTRAP 400
#define DRAW_SHIFTS 8
#define NEAR 0.5

/* One cell under way. */
struct work {
    const struct sensitivity_request *request;
    const struct study *study;
    struct scenario scenario;
    size_t strategies; /* of the study */
    double modes[COSTS];
    double *value; /* [strategies], at the modes */
    bool *may; /* [strategies] */
    struct surrogate output; /* of the strategies that the cell looks at */
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

bool sensitivity_measurable(const struct cost costs[COSTS], enum cost_id id)
{
    return sensitivity_spread(&costs[id]) && !misfit_is(id);
}

/* --- what is looked at --- */

/* The strategies that may win, and the two that cost least at the modes. */
static bool find_best(struct work *work, struct error *err)
{
    struct winner_map_choice choice;
    double scratch[1];
    for (size_t s = 0; s < work->strategies; s++) {
        struct strategy_verdict verdict;
        if (!evaluate_verdict(&work->scenario, work->study->strategies[s], &verdict, err)) {
            return false;
        }
        work->may[s] = winner_map_may_win(&verdict, work->request->what_if, false);
    }
    if (!evaluate_at(&work->scenario, work->request->metric, work->modes, work->study->strategies,
                     work->strategies, work->value, err)) {
        return false;
    }
    winner_map_choose(work->value, work->strategies, 1, work->may, scratch, &choice);
    work->asked = choice.winner != WINNER_NONE;
    work->cell->a = choice.winner;
    work->cell->b = choice.runner_up;
    return true;
}

bool sensitivity_of(const struct study *study, const char *of, size_t *a, size_t *b,
                    struct error *err)
{
    if (strchr(of, ',')) {
        return groups_pair(study, "--of", of, a, b, err);
    }
    *b = WINNER_NONE;
    return groups_strategy(study, "--of", of, strlen(of), a, err);
}

static bool find_strategies(struct work *work, struct error *err)
{
    const char *of = work->request->of;
    return find_best(work, err) &&
           (!of || sensitivity_of(work->study, of, &work->cell->a, &work->cell->b, err));
}

static bool open_output(struct work *work, struct error *err)
{
    struct sensitivity_cell *cell = work->cell;
    enum metric metric = work->request->metric;
    bool two = cell->b != WINNER_NONE;
    const struct strategy *of[] = {work->study->strategies[cell->a],
                                   work->study->strategies[two ? cell->b : cell->a]};
    bool good = surrogate_open(&work->output, &work->scenario,
                               two ? evaluate_difference(metric) : metric, of, two ? 2 : 1, err);
    cell->method = work->output.method;
    cell->off = good ? surrogate_error(&work->output, 0, 1) : (struct surrogate_error){0};
    return good;
}

/* The output at these costs. */
static bool output_at(struct work *work, const double costs[COSTS], double *output,
                      struct error *err)
{
    double value[2] = {0};
    bool good = surrogate_at(&work->output, costs, value, err);
    *output = value[0] - value[1];
    return good;
}

/* --- one cost after another --- */

static bool tornado(struct work *work, struct error *err)
{
    const struct cost *costs = work->scenario.setup.platform.cost;
    struct sensitivity_cell *cell = work->cell;
    double at[COSTS];
    memcpy(at, work->modes, sizeof at);
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
    const struct cost *costs = work->scenario.setup.platform.cost;
    struct sobol_plan plan = {
        .seed = work->study->seed, .points = work->request->points, .bootstrap = BOOTSTRAP};
    int ids[COSTS];
    double value[COSTS], at[COSTS];
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
    memcpy(at, work->modes, sizeof at);
    for (size_t i = 0; i < plan.points * 2 * plan.inputs; i++) {
        base[i] = draw_quantile(&costs[ids[i % plan.inputs]], base[i]);
    }
    for (size_t i = 0; good && i < sobol_count(&plan); i++) {
        sobol_point(&plan, base, i, value);
        for (size_t input = 0; input < plan.inputs; input++) {
            at[ids[input]] = value[input];
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
    const struct cost *costs = work->scenario.setup.platform.cost;
    double *input = alloc_zeroed(decision->draws, sizeof *input, "values of a sensitivity");
    work->undecided = information_undecided(decision);
    information_chance(decision, work->study->seed, work->chance);
    for (size_t id = 0; id < COSTS; id++) {
        for (size_t i = 0; i < decision->draws; i++) {
            input[i] = drawn[i][id];
        }
        work->known[id] = sensitivity_measurable(costs, (enum cost_id)id)
                              ? information_known(decision, input)
                              : stats_mean(work->chance, INFORMATION_ORDERS);
    }
    free(input);
}

/* The strategies that may win; where not all runs are priced again, those that are near. */
static void find_asked(const struct work *work, bool near, const struct strategy **of,
                       size_t *index, size_t *count)
{
    double min = INFINITY;
    *count = 0;
    for (size_t s = 0; s < work->strategies; s++) {
        min = work->may[s] ? fmin(min, work->value[s]) : min;
    }
    for (size_t s = 0; s < work->strategies; s++) {
        if (work->may[s] && (!near || work->value[s] <= min + NEAR * fabs(min))) {
            index[*count] = s;
            of[(*count)++] = work->study->strategies[s];
        }
    }
}

/* What `count` strategies come to in all draws, into their rows: by how much they differ decides.
 */
static bool fill_values(struct work *work, const struct strategy *const *of, const size_t *index,
                        size_t count, const struct draw_plan *plan, double (*drawn)[COSTS],
                        double *values, struct error *err)
{
    struct surrogate surrogate;
    double *value = alloc_zeroed(count, sizeof *value, "values of a sensitivity");
    bool good = surrogate_open(&surrogate, &work->scenario,
                               evaluate_difference(work->request->metric), of, count, err);
    for (size_t i = 0; good && i < plan->draws; i++) {
        good = surrogate_at(&surrogate, drawn[i], value, err);
        for (size_t s = 0; good && s < count; s++) {
            values[index[s] * plan->draws + i] = value[s];
        }
    }
    surrogate_close(&surrogate);
    free(value);
    return good;
}

static bool information(struct work *work, struct error *err)
{
    size_t n = work->request->points;
    struct draw_plan plan = study_draw_plan(work->study);
    plan.draws = n;
    plan.shifts = n % DRAW_SHIFTS == 0 ? DRAW_SHIFTS : 1;
    double(*drawn)[COSTS] = alloc_zeroed(n, sizeof *drawn, "values of a sensitivity");
    double *values = alloc_zeroed(work->strategies * n, sizeof *values, "values of a sensitivity");
    const struct strategy **of =
        alloc_zeroed(work->strategies, sizeof(struct strategy *), "values of a sensitivity");
    size_t *index = alloc_zeroed(work->strategies, sizeof *index, "values of a sensitivity");
    bool *asked = alloc_zeroed(work->strategies, sizeof *asked, "values of a sensitivity");
    size_t count;
    bool needless;
    find_asked(work, false, of, index, &count);
    bool good =
        surrogate_needless(&work->scenario, work->request->metric, of, count, &needless, err);
    find_asked(work, good && !needless, of, index, &count);
    for (size_t s = 0; s < count; s++) {
        asked[index[s]] = true;
    }
    draw_costs(&plan, &work->scenario.setup.platform, drawn);
    good = good && fill_values(work, of, index, count, &plan, drawn, values, err);
    struct decision decision = {values, work->strategies, n, asked};
    if (good) {
        inform(work, drawn, &decision);
    }
    free(asked);
    free(index);
    free(of);
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
    if (work->cell->a == WINNER_NONE) {
        return true;
    }
    bool good = open_output(work, err) && tornado(work, err) && indices(work, err) &&
                (!work->asked || information(work, err));
    surrogate_close(&work->output);
    return good;
}

/* What a cell says about the value of information; the rest is in the results. */
struct told {
    bool undecided, asked;
    double chance[INFORMATION_ORDERS], known[COSTS];
};

struct running {
    struct evaluator evaluator;
    const struct sensitivity_request *request;
    struct sensitivity_results *results;
    struct told *told; /* by cell */
};

static bool run_cell(void *context, size_t index, struct error *err)
{
    struct running *running = context;
    const struct study *study = running->evaluator.study;
    struct told *told = &running->told[index];
    struct work work = {.request = running->request,
                        .study = study,
                        .strategies = study->role[AXIS_STRATEGY]->values.count,
                        .cell = &running->results->cell[index]};
    size_t point = groups_point(&running->results->groups, index);
    if (!scenario_open(&work.scenario, &running->evaluator, point, (struct scenario_key){0}, err)) {
        return false;
    }
    scenario_costs(&work.scenario, 0, work.modes);
    work.value = alloc_zeroed(work.strategies, sizeof *work.value, "values of a sensitivity");
    work.may = alloc_zeroed(work.strategies, sizeof *work.may, "values of a sensitivity");
    bool good = run_work(&work, err);
    if (!good && err->simulation) {
        *work.cell = (struct sensitivity_cell){.a = WINNER_NONE, .b = WINNER_NONE, .failed = true};
        work.asked = false;
    }
    *told = (struct told){.undecided = work.undecided, .asked = work.asked};
    memcpy(told->chance, work.chance, sizeof told->chance);
    memcpy(told->known, work.known, sizeof told->known);
    free(work.value);
    free(work.may);
    scenario_close(&work.scenario);
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
        information[id].chance = stats_mean(chance, INFORMATION_ORDERS) / fmax(cells, 1);
        information[id].noise = stats_deviation(chance, INFORMATION_ORDERS) / fmax(cells, 1);
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
    return scenario_count_allowed(
        study, jobs, kept, own, "the sensitivity",
        "fewer --jobs, --points, draws, strategies or points of the study take less", err);
}

bool sensitivity_run(const struct study *study, const struct sensitivity_request *request,
                     struct sweep *sweep, struct store *store, struct sensitivity_results *results,
                     struct error *err)
{
    struct running running = {.request = request, .results = results};
    *results = (struct sensitivity_results){.metric = request->metric,
                                            .machines = study->role[AXIS_MACHINE]->values.count};
    groups_init(&results->groups, study, NULL, NULL);
    size_t cells = results->groups.count;
    if (!fits(study, request, cells, sweep->jobs, err)) {
        return false;
    }
    results->cell = alloc_zeroed(cells, sizeof *results->cell, "values of a sensitivity");
    results->undecided =
        alloc_zeroed(results->machines, sizeof *results->undecided, "values of a sensitivity");
    results->information =
        alloc_zeroed(results->machines, sizeof *results->information, "values of a sensitivity");
    running.told = alloc_zeroed(cells, sizeof *running.told, "values of a sensitivity");
    evaluator_open(&running.evaluator, study, sweep, store);
    bool good = sweep_passing(sweep, cells, run_cell, &running, &results->failed, err);
    evaluator_close(&running.evaluator);
    for (size_t machine = 0; good && machine < results->machines; machine++) {
        add_up(results, running.told, machine);
    }
    free(running.told);
    if (!good) {
        sensitivity_free(results);
    }
    return good;
}

void sensitivity_free(struct sensitivity_results *results)
{
    free(results->cell);
    free(results->undecided);
    free(results->information);
    *results = (struct sensitivity_results){0};
}

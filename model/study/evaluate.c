#include "study/evaluate.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/invariant.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* What the machine's costs are in a run, and what events cost with them. */
struct costs {
    double value[COSTS];
    ps_t price[EVENT_KINDS];
};

/* One strategy's run at the modes, in a list. */
struct played {
    const struct strategy *strategy;
    unsigned stratum; /* 0: at the mode; above: stratum - 1 of the draws */
    struct played *next;
    omp_lock_t lock; /* held by who plays it; others wait for what comes out */
    bool done;
    struct trial trial;
};

/* --- the study's --- */

void evaluator_open(struct evaluator *evaluator, const struct study *study, struct sweep *sweep)
{
    size_t machines = study->role[AXIS_MACHINE]->values.count;
    *evaluator = (struct evaluator){.study = study, .sweep = sweep};
    evaluator->points = alloc_zeroed(machines, sizeof *evaluator->points, "draws");
    evaluator->strata = alloc_zeroed(machines, sizeof *evaluator->strata, "draws");
}

void evaluator_close(struct evaluator *evaluator)
{
    for (size_t i = 0; i < evaluator->study->role[AXIS_MACHINE]->values.count; i++) {
        free(evaluator->points[i]);
        free(evaluator->strata[i]);
    }
    free(evaluator->points);
    free(evaluator->strata);
    evaluator->points = NULL;
    evaluator->strata = NULL;
}

/* Points of the draws depend on the machine's name alone, whatever its costs are. */
static const double (*points_of(struct scenario *scenario))[COSTS]
{
    struct evaluator *evaluator = scenario->evaluator;
    double(**points)[COSTS] = &evaluator->points[scenario->machine];
#pragma omp critical(evaluator_points)
    if (!*points) {
        struct draw_plan plan = study_draw_plan(evaluator->study);
        *points = alloc_zeroed(plan.draws, sizeof **points, "draws");
        unsigned **strata = &evaluator->strata[scenario->machine];
        *strata = alloc_zeroed(plan.draws, sizeof **strata, "draws");
        draw_strata(&plan, scenario->setup.platform.name, *strata);
        draw_points(&plan, scenario->setup.platform.name, *points);
    }
    return (const double(*)[COSTS]) * points;
}

/* --- timelines --- */

/* 0: the one at the modes; above: of a stratum. */
static unsigned stratum_of(struct scenario *scenario, size_t run)
{
    if (run == 0 || !scenario->ranged) {
        return 0;
    }
    (void)points_of(scenario);
    return 1 + scenario->evaluator->strata[scenario->machine][run - 1];
}

/* The middle of the stratum in a range whose mode is the workload's own. */
static bool build_stratum(struct scenario *scenario, unsigned stratum, struct error *err)
{
    struct workload *workload = workload_copy(scenario->setup.workload);
    double low, mode, high;
    (void)workload_range(workload, &low, &mode, &high);
    workload_in_range(workload, draw_triangle(low, mode, high, (stratum + 0.5) / DRAW_STRATA));
    bool good = workload_build(workload, &scenario->drawn[stratum], err);
    workload_free(workload);
    return good;
}

static const struct timeline *timeline_of(struct scenario *scenario, unsigned stratum,
                                          struct error *err)
{
    if (stratum == 0) {
        return &scenario->timeline;
    }
    unsigned drawn = stratum - 1;
    omp_set_lock(&scenario->lock);
    scenario->built[drawn] = scenario->built[drawn] || build_stratum(scenario, drawn, err);
    bool good = scenario->built[drawn];
    omp_unset_lock(&scenario->lock);
    return good ? &scenario->drawn[drawn] : NULL;
}

/* --- scenarios --- */

bool scenario_open(struct scenario *scenario, struct evaluator *evaluator, size_t point,
                   struct scenario_key other, struct error *err)
{
    const struct study *study = evaluator->study;
    struct source_location at = {.key = other.key};
    *scenario = (struct scenario){.evaluator = evaluator,
                                  .machine = study_digit(study->role[AXIS_MACHINE], point),
                                  .runs = 1 + study->draws};
    if (!study_setup(study, point, &scenario->setup, err)) {
        return false;
    }
    if ((other.key && !setup_set(&scenario->setup, other.key, other.text, &at, err)) ||
        !workload_build(scenario->setup.workload, &scenario->timeline, err)) {
        setup_free(&scenario->setup);
        return false;
    }
    double low, mode, high;
    scenario->ranged = workload_range(scenario->setup.workload, &low, &mode, &high);
    omp_init_lock(&scenario->lock);
    return true;
}

void scenario_close(struct scenario *scenario)
{
    struct played *next;
    for (unsigned i = 0; i < DRAW_STRATA; i++) {
        if (scenario->built[i]) {
            timeline_free(&scenario->drawn[i]);
        }
    }
    for (struct played *played = scenario->played; played; played = next) {
        next = played->next;
        omp_destroy_lock(&played->lock);
        free(played);
    }
    omp_destroy_lock(&scenario->lock);
    free(scenario->costs);
    timeline_free(&scenario->timeline);
    setup_free(&scenario->setup);
}

/* An open scenario's, its simulation aside. */
static uint64_t scenario_memory(const struct study *study)
{
    size_t strategies = study->role[AXIS_STRATEGY]->values.count;
    return (1 + study->draws) * (sizeof(struct costs) + 2 * sizeof(struct times)) +
           (strategies + 1) * (1 + DRAW_STRATA) * sizeof(struct played);
}

bool scenarios_allowed(const struct study *study, unsigned jobs, uint64_t kept, uint64_t own,
                       const char *what, const char *instead, struct error *err)
{
    uint64_t working =
        mul_checked(sweep_threads(jobs), scenario_memory(study) + own, "memory of threads");
    return alloc_allowed(add_checked(kept, working, "memory of threads"), what, instead, err);
}

void scenario_costs(struct scenario *scenario, size_t run, double costs[COSTS])
{
    if (run == 0) {
        platform_modes(&scenario->setup.platform, costs);
    } else {
        draw_at(&scenario->setup.platform, points_of(scenario)[run - 1], costs);
    }
}

static const struct costs *costs_of_runs(struct scenario *scenario)
{
    omp_set_lock(&scenario->lock);
    if (!scenario->costs) {
        scenario->costs = alloc_zeroed(scenario->runs, sizeof *scenario->costs, "draws");
        for (size_t run = 0; run < scenario->runs; run++) {
            struct costs *costs = &scenario->costs[run];
            scenario_costs(scenario, run, costs->value);
            trial_prices(&scenario->setup, costs->value, costs->price);
        }
    }
    omp_unset_lock(&scenario->lock);
    return scenario->costs;
}

/* --- one run --- */

static bool play(struct scenario *scenario, const struct strategy *strategy, unsigned stratum,
                 const double costs[COSTS], struct trial *trial, struct error *err)
{
    const struct timeline *timeline = timeline_of(scenario, stratum, err);
    struct setup setup = scenario->setup;
    setup_use(&setup, strategy);
#pragma omp atomic
    scenario->plays++;
    return timeline && trial_play(&setup, timeline, costs, trial, err);
}

/* The strategy's place in the list. */
static struct played *played_of(struct scenario *scenario, const struct strategy *strategy,
                                unsigned stratum)
{
    omp_set_lock(&scenario->lock);
    struct played *played = scenario->played;
    while (played && (played->strategy != strategy || played->stratum != stratum)) {
        played = played->next;
    }
    if (!played) {
        played = alloc_zeroed(1, sizeof *played, "runs of a scenario");
        played->strategy = strategy;
        played->stratum = stratum;
        omp_init_lock(&played->lock);
        played->next = scenario->played;
        scenario->played = played;
    }
    omp_unset_lock(&scenario->lock);
    return played;
}

static const struct trial *trial_of(struct scenario *scenario, const struct strategy *strategy,
                                    unsigned stratum, struct error *err)
{
    struct played *played = played_of(scenario, strategy, stratum);
    double modes[COSTS];
    omp_set_lock(&played->lock);
    if (!played->done) {
        platform_modes(&scenario->setup.platform, modes);
        played->done = play(scenario, strategy, stratum, modes, &played->trial, err);
    }
    bool good = played->done;
    omp_unset_lock(&played->lock);
    return good ? &played->trial : NULL;
}

const struct trial *evaluate_trial(struct scenario *scenario, const struct strategy *strategy,
                                   struct error *err)
{
    return trial_of(scenario, strategy, 0, err);
}

/* Whether pricing the strategy's run again says what `metric` needs to know (METRICS: all that
 * can be said without a run). */
static bool price_again(struct scenario *scenario, const struct trial *trial, enum metric metric,
                        const struct costs *costs, struct times *times)
{
    bool again = !scenario->evaluator->study->replay || metric != METRICS;
    if (!again || !trial_can_reprice(trial, &scenario->setup, costs->value, costs->price)) {
        return false;
    }
    trial_reprice(trial, costs->price, times);
    if (metric != METRICS && !metric_known(metric, trial, times)) {
        return false;
    }
#pragma omp atomic
    scenario->reprices++;
    return true;
}

static bool play_again(struct scenario *scenario, const struct strategy *strategy, unsigned stratum,
                       const struct costs *costs, struct times *times, struct error *err)
{
    struct trial *again = alloc_zeroed(1, sizeof *again, "runs of a scenario");
    bool good = play(scenario, strategy, stratum, costs->value, again, err);
    if (good) {
        trial_times(again, costs->price, times);
    }
    free(again);
    return good;
}

static bool same_costs(const double a[COSTS], const double b[COSTS])
{
    for (size_t id = 0; id < COSTS; id++) {
        if (a[id] != b[id]) {
            return false;
        }
    }
    return true;
}

/* A strategy's times at any costs. */
static bool times_at(struct scenario *scenario, const struct strategy *strategy, unsigned stratum,
                     enum metric metric, const struct costs *costs, struct times *times,
                     struct error *err)
{
    const struct trial *trial = trial_of(scenario, strategy, stratum, err);
    double modes[COSTS];
    if (!trial) {
        return false;
    }
    platform_modes(&scenario->setup.platform, modes);
    if (same_costs(costs->value, modes)) {
        trial_times(trial, costs->price, times);
        return true;
    }
    return price_again(scenario, trial, metric, costs, times) ||
           play_again(scenario, strategy, stratum, costs, times, err);
}

/* --- all runs --- */

/* The runs of one strategy that have to be played, shared out among threads. */
struct replay {
    struct scenario *scenario;
    const struct strategy *strategy;
    const struct costs *costs;
    size_t *run;
    struct times *times; /* [runs] */
};

static bool replay_part(void *context, size_t part, struct error *err)
{
    const struct replay *replay = context;
    size_t run = replay->run[part];
    return play_again(replay->scenario, replay->strategy, stratum_of(replay->scenario, run),
                      &replay->costs[run], &replay->times[run], err);
}

static bool runs_of(struct scenario *scenario, const struct strategy *strategy, enum metric metric,
                    struct times *times, struct error *err)
{
    const struct costs *costs = costs_of_runs(scenario);
    const struct trial *trial = evaluate_trial(scenario, strategy, err);
    if (!trial) {
        return false;
    }
    INVARIANT(memcmp(costs[0].price, trial->price, sizeof trial->price) == 0,
              "a run and pricing it again disagree on what events cost");
    struct replay replay = {scenario, strategy, costs, NULL, times};
    size_t count = 0;
    replay.run = alloc_zeroed(scenario->runs, sizeof *replay.run, "runs of a scenario");
    trial_times(trial, costs[0].price, &times[0]);
    for (size_t run = 1; run < scenario->runs && trial; run++) {
        trial = trial_of(scenario, strategy, stratum_of(scenario, run), err);
        if (trial && !price_again(scenario, trial, metric, &costs[run], &times[run])) {
            replay.run[count++] = run;
        }
    }
    bool good = trial && (count == 0 || sweep_parts(scenario->evaluator->sweep, count, replay_part,
                                                    &replay, err));
    free(replay.run);
    return good;
}

bool evaluate_runs(struct scenario *scenario, const struct strategy *strategy, struct times *times,
                   struct error *err)
{
    return runs_of(scenario, strategy, METRICS, times, err);
}

bool evaluate_verdict(struct scenario *scenario, const struct strategy *strategy,
                      struct strategy_verdict *verdict, struct error *err)
{
    const struct trial *trial = evaluate_trial(scenario, strategy, err);
    *verdict = (struct strategy_verdict){.worst = NOT_READ};
    if (!trial) {
        return false;
    }
    for (int reader = 0; reader < READERS; reader++) {
        const struct verdict *own = &trial->verdict[reader];
        verdict->worst = own->outcome > verdict->worst ? own->outcome : verdict->worst;
        verdict->conditions |= own->outcome == ONLY_IF ? own->conditions : 0;
    }
    struct setup setup = scenario->setup;
    setup_use(&setup, strategy);
    verdict->hypothetical = setup_hypothetical(&setup.platform, setup.strategy);
    return true;
}

/* --- one metric --- */

/* The value of a run. */
static bool value_of(struct scenario *scenario, const struct strategy *strategy, enum metric metric,
                     const struct times *times, const struct times *ideal, double *value,
                     struct error *err)
{
    const struct trial *trial = evaluate_trial(scenario, strategy, err);
    if (!metric_known(metric, trial, times)) {
        return error_input(err, NULL,
                           "%s is not known of %s on %s: nothing happens there that tells it",
                           metric_name[metric], strategy->name, scenario->timeline.name);
    }
    *value = metric_value(metric, trial, times, ideal);
    return true;
}

static bool metric_at(struct scenario *scenario, enum metric metric, unsigned stratum,
                      const double value[COSTS], const struct strategy *const *strategies,
                      size_t count, double *values, struct error *err)
{
    struct times ideal = {0}, times = {0};
    struct costs costs;
    memcpy(costs.value, value, sizeof costs.value);
    trial_prices(&scenario->setup, value, costs.price);
    bool good = !metric_needs_ideal(metric) ||
                times_at(scenario, &strategy_ideal, stratum, metric, &costs, &ideal, err);
    for (size_t i = 0; good && i < count; i++) {
        good = times_at(scenario, strategies[i], stratum, metric, &costs, &times, err) &&
               value_of(scenario, strategies[i], metric, &times, &ideal, &values[i], err);
    }
    return good;
}

bool evaluate_at(struct scenario *scenario, enum metric metric, const double costs[COSTS],
                 const struct strategy *const *strategies, size_t count, double *value,
                 struct error *err)
{
    return metric_at(scenario, metric, 0, costs, strategies, count, value, err);
}

bool evaluate_run(struct scenario *scenario, enum metric metric, size_t run,
                  const struct strategy *const *strategies, size_t count, double *value,
                  struct error *err)
{
    double costs[COSTS];
    scenario_costs(scenario, run, costs);
    return metric_at(scenario, metric, stratum_of(scenario, run), costs, strategies, count, value,
                     err);
}

bool evaluate_metric(struct scenario *scenario, enum metric metric,
                     const struct strategy *const *strategies, size_t count, double *value,
                     struct error *err)
{
    struct times *ideal = alloc_zeroed(scenario->runs, sizeof *ideal, "runs of a scenario");
    struct times *times = alloc_zeroed(scenario->runs, sizeof *times, "runs of a scenario");
    bool good =
        !metric_needs_ideal(metric) || runs_of(scenario, &strategy_ideal, metric, ideal, err);
    for (size_t i = 0; good && i < count; i++) {
        good = runs_of(scenario, strategies[i], metric, times, err);
        for (size_t run = 0; good && run < scenario->runs; run++) {
            good = value_of(scenario, strategies[i], metric, &times[run], &ideal[run],
                            &value[i * scenario->runs + run], err);
        }
    }
    free(times);
    free(ideal);
    return good;
}

enum metric evaluate_difference(enum metric metric)
{
    return metric == METRIC_added_boot_ns ? METRIC_window_ns : metric;
}

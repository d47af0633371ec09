#include "study/spot.h"

#include "core/alloc.h"
#include "study/draws.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

struct spot_lane {
    bool played;
    struct trial trial; /* at the modes */
    uint64_t count[EVENT_KINDS]; /* in the window, at all sites */
    /* The last run that could not be priced again, and for which costs. */
    bool kept;
    double kept_for[COSTS];
    struct times kept_times;
};

/* --- memory --- */

/* Of each open place, its simulation aside. */
static uint64_t spot_memory(const struct study *study)
{
    size_t strategies = study->role[AXIS_STRATEGY]->values.count;
    return (1 + study->draws) * COSTS * sizeof(double) +
           (strategies + 1) * sizeof(struct spot_lane);
}

void spots_progress(progress_fn progress, size_t *done, size_t total)
{
#pragma omp critical(spots_progress)
    {
        ++*done;
        if (progress) {
            progress(*done, total);
        }
    }
}

bool spots_allowed(const struct study *study, unsigned jobs, uint64_t kept, uint64_t own,
                   const char *what, const char *instead, struct error *err)
{
    uint64_t threads = jobs ? jobs : (unsigned)omp_get_num_procs();
    uint64_t working = mul_checked(threads, spot_memory(study) + own, "memory of threads");
    return alloc_allowed(add_checked(kept, working, "memory of threads"), what, instead, err);
}

/* --- opening --- */

static void fill_values(struct spot *spot)
{
    const struct study *study = spot->study;
    struct draw_plan draws = {.seed = study->seed,
                              .draws = study->draws,
                              .shifts = study->shifts,
                              .sequence = study->sequence};
    spot->values = alloc_zeroed(spot->runs, sizeof *spot->values, "values of a place");
    platform_modes(&spot->setup.platform, spot->values[0]);
    draw_costs(&draws, &spot->setup.platform, spot->values + 1);
}

bool spot_open(struct spot *spot, const struct study *study, size_t point, struct spot_key other,
               struct error *err)
{
    struct source_location at = {.key = other.key};
    *spot = (struct spot){.study = study,
                          .runs = 1 + study->draws,
                          .strategies = study->role[AXIS_STRATEGY]->values.count};
    if (!study_setup(study, point, &spot->setup, err)) {
        return false;
    }
    if ((other.key && !setup_set(&spot->setup, other.key, other.text, &at, err)) ||
        !workload_build(spot->setup.workload, &spot->timeline, err)) {
        setup_free(&spot->setup);
        return false;
    }
    fill_values(spot);
    spot->lanes = alloc_zeroed(spot->strategies + 1, sizeof *spot->lanes, "values of a place");
    return true;
}

void spot_close(struct spot *spot)
{
    free(spot->lanes);
    free(spot->values);
    timeline_free(&spot->timeline);
    setup_free(&spot->setup);
}

/* --- one strategy --- */

static void use_strategy(struct spot *spot, size_t strategy)
{
    setup_use(&spot->setup,
              strategy == spot->strategies ? &strategy_ideal : spot->study->strategies[strategy]);
}

static bool play_lane(struct spot *spot, size_t strategy, struct error *err)
{
    struct spot_lane *lane = &spot->lanes[strategy];
    use_strategy(spot, strategy);
    if (lane->played) {
        return true;
    }
    if (!trial_play(&spot->setup, &spot->timeline, spot->values[0], &lane->trial, err)) {
        return false;
    }
    for (size_t i = 0; i < TRIAL_CELLS; i++) {
        lane->count[i % EVENT_KINDS] += lane->trial.window[i];
    }
    lane->played = true;
    return true;
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

/* The run at costs at which it cannot be priced again. */
static bool play_again(struct spot *spot, struct spot_lane *lane, const double costs[COSTS],
                       const ps_t price[EVENT_KINDS], struct error *err)
{
    struct trial *again = alloc_zeroed(1, sizeof *again, "values of a place");
    if (lane->kept && same_costs(lane->kept_for, costs)) {
        free(again);
        return true;
    }
    bool good = trial_play(&spot->setup, &spot->timeline, costs, again, err);
    if (good) {
        trial_times(again, price, &lane->kept_times);
        memcpy(lane->kept_for, costs, sizeof lane->kept_for);
        lane->kept = true;
    }
    free(again);
    return good;
}

static bool costs_are_modes(const struct spot *spot, const double costs[COSTS])
{
    return same_costs(costs, spot->values[0]);
}

static ps_t sum_of(const struct spot_lane *lane, const ps_t price[EVENT_KINDS])
{
    ps_t sum = 0;
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        if (lane->count[kind] > 0) {
            ps_t time = mul_checked(lane->count[kind], price[kind], "simulated time");
            sum = add_checked(sum, time, "simulated time");
        }
    }
    return sum;
}

/* The strategy's times at these costs; only the sums where that is enough. */
static bool lane_times(struct spot *spot, size_t strategy, enum metric metric,
                       const double costs[COSTS], const ps_t price[EVENT_KINDS],
                       struct times *times, struct error *err)
{
    struct spot_lane *lane = &spot->lanes[strategy];
    if (!play_lane(spot, strategy, err)) {
        return false;
    }
    if (trial_can_reprice(&lane->trial, &spot->setup, costs, price)) {
        if (metric_is_sum(metric)) {
            times->window_ps = times->cpu_ps = sum_of(lane, price);
            return true;
        }
        trial_reprice(&lane->trial, price, times);
        if (metric_known(metric, &lane->trial, times)) {
            return true;
        }
    }
    if (costs_are_modes(spot, costs)) {
        trial_times(&lane->trial, price, times);
        return true;
    }
    bool good = play_again(spot, lane, costs, price, err);
    *times = lane->kept_times;
    return good;
}

/* --- several --- */

static bool not_known(const struct spot *spot, enum metric metric, struct error *err)
{
    return error_input(err, NULL,
                       "%s is not known of %s on %s: nothing happens there that tells it",
                       metric_name[metric], spot->setup.strategy->name, spot->timeline.name);
}

bool spot_values(struct spot *spot, enum metric metric, const double costs[COSTS],
                 const bool *wanted, double *value, struct error *err)
{
    ps_t price[EVENT_KINDS];
    struct times ideal = {0}, times = {0};
    trial_prices(&spot->setup, &spot->timeline, costs, price);
    if (metric_needs_ideal(metric) &&
        !lane_times(spot, spot->strategies, metric, costs, price, &ideal, err)) {
        return false;
    }
    for (size_t s = 0; s < spot->strategies; s++) {
        if (wanted && !wanted[s]) {
            continue;
        }
        if (!lane_times(spot, s, metric, costs, price, &times, err)) {
            return false;
        }
        if (!metric_known(metric, &spot->lanes[s].trial, &times)) {
            return not_known(spot, metric, err);
        }
        value[s] = metric_value(metric, &spot->lanes[s].trial, &times, &ideal);
    }
    return true;
}

bool spot_verdict(struct spot *spot, size_t strategy, struct spot_verdict *verdict,
                  struct error *err)
{
    *verdict = (struct spot_verdict){.worst = NOT_READ};
    if (!play_lane(spot, strategy, err)) {
        return false;
    }
    const struct verdict *readers = spot->lanes[strategy].trial.verdict;
    for (int reader = 0; reader < READERS; reader++) {
        enum outcome outcome = readers[reader].outcome;
        verdict->worst = outcome > verdict->worst ? outcome : verdict->worst;
        verdict->conditions |= outcome == ONLY_IF ? readers[reader].conditions : 0;
    }
    verdict->hypothetical = setup_hypothetical(&spot->setup.platform, spot->setup.strategy);
    return true;
}

enum metric spot_difference_metric(enum metric metric)
{
    return metric == METRIC_added_boot_ns ? METRIC_window_ns : metric;
}

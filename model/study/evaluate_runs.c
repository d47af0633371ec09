/* All runs of a strategy: priced again, played, or fitted to those that were played. */
#include "core/alloc.h"
#include "study/draw_fit.h"
#include "study/evaluate_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- playing --- */

/* Runs of one strategy that have to be played, shared out among threads. */
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
    return evaluate_play_again(replay->scenario, replay->strategy,
                               scenario_stratum(replay->scenario, run), &replay->costs[run],
                               &replay->times[run], err);
}

/* `count` of the runs, from `first` on. */
static bool play_runs(const struct replay *replay, size_t first, size_t count, struct error *err)
{
    struct replay some = *replay;
    some.run += first;
    return count == 0 ||
           sweep_parts(replay->scenario->evaluator->sweep, count, replay_part, &some, err);
}

/* --- fitting --- */

/* How far a fit may be off, each value by the fit to the others, for the rest to be fitted: a share
 * of what the draws differ by, and of what they come to. */
#define OFF_SPREAD 0.2
#define OFF_VALUE 0.03

/* So many draws are played before, at least. */
#define DRAWS_MIN 8

struct fitting {
    struct replay *replay;
    struct draw_fit fit,
        above; /* of all that it takes, and of what that is above the yardstick's */
    bool *known; /* [runs]: played */
    double *window, *cpu, *ideal_window, *ideal_cpu, *miss; /* [runs] */
};

static bool fitting_open(struct fitting *fitting, struct replay *replay, const struct times *ideal,
                         struct error *err)
{
    struct scenario *scenario = replay->scenario;
    size_t runs = scenario->runs;
    struct draw_fit_run *run = alloc_zeroed(runs, sizeof *run, "values of a fit");
    bool good = true;
    *fitting = (struct fitting){
        .replay = replay,
        .known = alloc_zeroed(runs, sizeof *fitting->known, "values of a fit"),
        .window = alloc_zeroed(runs, sizeof *fitting->window, "values of a fit"),
        .cpu = alloc_zeroed(runs, sizeof *fitting->cpu, "values of a fit"),
        .ideal_window = alloc_zeroed(runs, sizeof *fitting->ideal_window, "values of a fit"),
        .ideal_cpu = alloc_zeroed(runs, sizeof *fitting->ideal_cpu, "values of a fit"),
        .miss = alloc_zeroed(runs, sizeof *fitting->miss, "values of a fit"),
    };
    for (size_t i = 0; good && i < runs; i++) {
        unsigned stratum = scenario_stratum(scenario, i);
        fitting->ideal_window[i] = (double)ideal[i].window_ps;
        fitting->ideal_cpu[i] = (double)ideal[i].cpu_ps;
        run[i] = (struct draw_fit_run){
            .trial = evaluate_stratum(scenario, replay->strategy, stratum, err),
            .costs = replay->costs[i].value,
            .price = replay->costs[i].price,
            .stratum = stratum,
            .late = scenario->late[stratum],
        };
        good = run[i].trial != NULL;
    }
    if (good) {
        draw_fit_open(&fitting->fit, run, runs);
    }
    for (size_t i = 0; good && i < runs; i++) {
        run[i].less = evaluate_stratum(scenario, &strategy_ideal, run[i].stratum, err);
        good = run[i].less != NULL;
    }
    if (good) {
        draw_fit_open(&fitting->above, run, runs);
    }
    free(run);
    return good;
}

static void fitting_close(struct fitting *fitting)
{
    draw_fit_close(&fitting->fit);
    draw_fit_close(&fitting->above);
    free(fitting->known);
    free(fitting->window);
    free(fitting->cpu);
    free(fitting->ideal_window);
    free(fitting->ideal_cpu);
    free(fitting->miss);
}

/* What the runs that were played differ by, and what they come to. */
struct spread_of {
    double mean, deviation;
};

static struct spread_of spread_of(const struct fitting *fitting, const double *value,
                                  const double *less)
{
    double sum = 0, squares = 0, n = 0;
    for (size_t i = 0; i < fitting->fit.runs; i++) {
        n += fitting->known[i];
        sum += fitting->known[i] ? value[i] - (less ? less[i] : 0) : 0;
    }
    for (size_t i = 0; i < fitting->fit.runs; i++) {
        double off = value[i] - (less ? less[i] : 0) - sum / n;
        squares += fitting->known[i] ? off * off : 0;
    }
    return (struct spread_of){sum / n, sqrt(squares / (n - 1))};
}

/* The root of the mean square of what a fit misses. */
static double missed(const struct fitting *fitting)
{
    double squares = 0, n = 0;
    for (size_t i = 0; i < fitting->fit.runs; i++) {
        n += fitting->known[i];
        squares += fitting->known[i] ? fitting->miss[i] * fitting->miss[i] : 0;
    }
    return sqrt(squares / n);
}

/* Fits a time, or what it is above the yardstick's, whichever misses less. Returns whether that is
 * little beside what the runs that were played differ by and come to; `added`: above the
 * yardstick, too. */
static bool fit_time(struct fitting *fitting, double *value, const double *ideal, bool added)
{
    size_t runs = fitting->fit.runs;
    double *above = alloc_zeroed(runs, sizeof *above, "values of a fit");
    for (size_t i = 0; i < runs; i++) {
        above[i] = value[i] - ideal[i];
    }
    draw_fit_values(&fitting->fit, fitting->known, value, fitting->miss);
    double off = missed(fitting);
    draw_fit_values(&fitting->above, fitting->known, above, fitting->miss);
    if (missed(fitting) < off) {
        off = missed(fitting);
        for (size_t i = 0; i < runs; i++) {
            value[i] = fitting->known[i] ? value[i] : ideal[i] + above[i];
        }
    }
    free(above);
    bool near = true;
    for (int less = 0; less <= added; less++) {
        struct spread_of own = spread_of(fitting, value, less ? ideal : NULL);
        near = near && off <= OFF_SPREAD * own.deviation && off <= OFF_VALUE * fabs(own.mean);
    }
    return near;
}

/* What the events of a run's timeline take at its prices. */
static void fill_fitted(struct fitting *fitting, size_t run, const struct trial *trial)
{
    const struct replay *replay = fitting->replay;
    struct times *times = &replay->times[run];
    trial_reprice(trial, replay->costs[run].price, NULL, times);
    times->window_ps = (ps_t)fmax(0, fitting->window[run]);
    times->cpu_ps = (ps_t)fmax(0, fitting->cpu[run]);
    times->priced = false;
    times->fitted = true;
}

/* Fits what was not played where the fit is near, which `done` says. */
static bool fit_rest(struct fitting *fitting, bool *done, struct error *err)
{
    const struct replay *replay = fitting->replay;
    struct scenario *scenario = replay->scenario;
    for (size_t i = 0; i < scenario->runs; i++) {
        fitting->window[i] = (double)replay->times[i].window_ps;
        fitting->cpu[i] = (double)replay->times[i].cpu_ps;
    }
    *done = fit_time(fitting, fitting->window, fitting->ideal_window, true) &&
            fit_time(fitting, fitting->cpu, fitting->ideal_cpu, false);
    for (size_t i = 0; *done && i < scenario->runs; i++) {
        const struct trial *trial = NULL;
        if (!fitting->known[i]) {
            trial =
                evaluate_stratum(scenario, replay->strategy, scenario_stratum(scenario, i), err);
            if (!trial) {
                return false;
            }
            fill_fitted(fitting, i, trial);
        }
    }
    return true;
}

/* Draws that are played before there is a fit: whole shifts. */
static size_t first_draws(const struct study *study)
{
    size_t each = study->draws / study->shifts;
    size_t least = study->draws_min > DRAWS_MIN ? study->draws_min : DRAWS_MIN;
    return (least + each - 1) / each * each;
}

/* The first run of each timeline is played in any case. */
static bool play_first_of_timelines(struct fitting *fitting, struct error *err)
{
    const struct replay *replay = fitting->replay;
    struct scenario *scenario = replay->scenario;
    bool has[1 + DRAW_STRATA] = {true}, good = true;
    fitting->known[0] = true;
    for (size_t run = 1; good && run < scenario->runs; run++) {
        unsigned stratum = scenario_stratum(scenario, run);
        if (!has[stratum]) {
            has[stratum] = fitting->known[run] = true;
            good = evaluate_play_again(scenario, replay->strategy, stratum, &replay->costs[run],
                                       &replay->times[run], err);
        }
    }
    return good;
}

/* Plays one shift after the other, until a fit to them foresees the others. */
static bool play_by_shifts(struct replay *replay, const struct times *ideal, struct error *err)
{
    const struct study *study = replay->scenario->evaluator->study;
    size_t each = study->draws / study->shifts, played = 0;
    struct fitting fitting;
    bool done = false;
    bool good =
        fitting_open(&fitting, replay, ideal, err) && play_first_of_timelines(&fitting, err);
    while (good && !done && played < study->draws) {
        size_t next = played > 0 ? played + each : first_draws(study);
        next = next < study->draws ? next : study->draws;
        good = play_runs(replay, played, next - played, err);
        for (; played < next; played++) {
            fitting.known[1 + played] = true;
        }
        good = good && (played == study->draws || fit_rest(&fitting, &done, err));
    }
    fitting_close(&fitting);
    return good;
}

/* The yardstick's times, which are made once. NULL with a line. */
static const struct times *ideal_runs(struct scenario *scenario, struct error *err)
{
    omp_set_lock(&scenario->lock);
    struct times *ideal = scenario->ideal;
    omp_unset_lock(&scenario->lock);
    if (ideal) {
        return ideal;
    }
    ideal = alloc_zeroed(scenario->runs, sizeof *ideal, "runs of a scenario");
    if (!evaluate_runs(scenario, &strategy_ideal, TAILS_NONE, ideal, err)) {
        free(ideal);
        return NULL;
    }
    omp_set_lock(&scenario->lock);
    if (scenario->ideal) {
        free(ideal);
    } else {
        scenario->ideal = ideal;
    }
    ideal = scenario->ideal;
    omp_unset_lock(&scenario->lock);
    return ideal;
}

/* --- all of them --- */

/* Only of a time is there a fit, and the yardstick is what others are held against. */
static bool may_be_fitted(const struct scenario *scenario, const struct strategy *strategy,
                          enum tails_asked tails, size_t to_play)
{
    const struct study *study = scenario->evaluator->study;
    return study->draws_min > 0 && study->draws_min < study->draws && DRAWS_MIN < study->draws &&
           to_play == study->draws && strategy != &strategy_ideal && tails != TAILS_ALL &&
           !scenario->evaluator->tails;
}

bool evaluate_runs(struct scenario *scenario, const struct strategy *strategy,
                   enum tails_asked tails, struct times *times, struct error *err)
{
    const struct costs *costs = evaluate_costs(scenario);
    const struct trial *trial = evaluate_trial(scenario, strategy, err);
    if (!trial) {
        return false;
    }
    struct replay replay = {scenario, strategy, costs, NULL, times};
    size_t count = 0;
    struct histogram stalls;
    replay.run = alloc_zeroed(scenario->runs, sizeof *replay.run, "runs of a scenario");
    histogram_init(&stalls);
    trial_times(trial, costs[0].price, &times[0]);
    for (size_t run = 1; run < scenario->runs && trial; run++) {
        trial = evaluate_stratum(scenario, strategy, scenario_stratum(scenario, run), err);
        if (trial && !evaluate_price_again(scenario, trial, &costs[run],
                                           tails == TAILS_NONE ? NULL : &stalls, &times[run])) {
            replay.run[count++] = run;
        }
    }
    histogram_free(&stalls);
    bool good = trial != NULL;
    if (good && may_be_fitted(scenario, strategy, tails, count)) {
        const struct times *ideal = ideal_runs(scenario, err);
        good = ideal && play_by_shifts(&replay, ideal, err);
    } else {
        good = good && play_runs(&replay, 0, count, err);
    }
    free(replay.run);
    return good;
}

size_t evaluate_plays(struct scenario *scenario, const struct strategy *strategy)
{
    const struct study *study = scenario->evaluator->study;
    if (!may_be_fitted(scenario, strategy, TAILS_NONE, study->draws)) {
        return scenario->runs;
    }
    size_t first = first_draws(study), plays = 0;
    bool has[1 + DRAW_STRATA] = {false};
    for (size_t run = 0; run < scenario->runs; run++) {
        unsigned stratum = scenario_stratum(scenario, run);
        plays += run <= first || !has[stratum];
        has[stratum] = true;
    }
    return plays;
}

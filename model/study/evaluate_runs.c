/* All runs of a strategy: priced again, played, or fitted to those that were played. */
#include "core/alloc.h"
#include "core/units.h"
#include "kvm/kernel_change.h"
#include "study/draw_fit.h"
#include "study/evaluate_parts.h"

#include <math.h>
#include <stddef.h>
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

static bool play_runs(struct replay *replay, size_t count, struct error *err)
{
    return count == 0 ||
           sweep_parts(replay->scenario->evaluator->sweep, count, replay_part, replay, err);
}

/* --- fitting --- */

/* How far a fit may be off, each value by the fit to the others, for the rest to be fitted: a share
 * of what the draws differ by, and of what they come to. */
#define OFF_SPREAD 0.2
#define OFF_VALUE 0.03

/* So many draws are played before, at least, */
#define DRAWS_MIN 8

/* or so few, where the fit is off by this share of that. */
#define DRAWS_FEW 3
#define OFF_FEW 0.1

/* What others are fitted to has to be nearer by this share. */
#define OFF_REFERENCE 0.8

/* A strategy is fitted to the yardstick, and to one more. */
#define REFERENCES_MAX 2

/* Times that others are fitted to. */
struct reference {
    const struct strategy *strategy;
    const struct times *times; /* [runs] */
};

struct fitting {
    struct replay *replay;
    struct draw_fit fit; /* of all that it takes, */
    struct draw_fit above[REFERENCES_MAX]; /* and of what that is above each reference's */
    struct reference reference[REFERENCES_MAX]; /* the first one is the yardstick */
    size_t references;
    bool of_others; /* others are fitted to what is fitted here */
    bool *known; /* [runs]: played */
    double *window, *cpu, *miss; /* [runs] */
};

/* Of what the strategy takes above the reference's; NULL: of all that it takes. Events are counted
 * at the modes for all runs: those that are played must be alike to those that are not. */
static bool open_fit(const struct fitting *fitting, const struct reference *reference,
                     struct draw_fit *fit, struct error *err)
{
    const struct replay *replay = fitting->replay;
    struct scenario *scenario = replay->scenario;
    const struct trial *trial = evaluate_trial(scenario, replay->strategy, err), *less = NULL;
    if (trial && reference) {
        less = evaluate_trial(scenario, reference->strategy, err);
    }
    if (!trial || (reference && !less)) {
        return false;
    }
    struct draw_fit_run *run = alloc_zeroed(scenario->runs, sizeof *run, "values of a fit");
    for (size_t i = 0; i < scenario->runs; i++) {
        unsigned stratum = scenario_stratum(scenario, i);
        run[i] = (struct draw_fit_run){
            .trial = trial,
            .less = less,
            .costs = replay->costs[i].value,
            .price = replay->costs[i].price,
            .stratum = stratum,
            .late = scenario->late[stratum],
        };
    }
    draw_fit_open(fit, run, scenario->runs);
    free(run);
    return true;
}

static bool fitting_open(struct fitting *fitting, struct replay *replay, struct error *err)
{
    size_t runs = replay->scenario->runs;
    *fitting = (struct fitting){
        .replay = replay,
        .known = alloc_zeroed(runs, sizeof *fitting->known, "values of a fit"),
        .window = alloc_zeroed(runs, sizeof *fitting->window, "values of a fit"),
        .cpu = alloc_zeroed(runs, sizeof *fitting->cpu, "values of a fit"),
        .miss = alloc_zeroed(runs, sizeof *fitting->miss, "values of a fit"),
    };
    fitting->known[0] = true;
    return open_fit(fitting, NULL, &fitting->fit, err);
}

static void fitting_close(struct fitting *fitting)
{
    draw_fit_close(&fitting->fit);
    for (size_t i = 0; i < fitting->references; i++) {
        draw_fit_close(&fitting->above[i]);
    }
    free(fitting->known);
    free(fitting->window);
    free(fitting->cpu);
    free(fitting->miss);
}

/* One time of each run, and what a fit misses of it. */
struct time_of {
    size_t ps, off_ps; /* offsets in struct times */
    bool added; /* what it is above the yardstick's counts, too */
};

static const struct time_of window_of = {offsetof(struct times, window_ps),
                                         offsetof(struct times, window_off_ps), true};
static const struct time_of cpu_of = {offsetof(struct times, cpu_ps),
                                      offsetof(struct times, cpu_off_ps), false};

static double time_ps(const struct times *times, const struct time_of *of)
{
    return (double)*(const ps_t *)((const char *)times + of->ps);
}

static double off_ps(const struct times *times, const struct time_of *of)
{
    return *(const double *)((const char *)times + of->off_ps);
}

/* What the runs that were played differ by, and what they come to. */
struct spread_of {
    double mean, deviation;
};

/* `less` NULL: of all that it takes; else above these times. */
static struct spread_of spread_of(const struct fitting *fitting, const double *value,
                                  const struct times *less, const struct time_of *of)
{
    double sum = 0, squares = 0, n = 0;
    for (size_t i = 0; i < fitting->fit.runs; i++) {
        n += fitting->known[i];
        sum += fitting->known[i] ? value[i] - (less ? time_ps(&less[i], of) : 0) : 0;
    }
    for (size_t i = 0; i < fitting->fit.runs; i++) {
        double off = value[i] - (less ? time_ps(&less[i], of) : 0) - sum / n;
        squares += fitting->known[i] ? off * off : 0;
    }
    return (struct spread_of){sum / n, sqrt(squares / (n - 1))};
}

/* What a fit misses: of the draws that were played, and of those that were not. */
struct missed {
    double played, fitted;
};

/* The root of the mean square: the events of the run at the modes are its own, which is why that
 * does not count. What it is fitted to may be off as well. */
static struct missed missed(const struct fitting *fitting, const struct times *base,
                            const struct time_of *of)
{
    double squares = 0, n = 0, off = 0;
    for (size_t i = 1; i < fitting->fit.runs; i++) {
        n += fitting->known[i];
        squares += fitting->known[i] ? fitting->miss[i] * fitting->miss[i] : 0;
        off = base && base[i].fitted ? off_ps(&base[i], of) : off;
    }
    return (struct missed){sqrt(squares / n), sqrt(squares / n + off * off)};
}

/* Fits a time, or what it is above a reference's, whichever misses least. */
static struct missed fit_nearest(struct fitting *fitting, double *value, const struct time_of *of)
{
    size_t runs = fitting->fit.runs;
    double *above = alloc_zeroed(runs, sizeof *above, "values of a fit");
    draw_fit_values(&fitting->fit, fitting->known, value, fitting->miss);
    struct missed nearest = missed(fitting, NULL, of);
    for (size_t k = 0; k < fitting->references; k++) {
        const struct times *base = fitting->reference[k].times;
        for (size_t i = 0; i < runs; i++) {
            above[i] = fitting->known[i] ? value[i] - time_ps(&base[i], of) : 0;
        }
        draw_fit_values(&fitting->above[k], fitting->known, above, fitting->miss);
        struct missed own = missed(fitting, base, of);
        if (own.fitted >= nearest.fitted) {
            continue;
        }
        nearest = own;
        for (size_t i = 0; i < runs; i++) {
            value[i] = fitting->known[i] ? value[i] : time_ps(&base[i], of) + above[i];
        }
    }
    free(above);
    return nearest;
}

/* Fits a time, and says in `off` what that misses. Returns whether that is at most what is allowed
 * beside what the runs that were played differ by and come to, and of the draws that were played
 * such a share of it. */
static bool fit_time(struct fitting *fitting, double *value, const struct time_of *of, double share,
                     double *off)
{
    struct missed miss = fit_nearest(fitting, value, of);
    double allowed = fitting->of_others ? OFF_REFERENCE : 1;
    bool near = true;
    *off = miss.fitted;
    for (int less = 0; less <= of->added; less++) {
        const struct times *base = less ? fitting->reference[0].times : NULL;
        struct spread_of own = spread_of(fitting, value, base, of);
        double max = fmin(OFF_SPREAD * own.deviation, OFF_VALUE * fabs(own.mean));
        near = near && miss.played <= share * max && miss.fitted <= allowed * max;
    }
    return near;
}

/* Fits what was not played where the fit is near, by such a share of what is allowed, which `done`
 * says. Parts of a time are what the events of the run at the modes take at a run's prices. */
static bool fit_rest(struct fitting *fitting, double share, bool *done, struct error *err)
{
    const struct replay *replay = fitting->replay;
    struct scenario *scenario = replay->scenario;
    double window_off, cpu_off;
    for (size_t i = 0; i < scenario->runs; i++) {
        fitting->window[i] = (double)replay->times[i].window_ps;
        fitting->cpu[i] = (double)replay->times[i].cpu_ps;
    }
    *done = fit_time(fitting, fitting->window, &window_of, share, &window_off) &&
            fit_time(fitting, fitting->cpu, &cpu_of, share, &cpu_off);
    const struct trial *trial = evaluate_trial(scenario, replay->strategy, err);
    for (size_t i = 0; trial && *done && i < scenario->runs; i++) {
        struct times *times = &replay->times[i];
        if (fitting->known[i]) {
            continue;
        }
        trial_reprice(trial, replay->costs[i].price, NULL, times);
        times->window_ps = (ps_t)fmax(0, fitting->window[i]);
        times->cpu_ps = (ps_t)fmax(0, fitting->cpu[i]);
        times->priced = false;
        times->fitted = true;
        times->window_off_ps = window_off;
        times->cpu_off_ps = cpu_off;
    }
    return trial != NULL;
}

/* Draws that are played before there is a fit: whole shifts. */
static size_t first_draws(const struct study *study)
{
    size_t each = study->draws / study->shifts;
    size_t min = study->draws_min > DRAWS_MIN ? study->draws_min : DRAWS_MIN;
    return (min + each - 1) / each * each;
}

/* Plays those of the first draws up to `draws` that were not. */
static bool play_first(const struct fitting *fitting, size_t draws, struct error *err)
{
    struct replay some = *fitting->replay;
    size_t count = 0;
    some.run = alloc_zeroed(draws, sizeof *some.run, "values of a fit");
    for (size_t run = 1; run <= draws; run++) {
        if (!fitting->known[run]) {
            some.run[count++] = run;
            fitting->known[run] = true;
        }
    }
    bool good = play_runs(&some, count, err);
    free(some.run);
    return good;
}

/* The times of a reference, which are made once. NULL with a line. */
static const struct times *whole_runs(struct scenario *scenario, size_t reference,
                                      const struct strategy *strategy, struct error *err)
{
    pthread_mutex_lock(&scenario->lock);
    struct times *whole = scenario->whole[reference];
    pthread_mutex_unlock(&scenario->lock);
    if (whole) {
        return whole;
    }
    whole = alloc_zeroed(scenario->runs, sizeof *whole, "runs of a scenario");
    if (!evaluate_runs(scenario, strategy, TAILS_NONE, whole, err)) {
        free(whole);
        return NULL;
    }
    pthread_mutex_lock(&scenario->lock);
    if (scenario->whole[reference]) {
        free(whole);
    } else {
        scenario->whole[reference] = whole;
    }
    whole = scenario->whole[reference];
    pthread_mutex_unlock(&scenario->lock);
    return whole;
}

/* Where what it would be fitted to cannot go on there, a strategy may all the same. */
static bool add_reference(struct fitting *fitting, size_t which, struct error *err)
{
    struct scenario *scenario = fitting->replay->scenario;
    struct reference reference = {.strategy =
                                      which == 0 ? &strategy_ideal : &scenario->reference[which]};
    reference.times = whole_runs(scenario, which, reference.strategy, err);
    if (!reference.times) {
        return which > 0 && err->simulation;
    }
    size_t at = fitting->references;
    if (!open_fit(fitting, &reference, &fitting->above[at], err)) {
        return false;
    }
    fitting->reference[at] = reference;
    fitting->references++;
    return true;
}

/* Plays few draws, then one shift after the other, until a fit to them foresees the others; that to
 * a reference is looked at where the yardstick does not do. */
static bool play_until_fitted(struct fitting *fitting, size_t reference, struct error *err)
{
    const struct study *study = fitting->replay->scenario->evaluator->study;
    size_t each = study->draws / study->shifts, played = first_draws(study);
    bool done = false;
    bool good = add_reference(fitting, 0, err) && play_first(fitting, DRAWS_FEW, err) &&
                fit_rest(fitting, OFF_FEW, &done, err);
    if (good && !done && !fitting->of_others) {
        good = add_reference(fitting, reference, err) && fit_rest(fitting, OFF_FEW, &done, err);
    }
    for (; good && !done && played < study->draws; played += each) {
        good = play_first(fitting, played, err) && fit_rest(fitting, 1, &done, err);
    }
    return good && (done || play_first(fitting, study->draws, err));
}

/* What a strategy may be fitted to beside the yardstick. */
static size_t reference_of(const struct strategy *strategy)
{
    return strategy->toggle == TOGGLE_EVERY ? 1 : 2;
}

/* Whether it is that itself, whatever it is called. */
static bool is_reference(const struct scenario *scenario, const struct strategy *strategy)
{
    const struct strategy *reference = &scenario->reference[reference_of(strategy)];
    return kernel_changes(reference, strategy, NULL) == 0;
}

bool evaluate_fits(const struct scenario *scenario)
{
    const struct study *study = scenario->evaluator->study;
    return study->draws_min > 0 && study->draws_min < study->draws && DRAWS_MIN < study->draws &&
           !scenario->evaluator->tails;
}

/* Only of a time is there a fit, and there is something to fit to. */
static bool may_be_fitted(struct scenario *scenario, const struct strategy *strategy,
                          const struct trial *trial, enum tails_asked tails)
{
    return evaluate_fits(scenario) && !trial_is_for_all_costs(trial) &&
           strategy != &strategy_ideal && tails != TAILS_ALL;
}

static bool fit_runs(struct replay *replay, struct error *err)
{
    struct fitting fitting;
    bool good = fitting_open(&fitting, replay, err);
    fitting.of_others = is_reference(replay->scenario, replay->strategy);
    good = good && play_until_fitted(&fitting, reference_of(replay->strategy), err);
    fitting_close(&fitting);
    return good;
}

/* Whether what is priced of such a run must tell its tail. Where only what is known of tails is
 * asked for, a run without one is not played for it. */
static bool wants_tail(enum tails_asked tails, const struct trial *trial)
{
    switch (tails) {
    case TAILS_NONE:
        return false;
    case TAILS_KNOWN:
        return trial->has_tails;
    case TAILS_ALL:
        return true;
    }
    return false;
}

/* Prices runs again, and plays where that does not tell. */
static bool price_or_play(struct replay *replay, enum tails_asked tails, struct error *err)
{
    struct scenario *scenario = replay->scenario;
    const struct strategy *strategy = replay->strategy;
    size_t count = 0;
    bool good = true;
    struct histogram stalls;
    replay->run = alloc_zeroed(scenario->runs, sizeof *replay->run, "runs of a scenario");
    histogram_init(&stalls);
    for (size_t run = 1; run < scenario->runs && good; run++) {
        const struct trial *trial =
            evaluate_stratum(scenario, strategy, scenario_stratum(scenario, run), err);
        good = trial != NULL;
        if (good &&
            !evaluate_price_again(scenario, trial, &replay->costs[run],
                                  wants_tail(tails, trial) ? &stalls : NULL, &replay->times[run])) {
            replay->run[count++] = run;
        }
    }
    histogram_free(&stalls);
    good = good && play_runs(replay, count, err);
    free(replay->run);
    return good;
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
    trial_times(trial, costs[0].price, &times[0]);
    return may_be_fitted(scenario, strategy, trial, tails) ? fit_runs(&replay, err)
                                                           : price_or_play(&replay, tails, err);
}

bool evaluate_fit_rest(struct scenario *scenario, const struct strategy *strategy, double *value,
                       struct error *err)
{
    struct replay replay = {scenario, strategy, evaluate_costs(scenario), NULL, NULL};
    struct fitting fitting;
    bool good = fitting_open(&fitting, &replay, err);
    if (good) {
        for (size_t run = 0; run < scenario->runs; run++) {
            fitting.known[run] = !isnan(value[run]);
        }
        draw_fit_values(&fitting.fit, fitting.known, value, fitting.miss);
    }
    fitting_close(&fitting);
    return good;
}

/* Whether the study has it, or none that would be fitted to it. */
static bool is_announced(struct scenario *scenario, size_t reference)
{
    const struct study *study = scenario->evaluator->study;
    bool has = false, asked = false;
    for (size_t s = 0; s < study->role[AXIS_STRATEGY]->values.count; s++) {
        const struct strategy *strategy = study->strategies[s];
        bool its = reference_of(strategy) == reference;
        has |= its && is_reference(scenario, strategy);
        asked |= its && strategy->reinit_unmap != UNMAP_NONE;
    }
    return has || !asked;
}

/* What others are fitted to is seldom near enough before all draws are played, and threads that
 * share a flush are before some are. */
size_t evaluate_plays(struct scenario *scenario, const struct strategy *strategy,
                      const struct trial *trial)
{
    const struct study *study = scenario->evaluator->study;
    size_t plays = scenario->runs;
    if (may_be_fitted(scenario, strategy, trial, TAILS_NONE) && !is_reference(scenario, strategy)) {
        return 1 + (strategy->workers > 1 ? (first_draws(study) + study->draws) / 2 : DRAWS_FEW);
    }
    for (size_t i = 1; i < SCENARIO_REFERENCES && strategy == &strategy_ideal; i++) {
        plays += evaluate_fits(scenario) && !is_announced(scenario, i) ? scenario->runs : 0;
    }
    return plays;
}

/* --- a metric in all of them --- */

/* What a fit misses of a metric in runs, in its unit. */
static double off_of(enum metric metric, const struct times *times, size_t runs)
{
    double off_ps = 0;
    for (size_t run = 0; run < runs; run++) {
        if (times[run].fitted) {
            off_ps = metric == METRIC_cpu_ns ? times[run].cpu_off_ps : times[run].window_off_ps;
        }
    }
    return metric_is_count(metric) ? 0 : off_ps / (double)PS_PER_NS;
}

bool evaluate_metric_off(struct scenario *scenario, enum metric metric,
                         const struct strategy *const *strategies, size_t count, double *value,
                         double *off, struct error *err)
{
    struct times *ideal = alloc_zeroed(scenario->runs, sizeof *ideal, "runs of a scenario");
    struct times *times = alloc_zeroed(scenario->runs, sizeof *times, "runs of a scenario");
    enum tails_asked tails = metric_is_tail(metric) ? TAILS_ALL : TAILS_NONE;
    bool good = !metric_needs_ideal(metric) ||
                evaluate_runs(scenario, &strategy_ideal, TAILS_NONE, ideal, err);
    for (size_t i = 0; good && i < count; i++) {
        good = evaluate_runs(scenario, strategies[i], tails, times, err);
        off[i] = off_of(metric, times, scenario->runs);
        for (size_t run = 0; good && run < scenario->runs; run++) {
            good = evaluate_value(scenario, strategies[i], metric, &times[run], &ideal[run],
                                  &value[i * scenario->runs + run], err);
        }
    }
    free(times);
    free(ideal);
    return good;
}

bool evaluate_metric(struct scenario *scenario, enum metric metric,
                     const struct strategy *const *strategies, size_t count, double *value,
                     struct error *err)
{
    double *off = alloc_zeroed(count + 1, sizeof *off, "runs of a scenario");
    bool good = evaluate_metric_off(scenario, metric, strategies, count, value, off, err);
    free(off);
    return good;
}

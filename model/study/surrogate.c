#include "study/surrogate.h"

#include "core/alloc.h"
#include "core/units.h"
#include "kvm/kvm.h"
#include "machine/price.h"
#include "study/ridge.h"
#include "study/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RAISED_BY 0.25

const char *const surrogate_method_name[SURROGATE_METHODS] = {
#define SURROGATE_METHOD_NAME(method, name) name,
    SURROGATE_METHOD_TABLE(SURROGATE_METHOD_NAME)
#undef SURROGATE_METHOD_NAME
};

static const char what_for[] = "values of a surrogate";

/* --- what can be raised --- */

/* The prices of events with one cost at each end of its range after the other, all others at
 * their modes; place 0: all at their modes. */
struct ends {
    double price[1 + 2 * COSTS][EVENT_KINDS]; /* in ns */
};

static void price_ends(const struct platform *platform, struct ends *ends)
{
    double insns[EVENT_KINDS], value[COSTS];
    kvm_path_lengths(platform->vhe, insns);
    platform_modes(platform, value);
    price_events_ns(platform, value, insns, ends->price[0]);
    for (size_t id = 0; id < COSTS; id++) {
        value[id] = platform->cost[id].low;
        price_events_ns(platform, value, insns, ends->price[1 + 2 * id]);
        value[id] = platform->cost[id].high;
        price_events_ns(platform, value, insns, ends->price[2 + 2 * id]);
        value[id] = platform->cost[id].mode;
    }
}

static bool same_share(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

/* Whether two kinds' prices keep their proportion whatever things cost. */
static bool in_proportion(const struct ends *ends, size_t a, size_t b)
{
    for (size_t i = 1; i < 1 + 2 * COSTS; i++) {
        if (!same_share(ends->price[i][a] * ends->price[0][b],
                        ends->price[i][b] * ends->price[0][a])) {
            return false;
        }
    }
    return true;
}

/* The price's distance from the mode where it is farthest. */
static double farthest(const struct ends *ends, size_t kind)
{
    double max = 0;
    for (size_t i = 1; i < 1 + 2 * COSTS; i++) {
        max = fmax(max, fabs(ends->price[i][kind] - ends->price[0][kind]));
    }
    return max;
}

static void add_prices(struct surrogate *surrogate, const struct ends *ends)
{
    bool taken[EVENT_KINDS] = {0};
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        double modes = ends->price[0][kind], max = farthest(ends, kind);
        if (taken[kind] || max == 0) {
            continue;
        }
        struct surrogate_input *input = &surrogate->input[surrogate->inputs++];
        *input = (struct surrogate_input){.of = (enum event_kind)kind,
                                          .modes = modes,
                                          .step = modes > 0 ? RAISED_BY * modes : max};
        for (size_t other = kind; other < EVENT_KINDS; other++) {
            /* One that is free at the modes is alone. */
            bool together =
                other == kind || (modes > 0 && ends->price[0][other] > 0 &&
                                  farthest(ends, other) > 0 && in_proportion(ends, kind, other));
            input->kind[other] = !taken[other] && together;
            taken[other] |= together;
        }
    }
}

/* What the shared paths take at these costs, for a line or a byte. */
static const struct shared_path {
    enum cost_id cost;
    bool rate; /* it takes the less the higher the cost is */
    double (*takes_ns)(const double value[COSTS], uint64_t n);
} paths[] = {{COST_cmo_path_ns, false, price_cmo_path_ns},
             {COST_writeback_gbps, true, price_writeback_ns},
             {COST_zero_path_gbps, true, price_zero_path_ns}};

#define PATHS (sizeof paths / sizeof *paths)

static void add_paths(struct surrogate *surrogate)
{
    double modes[COSTS];
    platform_modes(&surrogate->scenario->setup.platform, modes);
    for (size_t i = 0; i < PATHS; i++) {
        double takes_ns = paths[i].takes_ns(modes, 1);
        if (takes_ns > 0) {
            surrogate->input[surrogate->inputs++] = (struct surrogate_input){
                .path = &paths[i], .modes = takes_ns, .step = RAISED_BY * takes_ns};
        }
    }
}

static double input_at(const struct surrogate_input *input, const double costs[COSTS],
                       const double price_ns[EVENT_KINDS])
{
    return input->path ? input->path->takes_ns(costs, 1) : price_ns[input->of];
}

/* --- playing --- */

/* Costs and prices with one input raised. */
static void raise_input(const struct surrogate *surrogate, const struct surrogate_input *input,
                        double costs[COSTS], ps_t price[EVENT_KINDS])
{
    const struct platform *platform = &surrogate->scenario->setup.platform;
    double ns[EVENT_KINDS], insns[EVENT_KINDS], raised = input->modes + input->step;
    kvm_path_lengths(platform->vhe, insns);
    platform_modes(platform, costs);
    price_events_ns(platform, costs, insns, ns);
    if (input->path) {
        double *cost = &costs[input->path->cost];
        *cost = input->path->rate ? *cost * input->modes / raised : *cost * raised / input->modes;
    }
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        double times = !input->kind[kind] ? 1 : input->modes > 0 ? raised / input->modes : 0;
        double at = input->kind[kind] && input->modes == 0 ? raised : ns[kind] * times;
        price[kind] = (ps_t)llround(at * (double)PS_PER_NS);
    }
}

/* Whether raising an input can change a run of that trial. */
static bool matters(const struct surrogate_input *input, const struct trial *trial)
{
    bool seen = input->path;
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        seen |= input->kind[kind] && trial->seen[kind];
    }
    return seen;
}

/* Part `part` of the plays: one strategy with one input raised. */
static bool find_slope(void *context, size_t part, struct error *err)
{
    struct surrogate *surrogate = context;
    size_t which = part / surrogate->inputs;
    const struct surrogate_input *input = &surrogate->input[part % surrogate->inputs];
    const struct strategy *strategy = surrogate->strategies[which];
    const struct trial *own = evaluate_trial(surrogate->scenario, strategy, err);
    const struct trial *ideal = metric_needs_ideal(surrogate->metric)
                                    ? evaluate_trial(surrogate->scenario, &strategy_ideal, err)
                                    : own;
    double costs[COSTS], value;
    ps_t price[EVENT_KINDS];
    if (!own || !ideal) {
        return false;
    }
    surrogate->slope[part] = 0;
    if (!matters(input, own) && !matters(input, ideal)) {
        return true;
    }
    raise_input(surrogate, input, costs, price);
    if (!evaluate_priced(surrogate->scenario, surrogate->metric, costs, price, &strategy, 1, &value,
                         err)) {
        return false;
    }
    surrogate->slope[part] = (value - surrogate->modes[which]) / input->step;
    return true;
}

static void prices_at(const struct surrogate *surrogate, const double costs[COSTS],
                      double price_ns[EVENT_KINDS])
{
    const struct platform *platform = &surrogate->scenario->setup.platform;
    double insns[EVENT_KINDS];
    kvm_path_lengths(platform->vhe, insns);
    price_events_ns(platform, costs, insns, price_ns);
}

/* --- against draws --- */

/* The run of a draw that is looked at. */
static size_t run_of(const struct surrogate *surrogate, size_t draw)
{
    return 1 + draw * (surrogate->scenario->runs - 1) / surrogate->checks;
}

static void take_found(struct surrogate *surrogate, size_t which, size_t draw, double value)
{
    surrogate->found[which * surrogate->checks + draw] = value - surrogate->modes[which];
}

/* What strategies come to in draw `part` of those that are looked at. */
static bool take_draw(void *context, size_t part, struct error *err)
{
    struct surrogate *surrogate = context;
    double *value = alloc_zeroed(surrogate->count, sizeof *value, what_for);
    bool good = evaluate_run(surrogate->scenario, surrogate->metric, run_of(surrogate, part),
                             surrogate->strategies, surrogate->count, value, err);
    for (size_t which = 0; good && which < surrogate->count; which++) {
        take_found(surrogate, which, part, value[which]);
    }
    free(value);
    return good;
}

/* The same in all of them, where not all of these need be played. */
static bool take_fitted(struct surrogate *surrogate, struct error *err)
{
    size_t runs = surrogate->scenario->runs;
    double *value = alloc_zeroed(surrogate->count * runs, sizeof *value, what_for);
    bool good = evaluate_metric_off(surrogate->scenario, surrogate->metric, surrogate->strategies,
                                    surrogate->count, value, surrogate->off, err);
    for (size_t which = 0; good && which < surrogate->count; which++) {
        for (size_t draw = 0; draw < surrogate->checks; draw++) {
            take_found(surrogate, which, draw, value[which * runs + run_of(surrogate, draw)]);
        }
    }
    free(value);
    return good;
}

static bool take_draws(struct surrogate *surrogate, struct error *err)
{
    struct scenario *scenario = surrogate->scenario;
    size_t inputs = surrogate->inputs;
    for (size_t draw = 0; draw < surrogate->checks; draw++) {
        double costs[COSTS], price_ns[EVENT_KINDS];
        size_t run = run_of(surrogate, draw);
        scenario_costs(scenario, run, costs);
        prices_at(surrogate, costs, price_ns);
        surrogate->stratum[draw] = scenario_stratum(scenario, run);
        for (size_t i = 0; i < inputs; i++) {
            const struct surrogate_input *input = &surrogate->input[i];
            surrogate->moved[draw * inputs + i] = input_at(input, costs, price_ns) - input->modes;
        }
    }
    return evaluate_fits(scenario) ? take_fitted(surrogate, err)
                                   : sweep_parts(scenario->evaluator->sweep, surrogate->checks,
                                                 take_draw, surrogate, err);
}

/* What a strategy comes to more than at the modes in a draw, its slopes taken off. */
static double left_of(const struct surrogate *surrogate, size_t which, size_t draw)
{
    const double *slope = surrogate->slope + which * surrogate->inputs;
    const double *moved = surrogate->moved + draw * surrogate->inputs;
    double left = surrogate->found[which * surrogate->checks + draw];
    for (size_t i = 0; i < surrogate->inputs; i++) {
        left -= slope[i] * moved[i];
    }
    return left;
}

static struct ridge_data data_of(const struct surrogate *surrogate, const double *y,
                                 const double *x, size_t columns)
{
    return (struct ridge_data){
        .x = x, .y = y, .group = surrogate->stratum, .n = surrogate->checks, .columns = columns};
}

/* Slopes that came from elsewhere: what they miss is what the draws differ by all the same. */
static void hold_against_draws(struct surrogate *surrogate)
{
    size_t n = surrogate->checks;
    double left[SURROGATE_CHECKS];
    for (size_t which = 0; which < surrogate->count; which++) {
        for (size_t draw = 0; draw < n; draw++) {
            left[draw] = left_of(surrogate, which, draw);
        }
        struct ridge_data data = data_of(surrogate, left, NULL, 0);
        (void)ridge_level(&data, surrogate->miss + which * n);
    }
}

/* Draws that another one shares the timeline with. */
static size_t compared(const struct surrogate *surrogate)
{
    size_t members[1 + DRAW_STRATA] = {0}, count = 0;
    for (size_t i = 0; i < surrogate->checks; i++) {
        members[surrogate->stratum[i]]++;
    }
    for (size_t stratum = 0; stratum <= DRAW_STRATA; stratum++) {
        count += members[stratum] > 1 ? members[stratum] : 0;
    }
    return count;
}

/* Little matters where little varies. */
bool surrogate_is_good(struct surrogate_error error)
{
    return !(error.unexplained > 0.05 && error.relative > 0.01);
}

struct surrogate_error surrogate_error(const struct surrogate *surrogate, size_t a, size_t b)
{
    double found[SURROGATE_CHECKS], miss[SURROGATE_CHECKS];
    size_t n = surrogate->checks;
    bool two = b < surrogate->count;
    double all = 0, squares = 0;
    double modes = surrogate->modes ? surrogate->modes[a] - (two ? surrogate->modes[b] : 0) : 0;
    if (surrogate->method == SURROGATE_PRICED) {
        return (struct surrogate_error){0, 0};
    }
    if (compared(surrogate) < 2) {
        return (struct surrogate_error){NAN, NAN};
    }
    for (size_t i = 0; i < n; i++) {
        double off = surrogate->miss[a * n + i] - (two ? surrogate->miss[b * n + i] : 0);
        found[i] = surrogate->found[a * n + i] - (two ? surrogate->found[b * n + i] : 0);
        all += (found[i] + modes) * (found[i] + modes);
        squares += off * off + surrogate->off[a] * surrogate->off[a] +
                   (two ? surrogate->off[b] * surrogate->off[b] : 0);
    }
    struct ridge_data data = data_of(surrogate, found, NULL, 0);
    double spread = ridge_level(&data, miss);
    return (struct surrogate_error){.unexplained = spread > 0 ? squares / spread : 0,
                                    .relative = all > 0 ? sqrt(squares / all) : 0};
}

/* --- fitted to the draws --- */

/* What an input's column is to be multiplied with, so that slopes may go as far as there is reason
 * to: by as much as events take where these are counted, else as far as all that is left. */
static double reach_of(const struct surrogate *surrogate, size_t which, size_t against, size_t i,
                       const double *left)
{
    size_t n = surrogate->checks, inputs = surrogate->inputs;
    double moved[SURROGATE_CHECKS];
    bool two = against < surrogate->count;
    if (surrogate->counted && !surrogate->input[i].path) {
        return fabs(surrogate->counted[which * inputs + i]) +
               (two ? fabs(surrogate->counted[against * inputs + i]) : 0);
    }
    for (size_t draw = 0; draw < n; draw++) {
        moved[draw] = surrogate->moved[draw * inputs + i];
    }
    double spread = stats_squares(moved, n);
    return spread > 0 ? sqrt(stats_squares(left, n) / spread) : 0;
}

void surrogate_fit(struct surrogate *surrogate, size_t which, size_t against)
{
    size_t n = surrogate->checks, inputs = surrogate->inputs;
    double left[SURROGATE_CHECKS], by[EVENT_KINDS + COSTS], reach[EVENT_KINDS + COSTS];
    double *x = alloc_zeroed(n * inputs + 1, sizeof *x, what_for);
    double *miss = surrogate->miss + which * n, *slope = surrogate->slope + which * inputs;
    bool two = against < surrogate->count;
    for (size_t draw = 0; draw < n; draw++) {
        left[draw] =
            left_of(surrogate, which, draw) - (two ? left_of(surrogate, against, draw) : 0);
    }
    for (size_t i = 0; i < inputs; i++) {
        reach[i] = reach_of(surrogate, which, against, i, left);
        for (size_t draw = 0; draw < n; draw++) {
            x[draw * inputs + i] = reach[i] * surrogate->moved[draw * inputs + i];
        }
    }
    struct ridge_data data = data_of(surrogate, left, x, inputs);
    (void)ridge_fit(&data, by, miss);
    for (size_t i = 0; i < inputs; i++) {
        slope[i] += by[i] * reach[i];
    }
    for (size_t draw = 0; two && draw < n; draw++) {
        miss[draw] += surrogate->miss[against * n + draw];
    }
    surrogate->method = SURROGATE_FITTED;
    free(x);
}

static bool is_off(const struct surrogate *surrogate, size_t a, size_t b)
{
    return !surrogate->counted || !surrogate_is_good(surrogate_error(surrogate, a, b));
}

static size_t cheapest_of(const struct surrogate *surrogate)
{
    size_t cheapest = 0;
    for (size_t which = 0; which < surrogate->count; which++) {
        cheapest = surrogate->modes[which] < surrogate->modes[cheapest] ? which : cheapest;
    }
    return cheapest;
}

/* Whether strategies by themselves, and each against the cheapest, are near what was drawn. */
static bool any_is_off(const struct surrogate *surrogate)
{
    size_t cheapest = cheapest_of(surrogate);
    bool off = false;
    for (size_t which = 0; which < surrogate->count; which++) {
        off |= is_off(surrogate, which, surrogate->count) ||
               (which != cheapest && is_off(surrogate, which, cheapest));
    }
    return off;
}

/* By how much strategies differ is what counts, and draws tell it better than what each comes to.
 */
static void fit_what_is_off(struct surrogate *surrogate)
{
    size_t count = surrogate->count, cheapest = cheapest_of(surrogate);
    if (is_off(surrogate, cheapest, count)) {
        surrogate_fit(surrogate, cheapest, count);
    }
    for (size_t which = 0; which < count; which++) {
        if (which != cheapest &&
            (is_off(surrogate, which, count) || is_off(surrogate, which, cheapest))) {
            surrogate_fit(surrogate, which, cheapest);
        }
    }
}

/* --- all of it --- */

bool surrogate_needless(struct scenario *scenario, enum metric metric,
                        const struct strategy *const *strategies, size_t count, bool *needless,
                        struct error *err)
{
    size_t ideal = metric_needs_ideal(metric);
    *needless = true;
    for (size_t i = 0; i < count + ideal; i++) {
        const struct strategy *strategy = i < count ? strategies[i] : &strategy_ideal;
        const struct trial *trial = evaluate_trial(scenario, strategy, err);
        if (!trial) {
            return false;
        }
        *needless &= trial->serial;
    }
    return true;
}

/* Whether a metric is made of what events take. */
static bool is_time_of_events(enum metric metric)
{
    return metric == METRIC_added_boot_ns || metric == METRIC_window_ns || metric == METRIC_cpu_ns;
}

/* By how much a run's events come to more where an input rises by one. */
static double counted_slope(const struct surrogate_input *input, const struct trial *trial)
{
    double sum = 0;
    for (size_t i = 0; i < trial->count; i++) {
        const struct event_count *count = &trial->counts[i];
        double in_step = input->modes > 0 ? (double)trial->price[count->kind] /
                                                (input->modes * (double)PS_PER_NS)
                                          : 1;
        sum += input->kind[count->kind] ? (double)count->n * in_step : 0;
    }
    return sum;
}

/* What a run's events come to at the modes, in ns. */
static double counted_ns(const struct trial *trial)
{
    double sum = 0;
    for (size_t i = 0; i < trial->count; i++) {
        sum += (double)trial->counts[i].n * (double)trial->price[trial->counts[i].kind];
    }
    return sum / (double)PS_PER_NS;
}

static bool count_slopes(struct surrogate *surrogate, struct error *err)
{
    surrogate->counted =
        alloc_zeroed(surrogate->count * surrogate->inputs, sizeof *surrogate->counted, what_for);
    for (size_t which = 0; which < surrogate->count; which++) {
        const struct trial *ideal = NULL;
        const struct trial *own =
            evaluate_trial(surrogate->scenario, surrogate->strategies[which], err);
        if (own && metric_needs_ideal(surrogate->metric)) {
            ideal = evaluate_trial(surrogate->scenario, &strategy_ideal, err);
        }
        if (!own || (!ideal && metric_needs_ideal(surrogate->metric))) {
            return false;
        }
        /* Time has no scale: what all events come to is the time. */
        double all = counted_ns(own) - (ideal ? counted_ns(ideal) : 0);
        double scale = all > 0 ? surrogate->modes[which] / all : 1;
        for (size_t i = 0; i < surrogate->inputs; i++) {
            const struct surrogate_input *input = &surrogate->input[i];
            size_t at = which * surrogate->inputs + i;
            surrogate->counted[at] =
                scale * (counted_slope(input, own) - (ideal ? counted_slope(input, ideal) : 0));
            surrogate->slope[at] = surrogate->counted[at];
        }
    }
    return true;
}

static bool play_slopes(struct surrogate *surrogate, struct error *err)
{
    surrogate->method = SURROGATE_LINEAR;
    bool good = sweep_parts(surrogate->scenario->evaluator->sweep,
                            surrogate->count * surrogate->inputs, find_slope, surrogate, err);
    if (good) {
        hold_against_draws(surrogate);
    }
    return good;
}

static void open_values(struct surrogate *surrogate)
{
    size_t count = surrogate->count, inputs = surrogate->inputs;
    size_t draws = surrogate->scenario->runs - 1;
    size_t checks = draws < SURROGATE_CHECKS ? draws : SURROGATE_CHECKS;
    surrogate->checks = checks;
    surrogate->modes = alloc_zeroed(count, sizeof *surrogate->modes, what_for);
    surrogate->slope = alloc_zeroed(count * inputs, sizeof *surrogate->slope, what_for);
    surrogate->stratum = alloc_zeroed(checks + 1, sizeof *surrogate->stratum, what_for);
    surrogate->moved = alloc_zeroed(checks * inputs + 1, sizeof *surrogate->moved, what_for);
    surrogate->found = alloc_zeroed(count * checks + 1, sizeof *surrogate->found, what_for);
    surrogate->off = alloc_zeroed(count + 1, sizeof *surrogate->off, what_for);
    surrogate->miss = alloc_zeroed(count * checks + 1, sizeof *surrogate->miss, what_for);
}

/* From counts, where the metric is made of events; what the draws show to be off is fitted to them,
 * and played where these are few. */
static bool find_slopes(struct surrogate *surrogate, struct error *err)
{
    struct scenario *scenario = surrogate->scenario;
    struct ends *ends = alloc_raw(1, sizeof *ends, what_for);
    price_ends(&scenario->setup.platform, ends);
    add_prices(surrogate, ends);
    add_paths(surrogate);
    free(ends);
    open_values(surrogate);
    bool counts = is_time_of_events(surrogate->metric);
    surrogate->method = SURROGATE_COUNTED;
    if (!evaluate_modes(scenario, surrogate->metric, 0, surrogate->strategies, surrogate->count,
                        surrogate->modes, err) ||
        !take_draws(surrogate, err) || (counts && !count_slopes(surrogate, err))) {
        return false;
    }
    hold_against_draws(surrogate);
    if (compared(surrogate) >= SURROGATE_FIT_MIN) {
        fit_what_is_off(surrogate);
        return true;
    }
    return (counts && compared(surrogate) > 1 && !any_is_off(surrogate)) ||
           play_slopes(surrogate, err);
}

bool surrogate_open(struct surrogate *surrogate, struct scenario *scenario, enum metric metric,
                    const struct strategy *const *strategies, size_t count, struct error *err)
{
    *surrogate = (struct surrogate){.scenario = scenario, .metric = metric, .count = count};
    surrogate->strategies = alloc_raw(count, sizeof(struct strategy *), what_for);
    memcpy(surrogate->strategies, strategies, count * sizeof(struct strategy *));
    bool needless;
    if (!surrogate_needless(scenario, metric, strategies, count, &needless, err)) {
        return false;
    }
    surrogate->method = SURROGATE_PRICED;
    return needless || find_slopes(surrogate, err);
}

void surrogate_close(struct surrogate *surrogate)
{
    free(surrogate->strategies);
    free(surrogate->modes);
    free(surrogate->slope);
    free(surrogate->counted);
    free(surrogate->stratum);
    free(surrogate->moved);
    free(surrogate->found);
    free(surrogate->off);
    free(surrogate->miss);
    *surrogate = (struct surrogate){0};
}

bool surrogate_at(const struct surrogate *surrogate, const double costs[COSTS], double *value,
                  struct error *err)
{
    double price_ns[EVENT_KINDS];
    if (surrogate->method == SURROGATE_PRICED) {
        return evaluate_at(surrogate->scenario, surrogate->metric, costs, surrogate->strategies,
                           surrogate->count, value, err);
    }
    prices_at(surrogate, costs, price_ns);
    for (size_t which = 0; which < surrogate->count; which++) {
        const double *slope = surrogate->slope + which * surrogate->inputs;
        value[which] = surrogate->modes[which];
        for (size_t i = 0; i < surrogate->inputs; i++) {
            const struct surrogate_input *input = &surrogate->input[i];
            value[which] += slope[i] * (input_at(input, costs, price_ns) - input->modes);
        }
    }
    return true;
}

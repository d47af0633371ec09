#include "study/surrogate.h"

#include "core/alloc.h"
#include "core/rng.h"
#include "core/units.h"
#include "kvm/kvm.h"
#include "machine/price.h"
#include "study/stats.h"

#include <gsl/gsl_multifit.h>
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
    double most = 0;
    for (size_t i = 1; i < 1 + 2 * COSTS; i++) {
        most = fmax(most, fabs(ends->price[i][kind] - ends->price[0][kind]));
    }
    return most;
}

static void add_prices(struct surrogate *surrogate, const struct ends *ends)
{
    bool taken[EVENT_KINDS] = {0};
    for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
        double modes = ends->price[0][kind], most = farthest(ends, kind);
        if (taken[kind] || most == 0) {
            continue;
        }
        struct surrogate_input *input = &surrogate->input[surrogate->inputs++];
        *input = (struct surrogate_input){.of = (enum event_kind)kind,
                                          .modes = modes,
                                          .step = modes > 0 ? RAISED_BY * modes : most};
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
    if (!surrogate->played[which]) {
        return true;
    }
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

/* What the inputs add to a strategy's value at the modes. */
static double added(const struct surrogate *surrogate, size_t which, const double costs[COSTS],
                    const double price_ns[EVENT_KINDS])
{
    const double *slope = surrogate->slope + which * surrogate->inputs;
    double sum = surrogate->offset[which];
    for (size_t i = 0; i < surrogate->inputs; i++) {
        const struct surrogate_input *input = &surrogate->input[i];
        sum += slope[i] * (input_at(input, costs, price_ns) - input->modes);
    }
    return sum;
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

/* Draw `part` of those that are looked at. In its own stratum the others come up at another time,
 * which the modes are played in, too. */
static bool check_draw(void *context, size_t part, struct error *err)
{
    struct surrogate *surrogate = context;
    struct scenario *scenario = surrogate->scenario;
    size_t count = surrogate->count, checks = surrogate->checks;
    size_t run = 1 + part * (scenario->runs - 1) / checks;
    double costs[COSTS], price_ns[EVENT_KINDS];
    double *value = alloc_zeroed(2 * count, sizeof *value, what_for), *modes = value + count;
    scenario_costs(scenario, run, costs);
    prices_at(surrogate, costs, price_ns);
    bool good =
        evaluate_run(scenario, surrogate->metric, run, surrogate->strategies, count, value, err) &&
        evaluate_modes(scenario, surrogate->metric, scenario_stratum(scenario, run),
                       surrogate->strategies, count, modes, err);
    for (size_t which = 0; good && which < count; which++) {
        surrogate->found[which * checks + part] = value[which] - modes[which];
        surrogate->said[which * checks + part] = added(surrogate, which, costs, price_ns);
    }
    free(value);
    return good;
}

static bool hold_against_draws(struct surrogate *surrogate, struct error *err)
{
    return sweep_parts(surrogate->scenario->evaluator->sweep, surrogate->checks, check_draw,
                       surrogate, err);
}

/* Little matters where little varies. */
bool surrogate_is_good(struct surrogate_error error)
{
    return !(error.unexplained > 0.05 && error.relative > 0.01);
}

static double square_sum(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += values[i] * values[i];
    }
    return sum;
}

struct surrogate_error surrogate_error(const struct surrogate *surrogate, size_t a, size_t b)
{
    double off[SURROGATE_CHECKS], found[SURROGATE_CHECKS], total[SURROGATE_CHECKS];
    size_t n = surrogate->checks, count = surrogate->count;
    if (surrogate->method == SURROGATE_PRICED) {
        return (struct surrogate_error){0, 0};
    }
    if (n < 2) {
        return (struct surrogate_error){NAN, NAN};
    }
    for (size_t i = 0; i < n; i++) {
        double other_found = b < count ? surrogate->found[b * n + i] : 0;
        double other_said = b < count ? surrogate->said[b * n + i] : 0;
        found[i] = surrogate->found[a * n + i] - other_found;
        off[i] = surrogate->said[a * n + i] - other_said - found[i];
        total[i] = found[i] + surrogate->modes[a] - (b < count ? surrogate->modes[b] : 0);
    }
    double all = square_sum(total, n);
    double square = square_sum(off, n);
    double spread = stats_squares(found, n);
    return (struct surrogate_error){.unexplained = spread > 0 ? stats_squares(off, n) / spread : 0,
                                    .relative = all > 0 ? sqrt(square / all) : 0};
}

/* --- fitted to further draws --- */

/* What the fit is made of. */
struct fit {
    struct surrogate *surrogate;
    double costs[SURROGATE_DRAWS][COSTS];
    double *value; /* [SURROGATE_DRAWS][count] */
    gsl_matrix *x; /* inputs less modes, by draw; then in standard deviations from the mean */
};

static bool play_draw(void *context, size_t part, struct error *err)
{
    struct fit *fit = context;
    const struct surrogate *surrogate = fit->surrogate;
    double price_ns[EVENT_KINDS];
    prices_at(surrogate, fit->costs[part], price_ns);
    for (size_t i = 0; i < surrogate->inputs; i++) {
        const struct surrogate_input *input = &surrogate->input[i];
        gsl_matrix_set(fit->x, part, i, input_at(input, fit->costs[part], price_ns) - input->modes);
    }
    return evaluate_at(surrogate->scenario, surrogate->metric, fit->costs[part],
                       surrogate->strategies, surrogate->count,
                       fit->value + part * surrogate->count, err);
}

/* Not the points of the study's draws, which it is held against. */
static void draw_others(struct fit *fit)
{
    const struct scenario *scenario = fit->surrogate->scenario;
    struct draw_plan plan = study_draw_plan(scenario->evaluator->study);
    plan.seed = rng_mix64(plan.seed);
    plan.draws = SURROGATE_DRAWS;
    plan.shifts = 1;
    plan.sequence = DRAW_SOBOL;
    draw_costs(&plan, &scenario->setup.platform, fit->costs);
}

/* What is left of a strategy's values by the slopes so far. */
static void fill_left(const struct fit *fit, size_t which, gsl_vector *left)
{
    const struct surrogate *surrogate = fit->surrogate;
    const double *slope = surrogate->slope + which * surrogate->inputs;
    for (size_t draw = 0; draw < SURROGATE_DRAWS; draw++) {
        double value = fit->value[draw * surrogate->count + which] - surrogate->modes[which];
        for (size_t i = 0; i < surrogate->inputs; i++) {
            value -= slope[i] * gsl_matrix_get(fit->x, draw, i);
        }
        gsl_vector_set(left, draw, value);
    }
}

/* Columns to a mean of 0 and a standard deviation of 1; those that do not vary to 0. */
static void standardize(gsl_matrix *x, double *mean, double *sd)
{
    for (size_t i = 0; i < x->size2; i++) {
        gsl_vector_view column = gsl_matrix_column(x, i);
        double value[SURROGATE_DRAWS];
        for (size_t draw = 0; draw < x->size1; draw++) {
            value[draw] = gsl_vector_get(&column.vector, draw);
        }
        mean[i] = stats_mean(value, x->size1);
        sd[i] = stats_deviation(value, x->size1);
        gsl_vector_add_constant(&column.vector, -mean[i]);
        gsl_vector_scale(&column.vector, sd[i] > 0 ? 1 / sd[i] : 0);
    }
}

/* How strongly slopes are held back is what generalised cross-validation says. */
static void solve(const gsl_matrix *x, gsl_vector *left, gsl_vector *by)
{
    double norm, residual, lambda, score;
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(x->size1, x->size2);
    gsl_vector *lambdas = gsl_vector_alloc(100), *scores = gsl_vector_alloc(100);
    gsl_multifit_linear_svd(x, work);
    gsl_multifit_linear_gcv(left, lambdas, scores, &lambda, &score, work);
    gsl_multifit_linear_solve(lambda, x, left, by, &residual, &norm, work);
    gsl_vector_free(lambdas);
    gsl_vector_free(scores);
    gsl_multifit_linear_free(work);
}

static void fit_slopes(const struct fit *fit, const gsl_matrix *standard, const double *mean,
                       const double *sd, size_t which)
{
    struct surrogate *surrogate = fit->surrogate;
    double *slope = surrogate->slope + which * surrogate->inputs;
    gsl_vector *left = gsl_vector_alloc(SURROGATE_DRAWS);
    gsl_vector *by = gsl_vector_alloc(surrogate->inputs);
    fill_left(fit, which, left);
    double level = stats_mean(left->data, left->size);
    gsl_vector_add_constant(left, -level);
    solve(standard, left, by);
    surrogate->offset[which] = level;
    for (size_t i = 0; i < surrogate->inputs; i++) {
        double more = sd[i] > 0 ? gsl_vector_get(by, i) / sd[i] : 0;
        slope[i] += more;
        surrogate->offset[which] -= more * mean[i];
    }
    gsl_vector_free(left);
    gsl_vector_free(by);
}

static void fit_all(const struct fit *fit)
{
    size_t inputs = fit->surrogate->inputs;
    double mean[EVENT_KINDS + COSTS], sd[EVENT_KINDS + COSTS];
    gsl_matrix *standard = gsl_matrix_alloc(SURROGATE_DRAWS, inputs);
    gsl_matrix_memcpy(standard, fit->x);
    standardize(standard, mean, sd);
    for (size_t which = 0; which < fit->surrogate->count; which++) {
        fit_slopes(fit, standard, mean, sd, which);
    }
    gsl_matrix_free(standard);
}

bool surrogate_fit(struct surrogate *surrogate, size_t a, size_t b, struct error *err)
{
    size_t bytes = surrogate->count * surrogate->inputs * sizeof *surrogate->slope;
    double before = surrogate_error(surrogate, a, b).unexplained;
    enum surrogate_method method = surrogate->method;
    struct fit *fit = alloc_zeroed(1, sizeof *fit, what_for);
    double *slope = alloc_raw(bytes, 1, what_for);
    *fit = (struct fit){
        .surrogate = surrogate,
        .value = alloc_zeroed(SURROGATE_DRAWS * surrogate->count, sizeof *fit->value, what_for),
        .x = gsl_matrix_alloc(SURROGATE_DRAWS, surrogate->inputs)};
    draw_others(fit);
    memcpy(slope, surrogate->slope, bytes);
    bool good =
        sweep_parts(surrogate->scenario->evaluator->sweep, SURROGATE_DRAWS, play_draw, fit, err);
    if (good) {
        fit_all(fit);
        surrogate->method = SURROGATE_FITTED;
        good = hold_against_draws(surrogate, err);
    }
    if (good && !(surrogate_error(surrogate, a, b).unexplained < before)) {
        memcpy(surrogate->slope, slope, bytes);
        memset(surrogate->offset, 0, surrogate->count * sizeof *surrogate->offset);
        surrogate->method = method;
        good = hold_against_draws(surrogate, err);
    }
    gsl_matrix_free(fit->x);
    free(fit->value);
    free(slope);
    free(fit);
    return good;
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
            surrogate->slope[which * surrogate->inputs + i] =
                scale * (counted_slope(input, own) - (ideal ? counted_slope(input, ideal) : 0));
        }
    }
    return hold_against_draws(surrogate, err);
}

static bool play_slopes(struct surrogate *surrogate, struct error *err)
{
    surrogate->method = SURROGATE_LINEAR;
    return sweep_parts(surrogate->scenario->evaluator->sweep, surrogate->count * surrogate->inputs,
                       find_slope, surrogate, err) &&
           hold_against_draws(surrogate, err);
}

/* Marks for playing what the draws show to be off. */
static bool mark_off(struct surrogate *surrogate, size_t which, size_t other)
{
    bool off = !surrogate_is_good(surrogate_error(surrogate, which, other));
    bool news = off && (!surrogate->played[which] ||
                        (other < surrogate->count && !surrogate->played[other]));
    surrogate->played[which] |= off;
    if (other < surrogate->count) {
        surrogate->played[other] |= off;
    }
    return news;
}

/* Strategies by themselves, then each against the cheapest. */
static bool play_what_is_off(struct surrogate *surrogate, struct error *err)
{
    size_t count = surrogate->count, cheapest = 0;
    bool alone = false, apart = false;
    for (size_t which = 0; which < count; which++) {
        cheapest = surrogate->modes[which] < surrogate->modes[cheapest] ? which : cheapest;
        alone |= mark_off(surrogate, which, count);
    }
    if (alone && !play_slopes(surrogate, err)) {
        return false;
    }
    for (size_t which = 0; which < count; which++) {
        apart |= which != cheapest && mark_off(surrogate, which, cheapest);
    }
    return !apart || play_slopes(surrogate, err);
}

static bool find_slopes(struct surrogate *surrogate, struct error *err)
{
    struct scenario *scenario = surrogate->scenario;
    size_t count = surrogate->count, draws = scenario->runs - 1;
    struct ends *ends = alloc_raw(1, sizeof *ends, what_for);
    price_ends(&scenario->setup.platform, ends);
    add_prices(surrogate, ends);
    add_paths(surrogate);
    free(ends);
    surrogate->checks = draws < SURROGATE_CHECKS ? draws : SURROGATE_CHECKS;
    surrogate->modes = alloc_zeroed(count, sizeof *surrogate->modes, what_for);
    surrogate->slope = alloc_zeroed(count * surrogate->inputs, sizeof *surrogate->slope, what_for);
    surrogate->played = alloc_zeroed(count, sizeof *surrogate->played, what_for);
    surrogate->offset = alloc_zeroed(count, sizeof *surrogate->offset, what_for);
    surrogate->found = alloc_zeroed(count * surrogate->checks, sizeof *surrogate->found, what_for);
    surrogate->said = alloc_zeroed(count * surrogate->checks, sizeof *surrogate->said, what_for);
    if (!evaluate_modes(scenario, surrogate->metric, 0, surrogate->strategies, count,
                        surrogate->modes, err)) {
        return false;
    }
    if (is_time_of_events(surrogate->metric) && surrogate->checks > 1) {
        surrogate->method = SURROGATE_COUNTED;
        return count_slopes(surrogate, err) && play_what_is_off(surrogate, err);
    }
    memset(surrogate->played, true, count * sizeof *surrogate->played);
    return play_slopes(surrogate, err);
}

bool surrogate_open(struct surrogate *surrogate, struct scenario *scenario, enum metric metric,
                    const struct strategy *const *strategies, size_t count, struct error *err)
{
    *surrogate = (struct surrogate){.scenario = scenario, .metric = metric, .count = count};
    surrogate->strategies = alloc_raw(count, sizeof *surrogate->strategies, what_for);
    memcpy(surrogate->strategies, strategies, count * sizeof *strategies);
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
    free(surrogate->played);
    free(surrogate->offset);
    free(surrogate->found);
    free(surrogate->said);
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
        value[which] = surrogate->modes[which] + added(surrogate, which, costs, price_ns);
    }
    return true;
}

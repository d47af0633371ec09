/* The fit of costs to measurements. */
#include "check/calibrate/calibrate.h"

#include "check/calibrate/identifiability.h"
#include "check/least_squares.h"
#include "core/error.h"
#include "machine/misfit.h"
#include "study/draws.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 100
#define PRECISION 1e-6

/* Standard error of a cost's logarithm. */
#define MAX_ERROR 1.0

/* A cost's low and high are the ends of a triangle and no percentiles: two standard
 * errors either way, as of a prior, leave draws about as wide as the errors are. */
#define RANGE_ERRORS 2
#define Z10 1.2816 /* standard errors from the median to the 10th or 90th percentile */

/* A calibration under way. */
struct task {
    const struct measurements *found;
    const struct platform *base;
    bool named; /* the costs were, so that one that is not identified is bad input */
    struct observation_fit problem;
    /* By cost: the variance of its logarithm that comes from costs left as the base has them. */
    double carried[COSTS];
    struct calibration *fit;
};

/* --- which costs --- */

static void leave(struct calibration *fit, const char *why)
{
    snprintf(fit->left[fit->left_count++], sizeof fit->left[0], "%s", why);
}

static bool add_cost(struct task *task, enum cost_id id, struct error *err)
{
    char why[200];
    const struct measurements *found = task->found;
    struct calibration *fit = task->fit;
    /* The search begins near what the rows say at first sight: the base's value may be so
     * far off that a shared path hides all else. */
    double start = found->start[id] > 0 ? found->start[id] : task->base->cost[id].mode;
    bool full = id == COST_cmo_path_ns ? found->cmo_path_full : found->writeback_full;
    if (found->probe && !full && measurements_path_limit(found, id, why, sizeof why)) {
        if (task->named) {
            return error_input(err, NULL, "%s", why);
        }
        leave(fit, why);
        return true;
    }
    if (start <= 0) {
        return error_input(err, NULL, "%s is 0 in the base: expected one where it is not",
                           cost_name[id]);
    }
    fit->id[fit->costs] = id;
    fit->before[fit->costs] = task->base->cost[id].mode;
    fit->value[fit->costs++] = start;
    return true;
}

/* The costs that a probe's rows are made of, and the one that a row gives alone (COSTS: none). */
static const struct {
    enum cost_id costs[4], direct;
} probe_rows[PROBE_KINDS] = {
    [PROBE_ABSENT] = {{COST_dc_absent_ns, COST_dsb_ns, COST_cmo_path_ns, COSTS}, COSTS},
    [PROBE_CLEAN] = {{COST_dc_clean_ratio, COST_dsb_ns, COST_cmo_path_ns, COSTS}, COSTS},
    [PROBE_DIRTY] = {{COST_dc_dirty_ratio, COST_dsb_ns, COST_writeback_gbps, COSTS}, COSTS},
    [PROBE_LATENCY] = {{COST_memory_ns, COSTS}, COST_memory_ns},
    [PROBE_WRITE] = {{COST_zero_gbps, COSTS}, COST_zero_gbps},
    [PROBE_WRITE_ALL] = {{COST_zero_path_gbps, COSTS}, COST_zero_path_gbps},
    [PROBE_COPY] = {{COST_copy_gbps, COSTS}, COST_copy_gbps},
    [PROBE_EXIT] = {{COST_exit_ns, COSTS}, COST_exit_ns},
};

static bool is_wanted(struct task *task, enum cost_id id)
{
    const struct measurements *found = task->found;
    const struct cost *cost = &task->base->cost[id];
    if (misfit_is(id)) { /* the model's, and a factor on what is fitted */
        return false;
    }
    if (found->machine) {
        /* A VM's phases hold a little of nearly everything. What was measured by itself is
         * known better, and what is 0 has no logarithm. */
        if (strcmp(cost->evidence, "measured") == 0) {
            char why[200];
            snprintf(why, sizeof why, "%s: measured, as the base says", cost_name[id]);
            leave(task->fit, why);
            return false;
        }
        return cost->mode > 0;
    }
    for (size_t row = 0; found->probe && row < found->count; row++) {
        const enum cost_id *of = probe_rows[found->rows[row].kind].costs;
        for (int i = 0; of[i] != COSTS; i++) {
            if (of[i] == id) {
                return true;
            }
        }
    }
    if (found->selftest) { /* what its times are made of; what they do not tell is left */
        return id == COST_kernel_cpi || id == COST_tlbi_ns;
    }
    return !found->probe && strcmp(cost->evidence, "fitted") == 0;
}

static bool choose(struct task *task, const enum cost_id *named, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (misfit_is(named[i])) {
            return error_input(err, NULL,
                               "--cost: found %s, the model's own error, expected a cost of the "
                               "machine (`s2flush list costs`)",
                               cost_name[named[i]]);
        }
        if (!add_cost(task, named[i], err)) {
            return false;
        }
    }
    for (int id = 0; count == 0 && id < COSTS; id++) {
        if (is_wanted(task, (enum cost_id)id) && !add_cost(task, (enum cost_id)id, err)) {
            return false;
        }
    }
    return task->fit->costs > 0 || error_input(err, NULL, "no cost to fit: expected --cost NAME");
}

/* --- the fit --- */

/* The costs that are fitted, as they stand, for a search or a look. */
static struct least_squares squares_of(struct task *task, double x[COSTS])
{
    const struct calibration *fit = task->fit;
    task->problem.costs = fit->costs;
    for (size_t i = 0; i < fit->costs; i++) {
        task->problem.id[i] = fit->id[i];
        x[i] = log(fit->value[i]);
    }
    return (struct least_squares){.parameters = fit->costs,
                                  .rows = task->found->count,
                                  .residuals = observation_residuals,
                                  .context = &task->problem,
                                  .step = IDENTIFIABILITY_STEP,
                                  .steps = MAX_STEPS,
                                  .precision = PRECISION};
}

/* A path that is not fitted must not be narrower than the rows allow. */
static void keep_limits(const struct measurements *found, double value[COSTS])
{
    if (found->cmo_path_max_ns > 0) {
        value[COST_cmo_path_ns] = fmin(value[COST_cmo_path_ns], found->cmo_path_max_ns);
    }
    value[COST_writeback_gbps] = fmax(value[COST_writeback_gbps], found->writeback_min_gbps);
}

static bool no_cost(const struct measurements *found, const char *last, struct error *err)
{
    struct source_location at = {.file = found->path};
    return error_input(
        err, &at,
        "the rows tell no cost; the last, %s: expected rows of other sizes, vCPUs or "
        "phases beside them, or --cost with one that they follow",
        last);
}

/* A cost that is not identified: refused if it was named, else left as it stands. */
static bool give_up(struct task *task, size_t which, const char *why, struct error *err)
{
    struct calibration *fit = task->fit;
    if (task->named) {
        return error_input(err, NULL, "%s", why);
    }
    leave(fit, why);
    task->problem.value[fit->id[which]] = fit->before[which];
    keep_limits(task->found, task->problem.value);
    fit->costs--;
    for (size_t i = which; i < fit->costs; i++) {
        fit->id[i] = fit->id[i + 1];
        fit->before[i] = fit->before[i + 1];
        fit->value[i] = fit->value[i + 1];
    }
    return fit->costs > 0 || no_cost(task->found, why, err);
}

/* A cost that the search has driven out of what a platform file can hold, where the
 * residuals no longer move with it; -1: none. */
static int out_of_range(const struct calibration *fit, char *why, size_t size)
{
    for (size_t i = 0; i < fit->costs; i++) {
        enum cost_id id = fit->id[i];
        const struct cost_entry *range = &cost_entry[id];
        if (!(fit->value[i] >= range->min && fit->value[i] <= range->max)) {
            snprintf(why, size, "%s: the rows drive it to %s, expected from %g to %g",
                     cost_name[id], fit->value[i] < range->min ? "less" : "more", range->min,
                     range->max);
            return (int)i;
        }
    }
    return -1;
}

/* Looks at the point that stands in fit->value. A cost that is not identified there is
 * refused if it was named, and else left out, until all are. */
static bool keep_identified(struct task *task, bool *dropped, struct error *err)
{
    struct calibration *fit = task->fit;
    *dropped = false;
    for (;;) {
        char why[200];
        double x[COSTS];
        struct least_squares squares = squares_of(task, x);
        gsl_matrix *effect = gsl_matrix_alloc(squares.rows, squares.parameters);
        bool good = least_squares_effects(&squares, x, IDENTIFIABILITY_STEP, effect, err);
        int which = good ? out_of_range(fit, why, sizeof why) : -1;
        if (good && which < 0) {
            which = identifiability_worst(task->found, fit, effect, fit->shared, why, sizeof why);
        }
        gsl_matrix_free(effect);
        if (!good || which < 0) {
            return good;
        }
        if (!give_up(task, (size_t)which, why, err)) {
            return false;
        }
        *dropped = true;
    }
}

static bool solve(struct task *task, struct error *err)
{
    struct calibration *fit = task->fit;
    struct least_squares_end end;
    double x[COSTS];
    struct least_squares squares = squares_of(task, x);
    if (!least_squares_search(&squares, x, &end, err)) {
        return false;
    }
    for (size_t i = 0; i < fit->costs; i++) {
        double own = sqrt(gsl_matrix_get(end.covariance, i, i));
        fit->value[i] = exp(end.x[i]);
        fit->standard_error[i] =
            hypot(least_squares_error(&end, i), sqrt(task->carried[fit->id[i]]));
        for (size_t k = 0; k < fit->costs; k++) {
            fit->correlation[i][k] = gsl_matrix_get(end.covariance, i, k) / own /
                                     sqrt(gsl_matrix_get(end.covariance, k, k));
        }
    }
    fit->max_pct = 0;
    for (size_t i = 0; i < task->found->count; i++) {
        double off = 100 * fabs(expm1(end.residual[i] * task->found->rows[i].off));
        if (off >= fit->max_pct) {
            fit->max_pct = off;
            fit->max_row = i;
        }
    }
    least_squares_free(&end);
    return true;
}

/* The one row that alone depends on a cost, and on nothing else; NULL: none. */
static const struct observation *only_row(const struct measurements *found, enum cost_id id)
{
    for (size_t i = 0; found->probe && i < found->count; i++) {
        if (probe_rows[found->rows[i].kind].direct == id && found->rows[i].p90 > 0) {
            return &found->rows[i];
        }
    }
    return NULL;
}

/* As many digits as a measurement is worth. */
static double rounded(double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.5g", value);
    return strtod(text, NULL);
}

/* As far out as a range goes whose 10th or 90th percentile this is. */
static double beyond(double value, double percentile)
{
    return value * pow(percentile / value, RANGE_ERRORS / Z10);
}

static void set_range(const struct measurements *found, struct calibration *fit, size_t i)
{
    enum cost_id id = fit->id[i];
    const struct observation *only = only_row(found, id);
    double spread = exp(RANGE_ERRORS * fit->standard_error[i]);
    fit->direct[i] = only != NULL;
    fit->standard_error[i] = only ? only->off : fit->standard_error[i];
    fit->value[i] = rounded(fit->value[i]);
    double low = rounded(only ? beyond(fit->value[i], fmin(only->p10, fit->value[i]))
                              : fit->value[i] / spread);
    double high = rounded(only ? beyond(fit->value[i], fmax(only->p90, fit->value[i]))
                               : fit->value[i] * spread);
    fit->low[i] = fmax(low, cost_entry[id].min);
    fit->high[i] = fmin(high, cost_entry[id].max);
}

/* The standard error of what the base says of a cost's logarithm; 0: it has no range. */
static double base_error(const struct task *task, enum cost_id id)
{
    const struct cost *cost = &task->base->cost[id];
    bool ranged = cost->low > 0 && cost->low < cost->high;
    return ranged ? log(cost->high / cost->low) / (2 * RANGE_ERRORS) : 0;
}

/* The standard error beyond which a value is none: it may as well be three times as
 * large. A VM's phases hold a little of nearly every cost; there the base is believed
 * where it is more certain and the rows do not contradict it. */
static double max_error(const struct task *task, size_t i)
{
    const struct calibration *fit = task->fit;
    const struct cost *cost = &task->base->cost[fit->id[i]];
    double base = base_error(task, fit->id[i]);
    if (task->named || !task->found->machine || base <= 0) {
        return MAX_ERROR;
    }
    double away = fmax(log(fit->value[i] / cost->high), log(cost->low / fit->value[i]));
    bool contradicts = away > 2 * fit->standard_error[i];
    return contradicts ? MAX_ERROR : fmin(MAX_ERROR, base);
}

/* A cost is about to be left as the base has it. The base may be wrong by its error, and what
 * was fitted beside the cost makes up for that by as much as the two move together. */
static void carry_error(struct task *task, size_t left)
{
    const struct calibration *fit = task->fit;
    double own[COSTS];
    for (size_t i = 0; i < fit->costs; i++) {
        own[i] = sqrt(fit->standard_error[i] * fit->standard_error[i] - task->carried[fit->id[i]]);
    }
    for (size_t i = 0; i < fit->costs; i++) {
        double slope = fit->correlation[i][left] * own[i] / own[left];
        double moved = slope * base_error(task, fit->id[left]);
        task->carried[fit->id[i]] += i != left ? moved * moved : 0;
    }
}

static bool keep_known(struct task *task, bool *dropped, struct error *err)
{
    char why[200];
    const struct calibration *fit = task->fit;
    size_t worst = 0;
    double max = 0;
    for (size_t i = 0; i < fit->costs; i++) {
        double part = fit->standard_error[i] / max_error(task, i);
        worst = part > max ? i : worst;
        max = fmax(max, part);
    }
    if (max < 1) {
        return true;
    }
    snprintf(why, sizeof why, "%s: the rows hardly depend on it, its standard error is %.0f %%%s",
             cost_name[fit->id[worst]], 100 * fit->standard_error[worst],
             fit->standard_error[worst] < MAX_ERROR ? ", more than the base's" : "");
    carry_error(task, worst);
    *dropped = true;
    return give_up(task, worst, why, err);
}

/* What is identified at the start may not be at the end, where the fit is done again
 * without it. */
static bool fit_identified(struct task *task, struct error *err)
{
    bool dropped = true;
    if (!keep_identified(task, &dropped, err)) {
        return false;
    }
    do {
        if (!solve(task, err) || !keep_identified(task, &dropped, err) ||
            (!dropped && !keep_known(task, &dropped, err))) {
            return false;
        }
    } while (dropped);
    return true;
}

/* Takes out what stands for several costs: the rest was fitted beside it. */
static bool take_out_shared(const struct measurements *found, struct calibration *fit,
                            struct error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < fit->costs; i++) {
        if (fit->shared[fit->id[i]]) {
            continue;
        }
        fit->id[kept] = fit->id[i];
        fit->before[kept] = fit->before[i];
        fit->value[kept] = fit->value[i];
        fit->standard_error[kept] = fit->standard_error[i];
        memmove(fit->correlation[kept], fit->correlation[i], sizeof fit->correlation[i]);
        for (size_t k = 0; k < fit->costs; k++) {
            fit->correlation[k][kept] = fit->correlation[k][i];
        }
        kept++;
    }
    fit->costs = kept;
    return kept > 0 || no_cost(found, fit->left[fit->left_count - 1], err);
}

/* Where samples differ by so much, what was measured is what else ran. */
#define BUSY_TIMES 4

/* A platform is made of what an Arm machine did when it had nothing else to do. */
static bool check_machine(const struct measurements *found, struct error *err)
{
    struct source_location at = {.file = found->path};
    if (found->foreign) {
        return error_input(err, &at,
                           "found %s, an instruction of x86: expected dc_civac, measured on an Arm "
                           "machine (--check MACHINE shows what a platform says of these rows)",
                           found->foreign);
    }
    return found->noisiest_times < BUSY_TIMES ||
           error_input(err, &at,
                       "the machine was busy: of '%s' the 90th percentile is %.2g times the 10th, "
                       "expected less than %d; measure again when nothing else runs, or leave that "
                       "row out",
                       found->noisiest, found->noisiest_times, BUSY_TIMES);
}

bool calibrate(const struct measurements *found, const struct platform *base,
               const enum cost_id *named, size_t named_count, struct calibration *fit,
               struct error *err)
{
    struct task task = {.found = found, .base = base, .named = named_count > 0, .fit = fit};
    task.problem = (struct observation_fit){.rows = found->rows, .count = found->count};
    *fit = (struct calibration){.rows = found->count};
    for (int id = 0; id < COSTS; id++) {
        task.problem.value[id] = draw_quantile(&base->cost[id], 0.5);
    }
    keep_limits(found, task.problem.value);
    if (!check_machine(found, err) || !choose(&task, named, named_count, err) ||
        !fit_identified(&task, err) || !take_out_shared(found, fit, err)) {
        return false;
    }
    for (size_t i = 0; i < fit->costs; i++) {
        set_range(found, fit, i);
    }
    return true;
}

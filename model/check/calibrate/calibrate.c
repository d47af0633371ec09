/* The fit of costs to measurements, and what the measurements cannot tell. */
#include "check/calibrate/calibrate_parts.h"
#include "check/predict.h"
#include "core/error.h"
#include "study/draws.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 100

/* Standard error of a cost's logarithm. */
#define WORST_ERROR 1.0

/* A cost's low and high are the ends of a triangle and no percentiles: two standard
 * errors either way, as of a prior, leave draws about as wide as the errors are. */
#define RANGE_ERRORS 2
#define Z10 1.2816 /* standard errors from the median to the 10th or 90th percentile */

/* What a platform file may say. */
static const struct {
    double least, most;
} cost_range[COSTS] = {
#define COST_RANGE(name, unit, least, most, help) {least, most},
    COST_TABLE(COST_RANGE)
#undef COST_RANGE
};

bool observation_says(const struct observation *seen, const double value[COSTS], double *result,
                      struct error *err)
{
    if (seen->row) {
        return predict_ps(seen->row, value, result, err);
    }
    *result = seen->events ? observation_timed_ns(seen, value) : observation_probed(seen, value);
    return true;
}

/* Residuals in units of what a row may be off. */
int calibrate_residuals(const gsl_vector *x, void *context, gsl_vector *f)
{
    struct calibrate_problem *problem = context;
    double value[COSTS];
    memcpy(value, problem->value, sizeof value);
    for (size_t i = 0; i < problem->fit->costs; i++) {
        enum cost_id id = problem->fit->id[i];
        /* A step of the search may overshoot to where simulated time has no numbers. */
        value[id] =
            fmin(fmax(exp(gsl_vector_get(x, i)), cost_range[id].least), cost_range[id].most);
    }
    /* Only what is played is worth a thread. */
#pragma omp parallel for schedule(dynamic) if (problem->found->published.count > 0)
    for (size_t i = 0; i < problem->found->count; i++) {
        const struct observation *seen = &problem->found->rows[i];
        struct error own = {0};
        double result = 1;
        if (!observation_says(seen, value, &result, &own)) {
#pragma omp critical(calibrate_error)
            {
                problem->err = own;
                problem->failed = true;
            }
        }
        gsl_vector_set(f, i, log(result / seen->measured) / seen->off);
    }
    return problem->failed ? GSL_EFAILED : GSL_SUCCESS;
}

static void drop(struct calibration *fit, size_t at)
{
    fit->costs--;
    for (size_t i = at; i < fit->costs; i++) {
        fit->id[i] = fit->id[i + 1];
        fit->before[i] = fit->before[i + 1];
        fit->value[i] = fit->value[i + 1];
    }
}

/* --- the fit --- */

/* A path that is not fitted must not be narrower than the rows allow. */
static void keep_limits(const struct measurements *found, double value[COSTS])
{
    if (found->cmo_path_most_ns > 0) {
        value[COST_cmo_path_ns] = fmin(value[COST_cmo_path_ns], found->cmo_path_most_ns);
    }
    value[COST_writeback_gbps] = fmax(value[COST_writeback_gbps], found->writeback_least_gbps);
}

static gsl_vector *logarithms(const struct calibration *fit)
{
    gsl_vector *x = gsl_vector_alloc(fit->costs);
    for (size_t i = 0; i < fit->costs; i++) {
        gsl_vector_set(x, i, log(fit->value[i]));
    }
    return x;
}

static bool failed(const struct calibrate_problem *problem, struct error *err)
{
    *err = problem->err;
    return false;
}

/* A cost that is not told: refused if it was named, else left as it stands. */
static bool give_up(struct calibrate_problem *problem, struct calibration *fit, size_t which,
                    bool named, const char *why, struct error *err)
{
    if (named) {
        return error_input(err, NULL, "%s", why);
    }
    calibration_leave(fit, why);
    problem->value[fit->id[which]] = fit->before[which];
    keep_limits(problem->found, problem->value);
    drop(fit, which);
    return fit->costs > 0 || error_input(err, NULL, "the rows tell no cost; the last, %s", why);
}

/* A cost that the search has driven out of what a platform file can hold, where the
 * residuals no longer move with it; -1: none. */
static int out_of_range(const struct calibration *fit, char *why, size_t size)
{
    for (size_t i = 0; i < fit->costs; i++) {
        enum cost_id id = fit->id[i];
        double least = cost_range[id].least, most = cost_range[id].most;
        if (!(fit->value[i] >= least && fit->value[i] <= most)) {
            snprintf(why, size, "%s: the rows drive it to %s, expected from %g to %g",
                     cost_name[id], fit->value[i] < least ? "less" : "more", least, most);
            return (int)i;
        }
    }
    return -1;
}

/* Looks at the point that stands in fit->value. A cost that is not told there is
 * refused if it was named, and else left out, until all are told. */
static bool keep_told(struct calibrate_problem *problem, struct calibration *fit, bool named,
                      bool *dropped, struct error *err)
{
    *dropped = false;
    for (;;) {
        char why[200];
        gsl_vector *x = logarithms(fit);
        gsl_matrix *effect = gsl_matrix_alloc(problem->found->count, fit->costs);
        bool good = calibrate_effects(problem, x, effect);
        int which = good ? out_of_range(fit, why, sizeof why) : -1;
        if (good && which < 0) {
            which = calibrate_not_told(problem, effect, fit->shared, why, sizeof why);
        }
        gsl_vector_free(x);
        gsl_matrix_free(effect);
        if (!good) {
            return failed(problem, err);
        }
        if (which < 0) {
            return true;
        }
        if (!give_up(problem, fit, (size_t)which, named, why, err)) {
            return false;
        }
        *dropped = true;
    }
}

/* Standard errors from the rows' own, larger where the residuals are. */
static void read_off(const gsl_multifit_nlinear_workspace *work,
                     const struct calibrate_problem *problem, struct calibration *fit)
{
    gsl_matrix *covariance = gsl_matrix_alloc(fit->costs, fit->costs);
    const gsl_vector *f = gsl_multifit_nlinear_residual(work);
    double square = 0, freedom = (double)f->size - (double)fit->costs;
    gsl_blas_ddot(f, f, &square);
    double scale = freedom > 0 ? fmax(1, sqrt(square / freedom)) : 1;
    gsl_multifit_nlinear_covar(gsl_multifit_nlinear_jac(work), 0, covariance);
    for (size_t i = 0; i < fit->costs; i++) {
        double own = sqrt(gsl_matrix_get(covariance, i, i));
        fit->value[i] = exp(gsl_vector_get(work->x, i));
        fit->standard_error[i] = scale * own;
        for (size_t k = 0; k < fit->costs; k++) {
            fit->correlation[i][k] =
                gsl_matrix_get(covariance, i, k) / own / sqrt(gsl_matrix_get(covariance, k, k));
        }
    }
    fit->worst_pct = 0;
    for (size_t i = 0; i < f->size; i++) {
        double off = 100 * fabs(expm1(gsl_vector_get(f, i) * problem->found->rows[i].off));
        if (off >= fit->worst_pct) {
            fit->worst_pct = off;
            fit->worst_row = i;
        }
    }
    gsl_matrix_free(covariance);
}

static bool solve(struct calibrate_problem *problem, struct calibration *fit, struct error *err)
{
    gsl_multifit_nlinear_parameters parameters = gsl_multifit_nlinear_default_parameters();
    parameters.h_df = CALIBRATE_STEP;
    gsl_multifit_nlinear_workspace *work = gsl_multifit_nlinear_alloc(
        gsl_multifit_nlinear_trust, &parameters, problem->found->count, fit->costs);
    gsl_vector *start = logarithms(fit);
    gsl_multifit_nlinear_fdf fdf = {
        .f = calibrate_residuals, .n = problem->found->count, .p = fit->costs, .params = problem};
    int info;
    int status = gsl_multifit_nlinear_init(start, &fdf, work);
    if (status == GSL_SUCCESS) {
        status = gsl_multifit_nlinear_driver(MOST_STEPS, 1e-6, 1e-6, 1e-9, NULL, NULL, &info, work);
    }
    /* No further progress is an end as good as any for a function of whole events. */
    bool ok = status == GSL_SUCCESS || status == GSL_ENOPROG || status == GSL_EMAXITER;
    if (ok) {
        read_off(work, problem, fit);
    }
    gsl_vector_free(start);
    gsl_multifit_nlinear_free(work);
    return ok || (problem->failed ? failed(problem, err)
                                  : error_run(err, "calibrate: %s", gsl_strerror(status)));
}

/* The one row that alone depends on a cost, and on nothing else; NULL: none. */
static const struct observation *only_row(const struct measurements *found, enum cost_id id)
{
    static const enum cost_id direct[PROBE_KINDS] = {
        [PROBE_ABSENT] = COSTS,         [PROBE_CLEAN] = COSTS,
        [PROBE_DIRTY] = COSTS,          [PROBE_LATENCY] = COST_memory_ns,
        [PROBE_WRITE] = COST_zero_gbps, [PROBE_WRITE_ALL] = COST_zero_path_gbps,
        [PROBE_COPY] = COST_copy_gbps,
    };
    for (size_t i = 0; found->probe && i < found->count; i++) {
        if (direct[found->rows[i].kind] == id && found->rows[i].p90 > 0) {
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
    fit->low[i] = fmax(low, cost_range[id].least);
    fit->high[i] = fmin(high, cost_range[id].most);
}

/* The standard error beyond which a value is none: it may as well be three times as
 * large. A VM's phases hold a little of nearly every cost; there the base is believed
 * where it is more certain and the rows do not contradict it. */
static double most_error(const struct calibrate_problem *problem, size_t i, bool named)
{
    const struct calibration *fit = problem->fit;
    const struct cost *cost = &problem->base->cost[fit->id[i]];
    if (named || !problem->found->machine || cost->low <= 0 || cost->low >= cost->high) {
        return WORST_ERROR;
    }
    double away = fmax(log(fit->value[i] / cost->high), log(cost->low / fit->value[i]));
    bool contradicts = away > 2 * fit->standard_error[i];
    return contradicts ? WORST_ERROR
                       : fmin(WORST_ERROR, log(cost->high / cost->low) / (2 * RANGE_ERRORS));
}

static bool keep_known(struct calibrate_problem *problem, struct calibration *fit, bool named,
                       bool *dropped, struct error *err)
{
    char why[200];
    size_t worst = 0;
    double most = 0;
    for (size_t i = 0; i < fit->costs; i++) {
        double part = fit->standard_error[i] / most_error(problem, i, named);
        worst = part > most ? i : worst;
        most = fmax(most, part);
    }
    if (most < 1) {
        return true;
    }
    snprintf(why, sizeof why, "%s: the rows hardly depend on it, its standard error is %.0f %%%s",
             cost_name[fit->id[worst]], 100 * fit->standard_error[worst],
             fit->standard_error[worst] < WORST_ERROR ? ", more than the base's" : "");
    *dropped = true;
    return give_up(problem, fit, worst, named, why, err);
}

/* What is told at the start may not be at the end, where the fit is done again
 * without it. */
static bool fit_told(struct calibrate_problem *problem, struct calibration *fit, bool named,
                     struct error *err)
{
    bool dropped = true;
    if (!keep_told(problem, fit, named, &dropped, err)) {
        return false;
    }
    do {
        if (!solve(problem, fit, err) || !keep_told(problem, fit, named, &dropped, err) ||
            (!dropped && !keep_known(problem, fit, named, &dropped, err))) {
            return false;
        }
    } while (dropped);
    return true;
}

/* Takes out what stands for several costs: the rest was fitted beside it. */
static bool take_out_shared(struct calibration *fit, struct error *err)
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
    return kept > 0 || error_input(err, NULL, "the rows tell no cost; the last, %s",
                                   fit->left[fit->left_count - 1]);
}

bool calibrate(const struct measurements *found, const struct platform *base,
               const enum cost_id *named, size_t named_count, struct calibration *fit,
               struct error *err)
{
    struct calibrate_problem problem = {.found = found, .fit = fit, .base = base};
    *fit = (struct calibration){.rows = found->count};
    for (int id = 0; id < COSTS; id++) {
        problem.value[id] = draw_quantile(&base->cost[id], 0.5);
    }
    keep_limits(found, problem.value);
    if (!calibrate_choose(found, base, named, named_count, fit, err)) {
        return false;
    }
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    bool good = fit_told(&problem, fit, named_count > 0, err);
    gsl_set_error_handler(handler);
    good = good && take_out_shared(fit, err);
    for (size_t i = 0; good && i < fit->costs; i++) {
        set_range(found, fit, i);
    }
    return good;
}

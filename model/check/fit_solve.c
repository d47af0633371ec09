/* The least squares of a host's fit: its rows' residuals, and the search for where they
 * are smallest, by GSL. */
#include "check/fit_parts.h"
#include "check/predict.h"
#include "core/error.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_multimin.h>
#include <math.h>
#include <string.h>

#define MOST_STEPS 60

/* Where derivatives lead no further a simplex goes on, from so wide (in logarithms) to
 * so narrow: the sum of squares is rough on a small scale. */
#define MOST_MOVES 120
#define SIMPLEX_SIZE 0.3
#define SIMPLEX_END 0.004

/* Times come from whole events in a certain order, so that a derivative needs a
 * step that is more than rounding, and more than what the varying faults add. */
#define STEP 0.1

/* --- residuals --- */

bool fit_row_residuals(const struct fit *fit, const double value[COSTS], double *residual,
                       struct error *err)
{
    size_t stuck = SIZE_MAX;
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < fit->rows; i++) {
        const struct published *row = fit->row[i];
        struct error own;
        double ps = 1;
        if (!predict_ps(row, value, &ps, &own)) {
#pragma omp critical
            if (i < stuck) {
                stuck = i;
                *err = own;
            }
        }
        residual[i] = log(ps / (row->value * row->unit_ps));
    }
    return stuck == SIZE_MAX;
}

/* How far a cost is from its prior, in the prior's standard deviations. */
static double off_prior(const struct cost *cost, double logarithm)
{
    double low = log(cost->prior_low), high = log(cost->prior_high);
    return (logarithm - (low + high) / 2) / ((high - low) / 4);
}

/* The rows' and the priors', in units of what each may be off. */
static int residuals(const gsl_vector *x, void *context, gsl_vector *f)
{
    struct fit_problem *problem = context;
    const struct fit *fit = problem->fit;
    double value[COSTS], residual[FIT_ROWS];
    size_t at = fit->rows;
    memcpy(value, problem->value, sizeof value);
    for (size_t i = 0; i < fit->costs; i++) {
        const struct cost *cost = &problem->platform->cost[fit->id[i]];
        value[fit->id[i]] = exp(gsl_vector_get(x, i));
        if (fit_has_prior(cost)) {
            gsl_vector_set(f, at++, off_prior(cost, gsl_vector_get(x, i)));
        }
    }
    if (!fit_row_residuals(fit, value, residual, &problem->stuck)) {
        return GSL_EFAILED;
    }
    for (size_t i = 0; i < fit->rows; i++) {
        gsl_vector_set(f, i, residual[i] / ROW_ERROR);
    }
    return GSL_SUCCESS;
}

/* --- the search --- */

size_t fit_freedom(const struct fit *fit)
{
    return fit->rows + fit->priors - fit->costs;
}

/* By how much more the rows scatter than their own error says. */
static double scatter(const struct fit *fit)
{
    double freedom = (double)fit_freedom(fit);
    return freedom > 0 ? fmax(1, sqrt(fit->square / freedom)) : 1;
}

/* GSL leaves a cost that no row moves with out and says 0. */
static double error_of(double variance)
{
    return variance > 0 ? sqrt(variance) : INFINITY;
}

static void read_costs(const gsl_multifit_nlinear_workspace *work, double scale, struct fit *fit)
{
    gsl_matrix *covariance = gsl_matrix_alloc(fit->costs, fit->costs);
    const gsl_matrix *effect = gsl_multifit_nlinear_jac(work);
    gsl_multifit_nlinear_covar(effect, 0, covariance);
    fit->told = true;
    for (size_t i = 0; i < fit->costs; i++) {
        fit->value[i] = exp(gsl_vector_get(work->x, i));
        fit->standard_error[i] = scale * error_of(gsl_matrix_get(covariance, i, i));
        fit->told = fit->told && fit->standard_error[i] <= FIT_WORST_ERROR;
        for (size_t k = 0; k < fit->costs; k++) {
            fit->covariance[i][k] = scale * scale * gsl_matrix_get(covariance, i, k);
        }
        for (size_t row = 0; row < fit->rows; row++) {
            double sum = 0;
            for (size_t k = 0; k < fit->costs; k++) {
                sum += gsl_matrix_get(covariance, i, k) * gsl_matrix_get(effect, row, k);
            }
            fit->gain[i][row] = sum / ROW_ERROR;
        }
    }
    gsl_matrix_free(covariance);
}

static void read_rows(const gsl_multifit_nlinear_workspace *work, struct fit *fit)
{
    const gsl_vector *f = gsl_multifit_nlinear_residual(work);
    for (size_t i = 0; i < fit->rows; i++) {
        fit->residual[i] = gsl_vector_get(f, i) * ROW_ERROR;
        fit->worst_pct = fmax(fit->worst_pct, 100 * fabs(expm1(fit->residual[i])));
    }
}

static double sum_of_squares(const gsl_vector *x, void *context)
{
    const struct fit_problem *problem = context;
    gsl_vector *f = gsl_vector_alloc(problem->fit->rows + problem->fit->priors);
    double square = GSL_NAN;
    if (residuals(x, context, f) == GSL_SUCCESS) {
        gsl_blas_ddot(f, f, &square);
    }
    gsl_vector_free(f);
    return square;
}

/* From `x` on, to the least that a simplex finds which goes `wide` into each direction first. */
static void refine(struct fit_problem *problem, gsl_vector *x, double wide)
{
    gsl_multimin_function least = {
        .f = sum_of_squares, .n = problem->fit->costs, .params = problem};
    gsl_multimin_fminimizer *work =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, least.n);
    gsl_vector *size = gsl_vector_alloc(least.n);
    gsl_vector_set_all(size, wide);
    int status = gsl_multimin_fminimizer_set(work, &least, x, size);
    for (int i = 0; i < MOST_MOVES && status == GSL_SUCCESS &&
                    gsl_multimin_fminimizer_size(work) > SIMPLEX_END;
         i++) {
        status = gsl_multimin_fminimizer_iterate(work);
    }
    gsl_vector_memcpy(x, gsl_multimin_fminimizer_x(work));
    gsl_vector_free(size);
    gsl_multimin_fminimizer_free(work);
}

bool fit_solve(struct fit_problem *problem, bool moves, struct fit *fit, struct error *err)
{
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    gsl_multifit_nlinear_parameters parameters = gsl_multifit_nlinear_default_parameters();
    parameters.h_df = STEP;
    gsl_multifit_nlinear_workspace *work = gsl_multifit_nlinear_alloc(
        gsl_multifit_nlinear_trust, &parameters, fit->rows + fit->priors, fit->costs);
    gsl_vector *start = gsl_vector_alloc(fit->costs);
    for (size_t i = 0; i < fit->costs; i++) {
        gsl_vector_set(start, i, log(fit->value[i]));
    }
    gsl_multifit_nlinear_fdf fdf = {
        .f = residuals, .n = fit->rows + fit->priors, .p = fit->costs, .params = problem};
    int info, status = gsl_multifit_nlinear_init(start, &fdf, work);
    if (status == GSL_SUCCESS && moves) {
        /* However that ends, the simplex begins there. */
        (void)gsl_multifit_nlinear_driver(MOST_STEPS, 1e-5, 1e-5, 1e-8, NULL, NULL, &info, work);
        gsl_vector_memcpy(start, gsl_multifit_nlinear_position(work));
        refine(problem, start, SIMPLEX_SIZE);
        refine(problem, start, -SIMPLEX_SIZE);
        status = gsl_multifit_nlinear_init(start, &fdf, work);
    }
    bool ok = status == GSL_SUCCESS;
    if (ok) {
        const gsl_vector *f = gsl_multifit_nlinear_residual(work);
        gsl_blas_ddot(f, f, &fit->square);
        read_costs(work, scatter(fit), fit);
        read_rows(work, fit);
    }
    gsl_vector_free(start);
    gsl_multifit_nlinear_free(work);
    gsl_set_error_handler(handler);
    if (!ok && problem->stuck.text[0]) {
        *err = problem->stuck;
        return false;
    }
    return ok || error_run(err, "fit: %s", gsl_strerror(status));
}

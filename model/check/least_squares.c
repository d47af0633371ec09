#include "check/least_squares.h"

#include "core/alloc.h"
#include "core/error.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multifit.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_multimin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A simplex goes from so wide to so narrow, in so many moves at most. */
#define MAX_MOVES 120
#define SIMPLEX_SIZE 0.3
#define SIMPLEX_END 0.004

#define ROBUST_STEPS 400
#define STILL 0.01 /* standard errors */

/* --- nonlinear --- */

/* A problem as GSL calls it, with room for the arrays that the residuals take. */
struct search {
    const struct least_squares *problem;
    double *x, *residual;
    struct error err;
    bool failed; /* there were no residuals somewhere: err says why */
};

static void search_begin(struct search *search, const struct least_squares *problem)
{
    *search = (struct search){.problem = problem};
    search->x = alloc_zeroed(problem->parameters, sizeof(double), "a fit");
    search->residual = alloc_zeroed(problem->rows, sizeof(double), "a fit");
}

static void search_end(struct search *search)
{
    free(search->x);
    free(search->residual);
}

static int residuals(const gsl_vector *x, void *context, gsl_vector *f)
{
    struct search *search = context;
    const struct least_squares *problem = search->problem;
    for (size_t i = 0; i < problem->parameters; i++) {
        search->x[i] = gsl_vector_get(x, i);
    }
    if (!problem->residuals(problem->context, search->x, search->residual, &search->err)) {
        search->failed = true;
        return GSL_EFAILED;
    }
    for (size_t i = 0; i < problem->rows; i++) {
        gsl_vector_set(f, i, search->residual[i]);
    }
    return GSL_SUCCESS;
}

static double sum_of_squares(const gsl_vector *x, void *context)
{
    const struct search *search = context;
    gsl_vector *f = gsl_vector_alloc(search->problem->rows);
    double square = GSL_NAN;
    if (residuals(x, context, f) == GSL_SUCCESS) {
        gsl_blas_ddot(f, f, &square);
    }
    gsl_vector_free(f);
    return square;
}

/* From `x` on, to the smallest that a simplex finds which goes `width` in each direction first. */
static void refine(struct search *search, gsl_vector *x, double width)
{
    gsl_multimin_function function = {
        .f = sum_of_squares, .n = search->problem->parameters, .params = search};
    gsl_multimin_fminimizer *work =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, function.n);
    gsl_vector *size = gsl_vector_alloc(function.n);
    gsl_vector_set_all(size, width);
    int status = gsl_multimin_fminimizer_set(work, &function, x, size);
    for (int i = 0;
         i < MAX_MOVES && status == GSL_SUCCESS && gsl_multimin_fminimizer_size(work) > SIMPLEX_END;
         i++) {
        status = gsl_multimin_fminimizer_iterate(work);
    }
    gsl_vector_memcpy(x, gsl_multimin_fminimizer_x(work));
    gsl_vector_free(size);
    gsl_multimin_fminimizer_free(work);
}

/* What holds where `work` stands. */
static void read_end(const gsl_multifit_nlinear_workspace *work, struct least_squares_end *end)
{
    const gsl_vector *f = gsl_multifit_nlinear_residual(work);
    const gsl_matrix *effect = gsl_multifit_nlinear_jac(work);
    size_t rows = effect->size1, parameters = effect->size2;
    end->x = alloc_zeroed(parameters, sizeof(double), "a fit");
    end->residual = alloc_zeroed(rows, sizeof(double), "a fit");
    end->effect = gsl_matrix_alloc(rows, parameters);
    end->covariance = gsl_matrix_alloc(parameters, parameters);
    for (size_t i = 0; i < parameters; i++) {
        end->x[i] = gsl_vector_get(work->x, i);
    }
    for (size_t i = 0; i < rows; i++) {
        end->residual[i] = gsl_vector_get(f, i);
    }
    gsl_matrix_memcpy(end->effect, effect);
    gsl_multifit_nlinear_covar(effect, 0, end->covariance);
    gsl_blas_ddot(f, f, &end->square);
    double freedom = (double)rows - (double)parameters;
    end->scatter = freedom > 0 ? fmax(1, sqrt(end->square / freedom)) : 1;
}

bool least_squares_search(const struct least_squares *problem, const double *start,
                          struct least_squares_end *end, struct error *err)
{
    struct search search;
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    gsl_multifit_nlinear_parameters parameters = gsl_multifit_nlinear_default_parameters();
    parameters.h_df = problem->step;
    gsl_multifit_nlinear_workspace *work = gsl_multifit_nlinear_alloc(
        gsl_multifit_nlinear_trust, &parameters, problem->rows, problem->parameters);
    gsl_vector *x = gsl_vector_alloc(problem->parameters);
    gsl_multifit_nlinear_fdf fdf = {
        .f = residuals, .n = problem->rows, .p = problem->parameters, .params = &search};
    search_begin(&search, problem);
    memcpy(x->data, start, problem->parameters * sizeof *start);
    int info, status = gsl_multifit_nlinear_init(x, &fdf, work);
    bool moves = status == GSL_SUCCESS && problem->steps > 0;
    if (moves) {
        status = gsl_multifit_nlinear_driver(problem->steps, problem->precision, problem->precision,
                                             problem->precision / 1000, NULL, NULL, &info, work);
        /* No further progress is an end as good as any for a function of whole events. */
        if (status == GSL_ENOPROG || status == GSL_EMAXITER) {
            status = GSL_SUCCESS;
        }
    }
    if (moves && problem->rough) {
        /* However that ended, the simplex begins there. */
        gsl_vector_memcpy(x, gsl_multifit_nlinear_position(work));
        refine(&search, x, SIMPLEX_SIZE);
        refine(&search, x, -SIMPLEX_SIZE);
        status = gsl_multifit_nlinear_init(x, &fdf, work);
    }
    if (status == GSL_SUCCESS) {
        read_end(work, end);
    } else if (search.failed) {
        *err = search.err;
    } else {
        error_run(err, "fit: %s", gsl_strerror(status));
    }
    search_end(&search);
    gsl_vector_free(x);
    gsl_multifit_nlinear_free(work);
    gsl_set_error_handler(handler);
    return status == GSL_SUCCESS;
}

void least_squares_free(struct least_squares_end *end)
{
    free(end->x);
    free(end->residual);
    gsl_matrix_free(end->effect);
    gsl_matrix_free(end->covariance);
}

/* GSL leaves a parameter that no row moves with out and says 0. */
double least_squares_error(const struct least_squares_end *end, size_t parameter)
{
    double variance = gsl_matrix_get(end->covariance, parameter, parameter);
    return variance > 0 ? end->scatter * sqrt(variance) : INFINITY;
}

bool least_squares_effects(const struct least_squares *problem, const double *x, double step,
                           gsl_matrix *effect, struct error *err)
{
    double *moved = alloc_zeroed(problem->parameters, sizeof *moved, "a fit");
    double *above = alloc_zeroed(problem->rows, sizeof *above, "a fit");
    double *below = alloc_zeroed(problem->rows, sizeof *below, "a fit");
    bool good = true;
    memcpy(moved, x, problem->parameters * sizeof *x);
    for (size_t i = 0; good && i < problem->parameters; i++) {
        moved[i] = x[i] + step;
        good = problem->residuals(problem->context, moved, above, err);
        moved[i] = x[i] - step;
        good = good && problem->residuals(problem->context, moved, below, err);
        moved[i] = x[i];
        for (size_t row = 0; good && row < problem->rows; row++) {
            gsl_matrix_set(effect, row, i, (above[row] - below[row]) / (2 * step));
        }
    }
    free(moved);
    free(above);
    free(below);
    return good;
}

/* --- linear, robust --- */

/* One fit of so many steps. The errors come from the robust scale alone: GSL's own choice
 * mixes in the plain one, which is that of the disturbed rows. */
static int robust(const gsl_matrix *x, const gsl_vector *y, size_t steps, gsl_vector *c,
                  gsl_matrix *covariance, gsl_vector *weights)
{
    gsl_multifit_robust_workspace *work =
        gsl_multifit_robust_alloc(gsl_multifit_robust_huber, x->size1, x->size2);
    gsl_multifit_robust_maxiter(steps, work);
    int status = gsl_multifit_robust(x, y, c, covariance, work);
    gsl_multifit_robust_stats stats = gsl_multifit_robust_statistics(work);
    if (stats.sigma > 0) {
        gsl_matrix_scale(covariance, pow(stats.sigma_rob / stats.sigma, 2));
    }
    gsl_vector_memcpy(weights, stats.weights);
    gsl_multifit_robust_free(work);
    return status;
}

/* The scale is a median: it may jump between two rows for ever. Where one more step moves no
 * parameter by a part of its error, that is as good as an end. */
int least_squares_robust(const gsl_matrix *x, const gsl_vector *y, gsl_vector *c,
                         gsl_matrix *covariance, gsl_vector *weights)
{
    int status = robust(x, y, ROBUST_STEPS, c, covariance, weights);
    if (status != GSL_EMAXITER) {
        return status;
    }
    gsl_vector *before = gsl_vector_alloc(c->size);
    gsl_vector_memcpy(before, c);
    (void)robust(x, y, ROBUST_STEPS + 1, c, covariance, weights);
    status = GSL_SUCCESS;
    for (size_t i = 0; i < c->size; i++) {
        double moved = fabs(gsl_vector_get(c, i) - gsl_vector_get(before, i));
        if (!(moved <= STILL * sqrt(gsl_matrix_get(covariance, i, i)))) {
            status = GSL_EMAXITER;
        }
    }
    gsl_vector_free(before);
    return status;
}

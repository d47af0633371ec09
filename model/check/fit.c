#include "check/fit.h"

#include "check/predict.h"
#include "study/draws.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_linalg.h>
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

/* A cost that may as well be three times as large is not told. */
#define WORST_ERROR 1.0

struct problem {
    double value[COSTS]; /* of the costs that are not fitted: medians */
    const struct platform *platform;
    const struct fit *fit;
};

/* --- residuals --- */

/* The logarithm of predicted over measured for each row. */
static bool row_residuals(const struct fit *fit, const double value[COSTS], double *residual,
                          struct error *err)
{
    bool ok = true;
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < fit->rows; i++) {
        const struct published *row = fit->row[i];
        struct error own;
        double ps = 1;
        if (!predict_ps(row, value, &ps, &own)) {
#pragma omp critical
            {
                ok = false;
                *err = own;
            }
        }
        residual[i] = log(ps / (row->value * row->unit_ps));
    }
    return ok;
}

static bool has_prior(const struct cost *cost)
{
    return cost->prior_low > 0;
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
    const struct problem *problem = context;
    const struct fit *fit = problem->fit;
    double value[COSTS], residual[FIT_ROWS];
    struct error err;
    size_t at = fit->rows;
    memcpy(value, problem->value, sizeof value);
    for (size_t i = 0; i < fit->costs; i++) {
        const struct cost *cost = &problem->platform->cost[fit->id[i]];
        value[fit->id[i]] = exp(gsl_vector_get(x, i));
        if (has_prior(cost)) {
            gsl_vector_set(f, at++, off_prior(cost, gsl_vector_get(x, i)));
        }
    }
    if (!row_residuals(fit, value, residual, &err)) {
        return GSL_EFAILED;
    }
    for (size_t i = 0; i < fit->rows; i++) {
        gsl_vector_set(f, i, residual[i] / ROW_ERROR);
    }
    return GSL_SUCCESS;
}

/* --- what is fitted to what --- */

/* The rows that the host's costs may be fitted to. */
static void collect(const struct published_set *set, const char *host, struct fit *fit)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct published *row = &set->rows[i];
        if (row->role == ROLE_FIT && row->refusal[0] == '\0' && strcmp(row->host, host) == 0 &&
            fit->rows < FIT_ROWS) {
            fit->row[fit->rows++] = row;
        }
    }
}

static void choose_costs(struct problem *problem, struct fit *fit)
{
    for (int id = 0; id < COSTS; id++) {
        const struct cost *cost = &problem->platform->cost[id];
        problem->value[id] = draw_quantile(cost, 0.5);
        if (strcmp(cost->evidence, "fitted") == 0) {
            fit->id[fit->costs] = (enum cost_id)id;
            fit->value[fit->costs++] = cost->mode;
            fit->priors += has_prior(cost);
        }
    }
}

/* A search begins where the prior is: from where it ended the last time it would not
 * leave, the sum of squares being rough on a small scale. Costs without a prior begin
 * `factor` times as large as they stand. */
static void begin_at_priors(const struct problem *problem, double factor, struct fit *fit)
{
    for (size_t i = 0; i < fit->costs; i++) {
        const struct cost *cost = &problem->platform->cost[fit->id[i]];
        fit->value[i] =
            has_prior(cost) ? sqrt(cost->prior_low * cost->prior_high) : factor * fit->value[i];
    }
}

static bool pose(const struct published_set *set, const char *host, struct problem *problem,
                 struct fit *fit, struct error *err)
{
    *fit = (struct fit){0};
    *problem = (struct problem){.fit = fit};
    collect(set, host, fit);
    if (fit->rows == 0) {
        error_input(err, NULL,
                    "no rows of role fit on host '%.80s', expected a host that some have", host);
        return false;
    }
    problem->platform = fit->row[0]->platform;
    choose_costs(problem, fit);
    if (fit->costs == 0 || fit->costs > fit->rows + fit->priors) {
        size_t costs = fit->costs;
        fit->costs = 0;
        return error_input(err, NULL,
                           "host '%s': %zu costs are marked fitted, %zu rows may be fitted to "
                           "and %zu of the costs have a prior",
                           host, costs, fit->rows, fit->priors);
    }
    return true;
}

/* --- the fit --- */

/* Rows and priors beyond what the costs take up. */
static size_t freedom_of(const struct fit *fit)
{
    return fit->rows + fit->priors - fit->costs;
}

/* By how much more the rows scatter than their own error says. */
static double scatter(const struct fit *fit)
{
    double freedom = (double)freedom_of(fit);
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
        fit->told = fit->told && fit->standard_error[i] <= WORST_ERROR;
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
    const struct problem *problem = context;
    gsl_vector *f = gsl_vector_alloc(problem->fit->rows + problem->fit->priors);
    double square = GSL_NAN;
    if (residuals(x, context, f) == GSL_SUCCESS) {
        gsl_blas_ddot(f, f, &square);
    }
    gsl_vector_free(f);
    return square;
}

/* From `x` on, to the least that a simplex finds which goes `wide` into each direction first. */
static void refine(struct problem *problem, gsl_vector *x, double wide)
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

/* Looks at the point that stands in fit->value, after a search from there or not. */
static bool solve(struct problem *problem, bool moves, struct fit *fit, struct error *err)
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
    return ok || error_run(err, "fit: %s", gsl_strerror(status));
}

static bool not_told(const char *host, const struct fit *fit, size_t i, struct error *err)
{
    const char *cost = cost_name[fit->id[i]];
    if (isinf(fit->standard_error[i])) {
        return error_input(err, NULL,
                           "host '%s': no row depends on %s; expected a prior for it, or that it "
                           "is not fitted",
                           host, cost);
    }
    return error_input(err, NULL,
                       "host '%s': the rows hardly depend on %s, its standard error is "
                       "%.0f %%; expected a prior for it, or that it is not fitted",
                       host, cost, 100 * fit->standard_error[i]);
}

/* The best of several searches. */
static bool search(struct problem *problem, struct fit *fit, struct error *err)
{
    static const double factor[] = {1, 0.8, 0.9, 1.1, 1.25};
    struct fit posed = *fit;
    for (size_t i = 0; i < sizeof factor / sizeof *factor; i++) {
        struct fit one = posed;
        begin_at_priors(problem, factor[i], &one);
        if (!solve(problem, true, &one, err)) {
            return false;
        }
        *fit = i == 0 || one.square < fit->square ? one : *fit;
    }
    return true;
}

bool fit_host(const struct published_set *set, const char *host, struct fit *fit, struct error *err)
{
    struct problem problem;
    if (!pose(set, host, &problem, fit, err) || !search(&problem, fit, err)) {
        return false;
    }
    for (size_t i = 0; i < fit->costs; i++) {
        if (!(fit->standard_error[i] <= WORST_ERROR)) {
            return not_told(host, fit, i, err);
        }
    }
    return true;
}

bool fit_standing(const struct published_set *set, const char *host, struct fit *fit,
                  struct error *err)
{
    struct problem problem;
    return pose(set, host, &problem, fit, err) && solve(&problem, false, fit, err);
}

/* --- what the fits leave --- */

static bool first_of_host(const struct published_set *set, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(set->rows[i].host, set->rows[index].host) == 0) {
            return false;
        }
    }
    return true;
}

bool fit_discrepancy(const struct published_set *set, struct discrepancy *off, struct error *err)
{
    struct discrepancy known = {ROW_ERROR, 0};
    double square = 0, freedom = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct fit fit;
        if (!first_of_host(set, i)) {
            continue;
        }
        if (!fit_standing(set, set->rows[i].host, &fit, err)) {
            if (fit.costs == 0) {
                continue; /* nothing of it is fitted */
            }
            return false;
        }
        for (size_t row = 0; row < fit.rows; row++) {
            square += fit.residual[row] * fit.residual[row];
        }
        freedom += (double)freedom_of(&fit);
    }
    *off = freedom > 0 ? (struct discrepancy){sqrt(square / freedom), freedom} : known;
    return true;
}

/* --- draws --- */

/* One number for each cost, as far off as its standard error is, and as related. */
static void vary(const struct fit *fit, const double point[COSTS], double by[COSTS])
{
    gsl_matrix *root = gsl_matrix_alloc(fit->costs, fit->costs);
    for (size_t i = 0; i < fit->costs; i++) {
        for (size_t k = 0; k < fit->costs; k++) {
            gsl_matrix_set(root, i, k, fit->covariance[i][k]);
        }
    }
    gsl_linalg_cholesky_decomp1(root);
    for (size_t i = 0; i < fit->costs; i++) {
        by[i] = 0;
        for (size_t k = 0; k <= i; k++) {
            double u = fmin(fmax(point[fit->id[k]], 1e-3), 1 - 1e-3);
            by[i] += gsl_matrix_get(root, i, k) * gsl_cdf_ugaussian_Pinv(u);
        }
    }
    gsl_matrix_free(root);
}

bool fit_draw(const struct fit *fit, const double point[COSTS], double value[COSTS],
              struct error *err)
{
    double residual[FIT_ROWS], by[COSTS];
    for (size_t i = 0; i < fit->costs; i++) {
        value[fit->id[i]] = fit->value[i];
    }
    if (!row_residuals(fit, value, residual, err)) {
        return false;
    }
    vary(fit, point, by);
    for (size_t i = 0; i < fit->costs; i++) {
        for (size_t row = 0; row < fit->rows; row++) {
            by[i] -= fit->gain[i][row] * (residual[row] - fit->residual[row]);
        }
        value[fit->id[i]] *= exp(by[i]);
    }
    return true;
}

#include "check/fit.h"

#include "check/predict.h"
#include "study/draws.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <math.h>
#include <string.h>

#define MOST_ROWS 64
#define MOST_STEPS 60

/* Times come from whole events in a certain order, so that a derivative needs a
 * step that is more than rounding. */
#define STEP 0.01

struct problem {
    const struct published *rows[MOST_ROWS];
    size_t count;
    double value[COSTS]; /* of the costs that are not fitted: medians */
    const struct fit *fit;
};

/* Residuals in units of what a row may be off by. */
static int residuals(const gsl_vector *x, void *context, gsl_vector *f)
{
    const struct problem *problem = context;
    double value[COSTS];
    int status = GSL_SUCCESS;
    memcpy(value, problem->value, sizeof value);
    for (size_t i = 0; i < problem->fit->costs; i++) {
        value[problem->fit->id[i]] = exp(gsl_vector_get(x, i));
    }
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < problem->count; i++) {
        const struct published *row = problem->rows[i];
        struct error err;
        double ps = 1;
        if (!predict_ps(row, value, &ps, &err)) {
#pragma omp critical
            status = GSL_EFAILED;
        }
        gsl_vector_set(f, i, log(ps / (row->value * row->unit_ps)) / ROW_ERROR);
    }
    return status;
}

/* The rows that the host's costs may be fitted to. */
static void collect(const struct published_set *set, const char *host, struct problem *problem)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct published *row = &set->rows[i];
        if (row->role == ROLE_FIT && row->refusal[0] == '\0' && strcmp(row->host, host) == 0 &&
            problem->count < MOST_ROWS) {
            problem->rows[problem->count++] = row;
        }
    }
}

static void choose_costs(const struct platform *platform, struct problem *problem, struct fit *fit)
{
    for (int id = 0; id < COSTS; id++) {
        const struct cost *cost = &platform->cost[id];
        problem->value[id] = draw_quantile(cost, 0.5);
        if (strcmp(cost->evidence, "fitted") == 0) {
            fit->id[fit->costs] = (enum cost_id)id;
            fit->value[fit->costs++] = cost->mode;
        }
    }
}

/* Standard errors from the rows' own error; larger where the residuals are. */
static void read_off(const gsl_multifit_nlinear_workspace *work, struct fit *fit)
{
    gsl_matrix *covariance = gsl_matrix_alloc(fit->costs, fit->costs);
    const gsl_vector *f = gsl_multifit_nlinear_residual(work);
    double square = 0;
    gsl_blas_ddot(f, f, &square);
    double freedom = (double)fit->rows - (double)fit->costs;
    double scale = freedom > 0 ? fmax(1, sqrt(square / freedom)) : 1;
    gsl_multifit_nlinear_covar(gsl_multifit_nlinear_jac(work), 0, covariance);
    for (size_t i = 0; i < fit->costs; i++) {
        fit->value[i] = exp(gsl_vector_get(work->x, i));
        fit->standard_error[i] = scale * sqrt(gsl_matrix_get(covariance, i, i));
    }
    for (size_t i = 0; i < fit->rows; i++) {
        double off = 100 * fabs(expm1(gsl_vector_get(f, i) * ROW_ERROR));
        fit->worst_pct = fmax(fit->worst_pct, off);
    }
    gsl_matrix_free(covariance);
}

static bool solve(struct problem *problem, struct fit *fit, struct error *err)
{
    gsl_multifit_nlinear_parameters parameters = gsl_multifit_nlinear_default_parameters();
    parameters.h_df = STEP;
    gsl_multifit_nlinear_workspace *work = gsl_multifit_nlinear_alloc(
        gsl_multifit_nlinear_trust, &parameters, problem->count, fit->costs);
    gsl_vector *start = gsl_vector_alloc(fit->costs);
    for (size_t i = 0; i < fit->costs; i++) {
        gsl_vector_set(start, i, log(fit->value[i]));
    }
    gsl_multifit_nlinear_fdf fdf = {
        .f = residuals, .n = problem->count, .p = fit->costs, .params = problem};
    int info;
    gsl_multifit_nlinear_init(start, &fdf, work);
    int status = gsl_multifit_nlinear_driver(MOST_STEPS, 1e-5, 1e-5, 1e-8, NULL, NULL, &info, work);
    /* No further progress is an end as good as any for such a function. */
    bool ok = status == GSL_SUCCESS || status == GSL_ENOPROG || status == GSL_EMAXITER;
    if (ok) {
        read_off(work, fit);
    }
    gsl_vector_free(start);
    gsl_multifit_nlinear_free(work);
    return ok || error_run(err, "fit: %s", gsl_strerror(status));
}

bool fit_host(const struct published_set *set, const char *host, struct fit *fit, struct error *err)
{
    struct problem problem = {.fit = fit};
    *fit = (struct fit){0};
    collect(set, host, &problem);
    if (problem.count == 0) {
        return error_input(
            err, NULL, "no rows of role fit on host '%.80s', expected a host that some have", host);
    }
    choose_costs(problem.rows[0]->platform, &problem, fit);
    fit->rows = problem.count;
    if (fit->costs == 0 || fit->costs > fit->rows) {
        return error_input(err, NULL,
                           "host '%s': %zu costs are marked fitted, %zu rows may be "
                           "fitted to",
                           host, fit->costs, fit->rows);
    }
    return solve(&problem, fit, err);
}

#include "check/fit_parts.h"

#include "core/error.h"
#include "study/draws.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

/* --- what is fitted to what --- */

/* The rows that the host's costs may be fitted to; counts those that there is no room for, too. */
static void collect(const struct published_set *set, const char *host, struct fit *fit)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct published *row = &set->rows[i];
        if (row->role == ROLE_FIT && row->refusal[0] == '\0' && strcmp(row->host, host) == 0) {
            fit->row[fit->rows < FIT_ROWS ? fit->rows : 0] = row;
            fit->rows++;
        }
    }
}

static void choose_costs(struct fit_problem *problem, struct fit *fit)
{
    for (int id = 0; id < COSTS; id++) {
        const struct cost *cost = &problem->platform->cost[id];
        problem->value[id] = draw_quantile(cost, 0.5);
        if (strcmp(cost->evidence, "fitted") == 0) {
            fit->id[fit->costs] = (enum cost_id)id;
            fit->value[fit->costs++] = cost->mode;
            fit->priors += fit_has_prior(cost);
        }
    }
}

/* A search begins where the prior is: from where it ended the last time it would not
 * leave, the sum of squares being rough on a small scale. Costs without a prior begin
 * `factor` times as large as they stand. */
static void begin_at_priors(const struct fit_problem *problem, double factor, struct fit *fit)
{
    for (size_t i = 0; i < fit->costs; i++) {
        const struct cost *cost = &problem->platform->cost[fit->id[i]];
        fit->value[i] =
            fit_has_prior(cost) ? sqrt(cost->prior_low * cost->prior_high) : factor * fit->value[i];
    }
}

static bool pose(const struct published_set *set, const char *host, struct fit_problem *problem,
                 struct fit *fit, struct error *err)
{
    *fit = (struct fit){0};
    *problem = (struct fit_problem){.fit = fit};
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
    return fit->rows <= FIT_ROWS ||
           error_input(err, NULL, "host '%s': found %zu rows of role fit, expected %d at most",
                       host, fit->rows, FIT_ROWS);
}

/* --- the fit --- */

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
static bool search(struct fit_problem *problem, struct fit *fit, struct error *err)
{
    static const double factor[] = {1, 0.8, 0.9, 1.1, 1.25};
    struct fit posed = *fit;
    for (size_t i = 0; i < sizeof factor / sizeof *factor; i++) {
        struct fit one = posed;
        begin_at_priors(problem, factor[i], &one);
        if (!fit_solve(problem, true, &one, err)) {
            return false;
        }
        *fit = i == 0 || one.square < fit->square ? one : *fit;
    }
    return true;
}

bool fit_host(const struct published_set *set, const char *host, struct fit *fit, struct error *err)
{
    struct fit_problem problem;
    if (!pose(set, host, &problem, fit, err) || !search(&problem, fit, err)) {
        return false;
    }
    for (size_t i = 0; i < fit->costs; i++) {
        if (!(fit->standard_error[i] <= FIT_WORST_ERROR)) {
            return not_told(host, fit, i, err);
        }
    }
    return true;
}

bool fit_standing(const struct published_set *set, const char *host, struct fit *fit,
                  struct error *err)
{
    struct fit_problem problem;
    return pose(set, host, &problem, fit, err) && fit_solve(&problem, false, fit, err);
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
        freedom += (double)fit_freedom(&fit);
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
    if (!fit_row_residuals(fit, value, residual, err)) {
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

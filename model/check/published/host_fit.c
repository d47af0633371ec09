#include "check/published/host_fit.h"

#include "check/least_squares.h"
#include "check/published/predict_draws.h"
#include "core/alloc.h"
#include "core/error.h"
#include "study/draws.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A cost that may as well be three times as large is not identified. */
#define MAX_ERROR 1.0

/* Times come from whole events in a certain order, so that a derivative needs a step that is
 * more than rounding, and more than what the varying faults add. */
#define STEP 0.1
#define MAX_STEPS 60
#define PRECISION 1e-5

/* --- what is fitted to what --- */

static bool has_prior(const struct cost *cost)
{
    return cost->prior_low > 0;
}

/* The rows that the host's costs may be fitted to, and the costs. */
static bool pose(const struct published_set *set, const char *host, struct host_fit *fit,
                 struct observation_fit *problem, struct error *err)
{
    *fit = (struct host_fit){0};
    for (size_t i = 0; i < set->count; i++) {
        const struct published *row = &set->rows[i];
        if (row->role == ROLE_FIT && row->refusal[0] == '\0' && strcmp(row->host, host) == 0) {
            fit->row[fit->rows < HOST_FIT_ROWS ? fit->rows : 0] = published_observation(row);
            fit->rows++;
        }
    }
    if (fit->rows == 0) {
        return error_input(
            err, NULL, "no rows of role fit on host '%.80s', expected a host that some have", host);
    }
    *problem = (struct observation_fit){
        .rows = fit->row, .count = fit->rows, .priors = fit->row[0].row->platform};
    for (int id = 0; id < COSTS; id++) {
        const struct cost *cost = &problem->priors->cost[id];
        problem->value[id] = draw_quantile(cost, 0.5);
        if (strcmp(cost->evidence, "fitted") == 0) {
            fit->id[fit->costs] = problem->id[fit->costs] = (enum cost_id)id;
            fit->value[fit->costs++] = cost->mode;
            fit->priors += has_prior(cost);
        }
    }
    problem->costs = fit->costs;
    if (fit->costs == 0 || fit->costs > fit->rows + fit->priors) {
        size_t costs = fit->costs;
        fit->costs = 0;
        return error_input(err, NULL,
                           "host '%s': %zu costs are marked fitted, %zu rows may be fitted to "
                           "and %zu of the costs have a prior",
                           host, costs, fit->rows, fit->priors);
    }
    return fit->rows <= HOST_FIT_ROWS ||
           error_input(err, NULL, "host '%s': found %zu rows of role fit, expected %d at most",
                       host, fit->rows, HOST_FIT_ROWS);
}

static bool has_fitted_cost(const struct platform *platform)
{
    bool found = false;
    for (int id = 0; id < COSTS; id++) {
        found = found || strcmp(platform->cost[id].evidence, "fitted") == 0;
    }
    return found;
}

size_t host_fit_hosts(const struct published_set *set, const char **names, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct published *row = &set->rows[i];
        size_t seen = 0;
        while (seen < count && strcmp(names[seen], row->host) != 0) {
            seen++;
        }
        if (seen == count && count < max && row->role == ROLE_FIT && row->refusal[0] == '\0' &&
            has_fitted_cost(row->platform)) {
            names[count++] = row->host;
        }
    }
    return count;
}

/* --- the fit --- */

static void read_end(const struct least_squares_end *end, struct host_fit *fit)
{
    fit->square = end->square;
    fit->identified = true;
    fit->max_pct = 0;
    for (size_t i = 0; i < fit->costs; i++) {
        fit->value[i] = exp(end->x[i]);
        fit->standard_error[i] = least_squares_error(end, i);
        fit->identified = fit->identified && fit->standard_error[i] <= MAX_ERROR;
        for (size_t k = 0; k < fit->costs; k++) {
            fit->covariance[i][k] =
                end->scatter * end->scatter * gsl_matrix_get(end->covariance, i, k);
        }
        for (size_t row = 0; row < fit->rows; row++) {
            double sum = 0;
            for (size_t k = 0; k < fit->costs; k++) {
                sum += gsl_matrix_get(end->covariance, i, k) * gsl_matrix_get(end->effect, row, k);
            }
            fit->gain[i][row] = sum / ROW_ERROR;
        }
    }
    for (size_t row = 0; row < fit->rows; row++) {
        fit->residual[row] = end->residual[row] * ROW_ERROR;
        fit->max_pct = fmax(fit->max_pct, 100 * fabs(expm1(fit->residual[row])));
    }
}

/* From the point that stands in fit->value, a search (or none) and what holds where it ends. */
static bool solve(struct observation_fit *problem, size_t steps, bool rough, struct host_fit *fit,
                  struct error *err)
{
    const struct least_squares squares = {.parameters = fit->costs,
                                          .rows = fit->rows + fit->priors,
                                          .residuals = observation_residuals,
                                          .context = problem,
                                          .step = STEP,
                                          .steps = steps,
                                          .precision = PRECISION,
                                          .rough = rough};
    struct least_squares_end end;
    double start[COSTS];
    for (size_t i = 0; i < fit->costs; i++) {
        start[i] = log(fit->value[i]);
    }
    if (!least_squares_search(&squares, start, &end, err)) {
        return false;
    }
    read_end(&end, fit);
    least_squares_free(&end);
    return true;
}

/* The best of several searches, and a simplex from there. Each begins where the priors are: from
 * where it ended the last time it would not leave, the sum of squares being rough on a small
 * scale. Costs without a prior begin so many times as large as they stand; where all have one,
 * there is one place to begin. */
static bool search(struct observation_fit *problem, struct host_fit *fit, struct error *err)
{
    static const double factor[] = {1, 0.8, 0.9, 1.1, 1.25};
    struct host_fit posed = *fit;
    size_t places = fit->priors == fit->costs ? 1 : sizeof factor / sizeof *factor;
    for (size_t i = 0; i < places; i++) {
        struct host_fit one = posed;
        for (size_t k = 0; k < one.costs; k++) {
            const struct cost *cost = &problem->priors->cost[one.id[k]];
            one.value[k] = has_prior(cost) ? sqrt(cost->prior_low * cost->prior_high)
                                           : factor[i] * one.value[k];
        }
        if (!solve(problem, MAX_STEPS, false, &one, err)) {
            return false;
        }
        *fit = i == 0 || one.square < fit->square ? one : *fit;
    }
    return solve(problem, MAX_STEPS, true, fit, err);
}

bool host_fit(const struct published_set *set, const char *host, struct host_fit *fit,
              struct error *err)
{
    struct observation_fit problem;
    if (!pose(set, host, fit, &problem, err) || !search(&problem, fit, err)) {
        return false;
    }
    for (size_t i = 0; i < fit->costs; i++) {
        const char *cost = cost_name[fit->id[i]];
        if (isinf(fit->standard_error[i])) {
            return error_input(err, NULL,
                               "host '%s': no row depends on %s; expected a prior for it, or that "
                               "it is not fitted",
                               host, cost);
        }
        if (!(fit->standard_error[i] <= MAX_ERROR)) {
            return error_input(err, NULL,
                               "host '%s': the rows hardly depend on %s, its standard error is "
                               "%.0f %%; expected a prior for it, or that it is not fitted",
                               host, cost, 100 * fit->standard_error[i]);
        }
    }
    return true;
}

bool host_fit_standing(const struct published_set *set, const char *host, struct host_fit *fit,
                       struct error *err)
{
    struct observation_fit problem;
    return pose(set, host, fit, &problem, err) && solve(&problem, 0, false, fit, err);
}

/* --- draws --- */

/* By what the fit rows are off in each draw at the fitted costs as they stand, beyond what the fit
 * leaves: [rows][draws]. */
static bool fill_moves(const struct host_fit *fit, size_t draws, const double (*value)[COSTS],
                       double *move, struct error *err)
{
    struct drawn_times times;
    bool good = true;
    for (size_t row = 0; good && row < fit->rows; row++) {
        drawn_times_alloc(&times, draws);
        good = predict_draws(fit->row[row].row, value, draws, NULL, &times, err);
        for (size_t i = 0; good && i < draws; i++) {
            move[row * draws + i] = log(times.ps[i] / fit->row[row].measured) - fit->residual[row];
        }
        drawn_times_free(&times);
    }
    return good;
}

/* One number for each cost, as far off as its standard error is, and as related. */
static void vary(const struct host_fit *fit, const gsl_matrix *root, const double point[COSTS],
                 double by[COSTS])
{
    for (size_t i = 0; i < fit->costs; i++) {
        by[i] = 0;
        for (size_t k = 0; k <= i; k++) {
            double u = fmin(fmax(point[fit->id[k]], 1e-3), 1 - 1e-3);
            by[i] += gsl_matrix_get(root, i, k) * gsl_cdf_ugaussian_Pinv(u);
        }
    }
}

static gsl_matrix *covariance_root(const struct host_fit *fit)
{
    gsl_matrix *root = gsl_matrix_alloc(fit->costs, fit->costs);
    for (size_t i = 0; i < fit->costs; i++) {
        for (size_t k = 0; k < fit->costs; k++) {
            gsl_matrix_set(root, i, k, fit->covariance[i][k]);
        }
    }
    gsl_linalg_cholesky_decomp1(root);
    return root;
}

bool host_fit_draws(const struct host_fit *fit, size_t draws, const double (*point)[COSTS],
                    double (*value)[COSTS], struct error *err)
{
    double *move = alloc_zeroed(fit->rows * draws, sizeof *move, "draws of a fit");
    for (size_t draw = 0; draw < draws; draw++) {
        for (size_t i = 0; i < fit->costs; i++) {
            value[draw][fit->id[i]] = fit->value[i];
        }
    }
    bool good = fill_moves(fit, draws, (const double(*)[COSTS])value, move, err);
    gsl_matrix *root = covariance_root(fit);
    for (size_t draw = 0; good && draw < draws; draw++) {
        double by[COSTS];
        vary(fit, root, point[draw], by);
        for (size_t i = 0; i < fit->costs; i++) {
            for (size_t row = 0; row < fit->rows; row++) {
                by[i] -= fit->gain[i][row] * move[row * draws + draw];
            }
            value[draw][fit->id[i]] *= exp(by[i]);
        }
    }
    gsl_matrix_free(root);
    free(move);
    return good;
}

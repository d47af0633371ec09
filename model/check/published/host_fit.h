/*
 * host_fit - the costs of a host that its platform file marks as fitted.
 *
 * Nonlinear least squares in the logarithm of the costs and of the times, over the
 * rows of role fit on that host; all other costs stand at the median of their range.
 * Where a fitted cost has a prior in the file, that is one more measurement. The
 * figures in a host's file are what this prints.
 */
#ifndef S2FLUSH_CHECK_PUBLISHED_PUBLISHED_HOST_FIT_H
#define S2FLUSH_CHECK_PUBLISHED_PUBLISHED_HOST_FIT_H

#include "check/observation.h"
#include "check/published/published.h"

struct error;

/* Of one host, at most. */
#define HOST_FIT_ROWS 256

struct host_fit {
    enum cost_id id[COSTS]; /* the fitted costs */
    double value[COSTS];
    double standard_error[COSTS]; /* of the logarithm */
    double covariance[COSTS][COSTS]; /* of the logarithms */
    double gain[COSTS][HOST_FIT_ROWS]; /* how a cost's logarithm follows a row's */
    struct observation row[HOST_FIT_ROWS];
    double residual[HOST_FIT_ROWS]; /* logarithm of predicted over measured */
    size_t costs, rows, priors;
    double square; /* of the rows' and priors' residuals, each in units of its error, the sum */
    double max_pct; /* largest residual */
    bool identified; /* no cost may as well be three times as large */
};

/* The set's hosts that have rows of role fit and costs that are marked as fitted, at most so
 * many; each name once. */
size_t host_fit_hosts(const struct published_set *set, const char **names, size_t max);

/* Fits a host's costs to the rows of role fit. False where there are fewer rows and priors than
 * costs to fit, none of either or more than HOST_FIT_ROWS, where a row gets stuck, or where a
 * cost is hardly identified. */
bool host_fit(const struct published_set *set, const char *host, struct host_fit *fit,
              struct error *err);

/* The same at the costs that stand in the host's file: nothing is searched for.
 * False as above; fit->costs is then 0 where the host has nothing to fit. */
bool host_fit_standing(const struct published_set *set, const char *host, struct host_fit *fit,
                       struct error *err);

/* The costs of draws: `value` holds those that are not fitted, drawn; `point` has one number in
 * (0, 1) for each cost. The fitted ones follow the others, by one Newton step, so that the fit rows
 * stay as they were, and vary around that as their covariance says; the fit must be identified.
 * False where a fit row gets stuck. */
bool host_fit_draws(const struct host_fit *fit, size_t draws, const double (*point)[COSTS],
                    double (*value)[COSTS], struct error *err);

#endif

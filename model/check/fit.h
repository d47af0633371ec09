/*
 * fit - the costs of a host that its platform file marks as fitted.
 *
 * Nonlinear least squares (GSL, Levenberg-Marquardt) in the logarithm of the
 * costs and of the times, over the rows of role fit on that host; all other
 * costs stand at the median of their range. The figures in a host's file are
 * what this prints.
 */
#ifndef S2FLUSH_CHECK_FIT_H
#define S2FLUSH_CHECK_FIT_H

#include "check/published.h"

/* How far a published figure is off by itself (standard deviation, relative):
 * the five repetitions of the 4 KiB CREATE at 20 vCPUs differ by 3 %, the two
 * one-vCPU rows of the dirty-log table, which run the same code, by 7 %, and
 * 0.13 s is rounded to 4 %. */
#define ROW_ERROR 0.03

struct fit {
    enum cost_id id[COSTS]; /* the fitted costs */
    double value[COSTS];
    double standard_error[COSTS]; /* relative */
    size_t costs;
    size_t rows;
    double worst_pct; /* largest residual */
};

/* Fits a host's costs to the rows of role fit. False where there are fewer rows
 * than costs to fit, or none of either. */
bool fit_host(const struct published_set *set, const char *host, struct fit *fit,
              struct error *err);

#endif

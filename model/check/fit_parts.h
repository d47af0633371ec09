/*
 * fit_parts - what the files behind fit.h share; not for others.
 */
#ifndef S2FLUSH_CHECK_FIT_PARTS_H
#define S2FLUSH_CHECK_FIT_PARTS_H

#include "check/fit.h"
#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

/* A cost that may as well be three times as large is not told. */
#define FIT_WORST_ERROR 1.0

struct fit_problem {
    double value[COSTS]; /* of the costs that are not fitted: medians */
    const struct platform *platform;
    const struct fit *fit;
    struct error stuck; /* of a row that got stuck, if its text is not empty */
};

static inline bool fit_has_prior(const struct cost *cost)
{
    return cost->prior_low > 0;
}

/* The logarithm of predicted over measured for each row, into residual[fit->rows], at
 * these costs. False where a row gets stuck;
 * the error is of the first that does. */
bool fit_row_residuals(const struct fit *fit, const double value[COSTS], double *residual,
                       struct error *err);

/* Rows and priors beyond what the costs take up. */
size_t fit_freedom(const struct fit *fit);

/* Looks at the point that stands in fit->value, after a search from there (`moves`) or not,
 * and fills in the costs there, their errors and the residuals. False where a row gets stuck
 * there, or GSL fails. */
bool fit_solve(struct fit_problem *problem, bool moves, struct fit *fit, struct error *err);

#endif

/*
 * least_squares - the point at which the sum of squared residuals is smallest, by GSL.
 *
 * Nonlinear: Levenberg-Marquardt, and where residuals are rough on a small scale a
 * simplex from where that ends. Linear: robust (Huber), so that a few disturbed rows
 * weigh little.
 */
#ifndef S2FLUSH_CHECK_LEAST_SQUARES_H
#define S2FLUSH_CHECK_LEAST_SQUARES_H

#include <gsl/gsl_matrix.h>
#include <gsl/gsl_vector.h>
#include <stdbool.h>
#include <stddef.h>

struct error;

struct least_squares {
    size_t parameters, rows;
    /* The residuals at x, each in units of what it may be off. False with a line in err
     * where there are none. */
    bool (*residuals)(void *context, const double *x, double *residual, struct error *err);
    void *context;
    double step; /* of a derivative, relative to x */
    size_t steps; /* of the search, at most; 0: only the start is looked at */
    double precision; /* at which the search ends */
    bool rough; /* a simplex goes on from there */
};

/* Where a search ended, and what holds there. */
struct least_squares_end {
    double *x, *residual; /* [parameters], [rows] */
    gsl_matrix *effect; /* rows x parameters: derivatives of the residuals */
    gsl_matrix *covariance; /* of the parameters, from the rows' own errors */
    double square; /* of the residuals, the sum */
    double scatter; /* by how much more the rows scatter than their errors say; at least 1 */
};

/* False with a line where there are no residuals, or GSL fails; there is nothing to free then. */
bool least_squares_search(const struct least_squares *problem, const double *start,
                          struct least_squares_end *end, struct error *err);
void least_squares_free(struct least_squares_end *end);

/* The standard error of a parameter; infinite where no row moves with it. */
double least_squares_error(const struct least_squares_end *end, size_t parameter);

/* The derivatives of the residuals by central differences of that step, absolute. */
bool least_squares_effects(const struct least_squares *problem, const double *x, double step,
                           gsl_matrix *effect, struct error *err);

/* c of y = x c, with its covariance by the robust scale and each row's weight (1: not
 * disturbed). Returns a status of GSL. */
int least_squares_robust(const gsl_matrix *x, const gsl_vector *y, gsl_vector *c,
                         gsl_matrix *covariance, gsl_vector *weights);

#endif

/*
 * ridge - linear least squares with slopes held back, and what a fit says of values that it has not
 * seen.
 *
 * A value is the level of its group plus columns times slopes. Slopes are drawn towards 0, those of
 * all columns alike (so their scale says how far each may go), as strongly as makes each value come
 * out nearest by the fit to all others. Additions, multiplications, divisions and square roots in a
 * written order: the same bits on every system.
 */
#ifndef S2FLUSH_STUDY_RIDGE_H
#define S2FLUSH_STUDY_RIDGE_H

#include <stddef.h>

struct ridge_data {
    const double *x; /* [n][columns] */
    const double *y; /* [n] */
    const unsigned *group; /* [n], each below RIDGE_GROUPS */
    size_t n, columns;
};

#define RIDGE_GROUPS 8

/* Fills slope[columns], and miss[n]: a value less what the fit to all others says of it; 0 where it
 * is alone in its group, of whose level nothing else is known. Returns the sum of their squares. */
double ridge_fit(const struct ridge_data *data, double *slope, double *miss);

/* The same without columns: a value less the mean of the others in its group. */
double ridge_level(const struct ridge_data *data, double *miss);

#endif

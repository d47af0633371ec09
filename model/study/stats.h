/*
 * stats - what many draws of one metric come to.
 */
#ifndef S2FLUSH_STUDY_STATS_H
#define S2FLUSH_STUDY_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spread {
    bool known; /* the metric exists for this point */
    double mode; /* with every cost at its mode */
    uint64_t n; /* draws behind what follows; 0: none of it is known */
    uint64_t fitted; /* so many of them to the others (study/draw_fit.h) */
    double mean, p10, p50, p90;
    /* 95 % confidence interval of the mean, by the spread over the shifts;
     * known from two shifts on. */
    bool has_interval;
    double interval_low, interval_high;
};

double stats_mean(const double *values, size_t n); /* n > 0 */

/* The sum of squares of what the values are off their mean, n > 0; and the standard deviation of
 * what they are a sample of, n > 1. */
double stats_squares(const double *values, size_t n);
double stats_deviation(const double *values, size_t n);

/* How many standard errors a 95 % confidence interval of a mean of n values goes to each side, by
 * Student's t, n > 1. To 9 digits, as many as any system's library agrees on. */
double stats_errors(size_t n);

/* The f-quantile of n values, interpolated between neighbours: 0 <= f <= 1, n > 0. The values
 * may be in another order afterwards. */
double stats_quantile(double *values, size_t n, double f);

/* How far the quantiles of n values are from those of all that they are a sample of, 95 % sure, by
 * how many values may lie below a quantile of all; values of a lattice are nearer than that.
 * INFINITY: n is too small to say it. */
struct quantile_error {
    double p50, ends; /* of p10 and p90, the larger one */
};
struct quantile_error stats_quantile_error(double *values, size_t n);

/* Fills n and what follows from n values, those of one shift together. The
 * values may be in another order afterwards. */
void spread_fill(struct spread *spread, double *values, size_t n, size_t shifts);

/* The same for n values that are all `value`. */
void spread_constant(struct spread *spread, double value, size_t n, size_t shifts);

#endif

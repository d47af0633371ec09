/*
 * sobol - which inputs the variance of an output comes from.
 *
 * First-order index: the share of the variance that goes away, on average, when
 * the input is known. Total index: the share that stays when all others are.
 * Estimated as Saltelli et al. 2010 recommend: two sets of n points, A and B,
 * and for each input the points of A with that input taken from B; first order
 * by Saltelli's product, total by Jansen's squared difference. Intervals are
 * percentiles over bootstrap samples of the n points.
 */
#ifndef S2FLUSH_STUDY_SOBOL_H
#define S2FLUSH_STUDY_SOBOL_H

#include <stddef.h>
#include <stdint.h>

#define SOBOL_INPUTS 64

struct sobol_plan {
    uint64_t seed;
    size_t inputs, points; /* at most SOBOL_INPUTS inputs; n points */
    size_t bootstrap; /* samples behind the intervals */
};

struct sobol_index {
    double first, first_low, first_high; /* 95 % */
    double total, total_low, total_high;
};

struct sobol_result {
    double mean, variance;
    struct sobol_index index[SOBOL_INPUTS]; /* all 0 where nothing varies */
};

/* How many outputs sobol_indices takes: points x (inputs + 2). */
size_t sobol_count(const struct sobol_plan *plan);

/* The point behind output i: `inputs` numbers from 0 to 1. The first 40
 * coordinates of A and B are a Sobol sequence, shifted at random; GSL's has no
 * more, further ones are random. `base` is what sobol_base made, or what each of its numbers was
 * turned into. */
double *sobol_base(const struct sobol_plan *plan); /* the caller frees it */
void sobol_point(const struct sobol_plan *plan, const double *base, size_t i, double *u);

/* The indices, from the outputs in that order. */
void sobol_indices(const struct sobol_plan *plan, const double *output,
                   struct sobol_result *result);

#endif

/*
 * information - what knowing one input would do for a decision.
 *
 * The draws are sorted by the input and cut into bins; within a bin it is as
 * good as known. The share of bins without a clear winner, less the same for
 * bins by pure chance (fewer draws agree more easily), is what measuring the
 * input would be worth.
 */
#ifndef S2FLUSH_STUDY_INFORMATION_H
#define S2FLUSH_STUDY_INFORMATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decision {
    const double *values; /* [strategies][draws] */
    size_t strategies, draws;
    const bool *may; /* which may win */
};

/* Whether none wins clearly among the draws. */
bool information_undecided(const struct decision *decision);

/* The share of undecided bins where input[draws] is known. */
double information_known(const struct decision *decision, const double *input);

/* The same for numbers that have nothing to do with it: random orders, the same ones
 * for all decisions over as many draws. */
#define INFORMATION_ORDERS 20
void information_chance(const struct decision *decision, uint64_t seed,
                        double share[INFORMATION_ORDERS]);

/* What a gain, which is a share, must reach to be more than chance, where gains of
 * numbers that have nothing to do with the decision have `noise` as their standard
 * deviation (NAN: not known). Three of them: the luckiest of two dozen costs reaches two
 * in four tables of ten. */
double information_least_gain(double noise);

#endif

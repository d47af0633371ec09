/*
 * crossing - where a difference changes its sign.
 */
#ifndef S2FLUSH_STUDY_CROSSING_H
#define S2FLUSH_STUDY_CROSSING_H

#include <stdbool.h>
#include <stddef.h>

/* Between which two of n values the sign changes for the `nth` time (0: the
 * first). Values of 0 have no sign and are passed over. */
struct bracket {
    size_t low, high;
};
bool crossing_bracket(const double *difference, size_t n, size_t nth, struct bracket *bracket);

/* The sign of the first value that has one; 0 where all are 0. */
int crossing_sign(const double *difference, size_t n);

/* A difference along an axis. It may raise `stop` where there is none. */
struct crossing_function {
    double (*at)(double x, void *context);
    void *context;
    bool stop;
};

/* Where a line between the two ends, where the function is known and of different signs, has its
 * root. */
double crossing_guess(double low, double at_low, double high, double at_high);

/* The root between them, in as few looks as may be: each is a simulation. step 0: to 1e-4 of the
 * interval. Else the axis takes whole multiples of the step, and the result is the first of them
 * behind the change (or within a thousandth of it). Where `wide` is more than that, it will do that
 * the root is so near, by looks to both sides of it or by how the curve bends. */
double crossing_root(struct crossing_function *function, double low, double at_low, double high,
                     double at_high, double step, double wide);

#endif

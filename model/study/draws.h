/*
 * draws - values for a machine's uncertain costs.
 *
 * Each cost is log-triangular between its low and its high with the peak at
 * its mode (triangular in the logarithm). The points come from a
 * low-discrepancy sequence that is shifted at random, modulo 1, so that they
 * fill the cube evenly and several shifts still tell how far a mean is off.
 * A draw depends on the seed, the machine's name and its number alone, and
 * each cost keeps its own dimension whichever others are fixed: strategies and
 * points are compared under the same draws.
 */
#ifndef S2FLUSH_STUDY_DRAWS_H
#define S2FLUSH_STUDY_DRAWS_H

#include "machine/platform.h"

#define DRAW_SEQUENCE_CHOICES(X)               \
    X(DRAW_SOBOL, "sobol", "Sobol's sequence") \
    X(DRAW_HALTON, "halton", "Halton's sequence")
CHOICE_ENUM(draw_sequence, DRAW_SEQUENCE_CHOICES);

struct draw_plan {
    uint64_t seed;
    uint64_t draws, shifts; /* draws is a multiple of shifts */
    enum draw_sequence sequence;
};

/* The u-quantile of a cost, 0 <= u <= 1. A cost without spread is its mode; one
 * whose low is 0 has no logarithm and is triangular as it stands. */
double draw_quantile(const struct cost *cost, double u);

/* The u-quantile of a triangle between low and high with its peak at the mode; low < high. */
double draw_triangle(double low, double mode, double high, double u);

/* Fills points[draws][COSTS] with the points themselves, each in [0, 1), for the
 * machine of that name. */
void draw_points(const struct draw_plan *plan, const char *name, double (*points)[COSTS]);

/* The parts into which what is not a cost is cut: a draw has the middle quantile of one of them,
 * so that few structures are played however many draws there are. */
#define DRAW_STRATA 4

/* Fills strata[draws] with 0 to DRAW_STRATA - 1, for the machine of that name: evenly within a
 * shift, and independent of the points. */
void draw_strata(const struct draw_plan *plan, const char *name, unsigned *strata);

/* The costs of a machine at one of these points. */
void draw_at(const struct platform *platform, const double point[COSTS], double value[COSTS]);

/* Fills values[draws][COSTS]. Draws of one shift stand together: draw i belongs
 * to shift i / (draws / shifts). */
void draw_costs(const struct draw_plan *plan, const struct platform *platform,
                double (*values)[COSTS]);

#endif

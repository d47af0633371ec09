#include "study/draws.h"

#include "core/alloc.h"
#include "core/portable_math.h"
#include "core/rng.h"

#include <gsl/gsl_qrng.h>
#include <math.h>
#include <string.h>
#include <xxhash.h>

_Static_assert(COSTS <= 40, "GSL's Sobol sequence has 40 dimensions");

/* Inverse distribution of a triangle. */
double draw_triangle(double low, double mode, double high, double u)
{
    double left = (mode - low) / (high - low);
    return u < left ? low + sqrt(u * (high - low) * (mode - low))
                    : high - sqrt((1 - u) * (high - low) * (high - mode));
}

double draw_quantile(const struct cost *cost, double u)
{
    if (cost->high <= cost->low) {
        return cost->mode;
    }
    double value =
        cost->low > 0
            ? portable_exp(draw_triangle(portable_log(cost->low), portable_log(cost->mode),
                                         portable_log(cost->high), u))
            : draw_triangle(cost->low, cost->mode, cost->high, u);
    /* The way through the logarithm may end a last digit outside. */
    return fmin(fmax(value, cost->low), cost->high);
}

/* GSL leaves out the sequence's first point, the origin; with it any 2^k points
 * in a row from the start fill the cube evenly. */
static void next_point(gsl_qrng *sequence, uint64_t index, double point[COSTS])
{
    if (index == 0) {
        memset(point, 0, COSTS * sizeof *point);
    } else {
        gsl_qrng_get(sequence, point);
    }
}

static void draw_shift(const struct draw_plan *plan, const char *name, uint64_t shift,
                       gsl_qrng *sequence, gsl_rng *rng, double (*points)[COSTS])
{
    double by[COSTS], point[COSTS];
    uint64_t machine = XXH3_64bits(name, strlen(name));
    rng_stream(rng, plan->seed, machine, shift, 0);
    for (int id = 0; id < COSTS; id++) {
        by[id] = gsl_rng_uniform(rng);
    }
    gsl_qrng_init(sequence);
    for (uint64_t i = 0; i < plan->draws / plan->shifts; i++) {
        next_point(sequence, i, point);
        for (int id = 0; id < COSTS; id++) {
            double u = point[id] + by[id];
            points[i][id] = u - floor(u);
        }
    }
}

/* By steps of the golden section, which fall evenly whatever their number. */
void draw_strata(const struct draw_plan *plan, const char *name, unsigned *strata)
{
    const double golden = 0.6180339887498949;
    gsl_rng *rng = alloc_checked(gsl_rng_alloc(rng_xoshiro256ss), "the draws");
    uint64_t each = plan->draws / plan->shifts;
    for (uint64_t shift = 0; shift < plan->shifts; shift++) {
        rng_stream(rng, plan->seed, XXH3_64bits(name, strlen(name)), shift, 1);
        double by = gsl_rng_uniform(rng);
        for (uint64_t i = 0; i < each; i++) {
            double u = by + (double)i * golden;
            strata[shift * each + i] = (unsigned)((u - floor(u)) * DRAW_STRATA);
        }
    }
    gsl_rng_free(rng);
}

void draw_points(const struct draw_plan *plan, const char *name, double (*points)[COSTS])
{
    const gsl_qrng_type *type = plan->sequence == DRAW_HALTON ? gsl_qrng_halton : gsl_qrng_sobol;
    gsl_qrng *sequence = alloc_checked(gsl_qrng_alloc(type, COSTS), "the draws");
    gsl_rng *rng = alloc_checked(gsl_rng_alloc(rng_xoshiro256ss), "the draws");
    uint64_t each = plan->draws / plan->shifts;
    for (uint64_t shift = 0; shift < plan->shifts; shift++) {
        draw_shift(plan, name, shift, sequence, rng, points + shift * each);
    }
    gsl_rng_free(rng);
    gsl_qrng_free(sequence);
}

void draw_at(const struct platform *platform, const double point[COSTS], double value[COSTS])
{
    for (int id = 0; id < COSTS; id++) {
        value[id] = draw_quantile(&platform->cost[id], point[id]);
    }
}

void draw_costs(const struct draw_plan *plan, const struct platform *platform,
                double (*values)[COSTS])
{
    draw_points(plan, platform->name, values);
    for (uint64_t i = 0; i < plan->draws; i++) {
        draw_at(platform, values[i], values[i]);
    }
}

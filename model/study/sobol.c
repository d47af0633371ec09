#include "study/sobol.h"

#include "core/alloc.h"
#include "core/rng.h"
#include "study/stats.h"

#include <gsl/gsl_qrng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEQUENCE_INPUTS 40 /* as many as GSL's Sobol sequence has */
#define STREAM_SHIFT 1
#define STREAM_BOOTSTRAP 2

static gsl_rng *stream(const struct sobol_plan *plan, uint64_t which)
{
    gsl_rng *rng = alloc_checked(gsl_rng_alloc(rng_xoshiro256ss), "a sensitivity");
    rng_stream(rng, plan->seed, plan->inputs, which, 0);
    return rng;
}

size_t sobol_count(const struct sobol_plan *plan)
{
    return plan->points * (plan->inputs + 2);
}

/* --- points --- */

/* Rows of 2 x inputs coordinates: those of A, then those of B. */
double *sobol_base(const struct sobol_plan *plan)
{
    size_t width = 2 * plan->inputs;
    unsigned sequence_width = (unsigned)(width < SEQUENCE_INPUTS ? width : SEQUENCE_INPUTS);
    double *base = alloc_zeroed(plan->points * width, sizeof *base, "values of a sensitivity");
    double *shift = alloc_zeroed(width, sizeof *shift, "values of a sensitivity"),
           point[SEQUENCE_INPUTS] = {0};
    gsl_rng *rng = stream(plan, STREAM_SHIFT);
    gsl_qrng *sequence =
        alloc_checked(gsl_qrng_alloc(gsl_qrng_sobol, sequence_width), "a sensitivity");
    for (size_t i = 0; i < width; i++) {
        shift[i] = gsl_rng_uniform(rng);
    }
    for (size_t row = 0; row < plan->points; row++) {
        for (size_t i = 0; i < width; i++) {
            double u = i < sequence_width ? point[i] + shift[i] : gsl_rng_uniform(rng);
            base[row * width + i] = u - floor(u);
        }
        /* The first point, the origin, is one that GSL leaves out. */
        gsl_qrng_get(sequence, point);
    }
    gsl_qrng_free(sequence);
    gsl_rng_free(rng);
    free(shift);
    return base;
}

/* Outputs stand in blocks of n: A, B, then A with one input of B, by input. */
void sobol_point(const struct sobol_plan *plan, const double *base, size_t i, double *u)
{
    size_t block = i / plan->points, p = plan->inputs;
    const double *a = base + i % plan->points * 2 * p, *b = a + p;
    memcpy(u, block == 1 ? b : a, p * sizeof *u);
    if (block >= 2) {
        u[block - 2] = b[block - 2];
    }
}

/* --- indices --- */

/* What outputs of chosen rows have in common for all inputs. */
struct chosen {
    const size_t *rows;
    double mean, variance;
};

static struct chosen choose(const struct sobol_plan *plan, const double *output, const size_t *rows)
{
    size_t n = plan->points;
    const double *a = output, *b = output + n;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[rows[i]] + b[rows[i]];
    }
    double mean = sum / (2 * (double)n);
    for (size_t i = 0; i < n; i++) {
        size_t row = rows[i];
        squares += (a[row] - mean) * (a[row] - mean) + (b[row] - mean) * (b[row] - mean);
    }
    return (struct chosen){rows, mean, squares / (2 * (double)n)};
}

/* What one input's indices are, from these rows. */
static void estimate(const struct sobol_plan *plan, const double *output,
                     const struct chosen *chosen, size_t input, double *first, double *total)
{
    size_t n = plan->points;
    const double *a = output, *b = output + n, *mixed = output + (input + 2) * n;
    double product = 0, jansen = 0, mean = chosen->mean, variance = chosen->variance;
    for (size_t i = 0; i < n; i++) {
        size_t row = chosen->rows[i];
        jansen += (a[row] - mixed[row]) * (a[row] - mixed[row]);
        product += (b[row] - mean) * (mixed[row] - a[row]);
    }
    *first = variance > 0 ? product / (double)n / variance : 0;
    *total = variance > 0 ? jansen / (2 * (double)n) / variance : 0;
}

static void interval(double *values, size_t n, double *low, double *high)
{
    *low = stats_quantile(values, n, 0.025);
    *high = stats_quantile(values, n, 0.975);
}

/* Every input sees the same bootstrap samples. */
static void bootstrap(const struct sobol_plan *plan, const double *output, size_t *rows,
                      struct sobol_index *index)
{
    size_t n = plan->bootstrap;
    double *first = alloc_zeroed(plan->inputs * n, sizeof *first, "values of a sensitivity");
    double *total = alloc_zeroed(plan->inputs * n, sizeof *total, "values of a sensitivity");
    gsl_rng *rng = stream(plan, STREAM_BOOTSTRAP);
    for (size_t sample = 0; sample < n; sample++) {
        for (size_t i = 0; i < plan->points; i++) {
            rows[i] = gsl_rng_uniform_int(rng, plan->points);
        }
        struct chosen chosen = choose(plan, output, rows);
        for (size_t input = 0; input < plan->inputs; input++) {
            size_t at = input * n + sample;
            estimate(plan, output, &chosen, input, &first[at], &total[at]);
        }
    }
    for (size_t i = 0; i < plan->inputs; i++) {
        interval(first + i * n, n, &index[i].first_low, &index[i].first_high);
        interval(total + i * n, n, &index[i].total_low, &index[i].total_high);
    }
    gsl_rng_free(rng);
    free(first);
    free(total);
}

void sobol_indices(const struct sobol_plan *plan, const double *output, struct sobol_result *result)
{
    size_t *rows = alloc_zeroed(plan->points, sizeof *rows, "values of a sensitivity");
    memset(result, 0, sizeof *result);
    result->mean = stats_mean(output, 2 * plan->points);
    result->variance = stats_squares(output, 2 * plan->points) / (2 * (double)plan->points - 1);
    for (size_t i = 0; i < plan->points; i++) {
        rows[i] = i;
    }
    struct chosen all = choose(plan, output, rows);
    for (size_t input = 0; input < plan->inputs; input++) {
        struct sobol_index *index = &result->index[input];
        estimate(plan, output, &all, input, &index->first, &index->total);
    }
    if (plan->bootstrap > 0) {
        bootstrap(plan, output, rows, result->index);
    }
    free(rows);
}

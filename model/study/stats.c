#include "study/stats.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

#define CONFIDENCE 0.95
#define SHIFTS_MAX 1024

/* The means of the shifts are independent; their mean is nearly normal, and
 * Student's t says how far it may be off. */
static void fill_interval(struct spread *spread, const double *values, size_t n, size_t shifts)
{
    double mean[SHIFTS_MAX];
    size_t each = n / shifts;
    for (size_t i = 0; i < shifts; i++) {
        mean[i] = gsl_stats_mean(values + i * each, 1, each);
    }
    double freedom = (double)(shifts - 1);
    double t = gsl_cdf_tdist_Pinv(0.5 + CONFIDENCE / 2, freedom);
    double half = t * gsl_stats_sd(mean, 1, shifts) / sqrt((double)shifts);
    spread->has_interval = true;
    spread->interval_low = spread->mean - half;
    spread->interval_high = spread->mean + half;
}

void spread_fill(struct spread *spread, double *values, size_t n, size_t shifts)
{
    spread->n = n;
    spread->has_interval = false;
    if (n == 0) {
        return;
    }
    spread->mean = gsl_stats_mean(values, 1, n);
    if (shifts > 1 && shifts <= SHIFTS_MAX && n % shifts == 0) {
        fill_interval(spread, values, n, shifts);
    }
    gsl_sort(values, 1, n);
    spread->p10 = gsl_stats_quantile_from_sorted_data(values, 1, n, 0.1);
    spread->p50 = gsl_stats_quantile_from_sorted_data(values, 1, n, 0.5);
    spread->p90 = gsl_stats_quantile_from_sorted_data(values, 1, n, 0.9);
}

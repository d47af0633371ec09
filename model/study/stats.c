#include "study/stats.h"

#include "core/portable_math.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

#define CONFIDENCE 0.95
#define NORMAL_ERRORS 1.96 /* standard deviations to either side that this takes */
#define SHIFTS_MAX 1024

/* Not GSL's, which are sums in long double: that differs between systems. */
double stats_mean(const double *values, size_t n)
{
    return portable_sum(values, n) / (double)n;
}

double stats_squares(const double *values, size_t n)
{
    double mean = stats_mean(values, n), square = 0, lost = 0;
    for (size_t i = 0; i < n; i++) {
        double off = values[i] - mean;
        square += off * off;
        lost += off;
    }
    return square - lost * lost / (double)n; /* the mean, too, is rounded */
}

double stats_deviation(const double *values, size_t n)
{
    return sqrt(fmax(0, stats_squares(values, n)) / (double)(n - 1));
}

double stats_errors(size_t n)
{
    return round(1e8 * gsl_cdf_tdist_Pinv(0.5 + CONFIDENCE / 2, (double)(n - 1))) / 1e8;
}

/* The means of the shifts are independent; their mean is nearly normal. */
static void fill_interval(struct spread *spread, const double *values, size_t n, size_t shifts)
{
    double mean[SHIFTS_MAX];
    size_t each = n / shifts;
    for (size_t i = 0; i < shifts; i++) {
        mean[i] = stats_mean(values + i * each, each);
    }
    double half = stats_errors(shifts) * stats_deviation(mean, shifts) / sqrt((double)shifts);
    spread->has_interval = true;
    spread->interval_low = spread->mean - half;
    spread->interval_high = spread->mean + half;
}

static bool has_shifts(size_t n, size_t shifts)
{
    return shifts > 1 && shifts <= SHIFTS_MAX && n % shifts == 0;
}

void spread_constant(struct spread *spread, double value, size_t n, size_t shifts)
{
    spread->n = n;
    spread->has_interval = n > 0 && has_shifts(n, shifts);
    spread->mean = spread->p10 = spread->p50 = spread->p90 = value;
    spread->interval_low = spread->interval_high = value;
}

static bool all_equal(const double *values, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (values[i] != values[0]) {
            return false;
        }
    }
    return n > 0;
}

/* As gsl_stats_quantile_from_sorted_data, for which all would be sorted first: selecting moves
 * what is larger behind the place where the quantile is. */
double stats_quantile(double *values, size_t n, double f)
{
    double index = f * (double)(n - 1);
    size_t low = (size_t)index;
    double delta = index - (double)low;
    double at = gsl_stats_select(values, 1, n, low);
    if (low == n - 1) {
        return at;
    }
    return (1 - delta) * at + delta * gsl_stats_min(values + low + 1, 1, n - low - 1);
}

/* Whether it is 95 % sure that some of n values lie on either side of their whole's f-quantile. */
static bool is_among(size_t n, double f)
{
    double all_above = 1, all_below = 1;
    for (size_t i = 0; i < n; i++) {
        all_above *= 1 - f;
        all_below *= f;
    }
    return all_above + all_below <= 1 - CONFIDENCE;
}

/* How many values lie below a quantile is binomial. */
static double error_of(double *values, size_t n, double f)
{
    double place = f * (double)(n - 1), off = NORMAL_ERRORS * sqrt((double)n * f * (1 - f));
    if (n < 2 || !is_among(n, f)) {
        return INFINITY;
    }
    double at = stats_quantile(values, n, f), last = (double)(n - 1);
    double low = stats_quantile(values, n, fmax(0, place - off) / last);
    double high = stats_quantile(values, n, fmin(last, place + off) / last);
    return fmax(at - low, high - at);
}

struct quantile_error stats_quantile_error(double *values, size_t n)
{
    return (struct quantile_error){error_of(values, n, 0.5),
                                   fmax(error_of(values, n, 0.1), error_of(values, n, 0.9))};
}

void spread_fill(struct spread *spread, double *values, size_t n, size_t shifts)
{
    spread->n = n;
    spread->has_interval = false;
    if (n == 0) {
        return;
    }
    if (all_equal(values, n)) { /* as are the parts that a strategy has nothing of */
        spread_constant(spread, values[0], n, shifts);
        return;
    }
    spread->mean = stats_mean(values, n);
    if (has_shifts(n, shifts)) {
        fill_interval(spread, values, n, shifts);
    }
    spread->p10 = stats_quantile(values, n, 0.1);
    spread->p50 = stats_quantile(values, n, 0.5);
    spread->p90 = stats_quantile(values, n, 0.9);
}

#include "study/ridge.h"

#include "core/alloc.h"
#include "core/invariant.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* How strongly slopes are held back, from a millionth of a column's mean square to a million
 * times it, by factors of the root of 10. */
#define STRENGTHS 25
#define STRENGTH_MIN 1e-6
#define STRENGTH_FACTOR 3.1622776601683795

static const char what_for[] = "values of a fit";

/* Data with each group's means taken off, columns by rows so that what is done to all values is
 * done side by side, and one fit to them. */
struct work {
    const struct ridge_data *data;
    double *x, *y; /* [columns][n], [n] */
    double *square; /* [columns][columns]: x'x */
    double *lower; /* [columns][columns]: of Cholesky's decomposition */
    double *slope; /* [columns] */
    double *solved, *own, *miss; /* [columns][n], [n], [n] */
    double members[RIDGE_GROUPS];
};

static void count_members(struct work *work)
{
    memset(work->members, 0, sizeof work->members);
    for (size_t i = 0; i < work->data->n; i++) {
        INVARIANT(work->data->group[i] < RIDGE_GROUPS, "group %u", work->data->group[i]);
        work->members[work->data->group[i]]++;
    }
}

/* n values that are `stride` apart, the group's mean taken off. */
static void center(const struct work *work, const double *from, size_t stride, double *to)
{
    const struct ridge_data *data = work->data;
    double sum[RIDGE_GROUPS] = {0};
    for (size_t i = 0; i < data->n; i++) {
        sum[data->group[i]] += from[i * stride];
    }
    for (size_t i = 0; i < data->n; i++) {
        to[i] = from[i * stride] - sum[data->group[i]] / work->members[data->group[i]];
    }
}

/* The sum of two rows' products. */
static double product(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void add_times(double *to, double times, const double *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] += times * row[i];
    }
}

static void fill_square(struct work *work)
{
    size_t p = work->data->columns, n = work->data->n;
    for (size_t a = 0; a < p; a++) {
        for (size_t b = 0; b <= a; b++) {
            work->square[a * p + b] = product(work->x + a * n, work->x + b * n, n);
        }
    }
}

/* Of x'x with `held` on its diagonal more. */
static void decompose(struct work *work, double held)
{
    size_t p = work->data->columns;
    for (size_t a = 0; a < p; a++) {
        double *row = work->lower + a * p;
        for (size_t b = 0; b <= a; b++) {
            const double *other = work->lower + b * p;
            double left = work->square[a * p + b] + (a == b ? held : 0) - product(row, other, b);
            row[b] = a == b ? sqrt(left) : left / other[b];
        }
    }
}

static void solve_slopes(struct work *work)
{
    size_t p = work->data->columns, n = work->data->n;
    for (size_t a = 0; a < p; a++) {
        const double *row = work->lower + a * p;
        double right = product(work->x + a * n, work->y, n);
        work->slope[a] = (right - product(row, work->slope, a)) / row[a];
    }
    for (size_t a = p; a-- > 0;) {
        for (size_t b = a + 1; b < p; b++) {
            work->slope[a] -= work->lower[b * p + a] * work->slope[b];
        }
        work->slope[a] /= work->lower[a * p + a];
    }
}

/* By how much each value moves what is fitted to it. */
static void fill_own(struct work *work)
{
    const struct ridge_data *data = work->data;
    size_t p = data->columns, n = data->n;
    for (size_t i = 0; i < n; i++) {
        work->own[i] = 1 / work->members[data->group[i]];
    }
    for (size_t a = 0; a < p; a++) {
        double *solved = work->solved + a * n;
        memcpy(solved, work->x + a * n, n * sizeof *solved);
        for (size_t b = 0; b < a; b++) {
            add_times(solved, -work->lower[a * p + b], work->solved + b * n, n);
        }
        for (size_t i = 0; i < n; i++) {
            solved[i] /= work->lower[a * p + a];
            work->own[i] += solved[i] * solved[i];
        }
    }
}

/* Without a value, the fit is off by what it is off with it, over the rest of what moves it.
 * Returns the sum of squares. */
static double fill_misses(struct work *work)
{
    const struct ridge_data *data = work->data;
    double squares = 0;
    fill_own(work);
    memcpy(work->miss, work->y, data->n * sizeof *work->miss);
    for (size_t a = 0; a < data->columns; a++) {
        add_times(work->miss, -work->slope[a], work->x + a * data->n, data->n);
    }
    for (size_t i = 0; i < data->n; i++) {
        bool alone = work->members[data->group[i]] == 1;
        work->miss[i] = alone ? 0 : work->miss[i] / (1 - work->own[i]);
        squares += work->miss[i] * work->miss[i];
    }
    return squares;
}

static void begin(struct work *work, const struct ridge_data *data)
{
    size_t p = data->columns, n = data->n;
    *work = (struct work){.data = data,
                          .x = alloc_zeroed(n * p + 1, sizeof *work->x, what_for),
                          .y = alloc_zeroed(n + 1, sizeof *work->y, what_for),
                          .square = alloc_zeroed(p * p + 1, sizeof *work->square, what_for),
                          .lower = alloc_zeroed(p * p + 1, sizeof *work->lower, what_for),
                          .slope = alloc_zeroed(p + 1, sizeof *work->slope, what_for),
                          .solved = alloc_zeroed(n * p + 1, sizeof *work->solved, what_for),
                          .own = alloc_zeroed(n + 1, sizeof *work->own, what_for),
                          .miss = alloc_zeroed(n + 1, sizeof *work->miss, what_for)};
    count_members(work);
    center(work, data->y, 1, work->y);
    for (size_t a = 0; a < p; a++) {
        center(work, data->x + a, p, work->x + a * n);
    }
    fill_square(work);
}

static void end(struct work *work)
{
    free(work->x);
    free(work->y);
    free(work->square);
    free(work->lower);
    free(work->slope);
    free(work->solved);
    free(work->own);
    free(work->miss);
}

double ridge_level(const struct ridge_data *data, double *miss)
{
    struct ridge_data levels = *data;
    struct work work;
    levels.columns = 0;
    begin(&work, &levels);
    double squares = fill_misses(&work);
    memcpy(miss, work.miss, data->n * sizeof *miss);
    end(&work);
    return squares;
}

/* One fit, kept where its misses are less than those so far. Returns whether it is. */
static bool try_strength(struct work *work, double held, double *squares_min, double *slope,
                         double *miss)
{
    decompose(work, held);
    solve_slopes(work);
    double squares = fill_misses(work);
    if (squares >= *squares_min) {
        return false;
    }
    *squares_min = squares;
    memcpy(slope, work->slope, work->data->columns * sizeof *slope);
    memcpy(miss, work->miss, work->data->n * sizeof *miss);
    return true;
}

/* Every other strength first, then those beside the best. */
double ridge_fit(const struct ridge_data *data, double *slope, double *miss)
{
    size_t p = data->columns, best = 0;
    struct work work;
    double squares_min = ridge_level(data, miss), trace = 0, held[STRENGTHS];
    begin(&work, data);
    memset(slope, 0, p * sizeof *slope);
    for (size_t a = 0; a < p; a++) {
        trace += work.square[a * p + a];
    }
    for (size_t i = 0; i < STRENGTHS; i++) {
        held[i] = i > 0 ? held[i - 1] * STRENGTH_FACTOR : STRENGTH_MIN * trace / fmax(1, (double)p);
    }
    for (size_t i = 0; i < STRENGTHS && trace > 0; i += 2) {
        best = try_strength(&work, held[i], &squares_min, slope, miss) ? i : best;
    }
    if (best > 0) {
        (void)try_strength(&work, held[best - 1], &squares_min, slope, miss);
    }
    if (best + 1 < STRENGTHS && trace > 0) {
        (void)try_strength(&work, held[best + 1], &squares_min, slope, miss);
    }
    end(&work);
    return squares_min;
}

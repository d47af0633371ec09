#include "study/ridge.h"

#include "core/alloc.h"
#include "core/invariant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How strongly slopes are held back, from a millionth of a column's mean square to a million
 * times it, by factors of the root of 10. */
#define STRENGTHS 25
#define STRENGTH_MIN 1e-6
#define STRENGTH_FACTOR 3.1622776601683795

static const char what_for[] = "values of a fit";

/* Data with each group's means taken off, and one fit to them. */
struct work {
    const struct ridge_data *data;
    double *x, *y; /* [n][columns], [n] */
    double *square; /* [columns][columns]: x'x */
    double *lower; /* [columns][columns]: of Cholesky's decomposition */
    double *slope, *solved; /* [columns] */
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

/* Takes the group's mean off n values that are `stride` apart. */
static void center(const struct work *work, const double *from, size_t stride, double *to)
{
    const struct ridge_data *data = work->data;
    double sum[RIDGE_GROUPS] = {0};
    for (size_t i = 0; i < data->n; i++) {
        sum[data->group[i]] += from[i * stride];
    }
    for (size_t i = 0; i < data->n; i++) {
        to[i * stride] = from[i * stride] - sum[data->group[i]] / work->members[data->group[i]];
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

static void fill_square(struct work *work)
{
    size_t p = work->data->columns;
    for (size_t a = 0; a < p; a++) {
        for (size_t b = 0; b <= a; b++) {
            double sum = 0;
            for (size_t i = 0; i < work->data->n; i++) {
                sum += work->x[i * p + a] * work->x[i * p + b];
            }
            work->square[a * p + b] = work->square[b * p + a] = sum;
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

/* Solves (x'x + held) z = right. */
static void solve(const struct work *work, const double *right, double *z)
{
    size_t p = work->data->columns;
    for (size_t a = 0; a < p; a++) {
        z[a] = (right[a] - product(work->lower + a * p, z, a)) / work->lower[a * p + a];
    }
    for (size_t a = p; a-- > 0;) {
        for (size_t b = a + 1; b < p; b++) {
            z[a] -= work->lower[b * p + a] * z[b];
        }
        z[a] /= work->lower[a * p + a];
    }
}

static void solve_slopes(struct work *work)
{
    size_t p = work->data->columns;
    for (size_t a = 0; a < p; a++) {
        work->solved[a] = 0;
        for (size_t i = 0; i < work->data->n; i++) {
            work->solved[a] += work->x[i * p + a] * work->y[i];
        }
    }
    solve(work, work->solved, work->slope);
}

/* By how much a value moves what is fitted to it: without it, the fit is off by what it is off
 * with it, over the rest. */
static double fill_misses(struct work *work, double *miss)
{
    const struct ridge_data *data = work->data;
    size_t p = data->columns;
    double squares = 0;
    for (size_t i = 0; i < data->n; i++) {
        const double *row = work->x + i * p;
        double own = 1 / work->members[data->group[i]];
        if (p > 0) {
            solve(work, row, work->solved);
            own += product(row, work->solved, p);
        }
        double off = work->y[i] - product(row, work->slope, p);
        miss[i] = work->members[data->group[i]] > 1 ? off / (1 - own) : 0;
        squares += miss[i] * miss[i];
    }
    return squares;
}

static void begin(struct work *work, const struct ridge_data *data)
{
    size_t p = data->columns;
    *work = (struct work){.data = data,
                          .x = alloc_zeroed(data->n * p + 1, sizeof *work->x, what_for),
                          .y = alloc_zeroed(data->n + 1, sizeof *work->y, what_for),
                          .square = alloc_zeroed(p * p + 1, sizeof *work->square, what_for),
                          .lower = alloc_zeroed(p * p + 1, sizeof *work->lower, what_for),
                          .slope = alloc_zeroed(p + 1, sizeof *work->slope, what_for),
                          .solved = alloc_zeroed(p + 1, sizeof *work->solved, what_for)};
    count_members(work);
    center(work, data->y, 1, work->y);
    for (size_t a = 0; a < p; a++) {
        center(work, data->x + a, p, work->x + a);
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
}

double ridge_level(const struct ridge_data *data, double *miss)
{
    struct ridge_data levels = *data;
    struct work work;
    levels.columns = 0;
    begin(&work, &levels);
    double squares = fill_misses(&work, miss);
    end(&work);
    return squares;
}

double ridge_fit(const struct ridge_data *data, double *slope, double *miss)
{
    size_t p = data->columns;
    struct work work;
    double squares_min = ridge_level(data, miss), trace = 0;
    double *other = alloc_zeroed(data->n + 1, sizeof *other, what_for);
    begin(&work, data);
    memset(slope, 0, p * sizeof *slope);
    for (size_t a = 0; a < p; a++) {
        trace += work.square[a * p + a];
    }
    double held = STRENGTH_MIN * trace / (double)(p > 0 ? p : 1);
    for (int i = 0; i < STRENGTHS && trace > 0; i++) {
        decompose(&work, held);
        solve_slopes(&work);
        double squares = fill_misses(&work, other);
        if (squares < squares_min) {
            squares_min = squares;
            memcpy(slope, work.slope, p * sizeof *slope);
            memcpy(miss, other, data->n * sizeof *miss);
        }
        held *= STRENGTH_FACTOR;
    }
    free(other);
    end(&work);
    return squares_min;
}

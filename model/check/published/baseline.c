#include "check/published/baseline.h"

#include <gsl/gsl_fit.h>
#include <string.h>

#define MOST_POINTS 64

struct points {
    double x[MOST_POINTS], y[MOST_POINTS];
    size_t count;
};

/* Over what a line is drawn. */
enum axis { AXIS_BYTES, AXIS_VCPUS, AXIS_WORK };

static double at_axis(const struct published *row, enum axis axis)
{
    return axis == AXIS_BYTES   ? (double)row->bytes
           : axis == AXIS_VCPUS ? (double)row->vcpus
                                : (double)row->bytes * (double)row->vcpus;
}

static bool same_table(const struct published *a, const struct published *b)
{
    return strcmp(a->table, b->table) == 0 && strcmp(a->unit, b->unit) == 0;
}

static bool same_series(const struct published *a, const struct published *b)
{
    return same_table(a, b) && strcmp(a->benchmark, b->benchmark) == 0 &&
           strcmp(a->phase, b->phase) == 0 && strcmp(a->overrides, b->overrides) == 0 &&
           strcmp(a->host, b->host) == 0 && a->refusal[0] == '\0' && b->refusal[0] == '\0' &&
           a->benchmarked.backing == b->benchmarked.backing &&
           a->benchmarked.stride == b->benchmarked.stride &&
           a->benchmarked.eager_split == b->benchmarked.eager_split &&
           a->strategy.fault_cleans == b->strategy.fault_cleans;
}

/* The number in which a series' rows differ. */
static enum axis axis_of(const struct published_set *set, const struct published *row)
{
    for (size_t i = 0; i < set->count; i++) {
        if (same_series(row, &set->rows[i]) && set->rows[i].bytes != row->bytes) {
            return AXIS_BYTES;
        }
    }
    return AXIS_VCPUS;
}

static void collect(const struct published_set *set, const struct published *row, bool series,
                    enum axis axis, struct points *points)
{
    points->count = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct published *other = &set->rows[i];
        bool belongs = series ? same_series(row, other) : same_table(row, other);
        if (belongs && other->role == ROLE_FIT && points->count < MOST_POINTS) {
            points->x[points->count] = at_axis(other, axis);
            points->y[points->count++] = other->value;
        }
    }
}

static double along(const struct points *points, double x)
{
    double c0 = 0, c1 = 0, cov00, cov01, cov11, sum;
    bool apart = false;
    for (size_t i = 1; i < points->count; i++) {
        apart |= points->x[i] != points->x[0];
    }
    if (apart) {
        gsl_fit_linear(points->x, 1, points->y, 1, points->count, &c0, &c1, &cov00, &cov01, &cov11,
                       &sum);
    } else {
        gsl_fit_mul(points->x, 1, points->y, 1, points->count, &c1, &cov11, &sum);
    }
    return c0 + c1 * x;
}

bool baseline_predict(const struct published_set *set, const struct published *row, double *value)
{
    struct points points;
    enum axis axis = axis_of(set, row);
    collect(set, row, true, axis, &points);
    if (points.count == 0) {
        axis = AXIS_WORK;
        collect(set, row, false, axis, &points);
    }
    *value = points.count > 0 ? along(&points, at_axis(row, axis)) : 0;
    return points.count > 0;
}

/*
 * histogram - how long things took, with how often each happened, in memory
 * that does not grow.
 *
 * Values fall into classes that are 1/128 of themselves wide (whole numbers up
 * to 256 have one each). A class keeps the mean of what fell into it, so that a
 * quantile among equal values is exact, and any other is off by less than 1/128
 * (0.8 %). The largest value is exact. Values above 2^51 share the last class.
 */
#ifndef S2FLUSH_CORE_HISTOGRAM_H
#define S2FLUSH_CORE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/* 128 for each factor of two up to 2^51. */
#define HISTOGRAM_CLASSES ((size_t)45 << 7)

struct histogram {
    struct histogram_class {
        uint64_t count, sum;
    } * classes; /* [HISTOGRAM_CLASSES], of which those in use hold something */
    uint64_t used[HISTOGRAM_CLASSES / 64]; /* a bit for each */
    uint64_t count; /* of all values */
    uint64_t max; /* the largest value */
};

/* Empty; all memory is taken here. The caller frees it. */
void histogram_init(struct histogram *histogram);
void histogram_free(struct histogram *histogram);

/* Forgets all values. */
void histogram_clear(struct histogram *histogram);

/* The first class in use from that one on; HISTOGRAM_CLASSES: none. */
size_t histogram_next(const struct histogram *histogram, size_t from);

/* Adds `times` values alike. */
void histogram_add(struct histogram *histogram, uint64_t value, uint64_t times);

/* The least value that the given share of all values does not exceed (rank
 * ceil(share * count), at least 1); 0 where there is none. */
uint64_t histogram_quantile(const struct histogram *histogram, double share);

#endif

#include "core/histogram.h"

#include "core/alloc.h"
#include "core/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Classes to each factor of two, as a power of two. */
#define STEP_BITS 7
#define STEPS (UINT64_C(1) << STEP_BITS)

/* Values of 2^TOP_BITS and above share the last class. */
#define TOP_BITS 51
_Static_assert(HISTOGRAM_CLASSES == (size_t)(TOP_BITS - STEP_BITS + 1) << STEP_BITS, "classes");

/* Below STEPS each value is its own class; above, the leading STEP_BITS + 1 bits
 * say which one. */
static size_t class_of(uint64_t value)
{
    if (value < STEPS) {
        return (size_t)value;
    }
    unsigned top = 63u - (unsigned)__builtin_clzll(value);
    if (top >= TOP_BITS) {
        return HISTOGRAM_CLASSES - 1;
    }
    unsigned shift = top - STEP_BITS;
    return ((size_t)(shift + 1) << STEP_BITS) + (size_t)((value >> shift) & (STEPS - 1));
}

void histogram_init(struct histogram *histogram)
{
    histogram->classes =
        alloc_raw(HISTOGRAM_CLASSES, sizeof *histogram->classes, "classes of a histogram");
    histogram_clear(histogram);
}

void histogram_free(struct histogram *histogram)
{
    free(histogram->classes);
}

void histogram_clear(struct histogram *histogram)
{
    memset(histogram->used, 0, sizeof histogram->used);
    histogram->count = histogram->max = 0;
}

size_t histogram_next(const struct histogram *histogram, size_t from)
{
    for (size_t word = from / 64; word < HISTOGRAM_CLASSES / 64; word++) {
        uint64_t bits =
            histogram->used[word] & (word == from / 64 ? UINT64_MAX << from % 64 : UINT64_MAX);
        if (bits) {
            return word * 64 + (size_t)__builtin_ctzll(bits);
        }
    }
    return HISTOGRAM_CLASSES;
}

/* There are many histograms, most with a few classes in use: those are emptied when they
 * come into use. */
static struct histogram_class *use_class(struct histogram *histogram, size_t at)
{
    uint64_t bit = UINT64_C(1) << at % 64;
    if (!(histogram->used[at / 64] & bit)) {
        histogram->used[at / 64] |= bit;
        histogram->classes[at] = (struct histogram_class){0};
    }
    return &histogram->classes[at];
}

void histogram_add(struct histogram *histogram, uint64_t value, uint64_t times)
{
    if (times == 0) {
        return;
    }
    struct histogram_class *class = use_class(histogram, class_of(value));
    class->count = u64_add(class->count, times, "number of values");
    class->sum = u64_add(class->sum, u64_mul(value, times, "sum of values"), "sum of values");
    histogram->count = u64_add(histogram->count, times, "number of values");
    histogram->max = value > histogram->max ? value : histogram->max;
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
    uint64_t rank = (uint64_t)ceil(share * (double)histogram->count), seen = 0;
    rank = rank > 0 ? rank : 1;
    for (size_t i = histogram_next(histogram, 0); i < HISTOGRAM_CLASSES;
         i = histogram_next(histogram, i + 1)) {
        const struct histogram_class *class = &histogram->classes[i];
        seen += class->count;
        if (seen >= rank) {
            return class->sum / class->count;
        }
    }
    return histogram->max;
}

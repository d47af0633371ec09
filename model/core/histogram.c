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
#define CLASSES ((size_t)(TOP_BITS - STEP_BITS + 1) << STEP_BITS)

/* Below STEPS each value is its own class; above, the leading STEP_BITS + 1 bits
 * say which one. */
static size_t class_of(uint64_t value)
{
    if (value < STEPS) {
        return (size_t)value;
    }
    unsigned top = 63u - (unsigned)__builtin_clzll(value);
    if (top >= TOP_BITS) {
        return CLASSES - 1;
    }
    unsigned shift = top - STEP_BITS;
    return ((size_t)(shift + 1) << STEP_BITS) + (size_t)((value >> shift) & (STEPS - 1));
}

void histogram_init(struct histogram *histogram)
{
    *histogram = (struct histogram){
        .classes = alloc_raw(CLASSES, sizeof *histogram->classes, "classes of a histogram"),
        .low = CLASSES};
}

void histogram_free(struct histogram *histogram)
{
    free(histogram->classes);
    histogram->classes = NULL;
}

void histogram_clear(struct histogram *histogram)
{
    histogram->low = CLASSES;
    histogram->high = 0;
    histogram->count = histogram->most = 0;
}

static void empty(struct histogram *histogram, size_t from, size_t to)
{
    memset(histogram->classes + from, 0, (to - from) * sizeof *histogram->classes);
}

/* Most histograms use a few classes only, and there are many histograms: a class is
 * emptied when it comes into use. */
static void use_class(struct histogram *histogram, size_t at)
{
    if (histogram->low >= histogram->high) {
        histogram->low = histogram->high = at;
    }
    if (at < histogram->low) {
        empty(histogram, at, histogram->low);
        histogram->low = at;
    }
    if (at >= histogram->high) {
        empty(histogram, histogram->high, at + 1);
        histogram->high = at + 1;
    }
}

void histogram_add(struct histogram *histogram, uint64_t value, uint64_t times)
{
    if (times == 0) {
        return;
    }
    size_t at = class_of(value);
    use_class(histogram, at);
    struct histogram_class *class = &histogram->classes[at];
    class->count = add_checked(class->count, times, "number of values");
    class->sum =
        add_checked(class->sum, mul_checked(value, times, "sum of values"), "sum of values");
    histogram->count = add_checked(histogram->count, times, "number of values");
    histogram->most = value > histogram->most ? value : histogram->most;
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
    uint64_t rank = (uint64_t)ceil(share * (double)histogram->count), seen = 0;
    rank = rank > 0 ? rank : 1;
    for (size_t i = histogram->low; i < histogram->high; i++) {
        const struct histogram_class *class = &histogram->classes[i];
        seen += class->count;
        if (seen >= rank) {
            return class->sum / class->count;
        }
    }
    return histogram->most;
}

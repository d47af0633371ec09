/*
 * exponential - exponential draws by a ziggurat of 256 layers (Marsaglia and
 * Tsang 2000), so that what the drivers measure is the calendar. They come from
 * the generator of core/rng.h alone, which is stepped in place.
 */
#ifndef S2FLUSH_BENCH_EXPONENTIAL_H
#define S2FLUSH_BENCH_EXPONENTIAL_H

#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdint.h>

/* Where the base layer's box ends and the tail begins, and the area of each
 * layer, under exp(-x). */
#define ZIGGURAT_LAYERS 256
#define ZIGGURAT_TAIL 7.69711747013104972
#define ZIGGURAT_AREA 3.9496598225815571993e-3

struct ziggurat {
    double edge[ZIGGURAT_LAYERS + 1]; /* each layer's right end, widest first */
    double height[ZIGGURAT_LAYERS + 1]; /* exp(-edge) */
};

static struct ziggurat ziggurat;

/* To be called before the first draw. The base layer's edge is where its box
 * would end if it held the tail as well. */
static inline void exponential_init(void)
{
    double *edge = ziggurat.edge, *height = ziggurat.height;
    edge[0] = ZIGGURAT_AREA * exp(ZIGGURAT_TAIL);
    edge[1] = ZIGGURAT_TAIL;
    for (int i = 1; i < ZIGGURAT_LAYERS; i++) {
        height[i] = exp(-edge[i]);
        if (i + 1 < ZIGGURAT_LAYERS) {
            edge[i + 1] = -log(height[i] + ZIGGURAT_AREA / edge[i]);
        }
    }
    edge[ZIGGURAT_LAYERS] = 0;
    height[ZIGGURAT_LAYERS] = 1;
}

static inline uint64_t rotate_left(uint64_t x, int count)
{
    return (x << count) | (x >> (64 - count));
}

/* A step of xoshiro256**. */
static inline uint64_t next_bits(gsl_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

static inline double to_unit(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

/* The rare part, in units of the mean: what `bits` drew lies beyond the part of
 * its layer that is surely under the curve. Out of line, so that the usual draw
 * calls nothing and saves no registers. */
__attribute__((noinline)) static double beyond_box(gsl_rng *rng, uint64_t bits)
{
    const double *edge = ziggurat.edge, *height = ziggurat.height;
    double beyond = 0;
    for (;; bits = next_bits(rng)) {
        unsigned layer = bits % ZIGGURAT_LAYERS;
        double x = to_unit(bits) * edge[layer];
        if (x < edge[layer + 1]) {
            return beyond + x;
        }
        if (layer == 0) {
            beyond += ZIGGURAT_TAIL; /* the tail of an exponential is one again */
            continue;
        }
        double y = height[layer] + to_unit(next_bits(rng)) * (height[layer + 1] - height[layer]);
        if (y < exp(-x)) {
            return beyond + x;
        }
    }
}

/* The layer and the place in it come from different bits; the original takes
 * them from the same ones, which shows in the low digits. */
static inline double exponential_draw(gsl_rng *rng, double mean)
{
    uint64_t bits = next_bits(rng);
    unsigned layer = bits % ZIGGURAT_LAYERS;
    double x = to_unit(bits) * ziggurat.edge[layer];
    return x < ziggurat.edge[layer + 1] ? mean * x : mean * beyond_box(rng, bits);
}

#endif

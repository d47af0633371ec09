#include "core/rng.h"

#include "core/invariant.h"

#include <assert.h>
#include <limits.h>
#include <math.h>

static_assert(ULONG_MAX == UINT64_MAX, "GSL hands random bits out as unsigned long");

#define GOLDEN_GAMMA UINT64_C(0x9e3779b97f4a7c15)

struct state {
    uint64_t word[4];
};

/* ---- SplitMix64 and xoshiro256** ---- */

uint64_t mix64(uint64_t x)
{
    x += GOLDEN_GAMMA;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t rotate_left(uint64_t x, int count)
{
    return (x << count) | (x >> (64 - count));
}

static inline uint64_t next(struct state *state)
{
    uint64_t *s = state->word;
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

/* The 53 upper bits: as many as a double in [0, 1) can hold evenly. */
static inline double to_unit(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

/* SplitMix64 is one to one, so four steps give four different words: the one
 * state that xoshiro may not have, all zero, cannot come up. */
static void fill_state(struct state *state, uint64_t start)
{
    for (unsigned i = 0; i < 4; i++) {
        state->word[i] = mix64(start + i * GOLDEN_GAMMA);
    }
}

/* ---- GSL's interface ---- */

static void type_set(void *state, unsigned long seed)
{
    fill_state(state, seed);
}

static unsigned long type_get(void *state)
{
    return next(state);
}

static double type_get_double(void *state)
{
    return to_unit(next(state));
}

static const gsl_rng_type xoshiro256ss = {
    .name = "xoshiro256ss",
    .max = ULONG_MAX,
    .min = 0,
    .size = sizeof(struct state),
    .set = type_set,
    .get = type_get,
    .get_double = type_get_double,
};

const gsl_rng_type *const rng_xoshiro256ss = &xoshiro256ss;

/* Each index is mixed in before the next one, so that (1, 0) and (0, 1) part. */
void rng_stream(gsl_rng *rng, uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t start = mix64(mix64(mix64(mix64(seed) ^ a) ^ b) ^ c);

    INVARIANT(rng->type == rng_xoshiro256ss, "%s has no streams", gsl_rng_name(rng));
    fill_state(rng->state, start);
}

/* ---- The exponential ziggurat (Marsaglia and Tsang 2000) ---- */

enum { LAYERS = 256 };

/* Where the base layer's box ends and the tail begins, and the area of each
 * layer, for 256 layers under exp(-x). */
#define TAIL_START 7.69711747013104972
#define LAYER_AREA 3.9496598225815571993e-3

static double edge[LAYERS + 1]; /* each layer's right end, widest first */
static double height[LAYERS + 1]; /* exp(-edge) */

/* Runs before main, so that a draw need not ask whether the tables exist. The
 * base layer's edge is where its box would end if it held the tail as well. */
__attribute__((constructor)) static void build_tables(void)
{
    edge[0] = LAYER_AREA * exp(TAIL_START);
    edge[1] = TAIL_START;
    for (int i = 1; i < LAYERS; i++) {
        height[i] = exp(-edge[i]);
        if (i + 1 < LAYERS) {
            edge[i + 1] = -log(height[i] + LAYER_AREA / edge[i]);
        }
    }
    edge[LAYERS] = 0;
    height[LAYERS] = 1;
}

/* Other generators give as few as 32 bits a draw, so two are joined. */
static uint64_t joined_bits(gsl_rng *rng)
{
    uint64_t upper = (uint64_t)(gsl_rng_uniform(rng) * 0x1p32);
    uint64_t lower = (uint64_t)(gsl_rng_uniform(rng) * 0x1p32);

    return upper << 32 | lower;
}

static uint64_t draw_bits(gsl_rng *rng)
{
    return rng->type == &xoshiro256ss ? next(rng->state) : joined_bits(rng);
}

/* The rare part, in units of the mean: what `bits` drew lies beyond the part of
 * its layer that is surely under the curve. Out of line, so that the usual draw
 * calls nothing and saves no registers. */
__attribute__((noinline)) static double beyond_box(gsl_rng *rng, uint64_t bits)
{
    double beyond = 0;

    for (;; bits = draw_bits(rng)) {
        unsigned layer = bits % LAYERS;
        double x = to_unit(bits) * edge[layer];
        if (x < edge[layer + 1]) {
            return beyond + x;
        }
        if (layer == 0) {
            beyond += TAIL_START; /* The tail of an exponential is one again. */
            continue;
        }
        double y = height[layer] + to_unit(draw_bits(rng)) * (height[layer + 1] - height[layer]);
        if (y < exp(-x)) {
            return beyond + x;
        }
    }
}

__attribute__((noinline)) static double by_joined_bits(gsl_rng *rng, double mean)
{
    return mean * beyond_box(rng, joined_bits(rng));
}

/* Our own generator is stepped in place, which spares an indirect call. The
 * layer and the place in it come from different bits; the original takes them
 * from the same ones, which shows in the low digits. */
double rng_exponential(gsl_rng *rng, double mean)
{
    if (rng->type != &xoshiro256ss) {
        return by_joined_bits(rng, mean);
    }
    uint64_t bits = next(rng->state);
    unsigned layer = bits % LAYERS;
    double x = to_unit(bits) * edge[layer];
    return x < edge[layer + 1] ? mean * x : mean * beyond_box(rng, bits);
}

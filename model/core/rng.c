#include "core/rng.h"

#include "core/invariant.h"

#include <assert.h>
#include <limits.h>

static_assert(ULONG_MAX == UINT64_MAX, "GSL hands random bits out as unsigned long");

struct state {
    uint64_t word[4];
};

/* ---- xoshiro256** ---- */

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
        state->word[i] = rng_mix64(start + i * RNG_GOLDEN_GAMMA);
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
    uint64_t start = rng_mix64(rng_mix64(rng_mix64(rng_mix64(seed) ^ a) ^ b) ^ c);
    INVARIANT(rng->type == rng_xoshiro256ss, "%s has no streams", gsl_rng_name(rng));
    fill_state(rng->state, start);
}

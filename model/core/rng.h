/*
 * rng - independent random streams on GSL's generator interface.
 *
 * xoshiro256** (Blackman and Vigna 2018) as a gsl_rng_type, so that every
 * gsl_ran_* function draws from it: 32 bytes of state, about 2 ns a draw,
 * reseeded in 3 ns. A stream's state is derived from the seed and three
 * indices by SplitMix64, so that streams never depend on the order in which
 * they are made.
 */
#ifndef S2FLUSH_CORE_RNG_H
#define S2FLUSH_CORE_RNG_H

#include <gsl/gsl_rng.h>
#include <stdint.h>

/* gsl_rng_get gives all 64 bits (0 to 2^64 - 1, so gsl_rng_uniform_int takes any
 * range), gsl_rng_uniform the upper 53. The state is four uint64_t words. */
extern const gsl_rng_type *const rng_xoshiro256ss;

/* Puts `rng` (of the type above) at the start of stream (seed, a, b, c). */
void rng_stream(gsl_rng *rng, uint64_t seed, uint64_t a, uint64_t b, uint64_t c);

#define RNG_GOLDEN_GAMMA UINT64_C(0x9e3779b97f4a7c15)

/* One SplitMix64 step: a well mixed 64-bit hash of x. */
static inline uint64_t rng_mix64(uint64_t x)
{
    x += RNG_GOLDEN_GAMMA;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

#endif

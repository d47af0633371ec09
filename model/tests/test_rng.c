#include "core/rng.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { DRAWS = 2000000 };

static int new_rng(void **state)
{
    *state = gsl_rng_alloc(rng_xoshiro256ss);
    return *state != NULL ? 0 : -1;
}

static int free_rng(void **state)
{
    gsl_rng_free(*state);
    return 0;
}

/* ---- The generator ---- */

/* The published generators' first outputs: xoshiro256** from the state
 * {1, 2, 3, 4}, SplitMix64 from 0 and from 1234567. */
static void test_reference_vectors(void **state)
{
    static const uint64_t start[4] = {1, 2, 3, 4};
    static const uint64_t expected[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    gsl_rng *rng = *state;

    assert_int_equal(gsl_rng_size(rng), sizeof start);
    memcpy(gsl_rng_state(rng), start, sizeof start);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_true(gsl_rng_get(rng) == expected[i]);
    }
    assert_true(mix64(0) == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(mix64(1234567) == UINT64_C(6457827717110365317));
}

/* GSL's own view of the type: its range, and [0, 1) with all 53 bits in use. */
static void test_gsl_interface(void **state)
{
    gsl_rng *rng = *state;
    gsl_rng *copy;
    uint64_t seen = 0;

    assert_string_equal(gsl_rng_name(rng), "xoshiro256ss");
    assert_true(gsl_rng_max(rng) == UINT64_MAX && gsl_rng_min(rng) == 0);
    gsl_rng_set(rng, 5);
    copy = gsl_rng_clone(rng);
    for (int i = 0; i < 1000; i++) {
        double u = gsl_rng_uniform(rng);
        assert_true(u >= 0 && u < 1);
        assert_true((uint64_t)(u * 0x1p53) == gsl_rng_get(copy) >> 11);
        seen |= (uint64_t)(u * 0x1p53);
    }
    assert_true(seen == (UINT64_C(1) << 53) - 1);
    gsl_rng_free(copy);
    assert_true(gsl_rng_uniform_int(rng, UINT64_C(1) << 40) < UINT64_C(1) << 40);
}

/* Each of a seed's four words is SplitMix64's next one: none repeats another. */
static void test_a_seed_fills_all_words(void **state)
{
    gsl_rng *rng = *state;

    gsl_rng_set(rng, 1234567);
    const uint64_t *word = gsl_rng_state(rng);
    for (uint64_t i = 0; i < 4; i++) {
        assert_true(word[i] == mix64(1234567 + i * UINT64_C(0x9e3779b97f4a7c15)));
        assert_true(i == 0 || word[i] != word[i - 1]);
    }
}

static void test_seeds_differ(void **state)
{
    gsl_rng *rng = *state;

    gsl_rng_set(rng, 1);
    unsigned long first = gsl_rng_get(rng);
    gsl_rng_set(rng, 2);
    assert_true(gsl_rng_get(rng) != first);
    gsl_rng_set(rng, 1);
    assert_true(gsl_rng_get(rng) == first);
}

/* ---- Streams ---- */

static int compare_words(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* 10^4 streams with neighbouring indices: no two begin alike. */
static void test_streams_begin_apart(void **state)
{
    enum { SIDE = 10, STREAMS = SIDE * SIDE * SIDE * SIDE };
    static uint64_t first[STREAMS];
    gsl_rng *rng = *state;

    for (uint64_t i = 0; i < STREAMS; i++) {
        rng_stream(rng, i % SIDE, i / SIDE % SIDE, i / SIDE / SIDE % SIDE, i / SIDE / SIDE / SIDE);
        first[i] = gsl_rng_get(rng);
    }
    qsort(first, STREAMS, sizeof first[0], compare_words);
    for (size_t i = 1; i < STREAMS; i++) {
        assert_true(first[i - 1] != first[i]);
    }
}

static void test_a_stream_repeats(void **state)
{
    gsl_rng *rng = *state;

    rng_stream(rng, 1, 2, 3, 4);
    unsigned long first = gsl_rng_get(rng), second = gsl_rng_get(rng);
    rng_stream(rng, 9, 9, 9, 9);
    rng_stream(rng, 1, 2, 3, 4);
    assert_true(gsl_rng_get(rng) == first);
    assert_true(gsl_rng_get(rng) == second);
}

/* The correlation of n independent pairs has a standard deviation of n^-1/2;
 * four of them are allowed, at any lag from 0 to 4. */
static void test_streams_do_not_correlate(void **state)
{
    enum { PAIRS = 100000, LAGS = 5 };
    static double a[PAIRS], b[PAIRS + LAGS];
    gsl_rng *rng = *state;

    for (uint64_t other = 1; other <= 16; other *= 2) {
        rng_stream(rng, 1, 0, 0, 0);
        for (int i = 0; i < PAIRS; i++) {
            a[i] = gsl_rng_uniform(rng) - 0.5;
        }
        rng_stream(rng, 1, 0, 0, other);
        for (int i = 0; i < PAIRS + LAGS; i++) {
            b[i] = gsl_rng_uniform(rng) - 0.5;
        }
        for (int lag = 0; lag < LAGS; lag++) {
            double sum = 0;
            for (int i = 0; i < PAIRS; i++) {
                sum += a[i] * b[i + lag];
            }
            assert_true(fabs(sum * 12 / PAIRS) < 4 / sqrt(PAIRS));
        }
    }
}

/* ---- Exponential draws ---- */

static int compare_reals(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The largest distance between the draws' distribution and the exact one,
 * times the root of their number: beyond 1.95 in one of 1000 samples. */
static double kolmogorov(double *draws, size_t count, double mean)
{
    double distance = 0;

    qsort(draws, count, sizeof *draws, compare_reals);
    for (size_t i = 0; i < count; i++) {
        double exact = gsl_cdf_exponential_P(draws[i], mean);
        distance = fmax(distance, exact - (double)i / (double)count);
        distance = fmax(distance, (double)(i + 1) / (double)count - exact);
    }
    return distance * sqrt((double)count);
}

/* Mean and variance within five standard errors: m / sqrt(n) for the mean,
 * and m^2 sqrt(8 / n) for the variance. */
static void check_moments(const double *draws, size_t count, double mean)
{
    double n = (double)count, sum = 0, squares = 0;

    for (size_t i = 0; i < count; i++) {
        sum += draws[i];
    }
    for (size_t i = 0; i < count; i++) {
        squares += (draws[i] - sum / n) * (draws[i] - sum / n);
    }
    assert_true(fabs(sum / n - mean) < 5 * mean / sqrt(n));
    assert_true(fabs(squares / n - mean * mean) < 5 * mean * mean * sqrt(8 / n));
}

/* Draws of 61 random bits do not repeat; 32 bits would give 465 repeats among
 * two million. The draws are sorted. */
static void check_resolution(const double *draws, size_t count)
{
    size_t repeats = 0;

    for (size_t i = 1; i < count; i++) {
        repeats += draws[i] <= draws[i - 1];
    }
    assert_true(repeats < 10);
}

/* The tail begins at 7.7 means, where one draw of 2200 falls, too few for the
 * distance above to see: their number is a Poisson draw of its own. */
static void check_tail(const double *draws, size_t count, double mean)
{
    static const double starts[] = {7, 7.697, 8.5, 10};

    for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
        double expected = (double)count * exp(-starts[s]), found = 0;
        for (size_t i = 0; i < count; i++) {
            found += draws[i] > starts[s] * mean;
        }
        assert_true(fabs(found - expected) < 4 * sqrt(expected));
    }
}

static void check_exponential(gsl_rng *rng, double mean)
{
    double *draws = malloc(DRAWS * sizeof *draws);

    assert_non_null(draws);
    for (size_t i = 0; i < DRAWS; i++) {
        draws[i] = rng_exponential(rng, mean);
        assert_true(draws[i] >= 0);
    }
    check_moments(draws, DRAWS, mean);
    check_tail(draws, DRAWS, mean);
    assert_true(kolmogorov(draws, DRAWS, mean) < 1.95);
    check_resolution(draws, DRAWS);
    free(draws);
}

static void test_exponential(void **state)
{
    rng_stream(*state, 2024, 0, 0, 0);
    check_exponential(*state, 1);
    check_exponential(*state, 250);
}

/* Of a 32-bit generator two draws are joined. */
static void test_exponential_from_another_generator(void **state)
{
    gsl_rng *other = gsl_rng_alloc(gsl_rng_mt19937);

    (void)state;
    assert_non_null(other);
    gsl_rng_set(other, 7);
    check_exponential(other, 3);
    gsl_rng_free(other);
}

/* Successive draws are independent: their correlation stays within four
 * standard deviations. */
static void test_exponential_does_not_correlate(void **state)
{
    gsl_rng *rng = *state;
    double before, sum = 0;

    rng_stream(rng, 11, 0, 0, 0);
    before = rng_exponential(rng, 1);
    for (int i = 0; i < DRAWS; i++) {
        double now = rng_exponential(rng, 1);
        sum += (now - 1) * (before - 1);
        before = now;
    }
    assert_true(fabs(sum / DRAWS) < 4 / sqrt(DRAWS));
}

/* A generator that gives what is written down. */
static size_t played;

static void scripted_set(void *state, unsigned long seed)
{
    (void)state;
    (void)seed;
    played = 0;
}

/* A draw takes two numbers: its place in the layer, and the layer. First one of the
 * widest layer with a tail beside it, at 0.99 of its width, where the curve is at 0.07
 * of the layer's height; then the height; then the start of the layer above. */
static double height_to_try;

static double scripted_get_double(void *state)
{
    (void)state;
    const double script[] = {0.99, 0x1p-32, height_to_try, 0, 0, 0x2p-32};
    assert_true(played < sizeof script / sizeof *script);
    return script[played++];
}

static unsigned long scripted_get(void *state)
{
    return (unsigned long)(scripted_get_double(state) * 0x1p32);
}

/* Where a layer reaches beyond the curve, what is under it counts and what is above does not. */
static void test_exponential_at_the_curve(void **state)
{
    static const gsl_rng_type scripted = {.name = "scripted",
                                          .max = UINT32_MAX,
                                          .size = 1,
                                          .set = scripted_set,
                                          .get = scripted_get,
                                          .get_double = scripted_get_double};
    gsl_rng *rng = gsl_rng_alloc(&scripted);
    (void)state;
    assert_non_null(rng);
    height_to_try = 0.03;
    assert_true(fabs(rng_exponential(rng, 2) - 2 * 0.99 * 7.69711747) < 1e-6);
    assert_int_equal(played, 4);
    gsl_rng_set(rng, 0);
    height_to_try = 0.1;
    assert_true(rng_exponential(rng, 2) < 1e-6);
    assert_int_equal(played, 6);
    gsl_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_vectors),
        cmocka_unit_test(test_gsl_interface),
        cmocka_unit_test(test_a_seed_fills_all_words),
        cmocka_unit_test(test_seeds_differ),
        cmocka_unit_test(test_streams_begin_apart),
        cmocka_unit_test(test_a_stream_repeats),
        cmocka_unit_test(test_streams_do_not_correlate),
        cmocka_unit_test(test_exponential),
        cmocka_unit_test(test_exponential_from_another_generator),
        cmocka_unit_test(test_exponential_does_not_correlate),
        cmocka_unit_test(test_exponential_at_the_curve),
    };

    return cmocka_run_group_tests(tests, new_rng, free_rng);
}

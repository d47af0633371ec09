#include "core/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
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
    assert_true(rng_mix64(0) == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(rng_mix64(1234567) == UINT64_C(6457827717110365317));
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
        assert_true(word[i] == rng_mix64(1234567 + i * UINT64_C(0x9e3779b97f4a7c15)));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_vectors),        cmocka_unit_test(test_gsl_interface),
        cmocka_unit_test(test_a_seed_fills_all_words),   cmocka_unit_test(test_seeds_differ),
        cmocka_unit_test(test_streams_begin_apart),      cmocka_unit_test(test_a_stream_repeats),
        cmocka_unit_test(test_streams_do_not_correlate),
    };

    return cmocka_run_group_tests(tests, new_rng, free_rng);
}

/* Weighted quantiles against sorted values. */
#include "check.h"

#include "core/histogram.h"

#include <stdlib.h>
#include <string.h>

static void empty(void **state)
{
    struct histogram histogram;
    (void)state;
    histogram_init(&histogram);
    assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
    histogram_add(&histogram, 7, 0);
    assert_int_equal(histogram.count, 0);
    histogram_free(&histogram);
}

/* Whatever else is there, values that are alike come out as they went in. */
static void equal_values_are_exact(void **state)
{
    static const uint64_t values[] = {
        0, 1, 127, 128, 255, 256, 1234567, 2000017, UINT64_C(1) << 40, (UINT64_C(1) << 51) - 1};
    struct histogram histogram;
    (void)state;
    histogram_init(&histogram);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        histogram_clear(&histogram);
        histogram_add(&histogram, values[i], 1000);
        histogram_add(&histogram, values[i], 7);
        assert_int_equal(histogram_quantile(&histogram, 0.5), values[i]);
        assert_int_equal(histogram_quantile(&histogram, 0.99), values[i]);
        assert_int_equal(histogram.max, values[i]);
        assert_int_equal(histogram.count, 1007);
    }
    histogram_free(&histogram);
}

static void ranks(void **state)
{
    struct histogram histogram;
    (void)state;
    histogram_init(&histogram);
    histogram_add(&histogram, 10, 50);
    histogram_add(&histogram, 20, 49);
    histogram_add(&histogram, 5000000, 1);
    assert_int_equal(histogram_quantile(&histogram, 0), 10);
    assert_int_equal(histogram_quantile(&histogram, 0.5), 10);
    assert_int_equal(histogram_quantile(&histogram, 0.51), 20);
    assert_int_equal(histogram_quantile(&histogram, 0.99), 20);
    assert_int_equal(histogram_quantile(&histogram, 0.999), 5000000);
    assert_int_equal(histogram_quantile(&histogram, 1), 5000000);
    histogram_free(&histogram);
}

static int by_value(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Random values over 40 powers of two: never off by 1/128 of the true one. */
static void error_is_bounded(void **state)
{
    enum { N = 2000 };
    static uint64_t values[N];
    struct histogram histogram;
    (void)state;
    histogram_init(&histogram);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct dice dice = dice_of(seed);
        histogram_clear(&histogram);
        for (size_t i = 0; i < N; i++) {
            values[i] = roll64(&dice) >> (14 + roll(&dice, 40));
            histogram_add(&histogram, values[i], 1);
        }
        qsort(values, N, sizeof *values, by_value);
        uint64_t last = 0;
        for (unsigned percent = 1; percent <= 100; percent++) {
            uint64_t found = histogram_quantile(&histogram, percent / 100.0);
            uint64_t real = values[(size_t)N * percent / 100 - 1];
            uint64_t off = found > real ? found - real : real - found;
            assert_true(off * 128 <= real);
            assert_true(found >= last && found <= histogram.max);
            last = found;
        }
        assert_int_equal(histogram.max, values[N - 1]);
    }
    histogram_free(&histogram);
}

/* What was before is gone, wherever it lay. */
static void cleared(void **state)
{
    struct histogram histogram;
    (void)state;
    histogram_init(&histogram);
    histogram_add(&histogram, 3, 5);
    histogram_add(&histogram, UINT64_MAX / 64, 5);
    histogram_clear(&histogram);
    assert_int_equal(histogram.count, 0);
    assert_int_equal(histogram.max, 0);
    histogram_add(&histogram, 1000, 1);
    assert_int_equal(histogram_quantile(&histogram, 0.01), 1000);
    assert_int_equal(histogram_quantile(&histogram, 1), 1000);
    histogram_free(&histogram);
}

static void too_much(void)
{
    struct histogram histogram;
    histogram_init(&histogram);
    histogram_add(&histogram, UINT64_MAX / 2, 3);
}

static void a_sum_too_large_ends_the_run(void **state)
{
    (void)state;
    expect_exit(too_much, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),   cmocka_unit_test(equal_values_are_exact),
        cmocka_unit_test(ranks),   cmocka_unit_test(error_is_bounded),
        cmocka_unit_test(cleared), cmocka_unit_test(a_sum_too_large_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

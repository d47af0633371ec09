/* What ends in results has the same bits on every system: close to what the C library says, and
 * equal to what is written here. */
#include "check.h"

#include "core/portable_math.h"
#include "core/rng.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define CASES 200000

static gsl_rng *numbers(uint64_t stream)
{
    gsl_rng *rng = gsl_rng_alloc(rng_xoshiro256ss);
    assert_non_null(rng);
    rng_stream(rng, 1, stream, 0, 0);
    return rng;
}

/* How many units in the last place of what is right. */
static double units_off(double value, double right)
{
    return fabs(value - right) / fmax(DBL_MIN, ldexp(DBL_EPSILON, ilogb(right)));
}

static void near_the_library(void **state)
{
    (void)state;
    gsl_rng *rng = numbers(0);
    for (int i = 0; i < CASES; i++) {
        double exponent = 1400 * gsl_rng_uniform(rng) - 700;
        double x = i % 2 ? 0.5 + gsl_rng_uniform(rng) : exp(exponent);
        assert_true(units_off(portable_exp(exponent), exp(exponent)) <= 2);
        assert_true(units_off(portable_exp(exponent / 1000), exp(exponent / 1000)) <= 2);
        assert_true(units_off(portable_log(x), log(x)) <= 2);
        double base = 1e6 * gsl_rng_uniform(rng) + 1e-6, power = 4 * gsl_rng_uniform(rng) - 2;
        assert_true(fabs(portable_pow(base, power) / pow(base, power) - 1) < 2e-14);
    }
    gsl_rng_free(rng);
}

static void at_the_edges(void **state)
{
    (void)state;
    assert_true(portable_log(1) == 0 && portable_exp(0) == 1);
    assert_true(portable_log(2) == M_LN2 && units_off(portable_exp(1), M_E) <= 1);
    assert_true(portable_log(DBL_MIN) == log(DBL_MIN) && portable_log(DBL_MAX) == log(DBL_MAX));
    assert_true(isinf(portable_exp(710)) && portable_exp(-709) == 0 && isnan(portable_exp(NAN)));
}

/* The bits that x86-64 gave; other systems have no others. Ten thousand results are added up as
 * whole numbers, so that one that is off in the last bit is seen. */
static void same_bits(void **state)
{
    (void)state;
    uint64_t logs = 0, exps = 0;
    gsl_rng *rng = numbers(1);
    for (int i = 0; i < 10000; i++) {
        double u = gsl_rng_uniform(rng), log_of, exp_of;
        uint64_t bits;
        log_of = portable_log(u + 1e-9);
        exp_of = portable_exp(40 * u - 20);
        memcpy(&bits, &log_of, sizeof bits);
        logs = rng_mix64(logs ^ bits);
        memcpy(&bits, &exp_of, sizeof bits);
        exps = rng_mix64(exps ^ bits);
    }
    gsl_rng_free(rng);
    assert_int_equal(logs, UINT64_C(0x820092c2ef379669));
    assert_int_equal(exps, UINT64_C(0xe6f6596ed3bf76b5));
}

static void sums(void **state)
{
    (void)state;
    const double cancel[] = {1, 1e100, 1, -1e100}, even[] = {0.1, 0.2, 0.3, 0.4};
    assert_true(portable_sum(cancel, 4) == 2);
    assert_true(portable_sum(even, 4) == 1);
    assert_true(portable_sum(even, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_the_library),
        cmocka_unit_test(at_the_edges),
        cmocka_unit_test(same_bits),
        cmocka_unit_test(sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

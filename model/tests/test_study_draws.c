/* Draws of costs, and what many values come to. */
#include "core/error.h"
#include "study_files.h"

#include "study/draws.h"
#include "study/stats.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#define DRAWS 64

static struct platform machine(const char *name)
{
    struct platform platform;
    struct error err;
    assert_true(platform_load(name, &platform, &err));
    return platform;
}

static void draw(const struct platform *platform, uint64_t seed, enum draw_sequence sequence,
                 double values[DRAWS][COSTS])
{
    struct draw_plan plan = {.seed = seed, .draws = DRAWS, .shifts = 4, .sequence = sequence};
    draw_costs(&plan, platform, values);
}

static void stay_in_range(void **state)
{
    (void)state;
    for (int sequence = DRAW_SOBOL; sequence <= DRAW_HALTON; sequence++) {
        double values[DRAWS][COSTS];
        struct platform platform = machine("cortex-a72");
        draw(&platform, 1, (enum draw_sequence)sequence, values);
        for (int id = 0; id < COSTS; id++) {
            const struct cost *cost = &platform.cost[id];
            bool moved = false;
            for (int i = 0; i < DRAWS; i++) {
                assert_true(values[i][id] >= cost->low && values[i][id] <= cost->high);
                moved |= values[i][id] < values[0][id] || values[i][id] > values[0][id];
            }
            assert_int_equal(moved, cost->low < cost->high);
        }
    }
}

/* The distribution function of a triangle in the logarithm, from its area. */
static double share_below(const struct cost *cost, double value)
{
    double low = log(cost->low), mode = log(cost->mode), high = log(cost->high);
    double at = log(value);
    return at < mode ? (at - low) * (at - low) / ((high - low) * (mode - low))
                     : 1 - (high - at) * (high - at) / ((high - low) * (high - mode));
}

static void quantiles(void **state)
{
    const struct cost cost = {.low = 2, .mode = 5, .high = 11};
    const struct cost peaks[] = {{.low = 2, .mode = 2, .high = 11},
                                 {.low = 2, .mode = 11, .high = 11}};
    (void)state;
    for (int i = 1; i < 100; i++) {
        double u = i / 100.0;
        assert_true(fabs(share_below(&cost, draw_quantile(&cost, u)) - u) < 1e-12);
        assert_true(draw_quantile(&peaks[0], u) < draw_quantile(&peaks[1], u));
    }
    assert_true(fabs(draw_quantile(&cost, 0) - 2) < 1e-12);
    assert_true(fabs(draw_quantile(&cost, 1) - 11) < 1e-12);
}

static void quantiles_without_logarithm(void **state)
{
    const struct cost none = {0}, fixed = {.low = 3, .mode = 3, .high = 3};
    const struct cost from_zero = {.low = 0, .mode = 1, .high = 4};
    (void)state;
    assert_true(draw_quantile(&none, 0.7) == 0);
    assert_true(draw_quantile(&fixed, 0.7) == 3);
    /* A quarter of a triangle with its peak at a quarter lies below the peak. */
    assert_true(fabs(draw_quantile(&from_zero, 0.25) - 1) < 1e-12);
}

/* Strategies, points and settings are compared under the same draws. */
static void are_paired(void **state)
{
    double one[DRAWS][COSTS], two[DRAWS][COSTS];
    struct platform platform = machine("neoverse-n1"), other = platform;
    struct source_location at = {0};
    struct error err;
    (void)state;
    draw(&platform, 1, DRAW_SOBOL, one);
    assert_true(platform_override(&other, "tlbi_ns", "700", &at, &err));
    draw(&other, 1, DRAW_SOBOL, two);
    for (int i = 0; i < DRAWS; i++) {
        assert_true(two[i][COST_tlbi_ns] == 700);
        two[i][COST_tlbi_ns] = one[i][COST_tlbi_ns];
    }
    assert_memory_equal(one, two, sizeof one);
    draw(&platform, 2, DRAW_SOBOL, two);
    assert_memory_not_equal(one, two, sizeof one);
    snprintf(other.name, sizeof other.name, "another");
    draw(&other, 1, DRAW_SOBOL, two);
    assert_memory_not_equal(one[0], two[0], sizeof one[0]);
}

/* Sixteen points from the start have one value in each sixteenth, shifted or
 * not: only so if the sequence starts at its true first point. */
static void fill_evenly(void **state)
{
    double values[DRAWS][COSTS];
    struct platform platform = machine("neoverse-n1");
    const struct cost *cost = &platform.cost[COST_dc_absent_ns];
    (void)state;
    draw(&platform, 3, DRAW_SOBOL, values);
    for (int shift = 0; shift < 4; shift++) {
        double place[16];
        for (int i = 0; i < 16; i++) {
            place[i] = share_below(cost, values[shift * 16 + i][COST_dc_absent_ns]) * 16;
        }
        double offset = place[0] - floor(place[0]);
        unsigned taken = 0;
        for (int i = 0; i < 16; i++) {
            taken |= 1u << ((unsigned)lround(place[i] - offset) % 16);
        }
        assert_int_equal(taken, 0xffff);
    }
}

static void spreads(void **state)
{
    double values[] = {1, 3, 5, 7, 2, 4, 6, 8};
    struct spread spread = {0};
    (void)state;
    spread_fill(&spread, values, 8, 2);
    assert_int_equal(spread.n, 8);
    assert_true(spread.mean == 4.5 && spread.p50 == 4.5);
    assert_true(fabs(spread.p10 - 1.7) < 1e-12 && fabs(spread.p90 - 7.3) < 1e-12);
    /* The shifts' means are 4 and 5; t(0.975, 1) = 12.7062. */
    assert_true(spread.has_interval);
    assert_true(fabs(spread.interval_high - 4.5 - 12.7062 * 0.5) < 1e-4);
    assert_true(fabs(spread.interval_low - 4.5 + 12.7062 * 0.5) < 1e-4);
}

/* The order in which values come says nothing, the largest first included. */
static void spreads_of_any_order(void **state)
{
    double values[20];
    struct spread spread = {0};
    (void)state;
    for (int i = 0; i < 20; i++) {
        values[i] = 20 - i;
    }
    spread_fill(&spread, values, 20, 1);
    assert_true(fabs(spread.p10 - 2.9) < 1e-12 && fabs(spread.p90 - 18.1) < 1e-12);
    assert_true(spread.mean == 10.5 && spread.p50 == 10.5);
}

/* One value that differs is seen wherever it stands: these are not all equal. */
static void spreads_of_all_equal_but_one(void **state)
{
    (void)state;
    for (int odd = 0; odd < 4; odd++) {
        double values[] = {2, 2, 2, 2};
        struct spread spread = {0};
        values[odd] = 1;
        spread_fill(&spread, values, 4, 1);
        assert_true(spread.mean == 1.75 && spread.p50 == 2);
        assert_true(fabs(spread.p10 - 1.3) < 1e-12);
    }
}

static void spreads_of_little(void **state)
{
    double values[] = {7, 7};
    struct spread spread = {0};
    (void)state;
    spread_fill(&spread, values, 2, 1);
    assert_false(spread.has_interval);
    assert_true(spread.mean == 7 && spread.p10 == 7 && spread.p90 == 7);
    spread_fill(&spread, values, 0, 1);
    assert_int_equal(spread.n, 0);
}

/* Student's t is GSL's, rounded: no number of shifts has one so near to where digits are cut that
 * another system's last bits would show. */
static void errors_of_an_interval(void **state)
{
    (void)state;
    assert_true(fabs(stats_errors(2) - 12.70620474) < 1e-12);
    assert_true(fabs(stats_errors(8) - 2.36462425) < 1e-12);
    for (size_t n = 2; n <= 1024; n++) {
        double digits = 1e8 * gsl_cdf_tdist_Pinv(0.975, (double)(n - 1));
        assert_true(fabs(digits - floor(digits) - 0.5) > 1e-4);
        assert_true(stats_errors(n) == floor(digits + 0.5) / 1e8);
    }
}

/* Of 0 to 99, in any order, 10 times 1.96 / 2 lie between the median and an end of its interval,
 * and 3 times 1.96 for the tenth part. Too few values say nothing. */
static void errors_of_quantiles(void **state)
{
    double values[100];
    (void)state;
    for (size_t i = 0; i < 100; i++) {
        values[i] = (double)(37 * i % 100);
    }
    struct quantile_error error = stats_quantile_error(values, 100);
    assert_true(fabs(error.p50 - 9.8) < 1e-9 && fabs(error.ends - 5.88) < 1e-9);
    assert_true(isinf(stats_quantile_error(values, 28).ends));
    assert_true(isfinite(stats_quantile_error(values, 29).ends));
    assert_true(isinf(stats_quantile_error(values, 5).p50));
    assert_true(isfinite(stats_quantile_error(values, 6).p50));
    assert_true(isinf(stats_quantile_error(values, 0).p50));
}

static void deviations(void **state)
{
    (void)state;
    const double values[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
    assert_true(stats_mean(values, 4) == 1e9 + 10);
    assert_true(stats_squares(values, 4) == 90);
    assert_true(stats_deviation(values, 4) == sqrt(30));
    /* Their mean is no number that there is: what it is rounded by is taken off again. */
    const double large[] = {0x1p53, 0x1p53 + 2};
    assert_true(stats_squares(large, 2) == 2);
    assert_true(stats_deviation(large, 2) == sqrt(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stay_in_range),
        cmocka_unit_test(quantiles),
        cmocka_unit_test(quantiles_without_logarithm),
        cmocka_unit_test(are_paired),
        cmocka_unit_test(fill_evenly),
        cmocka_unit_test(spreads),
        cmocka_unit_test(spreads_of_any_order),
        cmocka_unit_test(spreads_of_all_equal_but_one),
        cmocka_unit_test(spreads_of_little),
        cmocka_unit_test(errors_of_an_interval),
        cmocka_unit_test(errors_of_quantiles),
        cmocka_unit_test(deviations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

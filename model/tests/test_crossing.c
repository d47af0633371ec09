/* Crossings: the solver on known functions, the model's against the break-even sheet, and
 * what is told of them. */
#include "breakeven_printed.h"

#include "core/error.h"
#include "report/quantity.h"
#include "study/crossing.h"

#include <math.h>

/* --- the solver --- */

static double cubic(double x, void *calls)
{
    ++*(unsigned *)calls;
    return x * x * x - 2;
}

static void brackets(void **state)
{
    static const double d[] = {-1, -1, 0, 2, 0, 0, 3, -1, 0};
    struct bracket bracket;
    (void)state;
    assert_true(crossing_bracket(d, 9, 0, &bracket));
    assert_int_equal(bracket.low, 1);
    assert_int_equal(bracket.high, 3);
    assert_true(crossing_bracket(d, 9, 1, &bracket));
    assert_int_equal(bracket.low, 6);
    assert_int_equal(bracket.high, 7);
    assert_false(crossing_bracket(d, 9, 2, &bracket));
    assert_int_equal(crossing_sign(d, 9), -1);
    assert_int_equal(crossing_sign(d + 2, 1), 0);
}

static void roots(void **state)
{
    unsigned calls = 0;
    struct crossing_function function = {cubic, &calls, false};
    (void)state;
    double root = crossing_root(&function, 0, -2, 4, 62, 0, 0);
    assert_true(fabs(root - cbrt(2)) < 4e-4);
    assert_true(calls < 14);
    /* On whole numbers: the first behind the change. */
    assert_true(crossing_root(&function, 0, -2, 100, 999998, 1, 0) == 2);
    assert_true(crossing_root(&function, 1, -1, 2, 6, 1, 0) == 2);
    assert_true(crossing_root(&function, 0, -2, 64, 262142, 4, 0) == 4);
}

static double line(double x, void *calls)
{
    ++*(unsigned *)calls;
    return 0.01 * x * x + x - 7.3;
}

/* What is nearly a line takes little more than the two looks that its root lies between. */
static void few_looks(void **state)
{
    unsigned calls = 0;
    struct crossing_function function = {line, &calls, false};
    (void)state;
    assert_true(crossing_root(&function, 4, -3.14, 16, 11.26, 1, 0) == 7);
    assert_int_equal(calls, 2);
    calls = 0;
    assert_true(fabs(crossing_root(&function, 4, -3.14, 16, 11.26, 0, 0) - 6.8333) < 1.3e-3);
    assert_true(calls <= 5);
}

static double far(double x, void *calls)
{
    ++*(unsigned *)calls;
    return x * x - 1.3e12;
}

/* On whole numbers a thousandth of the value is near enough. */
static void few_looks_far_from_zero(void **state)
{
    unsigned calls = 0;
    struct crossing_function function = {far, &calls, false};
    (void)state;
    double root = crossing_root(&function, 0, -1.3e12, 4e6, 1.47e13, 1, 0);
    assert_true(fabs(root - sqrt(1.3e12)) < 1.2e3);
    assert_true(fabs(root - sqrt(1.3e12)) > 1);
    assert_true(calls <= 10);
}

static double threshold;

static double rises(double x, void *calls)
{
    ++*(unsigned *)calls;
    return x - threshold;
}

/* No place is looked at twice: not one that half the width from where the root seems to be would
 * round to an end, low or high; nor one outside of ends that are no multiples of the step. */
static void ends_are_not_looked_at_again(void **state)
{
    static const struct {
        double low, high, step, root;
        unsigned calls;
        double found;
    } cases[] = {
        {999499, 1000500, 1, 999999.6, 1, 1000500},
        {999499, 1000500, 1, 999999.4, 1, 1000499},
        {100, 165, 64, 120, 1, 128},
        {100, 165, 64, 160, 1, 192},
        {0, 2, 1, 0.5, 1, 1},
        {0, 2, 1, 1.5, 1, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned calls = 0;
        struct crossing_function function = {rises, &calls, false};
        threshold = cases[i].root;
        double found = crossing_root(&function, cases[i].low, cases[i].low - threshold,
                                     cases[i].high, cases[i].high - threshold, cases[i].step, 0);
        if (calls != cases[i].calls || found != cases[i].found) {
            fail_msg("case %zu: %.1f with %u looks", i, found, calls);
        }
    }
}

static double steep(double x, void *calls)
{
    ++*(unsigned *)calls;
    return x * x * x * x * x * x * x - 300;
}

/* Where a root need not be nearer, it takes fewer looks, and is as near as that, also where looks
 * close in slowly. */
static void few_looks_where_that_will_do(void **state)
{
    static const struct {
        double (*of)(double x, void *calls);
        double root, low, high, wide, step;
        unsigned calls;
    } cases[] = {
        {cubic, 1.25992, 0, 4, 0, 0, 11},   {cubic, 1.25992, 0, 4, 0.1, 0, 8},
        {cubic, 1.25992, 0, 4, 1, 0, 2},    {cubic, 1.25992, 0, 4, 5, 0, 0},
        {cubic, 1.25992, 0, 4, 0.1, 1, 2},  {cubic, 1.25992, 0, 4, 2, 1, 1},
        {line, 6.83325, 4, 16, 0, 0, 5},    {line, 6.83325, 4, 16, 0.5, 0, 1},
        {steep, 2.25875, 0, 5, 0.05, 0, 8}, {steep, 2.25875, 0, 5, 0.5, 0, 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned calls = 0, ends = 0;
        struct crossing_function function = {cases[i].of, &calls, false};
        double low = cases[i].low, high = cases[i].high, step = cases[i].step;
        double root = crossing_root(&function, low, cases[i].of(low, &ends), high,
                                    cases[i].of(high, &ends), step, cases[i].wide);
        double off = fabs(root - cases[i].root);
        bool near =
            step > 0 ? root == ceil(cases[i].root / step) * step : off <= fmax(4e-4, cases[i].wide);
        if (calls != cases[i].calls || !near) {
            fail_msg("case %zu: %g with %u looks", i, root, calls);
        }
    }
}

struct looks {
    double (*of)(double x, void *calls);
    unsigned calls;
    char text[400];
};

static double look(double x, void *context)
{
    struct looks *looks = context;
    size_t used = strlen(looks->text);
    snprintf(looks->text + used, sizeof looks->text - used, "%.6g ", x);
    return looks->of(x, &looks->calls);
}

/* Where it looks: at a parabola's root or a line's, half a width behind it, in the middle where
 * that is slow, on multiples of the step. */
static void looks_stand_where_they_did(void **state)
{
    static const struct {
        double (*of)(double x, void *calls);
        double threshold, low, high, step;
        const char *looks;
    } cases[] = {
        {cubic, 0, 0, 4, 0,
         "0.1252 0.246372 2.12319 0.674462 0.939437 1.53131 1.21516 1.26455 1.25967 1.26012 "
         "1.25977 1.25992"},
        {cubic, 0, -3, 2, 0, "1.14261 1.21101 1.26317 1.25959 1.26017 1.25972 1.25992"},
        {line, 0, 4, 16, 0, "6.61727 6.83449 6.83249 6.83369 6.83279 6.83309"},
        {line, 0, 4, 16, 0.25, "6.75 7 7"},
        {steep, 0, 0, 5, 0,
         "0.01945 0.0388253 2.51941 1.19912 1.81019 2.09909 2.32124 2.25287 2.2592 2.25853 2.25903 "
         "2.25866 2.25878"},
        {steep, 0, 0, 64, 1, "1 2 33 3 3"},
        {rises, 3000, 0, 6400, 64, "3008 2944 3008"},
        {rises, 70, 10, 6400, 64, "128 64 128"},
        {rises, 6390, 0, 6400, 64, "6336 6400"},
        {far, 0, 0, 4e6, 1,
         "327000 3.6995e+06 2.01325e+06 898831 1.231e+06 1.13454e+06 1.14084e+06 1.1396e+06 "
         "1.14075e+06 1.14074e+06 1.14074e+06"},
        {far, 0, 0, 4e6, 4096,
         "327680 3.6905e+06 2.01114e+06 901120 1.2288e+06 1.13459e+06 1.14278e+06 1.13869e+06 "
         "1.14278e+06"},
        {far, 0, 1e6, 1.3e6, 0,
         "1.13045e+06 1.14027e+06 1.14016e+06 1.14019e+06 1.14017e+06 1.14018e+06"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct looks looks = {.of = cases[i].of};
        struct crossing_function function = {look, &looks, false};
        unsigned ends = 0;
        threshold = cases[i].threshold;
        double low = cases[i].low, high = cases[i].high;
        double root = crossing_root(&function, low, cases[i].of(low, &ends), high,
                                    cases[i].of(high, &ends), cases[i].step, 0);
        size_t used = strlen(looks.text);
        snprintf(looks.text + used, sizeof looks.text - used, "%.6g", root);
        assert_string_equal(looks.text, cases[i].looks);
    }
}

static double stops(double x, void *context)
{
    struct crossing_function *function = context;
    (void)x;
    function->stop = true;
    return 1;
}

static void a_function_may_stop(void **state)
{
    struct crossing_function function = {.at = stops};
    (void)state;
    function.context = &function;
    crossing_root(&function, 0, -1, 1, 1, 0, 0);
    assert_true(function.stop);
}

/* --- the model against the sheet --- */

/* A machine on which little but lines, TLB invalidations and the fixed part of
 * a fault costs anything, as the sheet has it. */
#define SHEET                                                                                \
    "[set]\nkernel_cpi = 0.05\nic_line_ns = 0\nic_all_ns = 0\ndc_clean_ratio = 1\n"          \
    "dc_dirty_ratio = 1\nmemory_ns = 1\noverlap = 1000\nwalk_read_ns = 0\nuncached_ns = 0\n" \
    "dsb_ns = 0\ncmo_path_ns = 0\nwriteback_gbps = 1000\n"                                   \
    "dc_absent_ns = 7.7\ntlbi_ns = 1500\nexit_ns = 300000\nbacking = hugetlb\n"              \
    "write_share = 0\nexecute = 0\nmmu_on_places = 5\nvm_registers = 0\n"

#define FOOTPRINT_MIB 800.0

/* Lazy unmapping against the eager flush, with m leaves mapped at the MMU-on:
 *     f* = (M (C - t) - m C) / (M (C + F)) */
static void equals_the_sheet(void **state)
{
    struct study study;
    struct breakeven_results results;
    struct breakeven_request request = {.axis = "touched"};
    const double C = 32768 * 7.7, t = 1500, F = 300000, M = FOOTPRINT_MIB / 2, m = 5;
    const double expected = (M * (C - t) - m * C) / (M * (C + F));
    (void)state;
    read_good(&study, "[study]\ndraws = 0\n" SHEET
                      "footprint = 800M\n[axes]\nworkload = generated-boot\nmachine = neoverse-n1\n"
                      "strategy = eager, unmap-lazy\ntouched = 0.1..0.9 +0.1\n");
    breakeven_good(&study, &request, 1, &results);
    assert_int_equal(results.count, 1);
    const struct breakeven *row = &results.row[0];
    assert_int_equal(row->status, BREAKEVEN_CROSSING);
    assert_string_equal(study.strategies[row->a]->name, "unmap-lazy");
    assert_true(row->a_below && row->a_wins_low && !row->a_wins_high);
    /* Memory is touched by units of 2 MiB, and what the MMU-off part touches at
     * its five places partly comes on top: some leaves of 400. */
    if (fabs(row->at - expected) > 5 / M) {
        print_error("found %g, the sheet says %g\n", row->at, expected);
    }
    assert_true(fabs(row->at - expected) <= 5 / M);
    breakeven_free(&results);
    study_free(&study);
}

/* The same along a cost, where everything is linear: the TLB invalidation of
 * M leaves and T tables makes up for the lines that are not touched. */
static void along_a_cost(void **state)
{
    struct study study;
    struct breakeven_results results;
    struct breakeven_request request = {
        .axis = "tlbi_ns", .from = "1us", .to = "900us", .steps = 5};
    (void)state;
    read_good(&study, "[study]\ndraws = 0\n" SHEET
                      "footprint = 800M\ntouched = 0.2\n[axes]\nworkload = generated-boot\n"
                      "machine = neoverse-n1\nstrategy = eager, unmap-lazy\n");
    breakeven_good(&study, &request, 1, &results);
    const double C = 32768 * 7.7, F = 300000, M = FOOTPRINT_MIB / 2, m = 5, T = 1;
    const double expected = (M * C - m * C - 0.2 * M * (C + F)) / (M + T);
    assert_int_equal(results.count, 1);
    assert_int_equal(results.row[0].status, BREAKEVEN_CROSSING);
    if (fabs(results.row[0].at / expected - 1) > 0.02) {
        print_error("found %g, the sheet says %g\n", results.row[0].at, expected);
    }
    assert_true(fabs(results.row[0].at / expected - 1) <= 0.02);
    breakeven_free(&results);
    study_free(&study);
}

/* --- what is told --- */

/* By 4 KiB leaves and invalidations of 3 us eager always wins: said plainly, with by how much. */
static void no_crossing(void **state)
{
    struct study study;
    struct breakeven_results results;
    struct breakeven_request request = {.axis = "touched", .pair = "unmap-lazy,eager"};
    (void)state;
    read_good(&study, "[study]\ndraws = 16\nshifts = 4\n[set]\ntlbi_ns = 3us\n[axes]\n"
                      "workload = %s\nmachine = neoverse-n1\ntouched = 0.1, 0.5, 0.9\n");
    breakeven_good(&study, &request, 2, &results);
    assert_int_equal(results.count, 1);
    const struct breakeven *row = &results.row[0];
    assert_int_equal(row->status, BREAKEVEN_NONE);
    assert_string_equal(study.strategies[row->a]->name, "eager");
    assert_true(isnan(row->at) && row->share_a >= 0.8 && row->low_ratio > 1);
    expect_printed(&results, false, "no crossing in range; eager costs less by a factor of");
    breakeven_free(&results);
    study_free(&study);
}

/* What is told of a crossing lies within its band: the median, not the value at the modes. */
static void crossing_told(void **state)
{
    struct study study;
    struct breakeven_results results;
    struct breakeven_request request = {.axis = "touched", .pair = "unmap-lazy,eager"};
    char band[QUANTITY_TEXT], expected[200];
    (void)state;
    read_good(&study, "[study]\ndraws = 32\n[set]\nfootprint = 1G\nbacking = thp\n[axes]\n"
                      "workload = generated-boot\nmachine = neoverse-n1\ntouched = 0.1..1 +0.1\n");
    breakeven_good(&study, &request, 2, &results);
    const struct breakeven *row = &results.row[0];
    snprintf(expected, sizeof expected, "unmap-lazy up to touched = %s, eager beyond",
             quantity_band((struct band){row->p50, row->p10, row->p90}, UNIT_RATIO, band));
    assert_true(fabs(row->at - row->p50) > 1e-4);
    expect_printed(&results, false, expected);
    breakeven_free(&results);
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brackets),
        cmocka_unit_test(roots),
        cmocka_unit_test(few_looks),
        cmocka_unit_test(few_looks_far_from_zero),
        cmocka_unit_test(few_looks_where_that_will_do),
        cmocka_unit_test(ends_are_not_looked_at_again),
        cmocka_unit_test(looks_stand_where_they_did),
        cmocka_unit_test(a_function_may_stop),
        cmocka_unit_test(equals_the_sheet),
        cmocka_unit_test(along_a_cost),
        cmocka_unit_test(no_crossing),
        cmocka_unit_test(crossing_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

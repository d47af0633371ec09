/* Break-even points: the solver on known functions, and the model's crossings
 * against the break-even sheet. */
#include "study_files.h"

#include "report/breakeven_report.h"
#include "report/cells.h"
#include "study/breakeven_parts.h"
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
    double root = crossing_root(&function, 0, -2, 4, 62, 0);
    assert_true(fabs(root - cbrt(2)) < 4e-4);
    assert_true(calls < 20);
    /* On whole numbers: the first behind the change. */
    assert_true(crossing_root(&function, 0, -2, 100, 999998, 1) == 2);
    assert_true(crossing_root(&function, 1, -1, 2, 6, 1) == 2);
    assert_true(crossing_root(&function, 0, -2, 64, 262142, 4) == 4);
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
    crossing_root(&function, 0, -1, 1, 1, 0);
    assert_true(function.stop);
}

/* --- the model against the sheet --- */

/* A machine on which little but lines, TLB invalidations and the fixed part of
 * a fault costs anything, as the sheet has it. */
#define SHEET                                                                                \
    "[set]\nkernel_cpi = 0.05\nic_line_ns = 0\nic_all_ns = 0\ndc_clean_ratio = 1\n"          \
    "dc_dirty_ratio = 1\nmemory_ns = 1\noverlap = 1000\nwalk_read_ns = 0\nuncached_ns = 0\n" \
    "dsb_ns = 0\ntlbi_core_ns = 0\ncmo_path_ns = 0\nwriteback_gbps = 1000\n"                 \
    "dc_absent_ns = 7.7\ntlbi_ns = 1500\nexit_ns = 300000\nbacking = hugetlb\n"              \
    "write_share = 0\nexecute = 0\nmmu_on_places = 5\nvm_registers = 0\n"

#define FOOTPRINT_MIB 800.0

static void run(const struct study *study, const struct breakeven_request *request, unsigned jobs,
                struct breakeven_results *results)
{
    struct error err = {0};
    bool good = breakeven_run(study, request, jobs, results, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

static void read_it(struct study *study, const char *text)
{
    struct error err = {0};
    bool good = read_study(study, text, NULL, 0, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

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
    read_it(&study, "[study]\ndraws = 0\n" SHEET
                    "footprint = 800M\n[axes]\nworkload = generated-boot\nmachine = neoverse-n1\n"
                    "strategy = eager, unmap-lazy\ntouched = 0.1..0.9 +0.1\n");
    run(&study, &request, 1, &results);
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
    read_it(&study, "[study]\ndraws = 0\n" SHEET
                    "footprint = 800M\ntouched = 0.2\n[axes]\nworkload = generated-boot\n"
                    "machine = neoverse-n1\nstrategy = eager, unmap-lazy\n");
    run(&study, &request, 1, &results);
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

/* By 4 KiB leaves eager always wins: said plainly, with by how much. */
static void no_crossing(void **state)
{
    struct study study;
    struct breakeven_results results;
    struct breakeven_request request = {.axis = "touched", .pair = "unmap-lazy,eager"};
    char *text = NULL;
    size_t size = 0;
    (void)state;
    read_it(&study, "[study]\ndraws = 16\nshifts = 4\n[axes]\nworkload = %s\n"
                    "machine = neoverse-n1\ntouched = 0.1, 0.5, 0.9\n");
    run(&study, &request, 2, &results);
    assert_int_equal(results.count, 1);
    const struct breakeven *row = &results.row[0];
    assert_int_equal(row->status, BREAKEVEN_NONE);
    assert_string_equal(study.strategies[row->a]->name, "eager");
    assert_true(isnan(row->at) && row->share_a >= 0.8 && row->low_ratio > 1);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    breakeven_tell(out, &results, METRIC_added_boot_ns);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "no crossing in range; eager costs less by a factor of"));
    free(text);
    breakeven_free(&results);
    study_free(&study);
}

/* What is told of a crossing lies within its band: the median, not the value at the modes. */
static void crossing_told(void **state)
{
    struct study study;
    struct breakeven_results results;
    struct breakeven_request request = {.axis = "touched", .pair = "unmap-lazy,eager"};
    char *text = NULL, p10[40], p50[40], p90[40], expected[200];
    size_t size = 0;
    (void)state;
    read_it(&study, "[study]\ndraws = 64\n[set]\nfootprint = 1G\nbacking = thp\n[axes]\n"
                    "workload = generated-boot\nmachine = neoverse-n1\ntouched = 0.1..1 +0.1\n");
    run(&study, &request, 2, &results);
    const struct breakeven *row = &results.row[0];
    snprintf(expected, sizeof expected, "unmap-lazy up to touched = %s (%s to %s), eager beyond",
             cells_human(row->p50, UNIT_RATIO, p50, sizeof p50),
             cells_human(row->p10, UNIT_RATIO, p10, sizeof p10),
             cells_human(row->p90, UNIT_RATIO, p90, sizeof p90));
    assert_true(fabs(row->at - row->p50) > 1e-4);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    breakeven_tell(out, &results, METRIC_added_boot_ns);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, expected));
    free(text);
    breakeven_free(&results);
    study_free(&study);
}

/* The row of a pair whose costs at the modes and in all draws are these, one for
 * each value of the axis, instead of what the model says. */
static void expect_made_up(const double modes[2][3], const double draws[2][3],
                           enum breakeven_status status, const char *says)
{
    struct study study;
    struct breakeven_results results;
    struct breakeven_request request = {.axis = "touched"};
    struct scan scan;
    struct error err = {0};
    char *text = NULL;
    size_t size = 0;
    read_it(&study, "[study]\ndraws = 4\nshifts = 1\n[axes]\nworkload = %s\n"
                    "machine = neoverse-n1\nstrategy = eager, unmap\ntouched = 0.1, 0.5, 0.9\n");
    assert_true(breakeven_scan(&study, &request, 1, &scan, &results, &err));
    results.compared = calloc(2, sizeof *results.compared);
    assert_non_null(results.compared);
    for (size_t s = 0; s < 2; s++) {
        for (size_t run = 0; run < scan.runs; run++) {
            memcpy(scan_value(&scan, 0, s, run, 0), run == 0 ? modes[s] : draws[s],
                   3 * sizeof(double));
        }
    }
    assert_true(breakeven_pairs(&scan, 1, &err));
    breakeven_scan_end(&scan);
    assert_int_equal(results.count, 1);
    assert_int_equal(results.row[0].status, status);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    breakeven_tell(out, &results, METRIC_added_boot_ns);
    breakeven_rows_write(out, &results, METRIC_added_boot_ns);
    assert_int_equal(fclose(out), 0);
    if (!strstr(text, says)) {
        print_error("%s does not say '%s'\n", text, says);
    }
    assert_non_null(strstr(text, says));
    free(text);
    breakeven_free(&results);
    study_free(&study);
}

/* Where the draws agree, it is they who say who wins: modes may lie at the edge of
 * what is likely. */
static void draws_outweigh_the_modes(void **state)
{
    static const double eager[2][3] = {{1, 1, 1}, {2, 2, 2}};
    static const double unmap[2][3] = {{4, 4, 4}, {1, 1, 1}};
    static const double first_equal[2][3] = {{2, 4, 4}, {2, 1, 1}};
    static const double crossing[2][3] = {{1, 2, 5}, {3, 3, 3}};
    (void)state;
    expect_made_up(eager, unmap, BREAKEVEN_NONE,
                   "unmap costs less by a factor of 4 at 10 %, by a factor of 4 at 90 %\n");
    expect_made_up(eager, first_equal, BREAKEVEN_NONE,
                   "unmap costs less by a factor of 1 at 10 %,");
    expect_made_up(crossing, unmap, BREAKEVEN_NONE, "unmap costs less by");
    expect_made_up(eager, crossing, BREAKEVEN_CROSSING, ",0,0,0,eager,unmap,0.1,eager,3");
}

/* Draws that do not agree are no crossing and no winner: closely around the
 * crossing at the modes, most draws have theirs elsewhere. */
static void undecided(void **state)
{
    struct study study;
    struct breakeven_results results;
    char from[32], to[32];
    struct breakeven_request request = {.axis = "touched", .pair = "unmap-lazy,eager"};
    (void)state;
    read_it(&study, "[study]\ndraws = 64\n[set]\nfootprint = 1G\nbacking = thp\n[axes]\n"
                    "workload = generated-boot\nmachine = neoverse-n1\ntouched = 0.1..1 +0.1\n");
    run(&study, &request, 2, &results);
    double at = results.row[0].at;
    assert_true(at > 0.2 && at < 0.98);
    breakeven_free(&results);
    snprintf(from, sizeof from, "%.4f", at - 0.02);
    snprintf(to, sizeof to, "%.4f", at + 0.02);
    request.from = from;
    request.to = to;
    request.steps = 3;
    run(&study, &request, 2, &results);
    const struct breakeven *row = &results.row[0];
    assert_int_equal(row->status, BREAKEVEN_UNDECIDED);
    double shares = row->share_crossing + row->share_a + row->share_b + row->share_other;
    assert_true(fabs(shares - 1) < 1e-9);
    assert_true(row->share_crossing < 0.8 && row->share_a < 0.8 && row->share_b < 0.8);
    breakeven_free(&results);
    study_free(&study);
}

/* A strategy that reads stale bytes is in no pair; asked for, it is refused by
 * name. */
static void incoherent_is_left_out(void **state)
{
    struct study study;
    struct breakeven_results results;
    struct breakeven_request all = {.axis = "touched"};
    struct breakeven_request one = {.axis = "touched", .pair = "none,eager"};
    (void)state;
    read_it(&study, "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
                    "strategy = eager, none, fwb\ntouched = 0.1, 0.9\n");
    run(&study, &all, 1, &results);
    assert_int_equal(results.count, 0);
    breakeven_free(&results);
    run(&study, &one, 1, &results);
    assert_int_equal(results.count, 1);
    assert_int_equal(results.row[0].status, BREAKEVEN_LEFT_OUT);
    assert_string_equal(study.strategies[results.row[0].reason_strategy]->name, "none");
    breakeven_free(&results);
    all.what_if = true;
    run(&study, &all, 1, &results);
    assert_int_equal(results.count, 1);
    breakeven_free(&results);
    study_free(&study);
}

static char *rows_of(const struct study *study, unsigned jobs)
{
    struct breakeven_results results;
    struct breakeven_request request = {.axis = "touched"};
    char *text = NULL;
    size_t size = 0;
    run(study, &request, jobs, &results);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    breakeven_rows_write(out, &results, METRIC_added_boot_ns);
    breakeven_curves_write(out, &results, METRIC_added_boot_ns);
    assert_int_equal(fclose(out), 0);
    breakeven_free(&results);
    return text;
}

static void threads_change_nothing(void **state)
{
    struct study study;
    (void)state;
    read_it(&study, "[study]\ndraws = 16\nshifts = 4\n[set]\nfootprint = 512M\n[axes]\n"
                    "workload = generated-boot\nmachine = neoverse-n1, kunpeng-920\n"
                    "backing = 4k, thp\ntouched = 0.1..0.9 +0.2\n");
    char *one = rows_of(&study, 1), *four = rows_of(&study, 4);
    assert_non_null(strstr(one, ",crossing,"));
    assert_string_equal(one, four);
    free(one);
    free(four);
    study_free(&study);
}

static void refused(const struct study *study, struct breakeven_request request, const char *says)
{
    struct breakeven_results results;
    struct error err = {0};
    request.steps = request.steps ? request.steps : 5;
    assert_false(breakeven_run(study, &request, 1, &results, &err));
    if (!strstr(err.text, says)) {
        print_error("'%s' does not say '%s'\n", err.text, says);
    }
    assert_non_null(strstr(err.text, says));
    assert_int_equal(err.status, EXIT_INPUT);
}

static void bad_requests(void **state)
{
    struct study study;
    (void)state;
    read_it(&study, "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n");
    refused(&study, (struct breakeven_request){.axis = "touchd"}, "did you mean touched?");
    refused(&study, (struct breakeven_request){.axis = "touched"}, "--from and --to");
    refused(&study, (struct breakeven_request){.axis = "touched", .from = "0.1"}, "expected both");
    refused(&study, (struct breakeven_request){.axis = "touched", .from = "a", .to = "1"},
            "expected a number");
    refused(&study, (struct breakeven_request){.axis = "touched", .from = "1", .to = "0.5"},
            "rising range");
    refused(&study, (struct breakeven_request){.axis = "backing"}, "no numbers");
    refused(&study, (struct breakeven_request){.axis = "touched", .from = "0.5", .to = "2"},
            "touched");
    refused(&study, (struct breakeven_request){.axis = "zipf_exponent", .from = "0.5", .to = "1"},
            "changes nothing of added_boot_ns");
    refused(&study, (struct breakeven_request){.axis = "touched", .pair = "unmap"}, "A,B");
    refused(&study, (struct breakeven_request){.axis = "touched", .pair = "unmap,eagr"},
            "--pair: the study has no strategy 'eagr' (did you mean eager?)");
    refused(&study, (struct breakeven_request){.axis = "touched", .pair = "unmap,unmap"}, "differ");
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brackets),
        cmocka_unit_test(roots),
        cmocka_unit_test(a_function_may_stop),
        cmocka_unit_test(equals_the_sheet),
        cmocka_unit_test(along_a_cost),
        cmocka_unit_test(no_crossing),
        cmocka_unit_test(draws_outweigh_the_modes),
        cmocka_unit_test(crossing_told),
        cmocka_unit_test(undecided),
        cmocka_unit_test(incoherent_is_left_out),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(bad_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

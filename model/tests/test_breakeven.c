/* Break-even points where draws do not agree with the modes or with each other, and what is
 * left out or refused. */
#include "breakeven_printed.h"

#include "core/error.h"
#include "study/breakeven_parts.h"
#include "study/evaluate.h"

#include <math.h>

/* The row of a pair whose costs at the modes and in all draws are these, one for
 * each value of the axis, instead of what the model says. */
static void expect_made_up(const double modes[2][3], const double draws[2][3],
                           enum breakeven_status status, const char *says)
{
    struct study study;
    struct breakeven_results results;
    struct breakeven_request request = {.axis = "touched"};
    struct sweep sweep = {.jobs = 1};
    struct scan scan;
    struct error err = {0};
    read_good(&study, "[study]\ndraws = 4\nshifts = 1\n[axes]\nworkload = %s\n"
                      "machine = neoverse-n1\nstrategy = eager, unmap\ntouched = 0.1, 0.5, 0.9\n");
    assert_true(breakeven_scan(&study, &request, &sweep, test_store(), &scan, &results, &err));
    results.compared = calloc(2, sizeof *results.compared);
    assert_non_null(results.compared);
    for (size_t s = 0; s < 2; s++) {
        for (size_t run = 0; run < scan.runs; run++) {
            memcpy(scan_value(&scan, 0, s, run, 0), run == 0 ? modes[s] : draws[s],
                   3 * sizeof(double));
        }
    }
    assert_true(breakeven_pairs(&scan, &err));
    breakeven_scan_end(&scan);
    assert_int_equal(results.count, 1);
    assert_int_equal(results.row[0].status, status);
    expect_printed(&results, true, says);
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
                   "unmap costs less by a factor of 4.0 at 10 %, by a factor of 4.0 at 90 %\n");
    expect_made_up(eager, first_equal, BREAKEVEN_NONE,
                   "unmap costs less by a factor of 1.0 at 10 %,");
    expect_made_up(crossing, unmap, BREAKEVEN_NONE, "unmap costs less by");
    expect_made_up(eager, crossing, BREAKEVEN_CROSSING, ",0,0,0,eager,unmap,0.1,eager,3");
}

/* The study's own values in any order; bytes of a range by equal factors, others by equal steps. */
static void values_along_the_axis(void **state)
{
    static const char *const axes[] = {"touched", "touched", "footprint"};
    static const char *const from[] = {NULL, "0.1", "1M"}, *const to[] = {NULL, "0.9", "16M"};
    static const double x[][3] = {{0.1, 0.5, 0.9}, {0.1, 0.5, 0.9}, {1 << 20, 1 << 22, 1 << 24}};
    (void)state;
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        struct study study;
        struct breakeven_results results;
        struct breakeven_request request = {
            .axis = axes[i], .from = from[i], .to = to[i], .steps = 3};
        read_good(&study, "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
                          "strategy = eager, unmap\ntouched = 0.9, 0.1, 0.5\n");
        breakeven_good(&study, &request, 1, &results);
        assert_int_equal(results.x_count, 3);
        for (size_t k = 0; k < 3; k++) {
            assert_true(fabs(results.x[k] / x[i][k] - 1) < 1e-12);
        }
        breakeven_free(&results);
        study_free(&study);
    }
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
    read_good(&study, "[study]\ndraws = 64\n[set]\nfootprint = 1G\nbacking = thp\n[axes]\n"
                      "workload = generated-boot\nmachine = neoverse-n1\ntouched = 0.1..1 +0.1\n");
    breakeven_good(&study, &request, 2, &results);
    double at = results.row[0].at;
    assert_true(at > 0.2 && at < 0.98);
    breakeven_free(&results);
    snprintf(from, sizeof from, "%.4f", at - 0.02);
    snprintf(to, sizeof to, "%.4f", at + 0.02);
    request.from = from;
    request.to = to;
    request.steps = 3;
    breakeven_good(&study, &request, 2, &results);
    const struct breakeven *row = &results.row[0];
    assert_int_equal(row->status, BREAKEVEN_UNDECIDED);
    double shares = row->share_crossing + row->share_a + row->share_b + row->share_other;
    assert_true(fabs(shares - 1) < 1e-9);
    assert_true(row->share_crossing < 0.8 && row->share_a < 0.8 && row->share_b < 0.8);
    breakeven_free(&results);
    study_free(&study);
}

/* What a break-even of 16 draws says, and how many simulations were played for it. */
static void look_along(struct store *store, uint64_t steps, struct breakeven *row, size_t *played)
{
    struct study study;
    struct breakeven_results results;
    struct error err = {0};
    struct breakeven_request request = {
        .axis = "touched", .pair = "unmap-lazy,eager", .from = "0.1", .to = "1", .steps = steps};
    size_t before = store_plays(store).kept;
    read_good(&study, "[study]\ndraws = 16\n[set]\nfootprint = 1G\nbacking = thp\n[axes]\n"
                      "workload = generated-boot\nmachine = neoverse-n1\n");
    if (!breakeven_run(&study, &request, &(struct sweep){.jobs = 1}, store, &results, &err)) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(results.count, 1);
    *row = results.row[0];
    *played = store_plays(store).kept - before;
    breakeven_free(&results);
    study_free(&study);
}

/* Draws' roots are looked for as far as it matters beside so few draws, and are as near as is said:
 * against a scan that leaves nothing to look for. */
static void roots_as_near_as_it_matters(void **state)
{
    struct store *store = store_in_memory();
    struct breakeven coarse, fine;
    size_t played, played_fine;
    (void)state;
    look_along(store, 3, &coarse, &played);
    look_along(store, 201, &fine, &played_fine);
    assert_int_equal(fine.status, BREAKEVEN_CROSSING);
    assert_true(fabs(coarse.at - fine.at) < 2e-3);
    assert_true(coarse.within > 0 && coarse.within < (fine.p90 - fine.p10) / 16);
    const double off[] = {coarse.p10 - fine.p10, coarse.p50 - fine.p50, coarse.p90 - fine.p90};
    for (size_t i = 0; i < 3; i++) {
        if (fabs(off[i]) > coarse.within + fine.within) {
            fail_msg("%zu: %g off, said to be within %g", i, off[i], coarse.within);
        }
    }
    assert_true(played <= 2 * 17 * 3); /* about three looks at two strategies a run */
    store_drop(store);
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
    read_good(&study, "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
                      "strategy = eager, none, fwb\ntouched = 0.1, 0.9\n");
    breakeven_good(&study, &all, 1, &results);
    assert_int_equal(results.count, 0);
    breakeven_free(&results);
    breakeven_good(&study, &one, 1, &results);
    assert_int_equal(results.count, 1);
    assert_int_equal(results.row[0].status, BREAKEVEN_LEFT_OUT);
    assert_string_equal(study.strategies[results.row[0].reason_strategy]->name, "none");
    breakeven_free(&results);
    all.what_if = true;
    breakeven_good(&study, &all, 1, &results);
    assert_int_equal(results.count, 1);
    breakeven_free(&results);
    study_free(&study);
}

/* What a strategy adds at the modes. */
static double added_ns(struct scenario *scenario, const char *name)
{
    struct error err = {0};
    double modes[COSTS], value = NAN;
    const struct strategy *strategy = strategy_find(name, &err);
    platform_modes(&scenario->setup.platform, modes);
    if (!strategy ||
        !evaluate_at(scenario, METRIC_added_boot_ns, modes, &strategy, 1, &value, &err)) {
        fail_msg("%s: %s", name, err.text);
    }
    return value;
}

/* Tables cleared and pages cleaned at their fault, against one walk that cleans: each cleans a line
 * once, neither invalidates TLBs by page or flushes when an MMU goes on. With one vCPU nobody
 * waits, so faults cost what their number says, and the two lines meet where arithmetic has them
 * meet. */
static void the_pair_of_the_question(void **state)
{
    static const char lazy[] = "reinit-lazy-vmall-toggle0", eager[] = "eager";
    struct study study;
    struct breakeven_results results;
    struct breakeven_request request = {
        .axis = "touched", .pair = "reinit-lazy-vmall-toggle0,eager", .from = "0", .to = "1"};
    struct evaluator evaluator;
    struct sweep sweep = {.jobs = 1};
    struct scenario scenario;
    struct error err = {0};
    double none[2], all[2];
    (void)state;
    read_good(&study, "[study]\ndraws = 0\n[set]\nfootprint = 16G\nbacking = 4k\nvcpus = 1\n"
                      "[axes]\nworkload = generated-boot\nmachine = kunpeng-920\n"
                      "strategy = reinit-lazy-vmall-toggle0, eager\ntouched = 0, 1\n");
    evaluator_open(&evaluator, &study, &sweep, test_store());
    for (size_t point = 0; point < 2; point++) {
        double *costs = point == 0 ? none : all;
        assert_true(scenario_open(&scenario, &evaluator, point, (struct scenario_key){0}, &err));
        costs[0] = added_ns(&scenario, lazy);
        costs[1] = added_ns(&scenario, eager);
        scenario_close(&scenario);
    }
    evaluator_close(&evaluator);
    request.steps = 11;
    breakeven_good(&study, &request, 1, &results);
    assert_int_equal(results.count, 1);
    assert_int_equal(results.row[0].status, BREAKEVEN_CROSSING);
    double expected = (none[1] - none[0]) / (all[0] - none[0] - (all[1] - none[1]));
    assert_true(fabs(results.row[0].at - expected) < 0.002);
    assert_true(expected > 0.35 && expected < 0.39);
    breakeven_free(&results);
    study_free(&study);
}

static char *rows_of(const struct study *study, unsigned jobs)
{
    struct breakeven_results results;
    struct breakeven_request request = {.axis = "touched"};
    char *text = NULL;
    size_t size = 0;
    breakeven_good(study, &request, jobs, &results);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    breakeven_report.table[0].write(out, &results);
    breakeven_report.table[1].write(out, &results);
    assert_int_equal(fclose(out), 0);
    breakeven_free(&results);
    return text;
}

static void threads_change_nothing(void **state)
{
    struct study study;
    (void)state;
    read_good(&study, "[study]\ndraws = 16\nshifts = 4\n[set]\nfootprint = 512M\n[axes]\n"
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
    assert_false(
        breakeven_run(study, &request, &(struct sweep){.jobs = 1}, test_store(), &results, &err));
    expect_said(err.text, says);
    assert_int_equal(err.status, EXIT_INPUT);
}

static void bad_requests(void **state)
{
    struct study study;
    (void)state;
    read_good(&study, "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n");
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
            "expected order = zipf beside it");
    refused(&study,
            (struct breakeven_request){
                .metric = METRIC_first_insn_ns, .axis = "later_passes", .from = "0", .to = "4"},
            "changes nothing of first_insn_ns");
    refused(&study, (struct breakeven_request){.axis = "touched", .pair = "unmap"}, "A,B");
    refused(&study, (struct breakeven_request){.axis = "touched", .pair = "unmap,eagr"},
            "--pair: the study has no strategy 'eagr' (did you mean eager?)");
    refused(&study, (struct breakeven_request){.axis = "touched", .pair = "unmap,unmap"}, "differ");
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_outweigh_the_modes),    cmocka_unit_test(undecided),
        cmocka_unit_test(roots_as_near_as_it_matters), cmocka_unit_test(values_along_the_axis),
        cmocka_unit_test(incoherent_is_left_out),      cmocka_unit_test(the_pair_of_the_question),
        cmocka_unit_test(threads_change_nothing),      cmocka_unit_test(bad_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

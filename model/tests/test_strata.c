/* Draws of what is no cost: when the other vCPUs come up. */
#include "core/error.h"
#include "study_files.h"

#include "study/evaluate.h"

#define DRAWS 16
#define RUNS (1 + DRAWS)

#define STUDY                                                                  \
    "[study]\ndraws = 16\nshifts = 4\n[set]\nworkload = %s\nfootprint = 64M\n" \
    "touched = 60%\nram = 128M\n[axes]\nmachine = neoverse-n1\nvcpus = 4\n"    \
    "strategy = unmap, eager\n"

static void strata_fall_evenly(void **state)
{
    struct draw_plan plan = {.seed = 3, .draws = 64, .shifts = 8};
    unsigned first[64], again[64], other[64], count[DRAW_STRATA] = {0};
    (void)state;
    draw_strata(&plan, "neoverse-n1", first);
    draw_strata(&plan, "neoverse-n1", again);
    draw_strata(&plan, "kunpeng-920", other);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
    for (size_t i = 0; i < 64; i++) {
        assert_true(first[i] < DRAW_STRATA);
        count[first[i]]++;
    }
    for (size_t i = 0; i < DRAW_STRATA; i++) {
        assert_in_range(count[i], 12, 20);
    }
}

/* The values of `unmap` in all runs. */
static void values_of(const char *set, double value[RUNS])
{
    struct study study;
    struct sweep sweep = {.jobs = 2};
    struct evaluator evaluator;
    struct scenario scenario;
    struct error err;
    read_good_with(&study, STUDY, &set, set ? 1 : 0);
    evaluator_open(&evaluator, &study, &sweep, test_store());
    assert_true(scenario_open(&scenario, &evaluator, 0, (struct scenario_key){0}, &err));
    assert_true(evaluate_metric(&scenario, METRIC_added_boot_ns, study.strategies, 1, value, &err));
    for (size_t run = 0; run < RUNS; run += 5) {
        double one;
        assert_true(
            evaluate_run(&scenario, METRIC_added_boot_ns, run, study.strategies, 1, &one, &err));
        assert_true(one >= value[run] && one <= value[run]);
    }
    scenario_close(&scenario);
    evaluator_close(&evaluator);
    study_free(&study);
}

/* Each draw is what it would be with the middle of its stratum as the one amount. */
static void a_draw_has_an_amount_of_its_own(void **state)
{
    double drawn[RUNS], fixed[DRAW_STRATA][RUNS];
    unsigned strata[DRAWS];
    struct draw_plan plan = {.seed = 1, .draws = DRAWS, .shifts = 4};
    const double low = 31.0 * MIB, mode = 31.0 * MIB, high = 33.0 * MIB;
    bool differ = false;
    (void)state;
    values_of(NULL, drawn);
    draw_strata(&plan, "neoverse-n1", strata);
    for (unsigned i = 0; i < DRAW_STRATA; i++) {
        char set[64];
        snprintf(set, sizeof set, "secondaries_after=%llu",
                 (unsigned long long)draw_triangle(low, mode, high, (i + 0.5) / DRAW_STRATA));
        values_of(set, fixed[i]);
        differ |= fixed[i][1] < fixed[0][1] || fixed[i][1] > fixed[0][1];
    }
    assert_true(differ);
    for (size_t run = 1; run < RUNS; run++) {
        double expected = fixed[strata[run - 1]][run];
        assert_true(drawn[run] >= expected && drawn[run] <= expected);
    }
}

/* Where actors wait each run is a play of its own, and there is no other. */
static void played_draws_are_all_that_is_played(void **state)
{
    struct study study;
    struct sweep sweep = {.jobs = 2};
    struct evaluator evaluator;
    struct scenario scenario;
    struct error err;
    double value[RUNS];
    char hash[SETUP_HASH], other[SETUP_HASH];
    struct store *store = store_in_memory();
    (void)state;
    read_good_with(&study, STUDY, NULL, 0);
    evaluator_open(&evaluator, &study, &sweep, store);
    assert_true(scenario_open(&scenario, &evaluator, 0, (struct scenario_key){0}, &err));
    assert_true(evaluate_metric(&scenario, METRIC_window_ns, study.strategies, 1, value, &err));
    assert_false(evaluate_trial(&scenario, study.strategies[0], &err)->serial);
    assert_true(evaluate_run(&scenario, METRIC_window_ns, 3, study.strategies, 1, value, &err));
    assert_true(evaluate_hash(&scenario, study.strategies[0], 1, hash, &err));
    assert_true(evaluate_hash(&scenario, study.strategies[0], DRAW_STRATA, other, &err));
    assert_string_not_equal(hash, other);
    assert_int_equal(store_plays(store).kept, RUNS);
    assert_int_equal(store_plays(store).repeated, 0);
    scenario_close(&scenario);
    evaluator_close(&evaluator);
    study_free(&study);
    store_drop(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strata_fall_evenly),
        cmocka_unit_test(a_draw_has_an_amount_of_its_own),
        cmocka_unit_test(played_draws_are_all_that_is_played),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

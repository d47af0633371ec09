/* A surrogate against playing: where vCPUs wait for each other, and where nobody does. */
#include "study_files.h"

#include "study/surrogate.h"

#include <math.h>

/* One scenario, with two strategies. */
struct rig {
    struct study study;
    struct sweep sweep;
    struct evaluator evaluator;
    struct scenario scenario;
    struct surrogate surrogate;
};

static void rig_open_with(struct rig *rig, const char *vcpus, const char *strategies,
                          enum metric metric)
{
    const char *const set[] = {vcpus, strategies};
    struct error err = {0};
    read_good_with(&rig->study,
                   "[study]\ndraws = 16\nshifts = 4\n[set]\nfootprint = 512M\nbacking = 4k\n"
                   "[axes]\nworkload = generated-boot\nmachine = kunpeng-920\n"
                   "strategy = unmap, reinit-lazy\n",
                   set, 2);
    rig->sweep = (struct sweep){.jobs = 2};
    evaluator_open(&rig->evaluator, &rig->study, &rig->sweep, test_store());
    assert_true(scenario_open(&rig->scenario, &rig->evaluator, 0, (struct scenario_key){0}, &err));
    if (!surrogate_open(&rig->surrogate, &rig->scenario, metric, rig->study.strategies, 2, &err)) {
        print_error("%s\n", err.text);
        fail();
    }
}

static void rig_open(struct rig *rig, const char *vcpus, enum metric metric)
{
    rig_open_with(rig, vcpus, "strategy=unmap, reinit-lazy", metric);
}

static void rig_close(struct rig *rig)
{
    surrogate_close(&rig->surrogate);
    scenario_close(&rig->scenario);
    evaluator_close(&rig->evaluator);
    study_free(&rig->study);
}

/* The draws, which no surrogate was made from. */
static void near_what_playing_says(void **state)
{
    struct rig rig;
    struct error err;
    double found[2], said[2], costs[COSTS];
    (void)state;
    rig_open(&rig, "vcpus=4", METRIC_added_boot_ns);
    assert_int_equal(rig.surrogate.method, SURROGATE_COUNTED);
    assert_in_range(rig.surrogate.inputs, 10, 28);
    assert_int_equal(rig.surrogate.checks, 16);
    for (size_t run = 0; run < rig.scenario.runs; run++) {
        scenario_costs(&rig.scenario, run, costs);
        assert_true(evaluate_at(&rig.scenario, METRIC_added_boot_ns, costs, rig.study.strategies, 2,
                                found, &err));
        assert_true(surrogate_at(&rig.surrogate, costs, said, &err));
        for (size_t i = 0; i < 2; i++) {
            assert_true(fabs(said[i] / found[i] - 1) < (run == 0 ? 1e-12 : 0.05));
        }
    }
    for (size_t a = 0; a < 2; a++) {
        struct surrogate_error off = surrogate_error(&rig.surrogate, a, SIZE_MAX);
        print_message("off by %.2g %% of the value, %.2g %% of the variance\n", 100 * off.relative,
                      100 * off.unexplained);
        assert_true(off.relative > 0 && off.relative < 0.02 && off.unexplained < 0.02);
        assert_true(surrogate_is_good(off));
    }
    rig_close(&rig);
}

/* Counts take no play beyond the draws and their modes; where they are off, and there alone, slopes
 * are played. */
static void counts_are_held_against_draws(void **state)
{
    struct rig rig;
    double costs[COSTS], found[2], said[2];
    struct error err;
    (void)state;
    uint64_t kept = store_plays(test_store()).kept; /* near_what_playing_says has played them */
    rig_open(&rig, "vcpus=4", METRIC_window_ns);
    assert_int_equal(rig.surrogate.method, SURROGATE_COUNTED);
    assert_true(!rig.surrogate.played[0] && !rig.surrogate.played[1]);
    assert_int_equal(store_plays(test_store()).kept, kept);
    rig_close(&rig);
    rig_open_with(&rig, "vcpus=8", "strategy=eager-workers, unmap", METRIC_window_ns);
    assert_int_equal(rig.surrogate.method, SURROGATE_LINEAR);
    assert_true(rig.surrogate.played[0]);
    for (size_t run = 1; run < rig.scenario.runs; run++) {
        scenario_costs(&rig.scenario, run, costs);
        assert_true(evaluate_at(&rig.scenario, METRIC_window_ns, costs, rig.study.strategies, 2,
                                found, &err));
        assert_true(surrogate_at(&rig.surrogate, costs, said, &err));
        assert_true(fabs(said[0] / found[0] - 1) < 0.05);
    }
    rig_close(&rig);
}

/* A slope that is wrong is seen, and draws mend it. */
static void wrong_slopes_are_seen(void **state)
{
    struct rig rig;
    struct error err;
    (void)state;
    rig_open(&rig, "vcpus=4", METRIC_window_ns);
    for (size_t i = 0; i < 2 * rig.surrogate.inputs; i++) {
        rig.surrogate.slope[i] *= i % 2 ? 0.2 : 2.5;
    }
    for (size_t i = 0; i < 2 * rig.surrogate.checks; i++) {
        rig.surrogate.said[i] = 0;
    }
    struct surrogate_error off = surrogate_error(&rig.surrogate, 0, SIZE_MAX);
    assert_true(fabs(off.unexplained - 1) < 1e-9);
    assert_false(surrogate_is_good(off));
    assert_true(surrogate_fit(&rig.surrogate, 0, SIZE_MAX, &err));
    assert_int_equal(rig.surrogate.method, SURROGATE_FITTED);
    off = surrogate_error(&rig.surrogate, 0, SIZE_MAX);
    assert_true(off.unexplained < 0.05 && surrogate_is_good(off));
    /* It does no better than what it has come to: dropped again, no draw says otherwise. */
    double before = rig.surrogate.slope[0];
    assert_true(surrogate_fit(&rig.surrogate, 0, SIZE_MAX, &err));
    assert_true(surrogate_error(&rig.surrogate, 0, SIZE_MAX).unexplained <= off.unexplained);
    assert_true(fabs(rig.surrogate.slope[0] - before) <= fabs(before));
    rig_close(&rig);
}

/* Time has no scale: with every price and path a quarter slower, a run takes a quarter longer. So
 * the inputs that vary and those that do not make up the whole. */
static void inputs_are_all_there_is(void **state)
{
    struct rig rig;
    double sum = 0;
    (void)state;
    rig_open(&rig, "vcpus=4", METRIC_window_ns);
    for (size_t i = 0; i < rig.surrogate.inputs; i++) {
        sum += rig.surrogate.slope[i] * rig.surrogate.input[i].modes;
    }
    assert_true(fabs(sum / rig.surrogate.modes[0] - 1) < 0.03);
    rig_close(&rig);
}

/* Nobody waits: it is what pricing again says. */
static void exact_where_nobody_waits(void **state)
{
    struct rig rig;
    struct error err;
    double found[2], said[2], costs[COSTS];
    (void)state;
    rig_open(&rig, "vcpus=1", METRIC_added_boot_ns);
    assert_int_equal(rig.surrogate.method, SURROGATE_PRICED);
    scenario_costs(&rig.scenario, 3, costs);
    assert_true(evaluate_at(&rig.scenario, METRIC_added_boot_ns, costs, rig.study.strategies, 2,
                            found, &err));
    assert_true(surrogate_at(&rig.surrogate, costs, said, &err));
    assert_true(found[0] == said[0] && found[1] == said[1]);
    assert_true(surrogate_error(&rig.surrogate, 0, 1).relative == 0);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_what_playing_says),   cmocka_unit_test(counts_are_held_against_draws),
        cmocka_unit_test(wrong_slopes_are_seen),    cmocka_unit_test(inputs_are_all_there_is),
        cmocka_unit_test(exact_where_nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

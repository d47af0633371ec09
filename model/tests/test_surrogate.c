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

static void rig_open_set(struct rig *rig, const char *const *set, size_t sets, enum metric metric)
{
    struct error err = {0};
    read_good_with(&rig->study,
                   "[study]\ndraws = 16\nshifts = 4\n[set]\nfootprint = 512M\nbacking = 4k\n"
                   "[axes]\nworkload = generated-boot\nmachine = kunpeng-920\n"
                   "strategy = unmap, reinit-lazy\n",
                   set, sets);
    rig->sweep = (struct sweep){.jobs = 2};
    evaluator_open(&rig->evaluator, &rig->study, &rig->sweep, test_store());
    assert_true(scenario_open(&rig->scenario, &rig->evaluator, 0, (struct scenario_key){0}, &err));
    if (!surrogate_open(&rig->surrogate, &rig->scenario, metric, rig->study.strategies, 2, &err)) {
        print_error("%s\n", err.text);
        fail();
    }
}

static void rig_open_with(struct rig *rig, const char *vcpus, const char *strategies,
                          enum metric metric)
{
    const char *const set[] = {vcpus, strategies};
    rig_open_set(rig, set, 2, metric);
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

/* Counts take no play beyond the draws, nor does what is fitted to these where counts are off. */
static void draws_take_no_play(void **state)
{
    struct rig rig;
    double costs[COSTS], found[2], said[2];
    struct error err;
    (void)state;
    uint64_t kept = store_plays(test_store()).kept; /* near_what_playing_says has played them */
    rig_open(&rig, "vcpus=4", METRIC_window_ns);
    assert_int_equal(rig.surrogate.method, SURROGATE_COUNTED);
    assert_int_equal(store_plays(test_store()).kept, kept);
    rig_close(&rig);
    const char *const set[] = {"vcpus=4", "strategy=eager-workers, reinit-lazy-vmall", "draws=32"};
    rig_open_set(&rig, set, 3, METRIC_window_ns);
    assert_int_equal(rig.surrogate.method, SURROGATE_FITTED);
    struct surrogate_error off = surrogate_error(&rig.surrogate, 0, 1);
    print_message("off by %.2g %% of the value, %.2g %% of the variance\n", 100 * off.relative,
                  100 * off.unexplained);
    assert_true(surrogate_is_good(off));
    /* The ends of ranges, one cost after the other, which no draw is at. */
    double all = 0, square = 0;
    for (size_t i = 0; i < COSTS; i++) {
        platform_modes(&rig.scenario.setup.platform, costs);
        costs[i] = rig.scenario.setup.platform.cost[i].high;
        assert_true(evaluate_at(&rig.scenario, METRIC_window_ns, costs, rig.study.strategies, 2,
                                found, &err));
        assert_true(surrogate_at(&rig.surrogate, costs, said, &err));
        all += pow(found[0] - found[1], 2);
        square += pow(found[0] - found[1] - (said[0] - said[1]), 2);
    }
    print_message("at the ends off by %.2g %%\n", 100 * sqrt(square / all));
    assert_true(sqrt(square / all) < 0.05);
    rig_close(&rig);
}

/* With few draws slopes are played, where counts are off. */
static void few_draws_are_no_fit(void **state)
{
    struct rig rig;
    double costs[COSTS], found[2], said[2];
    struct error err;
    (void)state;
    const char *const set[] = {"vcpus=4", "strategy=eager-workers, reinit-lazy-vmall", "draws=8"};
    rig_open_set(&rig, set, 3, METRIC_window_ns);
    assert_int_equal(rig.surrogate.method, SURROGATE_LINEAR);
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
    (void)state;
    rig_open(&rig, "vcpus=4", METRIC_window_ns);
    size_t inputs = rig.surrogate.inputs, n = rig.surrogate.checks;
    for (size_t i = 0; i < 2 * inputs; i++) {
        rig.surrogate.slope[i] *= i % 2 ? 0.2 : 2.5;
    }
    for (size_t i = 0; i < n; i++) {
        rig.surrogate.miss[i] = rig.surrogate.found[i];
    }
    assert_false(surrogate_is_good(surrogate_error(&rig.surrogate, 0, SIZE_MAX)));
    surrogate_fit(&rig.surrogate, 0, SIZE_MAX);
    assert_int_equal(rig.surrogate.method, SURROGATE_FITTED);
    struct surrogate_error off = surrogate_error(&rig.surrogate, 0, SIZE_MAX);
    print_message("off by %.2g %% of the value, %.2g %% of the variance\n", 100 * off.relative,
                  100 * off.unexplained);
    assert_true(off.unexplained < 0.2);
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
        cmocka_unit_test(near_what_playing_says),  cmocka_unit_test(draws_take_no_play),
        cmocka_unit_test(few_draws_are_no_fit),    cmocka_unit_test(wrong_slopes_are_seen),
        cmocka_unit_test(inputs_are_all_there_is), cmocka_unit_test(exact_where_nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

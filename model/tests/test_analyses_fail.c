/* Analyses of which one scenario cannot be opened, or not played: what they return, what is said,
 * and that nothing is left of what they had. */
#include "core/error.h"
#include "store_files.h"

#include "study/advise.h"
#include "study/breakeven.h"
#include "study/lanes.h"
#include "study/sensitivity.h"
#include "study/target.h"
#include "study/winner_map.h"

static struct study study;
static struct sweep sweep = {.jobs = 1};
static struct store *store;

/* --- what is asked --- */

/* Asks; true where it was good. After that, and where it was not, there is nothing left. */
typedef bool (*ask_fn)(size_t *failed, struct error *err);

static void nothing_in(const struct groups *groups)
{
    assert_null(groups->study);
    assert_null(groups->out[0]);
    assert_int_equal(groups->count, 0);
}

static bool ask_run(size_t *failed, struct error *err)
{
    store_drop(store);
    remove_file("fails.db");
    store = good_store(&study, "fails.db", whole);
    bool good = study_execute(&study, &sweep, store, all_metrics(), err);
    *failed = store_sum(store).failed;
    store_drop(store);
    store = store_in_memory();
    return good;
}

static bool ask_sensitivity(size_t *failed, struct error *err)
{
    struct sensitivity_results results;
    const struct sensitivity_request request = {.points = 8};
    bool good = sensitivity_run(&study, &request, &sweep, store, &results, err);
    if (good) {
        *failed = results.failed.count;
        for (size_t i = 0; i < results.groups.count; i++) {
            *failed += results.cell[i].failed;
        }
        sensitivity_free(&results);
    }
    nothing_in(&results.groups);
    assert_null(results.cell);
    assert_null(results.undecided);
    assert_null(results.information);
    return good;
}

static bool ask_map(size_t *failed, struct error *err)
{
    struct winner_map_results results;
    const struct winner_map_request request = {.metric = METRIC_window_ns};
    bool good = winner_map_run(&study, &request, &sweep, store, &results, err);
    if (good) {
        *failed = results.failed.count;
        winner_map_free(&results);
    }
    nothing_in(&results.groups);
    assert_null(results.cell);
    assert_null(results.verdict);
    return good;
}

static void nothing_along(const struct breakeven_results *results)
{
    nothing_in(&results->groups);
    assert_null(results->row);
    assert_null(results->curve);
    assert_null(results->compared);
    assert_null(results->passed);
    assert_int_equal(results->count, 0);
    assert_int_equal(results->x_count, 0);
}

static const struct breakeven_request along = {
    .axis = "tlbi_ns", .from = "400", .to = "900", .steps = 2, .metric = METRIC_window_ns};

static bool ask_breakeven(size_t *failed, struct error *err)
{
    struct breakeven_results results;
    bool good = breakeven_run(&study, &along, &sweep, store, &results, err);
    if (good) {
        *failed = results.failed.count / 2; /* both values of the axis */
        breakeven_free(&results);
    }
    nothing_along(&results);
    return good;
}

static bool ask_target(size_t *failed, struct error *err)
{
    static const double limit = 1e7;
    struct target_results results;
    bool good = target_run(&study, &along, &limit, 1, &sweep, store, &results, err);
    if (good) {
        *failed = results.axis.failed.count / 2;
        target_free(&results);
    }
    nothing_along(&results.axis);
    assert_null(results.row);
    assert_int_equal(results.count, 0);
    return good;
}

static bool ask_advise(size_t *failed, struct error *err)
{
    struct advise_results results;
    const struct advise_request request = {.metric = METRIC_window_ns, .changes_max = 1};
    bool good = advise_run(&study, &request, &sweep, store, &results, err);
    if (good) {
        *failed = results.failed.count;
        advise_free(&results);
    }
    nothing_in(&results.groups);
    assert_null(results.ladder);
    return good;
}

static const struct {
    const char *name;
    ask_fn ask;
} asks[] = {{"run", ask_run},       {"sensitivity", ask_sensitivity},
            {"map", ask_map},       {"break-even", ask_breakeven},
            {"target", ask_target}, {"advice", ask_advise}};

#define ASKS (sizeof asks / sizeof *asks)

/* --- a scenario that cannot be opened --- */

/* Of four scenarios the last one cannot: its value is none of the key, its workload does not fit,
 * or the machine has not so many cores. All of it ends with that line. */
static void none_goes_on_without_a_scenario(void **state)
{
    static const struct {
        const char *axis, *instead, *says;
    } cases[] = {
        {"footprint = 2M, 4M", NULL, NULL},
        {"footprint = 2M, 4M", "4Q", "footprint: found '4Q'"},
        {"footprint = 2M, 128M", NULL, "footprint: found 128M, expected at most 64M, the ram"},
        {"touched = 20%, 50%", "1.5", "touched: found '1.5'"},
        {"vcpus = 1, 500", NULL, "1 VM of 500 vCPUs and a VMM need 501 cores"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "[study]\ndraws = 2\nshifts = 1\n[axes]\nworkload = %%s\nmachine = neoverse-n1, "
                 "kunpeng-920\n%s\nstrategy = unmap, eager\n",
                 cases[i].axis);
        read_good(&study, text);
        for (size_t a = 0; cases[i].instead && a < study.axis_count; a++) {
            struct axis *axis = &study.axes[a];
            if (axis->role == AXIS_KEY) {
                free(axis->values.text[1]);
                axis->values.text[1] = strdup(cases[i].instead);
            }
        }
        for (size_t k = 0; k < 2 * ASKS; k++) {
            struct error err = {0};
            size_t failed = 0;
            sweep.jobs = 1 + (unsigned)(k / ASKS);
            bool good = asks[k % ASKS].ask(&failed, &err);
            if (good != !cases[i].says || (!good && !strstr(err.text, cases[i].says))) {
                fail_msg("%s: %s '%s'", asks[k % ASKS].name, good ? "good" : "bad", err.text);
            }
            assert_true(good || (err.status == EXIT_INPUT && !err.simulation));
            assert_int_equal(failed, 0);
        }
        study_free(&study);
    }
}

/* --- simulations that fail --- */

/* Of four scenarios so many pass 64 bits of simulated time: they are counted, and passed over. */
static void what_fails_is_counted(void **state)
{
    static const struct {
        const char *exits;
        size_t failed;
    } cases[] = {{"100, 200", 0}, {"100, 1ms", 2}, {"1ms, 200", 2}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[2048];
        snprintf(text, sizeof text,
                 "[study]\ndraws = 0\n[axes]\nworkload = %s\nkernel = 6.1\nmachine = neoverse-n1, "
                 "kunpeng-920\nexit_ns = %s\nstrategy = unmap, eager\n",
                 long_workload(), cases[i].exits);
        read_good(&study, text);
        for (size_t k = 0; k < ASKS; k++) {
            struct error err = {0};
            size_t failed = 0;
            if (!asks[k].ask(&failed, &err)) {
                fail_msg("%s: %s", asks[k].name, err.text);
            }
            /* A sensitivity says so of the cell, too. */
            size_t expected = cases[i].failed * (asks[k].ask == ask_sensitivity ? 2 : 1);
            if (failed != expected) {
                fail_msg("%s: %zu failed, expected %zu", asks[k].name, failed, expected);
            }
        }
        study_free(&study);
    }
}

/* --- stopped --- */

/* Stopped at any part it says so, with the status of a program that the signal ended. */
static void stopped_at_each_part(void **state)
{
    (void)state;
    read_good(&study, "[study]\ndraws = 2\nshifts = 1\n[axes]\nworkload = %s\nmachine = "
                      "neoverse-n1\nstrategy = unmap, eager\n");
    sweep.jobs = 1;
    for (size_t k = 0; k < ASKS; k++) {
        size_t parts = 0, failed = 0;
        struct error err;
        bool good = false;
        while (!good) {
            err = (struct error){0};
            store_drop(store);
            store = store_in_memory();
            parts_left = parts++;
            sweep.stopped = stop_after;
            good = asks[k].ask(&failed, &err);
            sweep.stopped = NULL;
            if (!good && (strcmp(err.text, "interrupted") != 0 || err.status != 128 + 2)) {
                fail_msg("%s, stopped after %zu parts: '%s'", asks[k].name, parts - 1, err.text);
            }
            assert_in_range(parts, 1, 200);
        }
        assert_true(parts > 1);
    }
    study_free(&study);
}

/* --- what is asked before anything is played --- */

static void estimates_say_why_not(void **state)
{
    (void)state;
    read_good(&study, "[study]\ndraws = 2\nshifts = 1\n[axes]\nworkload = %s\nmachine = "
                      "neoverse-n1\nfootprint = 2M, 128M\nstrategy = unmap, eager\n");
    struct error err = {0};
    struct lanes lanes;
    struct lane_sample sample;
    assert_false(lanes_sort(&study, &lanes, &err));
    assert_non_null(strstr(err.text, "footprint: found 128M"));
    lanes_free(&lanes);
    err = (struct error){0};
    assert_true(lanes_sample(&study, store, 0, &sample, &err));
    assert_false(lanes_sample(&study, store, 5, &sample, &err));
    assert_non_null(strstr(err.text, "footprint: found 128M"));
    study_free(&study);
}

static int make_store(void **state)
{
    store = store_in_memory();
    return at_the_epoch(state);
}

static int drop_store(void **state)
{
    (void)state;
    store_drop(store);
    remove_file("fails.db");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_goes_on_without_a_scenario),
        cmocka_unit_test(what_fails_is_counted),
        cmocka_unit_test(stopped_at_each_part),
        cmocka_unit_test(estimates_say_why_not),
    };
    return cmocka_run_group_tests(tests, make_store, drop_store);
}

/* What is said before a wait: how long, and why. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/wait.h"
#include "core/error.h"
#include "study/evaluate.h"
#include "study_files.h"

static const char *said(const struct wait *wait, uint64_t draws)
{
    static char text[WAIT_TEXT];
    return wait_text(wait, draws, text);
}

static void a_long_wait_is_said_with_its_reason(void **state)
{
    (void)state;
    struct wait wait = {.played = 120, .seconds = 9, .threads = 2, .contended = true};
    assert_string_equal(said(&wait, 64), "");
    wait.seconds = 53.2;
    assert_string_equal(
        said(&wait, 64),
        "up to about 53 s on 2 threads: vCPUs wait for each other, and such a run is played again "
        "for each of the 64 draws (--set draws=0 plays none of them)");
    wait.draws_min = 8;
    assert_string_equal(
        said(&wait, 64),
        "up to about 53 s on 2 threads: vCPUs wait for each other, and such a run is played again "
        "for as many of the 64 draws as tell the others (--set draws=0 plays none of them)");
    assert_non_null(strstr(said(&wait, 0), "120 runs are to be played"));
    wait.contended = false;
    wait.seconds = 600;
    wait.threads = 1;
    assert_string_equal(said(&wait, 64),
                        "up to about 10 min on 1 thread: 120 runs are to be played");
}

static void so_is_one_for_published_rows(void **state)
{
    (void)state;
    char text[WAIT_TEXT];
    struct wait wait = {.seconds = 9, .threads = 2};
    assert_string_equal(wait_rows_text(&wait, 70, 32, text), "");
    wait.seconds = 27;
    assert_string_equal(wait_rows_text(&wait, 70, 32, text),
                        "up to about 27 s on 2 threads: each of 70 rows is played for up to 32 "
                        "draws (--draws 8 plays fewer)");
}

static void so_is_one_for_a_fit(void **state)
{
    (void)state;
    char text[WAIT_TEXT];
    struct wait wait = {.seconds = 9, .threads = 2};
    assert_string_equal(wait_fit_text(&wait, 24, text), "");
    wait.seconds = 27;
    assert_string_equal(wait_fit_text(&wait, 24, text),
                        "up to about 27 s on 2 threads: 24 rows are played at each step of the "
                        "search, some 20 times for each cost (--cost NAME fits that one only)");
}

/* One vCPU's runs are priced again; several that wait are played for each draw. */
static void contention_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *vcpus;
        double played;
        bool contended;
    } rows[] = {{"vcpus=1", 3 + 1, false}, {"vcpus=4", (3 + 1) * (1 + 8), true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *set[] = {rows[i].vcpus};
        struct study study;
        struct wait wait;
        struct error err = {0};
        struct store *store = store_in_memory();
        read_good_with(&study,
                       "[study]\ndraws = 8\n[axes]\nworkload = generated-boot\n"
                       "machine = neoverse-n1\nvcpus = 1\nstrategy = unmap, eager, none\n",
                       set, 1);
        assert_true(wait_estimate(&study, store, 1, 3, &wait, &err));
        assert_true(wait.runs == (3 + 1) * (1 + 8));
        assert_true(wait.played == rows[i].played);
        assert_int_equal(wait.contended, rows[i].contended);
        assert_int_equal(wait.threads, 1);
        assert_int_equal(store_plays(store).kept, 3);
        assert_true(wait_estimate(&study, store, 1, 3, &wait, &err));
        assert_int_equal(store_plays(store).repeated, 0);
        store_drop(store);
        study_free(&study);
    }
}

static void play_all(const struct study *study, struct store *store)
{
    struct sweep sweep = {.jobs = 2};
    struct evaluator evaluator;
    struct error err;
    size_t count = study->role[AXIS_STRATEGY]->values.count;
    double *value = calloc(count * (1 + study->draws), sizeof *value);
    assert_non_null(value);
    evaluator_open(&evaluator, study, &sweep, store);
    for (size_t cell = 0; cell < study_cells(study); cell++) {
        struct scenario scenario;
        assert_true(scenario_open(&scenario, &evaluator, study_point(study, cell, 0),
                                  (struct scenario_key){0}, &err));
        assert_true(evaluate_metric(&scenario, METRIC_added_boot_ns, study->strategies, count,
                                    value, &err));
        scenario_close(&scenario);
    }
    evaluator_close(&evaluator);
    free(value);
}

/* What is announced is what a run plays, within a fifth: where few strategies have to be played,
 * and where vCPUs wait in some scenarios only. */
static void as_many_are_played(void **state)
{
    (void)state;
    static const char *const axes[] = {
        "touched = 0, 10%, 60%\nvcpus = 1\nfootprint = 128M\n",
        "touched = 10%\nvcpus = 1, 2, 8\nfootprint = 128M\n",
        "touched = 10%\nvcpus = 8\nfootprint = 2G\n",
    };
    /* Only of the last one some draws are fitted. */
    static const unsigned draws_min[] = {0, 0, 8};
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        char text[512];
        struct study study;
        struct wait wait;
        struct error err = {0};
        struct store *store = store_in_memory();
        snprintf(text, sizeof text,
                 "[study]\ndraws = %u\ndraws_min = %u\nmetrics = added_boot_ns\n[axes]\nmachine = "
                 "neoverse-n1\n"
                 "workload = generated-boot\nbacking = 4k, thp\n%s"
                 "strategy = unmap, eager, reinit-lazy, unmap-lazy, eager-toggle1, "
                 "eager-workers\n",
                 draws_min[i] > 0 ? 32 : 16, draws_min[i], axes[i]);
        read_good_with(&study, text, NULL, 0);
        assert_true(wait_estimate(&study, store, 1, 24, &wait, &err));
        play_all(&study, store);
        double played = (double)store_plays(store).kept;
        print_message("%.0f announced, %.0f played\n", wait.played, played);
        assert_true(fabs(wait.played / played - 1) <= 0.2);
        assert_int_equal(store_plays(store).repeated, 0);
        store_drop(store);
        study_free(&study);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_wait_is_said_with_its_reason),
        cmocka_unit_test(so_is_one_for_published_rows),
        cmocka_unit_test(so_is_one_for_a_fit),
        cmocka_unit_test(contention_is_found),
        cmocka_unit_test(as_many_are_played),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

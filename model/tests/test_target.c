/* Which values of an axis keep a limit, and keys of [strategy] as axes. */
#include "core/error.h"
#include "study_files.h"
#include "study_results.h"

#include "report/analyses.h"
#include "study/target.h"

#include <math.h>

static const char chunks[] = "[study]\ndraws = 8\nshifts = 4\n[axes]\nworkload = %s\n"
                             "machine = neoverse-n1\nbacking = 4k, thp\n"
                             "chunk = 64K, 256K, 1M, 4M\nstrategy = unmap, eager, fwb\n";

static struct study study;

static void read_chunks(const char *const *set, size_t sets)
{
    read_good_with(&study, chunks, set, sets);
}

static struct target_results solved(enum metric metric, const char *axis, double limit)
{
    struct breakeven_request request = {.axis = axis, .metric = metric};
    struct target_results results;
    struct error err = {0};
    struct store *store = store_in_memory();
    bool good =
        target_run(&study, &request, &limit, 1, &(struct sweep){.jobs = 1}, store, &results, &err);
    store_drop(store);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
    return results;
}

static void expect_printed(const struct target_results *found, const char *says)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    target_report.print(out, found);
    target_report.table[0].write(out, found);
    assert_int_equal(fclose(out), 0);
    if (!strstr(text, says)) {
        print_error("%s does not say '%s'\n", text, says);
    }
    assert_non_null(strstr(text, says));
    free(text);
}

/* The answer is the last value whose row of the study keeps the limit. */
static void as_the_rows_say(void **state)
{
    double limits[] = {1, 1e5, 3e5, 1e6, 1e9, 0, 0, 0};
    struct study_results rows;
    struct error err;
    (void)state;
    read_chunks(NULL, 0);
    assert_true(study_results_of(&study, 1, &rows, &err));
    for (size_t l = 5; l < 8; l++) { /* what a row comes to keeps itself */
        limits[l] = rows.points[(l - 5) * 3].metric[METRIC_pause_ns].mode;
    }
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        struct target_results found = solved(METRIC_pause_ns, "chunk", limits[l]);
        assert_int_equal(found.count, 4); /* fwb needs what the machine has not */
        for (size_t i = 0; i < found.count; i++) {
            const struct target *row = &found.row[i];
            double at = NAN, least = NAN;
            for (size_t c = 0; c < 4; c++) {
                /* The axes: machine and kernel stand still; workload, machine,
                 * backing, chunk, strategy, in the file's order. */
                size_t point = (row->group * 4 + c) * 3 + row->strategy;
                double pause = rows.points[point].metric[METRIC_pause_ns].mode;
                least = c == 0 ? pause : least;
                at = pause <= limits[l] ? found.axis.x[c] : at;
            }
            assert_true(row->rises);
            assert_true(row->best.mode == least);
            assert_true(isnan(at) ? isnan(row->at) : row->at == at);
            assert_true(isnan(row->at) || (row->there.mode <= limits[l] && row->share >= 0));
            assert_true(isnan(row->sure) || row->sure <= 4 * 1024 * 1024);
            assert_int_equal(row->all, at == found.axis.x[3]);
        }
        target_free(&found);
    }
    study_results_free(&rows);
    study_free(&study);
}

/* A higher limit is kept by no fewer values. */
static void monotone(void **state)
{
    double last[8] = {0};
    (void)state;
    read_chunks(NULL, 0);
    for (uint64_t limit = 10000; limit < 1000000000; limit *= 3) {
        struct target_results found = solved(METRIC_pause_ns, "chunk", (double)limit);
        for (size_t i = 0; i < found.count; i++) {
            double at = isnan(found.row[i].at) ? 0 : found.row[i].at;
            assert_true(at >= last[i]);
            last[i] = at;
        }
        target_free(&found);
    }
    study_free(&study);
}

/* Where more is better the values count from the high end. */
static void from_the_high_end(void **state)
{
    static const char *const set[] = {"strategy=eager-workers"};
    static const char text[] = "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
                               "workers = 1, 2, 4, 8\nstrategy = eager\n";
    struct error err = {0};
    (void)state;
    assert_true(read_study(&study, text, set, 1, &err));
    struct target_results all = solved(METRIC_pause_ns, "workers", 1e9);
    double most = all.row[0].there.mode, least = all.row[0].best.mode;
    assert_false(all.row[0].rises);
    assert_true(all.row[0].all && most > 2 * least);
    assert_true(isnan(all.row[0].share) && isnan(all.row[0].sure)); /* no draws */
    expect_printed(&all, "all values, from workers = 1 on, where it takes");
    expect_printed(&all, ",all values from,1,");
    struct target_results some = solved(METRIC_pause_ns, "workers", (most + least) / 2);
    assert_true(some.row[0].at > 1 && some.row[0].at <= 8 && !some.row[0].all);
    target_free(&all);
    target_free(&some);
    study_free(&study);
}

/* A key of [strategy] in [set] and on an axis changes every row, and the hash;
 * never the yardstick. */
static void keys_of_strategies(void **state)
{
    static const char *const set[] = {"chunk=1M", "strategy=unmap, eager"};
    struct setup setup;
    struct error err;
    (void)state;
    read_chunks(set, 2);
    for (size_t point = 0; point < study.points; point++) {
        assert_true(study_setup(&study, point, &setup, &err));
        assert_int_equal(setup.strategy->chunk, 1024 * 1024);
        assert_true(setup.strategy == &setup.changed);
        setup_use(&setup, &strategy_ideal);
        assert_int_equal(setup.strategy->chunk, 0);
        setup_free(&setup);
    }
    study_free(&study);
    assert_true(read_study(&study,
                           "[set]\ntoggle = none\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
                           "strategy = unmap, eager\n",
                           NULL, 0, &err));
    assert_true(study_setup(&study, 0, &setup, &err));
    assert_int_equal(setup.strategy->toggle, TOGGLE_NONE);
    assert_string_equal(setup.strategy->name, "unmap");
    setup_free(&setup);
    study_free(&study);
    assert_true(read_study(&study,
                           "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
                           "strategy = eager-workers\nworkers = 1..40 +1\n",
                           NULL, 0, &err));
    assert_true(study_setup(&study, study.points - 1, &setup, &err));
    assert_int_equal(setup.changes, 1);
    assert_int_equal(setup.strategy->workers, 40);
    setup_free(&setup);
    study_free(&study);
}

/* No key means two things. */
static void keys_have_one_owner(void **state)
{
    (void)state;
    for (size_t i = 0; i < strategy_option_count; i++) {
        const struct option_row *row = &strategy_options[i];
        enum key_owner wanted = row->kind == OPTION_TEXT ? KEY_NOBODY : KEY_STRATEGY;
        if (strcmp(row->name, "title") != 0 && strcmp(row->name, "caveat") != 0) {
            assert_int_equal(setup_key_owner(row->name), wanted);
        }
    }
}

static void expect_bad(const char *text, const char *says)
{
    struct error err;
    assert_false(read_study(&study, text, NULL, 0, &err));
    if (!strstr(err.text, says)) {
        print_error("'%s' does not say '%s'\n", err.text, says);
    }
    assert_non_null(strstr(err.text, says));
    assert_int_equal(err.status, EXIT_INPUT);
    study_free(&study);
}

static void bad_values(void **state)
{
#define HEAD "[axes]\nworkload = %s\nmachine = neoverse-n1\n"
    (void)state;
    expect_bad(HEAD "chunk = 2X\n", "study.ini:4: chunk: ");
    expect_bad(HEAD "workers = 1, 1000\n", "study.ini:4: workers: ");
    expect_bad(HEAD "[set]\ntoggle = often\n", "study.ini:5: toggle: ");
    expect_bad(HEAD "toggl = every\n", "(did you mean toggle?)");
}

/* A line for each row of both kinds. */
static void told(void **state)
{
    (void)state;
    read_chunks(NULL, 0);
    struct target_results found = solved(METRIC_pause_ns, "chunk", 2e5);
    expect_printed(&found, "pause_ns of at most 200 us along chunk, 4 values");
    expect_printed(&found, "not reachable: even at chunk = 64 KiB it takes");
    expect_printed(&found, "up to chunk = ");
    expect_printed(&found, ",not reachable,,,,");
    target_free(&found);
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_rows_say),
        cmocka_unit_test(monotone),
        cmocka_unit_test(from_the_high_end),
        cmocka_unit_test(keys_of_strategies),
        cmocka_unit_test(keys_have_one_owner),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

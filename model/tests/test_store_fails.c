/* A store that fails at any one statement fails what is asked of it, with a line: nothing goes on
 * with what was not read or written, and the next time all is there as before. */
#include "core/error.h"
#include "store_files.h"

#include "study/advise.h"
#include "study/breakeven.h"
#include "study/sensitivity.h"
#include "study/target.h"
#include "study/winner_map.h"

#include <dlfcn.h>
#include <sqlite3.h>

/* --- failing statements --- */

static size_t steps, fails_at; /* counted from 1; 0: none fails */
static bool
    in_exec; /* begins and ends a transaction: how many of these there are is a matter of time */

/* These take SQLite's place. */
int sqlite3_step(sqlite3_stmt *statement)
{
    static int (*real)(sqlite3_stmt *);
    *(void **)&real = real ? *(void **)&real : dlsym(RTLD_NEXT, "sqlite3_step");
    return !in_exec && ++steps == fails_at ? SQLITE_IOERR_READ : real(statement);
}

static size_t prepared, prepare_fails_at; /* statements, likewise */

int sqlite3_prepare_v3(sqlite3 *file, const char *sql, int bytes, unsigned flags,
                       sqlite3_stmt **statement, const char **rest)
{
    static int (*real)(sqlite3 *, const char *, int, unsigned, sqlite3_stmt **, const char **);
    *(void **)&real = real ? *(void **)&real : dlsym(RTLD_NEXT, "sqlite3_prepare_v3");
    return ++prepared == prepare_fails_at ? SQLITE_NOMEM
                                          : real(file, sql, bytes, flags, statement, rest);
}

typedef int (*row_fn)(void *context, int columns, char **values, char **names);

int sqlite3_exec(sqlite3 *file, const char *sql, row_fn row, void *context, char **words)
{
    static int (*real)(sqlite3 *, const char *, row_fn, void *, char **);
    *(void **)&real = real ? *(void **)&real : dlsym(RTLD_NEXT, "sqlite3_exec");
    in_exec = true;
    int code = real(file, sql, row, context, words);
    in_exec = false;
    return code;
}

/* --- what is asked --- */

static struct study study;
static struct sweep sweep = {.jobs = 1};

typedef bool (*ask_fn)(struct store *store, struct error *err);

static bool ask_run(struct store *store, struct error *err)
{
    return study_execute(&study, &sweep, store, all_metrics(), err);
}

static bool ask_sensitivity(struct store *store, struct error *err)
{
    struct sensitivity_results results;
    const struct sensitivity_request request = {.points = 8};
    bool good = sensitivity_run(&study, &request, &sweep, store, &results, err);
    if (good) {
        sensitivity_free(&results);
    }
    return good;
}

static bool ask_map(struct store *store, struct error *err)
{
    struct winner_map_results results;
    const struct winner_map_request request = {.metric = METRIC_added_boot_ns};
    bool good = winner_map_run(&study, &request, &sweep, store, &results, err);
    if (good) {
        winner_map_free(&results);
    }
    return good;
}

static const struct breakeven_request along = {
    .axis = "touched", .from = "50%", .to = "100%", .steps = 2};

static bool ask_breakeven(struct store *store, struct error *err)
{
    struct breakeven_results results;
    bool good = breakeven_run(&study, &along, &sweep, store, &results, err);
    if (good) {
        breakeven_free(&results);
    }
    return good;
}

static bool ask_target(struct store *store, struct error *err)
{
    static const double limit = 1e7;
    struct target_results results;
    bool good = target_run(&study, &along, &limit, 1, &sweep, store, &results, err);
    if (good) {
        target_free(&results);
    }
    return good;
}

static bool ask_advise(struct store *store, struct error *err)
{
    struct advise_results results;
    const struct advise_request request = {.changes_max = 1, .hardware = true};
    bool good = advise_run(&study, &request, &sweep, store, &results, err);
    if (good) {
        advise_free(&results);
    }
    return good;
}

/* Asks with the statement of that number failing. */
static void expect_failure(ask_fn ask, struct store *store, size_t at)
{
    struct error err = {0};
    steps = 0;
    fails_at = at;
    bool good = ask(store, &err);
    fails_at = 0;
    if (good || !err.text[0] || err.simulation) {
        fail_msg("statement %zu fails: %s, '%s'", at, good ? "good" : "bad", err.text);
    }
}

static void expect_good(ask_fn ask, struct store *store)
{
    struct error err = {0};
    steps = 0;
    if (!ask(store, &err)) {
        fail_msg("%s", err.text);
    }
}

/* --- tests --- */

#define STATEMENTS_MAX 40 /* that fail, of one store; */
#define STATEMENTS_FEW 12 /* where what is asked takes long */

static void each_statement(ask_fn ask)
{
    size_t most = ask == ask_advise ? STATEMENTS_FEW : STATEMENTS_MAX;
    struct store *store = store_in_memory();
    expect_good(ask, store);
    size_t writes = steps;
    expect_good(ask, store);
    size_t reads = steps;
    assert_in_range(reads, 2, writes - 1);
    for (size_t at = 1; at <= reads; at += 1 + reads / most) {
        expect_failure(ask, store, at);
    }
    expect_good(ask, store);
    assert_int_equal(steps, reads);
    store_drop(store);
    for (size_t at = 1; at <= writes; at += 1 + writes / 4) {
        store = store_in_memory();
        expect_failure(ask, store, at);
        store_drop(store);
    }
}

static void analyses(void **state)
{
    static const ask_fn asks[] = {ask_sensitivity, ask_map, ask_breakeven, ask_target, ask_advise};
    static const char *const texts[] = {
        "[study]\ndraws = 4\nshifts = 2\n[set]\ntouched = 50%\n[axes]\nworkload = %s\nmachine = "
        "neoverse-n1\nstrategy = unmap, eager\n",
        "[study]\ndraws = 12\nshifts = 4\ndraws_min = 8\n[set]\nworkload = generated-boot\nbacking "
        "= 4k\ntouched = 100%\nvcpus = 3\nsecondaries_after = 2M\nfootprint = 8M\n[axes]\nmachine "
        "= neoverse-n1\nstrategy = unmap, eager\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        read_good(&study, texts[i]);
        for (size_t k = 0; k < sizeof asks / sizeof *asks - i; k++) { /* advice takes long */
            each_statement(asks[k]);
        }
        study_free(&study);
    }
}

/* Of a run the cells that are there are not asked again. */
static void runs(void **state)
{
    (void)state;
    read_good(&study, "[study]\ndraws = 4\nshifts = 2\n[axes]\nworkload = %s\nmachine = "
                      "neoverse-n1\nbacking = 4k, thp\nstrategy = unmap, eager\n");
    remove_file("fails.db");
    struct store *store = good_store(&study, "fails.db", whole);
    expect_good(ask_run, store);
    size_t writes = steps;
    store_drop(store);
    for (size_t at = 1; at <= writes; at += 1 + writes / STATEMENTS_MAX) {
        store = good_store(&study, "fails.db", whole);
        expect_failure(ask_run, store, at);
        expect_good(ask_run, store);
        assert_int_equal(store_sum(store).have, 2);
        store_drop(store);
    }
    study_free(&study);
}

/* A statement that cannot be prepared fails all the same; the next time it can. */
static void statements_that_are_none(void **state)
{
    static const ask_fn asks[] = {ask_run, ask_map, ask_breakeven};
    (void)state;
    read_good(&study, "[study]\ndraws = 4\nshifts = 2\n[set]\ntouched = 50%\n[axes]\nworkload = "
                      "%s\nmachine = neoverse-n1\nstrategy = unmap, eager\n");
    for (size_t k = 0; k < sizeof asks / sizeof *asks; k++) {
        size_t count = 1;
        for (size_t at = 0; at <= count; at++) { /* first none */
            struct error err = {0};
            remove_file("fails.db");
            struct store *store = good_store(&study, "fails.db", whole);
            prepared = 0;
            prepare_fails_at = at;
            bool good = asks[k](store, &err);
            prepare_fails_at = 0;
            if (at == 0) {
                count = prepared;
            }
            if (good != (at == 0) || (!good && (!err.text[0] || err.simulation))) {
                fail_msg("statement %zu of %zu: %s, '%s'", at, count, good ? "good" : "bad",
                         err.text);
            }
            expect_good(asks[k], store);
            store_drop(store);
        }
        assert_in_range(count, 4, 40);
    }
    remove_file("fails.db");
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(analyses), cmocka_unit_test(runs),
                                       cmocka_unit_test(statements_that_are_none)};
    return cmocka_run_group_tests(tests, at_the_epoch, NULL);
}

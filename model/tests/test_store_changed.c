/* Stores that were changed from outside: each column that is another is seen, and so is what the
 * program would not have written; another's shards are refused. */
#include "store_made.h"

#include "core/database.h"

#include "study/trial_json.h"

/* --- changes from outside --- */

/* Each column of what has a checksum, and what makes no sense; each by itself. */
static void every_changed_column_is_seen(void **state)
{
    static const char *const points[] = {
        "UPDATE point SET kernel = 'x' WHERE point = %zu",
        "UPDATE point SET backing = 'x' WHERE point = %zu",
        "UPDATE point SET strategy = 'x' WHERE point = %zu",
        "UPDATE point SET machine = 'x' WHERE point = %zu",
        "UPDATE point SET touched = 'x' WHERE point = %zu",
        "UPDATE point SET workload = 'x' WHERE point = %zu",
        "UPDATE point SET draws_hash = 'x' WHERE point = %zu",
        "UPDATE point SET hypothetical = 'x' WHERE point = %zu",
        "UPDATE point SET verdict = 'x' WHERE point = %zu",
        "UPDATE point SET verdict = CASE verdict WHEN 'stale' THEN 'coherent' ELSE 'stale' END "
        "WHERE point = %zu",
        "UPDATE point SET condition = 'x' WHERE point = %zu",
        "UPDATE point SET config_hash = 'x' WHERE point = %zu",
        "UPDATE point SET checksum = checksum + 1 WHERE point = %zu",
        "UPDATE point SET point = 1 WHERE point = %zu",
        "DELETE FROM point WHERE point = %zu",
        "UPDATE result SET n = n + 1 WHERE point = %zu AND metric = '%s'",
        "UPDATE result SET n = 0 WHERE point = %zu AND metric = '%s'",
        "UPDATE result SET fitted = fitted + 1 WHERE point = %zu AND metric = '%s'",
        "UPDATE result SET mode = mode + 1 WHERE point = %zu AND metric = '%s'",
        "UPDATE result SET mode = NULL WHERE point = %zu AND metric = '%s'",
        "UPDATE result SET mean = mean + 1 WHERE point = %zu AND metric = '%s'",
        "UPDATE result SET p10 = p10 + 1 WHERE point = %zu AND metric = '%s'",
        "UPDATE result SET p50 = NULL WHERE point = %zu AND metric = '%s'",
        "UPDATE result SET p90 = 'x' WHERE point = %zu AND metric = '%s'",
        "UPDATE result SET interval_low = interval_low + 1 WHERE point = %zu AND metric = "
        "'%s'",
        "UPDATE result SET interval_high = NULL WHERE point = %zu AND metric = '%s'",
        "UPDATE result SET metric = 'x' WHERE point = %zu AND metric = '%s'",
        "DELETE FROM result WHERE point = %zu AND metric = '%s'",
        "UPDATE point SET condition = 'a' || char(31) WHERE point = %zu",
        "UPDATE point SET hypothetical = char(127) WHERE point = %zu",
        "UPDATE point SET touched = char(10) WHERE point = %zu",
    };
    struct study study;
    struct error err;
    size_t size = 0;
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    for (int metric = 0; metric < METRICS; metric++) {
        wanted[metric] = metric == ALL_THERE || metric == 4 || metric == ALL_ZERO;
    }
    struct store *store = good_store(&study, "a.db", whole);
    put_some(store, &study);
    close_good(store);
    char *bytes = bytes_of("a.db", &size);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        char sql[300];
        snprintf(sql, sizeof sql, points[i], study_point(&study, 7, 1), metric_name[ALL_THERE]);
        put_bytes("a.db", bytes, size);
        (void)ask("a.db", sql);
        store = read_store("a.db");
        if (store_each_point(store, take_none, NULL, &err)) {
            fail_msg("%s", sql);
        }
        assert_int_equal(err.status, EXIT_INPUT);
        assert_non_null(strstr(err.text, "damaged"));
        close_good(store);
    }
    free(bytes);
    remove_file("a.db");
    study_free(&study);
}

/* A value of 0 is known, which its checksum does not say. */
static void what_is_missing_is_not_0(void **state)
{
    static const char *const columns[] = {"mode", "mean", "p10",          "p50",
                                          "p90",  "n",    "interval_low", "interval_high"};
    struct study study;
    struct error err;
    size_t size = 0;
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    for (int metric = 0; metric < METRICS; metric++) {
        wanted[metric] = metric == ALL_ZERO;
    }
    struct store *store = good_store(&study, "a.db", whole);
    put_cell(store, &study, 7);
    close_good(store);
    char *bytes = bytes_of("a.db", &size);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        char sql[100];
        snprintf(sql, sizeof sql, "UPDATE result SET %s = NULL", columns[i]);
        put_bytes("a.db", bytes, size);
        (void)ask("a.db", sql);
        store = read_store("a.db");
        if (store_each_point(store, take_none, NULL, &err)) {
            fail_msg("%s", sql);
        }
        close_good(store);
    }
    free(bytes);
    remove_file("a.db");
    study_free(&study);
}

/* Puts a point's checksum right behind a change, as somebody could who means harm. */
static void forge(const char *name, size_t point)
{
    static const char results[] = "SELECT metric, n, fitted, mode, mean, p10, p50, p90, "
                                  "interval_low, interval_high FROM result WHERE point = ?";
    static struct database database;
    struct row row;
    struct error err;
    char path[512], sql[200];
    bool good, known;
    uint64_t sum = 0;
    path_of(name, path, sizeof path);
    assert_true(database_open(&database, path, DATABASE_WRITE, &err));
    assert_true(row_open(&row, &database, results, &err));
    row_put_whole(&row, point);
    while (row_next(&row, &good, &err)) {
        (void)row_text(&row);
        (void)row_whole(&row);
        (void)row_whole(&row);
        for (int i = 0; i < 7; i++) {
            (void)row_real(&row, &known);
        }
        sum += row.checksum;
    }
    assert_true(row_open(&row, &database, "SELECT * FROM point WHERE point = ?", &err));
    row_put_whole(&row, point);
    assert_true(row_next(&row, &good, &err));
    (void)row_whole(&row);
    row.checksum = sum;
    for (int i = 0; i < 6 + 5; i++) { /* axes, draws, hypothetical, verdict, condition, hash */
        (void)row_text(&row);
    }
    snprintf(sql, sizeof sql, "UPDATE point SET checksum = %lld WHERE point = %zu",
             (long long)row.checksum, point);
    row_end(&row);
    assert_true(database_run(&database, sql, &err));
    assert_true(database_close(&database, &err));
}

/* What is right by its checksum may be no text that a table or a terminal can have, too long, or no
 * verdict or metric. */
static void forged_points_are_refused(void **state)
{
    static const struct {
        const char *sql;
        bool good;
    } cases[] = {
        {"UPDATE point SET condition = 'x'", true},
        {"UPDATE point SET condition = char(32) || char(126)", true},
        {"UPDATE point SET condition = char(31)", false},
        {"UPDATE point SET condition = 'a' || char(127)", false},
        {"UPDATE point SET condition = 'a' || char(9)", false},
        {"UPDATE point SET condition = substr(hex(zeroblob(300)), 1, 511)", true},
        {"UPDATE point SET condition = substr(hex(zeroblob(300)), 1, 512)", false},
        {"UPDATE point SET hypothetical = substr(hex(zeroblob(300)), 1, 39)", true},
        {"UPDATE point SET hypothetical = substr(hex(zeroblob(300)), 1, 40)", false},
        {"UPDATE point SET hypothetical = char(10)", false},
        {"UPDATE point SET draws_hash = char(27)", false},
        {"UPDATE point SET config_hash = char(27)", false},
        {"UPDATE point SET touched = char(27)", false},
        {"UPDATE point SET workload = char(127)", false},
        {"UPDATE point SET verdict = 'stale'", true},
        {"UPDATE point SET verdict = 'not-read'", true},
        {"UPDATE point SET verdict = 'other'", false},
        {"UPDATE point SET verdict = ''", false},
        {"UPDATE result SET metric = 'other'", false},
        {"UPDATE result SET metric = 'cpu_ns'", true},
    };
    struct study study;
    struct error err;
    size_t size = 0;
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    for (int metric = 0; metric < METRICS; metric++) {
        wanted[metric] = metric == ALL_THERE;
    }
    struct store *store = good_store(&study, "a.db", whole);
    put_cell(store, &study, 7);
    close_good(store);
    char *bytes = bytes_of("a.db", &size);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_bytes("a.db", bytes, size);
        (void)ask("a.db", cases[i].sql);
        for (size_t s = 0; s < 3; s++) {
            forge("a.db", study_point(&study, 7, s));
        }
        store = read_store("a.db");
        if (store_each_point(store, take_none, NULL, &err) != cases[i].good) {
            fail_msg("%s", cases[i].sql);
        }
        close_good(store);
    }
    free(bytes);
    remove_file("a.db");
    study_free(&study);
}

static void every_changed_play_is_seen(void **state)
{
    static const char *const columns[] = {
        "serial",       "window_ps",    "cpu_ps",        "pause_ps", "stall_p50_ps",
        "stall_p99_ps", "stall_max_ps", "first_insn_ps", "counts",   "before",
        "leaves",       "verdicts",     "tails",         "sections", "checksum",
    };
    struct trial played = trial_of(true), found;
    struct study study;
    struct error err;
    size_t size = 0;
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    struct store *store = good_store(&study, "a.db", whole);
    assert_true(store_add_play(store, "p", "c", &played, &err));
    close_good(store);
    char *bytes = bytes_of("a.db", &size);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        for (int text = 0; text < 2; text++) {
            char sql[200];
            snprintf(sql, sizeof sql, "UPDATE play SET %s = %s", columns[i],
                     text ? "'[]'" : "98765");
            put_bytes("a.db", bytes, size);
            (void)ask("a.db", sql);
            store = read_store("a.db");
            if (store_find_play(store, "p", "c", &found, &err) != STORE_FAILED) {
                fail_msg("%s", sql);
            }
            assert_non_null(strstr(err.text, "damaged"));
            close_good(store);
        }
    }
    free(bytes);
    remove_file("a.db");
    study_free(&study);
}

/* --- what it is of --- */

static void strange_stores_are_refused(void **state)
{
    static const struct {
        const char *sql;
        bool good;
    } cases[] = {
        {"UPDATE about SET value = '{\"axes\":[{\"name\":\"strategy\",\"values\":[1]}]}' "
         "WHERE name = 'settings'",
         false},
        {"UPDATE about SET value = replace(value, '\"name\":\"backing\"', '\"name\":7') "
         "WHERE name = 'settings'",
         false},
        {"UPDATE about SET value = replace(value, '\"name\":\"strategy\"', '\"name\":\"other\"') "
         "WHERE name = 'settings'",
         false},
        {"UPDATE about SET value = replace(value, '[\"4k\",\"thp\"]', '[]') "
         "WHERE name = 'settings'",
         false},
        {"UPDATE about SET value = '{}' WHERE name = 'settings'", false},
        {"UPDATE about SET value = '' WHERE name = 'settings'", false},
        {"UPDATE about SET value = '{\"a\":1,\"a\":2}' WHERE name = 'configuration'", false},
        {"UPDATE about SET value = '0' WHERE name = 'shard'", false},
        {"UPDATE about SET value = '4' WHERE name = 'shard'", false},
        {"DELETE FROM about WHERE name = 'format'", false},
        {"INSERT INTO cell SELECT 12, 0, 0, ''", false},
        {"INSERT INTO cell SELECT -1, 0, 0, ''", false},
        {"PRAGMA user_version = 3", false},
        {"PRAGMA user_version = 6", false},
        {"CREATE VIEW v AS SELECT 1", false},
        {"CREATE INDEX i ON cell (plays)", false},
        {"DROP TABLE source", false},
        {"ALTER TABLE cell ADD more", false},
        {"DELETE FROM draw", true},
    };
    struct study study;
    struct error err;
    size_t size = 0;
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    close_good(good_store(&study, "a.db", (struct shard){2, 3}));
    char *bytes = bytes_of("a.db", &size);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        put_bytes("a.db", bytes, size);
        (void)ask("a.db", cases[i].sql);
        path_of("a.db", path, sizeof path);
        struct store *store = store_read(path, &err);
        if ((store != NULL) != cases[i].good) {
            fail_msg("%s", cases[i].sql);
        }
        assert_true(store || err.status == EXIT_INPUT);
        assert_true(store_close(store, &err));
    }
    /* Of three shards a cell is one's. */
    for (size_t cell = 0; cell < 12; cell++) {
        char path[512], sql[100];
        snprintf(sql, sizeof sql, "INSERT INTO cell SELECT %zu, 0, 0, ''", cell);
        put_bytes("a.db", bytes, size);
        (void)ask("a.db", sql);
        path_of("a.db", path, sizeof path);
        struct store *store = store_read(path, &err);
        assert_int_equal(store != NULL, shard_of_cell(cell, 3) == 2);
        assert_true(store_close(store, &err));
    }
    free(bytes);
    remove_file("a.db");
    study_free(&study);
}

/* Another shard's file, and one of another number of shards. */
static void wrong_shards_are_refused(void **state)
{
    struct study study;
    struct error err;
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    close_good(good_store(&study, "a.db", (struct shard){2, 3}));
    assert_null(open_store(&study, "a.db", (struct shard){1, 3}, &err));
    assert_non_null(strstr(err.text, "another shard's name"));
    assert_null(open_store(&study, "a.db", (struct shard){2, 4}, &err));
    close_good(good_store(&study, "a.db", (struct shard){2, 3}));
    remove_file("a.db");
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_changed_column_is_seen),
        cmocka_unit_test(what_is_missing_is_not_0),
        cmocka_unit_test(forged_points_are_refused),
        cmocka_unit_test(every_changed_play_is_seen),
        cmocka_unit_test(strange_stores_are_refused),
        cmocka_unit_test(wrong_shards_are_refused),
    };
    return cmocka_run_group_tests(tests, at_the_epoch, NULL);
}

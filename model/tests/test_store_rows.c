/* Stores of made-up cells, plays and costs: each column comes back as it was put, each change of a
 * column from outside is seen, and what shards have makes the whole. */
#include "store_files.h"

#include "core/database.h"
#include "core/error.h"

#include "study/trial_json.h"

#include <sqlite3.h>

/* --- what is made up --- */

enum { ALL_THERE = 3, ALL_ZERO = 7 }; /* two metrics: everything is known of them; and is 0 */

/* A result whose every field is another. */
static struct point_result result_of(size_t point)
{
    struct point_result result = {.worst = (enum outcome)(point % 4)};
    for (int metric = 0; metric < METRICS; metric++) {
        double base = 1000.0 * (double)point + 10.0 * metric;
        double step = metric == ALL_ZERO ? 0 : 1;
        base = metric == ALL_ZERO ? 0 : base;
        struct spread *spread = &result.metric[metric];
        spread->known = metric % 4 != 1;
        if (spread->known) {
            spread->mode = base + 0.5 * step;
            spread->n = metric % 4 == 2 ? 0 : 4 + point;
        }
        if (spread->known && spread->n > 0) {
            spread->fitted = point % 3;
            spread->mean = base + step;
            spread->p10 = base + 2 * step;
            spread->p50 = base + 3 * step;
            spread->p90 = base + 4 * step;
            spread->has_interval = metric % 4 == 3;
        }
        if (spread->has_interval) {
            spread->interval_low = base + 5 * step;
            spread->interval_high = base + 6 * step;
        }
    }
    snprintf(result.condition, sizeof result.condition, "condition %zu", point);
    snprintf(result.hypothetical, sizeof result.hypothetical, "if %zu", point);
    snprintf(result.hash, sizeof result.hash, "hash %zu", point);
    snprintf(result.draws, sizeof result.draws, "draws %zu", point);
    for (unsigned stratum = 0; stratum <= DRAW_STRATA; stratum += 2) {
        snprintf(result.source[stratum].play, SETUP_HASH, "play %zu %u", point, stratum);
        snprintf(result.source[stratum].ideal, SETUP_HASH, "ideal %zu %u", point, stratum);
    }
    return result;
}

static bool wanted[METRICS];

static void put_cell(struct store *store, const struct study *study, size_t cell)
{
    struct point_result results[3];
    struct error err = {0};
    for (size_t s = 0; s < 3; s++) {
        results[s] = result_of(study_point(study, cell, s));
    }
    struct store_cell own = {cell, 100 + cell, 200 + cell, results};
    assert_false(store_has_cell(store, cell));
    assert_true(store_add_cell(store, study, &own, wanted, &err));
    assert_true(store_has_cell(store, cell));
}

/* --- looking behind it --- */

struct asked {
    char text[400];
};

static int take_row(void *context, int columns, char **values, char **names)
{
    struct asked *asked = context;
    (void)names;
    for (int i = 0; i < columns; i++) {
        size_t used = strlen(asked->text);
        snprintf(asked->text + used, sizeof asked->text - used, "%s%s",
                 values[i] ? values[i] : "null", i + 1 < columns ? "," : ";");
    }
    return 0;
}

/* "1,a;2,b;": what a statement gives. */
static struct asked ask(const char *name, const char *sql)
{
    struct asked asked = {""};
    char path[512];
    sqlite3 *file = NULL;
    path_of(name, path, sizeof path);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    if (sqlite3_exec(file, sql, take_row, &asked, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(file));
    }
    sqlite3_close(file);
    return asked;
}

static void expect_rows(const char *name, const char *sql, const char *expected)
{
    struct asked asked = ask(name, sql);
    assert_string_equal(asked.text, expected);
}

/* --- points --- */

struct reading {
    const struct study *study;
    size_t points, last;
};

static void same_spread(const struct spread *a, const struct spread *b)
{
    assert_true(a->known == b->known && a->n == b->n && a->fitted == b->fitted);
    assert_true(a->mode == b->mode && a->mean == b->mean);
    assert_true(a->p10 == b->p10 && a->p50 == b->p50 && a->p90 == b->p90);
    assert_true(a->has_interval == b->has_interval);
    assert_true(a->interval_low == b->interval_low && a->interval_high == b->interval_high);
}

static void same_point(void *context, const struct stored_point *point)
{
    struct reading *reading = context;
    const struct point_result expected = result_of(point->point), *found = &point->result;
    assert_true(reading->points == 0 || point->point > reading->last);
    reading->last = point->point;
    reading->points++;
    for (size_t i = 0; i < reading->study->axis_count; i++) {
        const struct axis *axis = &reading->study->axes[i];
        assert_string_equal(point->axis[i], axis->values.text[study_digit(axis, point->point)]);
    }
    for (int metric = 0; metric < METRICS; metric++) {
        const struct spread none = {0};
        assert_int_equal(point->has[metric], wanted[metric]);
        same_spread(&found->metric[metric], wanted[metric] ? &expected.metric[metric] : &none);
    }
    assert_int_equal(found->worst, expected.worst);
    assert_string_equal(found->condition, expected.condition);
    assert_string_equal(found->hypothetical, expected.hypothetical);
    assert_string_equal(found->hash, expected.hash);
    assert_string_equal(found->draws, expected.draws);
}

static void expect_sum(const struct store *store, struct store_sum expected)
{
    struct store_sum sum = store_sum(store);
    assert_int_equal(sum.own, expected.own);
    assert_int_equal(sum.have, expected.have);
    assert_int_equal(sum.failed, expected.failed);
    assert_int_equal(sum.plays, expected.plays);
    assert_int_equal(sum.reprices, expected.reprices);
}

/* Cells 7 and 2, of which 7 was first, and one that failed. */
static void put_some(struct store *store, const struct study *study)
{
    struct error err = {0};
    put_cell(store, study, 7);
    put_cell(store, study, 2);
    assert_true(store_add_failed(store, 5, "it could not go on", &err));
    assert_true(store_has_cell(store, 5));
}

static void points_come_back(void **state)
{
    static const struct store_sum sum = {12, 3, 1, 209, 409};
    struct study study;
    struct error err = {0};
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    for (int metric = 0; metric < METRICS; metric++) {
        wanted[metric] = metric % 5 != 4;
    }
    struct store *store = good_store(&study, "a.db", whole);
    expect_sum(store, (struct store_sum){.own = 12});
    put_some(store, &study);
    expect_sum(store, sum);
    for (int turn = 0; turn < 2; turn++) {
        struct reading reading = {.study = &study};
        assert_true(store_each_point(store, same_point, &reading, &err));
        assert_int_equal(reading.points, 6);
        close_good(store);
        store = good_store(&study, "a.db", whole);
        assert_false(store_is_new(store));
        expect_sum(store, sum);
        for (size_t cell = 0; cell < 12; cell++) {
            assert_int_equal(store_has_cell(store, cell), cell == 2 || cell == 5 || cell == 7);
        }
    }
    close_good(store);
    expect_rows("a.db", "SELECT * FROM cell ORDER BY cell",
                "2,102,202,;5,0,0,it could not go on;7,107,207,;");
    char sources[200], sql[100];
    size_t point = study_point(&study, 2, 1);
    snprintf(sql, sizeof sql, "SELECT * FROM source WHERE point = %zu ORDER BY stratum", point);
    snprintf(sources, sizeof sources,
             "%zu,0,play %zu 0,ideal %zu 0;%zu,2,play %zu 2,ideal %zu 2;"
             "%zu,4,play %zu 4,ideal %zu 4;",
             point, point, point, point, point, point, point, point, point);
    expect_rows("a.db", sql, sources);
    /* What is not known is null. */
    expect_rows("a.db",
                "SELECT count(*) FROM result WHERE (mode IS NULL) <> (n = 0 AND metric IN "
                "(SELECT metric FROM result WHERE mode IS NULL))",
                "0;");
    expect_rows("a.db", "SELECT count(*) FROM result WHERE mean IS NULL AND n > 0", "0;");
    remove_file("a.db");
    study_free(&study);
}

/* --- what failed --- */

static void take_why(void *context, const char *why)
{
    strcat(strcat(context, why), ";");
}

static void failed_cells_are_named(void **state)
{
    struct study study;
    struct error err = {0};
    char all[200] = "";
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    struct store *store = good_store(&study, "a.db", whole);
    assert_true(store_none_failed(store, &err));
    assert_true(store_add_failed(store, 9, "nine", &err));
    assert_true(store_add_failed(store, 4, "four", &err));
    put_cell(store, &study, 0);
    assert_true(store_each_failed(store, take_why, all, &err));
    assert_string_equal(all, "four;nine;");
    assert_false(store_none_failed(store, &err));
    assert_true(err.simulation);
    assert_non_null(strstr(err.text, "2 of 3 scenarios failed"));
    assert_non_null(strstr(err.text, "the first: four"));
    close_good(store);
    (void)ask("a.db", "UPDATE cell SET failed = char(27) WHERE cell = 4");
    store = good_store(&study, "a.db", whole);
    assert_false(store_each_failed(store, take_why, all, &err));
    assert_non_null(strstr(err.text, "damaged"));
    store_drop(store);
    study_free(&study);
}

/* --- plays --- */

static struct trial trial_of(bool serial)
{
    static struct event_count counts[] = {{.site = SITE_FAULT, .kind = EV_exits, .n = 6}};
    struct trial trial = {.serial = serial,
                          .counts = counts,
                          .count = 1,
                          .window_ps = 11,
                          .cpu_ps = 12,
                          .tail = {13, 14, 15, 16, serial ? UINT64_MAX : 17},
                          .leaves = {1, 2, 3}};
    trial.seen[EV_exits] = true;
    counts->part = event_part(counts->kind, counts->site);
    return trial;
}

static void expect_play(struct store *store, const char *play, const char *costs, bool serial)
{
    const struct trial expected = trial_of(serial);
    struct trial found;
    struct error err = {0};
    assert_int_equal(store_find_play(store, play, costs, &found, &err), STORE_FOUND);
    assert_int_equal(found.serial, serial);
    assert_int_equal(found.window_ps, expected.window_ps);
    assert_int_equal(found.cpu_ps, expected.cpu_ps);
    assert_int_equal(found.tail.pause_ps, expected.tail.pause_ps);
    assert_int_equal(found.tail.stall_p50_ps, expected.tail.stall_p50_ps);
    assert_int_equal(found.tail.stall_p99_ps, expected.tail.stall_p99_ps);
    assert_int_equal(found.tail.stall_max_ps, expected.tail.stall_max_ps);
    assert_true(found.tail.first_insn_ps == expected.tail.first_insn_ps);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.counts[0].n, 6);
    assert_memory_equal(found.leaves, expected.leaves, sizeof found.leaves);
    trial_free(&found);
}

static void plays_come_back(void **state)
{
    struct trial played = trial_of(true), waited = trial_of(false), found;
    struct study study;
    struct error err = {0};
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    struct store *store = good_store(&study, "a.db", whole);
    assert_int_equal(store_find_play(store, "p", "c", &found, &err), STORE_MISSING);
    assert_true(store_add_play(store, "p", "c", &played, &err));
    assert_true(store_add_play(store, "p", "d", &waited, &err));
    assert_true(store_add_play(store, "q", "c", &waited, &err));
    assert_int_equal(store_plays(store).repeated, 0);
    assert_true(store_add_play(store, "p", "c", &waited, &err)); /* the first one stays */
    assert_true(store_add_play(store, "p", "d", &waited, &err));
    for (int turn = 0; turn < 2; turn++) {
        expect_play(store, "p", "c", true);
        expect_play(store, "p", "d", false);
        expect_play(store, "q", "c", false);
        assert_int_equal(store_find_play(store, "q", "d", &found, &err), STORE_MISSING);
        assert_int_equal(store_plays(store).kept, 3);
        assert_int_equal(store_plays(store).repeated, 2);
        close_good(store);
        store = good_store(&study, "a.db", whole);
    }
    close_good(store);
    expect_rows("a.db",
                "SELECT serial, window_ps, cpu_ps, pause_ps, stall_p50_ps, stall_p99_ps, "
                "stall_max_ps, first_insn_ps, counts FROM play WHERE costs_hash = 'c'",
                "1,11,12,13,14,15,16,-1,{\"fault\":{\"exits\":6}};"
                "0,11,12,13,14,15,16,17,{\"fault\":{\"exits\":6}};");
    remove_file("a.db");
    study_free(&study);
}

static void costs_and_draws_are_kept(void **state)
{
    struct store_draw draw[3] = {{"c0", 0}, {"c1", 4}, {"c2", 1}};
    double value[COSTS];
    ps_t price[EVENT_KINDS];
    struct study study;
    struct error err = {0};
    char sql[200];
    bool has = true;
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    struct store *store = good_store(&study, "a.db", whole);
    for (int i = 0; i < COSTS; i++) {
        value[i] = i + 0.5;
    }
    for (int i = 0; i < EVENT_KINDS; i++) {
        price[i] = (ps_t)(7 * i);
    }
    assert_true(store_add_costs(store, "c1", value, price, &err));
    assert_true(store_add_costs(store, "c1", value, price, &err)); /* once is enough */
    assert_true(store_has_draws(store, "d", &has, &err) && !has);
    assert_true(store_add_draws(store, "d", draw, 3, &err));
    assert_true(store_has_draws(store, "d", &has, &err) && has);
    assert_true(store_has_draws(store, "e", &has, &err) && !has);
    close_good(store);
    expect_rows("a.db", "SELECT * FROM draw", "d,0,c0,0;d,1,c1,4;d,2,c2,1;");
    expect_rows("a.db", "SELECT count(*) FROM costs", "1;");
    snprintf(sql, sizeof sql,
             "SELECT json_extract(cost, '$.%s'), json_extract(price_ps, '$.%s') "
             "FROM costs",
             cost_name[COSTS - 1], event_name[EVENT_KINDS - 1]);
    char last[80];
    snprintf(last, sizeof last, "%.1f,%d;", COSTS - 0.5, 7 * (EVENT_KINDS - 1));
    expect_rows("a.db", sql, last);
    snprintf(sql, sizeof sql,
             "SELECT (SELECT count(*) FROM json_each(cost)), (SELECT count(*) FROM "
             "json_each(price_ps)) FROM costs");
    snprintf(last, sizeof last, "%d,%d;", COSTS, EVENT_KINDS);
    expect_rows("a.db", sql, last);
    remove_file("a.db");
    study_free(&study);
}

/* --- changes from outside --- */

static void take_none(void *context, const struct stored_point *point)
{
    (void)context;
    (void)point;
}

static struct store *read_store(const char *name)
{
    char path[512];
    struct error err;
    path_of(name, path, sizeof path);
    struct store *store = store_read(path, &err);
    assert_non_null(store);
    return store;
}

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

static void about_comes_back(void **state)
{
    static const struct {
        const char *name;
        bool number;
    } axes[] = {{"kernel", false},  {"backing", false}, {"strategy", false},
                {"machine", false}, {"touched", true},  {"workload", false}};
    struct study study;
    struct store_about wrote;
    struct error err;
    char path[512];
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    close_good(good_store(&study, "a.db", (struct shard){2, 3}));
    path_of("a.db", path, sizeof path);
    struct store *store = store_read(path, &err);
    assert_non_null(store);
    const struct store_about *about = store_about(store);
    assert_true(run_about(&study, (struct shard){2, 3}, "both", &wrote, &err));
    for (size_t i = 0; i < STORE_TEXTS; i++) {
        assert_string_equal(about->text[i], wrote.text[i]);
    }
    assert_int_equal(about->shard.number, 2);
    assert_int_equal(about->shard.count, 3);
    assert_int_equal(about->axes, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(about->axis[i].name, axes[i].name);
        assert_int_equal(about->axis[i].number, axes[i].number);
    }
    assert_int_equal(about->cells, 12);
    assert_int_equal(about->strategies, 3);
    assert_int_equal(about->stride, 6);
    assert_string_equal(store_path(store), path);
    store_about_free(&wrote);
    assert_true(store_close(store, &err));
    remove_file("a.db");
    study_free(&study);
}

/* As many axes as a study may have. */
static void all_axes_come_back(void **state)
{
    struct study study;
    struct error err;
    char path[512];
    (void)state;
    read_good(&study, "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
                      "kernel = 6.1\nstrategy = unmap\nbacking = 4k\ntouched = 0.5\n"
                      "footprint = 4M\nvcpus = 1\nrewrite = 1M\nexit_ns = 1, 2\ntlbi_ns = 3, 4\n"
                      "dsb_ns = 5\nmemory_ns = 6\nuncached_ns = 7\nzero_gbps = 8\ncopy_gbps = 9\n");
    assert_int_equal(study.axis_count, STUDY_AXES);
    remove_file("a.db");
    close_good(good_store(&study, "a.db", whole));
    path_of("a.db", path, sizeof path);
    struct store *store = store_read(path, &err);
    assert_non_null(store);
    assert_int_equal(store_about(store)->axes, STUDY_AXES);
    assert_string_equal(store_about(store)->axis[STUDY_AXES - 1].name, "copy_gbps");
    assert_int_equal(store_about(store)->cells, 4);
    assert_int_equal(store_about(store)->stride, 4);
    assert_true(store_close(store, &err));
    remove_file("a.db");
    study_free(&study);
}

/* Settings that are none, and cells that are another shard's or none's. */
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
        {"PRAGMA user_version = 5", false},
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

/* --- shards --- */

/* Two shards, each with its cells, one of which failed, and with a play, costs and draws that the
 * other one may have, too. */
static void shards_make_the_whole(void **state)
{
    static const char *const names[] = {"s1.db", "s2.db"};
    struct trial played = trial_of(true);
    struct store_draw draw = {"c", 0};
    double value[COSTS] = {0};
    ps_t price[EVENT_KINDS] = {0};
    struct study study;
    struct error err = {0};
    (void)state;
    read_three_axes(&study, NULL);
    for (int metric = 0; metric < METRICS; metric++) {
        wanted[metric] = metric % 2;
    }
    for (uint32_t number = 1; number <= 2; number++) {
        remove_file(names[number - 1]);
        struct store *store = good_store(&study, names[number - 1], (struct shard){number, 2});
        expect_sum(store, (struct store_sum){.own = 6});
        for (size_t cell = 0; cell < 12; cell++) {
            if (shard_of_cell(cell, 2) == number && cell != 3) {
                put_cell(store, &study, cell);
            } else if (shard_of_cell(cell, 2) == number) {
                assert_true(store_add_failed(store, cell, "three", &err));
            }
        }
        assert_true(store_add_play(store, "p", "c", &played, &err));
        assert_true(store_add_play(store, names[number - 1], "c", &played, &err));
        assert_true(store_add_play(store, "p", "c", &played, &err)); /* again */
        assert_true(store_add_costs(store, "c", value, price, &err));
        assert_true(store_add_draws(store, number == 1 ? "d" : "e", &draw, 1, &err));
        close_good(store);
    }
    remove_file("a.db");
    struct store *store = good_store(&study, "a.db", whole);
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        path_of(names[i], path, sizeof path);
        assert_true(store_merge(store, path, &err));
        assert_int_equal(store_sum(store).have, 6 * (i + 1));
    }
    struct reading reading = {.study = &study};
    assert_true(store_each_point(store, same_point, &reading, &err));
    assert_int_equal(reading.points, 33);
    /* 100 and 200 a cell, and their numbers, without that of the one that failed. */
    expect_sum(store, (struct store_sum){12, 12, 1, 1100 + 63, 2200 + 63});
    assert_int_equal(store_plays(store).kept, 3);
    assert_int_equal(store_plays(store).repeated, 2);
    close_good(store);
    expect_rows("a.db",
                "SELECT count(*) FROM draw UNION ALL SELECT count(*) FROM costs UNION ALL "
                "SELECT count(*) FROM source",
                "2;1;99;");
    remove_file("a.db");
    remove_file(names[0]);
    remove_file(names[1]);
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_come_back),
        cmocka_unit_test(failed_cells_are_named),
        cmocka_unit_test(plays_come_back),
        cmocka_unit_test(costs_and_draws_are_kept),
        cmocka_unit_test(every_changed_column_is_seen),
        cmocka_unit_test(what_is_missing_is_not_0),
        cmocka_unit_test(forged_points_are_refused),
        cmocka_unit_test(every_changed_play_is_seen),
        cmocka_unit_test(about_comes_back),
        cmocka_unit_test(all_axes_come_back),
        cmocka_unit_test(strange_stores_are_refused),
        cmocka_unit_test(wrong_shards_are_refused),
        cmocka_unit_test(shards_make_the_whole),
    };
    return cmocka_run_group_tests(tests, at_the_epoch, NULL);
}

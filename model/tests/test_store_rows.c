/* Stores of made-up cells, plays and costs: each column comes back as it was put, and what shards
 * have makes the whole. */
#include "store_made.h"

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

#define ALL_TEXT 200

static void take_why(void *context, const char *why)
{
    char *all = context;
    size_t length = strlen(all);
    snprintf(all + length, ALL_TEXT - length, "%s;", why);
}

static void failed_cells_are_named(void **state)
{
    struct study study;
    struct error err = {0};
    char all[ALL_TEXT] = "";
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    struct store *store = good_store(&study, "a.db", whole);
    assert_true(store_none_failed(store, &err));
    assert_true(store_add_failed(store, 9, "9", &err));
    assert_true(store_add_failed(store, 4, "four", &err));
    put_cell(store, &study, 0);
    assert_true(store_each_failed(store, take_why, all, &err));
    assert_string_equal(all, "four;9;");
    assert_false(store_none_failed(store, &err));
    assert_true(err.simulation);
    assert_non_null(strstr(err.text, "2 of 3 scenarios failed"));
    assert_non_null(strstr(err.text, "the first: four"));
    expect_sum(store, (struct store_sum){12, 3, 2, 100, 200});
    close_good(store);
    store = good_store(&study, "a.db", whole);
    expect_sum(store, (struct store_sum){12, 3, 2, 100, 200});
    close_good(store);
    (void)ask("a.db", "UPDATE cell SET failed = char(27) WHERE cell = 4");
    store = good_store(&study, "a.db", whole);
    assert_false(store_each_failed(store, take_why, all, &err));
    assert_non_null(strstr(err.text, "damaged"));
    store_drop(store);
    study_free(&study);
}

/* --- plays --- */

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
        price[i] = 7 * (ps_t)i;
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
        cmocka_unit_test(points_come_back),      cmocka_unit_test(failed_cells_are_named),
        cmocka_unit_test(plays_come_back),       cmocka_unit_test(costs_and_draws_are_kept),
        cmocka_unit_test(about_comes_back),      cmocka_unit_test(all_axes_come_back),
        cmocka_unit_test(shards_make_the_whole),
    };
    return cmocka_run_group_tests(tests, at_the_epoch, NULL);
}

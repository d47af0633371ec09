/* Stores: what comes out is what a run in one go writes, nothing that was torn, damaged or meant
 * for something else is believed, and nothing is played twice. */
#include "store_files.h"

#include "study/sensitivity.h"
#include "study/target.h"
#include "study/winner_map.h"

#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>

static struct store_sum sum_of(const struct study *study, const char *name)
{
    struct store *store = good_store(study, name, whole);
    struct store_sum sum = store_sum(store);
    close_good(store);
    return sum;
}

static void interrupted_is_uninterrupted(void **state)
{
    struct study study;
    size_t have = 0;
    (void)state;
    read_three_axes(&study, NULL);
    assert_int_equal(study_cells(&study), 12);
    remove_file("a.db");
    for (size_t parts = 1; parts < 40; parts *= 2) {
        play_parts(&study, "a.db", whole, parts);
        struct store_sum sum = sum_of(&study, "a.db");
        assert_in_range(sum.have, have, 11);
        have = sum.have;
    }
    assert_true(have > 0);
    play_parts(&study, "a.db", whole, SIZE_MAX);
    export_store(&study, "a.db");
    expect_results(&study);
    remove_file("a.db");
    study_free(&study);
}

/* What a process leaves that is killed in the middle: the file, and the log of what it wrote
 * last. */
static void torn_logs_are_cut_off(void **state)
{
    struct study study;
    size_t size = 0, logged = 0;
    struct dice dice = dice_of(1);
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    struct store *store = good_store(&study, "a.db", whole);
    struct sweep sweep = {.jobs = 1};
    struct error err;
    assert_true(study_execute(&study, &sweep, store, all_metrics(), &err));
    char *bytes = bytes_of("a.db", &size), *log = bytes_of("a.db-wal", &logged);
    assert_true(logged > 100000);
    close_good(store);
    for (int i = 0; i < 20; i++) {
        size_t kept = i == 0 ? 0 : (size_t)roll(&dice, logged);
        remove_file("b.db");
        put_bytes("b.db", bytes, size);
        put_bytes("b.db-wal", log, kept);
        store = open_store(&study, "b.db", whole, &err);
        assert_non_null(store);
        assert_true(store_sum(store).have < 12 || kept > logged / 2);
        close_good(store);
        if (i % 10 == 5) {
            play_parts(&study, "b.db", whole, SIZE_MAX);
            export_store(&study, "b.db");
            expect_results(&study);
        }
    }
    free(bytes);
    free(log);
    remove_file("a.db");
    remove_file("b.db");
    study_free(&study);
}

struct text_of {
    FILE *out;
    const struct store_about *about;
};

static void print_point(void *context, const struct stored_point *point)
{
    struct text_of *text = context;
    rows_point(text->out, ROWS_CSV, text->about, point);
}

/* The rows of a store; NULL where it is refused. */
static char *rows_of(const char *path)
{
    struct error err;
    char *rows = NULL;
    size_t size = 0;
    struct store *store = store_read(path, &err);
    if (!store) {
        assert_true(err.text[0] != '\0' && !strchr(err.text, '\n'));
        return NULL;
    }
    struct text_of text = {open_memstream(&rows, &size), store_about(store)};
    bool good = store_sum(store).have == 12 && store_each_point(store, print_point, &text, &err);
    fclose(text.out);
    (void)store_close(store, &err);
    if (!good) {
        free(rows);
    }
    return good ? rows : NULL;
}

/* One changed bit anywhere: refused, or of no matter to the rows; never a crash. */
static void damage_is_seen(void **state)
{
    struct study study;
    size_t size = 0, refused = 0;
    struct dice dice = dice_of(2);
    char path[512];
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    play_parts(&study, "a.db", whole, SIZE_MAX);
    char *bytes = bytes_of("a.db", &size);
    path_of("a.db", path, sizeof path);
    char *rows = rows_of(path);
    assert_non_null(rows);
    path_of("b.db", path, sizeof path);
    for (int i = 0; i < 300; i++) {
        size_t at = i < 100 ? (size_t)i : (size_t)roll(&dice, size);
        char bit = (char)(1 << roll(&dice, 8));
        bytes[at] ^= bit;
        put_bytes("b.db", bytes, size);
        char *other = rows_of(path);
        bytes[at] ^= bit;
        refused += other == NULL;
        if (other) {
            assert_string_equal(other, rows);
        }
        free(other);
    }
    assert_in_range(refused, 25, 299);
    free(rows);
    free(bytes);
    remove_file("a.db");
    remove_file("b.db");
    study_free(&study);
}

/* A part of a file, as of a copy that was broken off. */
static void a_part_is_never_whole(void **state)
{
    struct study study;
    size_t size = 0;
    char path[512];
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    play_parts(&study, "a.db", whole, SIZE_MAX);
    char *bytes = bytes_of("a.db", &size);
    path_of("b.db", path, sizeof path);
    for (size_t kept = 0; kept < size; kept += kept < 5000 ? 100 : 4096) {
        put_bytes("b.db", bytes, kept);
        char *rows = rows_of(path);
        assert_null(rows);
    }
    free(bytes);
    remove_file("a.db");
    remove_file("b.db");
    study_free(&study);
}

/* Samples that are not of this run's configuration: the first setting that is another. */
static void what_differs_is_named(void **state)
{
    static const char *const cases[][2] = {
        {"seed=2", "found samples of study study with seed 1, expected 2"},
        {"draws=8", "with draws 4, expected 8"},
        {"tlbi_ns=1501", "with set.tlbi_ns none, expected \"1501\""},
        {"machine=kunpeng-920", "with axes.machine.values [\"neoverse-n1\", \"kunpeng-920\"], "
                                "expected [\"kunpeng-920\"]"},
    };
    struct study study, changed;
    struct error err;
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    play_parts(&study, "a.db", whole, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_three_axes(&changed, cases[i][0]);
        assert_null(open_store(&changed, "a.db", whole, &err));
        assert_int_equal(err.status, EXIT_INPUT);
        if (!strstr(err.text, cases[i][1])) {
            fail_msg("'%s' does not say '%s'", err.text, cases[i][1]);
        }
        study_free(&changed);
    }
    remove_file("a.db");
    study_free(&study);
}

/* Changes a store behind its back. */
static void change(const char *name, const char *sql)
{
    char path[512];
    sqlite3 *file = NULL;
    path_of(name, path, sizeof path);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    assert_int_equal(sqlite3_exec(file, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(file);
}

/* Another build, version or schema, rows that somebody changed, tables that are something else. */
static void strangers_are_refused(void **state)
{
    static const struct {
        const char *sql, *words;
    } cases[] = {
        {"UPDATE about SET value = 'f00' WHERE name = 'program'",
         "found samples played by another build of s2flush ("},
        {"PRAGMA user_version = 77", "found schema 77 of the store, expected 5"},
        {"PRAGMA user_version = 0", "is no store of samples"},
        {"DELETE FROM about WHERE name = 'settings'", "is no store of samples"},
        {"UPDATE about SET value = '[]' WHERE name = 'configuration'", "is no store of samples"},
        {"UPDATE about SET value = '{\"axes\":[]}' WHERE name = 'settings'",
         "is no store of samples"},
        {"UPDATE about SET value = 'other' WHERE name = 'workloads'",
         "whose workloads do something else"},
        {"UPDATE about SET value = '2' WHERE name = 'shards'",
         "is a shard of 2, expected one of 1"},
        {"CREATE TRIGGER t AFTER INSERT ON cell BEGIN DELETE FROM point; END",
         "is no store of samples"},
        {"CREATE VIEW v AS SELECT 1", "is no store of samples"},
        {"CREATE TABLE more (a)", "is no store of samples"},
        {"INSERT INTO cell VALUES (12, 0, 0, '')", "is no store of samples"},
    };
    struct study study;
    struct error err;
    size_t size = 0;
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    play_parts(&study, "a.db", whole, 30);
    char *bytes = bytes_of("a.db", &size);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_bytes("a.db", bytes, size);
        change("a.db", cases[i].sql);
        assert_null(open_store(&study, "a.db", whole, &err));
        assert_int_equal(err.status, EXIT_INPUT);
        if (!strstr(err.text, cases[i].words)) {
            fail_msg("'%s' does not say '%s'", err.text, cases[i].words);
        }
    }
    put_bytes("a.db", "study,workload\na,b\n", 19);
    assert_null(open_store(&study, "a.db", whole, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    expect_bytes("a.db", "study,workload\na,b\n", 19);
    free(bytes);
    remove_file("a.db");
    study_free(&study);
}

/* Rows and plays that somebody changed are not believed. */
static void changed_rows_are_refused(void **state)
{
    static const char *const changes[] = {
        "UPDATE result SET p10 = p10 * 2 WHERE point = 3 AND metric = 'added_boot_ns'",
        "UPDATE result SET mode = NULL WHERE point = 3 AND metric = 'added_boot_ns'",
        "UPDATE result SET metric = 'other' WHERE point = 3 AND metric = 'added_boot_ns'",
        "DELETE FROM result WHERE point = 3 AND metric = 'added_boot_ns'",
        "UPDATE point SET verdict = 'coherent' WHERE verdict = 'stale'",
        "UPDATE point SET verdict = 'unheard of' WHERE point = 3",
        "UPDATE point SET backing = 'thp' WHERE point = 3",
        "UPDATE point SET condition = char(27) WHERE point = 3",
        "DELETE FROM point WHERE point = 35",
    };
    struct study study;
    size_t size = 0;
    char path[512];
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    play_parts(&study, "a.db", whole, SIZE_MAX);
    char *bytes = bytes_of("a.db", &size);
    path_of("a.db", path, sizeof path);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        put_bytes("a.db", bytes, size);
        change("a.db", changes[i]);
        char *rows = rows_of(path);
        if (rows) {
            print_error("%s\n", changes[i]);
        }
        assert_null(rows);
    }
    put_bytes("a.db", bytes, size);
    change("a.db", "UPDATE play SET window_ps = window_ps + 1; DELETE FROM cell; DELETE FROM "
                   "point; DELETE FROM result");
    struct store *store = good_store(&study, "a.db", whole);
    struct sweep sweep = {.jobs = 1};
    struct error err;
    assert_false(study_execute(&study, &sweep, store, all_metrics(), &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, "damaged"));
    close_good(store);
    free(bytes);
    remove_file("a.db");
    study_free(&study);
}

static void links_and_pipes_are_none(void **state)
{
    struct study study;
    struct error err = {0};
    char path[512];
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("p.db");
    path_of("p.db", path, sizeof path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(store_read(path, &err));
    assert_non_null(strstr(err.text, "is no file"));
    assert_null(open_store(&study, "p.db", whole, &err));
    assert_non_null(strstr(err.text, "is no file"));
    remove_file("p.db");
    assert_int_equal(symlink("/nonexistent/file", path), 0);
    assert_null(open_store(&study, "p.db", whole, &err));
    assert_non_null(strstr(err.text, "is a link"));
    remove_file("p.db");
    study_free(&study);
}

static void one_at_a_time(void **state)
{
    struct study study;
    struct error err;
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    struct store *first = good_store(&study, "a.db", whole);
    assert_null(open_store(&study, "a.db", whole, &err));
    assert_int_equal(err.status, EXIT_RUN);
    assert_non_null(strstr(err.text, "another process"));
    store_drop(first);
    struct store *second = good_store(&study, "a.db", whole);
    assert_true(store_is_new(second));
    store_drop(second);
    study_free(&study);
}

/* A file that may not grow is a full disk. What fitted stays sound, and once there is room it goes
 * on. */
static void full_disks_lose_nothing(void **state)
{
    struct study study;
    struct error err;
    struct rlimit before;
    struct sweep sweep = {.jobs = 1};
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.db");
    struct store *store = good_store(&study, "a.db", whole);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit tight = {150000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    bool good = study_execute(&study, &sweep, store, all_metrics(), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_false(good);
    assert_int_equal(err.status, EXIT_RUN);
    assert_non_null(strstr(err.text, "a.db: "));
    size_t have = store_sum(store).have;
    assert_in_range(have, 0, 11);
    close_good(store);
    assert_int_equal(sum_of(&study, "a.db").have, have);
    play_parts(&study, "a.db", whole, SIZE_MAX);
    export_store(&study, "a.db");
    expect_results(&study);
    remove_file("a.db");
    study_free(&study);
}

/* --- nothing is played twice --- */

static void read_contended(struct study *study)
{
    struct error err;
    bool good = read_study(
        study,
        "[study]\ndraws = 4\nshifts = 2\n[set]\nfootprint = 16M\nsecondaries_after = 1M\n"
        "[axes]\nworkload = generated-boot\nmachine = neoverse-n1\n"
        "strategy = unmap, unmap-lazy, eager\nbacking = 4k, thp\n"
        "vcpus = 1, 2, 4\ntouched = 10%, 50%, 100%\n",
        NULL, 0, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

/* A map looks up what a run has played, and plays nothing; a break-even point plays what lies
 * between the run's points, once; and both find all of it the next time. */
static void nothing_is_played_twice(void **state)
{
    struct study study;
    struct error err = {0};
    struct sweep sweep = {.jobs = 2};
    struct winner_map_request map = {.x = "touched", .y = "vcpus"};
    struct breakeven_request axes[] = {{.axis = "vcpus"}, {.axis = "touched"}};
    double limit = 1e5;
    (void)state;
    read_contended(&study);
    remove_file("a.db");
    struct store *store = good_store(&study, "a.db", whole);
    assert_true(study_execute(&study, &sweep, store, all_metrics(), &err));
    struct store_plays ran = store_plays(store);
    /* Two of three vCPU counts are contended: each draw of each strategy is a play there. */
    assert_true(ran.kept > 100);
    for (int metric = 0; metric < METRICS; metric++) {
        struct winner_map_results results;
        map.metric = (enum metric)metric;
        if (!metric_is_count(map.metric)) {
            assert_true(winner_map_run(&study, &map, &sweep, store, &results, &err));
            winner_map_free(&results);
        }
        if (map.metric == METRIC_cpu_ns) {
            break; /* further ones ask for runs that pricing again saved */
        }
    }
    assert_int_equal(store_plays(store).kept, ran.kept);
    for (int turn = 0; turn < 2; turn++) {
        struct store_plays before = store_plays(store);
        for (size_t i = 0; i < 2; i++) {
            struct breakeven_results results;
            struct target_results targets;
            assert_true(breakeven_run(&study, &axes[i], &sweep, store, &results, &err));
            breakeven_free(&results);
            assert_true(target_run(&study, &axes[i], &limit, 1, &sweep, store, &targets, &err));
            target_free(&targets);
        }
        assert_int_equal(store_plays(store).kept > before.kept, turn == 0);
    }
    assert_int_equal(store_plays(store).repeated, 0);
    close_good(store);
    /* Nor by the next process. */
    store = good_store(&study, "a.db", whole);
    struct winner_map_results results;
    map.metric = METRIC_added_boot_ns;
    struct store_plays before = store_plays(store);
    assert_true(winner_map_run(&study, &map, &sweep, store, &results, &err));
    winner_map_free(&results);
    assert_int_equal(store_plays(store).kept, before.kept);
    close_good(store);
    remove_file("a.db");
    study_free(&study);
}

/* Runs of one hash are the same run: whatever a study sets that changes what happens changes the
 * hash, and what does not is shared. */
static void hashes_tell_plays_apart(void **state)
{
    static const struct {
        const char *set;
        bool same;
    } cases[] = {
        {"seed=2", true},           {"draws=8", true},
        {"tlbi_ns=1501", true},     {"footprint=5M", false},
        {"touched=49%", false},     {"vcpus=2", false},
        {"fidelity=exact", false},  {"kernel=6.1 fault_lock=read", false},
        {"chunk=1M", false},        {"toggle=none", false},
        {"kernel=6.1.5", true},     {"rewrite=2M", false},
        {"preemptible=yes", false}, {"machine=kunpeng-920", false},
    };
    char hash[2][SETUP_HASH];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int changed = 0; changed < 2; changed++) {
            struct study study;
            struct error err = {0};
            struct setup setup;
            struct timeline timeline;
            bool good = read_study(&study,
                                   "[study]\ndraws = 4\nshifts = 2\n[axes]\nworkload = %s\n"
                                   "machine = neoverse-n1\nkernel = 6.1\nstrategy = unmap\n",
                                   &cases[i].set, (size_t)changed, &err) &&
                        study_setup(&study, 0, &setup, &err) &&
                        workload_build(setup.workload, &timeline, &err);
            if (!good) {
                print_error("%s: %s\n", cases[i].set, err.text);
            }
            assert_true(good);
            struct setup_hasher *begun = setup_play_begin(&setup, &timeline);
            setup_play_finish(begun, setup.strategy, hash[changed]);
            setup_hash_free(begun);
            timeline_free(&timeline);
            setup_free(&setup);
            study_free(&study);
        }
        if ((strcmp(hash[0], hash[1]) == 0) != cases[i].same) {
            print_error("%s\n", cases[i].set);
        }
        assert_int_equal(strcmp(hash[0], hash[1]) == 0, cases[i].same);
    }
}

/* --- what it says to people --- */

struct priced {
    double window_ns[2][5]; /* by point and draw */
    size_t rows;
};

static int take_priced(void *context, int columns, char **values, char **names)
{
    struct priced *priced = context;
    (void)names;
    assert_int_equal(columns, 3);
    int point = atoi(values[0]), draw = atoi(values[1]);
    assert_in_range(point, 0, 1);
    assert_in_range(draw, 0, 4);
    priced->window_ns[point][draw] = strtod(values[2], NULL);
    priced->rows++;
    return 0;
}

/* The question that the guide to the store asks: each draw of a run in which nobody waited. */
static void draws_can_be_asked_for(void **state)
{
    static const char sql[] =
        "SELECT point, draw, sum(n.value * json_extract(price_ps, '$.' || n.key)) / 1000.0 "
        "FROM point JOIN draw USING (draws_hash) JOIN source USING (point, stratum) "
        "JOIN costs USING (costs_hash) JOIN play ON play.play_hash = source.play_hash AND serial, "
        "json_tree(counts) n WHERE n.type = 'integer' GROUP BY point, draw";
    struct study study;
    struct study_results results;
    struct priced priced = {0};
    struct error err;
    char path[512];
    sqlite3 *file = NULL;
    (void)state;
    assert_true(read_study(&study,
                           "[study]\ndraws = 4\nshifts = 2\n[axes]\nworkload = %s\n"
                           "machine = neoverse-n1\nstrategy = unmap, eager\n",
                           NULL, 0, &err));
    assert_true(study_results_of(&study, 1, &results, &err));
    remove_file("a.db");
    play_parts(&study, "a.db", whole, SIZE_MAX);
    path_of("a.db", path, sizeof path);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    assert_int_equal(sqlite3_exec(file, sql, take_priced, &priced, NULL), SQLITE_OK);
    sqlite3_close(file);
    assert_int_equal(priced.rows, 10);
    for (size_t point = 0; point < 2; point++) {
        const struct spread *window = &results.points[point].metric[METRIC_window_ns];
        double mean = 0;
        assert_true(priced.window_ns[point][0] == window->mode);
        for (size_t draw = 1; draw <= 4; draw++) {
            mean += priced.window_ns[point][draw] / 4;
        }
        assert_true(mean > window->mean * 0.999999 && mean < window->mean * 1.000001);
    }
    study_results_free(&results);
    remove_file("a.db");
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_is_uninterrupted),
        cmocka_unit_test(torn_logs_are_cut_off),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(a_part_is_never_whole),
        cmocka_unit_test(what_differs_is_named),
        cmocka_unit_test(strangers_are_refused),
        cmocka_unit_test(changed_rows_are_refused),
        cmocka_unit_test(links_and_pipes_are_none),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(full_disks_lose_nothing),
        cmocka_unit_test(nothing_is_played_twice),
        cmocka_unit_test(hashes_tell_plays_apart),
        cmocka_unit_test(draws_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, at_the_epoch, NULL);
}

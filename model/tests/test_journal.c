/* Journals: what comes out is what a run in one go writes, and nothing that was
 * torn, damaged or meant for something else is believed. */
#include "core/error.h"
#include "journal_files.h"

#include <errno.h>
#include <sys/stat.h>
#include <xxhash.h>

static void interrupted_is_uninterrupted(void **state)
{
    struct study study;
    (void)state;
    read_three_axes(&study, NULL);
    assert_int_equal(study_cells(&study), 12);
    play(&study, "a.journal", whole, 5);
    play(&study, "a.journal", whole, 0);
    play(&study, "a.journal", whole, 1);
    play(&study, "a.journal", whole, SIZE_MAX);
    collect_one("a.journal");
    expect_results(&study);
    remove_file("a.journal");
    study_free(&study);
}

/* The file is as it would be after a kill in the middle of a write, or a loss of
 * power: what is whole is kept, and going on comes to the same bytes. */
static void torn_tails_are_cut_off(void **state)
{
    struct study study;
    size_t size = 0;
    struct dice dice = dice_of(1);
    (void)state;
    read_three_axes(&study, NULL);
    play(&study, "a.journal", whole, SIZE_MAX);
    char *bytes = bytes_of("a.journal", &size);
    for (int i = 0; i < 200; i++) {
        struct player player;
        struct error err;
        size_t kept = i < 100 ? (size_t)i : (size_t)roll(&dice, size);
        put_bytes("a.journal", bytes, kept);
        assert_true(start(&player, &study, "a.journal", whole, &err));
        assert_true(player.journal.have < player.journal.own);
        assert_true(player.journal.bytes <= kept || player.journal.have == 0);
        struct stat info;
        assert_int_equal(fstat(player.journal.fd, &info), 0);
        assert_int_equal(info.st_size, player.journal.bytes);
        journal_close(&player.journal);
        if (i % 50 == 0) {
            play(&study, "a.journal", whole, SIZE_MAX);
            collect_one("a.journal");
            expect_results(&study);
        }
    }
    free(bytes);
    remove_file("a.journal");
    study_free(&study);
}

/* One changed byte anywhere: never believed to be whole, and never a crash. */
static void damage_is_seen(void **state)
{
    struct study study;
    size_t size = 0, refused = 0;
    struct dice dice = dice_of(2);
    char path[512];
    (void)state;
    read_three_axes(&study, NULL);
    remove_file("a.journal");
    play(&study, "a.journal", whole, SIZE_MAX);
    char *bytes = bytes_of("a.journal", &size);
    path_of("b.journal", path, sizeof path);
    for (int i = 0; i < 1000; i++) {
        struct journal journal;
        struct error err;
        size_t at = i < 200 ? (size_t)i : (size_t)roll(&dice, size);
        char bit = (char)(1 << roll(&dice, 8));
        bytes[at] ^= bit;
        put_bytes("b.journal", bytes, size);
        bool good = journal_read(&journal, path, &err);
        bytes[at] ^= bit;
        refused += !good;
        assert_false(good && journal_whole(&journal));
        assert_false(good && journal.have == journal.own);
        journal_close(&journal);
    }
    assert_in_range(refused, 200, 999);
    free(bytes);
    remove_file("a.journal");
    study_free(&study);
}

/* What somebody appended is no part of it, and whole cells may not stand twice. */
static void nothing_may_follow(void **state)
{
    struct study study;
    struct journal journal;
    size_t size = 0;
    (void)state;
    read_three_axes(&study, NULL);
    play(&study, "a.journal", whole, SIZE_MAX);
    read_back(&journal, "a.journal");
    uint64_t last = journal.at[0];
    for (size_t cell = 0; cell < journal.own; cell++) {
        last = journal.at[cell] > last ? journal.at[cell] : last;
    }
    journal_close(&journal);
    char *bytes = bytes_of("a.journal", &size);
    char *more = calloc(size * 2, 1);
    assert_non_null(more);
    memcpy(more, bytes, size);
    memcpy(more + size, bytes + last, size - last);
    put_bytes("a.journal", more, size + size - last);
    read_back(&journal, "a.journal");
    assert_int_equal(journal.have, journal.own);
    assert_int_equal(journal.cut, size - last);
    assert_false(journal_whole(&journal));
    journal_close(&journal);
    free(more);
    free(bytes);
    remove_file("a.journal");
    study_free(&study);
}

/* Cells that are not of this run's configuration: the first setting that is another. */
static void what_differs_is_named(void **state)
{
    static const char *const cases[][2] = {
        {"seed=2", "found cells of study study with seed 1, expected 2"},
        {"draws=8", "with draws 4, expected 8"},
        {"tlbi_ns=1501", "with set.tlbi_ns none, expected \"1501\""},
        {"machine=kunpeng-920", "with axes.machine.values [\"neoverse-n1\", \"kunpeng-920\"], "
                                "expected [\"kunpeng-920\"]"},
    };
    struct study study, changed;
    struct player player;
    struct error err;
    (void)state;
    read_three_axes(&study, NULL);
    play(&study, "a.journal", whole, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_three_axes(&changed, cases[i][0]);
        assert_false(start(&player, &changed, "a.journal", whole, &err));
        if (!strstr(err.text, cases[i][1])) {
            fail_msg("'%s' does not say '%s'", err.text, cases[i][1]);
        }
        study_free(&changed);
    }
    remove_file("a.journal");
    study_free(&study);
}

static void strangers_are_refused(void **state)
{
    static const char junk[] = "study,workload,machine\na,b,c\n";
    struct study study, changed;
    struct player player;
    struct error err;
    size_t before = 0;
    (void)state;
    read_three_axes(&study, NULL);
    put_bytes("a.journal", junk, sizeof junk);
    assert_false(start(&player, &study, "a.journal", whole, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    expect_bytes("a.journal", junk, sizeof junk);
    remove_file("a.journal");
    play(&study, "a.journal", whole, 3);
    char *bytes = bytes_of("a.journal", &before);
    read_three_axes(&changed, "tlbi_ns=1501");
    assert_false(start(&player, &changed, "a.journal", whole, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, "set.tlbi_ns none, expected \"1501\""));
    expect_bytes("a.journal", bytes, before);
    free(bytes);
    remove_file("a.journal");
    study_free(&changed);
    study_free(&study);
}

/* Puts a text in place of another of the same length, wherever that stands first
 * behind `from`, and gives the record there the checksum it should have. */
static void forge(const char *name, const struct journal *journal, uint64_t from, const char *text,
                  const char *other)
{
    size_t size = 0;
    char *bytes = bytes_of(journal->path + strlen(folder()) + 1, &size);
    char *found = memmem(bytes + from, size - from, text, strlen(text));
    uint64_t length;
    assert_non_null(found);
    assert_int_equal(strlen(text), strlen(other));
    for (; *other; other++) {
        *found++ = *other;
    }
    memcpy(&length, bytes + from + 8, sizeof length);
    uint64_t sum = XXH3_64bits(bytes + from, 16 + length);
    memcpy(bytes + from + 16 + length, &sum, sizeof sum);
    put_bytes(name, bytes, size);
    free(bytes);
}

/* A shard may come from anybody: what would stand in the results as it is there
 * must be what this program writes. */
static void hostile_rows_are_refused(void **state)
{
    static const struct {
        const char *text, *other, *words;
        bool head;
    } rows[] = {
        {",4k,", ",=k,", "formula", false},
        {",4k,", ",@k,", "formula", false},
        {",4k,", ",,k,", "number of cells", false},
        {",4k,", ",\"k,", "not closed", false},
        {",4k,", ",k\",", "quote", false},
        {",4k,", ",\033k,", "control character", false},
        {"{\"study\"", "x\"study\"", "JSON object", false},
        {"\"4k\"", "\"4\033\"", "control character", false},
        {",backing,", ",=ackin\",", "formula", true},
        {"{\"workloads\"", "[\"workloads\"", "no JSON", true},
        {"\"seed\":1", "\"seed\" }", "no JSON", true},
        {"\"axes\"", "\"file\"", "no JSON", true},
    };
    struct study study;
    (void)state;
    read_three_axes(&study, NULL);
    play(&study, "a.journal", whole, SIZE_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct journal journal, forged;
        struct error err = {0};
        char path[512];
        read_back(&journal, "a.journal");
        forge("b.journal", &journal, rows[i].head ? 16 : journal.at[0], rows[i].text,
              rows[i].other);
        journal_close(&journal);
        path_of("b.journal", path, sizeof path);
        assert_false(journal_read(&forged, path, &err));
        if (!strstr(err.text, rows[i].words)) {
            print_error("%s: %s\n", rows[i].other, err.text);
        }
        assert_int_equal(err.status, EXIT_INPUT);
        assert_non_null(strstr(err.text, rows[i].words));
        assert_null(strchr(err.text, '\033'));
        remove_file("b.journal");
    }
    remove_file("a.journal");
    study_free(&study);
}

static void links_and_pipes_are_none(void **state)
{
    struct study study;
    struct journal journal;
    struct player player;
    struct error err = {0};
    char path[512];
    (void)state;
    read_three_axes(&study, NULL);
    path_of("p.journal", path, sizeof path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(journal_read(&journal, path, &err));
    assert_non_null(strstr(err.text, "is no file"));
    assert_false(start(&player, &study, "p.journal", whole, &err));
    assert_non_null(strstr(err.text, "is no file"));
    remove_file("p.journal");
    assert_int_equal(symlink("/nonexistent/file", path), 0);
    assert_false(start(&player, &study, "p.journal", whole, &err));
    assert_non_null(strstr(err.text, "is a link"));
    remove_file("p.journal");
    study_free(&study);
}

static void one_at_a_time(void **state)
{
    struct study study;
    struct player first, second;
    struct error err;
    (void)state;
    read_three_axes(&study, NULL);
    assert_true(start(&first, &study, "a.journal", whole, &err));
    assert_false(start(&second, &study, "a.journal", whole, &err));
    assert_int_equal(err.status, EXIT_RUN);
    assert_non_null(strstr(err.text, "another process"));
    journal_drop(&first.journal);
    journal_close(&first.journal);
    assert_true(start(&second, &study, "a.journal", whole, &err));
    journal_drop(&second.journal);
    journal_close(&second.journal);
    study_free(&study);
}

/* A file that may not grow is a full disk. What fitted stays sound, and once
 * there is room it goes on. */
static void full_disks_lose_nothing(void **state)
{
    struct study study;
    struct player player;
    struct cell_watch watch = {&player, is_wanted, is_finished};
    struct study_results results;
    struct error err;
    struct rlimit before;
    (void)state;
    read_three_axes(&study, NULL);
    assert_true(start(&player, &study, "a.journal", whole, &err));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit tight = {player.journal.bytes + 200000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    bool good = study_execute(&study, &(struct sweep){.jobs = 1}, &watch, &results, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_false(good);
    assert_int_equal(err.status, EXIT_RUN);
    assert_non_null(strstr(err.text, strerror(EFBIG)));
    assert_in_range(player.journal.have, 1, player.journal.own - 1);
    size_t have = player.journal.have;
    struct stat info;
    assert_int_equal(fstat(player.journal.fd, &info), 0);
    assert_int_equal(info.st_size, player.journal.bytes);
    journal_close(&player.journal);
    assert_true(start(&player, &study, "a.journal", whole, &err));
    assert_int_equal(player.journal.have, have);
    journal_close(&player.journal);
    play(&study, "a.journal", whole, SIZE_MAX);
    collect_one("a.journal");
    expect_results(&study);
    remove_file("a.journal");
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_is_uninterrupted),
        cmocka_unit_test(torn_tails_are_cut_off),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(nothing_may_follow),
        cmocka_unit_test(what_differs_is_named),
        cmocka_unit_test(strangers_are_refused),
        cmocka_unit_test(hostile_rows_are_refused),
        cmocka_unit_test(links_and_pipes_are_none),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(full_disks_lose_nothing),
    };
    return cmocka_run_group_tests(tests, all_wanted, NULL);
}

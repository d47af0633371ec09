/* Shards: together they are the study, and what is no set of them is named. */
#include "core/error.h"
#include "store_files.h"

#include <math.h>

/* The shards of a study, played, or only some parts of each; names a1, a2... */
static void play_shards(const struct study *study, uint32_t count, size_t parts)
{
    for (uint32_t number = 1; number <= count; number++) {
        char name[32];
        snprintf(name, sizeof name, "a%u", number);
        remove_file(name);
        play_parts(study, name, (struct shard){number, count}, parts);
    }
}

static bool merge(const char *const *names, size_t count, struct error *err)
{
    char paths[8][512], *list[8];
    struct store_about merged;
    struct store_sum sum;
    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) {
        path_of(names[i], paths[i], sizeof paths[i]);
        list[i] = paths[i];
    }
    remove_file("merged.db");
    bool good = merge_shards(list, count, folder(), "merged.db", &merged, &sum, err);
    if (good) {
        assert_int_equal(sum.have, sum.own);
        store_about_free(&merged);
    }
    return good;
}

static void shards_are_the_whole(void **state)
{
    static const char *const names[] = {"a4", "a1", "a3", "a2", "a5"};
    struct study study;
    struct error err;
    (void)state;
    read_three_axes(&study, NULL);
    play_shards(&study, 5, SIZE_MAX);
    assert_true(merge(names, 5, &err));
    expect_results(&study);
    /* What came out is a store like that of a run in one go. */
    export_store(&study, "merged.db");
    expect_results(&study);
    study_free(&study);
}

static void expect_refusal(const char *const *names, size_t count, const char *words)
{
    struct error err = {0};
    remove_file("rows.csv");
    assert_false(merge(names, count, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    if (!strstr(err.text, words)) {
        fail_msg("'%s' does not say '%s'", err.text, words);
    }
    char path[512];
    path_of("rows.csv", path, sizeof path);
    assert_int_equal(access(path, F_OK), -1);
}

static void wrong_shards_are_named(void **state)
{
    static const char *const twice[] = {"a1", "a2", "a3", "a2"};
    static const char *const other[] = {"a1", "a2", "b3"};
    struct study study, changed;
    (void)state;
    read_three_axes(&study, NULL);
    play_shards(&study, 3, SIZE_MAX);
    expect_refusal(twice, 2, "shard 3 of 3 is missing");
    expect_refusal(twice + 1, 1, "2 shards of 3 are missing: 1, 3");
    expect_refusal(twice, 4, "a2 are both shard 2/3");
    read_three_axes(&changed, "seed=2");
    remove_file("b3");
    play_parts(&changed, "b3", (struct shard){3, 3}, SIZE_MAX);
    expect_refusal(other, 3, "b3: found samples of study study with seed 2, expected 1");
    remove_file("b3");
    play_parts(&study, "b3", (struct shard){3, 4}, SIZE_MAX);
    expect_refusal(other, 3, "b3: is a shard of 4, expected one of 3");
    remove_file("b3");
    play_parts(&study, "b3", (struct shard){3, 3}, 20);
    expect_refusal(other, 3, "b3: shard 3/3 is not finished, ");
    study_free(&changed);
    study_free(&study);
}

/* Each cell has one shard; their sizes differ by one at most. Of an axis that
 * is as long as there are shards, or one value longer or shorter, no shard gets
 * all of the dearest. */
static void shares_are_even(void **state)
{
    enum { CELLS = 3000 };
    (void)state;
    for (uint32_t count = 1; count <= 64; count++) {
        size_t own[65] = {0};
        for (size_t cell = 0; cell < CELLS; cell++) {
            uint32_t number = shard_of_cell(cell, count);
            assert_in_range(number, 1, count);
            own[number]++;
        }
        for (uint32_t number = 1; number <= count; number++) {
            assert_int_equal(own[number], shard_cells((struct shard){number, count}, CELLS));
            assert_in_range(own[number], CELLS / count, CELLS / count + 1);
        }
        for (size_t length = count - 1; count >= 8 && length <= count + 1; length++) {
            size_t dearest[65] = {0};
            double even = (double)CELLS / (double)length / count;
            for (size_t cell = length - 1; cell < CELLS; cell += length) {
                uint32_t number = shard_of_cell(cell, count);
                assert_true((double)++dearest[number] <= 4 + even + 4 * sqrt(even));
            }
        }
    }
}

static void shards_are_parsed(void **state)
{
    static const char *const bad[] = {"",    "1",    "0/2",    "3/2", "1/0",  "1/",     "/2",
                                      "a/b", "1/2x", "1/1001", "1 2", "-1/2", "1.5/20", "1/2/3"};
    struct shard shard;
    struct error err;
    (void)state;
    assert_true(shard_parse("2/8", &shard, &err));
    assert_int_equal(shard.number, 2);
    assert_int_equal(shard.count, 8);
    assert_true(shard_parse("1000/1000", &shard, &err));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(shard_parse(bad[i], &shard, &err));
        assert_int_equal(err.status, EXIT_INPUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_are_the_whole),
        cmocka_unit_test(wrong_shards_are_named),
        cmocka_unit_test(shares_are_even),
        cmocka_unit_test(shards_are_parsed),
    };
    return cmocka_run_group_tests(tests, at_the_epoch, NULL);
}

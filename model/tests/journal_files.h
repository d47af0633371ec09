/*
 * journal_files - a study played into journals, in part or as a whole, and what
 * comes out of them.
 */
#ifndef S2FLUSH_TESTS_JOURNAL_FILES_H
#define S2FLUSH_TESTS_JOURNAL_FILES_H

#include "core/error.h"
#include "study_files.h"

#include "report/collect.h"
#include "report/run_json.h"

#include <stdbool.h>
#include <stddef.h>

static bool all_metrics[METRICS];
static const bool both_formats[ROWS_FORMATS] = {true, true};
static const struct shard whole = {1, 1};

/* The strategy stands between other axes, so that a cell's points do not. */
static inline void read_three_axes(struct study *study, const char *set)
{
    struct error err;
    bool good = read_study(study,
                           "[study]\ndraws = 4\nshifts = 2\n[axes]\nbacking = 4k, thp\n"
                           "strategy = unmap, eager, none\nmachine = neoverse-n1, kunpeng-920\n"
                           "touched = 0, 50%, 100%\nworkload = %s\n",
                           &set, set ? 1 : 0, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

static inline const char *folder(void)
{
    const char *own = getenv("TMPDIR");
    return own ? own : "/tmp";
}

static inline void path_of(const char *name, char *path, size_t size)
{
    assert_true((size_t)snprintf(path, size, "%s/%s", folder(), name) < size);
}

/* A file's bytes; the caller frees them. */
static inline char *bytes_of(const char *name, size_t *size)
{
    char path[512];
    path_of(name, path, sizeof path);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    *size = (size_t)ftell(in);
    rewind(in);
    char *bytes = calloc(*size + 1, 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, in), *size);
    assert_int_equal(fclose(in), 0);
    return bytes;
}

static inline void put_bytes(const char *name, const char *bytes, size_t size)
{
    char path[512];
    path_of(name, path, sizeof path);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

/* --- playing into a journal --- */

struct player {
    const struct study *study;
    struct journal journal;
    size_t left; /* cells that it plays before it is interrupted */
    size_t played;
};

static inline bool is_wanted(void *context, size_t cell)
{
    struct player *player = context;
    return player->played < player->left && !journal_has(&player->journal, cell) &&
           shard_of_cell(cell, player->journal.head.shard.count) ==
               player->journal.head.shard.number;
}

static inline bool is_finished(void *context, const struct study_results *results,
                               const struct cell_done *cell, struct error *err)
{
    struct player *player = context;
    player->played++;
    return journal_add(&player->journal, player->study, results, cell, all_metrics, err);
}

static inline bool start(struct player *player, const struct study *study, const char *name,
                         struct shard shard, struct error *err)
{
    struct journal_head head;
    *player = (struct player){.study = study, .left = SIZE_MAX};
    assert_true(journal_head_of(&head, study, both_formats, shard, 1, err));
    bool good = journal_start(&player->journal, folder(), name, &head, false, err);
    journal_head_free(&head);
    return good;
}

/* Plays `left` further cells of a shard. */
static inline void play(const struct study *study, const char *name, struct shard shard,
                        size_t left)
{
    struct player player;
    struct error err = {0};
    struct cell_watch watch = {&player, is_wanted, is_finished};
    struct study_results results;
    if (!start(&player, study, name, shard, &err)) {
        print_error("%s\n", err.text);
        fail();
    }
    player.left = left;
    assert_true(study_execute(study, &(struct sweep){.jobs = 1}, &watch, &results, &err));
    study_results_free(&results);
    journal_close(&player.journal);
}

static inline void expect_bytes(const char *name, const char *expected, size_t size)
{
    size_t found = 0;
    char *bytes = bytes_of(name, &found);
    assert_int_equal(found, size);
    assert_memory_equal(bytes, expected, size);
    free(bytes);
}

static inline void expect_rows(const char *name, enum rows_format format, const struct study *study,
                               const struct study_results *results)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    rows_write(out, format, study, results, all_metrics);
    assert_int_equal(fclose(out), 0);
    expect_bytes(name, text, size);
    free(text);
}

static inline void expect_run(const struct study *study, const struct study_results *results)
{
    char *text = NULL;
    size_t size = 0;
    struct run_about about;
    struct error err;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    run_about(study, &about);
    assert_true(run_json_write(out, &about, results->plays, results->reprices, &err));
    assert_int_equal(fclose(out), 0);
    expect_bytes("run.json", text, size);
    run_about_free(&about);
    free(text);
}

/* That the results in the folder are those of a study played in one go. */
static inline void expect_results(const struct study *study)
{
    struct study_results results;
    struct error err;
    assert_true(study_execute(study, &(struct sweep){.jobs = 2}, NULL, &results, &err));
    expect_rows("rows.csv", ROWS_CSV, study, &results);
    expect_rows("rows.jsonl", ROWS_JSONL, study, &results);
    expect_run(study, &results);
    study_results_free(&results);
}

static inline void read_back(struct journal *journal, const char *name)
{
    char path[512];
    struct error err;
    path_of(name, path, sizeof path);
    assert_true(journal_read(journal, path, &err));
}

static inline void collect_one(const char *name)
{
    struct journal journal;
    struct error err;
    read_back(&journal, name);
    assert_true(collect_check(&journal, 1, &err));
    assert_true(collect_write(&journal, 1, folder(), &err));
    journal_close(&journal);
}

static inline void remove_file(const char *name)
{
    char path[512];
    path_of(name, path, sizeof path);
    (void)unlink(path);
}

/* A group's setup. */
static inline int all_wanted(void **state)
{
    struct error err;
    (void)state;
    return metric_select("", all_metrics, NULL, &err) && setenv("SOURCE_DATE_EPOCH", "0", 1) == 0
               ? 0
               : -1;
}

#endif

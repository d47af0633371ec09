/*
 * store_files - a study played into stores, in part or as a whole, and what comes out of them.
 */
#ifndef S2FLUSH_TESTS_STORE_FILES_H
#define S2FLUSH_TESTS_STORE_FILES_H

#include "study_files.h"
#include "study_results.h"

#include "report/export.h"
#include "report/merge.h"

#include <sys/stat.h>
#include <unistd.h>

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

static inline void remove_file(const char *name)
{
    static const char *const endings[] = {"", "-wal", "-journal", "-shm"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char own[128], path[512];
        snprintf(own, sizeof own, "%s%s", name, endings[i]);
        path_of(own, path, sizeof path);
        (void)unlink(path);
    }
}

/* --- playing into a store --- */

/* NULL with a line. */
static inline struct store *open_store(const struct study *study, const char *name,
                                       struct shard shard, struct error *err)
{
    struct store_about about;
    char path[512];
    path_of(name, path, sizeof path);
    assert_true(run_about(study, shard, "both", &about, err));
    struct store *store = store_open(path, &about, false, err);
    store_about_free(&about);
    return store;
}

static inline struct store *good_store(const struct study *study, const char *name,
                                       struct shard shard)
{
    struct error err = {0};
    struct store *store = open_store(study, name, shard, &err);
    if (!store) {
        print_error("%s\n", err.text);
    }
    assert_non_null(store);
    return store;
}

static inline void close_good(struct store *store)
{
    struct error err;
    assert_true(store_close(store, &err));
}

/* Stops a sweep after so many parts, with the plays in them. */
static size_t parts_left;

static inline int stop_after(void)
{
    if (parts_left == 0) {
        return 2;
    }
    parts_left--;
    return 0;
}

/* Plays on for so many parts: cells, and plays in them. SIZE_MAX: to the end. */
static inline void play_parts(const struct study *study, const char *name, struct shard shard,
                              size_t parts)
{
    struct sweep sweep = {.jobs = 1, .stopped = parts < SIZE_MAX ? stop_after : NULL};
    struct store *store = good_store(study, name, shard);
    struct error err = {0};
    parts_left = parts;
    bool good = study_execute(study, &sweep, store, all_metrics(), &err);
    if (!good && parts == SIZE_MAX) {
        print_error("%s\n", err.text);
    }
    assert_int_equal(good, parts == SIZE_MAX);
    close_good(store);
}

/* --- what comes out --- */

/* The rows and the record of a store that is whole, into the folder. */
static inline void export_store(const struct study *study, const char *name)
{
    struct store *store = good_store(study, name, whole);
    struct error err;
    assert_true(export_write(store, both_formats, folder(), &err));
    close_good(store);
}

static inline void expect_bytes(const char *name, const char *expected, size_t size)
{
    size_t found = 0;
    char *bytes = bytes_of(name, &found);
    assert_int_equal(found, size);
    assert_memory_equal(bytes, expected, size);
    free(bytes);
}

/* That the results in the folder are those of a study played in one go. */
static inline void expect_results(const struct study *study)
{
    static const char *const names[] = {"rows.csv", "rows.jsonl", "run.json"};
    char *bytes[3];
    size_t size[3];
    for (size_t i = 0; i < 3; i++) {
        bytes[i] = bytes_of(names[i], &size[i]);
        remove_file(names[i]);
    }
    remove_file("one-go.db");
    play_parts(study, "one-go.db", whole, SIZE_MAX);
    export_store(study, "one-go.db");
    remove_file("one-go.db");
    for (size_t i = 0; i < 3; i++) {
        assert_true(size[i] > 1000);
        expect_bytes(names[i], bytes[i], size[i]);
        free(bytes[i]);
    }
}

/* A group's setup. */
static inline int at_the_epoch(void **state)
{
    (void)state;
    return setenv("SOURCE_DATE_EPOCH", "0", 1);
}

#endif

/*
 * study_files - study and workload files written for a test, and read back.
 */
#ifndef S2FLUSH_TESTS_STUDY_FILES_H
#define S2FLUSH_TESTS_STUDY_FILES_H

#include "check.h"

#include "core/error.h"
#include "study/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Writes a file into the test's own folder; `path` gets its name. */
static inline void write_file(const char *name, const char *text, char *path, size_t size)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, size, "%s/%s", folder ? folder : "/tmp", name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fputs(text, out) < 0, 0);
    assert_int_equal(fclose(out), 0);
}

/* A small guest: it boots, uses 4 MiB, reboots and touches half of it again. */
static inline const char *small_workload(void)
{
    static char path[512];
    write_file("small.ini",
               "[workload]\ntitle = small\n[vm]\nram = 64M\n[boot]\nfootprint = 4M\n"
               "rewrite = 1M\ntouched = 50%\n",
               path, sizeof path);
    return path;
}

/* Boots of 213 days: longer exits let the simulated time pass 64 bits. */
static inline const char *long_workload(void)
{
    static char path[512];
    char text[1024];
    int length = snprintf(text, sizeof text,
                          "[vm]\nram = 4M\nbacking = 4k\n[timeline]\nvcpu0 = enter\n"
                          "vcpu0 = write ram 4M\nvmm = reinit all\nvcpu0 = enter\n"
                          "vcpu0 = write ram 4M\nvcpu0 = compute 446743s\n");
    for (unsigned i = 0; i < 18; i++) {
        length +=
            snprintf(text + length, sizeof text - (size_t)length, "vcpu0 = compute 1000000s\n");
    }
    write_file("long.ini", text, path, sizeof path);
    return path;
}

/* Reads a study whose text is `format` with the small workload's path for %s. */
static inline bool read_study(struct study *study, const char *format, const char *const *set,
                              size_t sets, struct error *err)
{
    char text[4096], path[512];
    struct study_changes changes = {set, sets};
    const char *hole = strstr(format, "%s");
    snprintf(text, sizeof text, "%.*s%s%s", hole ? (int)(hole - format) : (int)strlen(format),
             format, hole ? small_workload() : "", hole ? hole + 2 : "");
    write_file("study.ini", text, path, sizeof path);
    return study_read(study, path, &changes, err);
}

/* The same for a study that must be good. */
static inline void read_good_with(struct study *study, const char *format, const char *const *set,
                                  size_t sets)
{
    struct error err = {0};
    bool good = read_study(study, format, set, sets, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

static inline void read_good(struct study *study, const char *format)
{
    read_good_with(study, format, NULL, 0);
}

/* A store that lasts as long as the test program; what is in it is right for all studies. */
static inline struct store *test_store(void)
{
    static struct store *store;
    store = store ? store : store_in_memory();
    return store;
}

/* A study of one machine with all strategies that must be good. */
static inline void read_good_study(struct study *study, const char *machine, unsigned draws)
{
    char text[1024];
    snprintf(text, sizeof text,
             "[study]\ndraws = %u\nshifts = %u\n[axes]\nworkload = %%s\nmachine = %s\n"
             "backing = 4k, thp\n",
             draws, draws >= 4 ? 4u : 1u, machine);
    read_good(study, text);
}

#endif

#include "cli/cli.h"
#include "cli/run_study.h"
#include "core/alloc.h"
#include "core/error.h"
#include "report/collect.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One more than can be right, so that a doubled one is still seen. */
#define FILES_MAX (SHARDS_MAX + 1)

struct arguments {
    const char *given[FILES_MAX]; /* files, and folders that hold them */
    size_t given_count;
    const char *folder; /* for the results */
    bool quiet;
};

/* The files of cells. */
struct shards {
    char *path[FILES_MAX]; /* owned */
    size_t count;
    char unfinished[OUTPUT_PATH]; /* a shard's journal that was seen; "": none */
};

static bool add_path(struct shards *shards, const char *path, struct error *err)
{
    if (shards->count == FILES_MAX) {
        return error_input(err, NULL, "merge: more than %d shards", SHARDS_MAX);
    }
    shards->path[shards->count] = strdup(path);
    if (!shards->path[shards->count]) {
        error_fatal("out of memory for the names of shards");
    }
    shards->count++;
    return true;
}

static int is_shard(const struct dirent *entry)
{
    return fnmatch(SHARDS_CELLS, entry->d_name, 0) == 0 ||
           fnmatch(SHARD_JOURNALS, entry->d_name, 0) == 0;
}

static bool add_entry(struct shards *shards, const char *folder, const char *name,
                      struct error *err)
{
    char path[OUTPUT_PATH];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return error_input(err, NULL, "merge: the name of a folder is too long");
    }
    if (fnmatch(SHARDS_CELLS, name, 0) == 0) {
        return add_path(shards, path, err);
    }
    memcpy(shards->unfinished, path, (size_t)length + 1);
    return true;
}

static bool add_folder(struct shards *shards, const char *folder, struct error *err)
{
    struct dirent **entries = NULL;
    size_t before = shards->count;
    int count = scandir(folder, &entries, is_shard, alphasort);
    bool good = count >= 0 || error_input(err, NULL, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        good = good && add_entry(shards, folder, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    if (good && shards->count == before) {
        return error_input(err, NULL, "%s: found no shard-K-of-N.cells, expected them there",
                           folder);
    }
    return good;
}

static bool check(const struct shards *shards, struct journal *journals, struct error *err)
{
    if (collect_check(journals, shards->count, err)) {
        return true;
    }
    if (shards->unfinished[0]) {
        struct error inner = *err;
        error_input(err, NULL, "%s (%s is not finished)", inner.text, shards->unfinished);
    }
    return false;
}

static bool merge(const struct arguments *given, const struct shards *shards,
                  struct journal *journals, struct error *err)
{
    for (size_t i = 0; i < shards->count; i++) {
        if (!journal_read(&journals[i], shards->path[i], err)) {
            return false;
        }
    }
    if (!check(shards, journals, err) || !output_folder_check(given->folder, err) ||
        !output_folder_make(given->folder, err) ||
        !collect_write(journals, shards->count, given->folder, err)) {
        return false;
    }
    struct collected sum = collect_sum(journals, shards->count);
    if (!given->quiet) {
        fprintf(stderr,
                "%s: %zu shards, %zu points (%" PRIu64 " runs played, %" PRIu64
                " priced again), rows in %s\n",
                journals[0].head.text[HEAD_STUDY], shards->count, sum.points, sum.plays,
                sum.reprices, given->folder);
    }
    return true;
}

static bool merge_shards(const struct arguments *given, struct shards *shards, struct error *err)
{
    struct stat info;
    for (size_t i = 0; i < given->given_count; i++) {
        const char *path = given->given[i];
        bool folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
        if (!(folder ? add_folder(shards, path, err) : add_path(shards, path, err))) {
            return false;
        }
    }
    if (shards->count == 0) {
        return error_input(err, NULL, "merge: expected a folder of shards, or their files");
    }
    if (!given->folder) {
        return error_input(err, NULL, "merge: expected -o DIR for the results");
    }
    struct journal *journals = alloc_zeroed(shards->count, sizeof *journals, "shards");
    bool good = merge(given, shards, journals, err);
    for (size_t i = 0; i < shards->count; i++) {
        journal_close(&journals[i]);
    }
    free(journals);
    return good;
}

static bool run(void *arguments, struct error *err)
{
    struct shards *shards = alloc_zeroed(1, sizeof *shards, "shards");
    bool good = merge_shards(arguments, shards, err);
    for (size_t i = 0; i < shards->count; i++) {
        free(shards->path[i]);
    }
    free(shards);
    return good;
}

static bool take_path(void *arguments, const char *text, struct error *err)
{
    struct arguments *given = arguments;
    if (given->given_count == FILES_MAX) {
        return error_input(err, NULL, "merge: more than %d shards", SHARDS_MAX);
    }
    given->given[given->given_count++] = text;
    return true;
}

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"output", 'o', "DIR", "folder for the results", AT(folder)},
    {"quiet", 'q', NULL, "no summary", AT(quiet)},
    {0},
};

const struct cli_command cmd_merge = {
    .name = "merge",
    .summary = "the rows of a study out of all its shards",
    .options = options,
    .words = "DIR|FILE...",
    .word = {.take = take_path},
    .help = "Make the results of a study out of its shards: files, or folders that hold them.",
    .more = "Writes the bytes that the study would have had in one run. All shards must be there, "
            "each once and whole, of one configuration and played by one build of the program.",
    .size = sizeof(struct arguments),
    .run = run,
};

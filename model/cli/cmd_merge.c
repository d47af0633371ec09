#include "cli/cli.h"
#include "cli/run_study.h"
#include "core/alloc.h"
#include "core/error.h"
#include "report/merge.h"
#include "report/output.h"

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

/* The files of shards. */
struct shards {
    char *path[FILES_MAX]; /* owned */
    size_t count;
};

static bool add_path(struct shards *shards, const char *path, struct error *err)
{
    if (shards->count == FILES_MAX) {
        return error_input(err, NULL, "merge: more than %d shards", SHARDS_MAX);
    }
    shards->path[shards->count] = alloc_checked(strdup(path), "the names of shards");
    shards->count++;
    return true;
}

static int is_shard(const struct dirent *entry)
{
    return fnmatch(SHARD_STORES, entry->d_name, 0) == 0;
}

static bool add_folder(struct shards *shards, const char *folder, struct error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_shard, alphasort);
    bool good = count >= 0 || error_input(err, NULL, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        char path[OUTPUT_PATH];
        good = good && output_path(path, folder, entries[i]->d_name, err) &&
               add_path(shards, path, err);
        free(entries[i]);
    }
    free(entries);
    return good &&
           (count > 0 ||
            error_input(err, NULL, "%s: found no shard-K-of-N.db, expected them there", folder));
}

static bool merge(const struct arguments *given, struct shards *shards, struct error *err)
{
    struct store_about merged;
    struct store_sum sum;
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
    if (!merge_shards(shards->path, shards->count, given->folder, RUN_STORE, &merged, &sum, err)) {
        return false;
    }
    if (!given->quiet) {
        fprintf(stderr,
                "%s: %zu shards, %zu points (%" PRIu64 " runs played, %" PRIu64
                " priced again or fitted), rows in %s\n",
                merged.text[STORE_STUDY], shards->count, merged.cells * merged.strategies,
                sum.plays, sum.reprices, given->folder);
    }
    store_about_free(&merged);
    return true;
}

static bool run(void *arguments, struct error *err)
{
    struct shards *shards = alloc_zeroed(1, sizeof *shards, "shards");
    bool good = merge(arguments, shards, err);
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

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

static const struct cli_option options[] = {
    {"output", 'o', "DIR", "folder for the results"},
    {"quiet", 'q', NULL, "no summary"},
    {0},
};

struct arguments {
    char *path[FILES_MAX]; /* owned */
    size_t count;
    const char *folder; /* for the results */
    char unfinished[OUTPUT_PATH]; /* a shard's journal that was seen; "": none */
    bool quiet;
};

static bool add_path(struct arguments *given, const char *path, struct error *err)
{
    if (given->count == FILES_MAX) {
        return error_input(err, NULL, "merge: more than %d shards", SHARDS_MAX);
    }
    given->path[given->count] = strdup(path);
    if (!given->path[given->count]) {
        error_fatal("out of memory for the names of shards");
    }
    given->count++;
    return true;
}

static int is_shard(const struct dirent *entry)
{
    return fnmatch(SHARDS_CELLS, entry->d_name, 0) == 0 ||
           fnmatch(SHARD_JOURNALS, entry->d_name, 0) == 0;
}

static bool add_entry(struct arguments *given, const char *folder, const char *name,
                      struct error *err)
{
    char path[OUTPUT_PATH];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return error_input(err, NULL, "merge: the name of a folder is too long");
    }
    if (fnmatch(SHARDS_CELLS, name, 0) == 0) {
        return add_path(given, path, err);
    }
    memcpy(given->unfinished, path, (size_t)length + 1);
    return true;
}

static bool add_folder(struct arguments *given, const char *folder, struct error *err)
{
    struct dirent **entries = NULL;
    size_t before = given->count;
    int count = scandir(folder, &entries, is_shard, alphasort);
    bool good = count >= 0 || error_input(err, NULL, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        good = good && add_entry(given, folder, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    if (good && given->count == before) {
        return error_input(err, NULL, "%s: found no shard-K-of-N.cells, expected them there",
                           folder);
    }
    return good;
}

static bool take(void *input, int key, const char *text, struct error *err)
{
    struct arguments *given = input;
    struct stat info;
    switch (key) {
    case 'o':
        given->folder = text;
        return true;
    case 'q':
        given->quiet = true;
        return true;
    default:
        return stat(text, &info) == 0 && S_ISDIR(info.st_mode) ? add_folder(given, text, err)
                                                               : add_path(given, text, err);
    }
}

static const struct cli_command command = {
    options, take, "DIR|FILE...",
    "Make the results of a study out of its shards: files, or folders that hold them.",
    "Writes the bytes that the study would have had in one run. All shards must be there, each "
    "once "
    "and whole, of one configuration and played by one build of the program."};

static bool check(const struct arguments *given, struct journal *journals, struct error *err)
{
    if (collect_check(journals, given->count, err)) {
        return true;
    }
    if (given->unfinished[0]) {
        struct error inner = *err;
        error_input(err, NULL, "%s (%s is not finished)", inner.text, given->unfinished);
    }
    return false;
}

static bool merge(const struct arguments *given, struct journal *journals, struct error *err)
{
    for (size_t i = 0; i < given->count; i++) {
        if (!journal_read(&journals[i], given->path[i], err)) {
            return false;
        }
    }
    if (!check(given, journals, err) || !output_folder_check(given->folder, err) ||
        !output_folder_make(given->folder, err) ||
        !collect_write(journals, given->count, given->folder, err)) {
        return false;
    }
    struct collected sum = collect_sum(journals, given->count);
    if (!given->quiet) {
        fprintf(stderr,
                "%s: %zu shards, %zu points (%" PRIu64 " runs played, %" PRIu64
                " priced again), rows in %s\n",
                journals[0].head.text[HEAD_STUDY], given->count, sum.points, sum.plays,
                sum.reprices, given->folder);
    }
    return true;
}

static bool merge_given(const struct arguments *given, struct error *err)
{
    if (given->count == 0) {
        return error_input(err, NULL, "merge: expected a folder of shards, or their files");
    }
    if (!given->folder) {
        return error_input(err, NULL, "merge: expected -o DIR for the results");
    }
    struct journal *journals = alloc_zeroed(given->count, sizeof *journals, "shards");
    bool good = merge(given, journals, err);
    for (size_t i = 0; i < given->count; i++) {
        journal_close(&journals[i]);
    }
    free(journals);
    return good;
}

int cmd_merge(int argc, char **argv)
{
    struct arguments given = {0};
    struct error err;
    int status;
    if (cli_parse(&command, argc, argv, &given, &status)) {
        status = merge_given(&given, &err) ? EXIT_DONE : cli_fail(&err);
    }
    for (size_t i = 0; i < given.count; i++) {
        free(given.path[i]);
    }
    return status;
}

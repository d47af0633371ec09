#include "cli/run_study.h"

#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/wait.h"
#include "core/error.h"
#include "report/export.h"
#include "report/output.h"
#include "report/run_json.h"
#include "study/execute.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the store --- */

static bool store_path_of(const char *folder, const struct shard *shard, char path[OUTPUT_PATH],
                          struct error *err)
{
    char name[64];
    snprintf(name, sizeof name, shard ? SHARD_STORE : RUN_STORE, shard ? shard->number : 0,
             shard ? shard->count : 0);
    return output_path(path, folder, name, err);
}

bool run_folder_has(const char *folder, const char *file, struct error *err)
{
    char path[OUTPUT_PATH];
    struct stat about;
    bool there = stat(folder, &about) == 0;
    if (output_path(path, folder, file, err) && access(path, F_OK) == 0) {
        return true;
    }
    return error_input(err, NULL,
                       "%.200s: %s %s; expected a folder that `s2flush run`, `report` or `merge` "
                       "has written",
                       folder,
                       !there                   ? "there is no such folder and so no"
                       : S_ISDIR(about.st_mode) ? "has no"
                                                : "is no folder, and has no",
                       file);
}

/* What to do about something that is in the way. */
static void add_hint(struct error *err)
{
    struct error inner = *err;
    if (inner.status == EXIT_INPUT) {
        error_input(err, NULL, "%s; s2flush run --fresh drops it, another -o keeps it", inner.text);
    }
}

bool run_store_open(struct run_store *store, const struct run_request *request, struct error *err)
{
    char path[OUTPUT_PATH];
    const char *folder = request->folder;
    const struct shard *shard = request->shard, one = {1, 1};
    struct store_about about = {0};
    *store = (struct run_store){.folder = folder, .fresh = request->fresh};
    if (!output_folder_check(folder, err) || !store_path_of(folder, shard, path, err)) {
        return false;
    }
    store->levels = output_folder_missing(folder);
    bool good = run_about(request->study, shard ? *shard : one, request->format, &about, err) &&
                output_folder_make(folder, err);
    if (good) {
        store->store = store_open(path, &about, request->fresh, err);
    }
    store_about_free(&about);
    if (good && !store->store) {
        add_hint(err);
        output_folder_unmake(folder, store->levels);
    }
    return store->store;
}

bool run_store_close(struct run_store *store, bool good, struct error *err)
{
    struct store *own = store->store;
    struct error inner = *err, closing;
    if (!own) {
        return good;
    }
    store->store = NULL;
    if (good) {
        return store_close(own, err);
    }
    struct store_sum sum = store_sum(own);
    bool alone = store_about(own)->shard.count == 1;
    bool empty = store_plays(own).kept == 0 && sum.have == (alone ? sum.failed : 0);
    if (empty || (inner.status == EXIT_INPUT && store_is_new(own) && sum.have < sum.own)) {
        store_drop(own);
        output_folder_unmake(store->folder, store->levels);
        return false;
    }
    if (inner.status != EXIT_INPUT && sum.have < sum.own) {
        error_run(err, "%s; %zu of %zu cells are kept in %s: the same command%s goes on from there",
                  inner.text, sum.have, sum.own, store_path(own),
                  store->fresh ? " without --fresh" : "");
        err->status = inner.status;
    }
    (void)store_close(own, &closing);
    return false;
}

/* --- a run --- */

bool run_needs(struct run_request *request, struct study_needs *needs, struct error *err)
{
    const struct study *study = request->study;
    struct source_location at = {.file = study->path, .key = "metrics"};
    return metric_select(study->metrics, request->wanted, &at, err) &&
           study_needs(study, request->jobs, request->wanted, needs, err);
}

static void say_start(const struct store *store)
{
    struct store_sum sum = store_sum(store);
    if (store_is_unlocked(store)) {
        fprintf(stderr, "%s: no locks on this file system; no other run may play into the folder\n",
                store_path(store));
    }
    if (!store_is_new(store)) {
        fprintf(stderr, "resuming: %zu of %zu cells are there already\n", sum.have, sum.own);
    }
}

static void say_end(const struct run_request *request, const struct store *store, double seconds)
{
    struct store_sum sum = store_sum(store);
    const char *name = request->study->name;
    if (request->shard) {
        fprintf(stderr, "%s: shard %" PRIu32 " of %" PRIu32 ", %zu cells in %.2f s, in %s\n", name,
                request->shard->number, request->shard->count, sum.have, seconds,
                store_path(store));
    } else {
        fprintf(stderr,
                "%s: %zu points in %.2f s (%" PRIu64 " runs played, %" PRIu64
                " priced again or fitted), rows in %s\n",
                name, request->study->points, seconds, sum.plays, sum.reprices, request->folder);
    }
}

bool run_into(const struct run_request *request, struct run_store *store, struct error *err)
{
    struct sweep sweep = {.name = "run",
                          .jobs = request->jobs,
                          .progress = request->quiet ? NULL : progress_line(),
                          .stopped = interrupt_signal};
    double start_s = cli_seconds();
    if (!request->quiet) {
        say_start(store->store);
    }
    bool fresh = !request->shard && store_is_new(store->store);
    bool good =
        (request->quiet || !fresh || wait_say(request->study, store->store, request->jobs, err)) &&
        study_execute(request->study, &sweep, store->store, request->wanted, err) &&
        (request->shard || export_write(store->store, request->formats, request->folder, err)) &&
        store_none_failed(store->store, err);
    if (good && !request->quiet) {
        say_end(request, store->store, cli_seconds() - start_s);
    }
    return good;
}

bool run_study(const struct run_request *request, struct error *err)
{
    struct run_store store;
    interrupt_catch();
    if (!run_json_possible(err) || !run_store_open(&store, request, err)) {
        return false;
    }
    bool good = run_into(request, &store, err);
    return run_store_close(&store, good, err);
}

#include "cli/run_study.h"

#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "core/error.h"
#include "report/collect.h"
#include "report/run_json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A run that is under way. */
struct running {
    const struct run_request *request;
    struct journal journal;
    char name[64]; /* of the journal */
    size_t folder_levels; /* that were made for it */
    double start_s;
};

/* --- cell by cell --- */

static bool wanted(void *context, size_t cell)
{
    struct running *running = context;
    return !journal_has(&running->journal, cell) &&
           shard_of_cell(cell, running->request->shard.count) == running->request->shard.number;
}

static bool finished(void *context, const struct study_results *results,
                     const struct cell_done *cell, struct error *err)
{
    struct running *running = context;
    const struct run_request *request = running->request;
    return journal_add(&running->journal, request->study, results, cell, request->wanted, err);
}

static bool play(struct running *running, struct error *err)
{
    const struct run_request *request = running->request;
    struct cell_watch watch = {running, wanted, finished};
    struct sweep sweep = {.jobs = request->jobs,
                          .progress = request->quiet ? NULL : progress_line(),
                          .stopped = interrupt_signal};
    struct study_results results;
    if (!study_execute(request->study, &sweep, &watch, &results, err)) {
        return false;
    }
    study_results_free(&results);
    return true;
}

/* --- around it --- */

/* What to do about something that is in the way. */
static void add_hint(struct error *err)
{
    struct error inner = *err;
    if (inner.status == EXIT_INPUT) {
        error_input(err, NULL, "%s; --fresh drops it, another -o keeps it", inner.text);
    }
}

/* Opens the journal, in a folder that is made for it. */
static bool start(struct running *running, struct journal_head *head, struct error *err)
{
    const struct run_request *request = running->request;
    running->folder_levels = output_folder_missing(request->folder);
    if (!output_folder_make(request->folder, err)) {
        return false;
    }
    if (!journal_start(&running->journal, request->folder, running->name, head, request->fresh,
                       err)) {
        add_hint(err);
        output_folder_unmake(request->folder, running->folder_levels);
        return false;
    }
    return true;
}

static void say_start(const struct running *running)
{
    const struct journal *journal = &running->journal;
    if (running->request->quiet) {
        return;
    }
    if (journal->unlocked) {
        fprintf(stderr, "%s: no locks on this file system; let nobody else play into the folder\n",
                journal->path);
    }
    if (journal->have > 0 || journal->cut > 0) {
        fprintf(stderr, "resuming: %zu of %zu cells are there%s\n", journal->have, journal->own,
                journal->cut > 0 ? " (what was torn or damaged behind them is played again)" : "");
    }
}

/* Bad input leaves nothing behind; after everything else the same command can go
 * on with what is there. */
static void stop(struct running *running, struct error *err)
{
    const struct journal *journal = &running->journal;
    struct error inner = *err;
    if (err->status == EXIT_INPUT || journal->have == 0) {
        journal_drop(&running->journal);
        output_folder_unmake(running->request->folder, running->folder_levels);
        return;
    }
    error_run(err, "%s; %zu of %zu cells are kept in %s: the same command%s goes on from there",
              inner.text, journal->have, journal->own, journal->path,
              running->request->fresh ? " without --fresh" : "");
    err->status = inner.status;
}

static bool keep_shard(struct running *running, struct error *err)
{
    const struct run_request *request = running->request;
    char name[64];
    snprintf(name, sizeof name, SHARD_CELLS, request->shard.number, request->shard.count);
    if (!journal_keep(&running->journal, name, err)) {
        return false;
    }
    if (!request->quiet) {
        fprintf(stderr, "%s: shard %" PRIu32 " of %" PRIu32 ", %zu cells in %.2f s, in %s\n",
                request->study->name, request->shard.number, request->shard.count,
                running->journal.have, cli_seconds() - running->start_s, running->journal.path);
    }
    return true;
}

static bool write_results(struct running *running, struct error *err)
{
    const struct run_request *request = running->request;
    if (!collect_write(&running->journal, 1, request->folder, err)) {
        return false;
    }
    journal_drop(&running->journal);
    if (!request->quiet) {
        struct collected sum = collect_sum(&running->journal, 1);
        fprintf(stderr,
                "%s: %zu points in %.2f s (%" PRIu64 " runs played, %" PRIu64
                " priced again), rows in %s\n",
                request->study->name, sum.points, cli_seconds() - running->start_s, sum.plays,
                sum.reprices, request->folder);
    }
    return true;
}

static bool run_journal(struct running *running, struct journal_head *head, struct error *err)
{
    if (!start(running, head, err)) {
        return false;
    }
    say_start(running);
    bool good = play(running, err) && (running->request->sharded ? keep_shard(running, err)
                                                                 : write_results(running, err));
    if (!good) {
        stop(running, err);
    }
    journal_close(&running->journal);
    return good;
}

/* --- a shard that is there already --- */

static bool same_shard(const struct journal *journal, const struct journal_head *head,
                       struct error *err)
{
    if (!journal_head_same(head, &journal->head, journal->path, err)) {
        return false;
    }
    bool good = journal_whole(journal) && journal->head.shard.number == head->shard.number &&
                journal->head.shard.count == head->shard.count;
    return good ||
           error_input(err, NULL, "%s: is damaged, or has another shard's name", journal->path);
}

/* `there`: the shard's file is, and is this shard's. False where it is not. */
static bool shard_there(const struct running *running, const struct journal_head *head, bool *there,
                        struct error *err)
{
    const struct run_request *request = running->request;
    char path[OUTPUT_PATH];
    struct journal journal;
    int length = snprintf(path, sizeof path, "%s/" SHARD_CELLS, request->folder,
                          request->shard.number, request->shard.count);
    *there = false;
    if (!request->sharded || request->fresh || length < 0 || (size_t)length >= sizeof path ||
        access(path, F_OK) != 0) {
        return true;
    }
    bool good = journal_read(&journal, path, err) && same_shard(&journal, head, err);
    journal_close(&journal);
    if (!good) {
        add_hint(err);
    } else if (!request->quiet) {
        fprintf(stderr, "%s: is there already and whole\n", path);
    }
    *there = good;
    return good;
}

bool run_study(const struct run_request *request, struct error *err)
{
    struct running running = {.request = request, .start_s = cli_seconds()};
    struct journal_head head;
    bool there;
    snprintf(running.name, sizeof running.name, request->sharded ? SHARD_JOURNAL : RUN_JOURNAL,
             request->shard.number, request->shard.count);
    interrupt_catch();
    if (!run_json_possible(err) || !output_folder_check(request->folder, err) ||
        !journal_head_of(&head, request->study, request->format, request->shard, request->jobs,
                         err)) {
        return false;
    }
    bool good =
        shard_there(&running, &head, &there, err) && (there || run_journal(&running, &head, err));
    journal_head_free(&head);
    return good;
}

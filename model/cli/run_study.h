/*
 * run_study - plays a study, or a shard of it, into a folder.
 *
 * Finished cells go into a journal in the folder (report/journal.h): a run that
 * was stopped in any way goes on from it.
 */
#ifndef S2FLUSH_CLI_RUN_STUDY_H
#define S2FLUSH_CLI_RUN_STUDY_H

#include "report/rows.h"
#include "study/shard.h"

#include <inttypes.h>

struct error;

#define RUN_JOURNAL "run.journal"
#define SHARD_JOURNAL "shard-%" PRIu32 "-of-%" PRIu32 ".journal" /* until it is finished */
#define SHARD_CELLS "shard-%" PRIu32 "-of-%" PRIu32 ".cells"
#define SHARD_JOURNALS "shard-*-of-*.journal" /* any of them */
#define SHARDS_CELLS "shard-*-of-*.cells"

struct run_request {
    const struct study *study;
    const char *folder;
    const bool *wanted; /* [METRICS] */
    bool format[ROWS_FORMATS];
    bool sharded; /* leaves a shard's file and no rows */
    struct shard shard; /* else 1 of 1 */
    unsigned jobs;
    bool fresh; /* drop what an earlier run left */
    bool quiet;
};

/* False with one line; the exit status of an interrupted run is 128 and the
 * signal's number, as a shell has it. */
bool run_study(const struct run_request *request, struct error *err);

#endif

/*
 * run_study - plays a study, or a shard of it, into a folder.
 *
 * All that is played goes into a store in the folder (study/store.h): a run that was stopped in
 * any way goes on from it, and other commands find there what they need.
 */
#ifndef S2FLUSH_CLI_RUN_STUDY_H
#define S2FLUSH_CLI_RUN_STUDY_H

#include "report/rows.h"
#include "study/needs.h"
#include "study/sweep.h"

#include <inttypes.h>

struct error;

#define RUN_STORE "samples.db"
#define SHARD_STORE "shard-%" PRIu32 "-of-%" PRIu32 ".db"
#define SHARD_STORES "shard-*-of-*.db"

/* Whether a folder has the file that a command needs; else a line on what it should be. */
bool run_folder_has(const char *folder, const char *file, struct error *err);

/* The store of a study in a folder, which is made for it. */
struct run_store {
    struct store *store; /* NULL: it is not open */
    const char *folder;
    size_t levels; /* of the folder, that were made */
    bool fresh; /* what was there was dropped */
};

struct run_request;

/* Opens it; what the shard of a sharded run has is a file of its own. False with a line. */
bool run_store_open(struct run_store *store, const struct run_request *request, struct error *err);

/* Makes it durable and closes it. After bad input before all was played, and where nothing is in
 * it, it leaves nothing behind; else err says that the same command goes on with what is there. */
bool run_store_close(struct run_store *store, bool good, struct error *err);

struct run_request {
    const struct study *study;
    const char *folder;
    bool wanted[METRICS]; /* run_fits fills it */
    const char *format; /* of the rows, in a word */
    const bool *formats; /* [ROWS_FORMATS] */
    const struct shard *shard; /* leaves a shard's file and no rows; NULL: the whole study */
    unsigned jobs;
    bool fresh; /* drop what an earlier run left */
    bool quiet;
};

/* Looks at what a study takes before any of it is played: its metrics, `needs`, and whether the
 * memory is there. */
bool run_needs(struct run_request *request, struct study_needs *needs, struct error *err);

/* False with one line; the exit status of an interrupted run is 128 and the
 * signal's number, as a shell has it. */
bool run_study(const struct run_request *request, struct error *err);

/* Plays into a store that is open, and writes the rows into its folder. */
bool run_into(const struct run_request *request, struct run_store *store, struct error *err);

#endif

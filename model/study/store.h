/*
 * store - all that was played of a study, kept in one SQLite file beside its rows.
 *
 * What is in it need not be played again: a run that was stopped goes on from it, maps and
 * break-even points look up what the run has played, and the stores of shards make one of the
 * whole. A store is of one configuration and one build of the program; another's is refused by the
 * setting that differs. Changes become durable some 20 ms after they were made, a cell (points that
 * differ in the strategy only) whole or not at all. One process at a time has a store open.
 *
 *   about   name, value: study, path, version, program (core/build_id.h), settings and
 *           configuration as in run.json, workloads (a hash of what they do), format, shard and
 *           shards; plays_repeated: how often what was there already was played again;
 *           plays_alike: how many of the plays are another strategy's that is the same
 *   cell    finished ones; plays, reprices: runs behind its points, and runs that pricing again
 *           or a fit saved; failed: why it has no points, '' where it has
 *   point   of finished cells: a column for each axis; verdict, condition, hypothetical and
 *           config_hash as in rows.csv; where its samples are: play_hash (ideal_hash: the
 *           yardstick's) in `play`, draws_hash in `draw`
 *   result  of a point: metric (study/metrics.h), n, fitted, mode, mean, p10, p50, p90,
 *           interval_low, interval_high in the metric's unit; NULL is not known
 *   play    a simulation: play_hash (all that it gets but costs), costs_hash; serial: 1 where
 *           no actor waited, so that its counts hold for all costs; window_ps, cpu_ps, pause_ps,
 *           stall_p50_ps, stall_p99_ps, stall_max_ps, first_insn_ps (-1: never) at these costs;
 *           counts, before, leaves, verdicts, tails, sections as in study/trial_json.h
 *   costs   costs_hash; cost: {name: value} in the units of `s2flush list costs`; price_ps: {kind:
 *           ps of one event}
 *   draw    draws_hash, draw (0: every cost at its mode), costs_hash, stratum
 *
 * `checksum` (XXH3 of the row, of a point with its results) tells damage.
 */
#ifndef S2FLUSH_STUDY_STORE_H
#define S2FLUSH_STUDY_STORE_H

#include "study/metrics.h"
#include "study/shard.h"
#include "study/study.h"

struct error;

#define STORE_SCHEMA 5

/* --- what it is of --- */

enum store_text {
    STORE_STUDY, /* its name */
    STORE_PATH, /* its file */
    STORE_VERSION, /* of the program */
    STORE_PROGRAM, /* core/build_id.h */
    STORE_SETTINGS, /* objects of JSON: the study's part of run.json, */
    STORE_CONFIGURATION, /* and that of all workloads, machines, kernels and strategies */
    STORE_WORKLOADS, /* a hash of what the workloads do */
    STORE_FORMAT, /* in which rows were asked for; no matter to samples */
    STORE_TEXTS
};

struct store_axis {
    char name[64];
    bool number; /* its values are numbers */
};

struct store_about {
    char *text[STORE_TEXTS]; /* owned */
    struct shard shard; /* 1 of 1: the whole study */
    /* As the settings say: */
    struct store_axis axis[STUDY_AXES];
    size_t axes;
    size_t cells, strategies, stride; /* points in a cell; of the strategy among the points */
};

/* Of a study; takes the texts of settings and configuration over. False with the line of a
 * workload that cannot be resolved. The caller frees it in both cases. */
bool store_about_of(struct store_about *about, const struct study *study, struct shard shard,
                    const char *format, char *settings, char *configuration, struct error *err);
struct store_about store_about_copy(const struct store_about *about);
void store_about_free(struct store_about *about);

/* Whether samples of `found`, in that file, may stand for those of `wanted`; false with a line
 * that says in what they differ. The shard's number may be another. */
bool store_same(const struct store_about *wanted, const struct store_about *found, const char *path,
                struct error *err);

/* --- opening --- */

struct store;

/* Opens the file to go on with it, or makes it; `fresh` drops what is there. NULL with a line
 * where another process has it open or it cannot be written (EXIT_RUN), or it is of another
 * configuration, program or schema, or none (EXIT_INPUT). */
struct store *store_open(const char *path, const struct store_about *about, bool fresh,
                         struct error *err);

/* One that is gone with the program; of no cells. */
struct store *store_in_memory(void);

/* Opens a file that is only read. */
struct store *store_read(const char *path, struct error *err);

/* Makes all of it durable; false with a line. */
bool store_flush(struct store *store, struct error *err);

/* Makes all of it durable and closes it; false with a line. NULL is none. */
bool store_close(struct store *store, struct error *err);

/* Closes it and removes the file. */
void store_drop(struct store *store);

const struct store_about *store_about(const struct store *store);
const char *store_path(const struct store *store);
bool store_is_new(const struct store *store); /* it was made just now */
bool store_is_unlocked(const struct store *store); /* its file system has no locks */

/* --- plays --- */

enum store_found { STORE_FOUND, STORE_MISSING, STORE_FAILED };

/* The simulation of that hash at those costs; the caller frees the trial where it is found. */
enum store_found store_find_play(struct store *store, const char *play, const char *costs,
                                 struct trial *trial, struct error *err);

/* Adds one that was played. One that is there already is counted as repeated. */
bool store_add_play(struct store *store, const char *play, const char *costs,
                    const struct trial *trial, struct error *err);

/* Counts a play that another strategy's was found to be. */
bool store_count_alike(struct store *store, struct error *err);

/* Costs, and what events cost with them. */
bool store_add_costs(struct store *store, const char *hash, const double value[COSTS],
                     const ps_t price[EVENT_KINDS], struct error *err);

/* Costs and timelines of a scenario's runs, under one hash. */
struct store_draw {
    char costs[SETUP_HASH];
    unsigned stratum;
};
bool store_has_draws(struct store *store, const char *draws, bool *has, struct error *err);
bool store_add_draws(struct store *store, const char *draws, const struct store_draw *draw,
                     size_t runs, struct error *err);

/* How many plays are there, how often one was played again, and how many another strategy's was
 * found to be. */
struct store_plays {
    uint64_t kept, repeated, alike;
};
struct store_plays store_plays(struct store *store);

/* --- cells and points --- */

/* What a point comes to. */
struct point_result {
    struct spread metric[METRICS];
    enum outcome worst;
    char condition[512]; /* what the verdict depends on, or who reads stale lines */
    char hypothetical[40]; /* "": it exists */
    char hash[SETUP_HASH];
    char draws[SETUP_HASH];
    struct {
        char play[SETUP_HASH], ideal[SETUP_HASH]; /* "": the stratum is no draw's */
    } source[1 + DRAW_STRATA];
};

struct store_cell {
    size_t index;
    uint64_t plays, reprices;
    const struct point_result *result; /* [strategies] */
};

/* Adds a cell with its results of the metrics that are wanted. */
bool store_add_cell(struct store *store, const struct study *study, const struct store_cell *cell,
                    const bool wanted[METRICS], struct error *err);
bool store_has_cell(struct store *store, size_t cell);

/* Adds a cell one of whose simulations failed: it has no points, and is not tried again. */
bool store_add_failed(struct store *store, size_t cell, const char *why, struct error *err);

/* Hands over why, for each cell that failed, in their order; false with a line where one is
 * damaged. */
typedef void (*store_failed_fn)(void *context, const char *why);
bool store_each_failed(struct store *store, store_failed_fn each, void *context, struct error *err);

/* False with a line that says how many cells failed, and the first one, where any did. */
bool store_none_failed(struct store *store, struct error *err);

struct store_sum {
    size_t own, have; /* cells of the shard, and those that are there */
    size_t failed; /* of those that are there */
    uint64_t plays, reprices; /* of those */
};
struct store_sum store_sum(const struct store *store);

/* A point as it is kept; its sources are not read. */
struct stored_point {
    size_t point;
    const char *axis[STUDY_AXES]; /* values, valid while it is handed over */
    struct point_result result;
    bool has[METRICS];
};

/* Hands all points over in their order; false with a line where one is damaged or missing. */
typedef void (*store_point_fn)(void *context, const struct stored_point *point);
bool store_each_point(struct store *store, store_point_fn each, void *context, struct error *err);

/* Copies all that a shard's file has into this store, which is of the whole study. */
bool store_merge(struct store *store, const char *path, struct error *err);

#endif

/*
 * tracks - one run over time, as a file that people look at: Chrome trace JSON,
 * which Perfetto and chrome://tracing open, or a picture for a memo.
 *
 * JSON: a process for each VM, in it a track for each actor, with a slice for
 * each stretch of work or waiting, and where it held locks a track for those.
 * Times are microseconds with all digits down to the picosecond; each slice has
 * its picoseconds (`ps`), what was done in them, and its phase as arguments. The
 * slices of an actor's track add up to its busy and waiting time in the ledger;
 * in slices that stand for several, idle time is among their arguments and to
 * be taken off.
 */
#ifndef S2FLUSH_REPORT_TIMELINE_TRACKS_H
#define S2FLUSH_REPORT_TIMELINE_TRACKS_H

#include "run/watch.h"
#include "study/setup.h"

#include <stdio.h>

struct error;

#define TRACKS_LIMIT_USUAL 100000
#define TRACKS_LIMIT_LEAST 100
#define TRACKS_LIMIT_MOST 10000000

#define TRACKS_FILES 4
struct tracks_wish {
    const char *path[TRACKS_FILES]; /* by their endings: .json, .svg, .png */
    size_t count;
    size_t limit; /* spans that are kept */
};

/* Whether the path has an ending that can be written. */
bool tracks_path_check(const char *path, struct error *err);

/* Writes all files of a run that was watched, each whole or not at all, and
 * says in `messages` what had to be put together. */
bool tracks_write(const struct tracks_wish *wish, const struct setup *setup, const struct sim *sim,
                  FILE *messages, struct error *err);

/* The JSON alone. */
void tracks_json(FILE *out, const struct setup *setup, const struct sim *sim);

/* The picture's table, one row a box: for bench/plots/timeline.gp. */
void tracks_table(FILE *out, const struct setup *setup, const struct sim *sim);

#endif

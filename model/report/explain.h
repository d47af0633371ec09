/*
 * explain - one run for people: what is added and what that goes to, who reads
 * what, and in full what was charged by phase, actor and kind and who waited.
 */
#ifndef S2FLUSH_REPORT_EXPLAIN_H
#define S2FLUSH_REPORT_EXPLAIN_H

#include "report/timeline/tracks.h"

struct error;

/* A key that is set, and what it was. */
#define EXPLAIN_VALUE 128
struct explain_setting {
    char key[64], value[EXPLAIN_VALUE], before[EXPLAIN_VALUE];
};

struct explain_options {
    const struct explain_setting *settings;
    size_t setting_count;
    const char *machine; /* as it was asked for: another name than the platform's is explained */
    bool full; /* all parts, kinds and readers, and the ledger by phase and actor */
    struct tracks_wish tracks; /* the run over time, where it has files */
    bool trace; /* the events that begin in [from, to) as lines (run/trace.h), and nothing else */
    ps_t from, to;
};

/* Plays the point with all costs at their modes, and the yardstick, and prints
 * both. False where the run gets stuck or a file cannot be written; nothing but
 * a trace is printed then. */
bool explain_write(FILE *out, const struct setup *setup, const struct explain_options *options,
                   struct error *err);

#endif

/*
 * explain - one run in full, for people: what was charged by phase, actor and
 * kind, who waited for what, what of it counts, and who reads what.
 */
#ifndef S2FLUSH_REPORT_EXPLAIN_H
#define S2FLUSH_REPORT_EXPLAIN_H

#include "report/timeline/tracks.h"

struct error;

struct explain_options {
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

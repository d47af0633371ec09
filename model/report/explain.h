/*
 * explain - one run in full, for people: what was charged by phase, actor and
 * kind, who waited for what, what of it counts, and who reads what.
 */
#ifndef S2FLUSH_REPORT_EXPLAIN_H
#define S2FLUSH_REPORT_EXPLAIN_H

#include "report/timeline/tracks.h"

struct error;

/* Plays the point with all costs at their modes, and the yardstick, and prints
 * both. Writes the run over time as `wish` says, where it has files. False where
 * the run gets stuck or a file cannot be written; nothing is printed then. */
bool explain_write(FILE *out, const struct setup *setup, const struct tracks_wish *wish,
                   struct error *err);

#endif

/*
 * collect - results out of journals: that of a run, or those of all shards.
 */
#ifndef S2FLUSH_REPORT_COLLECT_H
#define S2FLUSH_REPORT_COLLECT_H

#include "report/journal.h"

struct error;

/* Whether these are all shards of one study, each once and whole. Puts them into
 * the order of the shards. False with a line that names what is wrong. */
bool collect_check(struct journal *journals, size_t count, struct error *err);

/* Writes rows.csv, rows.jsonl (what the journals have) and run.json into a
 * folder that exists; either all of them or, with a line, none. */
bool collect_write(const struct journal *journals, size_t count, const char *folder,
                   struct error *err);

/* The total of points, and of runs. */
struct collected {
    size_t points;
    uint64_t plays, reprices;
};
struct collected collect_sum(const struct journal *journals, size_t count);

#endif

/*
 * notes - what bench/published says of its tables besides their rows: for each table that the
 * model misses the mechanism that it lacks and what was tried, and the figures of the same sources
 * that are no row, each with the reason.
 */
#ifndef S2FLUSH_CHECK_PUBLISHED_NOTES_H
#define S2FLUSH_CHECK_PUBLISHED_NOTES_H

#include "core/csv.h"

struct error;

struct published_notes {
    struct csv missing; /* table, mechanism, tried, source */
    struct csv unused; /* source, figure, reason */
    char path[2][4096]; /* of the two */
};

/* False with one line where a file is not there, or lacks a column. */
bool published_notes_read(struct published_notes *notes, struct error *err);
void published_notes_free(struct published_notes *notes);

#endif

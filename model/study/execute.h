/*
 * execute - plays a study into a store.
 *
 * Cells (points that differ in the strategy only) are shared out among threads, and the plays of
 * one among those that have no cell. What a cell comes to depends on nothing else, so that it is
 * the same for any number of threads and shards, and for a run that goes on from another.
 */
#ifndef S2FLUSH_STUDY_EXECUTE_H
#define S2FLUSH_STUDY_EXECUTE_H

#include "study/store.h"
#include "study/sweep.h"

struct error;

/* Plays the cells of the store's shard that are not in it yet. Of several errors the one of the
 * first cell is reported. */
bool study_execute(const struct study *study, struct sweep *sweep, struct store *store,
                   const bool wanted[METRICS], struct error *err);

#endif

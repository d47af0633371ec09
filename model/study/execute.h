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

/* A lane is what runs share but for their costs: a strategy, or the yardstick, in a scenario. Plays
 * one's run at the modes, for an estimate of what the study takes, and keeps it in the store.
 * `again`: its draws could be priced again. */
size_t study_lanes(const struct study *study);
bool study_sample(const struct study *study, struct store *store, size_t lane, bool *again,
                  struct error *err);

#endif

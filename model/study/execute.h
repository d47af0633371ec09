/*
 * execute - plays all points of a study.
 *
 * Cells (points that differ in the strategy only) are shared out among
 * threads; results are kept by index, so that they are the same for any number
 * of threads. A point is played at the modes of all costs and for each draw;
 * where only the prices differ it is priced again (study/trial.h).
 */
#ifndef S2FLUSH_STUDY_EXECUTE_H
#define S2FLUSH_STUDY_EXECUTE_H

#include "study/metrics.h"
#include "study/study.h"
#include "study/sweep.h"

struct error;

struct point_result {
    struct spread metric[METRICS];
    struct verdict verdict[READERS];
    enum outcome worst;
    const char *hypothetical; /* NULL: it exists */
    char hash[SETUP_HASH];
};

struct study_results {
    struct point_result *points; /* by point */
    size_t count;
    uint64_t plays, reprices; /* runs, and runs that pricing again saved */
};

/* A cell that was played. */
struct cell_done {
    size_t index;
    uint64_t plays, reprices;
};

/* Somebody who chooses cells and is told of each; any part may be NULL. Threads
 * call at the same time. */
struct cell_watch {
    void *context;
    /* Asked before a cell; where the answer is no, its points stay zeroed. */
    bool (*wanted)(void *context, size_t cell);
    /* Told after a cell, when its points are in the results. False with a line in
     * err fails the study like a cell that cannot be played. */
    bool (*finished)(void *context, const struct study_results *results,
                     const struct cell_done *cell, struct error *err);
};

/* `watch` may be NULL. Of several errors the one of the first cell is reported. */
bool study_execute(const struct study *study, struct sweep *sweep, const struct cell_watch *watch,
                   struct study_results *results, struct error *err);
void study_results_free(struct study_results *results);

/* Plays one run of a cell, of its first strategy at the modes, for an estimate
 * of what the study takes. `again`: its draws could be priced again. */
bool study_sample(const struct study *study, size_t index, bool *again, struct error *err);

#endif

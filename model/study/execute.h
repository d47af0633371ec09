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
    int threads; /* that played them, and may write the rows */
};

/* Told after each cell, by one thread at a time. */
struct progress {
    void (*report)(void *context, size_t done, size_t total);
    void *context;
};

/* jobs 0: as many threads as there are processors. `progress` may be NULL. Of
 * several errors the one of the first cell is reported. */
bool study_execute(const struct study *study, unsigned jobs, const struct progress *progress,
                   struct study_results *results, struct error *err);
void study_results_free(struct study_results *results);

/* Plays one run of a cell, of its first strategy at the modes, for an estimate
 * of what the study takes. `again`: its draws could be priced again. */
bool study_sample(const struct study *study, size_t index, bool *again, struct error *err);

#endif

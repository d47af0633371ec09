/*
 * spot - one place of a study, at which strategies are priced at any costs.
 *
 * Break-even points, maps and sensitivities ask for the same strategies again
 * and again, at other costs or a little further along an axis. A spot plays a
 * strategy once, at the modes, and after that prices it again wherever that is
 * the same (study/trial.h). A spot belongs to one thread.
 */
#ifndef S2FLUSH_STUDY_SPOT_H
#define S2FLUSH_STUDY_SPOT_H

#include "study/metrics.h"
#include "study/study.h"

/* A key that a spot has otherwise than the study's point; key NULL: none. */
struct spot_key {
    const char *key, *text;
};

struct spot_lane; /* one strategy's run */

/* Hears how many of the parts of an answer are done: 0 of them first, all of them
 * at last. Called by one thread at a time. NULL: nobody listens. */
typedef void (*progress_fn)(size_t done, size_t total);

struct spot {
    const struct study *study;
    struct setup setup; /* the strategy in it changes */
    struct timeline timeline;
    double (*values)[COSTS]; /* the modes, then the study's draws */
    size_t runs; /* 1 + draws */
    size_t strategies; /* of the study */
    struct spot_lane *lanes; /* by strategy; the last one is the yardstick */
};

/* One part more is done; `done` is shared by the threads. */
void spots_progress(progress_fn progress, size_t *done, size_t total);

/* Whether `kept` bytes may be taken and, for each of so many threads (0: as many as
 * processors), an open place and `own` bytes more; else a line as of alloc_allowed. */
bool spots_allowed(const struct study *study, unsigned jobs, uint64_t kept, uint64_t own,
                   const char *what, const char *instead, struct error *err);

/* What is known of a strategy at a place, whatever it costs. */
struct spot_verdict {
    enum outcome worst;
    unsigned conditions; /* what an only-if verdict leans on */
    const char *hypothetical; /* NULL: it exists */
};

/* Opens the place of a point (its strategy does not matter). The caller closes
 * it where this was true. */
bool spot_open(struct spot *spot, const struct study *study, size_t point, struct spot_key other,
               struct error *err);
void spot_close(struct spot *spot);

/* Values of several strategies at the same costs, into value[strategy]; those
 * that are not wanted are left as they are (wanted NULL: all). A metric that
 * exists for no such run is an error. */
bool spot_values(struct spot *spot, enum metric metric, const double costs[COSTS],
                 const bool *wanted, double *value, struct error *err);

bool spot_verdict(struct spot *spot, size_t strategy, struct spot_verdict *verdict,
                  struct error *err);

/* The metric that tells by how much two strategies differ in `metric`: what is
 * taken off both for the yardstick cancels out and need not be played. */
enum metric spot_difference_metric(enum metric metric);

#endif

/*
 * lanes - how many runs of a study have to be played, by a few of them.
 *
 * A lane is what runs share but for their costs: a strategy, or the yardstick, in a scenario.
 * Whether its draws can be priced again depends most on whether several actors are at work, so that
 * lanes are told apart by where these come from before samples are taken of each kind.
 */
#ifndef S2FLUSH_STUDY_LANES_H
#define S2FLUSH_STUDY_LANES_H

#include "study/store.h"
#include "study/study.h"

struct error;

enum lane_kind {
    LANE_ALONE, /* one vCPU, */
    LANE_VCPUS, /* several, */
    LANE_WORKERS, /* one, and threads that share a flush, */
    LANE_VCPUS_WORKERS, /* both */
    LANE_KINDS
};

struct lanes {
    size_t all; /* of the study */
    struct {
        double share; /* of all */
        size_t *lane, count; /* some, spread over the study */
    } kind[LANE_KINDS];
};

/* False with the line of a workload that cannot be resolved. The caller frees it in both cases. */
bool lanes_sort(const struct study *study, struct lanes *lanes, struct error *err);
void lanes_free(struct lanes *lanes);

/* Plays a lane's run at the modes and keeps it in the store. */
struct lane_sample {
    bool again; /* its draws could be priced again */
    size_t played; /* runs of the lane that are to be played */
};
bool lanes_sample(const struct study *study, struct store *store, size_t lane,
                  struct lane_sample *sample, struct error *err);

#endif

/*
 * recorded - a timeline played as it was recorded: leaf by leaf, at the modes of the machine's
 * costs, under what Linux does on it (`fwb` where the CPU has FEAT_S2FWB, else `unmap`).
 */
#ifndef S2FLUSH_RUN_RECORDED_H
#define S2FLUSH_RUN_RECORDED_H

#include "machine/platform.h"
#include "run/sim.h"

struct recorded {
    double value[COSTS];
    struct point point;
    struct sim sim;
};

/* Plays it; what it is given must outlive the result. NULL with a line where it gets stuck. */
struct recorded *recorded_play(const struct timeline *timeline, const struct platform *platform,
                               const struct kernel *kernel, struct error *err);
void recorded_free(struct recorded *recorded);

#endif

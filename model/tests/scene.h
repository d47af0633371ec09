/*
 * scene - a machine, a kernel and a strategy by choices; the timeline is whatever is built from
 * the workload file that further choices make.
 */
#ifndef S2FLUSH_TESTS_SCENE_H
#define S2FLUSH_TESTS_SCENE_H

#include "choices.h"

#include "guest/timeline.h"
#include "run/sim.h"

struct scene {
    struct timeline timeline;
    struct platform platform;
    double value[COSTS];
    struct kernel kernel;
    struct strategy strategy;
    bool preemptible;
};

/* All but the timeline. */
void scene_choose(struct scene *scene, struct choices *choices);

/* The scene as a run takes it. */
struct point scene_point(const struct scene *scene, bool exact);

#endif

#include "run/recorded.h"

#include "core/alloc.h"
#include "kvm/strategy.h"

#include <stdlib.h>

struct recorded *recorded_play(const struct timeline *timeline, const struct platform *platform,
                               const struct kernel *kernel, struct error *err)
{
    const struct strategy *strategy = strategy_find(platform->fwb ? "fwb" : "unmap", err);
    if (!strategy) {
        return NULL;
    }
    struct recorded *recorded = alloc_raw(1, sizeof *recorded, "a simulation");
    platform_modes(platform, recorded->value);
    recorded->point = (struct point){.timeline = timeline,
                                     .platform = platform,
                                     .value = recorded->value,
                                     .kernel = kernel,
                                     .strategy = strategy,
                                     .exact = true};
    sim_init(&recorded->sim, &recorded->point);
    if (!sim_run(&recorded->sim, err)) {
        recorded_free(recorded);
        return NULL;
    }
    return recorded;
}

void recorded_free(struct recorded *recorded)
{
    if (recorded) {
        sim_free(&recorded->sim);
        free(recorded);
    }
}

#include "run/watch.h"

#include "core/invariant.h"

#include <stdio.h>

_Static_assert(SITES + RESOURCES + 1 <= SPAN_CLASSES, "a class for each site and resource");
_Static_assert(1 + 2 * RESOURCES <= SPAN_CLASSES, "a class for each way to hold a lock");
_Static_assert(SUMS - 1 <= SPAN_TALLIES, "room for each sum");
_Static_assert(SUM_none == 0, "what is counted in nothing");

const char *const mark_name[MARKS] = {
    [MARK_ENTER] = "enters the guest",
    [MARK_REINIT] = "re-init of vCPU",
    [MARK_MMU_ON] = "MMU on",
    [MARK_MMU_OFF] = "MMU off",
};

const char *watch_class_name(uint32_t class)
{
    INVARIANT(class <= CLASS_IDLE, "class %u", class);
    return class < SITES        ? site_title[class]
           : class < CLASS_IDLE ? resource_title[class - SITES]
                                : "idle";
}

const char *watch_hold_name(uint32_t class, char *buf, size_t size)
{
    if (class == 0) {
        snprintf(buf, size, "nothing");
    } else {
        snprintf(buf, size, "%s for %s", resource_name[(class - 1) / 2],
                 (class - 1) % 2 ? "write" : "read");
    }
    return buf;
}

void watch_start(struct sim *sim, size_t limit)
{
    struct watch *watch = engine_watch(&sim->engine);
    uint32_t actors = sim->engine.actor_count;
    spans_init(&watch->did, actors, limit);
    spans_init(&watch->held, actors, limit);
    watch->tally_of = event_sum;
}

const struct watch *watch_seen(const struct sim *sim)
{
    return sim->engine.watch;
}

void watch_mark(const struct actor *actor, enum watch_mark mark, uint64_t n)
{
    if (actor->engine->watch && actor->engine->watch->tally_of) {
        spans_mark(&actor->engine->watch->did, actor->id, mark, n);
    }
}

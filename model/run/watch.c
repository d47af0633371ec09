#include "run/watch.h"

#include "core/alloc.h"
#include "core/invariant.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert(SITES + RESOURCES + 1 <= SPAN_CLASSES, "a class for each site and resource");
_Static_assert(1 + 2 * RESOURCES <= SPAN_CLASSES, "a class for each way to hold a lock");
_Static_assert(TALLIES <= SPAN_TALLIES, "room for each tally");

const char *const tally_name[TALLIES] = {
    [TALLY_faults] = "faults",   [TALLY_leaves] = "leaves",         [TALLY_lines] = "lines",
    [TALLY_tlbi] = "tlbi",       [TALLY_tables] = "tables",         [TALLY_traps] = "traps",
    [TALLY_reinits] = "reinits", [TALLY_filled_kib] = "filled_kib",
};

const char *const mark_name[MARKS] = {
    [MARK_ENTER] = "enters the guest",
    [MARK_REINIT] = "re-init of vCPU",
    [MARK_MMU_ON] = "MMU on",
    [MARK_MMU_OFF] = "MMU off",
};

/* One more than the tally; the kinds that are in none stay 0. */
#define IN(tally) (uint8_t)(TALLY_##tally + 1)
static const uint8_t tally_of[EVENT_KINDS] = {
    [EV_data_tr_w] = IN(faults),      [EV_data_tr_r] = IN(faults),
    [EV_data_tr_x] = IN(faults),      [EV_data_perm_w] = IN(faults),
    [EV_data_perm_x] = IN(faults),    [EV_code_faults] = IN(faults),
    [EV_map_4k] = IN(leaves),         [EV_map_2m] = IN(leaves),
    [EV_map_1g] = IN(leaves),         [EV_unmap_leaves] = IN(leaves),
    [EV_flush_leaves] = IN(leaves),   [EV_relax_calls] = IN(leaves),
    [EV_line_absent] = IN(lines),     [EV_line_clean] = IN(lines),
    [EV_line_dirty] = IN(lines),      [EV_tlbi_calls] = IN(tlbi),
    [EV_tlbi_local] = IN(tlbi),       [EV_tlbi_range] = IN(tlbi),
    [EV_tlbi_vmid] = IN(tlbi),        [EV_s2_tables_alloc] = IN(tables),
    [EV_s2_tables_free] = IN(tables), [EV_toggle_traps] = IN(traps),
    [EV_setway_traps] = IN(traps),    [EV_reinits] = IN(reinits),
    [EV_vmm_bytes] = IN(filled_kib),
};

static const char *const class_names[SITES + RESOURCES + 1] = {
    [SITE_GUEST] = "guest",
    [SITE_FAULT] = "stage-2 fault",
    [SITE_REINIT] = "re-init",
    [SITE_FLUSH] = "eager flush",
    [SITE_TOGGLE] = "flush at MMU on/off",
    [SITE_SETWAY] = "flush for set/way",
    [SITE_NOTIFIER] = "MMU notifier",
    [SITE_SLOT] = "memory slots",
    [SITE_VMM] = "VMM",
    [SITES + RESOURCE_MMU_LOCK] = "waits for mmu_lock",
    [SITES + RESOURCE_CMO_PATH] = "waits for the maintenance path",
    [SITES + RESOURCE_DVM] = "waits for TLB invalidation",
    [SITES + RESOURCE_ZERO_PATH] = "waits for the clearing path",
    [SITES + RESOURCE_HUGETLB] = "waits for the hugetlb mutex",
    [SITES + RESOURCE_LOCK_LINE] = "waits for a lock's cache line",
    [SITES + RESOURCES] = "idle",
};

const char *class_name(uint32_t class)
{
    INVARIANT(class <= CLASS_IDLE, "class %u", class);
    return class_names[class];
}

const char *hold_name(uint32_t class, char *buf, size_t size)
{
    if (class == 0) {
        snprintf(buf, size, "nothing");
    } else {
        snprintf(buf, size, "%s for %s", resource_name[(class - 1) / 2],
                 (class - 1) % 2 ? "write" : "read");
    }
    return buf;
}

void sim_watch(struct sim *sim, size_t limit)
{
    struct watch *watch = engine_watch(&sim->engine);
    uint32_t actors = sim->engine.actor_count;
    spans_init(&watch->did, actors, limit);
    spans_init(&watch->held, actors, limit);
    watch->tally_of = tally_of;
}

const struct watch *sim_seen(const struct sim *sim)
{
    return sim->engine.watch;
}

void watch_mark(const struct actor *actor, enum watch_mark mark, uint64_t n)
{
    if (actor->engine->watch && actor->engine->watch->tally_of) {
        spans_mark(&actor->engine->watch->did, actor->id, mark, n);
    }
}

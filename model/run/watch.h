/*
 * watch - a simulation's actors over time: what each did, what it waited for,
 * which lock it held, for a picture of the run. Costs nothing where no one asks
 * for it.
 */
#ifndef S2FLUSH_RUN_WATCH_H
#define S2FLUSH_RUN_WATCH_H

#include "run/sim.h"

/* Things that happen at once. */
enum watch_mark { MARK_ENTER, MARK_REINIT, MARK_MMU_ON, MARK_MMU_OFF, MARKS };
extern const char *const mark_name[MARKS];

/* Between sim_init and sim_run: the run is watched, in at most `limit` spans.
 * sim_free frees it. */
void watch_start(struct sim *sim, size_t limit);

/* What was seen, complete after sim_run; NULL where it was not watched. */
const struct watch *watch_seen(const struct sim *sim);

/* Notes a mark where the run is watched; n is the vCPU. */
void watch_mark(const struct actor *actor, enum watch_mark mark, uint64_t n);

/* The classes of what actors did: sites, then resources, then idle. */
#define CLASS_WAIT ((uint32_t)SITES)
#define CLASS_IDLE ((uint32_t)(SITES + RESOURCES))

/* What a class of `did` is called: "stage-2 fault", "waits for mmu_lock". */
const char *watch_class_name(uint32_t class);

/* What a class of `held` is called: "mmu_lock for write". */
const char *watch_hold_name(uint32_t class, char *buf, size_t size);

#endif

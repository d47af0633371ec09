/*
 * resource - what actors share: locks, first-in-first-out servers, and paths
 * whose capacity is divided among those that use them.
 *
 * Contention is what these do when several actors meet at them; there is no
 * factor for it anywhere.
 */
#ifndef S2FLUSH_CORE_RESOURCE_H
#define S2FLUSH_CORE_RESOURCE_H

#include "core/actor.h"

/* A lock with readers and writers. Waiters are served in the order in which
 * they came; neighbouring readers in the queue enter together; none barges
 * past a waiter. An actor holds one lock at a time. */
struct lock {
    const char *name;
    uint32_t resource; /* where waiting is booked in the ledger */
    uint32_t handover_kind; /* charged to who gets it after waiting */
    uint32_t readers;
    struct actor *writer;
    struct actor *first, *last; /* waiting */
    ps_t longest_write_ps, longest_read_ps; /* longest holds so far, each of those below */
    /* A step that does many short holds at once is one hold here, and those who wait for it
     * are steps of that kind, too: each of their holds waits for as many. */
    uint64_t holds; /* that the present hold stands for, as struct actor has it */
    ps_t batched_ps; /* for how long such steps have had it so far, up to batched_until */
    ps_t batched_until;
    uint32_t single_waiters; /* whose next hold is one, and no step */
    ps_t single_at; /* when it was last asked for or given back by such a one; 0: never */
    ps_t single_write_at; /* the same of those for write */
    uint64_t contended; /* acquisitions that had to wait */
    bool in_tails; /* its holds for write belong into the engine's tails */
};

/* No hold for write is to be expected any more, but for a fault's: as if there had been none. */
void lock_expect_no_writer(struct lock *lock);

/* Whether somebody waits for it: what a kernel asks before it yields. */
bool lock_contended(const struct lock *lock);

/* A request to a server comes in between those for which one of so many times its own number
 * stands. */
#define PARTS_BETWEEN 8

/* One server: requests are served one after another in order of arrival. A request may stand for
 * several; one of far fewer that meets it comes in between, and waits as much less. */
struct server {
    const char *name;
    uint32_t resource;
    ps_t free_at; /* when it can begin with the next one */
    uint64_t parts; /* for how many requests that stands which was served in its turn last */
};

/* Who works on a path. */
struct flow_member {
    struct actor *actor;
    ps_t start, alone_ps;
};

/* A path with a capacity of 1. Work with weight w uses the share w of it at
 * the speed that its actor reaches alone; when the weights of those under way
 * add up to more than 1, all get equal shares and those that need less get
 * what they need (max-min fairness), re-evaluated as work starts and ends. */
struct flow {
    const char *name;
    uint32_t resource;
    uint32_t id; /* its events on the calendar */
    struct flow_member *members; /* by weight, and as they do: */
    double *left; /* ps of each alone, at the speed `rate` of a core alone */
    double *rate, *weight;
    double *known; /* by number of members: weights, and the rates that follow */
    uint32_t known_max; /* members */
    uint32_t count;
    ps_t updated; /* to when the members' remaining work is worked off */
    ps_t due; /* when the next member finishes */
    ps_t *wakeups; /* its events on the calendar, the earliest last */
    uint32_t wakeup_count, wakeup_capacity;
};

void flow_init(struct flow *flow, struct engine *engine, const char *name, uint32_t resource);
void flow_free(struct flow *flow);

/* --- called by the engine --- */

/* Carry out a request at the engine's time. True where the actor goes on at
 * its own clock, false where it is blocked and will be resumed. */
bool lock_take(struct lock *lock, struct actor *actor, bool write);
void lock_give(struct lock *lock, struct actor *actor);
void server_take(struct server *server, struct actor *actor, ps_t alone_ps, ps_t taken_ps,
                 uint64_t parts);
bool flow_join(struct flow *flow, struct actor *actor, ps_t alone_ps, double weight);

/* A flow's event came up. */
void flow_due(struct flow *flow, struct engine *engine);

#endif

/*
 * ledger - the only way in which cost enters a simulation.
 *
 * An actor charges n events of one kind; the ledger keeps the count by actor,
 * phase, site and kind. A kind has one price, in picoseconds per event, for
 * the whole run, so time is count times price and a played count vector can be
 * priced again for other costs. What is not an event (waiting, idling) is kept
 * beside it by actor, phase and resource.
 *
 * The core knows kinds, sites and resources as small numbers; machine/events.h
 * names them.
 */
#ifndef S2FLUSH_CORE_LEDGER_H
#define S2FLUSH_CORE_LEDGER_H

#include "core/invariant.h"
#include "core/units.h"

#include <stdbool.h>

struct ledger_shape {
    uint32_t actors, phases, sites, kinds, resources;
};

struct ledger {
    struct ledger_shape shape;
    const ps_t *price; /* [kinds], ps per event */
    uint64_t *counts; /* [actors][phases][sites][kinds] */
    bool *used; /* [actors][phases][sites]: elsewhere all counts are 0 */
    ps_t *waits; /* [actors][phases][resources] */
    ps_t *idle; /* [actors][phases] */
};

/* All counts zero. `price` must outlive the ledger. */
void ledger_init(struct ledger *ledger, struct ledger_shape shape, const ps_t *price);
void ledger_free(struct ledger *ledger);

/* The counts of an actor, phase and site: [kinds]. */
static inline uint64_t *ledger_cell(const struct ledger *ledger, uint32_t actor, uint32_t phase,
                                    uint32_t site)
{
    const struct ledger_shape *s = &ledger->shape;
    return ledger->counts + (((uint64_t)actor * s->phases + phase) * s->sites + site) * s->kinds;
}

/* The same counts, to add to. */
static inline uint64_t *ledger_open(struct ledger *ledger, uint32_t actor, uint32_t phase,
                                    uint32_t site)
{
    const struct ledger_shape *s = &ledger->shape;
    INVARIANT(actor < s->actors && phase < s->phases && site < s->sites,
              "charge outside the ledger: actor %u phase %u site %u", actor, phase, site);
    uint64_t cell = ((uint64_t)actor * s->phases + phase) * s->sites + site;
    ledger->used[cell] = true;
    return ledger->counts + cell * s->kinds;
}

/* Adds n events to counts that are open; returns their time, n times the price. All that costs
 * anything comes by here: inline. */
static inline ps_t ledger_add(const struct ledger *ledger, uint64_t *counts, uint32_t kind,
                              uint64_t n)
{
    INVARIANT(kind < ledger->shape.kinds, "charge outside the ledger: kind %u", kind);
    counts[kind] = u64_add(counts[kind], n, "event count");
    return u64_mul(n, ledger->price[kind], "simulated time");
}

static inline ps_t ledger_charge(struct ledger *ledger, uint32_t actor, uint32_t phase,
                                 uint32_t site, uint32_t kind, uint64_t n)
{
    return ledger_add(ledger, ledger_open(ledger, actor, phase, site), kind, n);
}

void ledger_wait(struct ledger *ledger, uint32_t actor, uint32_t phase, uint32_t resource, ps_t ps);
void ledger_idle(struct ledger *ledger, uint32_t actor, uint32_t phase, ps_t ps);

/* For a selection: one index of a dimension, or all of them. */
#define LEDGER_ALL UINT32_MAX
struct ledger_slice {
    uint32_t actor, phase, site, kind;
};

/* The count and the time of all cells in a slice. */
uint64_t ledger_count(const struct ledger *ledger, struct ledger_slice slice);
ps_t ledger_busy(const struct ledger *ledger, struct ledger_slice slice);

/* Waiting time of a resource (or LEDGER_ALL), actor and phase likewise. */
ps_t ledger_waited(const struct ledger *ledger, uint32_t actor, uint32_t phase, uint32_t resource);
ps_t ledger_idled(const struct ledger *ledger, uint32_t actor, uint32_t phase);

/* Adds up counts by (site, kind) over all actors and phases into
 * vector[sites * kinds]: what a serial run needs to be priced again. */
void ledger_vector(const struct ledger *ledger, uint64_t *vector);

#endif

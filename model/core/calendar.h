/*
 * calendar - pending events in time order, exact first-in-first-out ties.
 *
 * Events are 16-byte keys (time, sequence, id). A few are kept as a sorted
 * array; more than that as a 4-ary implicit heap until all are gone. In the
 * heap siblings share a cache line and are compared as 128-bit numbers without
 * branches. A pop leaves a hole at the root that the next push fills, which
 * makes the usual pop-then-push one sift instead of two.
 */
#ifndef S2FLUSH_CORE_CALENDAR_H
#define S2FLUSH_CORE_CALENDAR_H

#include "core/units.h"

#define CALENDAR_ID_BITS 24
#define CALENDAR_ID_MAX ((UINT32_C(1) << CALENDAR_ID_BITS) - 1)

__extension__ typedef unsigned __int128 calendar_key;

struct calendar {
    calendar_key *heap; /* heap[0] is the root; heap[1..4] start a cache line */
    void *storage;
    uint32_t count; /* pending events, the hole not counted */
    uint32_t capacity; /* how many it takes before it grows */
    uint64_t sequence; /* pushes so far */
    bool sorted; /* `heap` is an array in descending order, no heap */
    bool hole; /* of a heap the root was popped and not yet filled */
};

/* An empty calendar with room for `capacity` events; it grows when needed. */
void calendar_init(struct calendar *cal, uint32_t capacity);
void calendar_free(struct calendar *cal);

/* Adds an event. Among events of one time the one pushed first pops first. At
 * most 2^40 pushes and CALENDAR_ID_MAX ids. */
void calendar_push(struct calendar *cal, ps_t time, uint32_t id);

/* Takes the earliest event; false where none is pending. */
bool calendar_pop(struct calendar *cal, ps_t *time, uint32_t *id);

/* The same behind a pop, before the next push. */
ps_t calendar_next_behind_hole(const struct calendar *cal);

/* The earliest time, or UINT64_MAX where none is pending. Asked at each step: inline. */
static inline ps_t calendar_next(const struct calendar *cal)
{
    return cal->count == 0 ? UINT64_MAX
           : cal->hole     ? calendar_next_behind_hole(cal)
                           : (ps_t)(cal->heap[cal->sorted ? cal->count - 1 : 0] >> 64);
}

#endif

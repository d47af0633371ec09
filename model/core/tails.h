/*
 * tails - the distinct holds and stalls of a run, by the events in them.
 *
 * How long the longest hold of a lock took, or the 99th of 100 stalls, is known at other prices
 * only if one knows what happened in each. There are few that differ: a run of 100,000 holds has
 * some two dozen. Each is kept once, as counts by kind, with how often it came up.
 *
 * That holds where no two actors overlap: an actor's time is then the price of its events. A run in
 * which they do has no use for what is kept here.
 */
#ifndef S2FLUSH_CORE_TAILS_H
#define S2FLUSH_CORE_TAILS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tail_what {
    TAIL_HOLD, /* of a lock, for write */
    TAIL_STALL,
    TAIL_FIRST, /* up to something that comes once */
};

/* Where something of an actor begins. */
enum tail_mark {
    TAIL_MARK_HOLD,
    TAIL_MARK_STALL,
    TAIL_MARK_ONCE, /* within a stall: what follows is in one of those that it stands for */
    TAIL_MARK_FIRST,
    TAIL_MARKS
};

/* What came up `times` times alike: `total` events, of which `once` are in one only of the `alike`
 * holds or stalls that they stand for. */
struct tail_kind {
    enum tail_what what;
    uint64_t alike, times;
    uint64_t hash;
    size_t total, once; /* indices of counts: the kinds stand together */
};

struct tails {
    uint32_t kinds;
    uint64_t *so_far; /* [kinds]: events of all actors */
    uint64_t *number; /* [kinds]: such that sums of a few of them do not meet by chance */
    uint64_t hash; /* of what is so far: the sum of each times its kind's number */
    uint64_t *start; /* [actors][TAIL_MARKS][kinds] */
    uint64_t *start_hash; /* [actors][TAIL_MARKS] */
    struct tail_kind *tail;
    size_t count, capacity;
    uint64_t *counts; /* of two for each tail */
    uint32_t *index; /* hash table of tails: one more than each's number; 0: free */
    bool full; /* there were more than are kept */
};

/* All memory that most runs need is taken here. */
void tails_init(struct tails *tails, uint32_t actors, uint32_t kinds);
void tails_free(struct tails *tails);

/* Forgets all holds and stalls; what is under way goes on. */
void tails_clear(struct tails *tails);

/* n events of a kind. */
static inline void tails_add(struct tails *tails, uint32_t kind, uint64_t n)
{
    tails->so_far[kind] += n;
    tails->hash += tails->number[kind] * n;
}

/* Something of an actor begins. */
void tails_begin(struct tails *tails, uint32_t actor, enum tail_mark mark);

/* What began at its mark ends: `alike` holds or stalls (0: one). `once`: what happened since
 * TAIL_MARK_ONCE is in one of them. */
void tails_end(struct tails *tails, uint32_t actor, enum tail_what what, uint64_t alike, bool once);

#endif

#include "core/tails.h"

#include "core/alloc.h"
#include "core/rng.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN ((size_t)64)
#define CAPACITY_MAX ((size_t)16384)

static const char what_for[] = "holds and stalls of a run";

static void allocate(struct tails *tails, size_t capacity)
{
    tails->capacity = capacity;
    tails->tail = alloc_raw(capacity, sizeof *tails->tail, what_for);
    tails->counts = alloc_raw(2 * capacity * tails->kinds, sizeof *tails->counts, what_for);
    tails->index = alloc_zeroed(2 * capacity, sizeof *tails->index, what_for);
}

void tails_init(struct tails *tails, uint32_t actors, uint32_t kinds)
{
    size_t marks = (size_t)actors * TAIL_MARKS;
    *tails = (struct tails){.kinds = kinds};
    tails->so_far = alloc_zeroed(kinds, sizeof *tails->so_far, what_for);
    tails->number = alloc_raw(kinds, sizeof *tails->number, what_for);
    for (uint32_t kind = 0; kind < kinds; kind++) {
        tails->number[kind] = rng_mix64(kind) | 1;
    }
    tails->start = alloc_raw(marks * kinds, sizeof *tails->start, what_for);
    tails->start_hash = alloc_raw(marks, sizeof *tails->start_hash, what_for);
    allocate(tails, CAPACITY_MIN);
}

static void free_kept(struct tails *tails)
{
    free(tails->tail);
    free(tails->counts);
    free(tails->index);
}

void tails_free(struct tails *tails)
{
    free_kept(tails);
    free(tails->so_far);
    free(tails->number);
    free(tails->start);
    free(tails->start_hash);
    *tails = (struct tails){0};
}

void tails_clear(struct tails *tails)
{
    tails->count = 0;
    tails->full = false;
    memset(tails->index, 0, 2 * tails->capacity * sizeof *tails->index);
}

void tails_begin(struct tails *tails, uint32_t actor, enum tail_mark mark)
{
    size_t at = (size_t)actor * TAIL_MARKS + mark;
    memcpy(tails->start + at * tails->kinds, tails->so_far, tails->kinds * sizeof *tails->start);
    tails->start_hash[at] = tails->hash;
}

/* Where a tail stands in the table, or would stand. */
static uint32_t *place_of(const struct tails *tails, const struct tail_kind *tail)
{
    const size_t mask = 2 * tails->capacity - 1; /* of a power of two */
    for (size_t at = (tail->hash >> 32) & mask;; at = (at + 1) & mask) {
        uint32_t *place = &tails->index[at];
        const struct tail_kind *own = *place ? &tails->tail[*place - 1] : tail;
        if (own->hash == tail->hash && own->what == tail->what && own->alike == tail->alike) {
            return place;
        }
    }
}

static void grow(struct tails *tails)
{
    struct tails old = *tails;
    allocate(tails, 2 * old.capacity);
    memcpy(tails->tail, old.tail, old.count * sizeof *old.tail);
    memcpy(tails->counts, old.counts, 2 * old.count * old.kinds * sizeof *old.counts);
    for (size_t i = 0; i < tails->count; i++) {
        *place_of(tails, &tails->tail[i]) = (uint32_t)i + 1;
    }
    free_kept(&old);
}

/* What happened since a mark. */
static void count_since(const struct tails *tails, uint32_t actor, enum tail_mark mark,
                        uint64_t *counts)
{
    const uint64_t *start = tails->start + ((size_t)actor * TAIL_MARKS + mark) * tails->kinds;
    for (uint32_t kind = 0; kind < tails->kinds; kind++) {
        counts[kind] = tails->so_far[kind] - start[kind];
    }
}

static void keep(struct tails *tails, uint32_t actor, enum tail_mark mark, bool once,
                 struct tail_kind tail)
{
    size_t number = tails->count++;
    tail.times = 1;
    tail.total = 2 * number * tails->kinds;
    tail.once = tail.total + tails->kinds;
    count_since(tails, actor, mark, tails->counts + tail.total);
    if (once) {
        count_since(tails, actor, TAIL_MARK_ONCE, tails->counts + tail.once);
    } else {
        memset(tails->counts + tail.once, 0, tails->kinds * sizeof *tails->counts);
    }
    tails->tail[number] = tail;
}

void tails_end(struct tails *tails, uint32_t actor, enum tail_what what, uint64_t alike, bool once)
{
    const uint64_t *start = tails->start_hash + (size_t)actor * TAIL_MARKS;
    static const enum tail_mark marks[] = {[TAIL_HOLD] = TAIL_MARK_HOLD,
                                           [TAIL_STALL] = TAIL_MARK_STALL,
                                           [TAIL_FIRST] = TAIL_MARK_FIRST};
    enum tail_mark mark = marks[what];
    struct tail_kind tail = {.what = what, .alike = alike > 1 ? alike : 1};
    tail.hash = (tails->hash - start[mark]) +
                (once ? (tails->hash - start[TAIL_MARK_ONCE]) * UINT64_C(0x9fb21c651e98df25) : 0);
    uint32_t *place = place_of(tails, &tail);
    if (*place) {
        tails->tail[*place - 1].times++;
        return;
    }
    if (tails->count == tails->capacity) {
        tails->full = tails->capacity == CAPACITY_MAX;
        if (tails->full) {
            return;
        }
        grow(tails);
        place = place_of(tails, &tail);
    }
    keep(tails, actor, mark, once, tail);
    *place = (uint32_t)tails->count;
}

/*
 * interval_map - an ordered map from half-open ranges of a 64-bit line to values.
 *
 * Neighbouring ranges of equal value are one interval, so that a terabyte in one
 * state costs what a page costs. The value 0 means "nothing here": such ranges
 * are not stored. Any number of maps take their intervals from one pool.
 */
#ifndef S2FLUSH_CORE_INTERVAL_MAP_H
#define S2FLUSH_CORE_INTERVAL_MAP_H

#include "core/pool.h"

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interval {
    RB_ENTRY(interval) link;
    struct interval *before, *after; /* in order; NULL: there is none */
    const struct interval_map *map; /* that it is in; NULL: in none */
    uint64_t start, end; /* [start, end), never empty */
    uint64_t value; /* never 0 */
};

RB_HEAD(interval_tree, interval);

/* Touches are local, each vCPU's for itself. */
#define INTERVAL_RECENT_BITS 8
#define INTERVAL_RECENT_SHIFT 23

struct interval_map {
    struct interval_tree tree;
    struct interval *last; /* NULL: it is empty */
    struct pool *pool;
    uint64_t covered; /* sum of end - start */
    /* Where the last look-up ended of so many 8 MiB, by a hash of their address; it may have
     * left the map since. NULL: there was none. */
    struct interval *recent[1 << INTERVAL_RECENT_BITS];
};

/* A pool with room for that many intervals before it grows. */
void interval_map_pool_init(struct pool *pool, size_t count);

void interval_map_init(struct interval_map *map, struct pool *pool);

/* The interval that holds `at`, or the first one after it, or NULL. */
struct interval *interval_map_find(struct interval_map *map, uint64_t at);

/* The value at a place (0: nothing), and how far it holds at least:
 * *end is past `at`, and the end of the interval or the start of the next. */
uint64_t interval_map_value(struct interval_map *map, uint64_t at, uint64_t *end);

/* Gives [start, end) that value, whatever was there; 0 clears it. */
void interval_map_set(struct interval_map *map, uint64_t start, uint64_t end, uint64_t value);

/* Whether any part of [start, end) is in a interval. */
bool interval_map_any(struct interval_map *map, uint64_t start, uint64_t end);

/* Replaces each value in [start, end), gaps (value 0) included, by what `change`
 * returns for it. */
typedef uint64_t (*interval_map_change)(uint64_t value, uint64_t start, uint64_t end,
                                        void *context);
void interval_map_update(struct interval_map *map, uint64_t start, uint64_t end,
                         interval_map_change change, void *context);

#endif

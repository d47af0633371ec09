/*
 * runs - an ordered map from half-open ranges of a 64-bit line to values.
 *
 * Neighbouring ranges of equal value are one run, so that a terabyte in one
 * state costs what a page costs. The value 0 means "nothing here": such ranges
 * are not stored. Any number of maps take their runs from one pool.
 */
#ifndef S2FLUSH_CORE_RUNS_H
#define S2FLUSH_CORE_RUNS_H

#include "core/pool.h"

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run {
    RB_ENTRY(run) link;
    uint64_t start, end; /* [start, end), never empty */
    uint64_t value; /* never 0 */
};

RB_HEAD(run_tree, run);

struct runs {
    struct run_tree tree;
    struct pool *pool;
    struct run *recent; /* where the last look-up ended: touches are local */
    uint64_t covered; /* sum of end - start */
};

/* A pool with room for that many runs before it grows. */
void runs_pool_init(struct pool *pool, size_t count);

void runs_init(struct runs *map, struct pool *pool);

/* The run that holds `at`, or the first one after it, or NULL. */
struct run *runs_find(struct runs *map, uint64_t at);

struct run *runs_after(struct runs *map, struct run *run);
struct run *runs_before(struct runs *map, struct run *run);

/* The value at a place (0: nothing), and how far it holds at least:
 * *end is past `at`, and the end of the run or the start of the next. */
uint64_t runs_value(struct runs *map, uint64_t at, uint64_t *end);

/* Gives [start, end) that value, whatever was there; 0 clears it. */
void runs_set(struct runs *map, uint64_t start, uint64_t end, uint64_t value);

/* Whether any part of [start, end) is in a run. */
bool runs_any(struct runs *map, uint64_t start, uint64_t end);

/* Replaces each value in [start, end), gaps (value 0) included, by what `change`
 * returns for it. */
typedef uint64_t (*runs_change)(uint64_t value, uint64_t start, uint64_t end, void *context);
void runs_update(struct runs *map, uint64_t start, uint64_t end, runs_change change, void *context);

#endif

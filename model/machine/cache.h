/*
 * cache - which lines of guest memory are in the caches, and which of them are
 * dirty. It only prices: whether a reader can be wrong is for oracle.h.
 *
 * One cache stands for all levels above memory. Addresses are pages of 4 KiB
 * on one line of numbers (each VM has its own stretch). A touch uses the first
 * `density` lines of each page. Two fidelities with one interface:
 *
 *   exact  a set-associative cache with LRU in each set, line by line
 *   fast   runs of pages in LRU order: the fully associative limit, whose cost
 *          does not grow with the length of a run
 */
#ifndef S2FLUSH_MACHINE_CACHE_H
#define S2FLUSH_MACHINE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_PAGE_BYTES UINT64_C(4096)

/* Lines by state, as a clean+invalidate finds them. */
struct line_counts {
    uint64_t absent, clean, dirty;
};

/* What a touch met. */
struct touch_counts {
    uint64_t hits, misses;
    uint64_t evicted_dirty; /* lines written back to make room */
    uint64_t remote; /* misses of another socket's memory (sockets.h) */
};

struct cache;

/* A cache of that many bytes with lines of `line_bytes` (a power of two, 16 to
 * 4096), all empty. Exact: `ways` ways. Fast: room for `runs`
 * runs of pages, allocated here; where there are more, a later call allocates again. 0 bytes:
 * nothing is ever found in it. */
struct cache *cache_new(bool exact, uint64_t bytes, uint64_t ways, uint64_t line_bytes,
                        size_t runs);
void cache_free(struct cache *cache);

/* How many bytes of memory such a cache takes. */
uint64_t cache_memory(bool exact, uint64_t bytes, uint64_t line_bytes, size_t runs);

/* Reads or writes the first `density` lines of each of `pages` pages, in
 * ascending order. `density` is 0 to lines per page. */
struct touch_counts cache_touch(struct cache *cache, uint64_t first_page, uint64_t pages,
                                uint32_t density, bool write);

/* The same, with every line of each page cleaned and invalidated just before
 * that page is touched; `found` gets what the cleaning found. */
struct touch_counts cache_clean_then_access(struct cache *cache, uint64_t first_page,
                                            uint64_t pages, uint32_t density, bool write,
                                            struct line_counts *found);

/* Cleans and invalidates every line of the pages; returns what was found
 * (absent + clean + dirty = pages x lines per page). */
struct line_counts cache_flush(struct cache *cache, uint64_t first_page, uint64_t pages);

/* The first of [page, end) with a line in the cache; `end` where there is none. */
uint64_t cache_next(struct cache *cache, uint64_t page, uint64_t end);

#endif

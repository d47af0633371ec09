/*
 * cache_extents - the fast cache of cache.h: runs of pages in LRU order.
 *
 * All pages of a run have the same number of clean and of dirty lines. A
 * page's resident lines are its first ones, and the dirty lines are the first
 * of those. The unit of replacement is the page: it behaves, to the line, like
 * a fully associative cache that gives up its least recently touched page, all
 * of its lines, until what is resident fits. A page that is touched is renewed
 * with all lines it has. But the cost goes by runs met, not by pages.
 *
 * A run's pages were touched in ascending order; neighbours in LRU order that
 * continue each other with the same counts are one run.
 *
 * How many runs: every operation makes at most 2 new borders on the line of
 * pages, its own ends, and a touch one more, where the oldest run was trimmed.
 * So n operations where all touches have one density leave at most
 *
 *     3 n + 2
 *
 * runs. Touches of several densities may leave more (a cache that overflows
 * just then can split a run where the evictions of the touch overtake it), but
 * never more than one for each line of capacity.
 */
#ifndef S2FLUSH_MACHINE_CACHE_EXTENTS_H
#define S2FLUSH_MACHINE_CACHE_EXTENTS_H

#include "core/pool.h"
#include "machine/cache.h"

#include <bsd/sys/tree.h>
#include <sys/queue.h>

struct extent {
    RB_ENTRY(extent) link;
    TAILQ_ENTRY(extent) age;
    struct extent *before, *after; /* by address; NULL: there is none */
    uint64_t start, end; /* pages [start, end), never empty; 0, 0: it is not in the cache */
    uint32_t clean, dirty; /* lines of each page, never both 0 */
};

RB_HEAD(extent_tree, extent);
TAILQ_HEAD(extent_order, extent);

/* Touches are local, each vCPU's for itself. */
#define EXTENTS_RECENT_BITS 8
#define EXTENTS_RECENT_SHIFT 11

struct cache_extents {
    struct extent_tree tree; /* by address */
    struct extent_order order; /* the oldest first */
    struct extent *last; /* by address; NULL: there is none */
    struct pool pool;
    uint64_t capacity; /* in lines */
    uint64_t lines, dirty; /* resident, and how many of them are dirty */
    uint64_t written; /* dirty lines that the touch under way evicted */
    uint32_t page_lines;
    /* Where the last look-up ended of so many 8 MiB, by a hash of their address; it may have
     * left the cache since. NULL: there was none. */
    struct extent *recent[1 << EXTENTS_RECENT_BITS];
};

/* Room for `capacity` lines, and for `runs` runs before their pool grows. */
void cache_extents_init(struct cache_extents *cache, uint64_t capacity, uint32_t page_lines,
                        size_t runs);
void cache_extents_free(struct cache_extents *cache);

/* As in cache.h. Flush leaves `absent` 0. */
struct touch_counts cache_extents_touch(struct cache_extents *cache, uint64_t first_page,
                                        uint64_t pages, uint32_t density, bool write);
struct touch_counts cache_extents_clean_then_access(struct cache_extents *cache,
                                                    uint64_t first_page, uint64_t pages,
                                                    uint32_t density, bool write,
                                                    struct line_counts *found);
struct line_counts cache_extents_flush(struct cache_extents *cache, uint64_t first_page,
                                       uint64_t pages);
uint64_t cache_extents_next(struct cache_extents *cache, uint64_t page, uint64_t end);

#endif

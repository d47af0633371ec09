/*
 * cache_seen - what is in a cache, seen without a change to it. The program has no need to know.
 */
#ifndef S2FLUSH_TESTS_CACHE_SEEN_H
#define S2FLUSH_TESTS_CACHE_SEEN_H

#include "core/units.h"
#include "machine/cache_internal.h"

/* `absent` stays 0. */
static inline struct line_counts cache_extents_look(const struct cache_extents *cache,
                                                    uint64_t first_page, uint64_t pages)
{
    struct line_counts found = {0};
    struct extent *run;
    TAILQ_FOREACH(run, &cache->order, age)
    {
        uint64_t start = u64_max(run->start, first_page);
        uint64_t end = u64_min(run->end, first_page + pages);
        found.clean += start < end ? (end - start) * run->clean : 0;
        found.dirty += start < end ? (end - start) * run->dirty : 0;
    }
    return found;
}

/* Counts as cache_flush would. */
static inline struct line_counts cache_look(const struct cache *cache, uint64_t first_page,
                                            uint64_t pages)
{
    struct line_counts found = cache->exact
                                   ? cache_sets_look(&cache->sets, first_page, pages)
                                   : cache_extents_look(&cache->extents, first_page, pages);
    found.absent = pages * cache->page_lines - found.clean - found.dirty;
    return found;
}

/* Lines now in the cache, and how many of them are dirty. */
static inline void cache_resident(const struct cache *cache, uint64_t *lines, uint64_t *dirty)
{
    *lines = cache->exact ? cache->sets.lines : cache->extents.lines;
    *dirty = cache->exact ? cache->sets.dirty : cache->extents.dirty;
}

#endif

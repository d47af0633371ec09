/*
 * cache_sets - the exact cache of cache.h: set-associative, LRU in each set,
 * line by line.
 *
 * Line n has the tag t = n / S and belongs to set (n + turned(t)) mod S; S is any
 * number. The turn spreads lines at a distance of whole pages, and the first few
 * lines of each page, over all sets, as the hash of a real last-level cache does:
 * each of `ways` tags in a row turns by another part of the whole. It is nearly
 * the same for tags that far apart, which leaves sweeps in balance: where one as
 * long as the cache ends, it meets the sets that it did not begin with.
 * Consecutive lines therefore meet consecutive sets under one tag, and a page
 * costs one division. Each way has one byte, its mark, that holds seven bits
 * of its tag and whether it is dirty; sixteen marks are compared at a time, and
 * a full tag is read only where a mark agrees. The ways of a set form a ring
 * from the newest to the oldest, so that both a hit and a replacement cost the
 * same for any number of ways. Empty ways are the oldest.
 *
 * A line takes about 13 bytes: a cache of 128 MiB with lines of 64, some 26 MiB.
 */
#ifndef S2FLUSH_MACHINE_CACHE_SETS_H
#define S2FLUSH_MACHINE_CACHE_SETS_H

#include "machine/cache.h"

/* The neighbours of a way in the ring. The oldest is what is newer than the
 * newest. */
struct way_link {
    uint16_t newer, older;
};

struct cache_sets {
    uint64_t sets;
    uint32_t ways;
    uint32_t words; /* of 16 marks, for each set */
    uint32_t page_lines;
    uint64_t turn; /* by so many sets further with each of `ways` tags */
    uint8_t *marks; /* 0: empty; else seven bits of the tag, and 0x80 if dirty */
    uint64_t *tags; /* of ways that are not empty */
    struct way_link *links; /* of sets that were touched */
    uint16_t *newest; /* the newest way of each set */
    uint64_t lines, dirty; /* resident, and how many of them are dirty */
};

/* By how many sets a tag turns. */
uint64_t cache_sets_turned(const struct cache_sets *cache, uint64_t tag);

/* Room for `lines` lines in sets of `ways` (1 to 65535), less what does not
 * fill a set. Fewer lines than ways make one set that has them all. */
void cache_sets_init(struct cache_sets *cache, uint64_t lines, uint64_t ways, uint32_t page_lines);
void cache_sets_free(struct cache_sets *cache);

/* As in cache.h. Without room for a line, each line written goes straight to
 * memory and counts in evicted_dirty. Flush and look leave `absent` 0. */
struct touch_counts cache_sets_touch(struct cache_sets *cache, uint64_t first_page, uint64_t pages,
                                     uint32_t density, bool write);
struct line_counts cache_sets_flush(struct cache_sets *cache, uint64_t first_page, uint64_t pages);
uint64_t cache_sets_next(const struct cache_sets *cache, uint64_t page, uint64_t end);
struct line_counts cache_sets_look(const struct cache_sets *cache, uint64_t first_page,
                                   uint64_t pages);

#endif

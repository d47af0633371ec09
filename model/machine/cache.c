#include "machine/cache.h"

#include "core/alloc.h"
#include "core/invariant.h"
#include "machine/cache_internal.h"

#include <stdlib.h>

/* Beyond these the byte address of a page would leave 64 bits. */
#define PAGES_MAX (UINT64_MAX / CACHE_PAGE_BYTES)

struct cache *cache_new(bool exact, uint64_t bytes, uint64_t ways, uint64_t line_bytes, size_t runs)
{
    INVARIANT(line_bytes >= 16 && line_bytes <= CACHE_PAGE_BYTES &&
                  (line_bytes & (line_bytes - 1)) == 0,
              "a cache line of %llu bytes", (unsigned long long)line_bytes);
    struct cache *cache = alloc_checked(calloc(1, sizeof *cache), "a cache");
    cache->exact = exact;
    cache->page_lines = (uint32_t)(CACHE_PAGE_BYTES / line_bytes);
    if (exact) {
        cache_sets_init(&cache->sets, bytes / line_bytes, ways, cache->page_lines);
    } else {
        cache_extents_init(&cache->extents, bytes / line_bytes, cache->page_lines, runs);
    }
    return cache;
}

uint64_t cache_memory(bool exact, uint64_t bytes, uint64_t line_bytes, size_t runs)
{
    uint64_t way = 1 + sizeof(uint64_t) + sizeof(struct way_link); /* its mark, tag and link */
    return exact ? bytes / line_bytes * way : runs * sizeof(struct extent);
}

void cache_free(struct cache *cache)
{
    if (!cache) {
        return;
    }
    if (cache->exact) {
        cache_sets_free(&cache->sets);
    } else {
        cache_extents_free(&cache->extents);
    }
    free(cache);
}

/* With this kept, no sum or product of pages and lines below can overflow. */
static void check_range(uint64_t first_page, uint64_t pages)
{
    INVARIANT(pages <= PAGES_MAX && first_page <= PAGES_MAX - pages,
              "pages %llu and the %llu after it are past the end of memory",
              (unsigned long long)first_page, (unsigned long long)pages);
}

static void check_density(const struct cache *cache, uint32_t density)
{
    INVARIANT(density <= cache->page_lines, "%u lines of a page that has %u", density,
              cache->page_lines);
}

struct touch_counts cache_touch(struct cache *cache, uint64_t first_page, uint64_t pages,
                                uint32_t density, bool write)
{
    check_range(first_page, pages);
    check_density(cache, density);
    return cache->exact ? cache_sets_touch(&cache->sets, first_page, pages, density, write)
                        : cache_extents_touch(&cache->extents, first_page, pages, density, write);
}

/* What was neither clean nor dirty is absent. */
static struct line_counts with_absent(const struct cache *cache, uint64_t pages,
                                      struct line_counts found)
{
    found.absent = pages * cache->page_lines - found.clean - found.dirty;
    return found;
}

struct line_counts cache_flush(struct cache *cache, uint64_t first_page, uint64_t pages)
{
    check_range(first_page, pages);
    return with_absent(cache, pages,
                       cache->exact ? cache_sets_flush(&cache->sets, first_page, pages)
                                    : cache_extents_flush(&cache->extents, first_page, pages));
}

static struct touch_counts sets_clean_then_access(struct cache_sets *cache, uint64_t first_page,
                                                  uint64_t pages, uint32_t density, bool write,
                                                  struct line_counts *found)
{
    struct touch_counts sum = {0};
    for (uint64_t page = first_page; page < first_page + pages; page++) {
        struct line_counts flushed = cache_sets_flush(cache, page, 1);
        struct touch_counts touched = cache_sets_touch(cache, page, 1, density, write);
        found->clean += flushed.clean;
        found->dirty += flushed.dirty;
        sum.hits += touched.hits;
        sum.misses += touched.misses;
        sum.evicted_dirty += touched.evicted_dirty;
    }
    return sum;
}

struct touch_counts cache_clean_then_access(struct cache *cache, uint64_t first_page,
                                            uint64_t pages, uint32_t density, bool write,
                                            struct line_counts *found)
{
    struct line_counts met = {0};
    check_range(first_page, pages);
    check_density(cache, density);
    struct touch_counts touched =
        cache->exact ? sets_clean_then_access(&cache->sets, first_page, pages, density, write, &met)
                     : cache_extents_clean_then_access(&cache->extents, first_page, pages, density,
                                                       write, &met);
    *found = with_absent(cache, pages, met);
    return touched;
}

uint64_t cache_next(struct cache *cache, uint64_t page, uint64_t end)
{
    check_range(page, end - page);
    return cache->exact ? cache_sets_next(&cache->sets, page, end)
                        : cache_extents_next(&cache->extents, page, end);
}

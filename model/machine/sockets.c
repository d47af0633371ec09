#include "machine/sockets.h"

#include "core/invariant.h"

void sockets_init(struct sockets *sockets, uint32_t count, struct cache *const cache[],
                  struct pool *pool)
{
    INVARIANT(count >= 1 && count <= SOCKETS_MAX, "%u sockets", count);
    *sockets = (struct sockets){.count = count};
    for (uint32_t i = 0; i < count; i++) {
        sockets->cache[i] = cache[i];
    }
    interval_map_init(&sockets->home, pool);
}

static uint64_t first_page(struct socket_range range)
{
    return range.start / CACHE_PAGE_BYTES;
}

static uint64_t pages_of(struct socket_range range)
{
    return (range.end - range.start + CACHE_PAGE_BYTES - 1) / CACHE_PAGE_BYTES;
}

/* What the caches of all other sockets hold of it is dropped. */
static struct line_counts drop_elsewhere(struct sockets *sockets, uint32_t socket,
                                         struct socket_range range)
{
    struct line_counts found = {0};
    for (uint32_t i = 0; i < sockets->count; i++) {
        if (i != socket && range.start < range.end) {
            struct line_counts more =
                cache_flush(sockets->cache[i], first_page(range), pages_of(range));
            found.clean += more.clean;
            found.dirty += more.dirty;
        }
    }
    return found;
}

struct touch_counts sockets_touch(struct sockets *sockets, uint32_t socket,
                                  struct socket_range range, uint32_t density, bool write)
{
    struct cache *cache = sockets->cache[socket];
    uint64_t pages = pages_of(range);
    if (sockets->count == 1) {
        return cache_touch(cache, first_page(range), pages, density, write);
    }
    uint64_t dirty = write ? drop_elsewhere(sockets, socket, range).dirty : 0;
    struct touch_counts met = cache_touch(cache, first_page(range), pages, density, write);
    /* Lines beside those written that were dirty elsewhere are now dirty here. */
    if (dirty > pages * density) {
        struct touch_counts moved =
            cache_touch(cache, first_page(range), pages, (uint32_t)(dirty / pages), true);
        met.evicted_dirty += moved.evicted_dirty;
    }
    return met;
}

/* Lines of one socket, and what the others had of the same pages. A dirty line is in one cache
 * alone, a clean one may be in several, or beside the dirty one that it was read from. */
static struct line_counts together(struct line_counts own, struct line_counts elsewhere)
{
    uint64_t lines = own.absent + own.clean + own.dirty;
    uint64_t dirty = own.dirty + elsewhere.dirty;
    dirty = dirty < lines ? dirty : lines;
    uint64_t clean = own.clean + elsewhere.clean;
    clean = clean < lines - dirty ? clean : lines - dirty;
    return (struct line_counts){.absent = lines - dirty - clean, .clean = clean, .dirty = dirty};
}

struct touch_counts sockets_clean_then_access(struct sockets *sockets, uint32_t socket,
                                              struct socket_range range, uint32_t density,
                                              bool write, struct line_counts *found)
{
    if (sockets->count == 1) {
        return cache_clean_then_access(sockets->cache[0], first_page(range), pages_of(range),
                                       density, write, found);
    }
    struct line_counts elsewhere = drop_elsewhere(sockets, socket, range);
    struct touch_counts met = cache_clean_then_access(sockets->cache[socket], first_page(range),
                                                      pages_of(range), density, write, found);
    *found = together(*found, elsewhere);
    return met;
}

struct line_counts sockets_flush(struct sockets *sockets, struct socket_range range)
{
    if (sockets->count == 1) {
        return cache_flush(sockets->cache[0], first_page(range), pages_of(range));
    }
    struct line_counts elsewhere = drop_elsewhere(sockets, 0, range);
    return together(cache_flush(sockets->cache[0], first_page(range), pages_of(range)), elsewhere);
}

uint64_t sockets_next(const struct sockets *sockets, uint64_t at, uint64_t end)
{
    uint64_t next = end / CACHE_PAGE_BYTES;
    for (uint32_t i = 0; i < sockets->count; i++) {
        next = cache_next(sockets->cache[i], at / CACHE_PAGE_BYTES, next);
    }
    return next * CACHE_PAGE_BYTES;
}

void sockets_allocate(struct sockets *sockets, uint32_t socket, struct socket_range range)
{
    if (sockets->count > 1 && range.start < range.end) {
        interval_map_set(&sockets->home, range.start, range.end, socket + 1);
    }
}

struct homes {
    uint32_t socket;
    uint64_t remote;
};

static uint64_t settle(uint64_t value, uint64_t start, uint64_t end, void *context)
{
    struct homes *homes = context;
    homes->remote += value > 0 && value != homes->socket + 1 ? end - start : 0;
    return value > 0 ? value : homes->socket + 1;
}

uint64_t sockets_remote(struct sockets *sockets, uint32_t socket, struct socket_range range)
{
    struct homes homes = {.socket = socket};
    if (sockets->count > 1 && range.start < range.end) {
        interval_map_update(&sockets->home, range.start, range.end, settle, &homes);
    }
    return homes.remote;
}

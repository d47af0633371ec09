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

/* --- lines --- */

/* The first two page addresses of [at, end), the same one where it is so, at which caches have a
 * line; `end` for each that there is none of. Before the second one at most one cache has any. */
static void next_two(const struct sockets *sockets, uint64_t at, uint64_t end, uint64_t next[2])
{
    next[0] = next[1] = end;
    for (uint32_t i = 0; i < sockets->count; i++) {
        uint64_t page =
            cache_next(sockets->cache[i], at / CACHE_PAGE_BYTES, end / CACHE_PAGE_BYTES);
        uint64_t found = page * CACHE_PAGE_BYTES;
        if (found < next[0]) {
            next[1] = next[0];
            next[0] = found;
        } else if (found < next[1]) {
            next[1] = found;
        }
    }
}

uint64_t sockets_next(const struct sockets *sockets, uint64_t at, uint64_t end)
{
    uint64_t next[2];
    next_two(sockets, at, end, next);
    return next[0];
}

/* The end of a part, from `at` on, in which no page has lines in two caches, or that is one page.
 */
static uint64_t part_end(const struct sockets *sockets, uint64_t at, uint64_t end)
{
    uint64_t next[2];
    if (at % CACHE_PAGE_BYTES == 0 && end - at == CACHE_PAGE_BYTES) {
        return end;
    }
    next_two(sockets, at, end, next);
    return next[1] > at ? next[1] : at + CACHE_PAGE_BYTES < end ? at + CACHE_PAGE_BYTES : end;
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

/* Lines of one socket, and what the others had of the same pages. A dirty line is in one cache
 * alone, a clean one may be in several, or beside the dirty one that it was read from. */
static void add_together(struct line_counts *sum, struct line_counts own,
                         struct line_counts elsewhere)
{
    uint64_t lines = own.absent + own.clean + own.dirty;
    uint64_t dirty = own.dirty + elsewhere.dirty;
    dirty = dirty < lines ? dirty : lines;
    uint64_t clean = own.clean + elsewhere.clean;
    clean = clean < lines - dirty ? clean : lines - dirty;
    sum->absent += lines - dirty - clean;
    sum->clean += clean;
    sum->dirty += dirty;
}

struct line_counts sockets_flush(struct sockets *sockets, struct socket_range range)
{
    struct line_counts found = {0};
    if (sockets->count == 1) {
        return cache_flush(sockets->cache[0], first_page(range), pages_of(range));
    }
    while (range.start < range.end) {
        struct socket_range part = {range.start, part_end(sockets, range.start, range.end)};
        struct line_counts elsewhere = drop_elsewhere(sockets, 0, part);
        add_together(&found, cache_flush(sockets->cache[0], first_page(part), pages_of(part)),
                     elsewhere);
        range.start = part.end;
    }
    return found;
}

/* --- accesses --- */

/* The range's first part with one socket's memory, which what was no socket's yet becomes.
 * *home is that socket. */
static struct socket_range settle(struct sockets *sockets, uint32_t socket,
                                  struct socket_range range, uint32_t *home)
{
    uint64_t end, value = interval_map_value(&sockets->home, range.start, &end);
    end = end < range.end ? end : range.end;
    if (value == 0) {
        value = socket + UINT64_C(1);
        interval_map_set(&sockets->home, range.start, end, value);
    }
    *home = (uint32_t)value - 1;
    return (struct socket_range){range.start, end};
}

static void add_met(struct touch_counts *sum, struct touch_counts met, bool remote)
{
    sum->hits += met.hits;
    sum->misses += met.misses;
    sum->evicted_dirty += met.evicted_dirty;
    sum->remote += remote ? met.misses : 0;
}

struct touch_counts sockets_touch(struct sockets *sockets, uint32_t socket,
                                  struct socket_range range, uint32_t density, bool write)
{
    struct touch_counts met = {0};
    uint32_t home;
    if (sockets->count == 1) {
        return cache_touch(sockets->cache[0], first_page(range), pages_of(range), density, write);
    }
    while (range.start < range.end) {
        struct socket_range part = settle(sockets, socket, range, &home);
        if (write) {
            drop_elsewhere(sockets, socket, part);
        }
        add_met(
            &met,
            cache_touch(sockets->cache[socket], first_page(part), pages_of(part), density, write),
            home != socket);
        range.start = part.end;
    }
    return met;
}

struct touch_counts sockets_clean_then_access(struct sockets *sockets, uint32_t socket,
                                              struct socket_range range, uint32_t density,
                                              bool write, struct line_counts *found)
{
    struct touch_counts met = {0};
    uint32_t home;
    if (sockets->count == 1) {
        return cache_clean_then_access(sockets->cache[0], first_page(range), pages_of(range),
                                       density, write, found);
    }
    *found = (struct line_counts){0};
    while (range.start < range.end) {
        struct socket_range part = settle(sockets, socket, range, &home);
        part.end = part_end(sockets, part.start, part.end);
        struct line_counts own, elsewhere = drop_elsewhere(sockets, socket, part);
        add_met(&met,
                cache_clean_then_access(sockets->cache[socket], first_page(part), pages_of(part),
                                        density, write, &own),
                home != socket);
        add_together(found, own, elsewhere);
        range.start = part.end;
    }
    return met;
}

bool sockets_far(struct sockets *sockets, uint32_t socket, uint64_t at)
{
    uint64_t end;
    uint64_t value = sockets->count > 1 ? interval_map_value(&sockets->home, at, &end) : 0;
    return value > 0 && value != socket + UINT64_C(1);
}

void sockets_allocate(struct sockets *sockets, uint32_t socket, struct socket_range range)
{
    if (sockets->count > 1 && range.start < range.end) {
        interval_map_set(&sockets->home, range.start, range.end, socket + 1);
    }
}

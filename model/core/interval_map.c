#include "core/interval_map.h"

#include "core/beside.h"
#include "core/invariant.h"

#include <string.h>

static int compare(const struct interval *a, const struct interval *b)
{
    return a->start < b->start ? -1 : a->start > b->start;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
RB_GENERATE_INTERNAL(interval_tree, interval, link, compare, static)
#pragma GCC diagnostic pop

void interval_map_pool_init(struct pool *pool, size_t count)
{
    pool_init(pool, count, sizeof(struct interval), "ranges of memory state");
}

void interval_map_init(struct interval_map *map, struct pool *pool)
{
    RB_INIT(&map->tree);
    map->last = NULL;
    map->pool = pool;
    map->covered = 0;
    memset(map->recent, 0, sizeof map->recent);
}

static inline struct interval **recent_of(struct interval_map *map, uint64_t at)
{
    uint64_t mixed = (at >> INTERVAL_RECENT_SHIFT) * UINT64_C(0x9e3779b97f4a7c15);
    return &map->recent[mixed >> (64 - INTERVAL_RECENT_BITS)];
}

static void chain(struct interval_map *map, struct interval *interval, struct interval *before,
                  struct interval *after)
{
    interval->before = before;
    interval->after = after;
    *(after ? &after->before : &map->last) = interval;
    if (before) {
        before->after = interval;
    }
}

static void drop(struct interval_map *map, struct interval *interval)
{
    struct interval *before = interval->before, *after = interval->after;
    RB_REMOVE(interval_tree, &map->tree, interval);
    *(after ? &after->before : &map->last) = before;
    if (before) {
        before->after = after;
    }
    map->covered -= interval->end - interval->start;
    interval->map = NULL;
    pool_give(map->pool, interval);
}

/* Between two that are neighbours. */
static struct interval *insert(struct interval_map *map, uint64_t start, uint64_t end,
                               uint64_t value, struct interval *before, struct interval *after)
{
    struct interval *interval = pool_take(map->pool);
    interval->start = start;
    interval->end = end;
    interval->value = value;
    interval->map = map;
    chain(map, interval, before, after);
    BESIDE_INSERT(interval_tree, &map->tree, interval, before, after, link);
    map->covered += end - start;
    *recent_of(map, start) = interval;
    return interval;
}

/* Whether what is looked for is the interval itself or the next one to it; *found is that. */
static inline bool is_beside(struct interval *interval, uint64_t at, struct interval **found)
{
    struct interval *before = interval->before, *after = interval->after;
    if (at < interval->end) {
        *found = interval;
        return at >= interval->start || !before || before->end <= at;
    }
    *found = after;
    return !after || at < after->end;
}

static __attribute__((noinline)) struct interval *descend(struct interval_map *map, uint64_t at)
{
    struct interval *best = NULL;
    for (struct interval *interval = RB_ROOT(&map->tree); interval;) {
        if (at < interval->end) {
            best = interval;
            interval = RB_LEFT(interval, link);
        } else {
            interval = RB_RIGHT(interval, link);
        }
    }
    *recent_of(map, at) = best;
    return best;
}

static inline struct interval *find(struct interval_map *map, uint64_t at)
{
    struct interval *recent = *recent_of(map, at), *best = NULL;
    if (recent && recent->map == map && is_beside(recent, at, &best)) {
        return best;
    }
    return descend(map, at);
}

struct interval *interval_map_find(struct interval_map *map, uint64_t at)
{
    return find(map, at);
}

/* What interval_map_value says, where a look-up of `at` finds `interval`. */
static inline uint64_t value_in(const struct interval *interval, uint64_t at, uint64_t *end)
{
    if (interval && interval->start <= at) {
        *end = interval->end;
        return interval->value;
    }
    *end = interval ? interval->start : UINT64_MAX;
    return 0;
}

uint64_t interval_map_value(struct interval_map *map, uint64_t at, uint64_t *end)
{
    return value_in(find(map, at), at, end);
}

/* Removes [start, end) from the map, splitting the intervals at its ends; `interval` is what a
 * look-up of `start` finds. Returns the first interval after it, or NULL. */
static struct interval *cut(struct interval_map *map, struct interval *interval, uint64_t start,
                            uint64_t end)
{
    if (interval && interval->start < start) {
        uint64_t old_end = interval->end;
        map->covered -= old_end - start;
        interval->end = start;
        if (end < old_end) {
            return insert(map, end, old_end, interval->value, interval, interval->after);
        }
        interval = interval->after;
    }
    while (interval && interval->end <= end) {
        struct interval *next = interval->after;
        drop(map, interval);
        interval = next;
    }
    if (interval && interval->start < end) {
        map->covered -= end - interval->start;
        interval->start = end; /* the order of the tree does not change */
    }
    return interval;
}

/* Gives [start, end), which is empty and lies before `after`, that value: where a neighbour
 * has it, by moving the neighbour's end, as sweeps do at every page. */
static void fill(struct interval_map *map, uint64_t start, uint64_t end, uint64_t value,
                 struct interval *after)
{
    struct interval *before = after ? after->before : map->last;
    bool joins_before = before && before->end == start && before->value == value;
    bool joins_after = after && after->start == end && after->value == value;
    if (joins_before) {
        uint64_t new_end = joins_after ? after->end : end;
        if (joins_after) {
            drop(map, after);
        }
        map->covered += new_end - before->end;
        before->end = new_end;
        *recent_of(map, new_end) = before;
    } else if (joins_after) {
        map->covered += end - start;
        after->start = start; /* the order of the tree does not change */
        *recent_of(map, start) = after;
    } else {
        insert(map, start, end, value, before, after);
    }
}

/* Where a look-up of `start` finds `interval`. */
static void set(struct interval_map *map, struct interval *interval, uint64_t start, uint64_t end,
                uint64_t value)
{
    struct interval *after = cut(map, interval, start, end);
    if (value != 0) {
        fill(map, start, end, value, after);
    }
}

void interval_map_set(struct interval_map *map, uint64_t start, uint64_t end, uint64_t value)
{
    INVARIANT(start < end, "empty range at %#llx", (unsigned long long)start);
    struct interval *interval = find(map, start);
    if (interval && interval->start <= start && end <= interval->end && interval->value == value) {
        return;
    }
    set(map, interval, start, end, value);
}

bool interval_map_any(struct interval_map *map, uint64_t start, uint64_t end)
{
    struct interval *interval = find(map, start);
    return interval && interval->start < end;
}

void interval_map_update(struct interval_map *map, uint64_t start, uint64_t end,
                         interval_map_change change, void *context)
{
    while (start < end) {
        uint64_t stop;
        struct interval *interval = find(map, start);
        uint64_t value = value_in(interval, start, &stop);
        stop = stop < end ? stop : end;
        uint64_t changed = change(value, start, stop, context);
        if (changed != value) {
            set(map, interval, start, stop, changed);
        }
        start = stop;
    }
}

#include "core/runs.h"

#include "core/error.h"

static int compare(const struct run *a, const struct run *b)
{
    return a->start < b->start ? -1 : a->start > b->start;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
RB_GENERATE_INTERNAL(run_tree, run, link, compare, static)
#pragma GCC diagnostic pop

void runs_pool_init(struct pool *pool, size_t count)
{
    pool_init(pool, count, sizeof(struct run), "ranges of memory state");
}

void runs_init(struct runs *map, struct pool *pool)
{
    RB_INIT(&map->tree);
    map->pool = pool;
    map->recent = NULL;
    map->covered = 0;
}

static void drop(struct runs *map, struct run *run)
{
    RB_REMOVE(run_tree, &map->tree, run);
    map->covered -= run->end - run->start;
    map->recent = NULL;
    pool_give(map->pool, run);
}

static struct run *insert(struct runs *map, uint64_t start, uint64_t end, uint64_t value)
{
    struct run *run = pool_take(map->pool);
    run->start = start;
    run->end = end;
    run->value = value;
    RB_INSERT(run_tree, &map->tree, run);
    map->covered += end - start;
    map->recent = run;
    return run;
}

struct run *runs_find(struct runs *map, uint64_t at)
{
    struct run *recent = map->recent;
    if (recent && recent->start <= at && at < recent->end) {
        return recent;
    }
    struct run *best = NULL;
    for (struct run *run = RB_ROOT(&map->tree); run;) {
        if (at < run->end) {
            best = run;
            run = RB_LEFT(run, link);
        } else {
            run = RB_RIGHT(run, link);
        }
    }
    map->recent = best;
    return best;
}

struct run *runs_after(struct runs *map, struct run *run)
{
    (void)map;
    return RB_NEXT(run_tree, &map->tree, run);
}

struct run *runs_before(struct runs *map, struct run *run)
{
    (void)map;
    return RB_PREV(run_tree, &map->tree, run);
}

uint64_t runs_value(struct runs *map, uint64_t at, uint64_t *end)
{
    struct run *run = runs_find(map, at);
    if (run && run->start <= at) {
        *end = run->end;
        return run->value;
    }
    *end = run ? run->start : UINT64_MAX;
    return 0;
}

/* Removes [start, end) from the map, splitting the runs at its ends. */
static void cut(struct runs *map, uint64_t start, uint64_t end)
{
    struct run *run = runs_find(map, start);
    if (run && run->start < start) {
        uint64_t old_end = run->end;
        map->covered -= old_end - start;
        run->end = start;
        if (end < old_end) {
            insert(map, end, old_end, run->value);
            return;
        }
        run = runs_after(map, run);
    }
    while (run && run->end <= end) {
        struct run *next = runs_after(map, run);
        drop(map, run);
        run = next;
    }
    if (run && run->start < end) {
        map->covered -= end - run->start;
        run->start = end; /* the order of the tree does not change */
    }
}

/* Joins `run` with a neighbour that touches it and has its value. */
static void join(struct runs *map, struct run *run)
{
    struct run *before = runs_before(map, run);
    if (before && before->end == run->start && before->value == run->value) {
        uint64_t end = run->end;
        drop(map, run);
        map->covered += end - before->end;
        before->end = end;
        run = before;
    }
    struct run *after = runs_after(map, run);
    if (after && run->end == after->start && after->value == run->value) {
        uint64_t end = after->end;
        drop(map, after);
        map->covered += end - run->end;
        run->end = end;
    }
    map->recent = run;
}

void runs_set(struct runs *map, uint64_t start, uint64_t end, uint64_t value)
{
    INVARIANT(start < end, "empty range at %#llx", (unsigned long long)start);
    struct run *run = runs_find(map, start);
    if (run && run->start <= start && end <= run->end && run->value == value) {
        return;
    }
    cut(map, start, end);
    if (value != 0) {
        join(map, insert(map, start, end, value));
    }
}

bool runs_any(struct runs *map, uint64_t start, uint64_t end)
{
    struct run *run = runs_find(map, start);
    return run && run->start < end;
}

void runs_update(struct runs *map, uint64_t start, uint64_t end, runs_change change, void *context)
{
    while (start < end) {
        uint64_t stop;
        uint64_t value = runs_value(map, start, &stop);
        stop = stop < end ? stop : end;
        uint64_t changed = change(value, start, stop, context);
        if (changed != value) {
            runs_set(map, start, stop, changed);
        }
        start = stop;
    }
}

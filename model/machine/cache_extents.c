#include "machine/cache_extents.h"

#include "core/beside.h"
#include "core/units.h"

static int compare(const struct extent *a, const struct extent *b)
{
    return a->start < b->start ? -1 : a->start > b->start;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
RB_GENERATE_INTERNAL(extent_tree, extent, link, compare, static)
#pragma GCC diagnostic pop

/* ---- Set-up ---- */

void cache_extents_init(struct cache_extents *cache, uint64_t capacity, uint32_t page_lines,
                        size_t runs)
{
    *cache = (struct cache_extents){.capacity = capacity, .page_lines = page_lines};
    pool_init(&cache->pool, u64_min(runs, capacity + 2), sizeof(struct extent),
              "runs of cached pages");
    RB_INIT(&cache->tree);
    TAILQ_INIT(&cache->order);
}

void cache_extents_free(struct cache_extents *cache)
{
    pool_free(&cache->pool);
}

/* ---- Runs ---- */

static void place(struct cache_extents *cache, struct extent *run, struct extent *before,
                  struct extent *after)
{
    BESIDE_INSERT(extent_tree, &cache->tree, run, before, after, link);
    run->before = before;
    run->after = after;
    *(after ? &after->before : &cache->last) = run;
    if (before) {
        before->after = run;
    }
}

static void give(struct cache_extents *cache, struct extent *run)
{
    RB_REMOVE(extent_tree, &cache->tree, run);
    *(run->after ? &run->after->before : &cache->last) = run->before;
    if (run->before) {
        run->before->after = run->after;
    }
    TAILQ_REMOVE(&cache->order, run, age);
    run->start = run->end = 0;
    pool_give(&cache->pool, run);
}

/* Whether what is looked for is the run itself or the next one to it; *found is that. */
static inline bool is_beside(struct extent *run, uint64_t at, struct extent **found)
{
    struct extent *before = run->before, *after = run->after;
    if (at < run->end) {
        *found = run;
        return at >= run->start || !before || before->end <= at;
    }
    *found = after;
    return !after || at < after->end;
}

static __attribute__((noinline)) struct extent *descend(const struct cache_extents *cache,
                                                        uint64_t at)
{
    struct extent *best = NULL;
    for (struct extent *run = RB_ROOT(&cache->tree); run;) {
        if (at < run->end) {
            best = run;
            run = RB_LEFT(run, link);
        } else {
            run = RB_RIGHT(run, link);
        }
    }
    return best;
}

static inline struct extent **recent_of(struct cache_extents *cache, uint64_t at)
{
    uint64_t mixed = (at >> EXTENTS_RECENT_SHIFT) * UINT64_C(0x9e3779b97f4a7c15);
    return &cache->recent[mixed >> (64 - EXTENTS_RECENT_BITS)];
}

/* The run that holds `at`, or the first one after it, or NULL. */
static inline struct extent *find_from(struct cache_extents *cache, uint64_t at)
{
    struct extent **recent = recent_of(cache, at), *run = *recent, *best = NULL;
    if (run && run->end > 0 && is_beside(run, at, &best)) {
        return best;
    }
    return *recent = descend(cache, at);
}

/* The same, but NULL also if that one starts at `end` or later. */
static inline struct extent *find(struct cache_extents *cache, uint64_t at, uint64_t end)
{
    struct extent *run = find_from(cache, at);
    return run && run->start < end ? run : NULL;
}

static uint32_t lines_of(const struct extent *run)
{
    return run->clean + run->dirty;
}

static bool continues(const struct extent *older, uint64_t start, uint32_t clean, uint32_t dirty)
{
    return older && older->end == start && older->clean == clean && older->dirty == dirty;
}

/* Takes a run out, whereupon its neighbours in LRU order may be one. */
static void drop(struct cache_extents *cache, struct extent *run)
{
    struct extent *older = TAILQ_PREV(run, extent_order, age);
    struct extent *newer = TAILQ_NEXT(run, age);
    give(cache, run);
    if (newer && continues(older, newer->start, newer->clean, newer->dirty)) {
        uint64_t end = newer->end;
        give(cache, newer);
        older->end = end;
    }
}

/* Takes the pages before `stop` from the start of a run. */
static void trim(struct cache_extents *cache, struct extent *run, uint64_t stop)
{
    uint64_t pages = stop - run->start;
    cache->lines -= pages * lines_of(run);
    cache->dirty -= pages * run->dirty;
    if (stop == run->end) {
        drop(cache, run);
    } else {
        run->start = stop; /* the order of the tree does not change */
    }
}

/* Makes `at`, which is in the run, the start of a run, and returns that. */
static struct extent *split(struct cache_extents *cache, struct extent *run, uint64_t at)
{
    if (run->start == at) {
        return run;
    }
    struct extent *right = pool_take(&cache->pool);
    right->start = at;
    right->end = run->end;
    right->clean = run->clean;
    right->dirty = run->dirty;
    run->end = at;
    place(cache, right, run, run->after);
    TAILQ_INSERT_AFTER(&cache->order, run, right, age);
    return right;
}

/* Makes pages of which nothing is resident the newest. */
static void append(struct cache_extents *cache, uint64_t start, uint64_t end, uint32_t clean,
                   uint32_t dirty)
{
    cache->lines += (end - start) * (clean + dirty);
    cache->dirty += (end - start) * dirty;
    struct extent *newest = TAILQ_LAST(&cache->order, extent_order);
    if (continues(newest, start, clean, dirty)) {
        newest->end = end;
        return;
    }
    /* Ahead of taking one: what was found last may be a run that was given back. */
    struct extent *after = find_from(cache, start);
    struct extent *run = pool_take(&cache->pool);
    run->start = start;
    run->end = end;
    run->clean = clean;
    run->dirty = dirty;
    place(cache, run, after ? after->before : cache->last, after);
    *recent_of(cache, start) = run;
    TAILQ_INSERT_TAIL(&cache->order, run, age);
}

/* ---- Eviction ---- */

/* Evicts the oldest pages until `need` more lines fit, but no page of the run
 * `keep`. It is no more than a touch that brings in that many lines would
 * evict on its way. */
static void make_room(struct cache_extents *cache, uint64_t need, const struct extent *keep)
{
    struct extent *run;
    while (cache->lines + need > cache->capacity && (run = TAILQ_FIRST(&cache->order)) &&
           run != keep) {
        uint64_t over = cache->lines + need - cache->capacity;
        uint64_t each = lines_of(run);
        uint64_t pages = u64_min(run->end - run->start, (over + each - 1) / each);
        cache->written += pages * run->dirty;
        trim(cache, run, run->start + pages);
    }
}

/* ---- Touch ---- */

static void count(struct line_counts *found, const struct extent *run, uint64_t start, uint64_t end)
{
    found->clean += (end - start) * run->clean;
    found->dirty += (end - start) * run->dirty;
}

/* A touch under way: pages before `at` are done. */
struct touch {
    struct cache_extents *cache;
    uint64_t at, end;
    uint32_t density;
    bool write;
    struct line_counts *flushed; /* each page is flushed before its touch; NULL: it is not */
    struct touch_counts counts;
};

/* Touches pages of a run that holds the next page. Lines that its pages lack
 * evict older runs first, and then pages ahead in this very run: the touch
 * stops after the page that does so, for the next one is then absent. Pages
 * that are flushed lack what they had, which makes as much room. */
static void touch_found(struct touch *touch, struct extent *run)
{
    struct cache_extents *cache = touch->cache;
    run = split(cache, run, touch->at);
    uint64_t stop = u64_min(touch->end, run->end);
    struct extent kept = {0};
    if (!touch->flushed) {
        kept = *run;
    }
    uint32_t old = lines_of(&kept);
    uint32_t lines = (uint32_t)u64_max(old, touch->density);
    uint32_t dirty = touch->write ? (uint32_t)u64_max(kept.dirty, touch->density) : kept.dirty;
    uint32_t grow = lines > lines_of(run) ? lines - lines_of(run) : 0;
    if (grow > 0) {
        make_room(cache, (stop - touch->at) * grow, run);
        stop = u64_min(stop, touch->at + (cache->capacity - cache->lines) / grow + 1);
    }
    uint64_t pages = stop - touch->at;
    touch->counts.hits += pages * u64_min(old, touch->density);
    touch->counts.misses += pages * (lines - old);
    if (touch->flushed) {
        count(touch->flushed, run, touch->at, stop);
    }
    trim(cache, run, stop);
    append(cache, touch->at, stop, lines - dirty, dirty);
    touch->at = stop;
}

/* How far a touch misses that begins in the gap before the oldest run and has
 * begun to evict that run: with g the pages of the gap, d the density, r the
 * run's lines a page and s the lines that are free, page i of the touch finds
 * ceil((i d - s) / r) pages of the run gone, and is gone itself if that is
 * more than i - g, or i (r - d) < g r - s. The touch never catches up if
 * d >= r. */
static uint64_t missed_pages(const struct touch *touch, const struct extent *oldest)
{
    uint32_t each = lines_of(oldest);
    if (touch->density >= each) {
        return UINT64_MAX;
    }
    uint64_t gap = oldest->start - touch->at;
    uint64_t room = touch->cache->capacity - touch->cache->lines;
    uint32_t slower = each - touch->density;
    return (gap * each - room + slower - 1) / slower;
}

/* Touches pages of which nothing is resident, up to the run ahead (or NULL)
 * and as far into it as it is evicted before the touch gets there. */
static void touch_absent(struct touch *touch, struct extent *ahead)
{
    struct cache_extents *cache = touch->cache;
    uint64_t stop = ahead ? ahead->start : touch->end;
    uint64_t need = (stop - touch->at) * touch->density;
    make_room(cache, need, ahead);
    if (ahead && cache->lines + need > cache->capacity) {
        uint64_t last = u64_min(touch->end, ahead->end);
        stop = touch->at + u64_min(last - touch->at, missed_pages(touch, ahead));
        cache->written += (stop - ahead->start) * ahead->dirty;
        trim(cache, ahead, stop);
    }
    touch->counts.misses += (stop - touch->at) * touch->density;
    append(cache, touch->at, stop, touch->write ? 0 : touch->density,
           touch->write ? touch->density : 0);
    touch->at = stop;
}

static struct touch_counts play(struct touch touch)
{
    struct cache_extents *cache = touch.cache;
    while (touch.density > 0 && touch.at < touch.end) {
        struct extent *run = find(cache, touch.at, touch.end);
        if (run && run->start <= touch.at) {
            touch_found(&touch, run);
        } else {
            touch_absent(&touch, run);
        }
        make_room(cache, 0, NULL);
    }
    touch.counts.evicted_dirty = cache->written;
    cache->written = 0;
    return touch.counts;
}

struct touch_counts cache_extents_touch(struct cache_extents *cache, uint64_t first_page,
                                        uint64_t pages, uint32_t density, bool write)
{
    return play((struct touch){cache, first_page, first_page + pages, density, write, NULL, {0}});
}

struct touch_counts cache_extents_clean_then_access(struct cache_extents *cache,
                                                    uint64_t first_page, uint64_t pages,
                                                    uint32_t density, bool write,
                                                    struct line_counts *found)
{
    if (density == 0) {
        *found = cache_extents_flush(cache, first_page, pages);
        return (struct touch_counts){0};
    }
    return play((struct touch){cache, first_page, first_page + pages, density, write, found, {0}});
}

/* ---- Flush ---- */

struct line_counts cache_extents_flush(struct cache_extents *cache, uint64_t first_page,
                                       uint64_t pages)
{
    struct line_counts found = {0};
    uint64_t end = first_page + pages;
    struct extent *run;
    while ((run = find(cache, first_page, end))) {
        if (run->start < first_page) {
            run = split(cache, run, first_page);
        }
        uint64_t stop = u64_min(end, run->end);
        count(&found, run, run->start, stop);
        trim(cache, run, stop);
    }
    return found;
}

uint64_t cache_extents_next(struct cache_extents *cache, uint64_t page, uint64_t end)
{
    const struct extent *run = find(cache, page, end);
    return !run ? end : run->start > page ? run->start : page;
}

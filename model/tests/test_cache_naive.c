#include "check.h"

#include "cache_seen.h"
#include "core/rng.h"

/* The bound that cache_extents.h states. */
#define RUNS_OF(operations) (3 * (size_t)(operations) + 2)

#define FAST false
#define EXACT true

#define LINE UINT64_C(64)
#define PAGE_LINES UINT64_C(64)

/* A number below `bound`; each test begins at its own place in the stream. */
static uint64_t stream;

static uint64_t draw(uint64_t bound)
{
    return rng_mix64(++stream) % bound;
}

static void assert_touch(struct touch_counts got, uint64_t hits, uint64_t misses, uint64_t evicted)
{
    assert_int_equal(got.hits, hits);
    assert_int_equal(got.misses, misses);
    assert_int_equal(got.evicted_dirty, evicted);
}

struct operation {
    uint64_t first, pages;
    uint32_t density;
    bool write, flush;
    bool renew; /* each page is flushed before it is touched */
};

static struct operation draw_operation(uint64_t space, uint64_t longest, uint32_t page_lines)
{
    struct operation op = {.first = draw(space), .flush = draw(4) == 0, .write = draw(2) == 0};
    uint64_t room = space - op.first < longest ? space - op.first : longest;
    op.pages = draw(2) ? 1 + draw(room) : 1 + draw(room < 3 ? room : 3);
    op.density = draw(3) ? page_lines : (uint32_t)draw(page_lines + 1);
    op.renew = !op.flush && draw(3) == 0;
    return op;
}

/* ---- Naive references: a line at a time, and a page at a time ---- */

enum { ENTRIES = 512, SPACE = 120 };

/* `entries` lines in sets of `ways`, or whole pages in one set without limit. */
struct naive {
    uint64_t ways, sets, clock;
    const struct cache_sets *like; /* whose turn is taken */
    struct {
        uint64_t line, age; /* age 0: empty */
        bool dirty;
    } entry[ENTRIES];
};

static bool naive_touch_line(struct naive *naive, uint64_t line, bool write, uint64_t *written)
{
    uint64_t first = (line + cache_sets_turned(naive->like, line / naive->sets)) % naive->sets *
                     naive->ways,
             victim = first;
    for (uint64_t i = first; i < first + naive->ways; i++) {
        if (naive->entry[i].age > 0 && naive->entry[i].line == line) {
            naive->entry[i].age = ++naive->clock;
            naive->entry[i].dirty |= write;
            return true;
        }
        victim = naive->entry[i].age < naive->entry[victim].age ? i : victim;
    }
    *written += naive->entry[victim].age > 0 && naive->entry[victim].dirty;
    naive->entry[victim].line = line;
    naive->entry[victim].age = ++naive->clock;
    naive->entry[victim].dirty = write;
    return false;
}

static struct touch_counts naive_touch(struct naive *naive, struct operation op,
                                       uint32_t page_lines)
{
    struct touch_counts counts = {0};
    for (uint64_t page = op.first; page < op.first + op.pages; page++) {
        for (uint64_t line = page * page_lines; line < page * page_lines + op.density; line++) {
            bool hit = naive_touch_line(naive, line, op.write, &counts.evicted_dirty);
            counts.hits += hit;
            counts.misses += !hit;
        }
    }
    return counts;
}

static struct line_counts naive_find(struct naive *naive, struct operation op, uint32_t page_lines)
{
    struct line_counts found = {.absent = op.pages * page_lines};
    for (uint64_t i = 0; i < naive->sets * naive->ways; i++) {
        uint64_t page = naive->entry[i].line / page_lines;
        if (naive->entry[i].age > 0 && page >= op.first && page < op.first + op.pages) {
            found.absent--;
            found.dirty += naive->entry[i].dirty;
            found.clean += !naive->entry[i].dirty;
            naive->entry[i].age = op.flush ? 0 : naive->entry[i].age;
        }
    }
    return found;
}

static void check_renew(struct naive *naive, struct cache *cache, struct operation op,
                        uint32_t page_lines)
{
    struct touch_counts counts = {0};
    struct line_counts expected = {0}, found;
    for (uint64_t page = op.first; page < op.first + op.pages; page++) {
        struct operation one = op;
        one.first = page;
        one.pages = 1;
        one.flush = true;
        struct line_counts flushed = naive_find(naive, one, page_lines);
        struct touch_counts touched = naive_touch(naive, one, page_lines);
        expected.absent += flushed.absent;
        expected.clean += flushed.clean;
        expected.dirty += flushed.dirty;
        counts.hits += touched.hits;
        counts.misses += touched.misses;
        counts.evicted_dirty += touched.evicted_dirty;
    }
    struct touch_counts got =
        cache_clean_then_access(cache, op.first, op.pages, op.density, op.write, &found);
    assert_touch(got, counts.hits, counts.misses, counts.evicted_dirty);
    assert_memory_equal(&found, &expected, sizeof found);
}

static void exact_agrees_with_naive_sets(void **state)
{
    (void)state;
    stream = 2000;
    for (uint64_t round = 0; round < some_cases(3000); round++) {
        uint64_t ways = 1 + draw(24), sets = 1 + draw(ENTRIES / ways);
        uint32_t page_lines = 1u << draw(7);
        struct cache_sets like;
        struct naive naive = {.ways = ways, .sets = sets, .like = &like};
        cache_sets_init(&like, ways * sets, ways, page_lines);
        uint64_t line_bytes = CACHE_PAGE_BYTES / page_lines;
        /* A last set that is not full does not count. */
        uint64_t bytes = (ways * sets + draw(ways)) * line_bytes;
        struct cache *cache = cache_new(EXACT, bytes, ways, line_bytes, 0);
        for (int step = 0; step < 30; step++) {
            struct operation op = draw_operation(SPACE, 1 + draw(30), page_lines);
            struct line_counts expected = naive_find(&naive, op, page_lines);
            struct line_counts found = op.flush ? cache_flush(cache, op.first, op.pages)
                                                : cache_look(cache, op.first, op.pages);
            assert_memory_equal(&found, &expected, sizeof found);
            if (op.renew) {
                check_renew(&naive, cache, op, page_lines);
            } else if (!op.flush) {
                struct touch_counts counts = naive_touch(&naive, op, page_lines);
                assert_touch(cache_touch(cache, op.first, op.pages, op.density, op.write),
                             counts.hits, counts.misses, counts.evicted_dirty);
            }
        }
        cache_free(cache);
        cache_sets_free(&like);
    }
}

/* One page after the other, in one LRU order, each with all its lines. */
struct naive_pages {
    uint64_t capacity, lines, clock;
    struct {
        uint64_t age;
        uint32_t lines, dirty;
    } page[SPACE];
};

static uint64_t naive_evict(struct naive_pages *naive)
{
    uint64_t oldest = 0, best = UINT64_MAX;
    for (uint64_t i = 0; i < SPACE; i++) {
        if (naive->page[i].lines > 0 && naive->page[i].age < best) {
            best = naive->page[i].age;
            oldest = i;
        }
    }
    uint64_t written = naive->page[oldest].dirty;
    naive->lines -= naive->page[oldest].lines;
    naive->page[oldest].lines = naive->page[oldest].dirty = 0;
    return written;
}

static struct touch_counts naive_touch_pages(struct naive_pages *naive, struct operation op,
                                             struct line_counts *found)
{
    struct touch_counts counts = {0};
    for (uint64_t i = op.first; i < op.first + op.pages; i++) {
        if (op.renew) {
            found->clean += naive->page[i].lines - naive->page[i].dirty;
            found->dirty += naive->page[i].dirty;
            naive->lines -= naive->page[i].lines;
            naive->page[i].lines = naive->page[i].dirty = 0;
        }
        if (op.density == 0) {
            continue;
        }
        uint32_t old = naive->page[i].lines;
        uint32_t hits = old < op.density ? old : op.density;
        counts.hits += hits;
        counts.misses += op.density - hits;
        naive->lines += op.density - hits;
        naive->page[i].lines += op.density - hits;
        if (op.write && naive->page[i].dirty < op.density) {
            naive->page[i].dirty = op.density;
        }
        naive->page[i].age = ++naive->clock;
        while (naive->lines > naive->capacity) {
            counts.evicted_dirty += naive_evict(naive);
        }
    }
    return counts;
}

static void check_pages(struct naive_pages *naive, const struct cache_extents *cache,
                        struct operation op)
{
    for (uint64_t i = 0; i < SPACE; i++) {
        struct line_counts found = cache_extents_look(cache, i, 1);
        assert_int_equal(found.dirty, naive->page[i].dirty);
        assert_int_equal(found.clean, naive->page[i].lines - naive->page[i].dirty);
    }
    for (uint64_t i = op.first; i < op.first + op.pages && op.flush; i++) {
        naive->lines -= naive->page[i].lines;
        naive->page[i].lines = naive->page[i].dirty = 0;
    }
}

static void play_pages(struct cache_extents *cache, struct operation op, struct touch_counts counts,
                       struct line_counts expected)
{
    struct line_counts found = {0};
    struct touch_counts got =
        op.renew ? cache_extents_clean_then_access(cache, op.first, op.pages, op.density, op.write,
                                                   &found)
                 : cache_extents_touch(cache, op.first, op.pages, op.density, op.write);
    assert_touch(got, counts.hits, counts.misses, counts.evicted_dirty);
    assert_memory_equal(&found, &expected, sizeof found);
}

/* To the line, whatever the densities; and no more runs than stated. */
static void fast_agrees_with_naive_pages(void **state)
{
    (void)state;
    enum { STEPS = 40 };
    double most_for_one = 0;
    stream = 3000;
    for (uint64_t round = 0; round < some_cases(5000); round++) {
        struct naive_pages naive = {.capacity = draw(SPACE * PAGE_LINES)};
        struct cache_extents cache;
        bool one_density = draw(2);
        cache_extents_init(&cache, naive.capacity, PAGE_LINES, RUNS_OF(STEPS));
        for (int step = 1; step <= STEPS; step++) {
            struct operation op = draw_operation(SPACE, SPACE, PAGE_LINES);
            op.density = one_density ? PAGE_LINES : op.density;
            check_pages(&naive, &cache, op);
            if (op.flush) {
                cache_extents_flush(&cache, op.first, op.pages);
            } else {
                struct line_counts expected = {0};
                struct touch_counts counts = naive_touch_pages(&naive, op, &expected);
                play_pages(&cache, op, counts, expected);
            }
            assert_int_equal(cache.lines, naive.lines);
            assert_true(cache.pool.live <= RUNS_OF(step));
            double share = (double)cache.pool.live / step;
            most_for_one = step > 3 && share > most_for_one ? share : most_for_one;
        }
        cache_extents_free(&cache);
    }
    print_message("runs for each operation, at most: %.2f\n", most_for_one);
}

/* ---- Fast against exact ---- */

/* The largest difference of any state anywhere, as a share of all lines. */
static double difference(struct line_counts a, struct line_counts b, uint64_t capacity)
{
    double clean = a.clean > b.clean ? (double)(a.clean - b.clean) : (double)(b.clean - a.clean);
    double dirty = a.dirty > b.dirty ? (double)(a.dirty - b.dirty) : (double)(b.dirty - a.dirty);
    return (clean > dirty ? clean : dirty) / (double)capacity;
}

struct pair {
    struct cache *fast, *exact;
    uint64_t capacity;
    double largest;
};

static void touch_both(struct pair *pair, uint64_t first, uint64_t pages)
{
    bool write = draw(2);
    cache_touch(pair->fast, first, pages, PAGE_LINES, write);
    cache_touch(pair->exact, first, pages, PAGE_LINES, write);
}

static void flush_both(struct pair *pair, uint64_t first, uint64_t pages)
{
    cache_flush(pair->fast, first, pages);
    cache_flush(pair->exact, first, pages);
}

static void compare_both(struct pair *pair, uint64_t space)
{
    for (int i = 0; i < 10; i++) {
        uint64_t first = draw(space), pages = 1 + draw(space - first);
        double now = difference(cache_look(pair->fast, first, pages),
                                cache_look(pair->exact, first, pages), pair->capacity);
        pair->largest = now > pair->largest ? now : pair->largest;
    }
}

/* A guest that goes through its memory, a few pages or several caches at a
 * time, turns to what it used last, and has that flushed and begins there anew. */
static void go_forward(struct pair *pair)
{
    uint64_t pages = pair->capacity / PAGE_LINES, at = 0;
    for (int step = 0; step < 20; step++) {
        uint64_t length = 1 + draw(draw(2) ? 3 * pages : 4);
        touch_both(pair, at, length);
        at += length;
        if (draw(3) == 0) {
            uint64_t back = 1 + draw(at < pages ? at : pages);
            touch_both(pair, at - back, back);
        }
        if (draw(4) == 0) {
            uint64_t from = draw(at);
            flush_both(pair, from, at - from);
            at = from;
        }
        compare_both(pair, at + length);
    }
}

/* Touches anywhere, but each of them uses all sets alike. */
static void jump_by_ways(struct pair *pair, uint64_t way_pages, uint64_t ways)
{
    for (int step = 0; step < 40; step++) {
        uint64_t first = way_pages * draw(3 * ways);
        uint64_t length = way_pages * (1 + draw(draw(2) ? ways : 2));
        if (draw(4) > 0) {
            touch_both(pair, first, length);
        } else {
            flush_both(pair, first, length);
        }
        compare_both(pair, way_pages * 4 * ways);
    }
}

static void fast_agrees_with_exact(void **state)
{
    (void)state;
    double largest[2] = {0, 0};
    stream = 4000;
    for (uint64_t round = 0; round < some_cases(400); round++) {
        bool jump = round % 2;
        uint64_t ways = 8 + 4 * draw(3), way_pages = 8 + draw(8);
        uint64_t sets = way_pages * PAGE_LINES + (jump ? 0 : draw(PAGE_LINES));
        struct pair pair = {.capacity = ways * sets};
        pair.fast = cache_new(FAST, pair.capacity * LINE, ways, LINE, RUNS_OF(60));
        pair.exact = cache_new(EXACT, pair.capacity * LINE, ways, LINE, 0);
        if (jump) {
            jump_by_ways(&pair, way_pages, ways);
        } else {
            go_forward(&pair);
        }
        largest[jump] = pair.largest > largest[jump] ? pair.largest : largest[jump];
        cache_free(pair.fast);
        cache_free(pair.exact);
    }
    print_message("fast and exact differ by at most %.3f %% of all lines going forward, "
                  "%.3f %% jumping by ways\n",
                  100 * largest[0], 100 * largest[1]);
    assert_true(largest[0] <= 0.02 && largest[1] <= 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_agrees_with_naive_sets),
        cmocka_unit_test(fast_agrees_with_naive_pages),
        cmocka_unit_test(fast_agrees_with_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

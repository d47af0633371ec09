#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cache_seen.h"
#include "check.h"
#include "core/rng.h"
#include "machine/cache_extents.h"

#define FAST false
#define EXACT true

/* Of every cache in the unit tests: 4 MiB are 1024 pages of 64 lines. */
#define LINE UINT64_C(64)
#define PAGE_LINES UINT64_C(64)
#define WAYS UINT64_C(16)
#define PAGES UINT64_C(1024)
#define CACHE_RUNS 100

static struct cache *new_cache(bool exact)
{
    return cache_new(exact, PAGES * CACHE_PAGE_BYTES, WAYS, LINE, CACHE_RUNS);
}

/* A number below `bound`; each test begins at its own place in the stream. */
static uint64_t stream;

static uint64_t draw(uint64_t bound)
{
    return rng_mix64(++stream) % bound;
}

static void assert_lines(struct line_counts got, uint64_t absent, uint64_t clean, uint64_t dirty)
{
    assert_int_equal(got.absent, absent);
    assert_int_equal(got.clean, clean);
    assert_int_equal(got.dirty, dirty);
}

static void assert_touch(struct touch_counts got, uint64_t hits, uint64_t misses, uint64_t evicted)
{
    assert_int_equal(got.hits, hits);
    assert_int_equal(got.misses, misses);
    assert_int_equal(got.evicted_dirty, evicted);
}

static void assert_resident(const struct cache *cache, uint64_t lines, uint64_t dirty)
{
    uint64_t got_lines, got_dirty;
    cache_resident(cache, &got_lines, &got_dirty);
    assert_int_equal(got_lines, lines);
    assert_int_equal(got_dirty, dirty);
}

/* ---- The sentences of the contract, in both fidelities ---- */

static void starts_empty(bool exact)
{
    struct cache *cache = new_cache(exact);
    assert_resident(cache, 0, 0);
    assert_lines(cache_look(cache, 0, PAGES), PAGES * PAGE_LINES, 0, 0);
    assert_touch(cache_touch(cache, 5, 10, PAGE_LINES, false), 0, 10 * PAGE_LINES, 0);
    assert_touch(cache_touch(cache, 100, PAGES, PAGE_LINES, false), 0, PAGES * PAGE_LINES, 0);
    cache_free(cache);
}

static void nothing_is_found_without_bytes(bool exact)
{
    struct cache *cache = cache_new(exact, 0, WAYS, LINE, CACHE_RUNS);
    assert_touch(cache_touch(cache, 0, 10, 3, false), 0, 30, 0);
    assert_touch(cache_touch(cache, 0, 10, 3, true), 0, 30, 30);
    assert_resident(cache, 0, 0);
    assert_lines(cache_look(cache, 0, 10), 640, 0, 0);
    assert_lines(cache_flush(cache, 0, 10), 640, 0, 0);
    cache_free(cache);
}

static void fewer_lines_than_ways_are_one_set(bool exact)
{
    struct cache *cache = cache_new(exact, 4 * LINE, WAYS, LINE, CACHE_RUNS);
    assert_touch(cache_touch(cache, 0, 1, 4, true), 0, 4, 0);
    assert_resident(cache, 4, 4);
    assert_touch(cache_touch(cache, 0, 1, 4, false), 4, 0, 0);
    cache_free(cache);
}

static void line_size_sets_lines_per_page(bool exact)
{
    for (uint64_t line = 16; line <= CACHE_PAGE_BYTES; line *= 2) {
        uint32_t lines = (uint32_t)(CACHE_PAGE_BYTES / line);
        struct cache *cache = cache_new(exact, 1 << 20, 8, line, CACHE_RUNS);
        assert_touch(cache_touch(cache, 7, 3, lines, true), 0, lines * UINT64_C(3), 0);
        assert_lines(cache_flush(cache, 6, 5), lines * UINT64_C(2), 0, lines * UINT64_C(3));
        cache_free(cache);
    }
}

/* Of each page the first lines are used; a read leaves clean lines, a write
 * dirty ones, and a dirty line stays dirty when it is read. */
static void density_counts_the_first_lines(bool exact)
{
    struct cache *cache = new_cache(exact);
    assert_touch(cache_touch(cache, 10, 20, 0, true), 0, 0, 0);
    assert_resident(cache, 0, 0);
    assert_touch(cache_touch(cache, 10, 20, 16, false), 0, 320, 0);
    assert_lines(cache_look(cache, 10, 20), 960, 320, 0);
    assert_touch(cache_touch(cache, 10, 20, 8, true), 160, 0, 0);
    assert_lines(cache_look(cache, 10, 20), 960, 160, 160);
    assert_touch(cache_touch(cache, 10, 20, 24, false), 320, 160, 0);
    assert_lines(cache_look(cache, 10, 20), 800, 320, 160);
    assert_touch(cache_touch(cache, 15, 5, 12, true), 60, 0, 0);
    assert_lines(cache_look(cache, 15, 5), 200, 60, 60);
    assert_lines(cache_look(cache, 0, 100), 5920, 300, 180);
    assert_resident(cache, 480, 180);
    cache_free(cache);
}

static void flush_empties_and_look_does_not(bool exact)
{
    struct cache *cache = new_cache(exact);
    cache_touch(cache, 100, 100, PAGE_LINES, false);
    cache_touch(cache, 150, 100, 10, true);
    for (int i = 0; i < 2; i++) {
        assert_lines(cache_look(cache, 140, 70), 540, 3340, 600);
    }
    assert_resident(cache, 6900, 1000);
    assert_lines(cache_flush(cache, 140, 70), 540, 3340, 600);
    assert_resident(cache, 2960, 400);
    assert_lines(cache_flush(cache, 140, 70), 4480, 0, 0);
    assert_lines(cache_flush(cache, 140, 0), 0, 0, 0);
    assert_lines(cache_flush(cache, 0, 5000), 320000 - 2960, 2560, 400);
    assert_resident(cache, 0, 0);
    cache_free(cache);
}

/* Neither does a look make lines newer: the oldest go first all the same. */
/* So many lines are still there. Sets are turned by the tag, so that at the
 * edges of a stretch a line or two of each way may differ. */
static void assert_survivors(struct line_counts found, uint64_t expected, bool exact)
{
    uint64_t slack = exact ? 2 * WAYS : 0, there = found.clean + found.dirty;
    assert_in_range(there, expected > slack ? expected - slack : 0, expected + slack);
}

static void evicts_the_least_recently_used(bool exact)
{
    struct cache *cache = new_cache(exact);
    cache_touch(cache, 0, PAGES / 2, PAGE_LINES, true);
    cache_touch(cache, PAGES, PAGES / 2, PAGE_LINES, false);
    cache_look(cache, 0, PAGES / 2);
    assert_resident(cache, PAGES * PAGE_LINES, PAGES / 2 * PAGE_LINES);
    struct touch_counts got = cache_touch(cache, 2 * PAGES, 100, PAGE_LINES, false);
    assert_touch(got, 0, 6400, 6400);
    assert_survivors(cache_look(cache, 0, 100), 0, exact);
    assert_survivors(cache_look(cache, 100, 412), 412 * PAGE_LINES, exact);
    cache_touch(cache, 100, 412, PAGE_LINES, false);
    cache_touch(cache, 3 * PAGES, 512, PAGE_LINES, true);
    assert_survivors(cache_look(cache, PAGES, 512), 0, exact);
    assert_survivors(cache_look(cache, 100, 412), 412 * PAGE_LINES, exact);
    cache_free(cache);
}

/* LRU evicts what a loop needs next. In sets it takes one line more than fits
 * in each. */
static void loops_longer_than_the_cache_never_hit(bool exact)
{
    struct cache *cache = new_cache(exact);
    uint64_t pages = PAGES + PAGES / WAYS, lines = pages * PAGE_LINES;
    cache_touch(cache, 0, pages, PAGE_LINES, true);
    for (int i = 0; i < 3; i++) {
        assert_touch(cache_touch(cache, 0, pages, PAGE_LINES, true), 0, lines, lines);
        assert_lines(cache_look(cache, PAGES / WAYS, PAGES), 0, 0, PAGES * PAGE_LINES);
    }
    cache_free(cache);
}

static void works_at_the_end_of_the_address_space(bool exact)
{
    struct cache *cache = new_cache(exact);
    uint64_t last = UINT64_MAX / CACHE_PAGE_BYTES - 10;
    assert_touch(cache_touch(cache, last, 10, PAGE_LINES, true), 0, 640, 0);
    assert_touch(cache_touch(cache, 0, 10, PAGE_LINES, false), 0, 640, 0);
    assert_lines(cache_flush(cache, last - 10, 20), 640, 0, 640);
    assert_lines(cache_flush(cache, 0, 10), 0, 640, 0);
    cache_free(cache);
}

#define BOTH(name)                         \
    static void fast_##name(void **state)  \
    {                                      \
        (void)state;                       \
        name(FAST);                        \
    }                                      \
    static void exact_##name(void **state) \
    {                                      \
        (void)state;                       \
        name(EXACT);                       \
    }

/* ---- What holds for any sequence of operations ---- */

struct operation {
    uint64_t first, pages;
    uint32_t density;
    bool write, flush;
};

static struct operation draw_operation(uint64_t space, uint64_t longest, uint32_t page_lines)
{
    struct operation op = {.first = draw(space), .flush = draw(4) == 0, .write = draw(2) == 0};
    uint64_t room = space - op.first < longest ? space - op.first : longest;
    op.pages = draw(2) ? 1 + draw(room) : 1 + draw(room < 3 ? room : 3);
    op.density = draw(3) ? page_lines : (uint32_t)draw(page_lines + 1);
    return op;
}

/* Lines are neither made nor lost, and dirty ones leave the cache only by a
 * write-back that is counted. */
static void check_conservation(struct cache *cache, struct operation op, uint64_t capacity)
{
    uint64_t lines, dirty, lines_before, dirty_before;
    cache_resident(cache, &lines_before, &dirty_before);
    struct line_counts before = cache_look(cache, op.first, op.pages);
    assert_int_equal(before.absent + before.clean + before.dirty, op.pages * PAGE_LINES);
    if (op.flush) {
        struct line_counts found = cache_flush(cache, op.first, op.pages);
        assert_memory_equal(&found, &before, sizeof found);
        cache_resident(cache, &lines, &dirty);
        assert_int_equal(lines, lines_before - found.clean - found.dirty);
        assert_int_equal(dirty, dirty_before - found.dirty);
        assert_lines(cache_look(cache, op.first, op.pages), op.pages * PAGE_LINES, 0, 0);
        return;
    }
    struct touch_counts got = cache_touch(cache, op.first, op.pages, op.density, op.write);
    cache_resident(cache, &lines, &dirty);
    assert_int_equal(got.hits + got.misses, op.pages * op.density);
    assert_true(lines <= capacity && dirty <= lines);
    assert_true(lines <= lines_before + got.misses);
    uint64_t written = op.write ? op.pages * op.density : 0;
    assert_in_range(dirty + got.evicted_dirty, dirty_before, dirty_before + written);
}

static void conserves_lines(bool exact)
{
    stream = 1000;
    for (int round = 0; round < 2000; round++) {
        uint64_t ways = 1 + draw(20), sets = draw(100), space = 1 + draw(200);
        uint64_t capacity = ways * sets;
        struct cache *cache = cache_new(exact, capacity * LINE, ways, LINE, CACHE_RUNS);
        for (int step = 0; step < 20; step++) {
            check_conservation(cache, draw_operation(space, space, PAGE_LINES), capacity);
        }
        struct line_counts left = cache_look(cache, 0, space);
        assert_resident(cache, left.clean + left.dirty, left.dirty);
        cache_flush(cache, 0, space);
        assert_resident(cache, 0, 0);
        cache_free(cache);
    }
}

BOTH(starts_empty)
BOTH(nothing_is_found_without_bytes)
BOTH(fewer_lines_than_ways_are_one_set)
BOTH(line_size_sets_lines_per_page)
BOTH(density_counts_the_first_lines)
BOTH(flush_empties_and_look_does_not)
BOTH(evicts_the_least_recently_used)
BOTH(loops_longer_than_the_cache_never_hit)
BOTH(works_at_the_end_of_the_address_space)
BOTH(conserves_lines)

/* ---- Runs, and the cost ---- */

/* How many runs there will be is an estimate: nothing leaves the cache where there are more. */
static void more_runs_than_were_made_are_kept(void **state)
{
    (void)state;
    struct cache_extents cache;
    cache_extents_init(&cache, 1000 * PAGE_LINES, PAGE_LINES, 3);
    for (uint64_t i = 0; i < 100; i++) {
        cache_extents_touch(&cache, 2 * i, 1, PAGE_LINES, true);
    }
    assert_int_equal(cache.pool.live, 100);
    assert_int_equal(cache.dirty, 100 * PAGE_LINES);
    /* A flush of the middle of a run needs one more. */
    cache_extents_touch(&cache, 1000, 100, PAGE_LINES, true);
    for (uint64_t i = 1; i < 50; i++) {
        assert_int_equal(cache_extents_flush(&cache, 1000 + 2 * i, 1).dirty, PAGE_LINES);
    }
    assert_int_equal(cache.dirty, (100 + 51) * PAGE_LINES);
    cache_extents_free(&cache);
}

static void pages_in_a_row_are_one_run(void **state)
{
    (void)state;
    struct cache_extents cache;
    cache_extents_init(&cache, 1000 * PAGE_LINES, PAGE_LINES, 10);
    for (uint64_t i = 0; i < 5000; i++) {
        cache_extents_touch(&cache, i, 1, PAGE_LINES, true);
        assert_int_equal(cache.pool.live, 1);
    }
    /* What was between two neighbours in LRU order is gone: they are one. */
    cache_extents_free(&cache);
    cache_extents_init(&cache, 1000 * PAGE_LINES, PAGE_LINES, 10);
    cache_extents_touch(&cache, 0, 10, 5, true);
    cache_extents_touch(&cache, 50, 10, 5, true);
    cache_extents_touch(&cache, 10, 10, 5, true);
    assert_int_equal(cache.pool.live, 3);
    cache_extents_flush(&cache, 40, 30);
    assert_int_equal(cache.pool.live, 1);
    cache_extents_free(&cache);
}

/* Terabytes, in a cache they do not fit by one page: by the page this would
 * take hours. */
static void length_costs_nothing(void **state)
{
    (void)state;
    uint64_t pages = UINT64_C(1) << 40;
    struct cache *cache = cache_new(FAST, pages * CACHE_PAGE_BYTES, 0, LINE, 20);
    cache_touch(cache, 0, pages + 1, PAGE_LINES, true);
    uint64_t lines = (pages + 1) * PAGE_LINES;
    assert_touch(cache_touch(cache, 0, pages + 1, PAGE_LINES, true), 0, lines, lines);
    /* With a line less a page the touch catches up with its evictions after a while. */
    assert_touch(cache_touch(cache, 0, pages + 1, PAGE_LINES - 1, false),
                 (pages - 63) * (PAGE_LINES - 1), 64 * (PAGE_LINES - 1), 63 * PAGE_LINES);
    cache_touch(cache, 0, pages + 1, PAGE_LINES, false);
    cache_flush(cache, 0, pages + 1);
    assert_resident(cache, 0, 0);
    cache_free(cache);
}

/* --- what no caller may ask for --- */

static struct {
    bool exact;
    uint64_t first, pages;
    uint32_t density;
} asked;

static void ask_touch(void)
{
    cache_touch(new_cache(asked.exact), asked.first, asked.pages, asked.density, false);
}

static void ask_clean(void)
{
    struct line_counts found;
    cache_clean_then_access(new_cache(asked.exact), asked.first, asked.pages, asked.density, true,
                            &found);
}

static void ask_flush(void)
{
    cache_flush(new_cache(asked.exact), asked.first, asked.pages);
}

static void ask_next(void)
{
    cache_next(new_cache(asked.exact), asked.first, asked.first + asked.pages);
}

static void misuse_aborts(void **state)
{
    const uint64_t most = UINT64_MAX / CACHE_PAGE_BYTES;
    (void)state;
    for (int exact = 0; exact <= 1; exact++) {
        asked.exact = exact;
        asked.density = PAGE_LINES + 1;
        asked.first = asked.pages = 1;
        expect_abort(ask_touch);
        expect_abort(ask_clean);
        asked.density = PAGE_LINES;
        asked.first = most;
        expect_abort(ask_touch);
        expect_abort(ask_clean);
        expect_abort(ask_flush);
        expect_abort(ask_next);
        asked.first = most - 1; /* the last page there is */
        expect_exit(ask_touch, 0);
        expect_exit(ask_clean, 0);
        expect_exit(ask_flush, 0);
        expect_exit(ask_next, 0);
    }
}

#define BOTH_TESTS(name) cmocka_unit_test(fast_##name), cmocka_unit_test(exact_##name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_TESTS(starts_empty),
        BOTH_TESTS(nothing_is_found_without_bytes),
        BOTH_TESTS(fewer_lines_than_ways_are_one_set),
        BOTH_TESTS(line_size_sets_lines_per_page),
        BOTH_TESTS(density_counts_the_first_lines),
        BOTH_TESTS(flush_empties_and_look_does_not),
        BOTH_TESTS(evicts_the_least_recently_used),
        BOTH_TESTS(loops_longer_than_the_cache_never_hit),
        BOTH_TESTS(works_at_the_end_of_the_address_space),
        BOTH_TESTS(conserves_lines),
        cmocka_unit_test(more_runs_than_were_made_are_kept),
        cmocka_unit_test(pages_in_a_row_are_one_run),
        cmocka_unit_test(length_costs_nothing),
        cmocka_unit_test(misuse_aborts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

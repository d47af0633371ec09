/* Ranges of memory that several sockets' caches have parts of: what is done to a range at once is
 * what is done to its pages one after the other. */
#include "check.h"

#include "core/units.h"
#include "machine/sockets.h"

#include <string.h>

#define PAGES 24
#define LINE 64
#define LINES (CACHE_PAGE_BYTES / LINE) /* of a page */

/* The same caches twice: one is asked for ranges, the other for pages. */
struct twin {
    struct pool pool;
    struct cache *cache[3];
    struct sockets sockets;
};

static void twin_init(struct twin *twin, uint32_t count, bool exact)
{
    interval_map_pool_init(&twin->pool, 256);
    for (uint32_t i = 0; i < count; i++) {
        twin->cache[i] = cache_new(exact, 4 * MIB, 16, LINE, 512); /* nothing is evicted */
    }
    sockets_init(&twin->sockets, count, twin->cache, &twin->pool);
}

static void twin_free(struct twin *twin)
{
    for (uint32_t i = 0; i < twin->sockets.count; i++) {
        cache_free(twin->cache[i]);
    }
    pool_free(&twin->pool);
}

enum deed { TOUCH, CLEAN, FLUSH, ALLOCATE, DEEDS };

struct came {
    struct touch_counts met;
    struct line_counts found;
};

static struct came act(struct sockets *sockets, enum deed deed, uint32_t socket, uint64_t first,
                       uint64_t end, uint32_t density, bool write)
{
    const struct socket_range range = {first * CACHE_PAGE_BYTES, end * CACHE_PAGE_BYTES};
    struct came came = {0};
    switch (deed) {
    case TOUCH:
        came.met = sockets_touch(sockets, socket, range, density, write);
        break;
    case CLEAN:
        came.met = sockets_clean_then_access(sockets, socket, range, density, write, &came.found);
        break;
    case FLUSH:
        came.found = sockets_flush(sockets, range);
        break;
    case ALLOCATE:
        sockets_allocate(sockets, socket, range);
        break;
    case DEEDS:
        break;
    }
    return came;
}

static void add(struct came *sum, struct came more)
{
    sum->met.hits += more.met.hits;
    sum->met.misses += more.met.misses;
    sum->met.evicted_dirty += more.met.evicted_dirty;
    sum->met.remote += more.met.remote;
    sum->found.absent += more.found.absent;
    sum->found.clean += more.found.clean;
    sum->found.dirty += more.found.dirty;
}

static void same_state(struct twin *whole, struct twin *pages)
{
    for (uint64_t page = 0; page < PAGES; page++) {
        uint64_t at = page * CACHE_PAGE_BYTES, end = PAGES * CACHE_PAGE_BYTES;
        assert_int_equal(sockets_next(&whole->sockets, at, end),
                         sockets_next(&pages->sockets, at, end));
        for (uint32_t socket = 0; socket < whole->sockets.count; socket++) {
            assert_int_equal(sockets_far(&whole->sockets, socket, at),
                             sockets_far(&pages->sockets, socket, at));
        }
    }
}

static void play(uint64_t seed, uint32_t sockets, bool exact)
{
    struct dice dice = dice_of(seed);
    struct twin whole, pages;
    twin_init(&whole, sockets, exact);
    twin_init(&pages, sockets, exact);
    for (int turn = 0; turn < 30; turn++) {
        enum deed deed = (enum deed)roll(&dice, DEEDS);
        uint32_t socket = (uint32_t)roll(&dice, sockets);
        uint64_t first = roll(&dice, PAGES), end = first + 1 + roll(&dice, PAGES - first);
        uint32_t density = 1 + (uint32_t)roll(&dice, LINES);
        bool write = roll(&dice, 2);
        struct came one = act(&whole.sockets, deed, socket, first, end, density, write), sum = {0};
        for (uint64_t page = first; page < end; page++) {
            add(&sum, act(&pages.sockets, deed, socket, page, page + 1, density, write));
        }
        if (memcmp(&one, &sum, sizeof one) != 0) {
            fail_msg(
                "seed %llu, turn %d: deed %d of socket %u on [%llu, %llu), %u lines, %s: "
                "%llu hits, %llu misses, %llu remote, %llu, %llu and %llu lines; by pages %llu, "
                "%llu, %llu, %llu, %llu and %llu",
                (unsigned long long)seed, turn, (int)deed, socket, (unsigned long long)first,
                (unsigned long long)end, density, write ? "written" : "read",
                (unsigned long long)one.met.hits, (unsigned long long)one.met.misses,
                (unsigned long long)one.met.remote, (unsigned long long)one.found.absent,
                (unsigned long long)one.found.clean, (unsigned long long)one.found.dirty,
                (unsigned long long)sum.met.hits, (unsigned long long)sum.met.misses,
                (unsigned long long)sum.met.remote, (unsigned long long)sum.found.absent,
                (unsigned long long)sum.found.clean, (unsigned long long)sum.found.dirty);
        }
        if (deed == CLEAN || deed == FLUSH) {
            assert_int_equal(one.found.absent + one.found.clean + one.found.dirty,
                             (end - first) * LINES);
        }
        same_state(&whole, &pages);
    }
    twin_free(&whole);
    twin_free(&pages);
}

static void ranges_are_their_pages(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        for (uint32_t sockets = 1; sockets <= 3; sockets++) {
            play(seed, sockets, true);
            play(seed, sockets, false);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranges_are_their_pages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "check.h"

#include <string.h>

#include "core/interval_map.h"

/* The reference: a line of bytes that begins somewhere on the 64-bit line. */
#define LINE 96

struct flat {
    uint64_t base;
    uint8_t value[LINE];
};

/* How far the value at `from` holds, at most to the end of the line. */
static size_t flat_extent(const struct flat *flat, size_t from)
{
    size_t to = from;
    while (to < LINE && flat->value[to] == flat->value[from]) {
        to++;
    }
    return to;
}

static size_t flat_covered(const struct flat *flat)
{
    size_t covered = 0;
    for (size_t i = 0; i < LINE; i++) {
        covered += flat->value[i] != 0;
    }
    return covered;
}

static void expect_run(const struct interval *interval, uint64_t start, uint64_t end,
                       uint64_t value)
{
    assert_non_null(interval);
    assert_int_equal(interval->start, start);
    assert_int_equal(interval->end, end);
    assert_int_equal(interval->value, value);
}

/* Compares the map's intervals, forward and backward, with the line's maximal
 * stretches of one value; returns how many there are. Equal means coalesced. */
static size_t expect_same(struct interval_map *map, const struct flat *flat)
{
    struct interval *interval = interval_map_find(map, 0);
    struct interval *last = NULL;
    size_t count = 0;
    for (size_t at = 0; at < LINE; at = flat_extent(flat, at)) {
        if (flat->value[at] == 0) {
            continue;
        }
        expect_run(interval, flat->base + at, flat->base + flat_extent(flat, at), flat->value[at]);
        assert_ptr_equal(interval->before, last);
        last = interval;
        interval = interval->after;
        count++;
    }
    assert_null(interval);
    assert_int_equal(map->covered, flat_covered(flat));
    return count;
}

static void expect_value_at(struct interval_map *map, uint64_t at, uint64_t value, uint64_t end)
{
    uint64_t got_end = 0;
    assert_int_equal(interval_map_value(map, at, &got_end), value);
    assert_int_equal(got_end, end);
}

static void a_new_map_holds_nothing(void **state)
{
    (void)state;
    struct pool pool;
    struct interval_map map;
    interval_map_pool_init(&pool, 4);
    interval_map_init(&map, &pool);
    assert_null(interval_map_find(&map, 0));
    assert_false(interval_map_any(&map, 0, UINT64_MAX));
    expect_value_at(&map, 17, 0, UINT64_MAX);
    interval_map_set(&map, 3, 9, 0);
    assert_int_equal(map.covered, 0);
    assert_int_equal(pool.live, 0);
    pool_free(&pool);
}

static void find_gives_the_holder_or_the_next(void **state)
{
    (void)state;
    struct pool pool;
    struct interval_map map;
    interval_map_pool_init(&pool, 4);
    interval_map_init(&map, &pool);
    interval_map_set(&map, 10, 20, 5);
    interval_map_set(&map, 30, 40, 6);
    expect_run(interval_map_find(&map, 0), 10, 20, 5);
    expect_run(interval_map_find(&map, 10), 10, 20, 5);
    expect_run(interval_map_find(&map, 19), 10, 20, 5);
    expect_run(interval_map_find(&map, 20), 30, 40, 6);
    assert_null(interval_map_find(&map, 40));
    expect_value_at(&map, 0, 0, 10);
    expect_value_at(&map, 15, 5, 20);
    expect_value_at(&map, 20, 0, 30);
    expect_value_at(&map, 40, 0, UINT64_MAX);
    pool_free(&pool);
}

static void any_sees_the_smallest_overlap(void **state)
{
    (void)state;
    struct pool pool;
    struct interval_map map;
    interval_map_pool_init(&pool, 4);
    interval_map_init(&map, &pool);
    interval_map_set(&map, 10, 20, 5);
    assert_false(interval_map_any(&map, 0, 10));
    assert_true(interval_map_any(&map, 0, 11));
    assert_true(interval_map_any(&map, 19, 25));
    assert_false(interval_map_any(&map, 20, 25));
    assert_true(interval_map_any(&map, 0, UINT64_MAX));
    pool_free(&pool);
}

static void set_overwrites_and_splits(void **state)
{
    (void)state;
    struct pool pool;
    struct interval_map map;
    interval_map_pool_init(&pool, 8);
    interval_map_init(&map, &pool);
    interval_map_set(&map, 0, 100, 1);
    interval_map_set(&map, 40, 60, 2);
    expect_run(interval_map_find(&map, 0), 0, 40, 1);
    expect_run(interval_map_find(&map, 40), 40, 60, 2);
    expect_run(interval_map_find(&map, 60), 60, 100, 1);
    assert_int_equal(map.covered, 100);
    interval_map_set(&map, 50, 70, 0);
    expect_run(interval_map_find(&map, 50), 70, 100, 1);
    assert_int_equal(map.covered, 80);
    interval_map_set(&map, 0, 100, 1);
    expect_run(interval_map_find(&map, 50), 0, 100, 1);
    assert_int_equal(pool.live, 1);
    pool_free(&pool);
}

/* The reason for intervals: a terabyte set page by page must cost one of them. */
static void neighbours_of_equal_value_are_one_run(void **state)
{
    (void)state;
    const uint64_t page = 4096, pages = 20000;
    struct pool pool;
    struct interval_map map;
    interval_map_pool_init(&pool, 3);
    interval_map_init(&map, &pool);
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t at = (i % 2 ? pages + i / 2 : pages - 1 - i / 2) * page;
        interval_map_set(&map, at, at + page, 9);
    }
    assert_int_equal(pool.live, 1);
    expect_run(interval_map_find(&map, 0), pages / 2 * page, (pages + pages / 2) * page, 9);
    interval_map_set(&map, 0, pages / 2 * page, 8);
    assert_int_equal(pool.live, 2);
    pool_free(&pool);
}

static void clearing_gives_all_runs_back(void **state)
{
    (void)state;
    struct pool pool;
    struct interval_map map;
    interval_map_pool_init(&pool, 10);
    interval_map_init(&map, &pool);
    for (int round = 0; round < 100; round++) {
        for (uint64_t i = 0; i < 10; i++) {
            interval_map_set(&map, 3 * i, 3 * i + 1, i + 1);
        }
        assert_int_equal(pool.live, 10);
        interval_map_set(&map, 0, UINT64_MAX, 0);
        assert_int_equal(pool.live, 0);
        assert_int_equal(map.covered, 0);
        assert_null(interval_map_find(&map, 0));
    }
    assert_int_equal(pool.block_count, 10); /* it never grew */
    pool_free(&pool);
}

static void the_whole_line_can_be_set(void **state)
{
    (void)state;
    struct pool pool;
    struct interval_map map;
    interval_map_pool_init(&pool, 4);
    interval_map_init(&map, &pool);
    interval_map_set(&map, 0, UINT64_MAX, 1);
    assert_true(map.covered == UINT64_MAX);
    expect_value_at(&map, UINT64_MAX - 1, 1, UINT64_MAX);
    interval_map_set(&map, UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX);
    expect_value_at(&map, UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX);
    expect_value_at(&map, 0, 1, UINT64_C(1) << 63);
    pool_free(&pool);
}

static void set_an_empty_range(void)
{
    struct pool pool;
    struct interval_map map;
    interval_map_pool_init(&pool, 4);
    interval_map_init(&map, &pool);
    interval_map_set(&map, 5, 5, 1);
}

/* Runs do not move as their pool grows: what is in a map stays there. */
static void a_pool_grows(void **state)
{
    (void)state;
    struct pool pool;
    struct interval_map map, other;
    interval_map_pool_init(&pool, 2);
    interval_map_init(&map, &pool);
    interval_map_init(&other, &pool);
    for (uint64_t i = 0; i < 1000; i++) {
        interval_map_set(&map, 3 * i, 3 * i + 1, i + 1);
        interval_map_set(&other, 3 * i, 3 * i + 2, 1);
    }
    assert_int_equal(pool.live, 2000);
    for (uint64_t i = 0; i < 1000; i++) {
        expect_value_at(&map, 3 * i, i + 1, 3 * i + 1);
    }
    interval_map_set(&other, 0, 3000, 0);
    assert_int_equal(pool.live, 1000);
    pool_free(&pool);
}

static void misuse_aborts(void **state)
{
    (void)state;
    expect_abort(set_an_empty_range);
}

/* What interval_map_update hands to its callback must be the old line, piece by
 * piece: `at` is where the next piece has to begin. */
struct update {
    const struct flat *old;
    uint64_t at;
    unsigned rule;
    unsigned pieces;
};

static uint8_t changed_value(unsigned rule, uint8_t value)
{
    const uint8_t rules[][4] = {
        {1, 2, 3, 0}, {0, 1, 1, 1}, {2, 2, 2, 2}, {0, 3, 2, 1}, {3, 0, 0, 1}};
    return rules[rule][value];
}

static uint64_t change(uint64_t value, uint64_t start, uint64_t end, void *context)
{
    struct update *update = context;
    assert_int_equal(start, update->at);
    assert_true(start < end);
    for (uint64_t i = start; i < end; i++) {
        assert_int_equal(update->old->value[i - update->old->base], value);
    }
    update->at = end;
    update->pieces++;
    return changed_value(update->rule, (uint8_t)value);
}

/* Every piece is as long as its value and the range allow: a terabyte in one
 * state is one call. */
static unsigned pieces_expected(const struct flat *flat, size_t from, size_t to)
{
    unsigned pieces = 0;
    for (size_t at = from; at < to; at = flat_extent(flat, at)) {
        pieces++;
    }
    return pieces;
}

static void update_both(struct dice *dice, struct interval_map *map, struct flat *flat, size_t from,
                        size_t to)
{
    struct flat old = *flat;
    struct update update = {&old, flat->base + from, (unsigned)roll(dice, 5), 0};
    for (size_t i = from; i < to; i++) {
        flat->value[i] = changed_value(update.rule, flat->value[i]);
    }
    interval_map_update(map, flat->base + from, flat->base + to, change, &update);
    assert_int_equal(update.at, flat->base + to);
    assert_int_equal(update.pieces, pieces_expected(&old, from, to));
}

static void ask_both(struct interval_map *map, const struct flat *flat, size_t from, size_t to)
{
    bool any = false;
    for (size_t i = from; i < to; i++) {
        any |= flat->value[i] != 0;
    }
    assert_int_equal(interval_map_any(map, flat->base + from, flat->base + to), any);
    size_t end = flat_extent(flat, from);
    bool past_the_last = end == LINE && flat->value[from] == 0;
    expect_value_at(map, flat->base + from, flat->value[from],
                    past_the_last ? UINT64_MAX : flat->base + end);
    const struct interval *interval = interval_map_find(map, flat->base + from);
    if (flat->value[from] != 0) {
        expect_run(interval, interval->start, flat->base + end, flat->value[from]);
        assert_true(interval->start <= flat->base + from);
    } else if (past_the_last) {
        assert_null(interval);
    } else {
        assert_int_equal(interval->start, flat->base + end);
    }
}

static void random_move(struct dice *dice, struct interval_map *map, struct flat *flat)
{
    size_t from = roll(dice, LINE);
    size_t longest = chance(dice, 70) && from + 8 < LINE ? 8 : LINE - from;
    size_t to = from + 1 + roll(dice, longest);
    to = to > LINE ? LINE : to;
    uint64_t what = roll(dice, 100);
    if (what < 50) {
        uint8_t value = (uint8_t)roll(dice, 4);
        memset(flat->value + from, value, to - from);
        interval_map_set(map, flat->base + from, flat->base + to, value);
    } else if (what < 70) {
        update_both(dice, map, flat, from, to);
    } else if (what < 99) {
        ask_both(map, flat, from, to);
    } else {
        memset(flat->value, 0, LINE);
        interval_map_set(map, 0, UINT64_MAX, 0);
    }
}

/* Two maps share a pool that has no more room than both could ever need, plus
 * the one interval that a change may hold until it has joined its neighbours. */
static void play_case(uint64_t seed)
{
    const uint64_t bases[] = {0, 1, UINT64_C(1) << 40, UINT64_MAX - LINE};
    struct dice dice = dice_of(seed);
    struct pool pool;
    struct interval_map maps[2];
    struct flat flats[2] = {{.base = bases[seed % 4]}, {.base = bases[(seed + 1) % 4]}};
    interval_map_pool_init(&pool, 2 * LINE + 1);
    interval_map_init(&maps[0], &pool);
    interval_map_init(&maps[1], &pool);
    for (int i = 0; i < 400; i++) {
        size_t which = roll(&dice, 2);
        random_move(&dice, &maps[which], &flats[which]);
        size_t live = expect_same(&maps[0], &flats[0]) + expect_same(&maps[1], &flats[1]);
        assert_int_equal(pool.live, live);
    }
    interval_map_set(&maps[0], 0, UINT64_MAX, 0);
    interval_map_set(&maps[1], 0, UINT64_MAX, 0);
    assert_int_equal(pool.live, 0);
    pool_free(&pool);
}

static void any_history_equals_a_line_of_bytes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        play_case(seed);
    }
}

/* A pool of what is live at most must last for ever. */
static void the_pool_is_used_again(void **state)
{
    (void)state;
    struct pool pool;
    struct interval_map map;
    interval_map_pool_init(&pool, 5);
    interval_map_init(&map, &pool);
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t at = rng_mix64(i) >> 8;
        interval_map_set(&map, at, at + 10, 1);
        interval_map_set(&map, at + 3, at + 5, 2);
        interval_map_set(&map, at + 4, at + 8, 0);
        assert_int_equal(pool.live, 3);
        interval_map_set(&map, at, at + 10, 0);
        assert_int_equal(pool.live, 0);
    }
    assert_int_equal(pool.block_count, 5);
    pool_free(&pool);
}

/* What was looked up last is remembered by place, and places of many regions are many: of 256
 * regions more than half have one of their own. Nothing but the time of a run tells. */
static void places_are_remembered(void **state)
{
    enum { REGIONS = 256 };
    const uint64_t region = UINT64_C(1) << INTERVAL_RECENT_SHIFT;
    struct interval_map map;
    struct pool pool;
    size_t places = 0;
    (void)state;
    interval_map_pool_init(&pool, 4 * REGIONS);
    interval_map_init(&map, &pool);
    for (uint64_t i = 0; i < REGIONS; i++) {
        interval_map_set(&map, i * region, i * region + 4096, 1 + i % 2);
        size_t at = 0;
        const struct interval *set = interval_map_find(&map, i * region);
        while (at < sizeof map.recent / sizeof *map.recent && map.recent[at] != set) {
            at++;
        }
        assert_true(at < sizeof map.recent / sizeof *map.recent);
    }
    for (size_t at = 0; at < sizeof map.recent / sizeof *map.recent; at++) {
        places += map.recent[at] != NULL;
    }
    assert_in_range(places, REGIONS / 2, REGIONS);
    pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_map_holds_nothing),
        cmocka_unit_test(find_gives_the_holder_or_the_next),
        cmocka_unit_test(any_sees_the_smallest_overlap),
        cmocka_unit_test(set_overwrites_and_splits),
        cmocka_unit_test(neighbours_of_equal_value_are_one_run),
        cmocka_unit_test(clearing_gives_all_runs_back),
        cmocka_unit_test(the_whole_line_can_be_set),
        cmocka_unit_test(a_pool_grows),
        cmocka_unit_test(misuse_aborts),
        cmocka_unit_test(any_history_equals_a_line_of_bytes),
        cmocka_unit_test(the_pool_is_used_again),
        cmocka_unit_test(places_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

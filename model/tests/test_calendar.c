#include "check.h"

#include <string.h>

#include "core/calendar.h"

/* The reference: all pending events, sorted by time and then by push. */
struct event {
    ps_t time;
    uint32_t id;
};

#define PENDING_MAX 4096

struct sorted {
    struct event list[PENDING_MAX];
    size_t count;
};

static void sorted_push(struct sorted *ref, ps_t time, uint32_t id)
{
    size_t at = ref->count;
    assert_true(ref->count < PENDING_MAX);
    while (at > 0 && ref->list[at - 1].time > time) {
        at--;
    }
    memmove(&ref->list[at + 1], &ref->list[at], (ref->count - at) * sizeof ref->list[0]);
    ref->list[at] = (struct event){time, id};
    ref->count++;
}

static struct event sorted_pop(struct sorted *ref)
{
    struct event first = ref->list[0];
    ref->count--;
    memmove(&ref->list[0], &ref->list[1], ref->count * sizeof ref->list[0]);
    return first;
}

static void expect_pop(struct calendar *cal, ps_t want_time, uint32_t want_id)
{
    ps_t time = 0;
    uint32_t id = 0;
    assert_true(calendar_pop(cal, &time, &id));
    assert_int_equal(time, want_time);
    assert_int_equal(id, want_id);
}

static void expect_empty(struct calendar *cal)
{
    ps_t time;
    uint32_t id;
    assert_int_equal(cal->count, 0);
    assert_true(calendar_next(cal) == UINT64_MAX);
    assert_false(calendar_pop(cal, &time, &id));
    assert_false(calendar_pop(cal, &time, &id));
}

static void empty_has_nothing(void **state)
{
    (void)state;
    struct calendar cal;
    calendar_init(&cal, 0);
    expect_empty(&cal);
    calendar_push(&cal, 0, 3);
    assert_int_equal(calendar_next(&cal), 0);
    expect_pop(&cal, 0, 3);
    expect_empty(&cal);
    calendar_push(&cal, 9, 4);
    expect_pop(&cal, 9, 4);
    expect_empty(&cal);
    calendar_free(&cal);
}

static void earliest_pops_first(void **state)
{
    (void)state;
    const ps_t times[] = {50, 10, 40, 20, 30, 0};
    struct calendar cal;
    calendar_init(&cal, 8);
    for (uint32_t i = 0; i < 6; i++) {
        calendar_push(&cal, times[i], i);
    }
    const uint32_t order[] = {5, 1, 3, 4, 2, 0};
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(calendar_next(&cal), times[order[i]]);
        expect_pop(&cal, times[order[i]], order[i]);
    }
    calendar_free(&cal);
}

/* Ids fall while pushes rise, so an order by id would be seen. */
static void ties_pop_in_push_order(void **state)
{
    (void)state;
    struct calendar cal;
    calendar_init(&cal, 4);
    for (uint32_t i = 0; i < 300; i++) {
        calendar_push(&cal, 7, 1000 - i);
    }
    for (uint32_t i = 0; i < 300; i++) {
        expect_pop(&cal, 7, 1000 - i);
    }
    expect_empty(&cal);
    calendar_free(&cal);
}

static void a_push_into_the_hole_queues_behind_its_ties(void **state)
{
    (void)state;
    struct calendar cal;
    calendar_init(&cal, 4);
    calendar_push(&cal, 5, 3);
    calendar_push(&cal, 5, 2);
    expect_pop(&cal, 5, 3);
    calendar_push(&cal, 5, 1);
    assert_int_equal(cal.count, 2);
    expect_pop(&cal, 5, 2);
    calendar_push(&cal, 4, 9);
    expect_pop(&cal, 4, 9);
    assert_int_equal(calendar_next(&cal), 5);
    calendar_push(&cal, 5, 0);
    expect_pop(&cal, 5, 1);
    expect_pop(&cal, 5, 0);
    expect_empty(&cal);
    calendar_free(&cal);
}

static void room_as_asked_then_it_grows(void **state)
{
    (void)state;
    struct calendar cal;
    calendar_init(&cal, 100);
    const void *storage = cal.storage;
    for (uint32_t i = 0; i < 100; i++) {
        calendar_push(&cal, 100 - i, i);
    }
    assert_ptr_equal(cal.storage, storage);
    for (uint32_t i = 100; i < 5000; i++) {
        calendar_push(&cal, i + 1, i);
    }
    assert_true(cal.capacity >= 5000);
    for (uint32_t i = 100; i > 0; i--) {
        expect_pop(&cal, 101 - i, i - 1);
    }
    for (uint32_t i = 100; i < 5000; i++) {
        expect_pop(&cal, i + 1, i);
    }
    expect_empty(&cal);
    calendar_free(&cal);
}

static void growth_next_to_a_hole_loses_nothing(void **state)
{
    (void)state;
    struct calendar cal;
    calendar_init(&cal, 1);
    uint32_t full = cal.capacity;
    for (uint32_t i = 0; i < full; i++) {
        calendar_push(&cal, i, i);
    }
    expect_pop(&cal, 0, 0);
    for (uint32_t i = full; i < full + 40; i++) {
        calendar_push(&cal, i, i);
    }
    for (uint32_t i = 1; i < full + 40; i++) {
        expect_pop(&cal, i, i);
    }
    expect_empty(&cal);
    calendar_free(&cal);
}

static void extreme_times_and_ids_survive(void **state)
{
    (void)state;
    struct calendar cal;
    calendar_init(&cal, 4);
    calendar_push(&cal, UINT64_MAX - 1, CALENDAR_ID_MAX - 1);
    calendar_push(&cal, UINT64_C(1) << 63, 0);
    calendar_push(&cal, 0, CALENDAR_ID_MAX);
    expect_pop(&cal, 0, CALENDAR_ID_MAX);
    expect_pop(&cal, UINT64_C(1) << 63, 0);
    expect_pop(&cal, UINT64_MAX - 1, CALENDAR_ID_MAX - 1);
    calendar_free(&cal);
}

/* Nobody pushes 2^40 times in a test, so the count of pushes is set forward. */
static void ties_hold_up_to_the_last_push(void **state)
{
    (void)state;
    struct calendar cal;
    calendar_init(&cal, 8);
    cal.sequence = (UINT64_C(1) << 40) - 5;
    for (uint32_t i = 0; i < 5; i++) {
        calendar_push(&cal, 1, CALENDAR_ID_MAX - i);
    }
    for (uint32_t i = 0; i < 5; i++) {
        expect_pop(&cal, 1, CALENDAR_ID_MAX - i);
    }
    calendar_free(&cal);
}

static void assert_siblings_share_a_line(const struct calendar *cal)
{
    assert_int_equal((uintptr_t)&cal->heap[1] % 64, 0);
    assert_int_equal(sizeof cal->heap[0], 16);
}

static void siblings_share_a_cache_line(void **state)
{
    (void)state;
    struct calendar cal;
    for (uint32_t capacity = 1; capacity < 200; capacity += 7) {
        calendar_init(&cal, capacity);
        assert_siblings_share_a_line(&cal);
        for (uint32_t i = 0; i < 1000; i++) {
            calendar_push(&cal, i, i);
        }
        assert_siblings_share_a_line(&cal);
        calendar_free(&cal);
    }
}

/* A mood decides what a case does most, so that it both grows and drains. */
static void random_move(struct dice *dice, struct calendar *cal, struct sorted *ref, ps_t spread,
                        uint64_t push_percent)
{
    if (chance(dice, push_percent) && ref->count < PENDING_MAX) {
        ps_t time = roll(dice, spread);
        uint32_t id = (uint32_t)roll(dice, CALENDAR_ID_MAX);
        calendar_push(cal, time, id);
        sorted_push(ref, time, id);
    } else if (ref->count > 0) {
        struct event want = sorted_pop(ref);
        expect_pop(cal, want.time, want.id);
    } else {
        expect_empty(cal);
    }
    assert_int_equal(cal->count, ref->count);
    if (chance(dice, 25)) {
        assert_true(calendar_next(cal) == (ref->count ? ref->list[0].time : UINT64_MAX));
    }
}

static void play_case(uint64_t seed)
{
    static struct sorted ref;
    struct dice dice = dice_of(seed);
    struct calendar cal;
    const ps_t spreads[] = {1, 4, 50, 100000, UINT64_MAX - 1};
    ps_t spread = spreads[seed % 5];
    ref.count = 0;
    calendar_init(&cal, (uint32_t)roll(&dice, 40));
    for (int phase = 0; phase < 6; phase++) {
        uint64_t push_percent = 20 + roll(&dice, 65);
        for (int i = 0; i < 250; i++) {
            random_move(&dice, &cal, &ref, spread, push_percent);
        }
    }
    while (ref.count > 0) {
        struct event want = sorted_pop(&ref);
        expect_pop(&cal, want.time, want.id);
    }
    expect_empty(&cal);
    calendar_free(&cal);
}

static void any_interleaving_equals_a_sorted_array(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        play_case(seed);
    }
}

/* The hold model: one pop, one push not before it, as an engine does. */
static void hold_pattern_equals_a_sorted_array(void **state)
{
    (void)state;
    static struct sorted ref;
    struct dice dice = dice_of(77);
    struct calendar cal;
    calendar_init(&cal, 16);
    ref.count = 0;
    for (uint32_t i = 0; i < 100; i++) {
        calendar_push(&cal, i % 3, i);
        sorted_push(&ref, i % 3, i);
    }
    for (int i = 0; i < 50000; i++) {
        struct event want = sorted_pop(&ref);
        expect_pop(&cal, want.time, want.id);
        ps_t time = want.time + roll(&dice, 8);
        calendar_push(&cal, time, want.id);
        sorted_push(&ref, time, want.id);
    }
    calendar_free(&cal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_has_nothing),
        cmocka_unit_test(earliest_pops_first),
        cmocka_unit_test(ties_pop_in_push_order),
        cmocka_unit_test(a_push_into_the_hole_queues_behind_its_ties),
        cmocka_unit_test(room_as_asked_then_it_grows),
        cmocka_unit_test(growth_next_to_a_hole_loses_nothing),
        cmocka_unit_test(extreme_times_and_ids_survive),
        cmocka_unit_test(ties_hold_up_to_the_last_push),
        cmocka_unit_test(siblings_share_a_cache_line),
        cmocka_unit_test(any_interleaving_equals_a_sorted_array),
        cmocka_unit_test(hold_pattern_equals_a_sorted_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

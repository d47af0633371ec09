#include "script.h"

#include <math.h>
#include <stdlib.h>

/* --- flows --- */

struct work {
    ps_t start, alone;
    double weight;
    ps_t end; /* expected */
};

/* Times are rounded up to whole picoseconds, once per end of a neighbour. */
static void expect_near(ps_t got, ps_t want, ps_t off)
{
    assert_in_range(got, want > off ? want - off : 0, want + off);
}

/* Also: an outdated appointment of a path must not make new ones, or the number
 * of events would grow with the square of the number of users. An actor needs
 * five: its start, waking up, two for the path, going on. */
static void expect_ends(const struct work *works, uint32_t count, ps_t off)
{
    static struct world world;
    struct move moves[PLAYERS_MAX][3];
    world_init(&world, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct work *w = &works[i];
        const struct move script[3] = {UNTIL(w->start), FLOW(0, w->alone, w->weight), END};
        memcpy(moves[i], script, sizeof script);
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    assert_true(world.engine.events <= UINT64_C(5) * count);
    for (uint32_t i = 0; i < count; i++) {
        expect_near(end_of(&world, i), works[i].end, off);
        assert_int_equal(waited_for(&world, i, AT_FLOW),
                         end_of(&world, i) - works[i].start - works[i].alone);
        assert_int_equal(waited_for(&world, i, LEDGER_ALL), waited_for(&world, i, AT_FLOW));
    }
    world_free(&world);
}

static void one_that_fits_goes_at_its_own_speed(void **state)
{
    (void)state;
    const struct work light[] = {{70, 1000, 0.3, 1070}};
    const struct work full[] = {{0, 1000, 1.0, 1000}};
    expect_ends(light, 1, 0);
    expect_ends(full, 1, 0);
}

/* The second of each pair makes the first join the path the long way, with an
 * event on the calendar, which must take as long. */
static void one_that_is_too_wide_is_slowed_down(void **state)
{
    (void)state;
    const struct work twice[] = {{0, 1000, 2.0, 2000}};
    const struct work wide[] = {{5, 1000, 1.25, 1255}};
    const struct work watched[] = {{0, 1000, 2.0, 2000}, {2500, 0, 0.5, 2500}};
    const struct work disturbed[] = {{0, 1000, 2.0, 2000}, {500, 0, 0.5, 500}};
    expect_ends(twice, 1, 0);
    expect_ends(wide, 1, 0);
    expect_ends(watched, 2, 0);
    expect_ends(disturbed, 2, 0);
}

/* What needs no more than the path has takes as long as its core does, to the picosecond: beyond
 * 2^53 a double would not hold that. */
static void one_that_fits_is_not_rounded(void **state)
{
    (void)state;
    const ps_t alone = (UINT64_C(1) << 53) + 1;
    const struct work full[] = {{0, alone, 1.0, alone}};
    const struct work light[] = {{3, alone, 0.5, alone + 3}};
    expect_ends(full, 1, 0);
    expect_ends(light, 1, 0);
}

static void two_of_equal_weight_share(void **state)
{
    (void)state;
    const struct work fit[] = {{0, 1000, 0.5, 1000}, {0, 1000, 0.5, 1000}};
    const struct work full[] = {{0, 1000, 1, 2000}, {0, 1000, 1, 2000}};
    const struct work uneven[] = {{0, 1000, 1, 1500}, {0, 500, 1, 1000}};
    const struct work late[] = {{0, 1000, 1, 1500}, {500, 1000, 1, 2000}};
    expect_ends(fit, 2, 0);
    expect_ends(full, 2, 0);
    expect_ends(uneven, 2, 0);
    expect_ends(late, 2, 0);
}

/* 0.25 and 1: the light one gets all it needs, the other 0.75 until 1000 and
 * then everything. 0.5 and 2: half each; the wide one goes at a quarter of its
 * speed until 1000 and at half from then on. */
static void two_of_unequal_weight_are_max_min_fair(void **state)
{
    (void)state;
    const struct work light[] = {{0, 1000, 0.25, 1000}, {0, 1000, 1, 1250}};
    const struct work wide[] = {{0, 1000, 2, 2500}, {0, 1000, 0.5, 1000}};
    const struct work both[] = {{0, 1000, 2, 4000}, {0, 1000, 4, 6000}};
    expect_ends(light, 2, 0);
    expect_ends(wide, 2, 0);
    expect_ends(both, 2, 0);
}

/* The light ones get the 0.125 and 0.25 that they need, the two of weight 1 get
 * 0.3125 each until 1600, then 0.4375 until 3200, then half: 500, 700 and 400
 * of their 1600. */
static void many_are_max_min_fair(void **state)
{
    (void)state;
    struct work equal[8];
    const struct work mixed[] = {
        {0, 1600, 1, 4000}, {0, 3200, 0.125, 3200}, {0, 1600, 0.25, 1600}, {0, 1600, 1, 4000}};
    for (int i = 0; i < 8; i++) {
        equal[i] = (struct work){0, 1000, 1, 8000};
    }
    expect_ends(equal, 8, 0);
    expect_ends(mixed, 4, 0);
}

/* More than a path remembers the shares of, and then again few of them. */
static void very_many_are_fair(void **state)
{
    struct work works[PLAYERS_MAX];
    (void)state;
    for (ps_t i = 0; i < PLAYERS_MAX; i++) {
        ps_t ends = i % 2 == 0 ? 1000 * PLAYERS_MAX : 1500 * PLAYERS_MAX;
        works[i] = (struct work){0, i % 2 == 0 ? 1000 : 2000, 1, ends};
    }
    expect_ends(works, PLAYERS_MAX, 0);
}

/* Ten tenths fill a path exactly and slow nobody down; rounding may cost 1 ps. */
static void weights_of_one_in_sum_slow_nobody(void **state)
{
    (void)state;
    struct work tenths[10];
    for (int i = 0; i < 10; i++) {
        tenths[i] = (struct work){0, 1000000, 0.1, 1000000};
    }
    expect_ends(tenths, 10, 1);
}

static void paths_are_independent(void **state)
{
    (void)state;
    static struct world world;
    const struct move one[] = {FLOW(0, 1000, 1), END};
    const struct move other[] = {FLOW(1, 1000, 1), END};
    world_init(&world, 2);
    world_add(&world, 0, one);
    world_add(&world, 1, other);
    world_run(&world);
    assert_int_equal(end_of(&world, 0), 1000);
    assert_int_equal(end_of(&world, 1), 1000);
    world_free(&world);
}

/* The share that nobody's need or equal part exceeds, found by halving: the
 * largest s for which the sum of min(weight, s) is at most 1. */
static double fair_share(const struct work *works, const double *left, uint32_t count, double now)
{
    double low = 0, high = 8;
    for (int step = 0; step < 60; step++) {
        double share = (low + high) / 2, sum = 0;
        for (uint32_t i = 0; i < count; i++) {
            bool active = left[i] > 0 && (double)works[i].start <= now;
            sum += active ? fmin(works[i].weight, share) : 0;
        }
        *(sum <= 1 ? &low : &high) = share;
    }
    return low;
}

/* Moves the reference on to the next start or end; false when all are done. */
static bool refer_step(struct work *works, double *left, uint32_t count, double *now)
{
    double share = fair_share(works, left, count, *now), step = INFINITY;
    for (uint32_t i = 0; i < count; i++) {
        double rate = fmin(1, share / works[i].weight);
        double start = (double)works[i].start;
        if (left[i] > 0) {
            step = fmin(step, start > *now ? start - *now : left[i] / rate);
        }
    }
    for (uint32_t i = 0; i < count && isfinite(step); i++) {
        if (left[i] > 0 && (double)works[i].start <= *now) {
            left[i] -= step * fmin(1, share / works[i].weight);
            left[i] = left[i] < 1e-3 ? 0 : left[i];
            works[i].end = left[i] > 0 ? 0 : (ps_t)llround(*now + step);
        }
    }
    *now += step;
    return isfinite(step);
}

/* An end may come early by half a picosecond of work, which takes longer the
 * more a path is shared; 100 ps are 0.1 % of the shortest work here. */
static void play_flow_case(uint64_t seed)
{
    struct work works[PLAYERS_MAX];
    double left[PLAYERS_MAX];
    struct dice dice = dice_of(seed);
    uint32_t count = 1 + (uint32_t)roll(&dice, 24);
    double now = 0;
    for (uint32_t i = 0; i < count; i++) {
        double weight = (double)(1 + roll(&dice, 100)) / (chance(&dice, 30) ? 40 : 400);
        works[i] = (struct work){roll(&dice, 3000000), 100000 + roll(&dice, 2000000), weight, 0};
        left[i] = (double)works[i].alone;
    }
    while (refer_step(works, left, count, &now)) {}
    expect_ends(works, count, 100);
}

static void any_work_on_a_path_equals_the_reference(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        play_flow_case(seed);
    }
}

static void flow_past_64_bits_alone(void)
{
    const struct move wide[] = {FLOW(0, UINT64_C(1) << 63, 4), END};
    const struct move nothing[] = {END};
    run_pair(nothing, wide);
}

static void flow_past_64_bits_shared(void)
{
    const struct move wide[] = {FLOW(0, UINT64_C(1) << 63, 1), END};
    run_pair(wide, wide);
}

static void overflow_ends_the_run(void **state)
{
    (void)state;
    expect_exit(flow_past_64_bits_alone, 1);
    expect_exit(flow_past_64_bits_shared, 1);
}

/* --- without memory --- */

#define MANY (UINT32_C(1) << 24)

/* Address space for so many bytes more than there are now. */
static void leave_room_for(uint64_t bytes)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu", &pages), 1);
    (void)fclose(file);
    const rlim_t limit = pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes;
    assert_int_equal(setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}), 0);
}

/* The members of so many actors take 24 bytes each, as does what is left of their work, the
 * wake-ups 16. */
static void init_in(uint64_t bytes_each)
{
    static struct engine engine = {.actor_count = MANY};
    static struct flow flow;
    leave_room_for(MANY * bytes_each);
    flow_init(&flow, &engine, "flow", 0);
}

static void in_room_for_none(void)
{
    init_in(4);
}

static void in_room_for_wakeups(void)
{
    init_in(20);
}

static void in_room_for_members_and_wakeups(void)
{
    init_in(44);
}

static void in_room_for_members_and_work(void)
{
    init_in(52);
}

/* Sanitizers and emulators have address space of their own. */
static void without_memory_it_ends(void **state)
{
    (void)state;
    const char *wrapper = getenv("TEST_WRAPPER");
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    wrapper = "a sanitizer";
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    wrapper = "a sanitizer";
#endif
#endif
    if (wrapper && *wrapper) {
        skip();
    }
    expect_exit(in_room_for_none, 1);
    expect_exit(in_room_for_wakeups, 1);
    expect_exit(in_room_for_members_and_wakeups, 1);
    expect_exit(in_room_for_members_and_work, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_fits_goes_at_its_own_speed),
        cmocka_unit_test(one_that_is_too_wide_is_slowed_down),
        cmocka_unit_test(one_that_fits_is_not_rounded),
        cmocka_unit_test(two_of_equal_weight_share),
        cmocka_unit_test(two_of_unequal_weight_are_max_min_fair),
        cmocka_unit_test(many_are_max_min_fair),
        cmocka_unit_test(very_many_are_fair),
        cmocka_unit_test(weights_of_one_in_sum_slow_nobody),
        cmocka_unit_test(paths_are_independent),
        cmocka_unit_test(any_work_on_a_path_equals_the_reference),
        cmocka_unit_test(overflow_ends_the_run),
        cmocka_unit_test(without_memory_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

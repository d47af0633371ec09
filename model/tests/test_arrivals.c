/* Actors that come to a lock or to a server at any times, against references that know
 * the times alone. */
#include "script.h"

#include <stdlib.h>

/* An arrival says in its last 6 bits whose it is. */
#define VISITORS_MAX 48

/* --- at a lock --- */

/* Reference for any arrivals at one lock: grants follow from the order of
 * arrival alone. Arrivals differ modulo 64 while all else is a multiple of 64,
 * so that nobody ever arrives just when another one leaves. */
struct visit {
    bool write;
    ps_t arrival, hold;
    ps_t grant, got, leave;
};

struct lock_totals {
    uint64_t contended;
    ps_t longest_write, longest_read;
};

static void raise_to(ps_t *to, ps_t value)
{
    *to = value > *to ? value : *to;
}

static int by_arrival(const void *a, const void *b)
{
    ps_t x = ((const struct visit *)a)->arrival, y = ((const struct visit *)b)->arrival;
    return x < y ? -1 : x > y;
}

static struct lock_totals refer_lock(struct visit *visits, uint32_t count)
{
    struct lock_totals totals = {0, 0, 0};
    ps_t writers_left = 0, all_left = 0, last_grant = 0;
    qsort(visits, count, sizeof visits[0], by_arrival);
    for (uint32_t i = 0; i < count; i++) {
        struct visit *v = &visits[i];
        v->grant = v->arrival;
        raise_to(&v->grant, v->write ? all_left : writers_left);
        raise_to(&v->grant, last_grant);
        bool waited = v->grant > v->arrival;
        v->got = v->grant + (waited ? HANDOVER_PS : 0);
        v->leave = v->got + v->hold;
        totals.contended += waited;
        last_grant = v->grant;
        raise_to(&all_left, v->leave);
        raise_to(v->write ? &writers_left : &all_left, v->leave);
        raise_to(v->write ? &totals.longest_write : &totals.longest_read, v->leave - v->grant);
    }
    return totals;
}

static void play_visits(struct world *world, struct dice *dice, struct visit *visits,
                        struct move moves[VISITORS_MAX][6], uint32_t count)
{
    uint64_t write_percent = roll(dice, 101), spread = 1 + roll(dice, 100);
    world_init(world, count);
    for (uint32_t i = 0; i < count; i++) {
        struct visit *v = &visits[i];
        *v = (struct visit){.write = chance(dice, write_percent),
                            .arrival = 64 * roll(dice, spread) + i,
                            .hold = 64 * roll(dice, 20)};
        const struct move script[6] = {
            UNTIL(v->arrival), READ(0), WORK(v->hold), UNLOCK(0), END, END,
        };
        memcpy(moves[i], script, sizeof script);
        moves[i][1].kind = v->write ? MOVE_WRITE : MOVE_READ;
        world_add(world, i, moves[i]);
    }
    world_run(world);
}

static void play_lock_case(uint64_t seed)
{
    static struct world world;
    static struct move moves[VISITORS_MAX][6];
    struct visit visits[VISITORS_MAX];
    struct dice dice = dice_of(seed);
    uint32_t count = 1 + (uint32_t)roll(&dice, VISITORS_MAX);
    play_visits(&world, &dice, visits, moves, count);
    struct lock_totals totals = refer_lock(visits, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct visit *v = &visits[i];
        uint32_t actor = (uint32_t)(v->arrival % 64);
        assert_int_equal(world.players[actor].at[2], v->got);
        assert_int_equal(world.players[actor].at[4], v->leave);
        assert_int_equal(waited_for(&world, actor, AT_LOCK), v->grant - v->arrival);
        assert_int_equal(events_of(&world, actor, KIND_HANDOVER), v->grant > v->arrival);
    }
    assert_int_equal(world.locks[0].contended, totals.contended);
    assert_int_equal(world.locks[0].longest_write_ps, totals.longest_write);
    assert_int_equal(world.locks[0].longest_read_ps, totals.longest_read);
    world_free(&world);
}

static void any_arrivals_at_a_lock_equal_the_reference(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        play_lock_case(seed);
    }
}

/* --- at a server --- */

static void a_server_takes_one_after_another(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[3][4] = {{WORK(20), SERVE(100), SERVE(10), END},
                                     {WORK(10), SERVE(50), END, END},
                                     {WORK(500), SERVE(5), END, END}};
    world_init(&world, 3);
    for (uint32_t i = 0; i < 3; i++) {
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    assert_int_equal(end_of(&world, 1), 60);
    assert_int_equal(world.players[0].at[2], 160);
    assert_int_equal(end_of(&world, 0), 170);
    assert_int_equal(end_of(&world, 2), 505);
    assert_int_equal(waited_for(&world, 0, AT_SERVER), 40);
    assert_int_equal(waited_for(&world, LEDGER_ALL, LEDGER_ALL), 40);
    assert_int_equal(world.server.free_at, 505);
    world_free(&world);
}

/* A request that stands for sixteen is 75 ps from its end in each of them: so long waits who
 * stands for one alone; who stands for four waits for its turn. */
static void few_parts_come_in_between_many(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[3][3] = {{WORK(10), SERVE_PARTS(1600, 16), END},
                                     {WORK(410), SERVE(100), END},
                                     {WORK(500), SERVE_PARTS(320, 4), END}};
    world_init(&world, 3);
    for (uint32_t i = 0; i < 3; i++) {
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    assert_int_equal(waited_for(&world, 0, AT_SERVER), 0);
    assert_int_equal(waited_for(&world, 1, AT_SERVER), 75);
    assert_int_equal(end_of(&world, 1), 410 + 75 + 100);
    assert_int_equal(waited_for(&world, 2, AT_SERVER), 1710 - 500);
    assert_int_equal(world.server.free_at, 1710 + 320);
    world_free(&world);
}

static void play_server_case(uint64_t seed)
{
    static struct world world;
    struct move moves[VISITORS_MAX][3];
    struct visit visits[VISITORS_MAX];
    struct dice dice = dice_of(seed);
    uint32_t count = 1 + (uint32_t)roll(&dice, VISITORS_MAX);
    world_init(&world, count);
    for (uint32_t i = 0; i < count; i++) {
        visits[i] = (struct visit){.arrival = 64 * roll(&dice, 60) + i, .hold = roll(&dice, 300)};
        const struct move script[3] = {UNTIL(visits[i].arrival), SERVE(visits[i].hold), END};
        memcpy(moves[i], script, sizeof script);
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    ps_t free_at = 0;
    qsort(visits, count, sizeof visits[0], by_arrival);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t actor = (uint32_t)(visits[i].arrival % 64);
        raise_to(&free_at, visits[i].arrival);
        assert_int_equal(waited_for(&world, actor, AT_SERVER), free_at - visits[i].arrival);
        free_at += visits[i].hold;
        assert_int_equal(end_of(&world, actor), free_at);
    }
    world_free(&world);
}

static void any_arrivals_at_a_server_equal_the_reference(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        play_server_case(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_arrivals_at_a_lock_equal_the_reference),
        cmocka_unit_test(a_server_takes_one_after_another),
        cmocka_unit_test(few_parts_come_in_between_many),
        cmocka_unit_test(any_arrivals_at_a_server_equal_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

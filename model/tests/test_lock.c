#include "script.h"

#include <math.h>
#include <stdlib.h>

/* --- locks --- */

static void a_free_lock_costs_nothing(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[] = {WORK(3), WRITE(0), WORK(5),   UNLOCK(0),
                                 READ(0), WORK(2),  UNLOCK(0), END};
    world_init(&world, 1);
    world_add(&world, 0, moves);
    world_run(&world);
    assert_int_equal(end_of(&world, 0), 10);
    assert_int_equal(world.locks[0].contended, 0);
    assert_int_equal(events_of(&world, 0, KIND_HANDOVER), 0);
    assert_int_equal(waited_for(&world, 0, LEDGER_ALL), 0);
    assert_int_equal(world.locks[0].longest_write_ps, 5);
    assert_int_equal(world.locks[0].longest_read_ps, 2);
    world_free(&world);
}

static void a_waiter_pays_wait_and_handover(void **state)
{
    (void)state;
    static struct world world;
    const struct move holder[] = {WRITE(1), WORK(100), UNLOCK(1), END};
    const struct move waiter[] = {WORK(10), PHASE(1), WRITE(1), WORK(7), UNLOCK(1), END};
    world_init(&world, 2);
    world_add(&world, 0, holder);
    world_add(&world, 1, waiter);
    world_run(&world);
    assert_int_equal(end_of(&world, 0), 100);
    assert_int_equal(world.players[1].at[3], 100 + HANDOVER_PS);
    assert_int_equal(end_of(&world, 1), 107 + HANDOVER_PS);
    assert_int_equal(ledger_waited(&world.ledger, 1, 1, AT_LOCK_1), 90);
    assert_int_equal(waited_for(&world, LEDGER_ALL, LEDGER_ALL), 90);
    assert_int_equal(events_of(&world, 1, KIND_HANDOVER), 1);
    assert_int_equal(events_of(&world, 0, KIND_HANDOVER), 0);
    assert_int_equal(world.locks[1].contended, 1);
    assert_int_equal(world.locks[1].longest_write_ps, 100);
    world_free(&world);
}

/* When each of `count` actors that play {WORK(10 * i), lock, work, unlock} got
 * its lock, in picoseconds. */
static void expect_got(const struct world *world, const ps_t *want, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(world->players[i].at[2], want[i]);
    }
}

static void writers_are_served_in_order(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[4][5] = {{WORK(0), WRITE(0), WORK(100), UNLOCK(0), END},
                                     {WORK(30), WRITE(0), WORK(20), UNLOCK(0), END},
                                     {WORK(20), WRITE(0), WORK(20), UNLOCK(0), END},
                                     {WORK(10), WRITE(0), WORK(20), UNLOCK(0), END}};
    world_init(&world, 4);
    for (uint32_t i = 0; i < 4; i++) {
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    const ps_t third = 100 + HANDOVER_PS, second = third + 20 + HANDOVER_PS;
    const ps_t got[] = {0, second + 20 + HANDOVER_PS, second, third};
    expect_got(&world, got, 4);
    assert_int_equal(world.locks[0].contended, 3);
    world_free(&world);
}

static void readers_share(void **state)
{
    (void)state;
    static struct world world;
    const struct move early[] = {WORK(0), READ(0), WORK(100), UNLOCK(0), END};
    const struct move late[] = {WORK(10), READ(0), WORK(200), UNLOCK(0), END};
    world_init(&world, 2);
    world_add(&world, 0, early);
    world_add(&world, 1, late);
    world_run(&world);
    assert_int_equal(end_of(&world, 0), 100);
    assert_int_equal(end_of(&world, 1), 210);
    assert_int_equal(world.locks[0].contended, 0);
    assert_int_equal(world.locks[0].longest_read_ps, 200);
    assert_int_equal(world.locks[0].longest_write_ps, 0);
    world_free(&world);
}

/* The queue behind a writer is: reader, reader, writer, reader. */
static void neighbouring_readers_enter_together(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[5][5] = {{WORK(0), WRITE(0), WORK(100), UNLOCK(0), END},
                                     {WORK(10), READ(0), WORK(30), UNLOCK(0), END},
                                     {WORK(20), READ(0), WORK(50), UNLOCK(0), END},
                                     {WORK(30), WRITE(0), WORK(7), UNLOCK(0), END},
                                     {WORK(40), READ(0), WORK(1), UNLOCK(0), END}};
    world_init(&world, 5);
    for (uint32_t i = 0; i < 5; i++) {
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    const ps_t readers = 100 + HANDOVER_PS, writer = readers + 50 + HANDOVER_PS;
    const ps_t got[] = {0, readers, readers, writer, writer + 7 + HANDOVER_PS};
    expect_got(&world, got, 5);
    assert_int_equal(world.locks[0].contended, 4);
    assert_int_equal(world.locks[0].longest_read_ps, 50 + HANDOVER_PS);
    world_free(&world);
}

static void nobody_barges_past_a_waiter(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[3][5] = {{WORK(0), READ(0), WORK(100), UNLOCK(0), END},
                                     {WORK(10), WRITE(0), WORK(20), UNLOCK(0), END},
                                     {WORK(20), READ(0), WORK(20), UNLOCK(0), END}};
    world_init(&world, 3);
    for (uint32_t i = 0; i < 3; i++) {
        world_add(&world, i, moves[i]);
    }
    world_run(&world);
    const ps_t got[] = {0, 100 + HANDOVER_PS, 120 + 2 * HANDOVER_PS};
    expect_got(&world, got, 3);
    assert_int_equal(waited_for(&world, 2, AT_LOCK), 100 + HANDOVER_PS);
    world_free(&world);
}

/* Who gives a lock and asks for it again in the same moment comes last too. */
static void giving_and_taking_again_is_no_barging(void **state)
{
    (void)state;
    static struct world world;
    const struct move greedy[] = {WRITE(0), WORK(50), UNLOCK(0), WRITE(0), WORK(1), UNLOCK(0), END};
    const struct move waiter[] = {WORK(10), WRITE(0), WORK(30), UNLOCK(0), END};
    world_init(&world, 2);
    world_add(&world, 0, greedy);
    world_add(&world, 1, waiter);
    world_run(&world);
    assert_int_equal(world.players[1].at[2], 50 + HANDOVER_PS);
    assert_int_equal(world.players[0].at[4], 80 + 2 * HANDOVER_PS);
    world_free(&world);
}

static void probe_step(struct actor *actor, struct frame *frame)
{
    struct world *world = actor->owner;
    struct lock *lock = &world->locks[0];
    switch (frame->state++) {
    case 0:
        actor_lock(actor, lock, true);
        break;
    case 1:
        assert_false(lock_contended(lock));
        actor_charge(actor, KIND_WORK, 50);
        break;
    case 2:
        assert_true(lock_contended(lock));
        actor_unlock(actor, lock);
        break;
    default:
        assert_false(lock_contended(lock));
        actor_return(actor, 0);
        break;
    }
}

static void a_holder_sees_whether_somebody_waits(void **state)
{
    (void)state;
    static struct world world;
    const struct move waiter[] = {WORK(20), READ(0), WORK(1), UNLOCK(0), END};
    world_init(&world, 2);
    actor_begin(&world.engine.actors[0], "probe", &world, probe_step);
    world_add(&world, 1, waiter);
    world_run(&world);
    assert_int_equal(waited_for(&world, 1, AT_LOCK), 30);
    world_free(&world);
}

static void give_a_free_lock(void)
{
    const struct move gives[] = {UNLOCK(0), END};
    const struct move nothing[] = {END};
    run_pair(gives, nothing);
}

static void give_the_lock_of_another(void)
{
    const struct move holds[] = {WRITE(0), WORK(100), UNLOCK(0), END};
    const struct move gives[] = {WORK(50), UNLOCK(0), END};
    run_pair(holds, gives);
}

static void init_a_ninth_flow(void)
{
    static struct world world;
    static struct flow more[7];
    world_init(&world, 1);
    for (int i = 0; i < 7; i++) {
        flow_init(&more[i], &world.engine, "one more", AT_FLOW);
    }
}

static void misuse_aborts(void **state)
{
    (void)state;
    expect_abort(give_a_free_lock);
    expect_abort(give_the_lock_of_another);
    expect_abort(init_a_ninth_flow);
}

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
                        struct move moves[PLAYERS_MAX][6], uint32_t count)
{
    uint64_t write_percent = roll(dice, 101), spread = 1 + roll(dice, 100);
    world_init(world, count);
    for (uint32_t i = 0; i < count; i++) {
        struct visit *v = &visits[i];
        *v = (struct visit){.write = chance(dice, write_percent),
                            .arrival = 64 * roll(dice, spread) + i,
                            .hold = 64 * roll(dice, 20)};
        const struct move script[6] = {
            SLEEP(v->arrival), READ(0), WORK(v->hold), UNLOCK(0), END, END,
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
    static struct move moves[PLAYERS_MAX][6];
    struct visit visits[PLAYERS_MAX];
    struct dice dice = dice_of(seed);
    uint32_t count = 1 + (uint32_t)roll(&dice, PLAYERS_MAX);
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

/* --- servers --- */

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

static void play_server_case(uint64_t seed)
{
    static struct world world;
    struct move moves[PLAYERS_MAX][3];
    struct visit visits[PLAYERS_MAX];
    struct dice dice = dice_of(seed);
    uint32_t count = 1 + (uint32_t)roll(&dice, PLAYERS_MAX);
    world_init(&world, count);
    for (uint32_t i = 0; i < count; i++) {
        visits[i] = (struct visit){.arrival = 64 * roll(&dice, 60) + i, .hold = roll(&dice, 300)};
        const struct move script[3] = {SLEEP(visits[i].arrival), SERVE(visits[i].hold), END};
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

/* A hold that stands for four: who came at its beginning would have been let in
 * behind the first of them, and none of them was longer than a quarter. */
static void a_hold_may_stand_for_many(void **state)
{
    static struct world world;
    static const struct move batch[] = {WRITE(0), WORK(400), UNLOCK(0), END};
    static const struct move waits[] = {WRITE(0), WORK(10), UNLOCK(0), END};
    static const struct move late[] = {WORK(200), WRITE(0), WORK(10), UNLOCK(0), END};
    (void)state;
    for (uint64_t holds = 0; holds <= 8; holds += 4) {
        uint64_t parts = holds ? holds : 1;
        world_init(&world, 3);
        world_add(&world, 0, batch);
        world_add(&world, 1, waits);
        world_add(&world, 2, late);
        world.engine.actors[0].holds = holds;
        world_run(&world);
        assert_int_equal(waited_for(&world, 1, AT_LOCK), 400);
        assert_int_equal(world.engine.actors[1].lock_wait_ps, 400 / parts);
        /* The second waiter also waits for the first one's hold, which is one. */
        assert_int_equal(waited_for(&world, 2, AT_LOCK), 200 + HANDOVER_PS + 10);
        assert_int_equal(world.engine.actors[2].lock_wait_ps, 200 / parts + HANDOVER_PS + 10);
        ps_t longest = 400 / parts > HANDOVER_PS + 10 ? 400 / parts : HANDOVER_PS + 10;
        assert_int_equal(world.locks[0].longest_write_ps, longest);
        world_free(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_lock_costs_nothing),
        cmocka_unit_test(a_waiter_pays_wait_and_handover),
        cmocka_unit_test(writers_are_served_in_order),
        cmocka_unit_test(readers_share),
        cmocka_unit_test(neighbouring_readers_enter_together),
        cmocka_unit_test(nobody_barges_past_a_waiter),
        cmocka_unit_test(giving_and_taking_again_is_no_barging),
        cmocka_unit_test(a_holder_sees_whether_somebody_waits),
        cmocka_unit_test(misuse_aborts),
        cmocka_unit_test(any_arrivals_at_a_lock_equal_the_reference),
        cmocka_unit_test(a_server_takes_one_after_another),
        cmocka_unit_test(any_arrivals_at_a_server_equal_the_reference),
        cmocka_unit_test(a_hold_may_stand_for_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

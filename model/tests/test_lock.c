#include "script.h"

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

/* --- who waits for ever --- */

static void a_deadlock_is_reported(void **state)
{
    (void)state;
    static struct world world;
    const struct move one[] = {WRITE(0), WORK(10), WRITE(1), END};
    const struct move other[] = {WRITE(1), WORK(10), WRITE(0), END};
    const struct move works[] = {WORK(100), END};
    world_init(&world, 3);
    world_add(&world, 0, works);
    world_add(&world, 1, one);
    world_add(&world, 2, other);
    expect_stuck(&world, 1, 2);
}

static void a_second_write_by_its_holder_is_reported(void **state)
{
    (void)state;
    static struct world world;
    const struct move again[] = {WRITE(0), WRITE(0), END};
    world_init(&world, 1);
    world_add(&world, 0, again);
    expect_stuck(&world, 0, 0);
}

/* --- what a holder is --- */

/* Class 0 is holding nothing. */
static void each_way_to_hold_a_lock_is_a_class(void **state)
{
    (void)state;
    uint32_t seen = 1;
    for (uint32_t resource = 0; resource < RESOURCES; resource++) {
        for (int write = 0; write <= 1; write++) {
            uint32_t bit = UINT32_C(1) << watch_hold_class(resource, write);
            assert_int_equal(seen & bit, 0);
            seen |= bit;
        }
    }
}

struct probe {
    struct lock *lock;
};

static CORO(probe)
{
    const struct probe *my = CORO_LOCALS(probe);
    CORO_BEGIN;
    AWAIT(actor_lock(actor, my->lock, true));
    assert_false(lock_contended(my->lock));
    AWAIT(actor_charge(actor, KIND_WORK, 50));
    assert_true(lock_contended(my->lock));
    AWAIT(actor_unlock(actor, my->lock));
    assert_false(lock_contended(my->lock));
    CORO_END;
}

static void a_holder_sees_whether_somebody_waits(void **state)
{
    (void)state;
    static struct world world;
    const struct move waiter[] = {WORK(20), READ(0), WORK(1), UNLOCK(0), END};
    world_init(&world, 2);
    actor_begin(&world.engine.actors[0], "probe", &world);
    CORO_CALL(&world.engine.actors[0], probe, .lock = &world.locks[0]);
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

/* A hold that stands for several: who waits for it waits for no single one, and none of them was
 * longer than its part. */
static void a_hold_may_stand_for_many(void **state)
{
    static struct world world;
    static const struct move batches[][4] = {{WRITE(0), WORK(400), UNLOCK(0), END},
                                             {READ(0), WORK(400), UNLOCK(0), END}};
    static const struct move waits[] = {WRITE(0), WORK(10), UNLOCK(0), END};
    static const struct move late[] = {WORK(200), WRITE(0), WORK(10), UNLOCK(0), END};
    (void)state;
    for (uint64_t i = 0; i < 2 * 9; i++) {
        uint64_t holds = i / 2, parts = holds ? holds : 1;
        bool many = holds > 1, reads = i % 2;
        world_init(&world, 3);
        world_add(&world, 0, batches[reads]);
        world_add(&world, 1, waits);
        world_add(&world, 2, late);
        world.engine.actors[0].holds = holds;
        world_run(&world);
        assert_int_equal(waited_for(&world, 1, AT_LOCK), 400);
        assert_int_equal(world.engine.actors[1].single_wait_ps, many ? 0 : 400);
        /* The second waiter also waits for the first one's hold, which is one. */
        assert_int_equal(waited_for(&world, 2, AT_LOCK), 200 + HANDOVER_PS + 10);
        ps_t batched = many ? 200 : 0;
        assert_int_equal(world.engine.actors[2].single_wait_ps, 200 + HANDOVER_PS + 10 - batched);
        ps_t own = HANDOVER_PS + 10, write = reads ? 0 : 400 / parts;
        assert_int_equal(world.locks[0].longest_write_ps, write > own ? write : own);
        assert_int_equal(world.locks[0].longest_read_ps, reads ? 400 / parts : 0);
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
        cmocka_unit_test(a_deadlock_is_reported),
        cmocka_unit_test(a_second_write_by_its_holder_is_reported),
        cmocka_unit_test(each_way_to_hold_a_lock_is_a_class),
        cmocka_unit_test(a_holder_sees_whether_somebody_waits),
        cmocka_unit_test(misuse_aborts),
        cmocka_unit_test(a_hold_may_stand_for_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

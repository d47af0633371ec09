#include "script.h"

static void nobody_ends_at_once(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, 3);
    world_run(&world);
    assert_int_equal(world.engine.now, 0);
    world_free(&world);
}

static void charges_move_the_clock(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[] = {CHARGE(KIND_COSTLY, 3), WORK(5), CHARGE(KIND_FREE, 9), END};
    world_init(&world, 1);
    world_add(&world, 0, moves);
    world_run(&world);
    assert_int_equal(world.players[0].at[1], 300);
    assert_int_equal(world.players[0].at[2], 305);
    assert_int_equal(end_of(&world, 0), 305);
    assert_int_equal(world.engine.now, 305);
    assert_int_equal(world.engine.actors[0].busy_ps, 305);
    assert_int_equal(events_of(&world, 0, KIND_COSTLY), 3);
    assert_int_equal(events_of(&world, 0, KIND_FREE), 9);
    assert_int_equal(world.engine.steps, 4);
    world_free(&world);
}

static void site_and_phase_step(struct actor *actor, struct frame *frame)
{
    actor->phase = frame->state % 2;
    actor->site = frame->state / 2;
    actor_charge(actor, KIND_WORK, 1 + frame->state);
    if (++frame->state == 4) {
        actor_return(actor);
    }
}

static void charges_go_to_site_and_phase(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, 1);
    actor_begin(&world.engine.actors[0], "player", NULL, site_and_phase_step);
    world_run(&world);
    for (uint32_t i = 0; i < 4; i++) {
        struct ledger_slice slice = {0, i % 2, i / 2, KIND_WORK};
        assert_int_equal(ledger_count(&world.ledger, slice), 1 + i);
    }
    world_free(&world);
}

/* --- frames --- */

struct calls {
    int made;
    ps_t ended[3];
};

static void callee_step(struct actor *actor, struct frame *frame)
{
    unsigned char *local = frame->local;
    assert_int_equal((uintptr_t)local % 16, 0);
    if (frame->state == 0) {
        for (size_t i = 0; i < FRAME_BYTES; i++) {
            assert_int_equal(local[i], 0);
        }
        memset(local, 0xee, FRAME_BYTES);
        frame->state = 1;
        actor_charge(actor, KIND_WORK, 10);
        return;
    }
    assert_int_equal(local[FRAME_BYTES - 1], 0xee);
    actor_return(actor);
}

static void caller_step(struct actor *actor, struct frame *frame)
{
    struct calls *calls = FRAME_LOCAL(frame, struct calls);
    struct calls *seen = actor->owner;
    if (frame->state++ > 0) {
        calls->ended[calls->made++] = actor->now;
    }
    if (calls->made < 3) {
        const unsigned char *local = actor_call(actor, callee_step);
        assert_int_equal(local[0], 0);
        return;
    }
    *seen = *calls;
    actor_return(actor);
}

static void a_call_runs_next_and_its_caller_goes_on(void **state)
{
    (void)state;
    static struct world world;
    struct calls seen = {0, {0, 0, 0}};
    world_init(&world, 1);
    actor_begin(&world.engine.actors[0], "player", &seen, caller_step);
    world_run(&world);
    assert_int_equal(seen.made, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(seen.ended[i], 10 + 10 * i);
    }
    assert_true(world.engine.actors[0].ended);
    world_free(&world);
}

/* The wanted depth is in the owner; each frame calls one more until it is
 * reached, and then all return. */
static void deep_step(struct actor *actor, struct frame *frame)
{
    const uint32_t *wanted = actor->owner;
    if (frame->state++ == 0 && actor->depth < *wanted) {
        actor_call(actor, deep_step);
        return;
    }
    actor_charge(actor, KIND_WORK, 1);
    actor_return(actor);
}

/* The second actor lies where a ninth frame would go, so that one too many
 * does not end in an abort of malloc, which would look like the right one. */
static void go_to_depth(uint32_t depth)
{
    static struct world world;
    const struct actor *stuck;
    world_init(&world, 2);
    actor_begin(&world.engine.actors[0], "diver", &depth, deep_step);
    (void)engine_run(&world.engine, &stuck);
    assert_int_equal(world.engine.now, depth);
    world_free(&world);
}

static void go_too_deep(void)
{
    go_to_depth(ACTOR_DEPTH + 1);
}

static void ask_twice_step(struct actor *actor, struct frame *frame)
{
    (void)frame;
    actor_sleep(actor, 10);
    actor_sleep(actor, 20);
}

static void ask_twice(void)
{
    static struct world world;
    const struct actor *stuck;
    world_init(&world, 1);
    actor_begin(&world.engine.actors[0], "player", NULL, ask_twice_step);
    (void)engine_run(&world.engine, &stuck);
}

static void count_only_step(struct actor *actor, struct frame *frame)
{
    (void)frame;
    ps_t before = actor->now;
    ps_t counted = actor_count(actor, KIND_COSTLY, 2);
    if (counted != 200 || actor->now != before) {
        _exit(4);
    }
    actor_return(actor);
}

/* Time that was counted and never spent breaks the accounting identity. */
static void count_and_spend_nothing(void)
{
    static struct world world;
    const struct actor *stuck;
    world_init(&world, 1);
    actor_begin(&world.engine.actors[0], "player", NULL, count_only_step);
    (void)engine_run(&world.engine, &stuck);
}

static void misuse_aborts(void **state)
{
    (void)state;
    go_to_depth(ACTOR_DEPTH);
    expect_abort(go_too_deep);
    expect_abort(ask_twice);
    expect_abort(count_and_spend_nothing);
}

/* --- several actors on one clock --- */

static void requests_wait_for_the_others(void **state)
{
    (void)state;
    static struct world world;
    const struct move slow[] = {WORK(100), WORK(1), END};
    const struct move quick[] = {WORK(30), WORK(30), WORK(30), WORK(30), END};
    const struct step_seen want[] = {{0, 0, 0},  {1, 0, 0},   {1, 1, 30},  {1, 2, 60},
                                     {1, 3, 90}, {0, 1, 100}, {0, 2, 101}, {1, 4, 120}};
    world_init(&world, 2);
    world_add(&world, 0, slow);
    world_add(&world, 1, quick);
    world_run(&world);
    assert_int_equal(world.trace_count, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(world.trace[i].actor, want[i].actor);
        assert_int_equal(world.trace[i].move, want[i].move);
        assert_int_equal(world.trace[i].at, want[i].at);
    }
    world_free(&world);
}

/* At one time the actor that set out for it first comes first. */
static void ties_are_first_come_first_served(void **state)
{
    (void)state;
    static struct world world;
    const struct move early[] = {WORK(100), WORK(1), END};
    const struct move late[] = {WORK(10), WORK(90), WORK(1), END};
    world_init(&world, 2);
    world_add(&world, 0, late);
    world_add(&world, 1, early);
    world_run(&world);
    assert_int_equal(world.trace[3].actor, 1);
    assert_int_equal(world.trace[3].at, 100);
    assert_int_equal(world.trace[4].actor, 0);
    assert_int_equal(world.trace[4].at, 100);
    world_free(&world);
}

static void sleep_is_idle_time(void **state)
{
    (void)state;
    static struct world world;
    const struct move moves[] = {WORK(10), PHASE(1), SLEEP(50), SLEEP(20), WORK(5), END};
    world_init(&world, 1);
    world_add(&world, 0, moves);
    world_run(&world);
    assert_int_equal(world.players[0].at[3], 50);
    assert_int_equal(world.players[0].at[4], 50);
    assert_int_equal(end_of(&world, 0), 55);
    assert_int_equal(ledger_idled(&world.ledger, 0, 1), 40);
    assert_int_equal(ledger_idled(&world.ledger, 0, 0), 0);
    assert_int_equal(world.engine.actors[0].idle_ps, 40);
    world_free(&world);
}

static void a_signal_wakes_all_who_wait(void **state)
{
    (void)state;
    static struct world world;
    const struct move raiser[] = {WORK(100), RAISE(0), WORK(1), RAISE(0), END};
    const struct move waiter[] = {WORK(20), PHASE(1), WAIT(0), WORK(1), END};
    const struct move latecomer[] = {WORK(300), WAIT(0), WORK(1), END};
    world_init(&world, 4);
    world_add(&world, 0, raiser);
    world_add(&world, 1, waiter);
    world_add(&world, 2, waiter);
    world_add(&world, 3, latecomer);
    world_run(&world);
    for (uint32_t i = 1; i < 3; i++) {
        assert_int_equal(world.players[i].at[3], 100);
        assert_int_equal(ledger_idled(&world.ledger, i, 1), 80);
        assert_int_equal(end_of(&world, i), 101);
    }
    assert_int_equal(end_of(&world, 3), 301);
    assert_int_equal(ledger_idled(&world.ledger, 3, LEDGER_ALL), 0);
    assert_int_equal(end_of(&world, 0), 101);
    world_free(&world);
}

static void signals_are_independent(void **state)
{
    (void)state;
    static struct world world;
    const struct move raiser[] = {WORK(10), RAISE(1), WORK(10), RAISE(0), END};
    const struct move zero[] = {WAIT(0), END};
    const struct move one[] = {WAIT(1), END};
    world_init(&world, 3);
    world_add(&world, 0, raiser);
    world_add(&world, 1, zero);
    world_add(&world, 2, one);
    world_run(&world);
    assert_int_equal(end_of(&world, 1), 20);
    assert_int_equal(end_of(&world, 2), 10);
    world_free(&world);
}

/* --- who waits for ever --- */

static void a_signal_that_never_comes_is_reported(void **state)
{
    (void)state;
    static struct world world;
    const struct move works[] = {WORK(10), END};
    const struct move waits[] = {WORK(5), WAIT(3), END};
    world_init(&world, 4);
    world_add(&world, 1, works);
    world_add(&world, 2, waits);
    world_add(&world, 3, works);
    expect_stuck(&world, 2, 2);
}

/* Puts the other player, who has ended, to work again. */
static void starting_step(struct actor *actor, struct frame *frame)
{
    static const struct move waits[] = {WORK(5), WAIT(3), END};
    struct world *world = actor->owner;
    if (frame->state++ == 0) {
        actor_sleep(actor, 100);
        return;
    }
    world->players[1].moves = waits;
    actor_start(&world->engine.actors[1], actor, "player", play_step);
    actor_return(actor);
}

static void who_is_started_again_is_at_work(void **state)
{
    (void)state;
    static struct world world;
    const struct move works[] = {WORK(10), END};
    world_init(&world, 2);
    actor_begin(&world.engine.actors[0], "starter", &world, starting_step);
    world_add(&world, 1, works);
    expect_stuck(&world, 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_ends_at_once),
        cmocka_unit_test(charges_move_the_clock),
        cmocka_unit_test(charges_go_to_site_and_phase),
        cmocka_unit_test(a_call_runs_next_and_its_caller_goes_on),
        cmocka_unit_test(misuse_aborts),
        cmocka_unit_test(requests_wait_for_the_others),
        cmocka_unit_test(ties_are_first_come_first_served),
        cmocka_unit_test(sleep_is_idle_time),
        cmocka_unit_test(a_signal_wakes_all_who_wait),
        cmocka_unit_test(signals_are_independent),
        cmocka_unit_test(a_signal_that_never_comes_is_reported),
        cmocka_unit_test(who_is_started_again_is_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

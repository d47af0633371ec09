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
    assert_int_equal(world.engine.steps, 3); /* what takes no time goes on at once */
    world_free(&world);
}

struct charges {
    uint32_t made;
};

static CORO(charges)
{
    struct charges *my = CORO_LOCALS(charges);
    CORO_BEGIN;
    for (; my->made < 4; my->made++) {
        actor->phase = my->made % 2;
        actor->site = my->made / 2;
        AWAIT(actor_charge(actor, KIND_WORK, 1 + my->made));
    }
    CORO_END;
}

static void charges_go_to_site_and_phase(void **state)
{
    (void)state;
    static struct world world;
    world_init(&world, 1);
    actor_begin(&world.engine.actors[0], "player", NULL);
    CORO_CALL(&world.engine.actors[0], charges, .made = 0);
    world_run(&world);
    for (uint32_t i = 0; i < 4; i++) {
        struct ledger_slice slice = {0, i % 2, i / 2, KIND_WORK};
        assert_int_equal(ledger_count(&world.ledger, slice), 1 + i);
    }
    world_free(&world);
}

/* --- coroutines --- */

struct callee {
    uint32_t work;
    char kept[40];
};

static CORO(callee)
{
    struct callee *my = CORO_LOCALS(callee);
    CORO_BEGIN;
    assert_int_equal((uintptr_t)my % 16, 0);
    for (size_t i = 0; i < sizeof my->kept; i++) {
        assert_int_equal(my->kept[i], 0);
    }
    memset(my->kept, 0x6e, sizeof my->kept);
    AWAIT(actor_charge(actor, KIND_WORK, my->work));
    assert_int_equal(my->kept[sizeof my->kept - 1], 0x6e);
    CORO_END;
}

struct caller {
    uint32_t made;
    ps_t *ended;
};

static CORO(caller)
{
    struct caller *my = CORO_LOCALS(caller);
    CORO_BEGIN;
    for (; my->made < 3; my->made++) {
        AWAIT(CORO_CALL(actor, callee, .work = 10));
        my->ended[my->made] = actor->now;
    }
    CORO_END;
}

static void a_call_runs_next_and_its_caller_goes_on(void **state)
{
    (void)state;
    static struct world world;
    ps_t ended[3] = {0};
    world_init(&world, 1);
    actor_begin(&world.engine.actors[0], "player", NULL);
    CORO_CALL(&world.engine.actors[0], caller, .ended = ended);
    world_run(&world);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ended[i], 10 + 10 * i);
    }
    assert_true(world.engine.actors[0].ended);
    assert_null(world.engine.actors[0].frame);
    world_free(&world);
}

struct dive {
    uint32_t depth;
    char taken[100];
};

static CORO(dive)
{
    struct dive *my = CORO_LOCALS(dive);
    CORO_BEGIN;
    if (my->depth > 1) {
        AWAIT(CORO_CALL(actor, dive, .depth = my->depth - 1));
    }
    actor_charge(actor, KIND_WORK, 1);
    CORO_END;
}

#define DEPTH_MAX \
    (ACTOR_STACK_BYTES / (sizeof(struct frame) + (sizeof(struct dive) + 15) / 16 * 16))

/* The second actor lies behind the first one's stack, so that one too many does
 * not end in an abort of malloc, which would look like the right one. */
static void go_to_depth(uint32_t depth)
{
    static struct world world;
    const struct actor *stuck;
    world_init(&world, 2);
    actor_begin(&world.engine.actors[0], "diver", NULL);
    CORO_CALL(&world.engine.actors[0], dive, .depth = depth);
    (void)engine_run(&world.engine, &stuck);
    assert_int_equal(world.engine.now, depth);
    world_free(&world);
}

static void go_too_deep(void)
{
    go_to_depth(DEPTH_MAX + 1);
}

struct two_requests {
    struct world *world;
};

static CORO(two_requests)
{
    const struct two_requests *my = CORO_LOCALS(two_requests);
    CORO_BEGIN;
    actor_raise(actor, &my->world->signals[0]);
    AWAIT(actor_raise(actor, &my->world->signals[1]));
    CORO_END;
}

static void ask_twice(void)
{
    static struct world world;
    const struct actor *stuck;
    world_init(&world, 1);
    actor_begin(&world.engine.actors[0], "player", NULL);
    CORO_CALL(&world.engine.actors[0], two_requests, .world = &world);
    (void)engine_run(&world.engine, &stuck);
}

struct count_only {
    uint32_t n;
};

static CORO(count_only)
{
    const struct count_only *my = CORO_LOCALS(count_only);
    CORO_BEGIN;
    ps_t before = actor->now;
    ps_t counted = actor_count(actor, KIND_COSTLY, my->n);
    if (counted != 200 || actor->now != before) {
        _exit(4);
    }
    CORO_END;
}

/* Time that was counted and never spent breaks the accounting identity. */
static void count_and_spend_nothing(void)
{
    static struct world world;
    const struct actor *stuck;
    world_init(&world, 1);
    actor_begin(&world.engine.actors[0], "player", NULL);
    CORO_CALL(&world.engine.actors[0], count_only, .n = 2);
    (void)engine_run(&world.engine, &stuck);
}

static void misuse_aborts(void **state)
{
    (void)state;
    go_to_depth(DEPTH_MAX);
    expect_abort(go_too_deep);
    expect_abort(ask_twice);
    expect_abort(count_and_spend_nothing);
}

/* --- what a debugger prints --- */

struct inner {
    struct world *world;
};

static CORO(inner)
{
    const struct inner *my = CORO_LOCALS(inner);
    CORO_BEGIN;
    AWAIT(actor_charge(actor, KIND_WORK, 30));
    AWAIT(actor_wait(actor, &my->world->signals[0]));
    CORO_END;
}
enum { INNER_WAITS = __LINE__ - 3 };

struct outer {
    struct world *world;
};

static CORO(outer)
{
    const struct outer *my = CORO_LOCALS(outer);
    CORO_BEGIN;
    AWAIT(CORO_CALL(actor, inner, .world = my->world));
    CORO_END;
}
enum { OUTER_CALLS = __LINE__ - 3 };

/* What actor_print writes to stderr. */
static void read_print(const struct actor *actor, char *text, size_t size)
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    assert_true(file && kept >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    actor_print(actor);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void who_waits_is_printed_with_lines(void **state)
{
    (void)state;
    static struct world world;
    const struct actor *stuck = NULL;
    char text[256], expected[256];
    world_init(&world, 1);
    actor_begin(&world.engine.actors[0], "player", NULL);
    CORO_CALL(&world.engine.actors[0], outer, .world = &world);
    assert_false(engine_run(&world.engine, &stuck));
    read_print(stuck, text, sizeof text);
    snprintf(expected, sizeof expected, "player 0 at 30 ps\n  inner, line %d\n  outer, line %d\n",
             INNER_WAITS, OUTER_CALLS);
    assert_string_equal(text, expected);
    world_free(&world);
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

struct starter {
    struct world *world;
};

/* Puts the other player, who has ended, to work again. */
static CORO(starter)
{
    static const struct move waits[] = {WORK(5), WAIT(3), END};
    const struct starter *my = CORO_LOCALS(starter);
    CORO_BEGIN;
    AWAIT(actor_charge(actor, KIND_WORK, 100));
    my->world->players[1].moves = waits;
    actor_start(&my->world->engine.actors[1], actor, "player");
    CORO_CALL(&my->world->engine.actors[1], moving, .at = 0);
    CORO_END;
}

static void who_is_started_again_is_at_work(void **state)
{
    (void)state;
    static struct world world;
    const struct move works[] = {WORK(10), END};
    world_init(&world, 2);
    actor_begin(&world.engine.actors[0], "starter", &world);
    CORO_CALL(&world.engine.actors[0], starter, .world = &world);
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
        cmocka_unit_test(who_waits_is_printed_with_lines),
        cmocka_unit_test(requests_wait_for_the_others),
        cmocka_unit_test(ties_are_first_come_first_served),
        cmocka_unit_test(a_signal_wakes_all_who_wait),
        cmocka_unit_test(signals_are_independent),
        cmocka_unit_test(a_signal_that_never_comes_is_reported),
        cmocka_unit_test(who_is_started_again_is_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

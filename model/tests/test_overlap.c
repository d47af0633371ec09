/* Whether two actors were ever under way at once; a run in which they were not can be
 * priced again without being played. */
#include "script.h"

static bool overlap_of(const struct move *first, const struct move *second)
{
    static struct world world;
    world_init(&world, 2);
    world_add(&world, 0, first);
    if (second) {
        world_add(&world, 1, second);
    }
    world_run(&world);
    bool overlapped = world.engine.overlapped;
    world_free(&world);
    return overlapped;
}

static void one_at_a_time_is_no_overlap(void **state)
{
    (void)state;
    const struct move alone[] = {WORK(5),  WRITE(0),         WORK(5), UNLOCK(0), SERVE(7),
                                 SERVE(7), FLOW(0, 10, 0.5), READ(1), UNLOCK(1), END};
    const struct move ping[] = {WORK(5), RAISE(0), WAIT(1), WORK(5), RAISE(2), END};
    const struct move pong[] = {WAIT(0), WORK(5), FLOW(0, 9, 1), RAISE(1), WAIT(2), SERVE(3), END};
    const struct move nothing[] = {END};
    assert_false(overlap_of(alone, NULL));
    assert_false(overlap_of(pong, ping));
    assert_false(overlap_of(nothing, alone));
}

static void two_under_way_are_an_overlap(void **state)
{
    (void)state;
    const struct move works[] = {WORK(5), END};
    const struct move serves[] = {SERVE(5), END};
    const struct move flows[] = {FLOW(0, 5, 0.5), END};
    const struct move raises[] = {RAISE(0), WORK(1), END};
    const struct move waits[] = {WAIT(0), WORK(1), END};
    assert_true(overlap_of(works, works));
    assert_true(overlap_of(serves, serves));
    assert_true(overlap_of(flows, flows));
    assert_true(overlap_of(waits, raises));
}

/* Free events take no time now, but with another price they would overlap. */
static void free_events_overlap_too(void **state)
{
    (void)state;
    const struct move gratis[] = {CHARGE(KIND_FREE, 5), END};
    const struct move works[] = {WORK(5), END};
    const struct move none[] = {CHARGE(KIND_FREE, 0), END};
    assert_true(overlap_of(gratis, works));
    assert_true(overlap_of(gratis, gratis));
    assert_false(overlap_of(none, none));
}

/* Two actors take turns by signals, with a random amount of random work in
 * each turn. Returns the number of moves. */
static uint32_t write_turn(struct dice *dice, struct move *moves)
{
    uint32_t count = 1 + (uint32_t)roll(dice, 4);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t kind = (uint32_t)roll(dice, KINDS);
        moves[i] = (struct move)CHARGE(kind, roll(dice, 50));
    }
    return count;
}

static void write_turns(struct dice *dice, struct move moves[2][MOVES_MAX])
{
    uint32_t at[2] = {0, 0};
    for (uint32_t turn = 0; turn < 5; turn++) {
        uint32_t who = turn % 2;
        if (turn > 0) {
            moves[who][at[who]++] = (struct move)WAIT(turn - 1);
        }
        at[who] += write_turn(dice, &moves[who][at[who]]);
        if (turn < 4) {
            moves[who][at[who]++] = (struct move)RAISE(turn);
        }
    }
    moves[0][at[0]] = (struct move)END;
    moves[1][at[1]] = (struct move)END;
}

/* The one that waits first also sets out first: until it has come to its wait
 * it counts as under way. */
static ps_t run_turns(struct world *world, struct move moves[2][MOVES_MAX], const ps_t *price)
{
    world_init(world, 2);
    memcpy(world->price, price, sizeof world->price);
    world_add(world, 1, moves[1]);
    world_add(world, 0, moves[0]);
    world_run(world);
    assert_false(world->engine.overlapped);
    return world->engine.now;
}

static void a_run_without_overlap_can_be_priced_again(void **state)
{
    (void)state;
    static struct world world;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct dice dice = dice_of(seed);
        struct move moves[2][MOVES_MAX];
        const ps_t prices[2][KINDS] = {{1, 2, 0, 100}, {roll(&dice, 9), 0, roll(&dice, 9), 7}};
        uint64_t vector[SITES * KINDS];
        ps_t again = 0;
        write_turns(&dice, moves);
        run_turns(&world, moves, prices[0]);
        ledger_vector(&world.ledger, vector);
        world_free(&world);
        for (uint32_t i = 0; i < SITES * KINDS; i++) {
            again += vector[i] * prices[1][i % KINDS];
        }
        assert_int_equal(run_turns(&world, moves, prices[1]), again);
        world_free(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time_is_no_overlap),
        cmocka_unit_test(two_under_way_are_an_overlap),
        cmocka_unit_test(free_events_overlap_too),
        cmocka_unit_test(a_run_without_overlap_can_be_priced_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

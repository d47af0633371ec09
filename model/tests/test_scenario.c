#include "script.h"

#include <math.h>
#include <stdlib.h>

/* --- everything at once --- */

static struct move roll_move(struct dice *dice, bool may_wait)
{
    const double weights[] = {0.1, 0.5, 0.9, 1, 1.5, 3};
    uint32_t which = (uint32_t)roll(dice, 2);
    switch (roll(dice, may_wait ? 7 : 6)) {
    case 0:
        return (struct move)SERVE(roll(dice, 300));
    case 1:
        return (struct move)FLOW(which, roll(dice, 3000), weights[roll(dice, 6)]);
    case 2:
        return (struct move)UNTIL(roll(dice, 20000));
    case 3:
        return (struct move)PHASE(which);
    case 6:
        return (struct move)WAIT((uint32_t)roll(dice, 4));
    default:
        return (struct move)CHARGE((uint32_t)roll(dice, KINDS), roll(dice, 20));
    }
}

/* Takes one of the locks around some moves. */
static uint32_t roll_locked(struct dice *dice, struct move *moves)
{
    uint32_t at = 0, which = (uint32_t)roll(dice, 2);
    moves[at++] = chance(dice, 50) ? (struct move)READ(which) : (struct move)WRITE(which);
    for (uint64_t inside = 1 + roll(dice, 2); inside > 0; inside--) {
        moves[at++] = roll_move(dice, false);
    }
    moves[at++] = (struct move)UNLOCK(which);
    return at;
}

/* Actor 0 raises all signals and never waits for one, and nobody waits for one
 * with a lock in hand, so that everybody gets to the end. */
static void roll_script(struct dice *dice, struct move *moves, bool raises)
{
    uint32_t at = 0, raised = 0;
    while (at < MOVES_MAX - 12) {
        if (chance(dice, 40)) {
            at += roll_locked(dice, &moves[at]);
        } else {
            moves[at++] = roll_move(dice, !raises);
        }
        if (raises && raised < 4) {
            moves[at++] = (struct move)RAISE(raised++);
        }
    }
    moves[at] = (struct move)END;
}

static void play_scenario(struct world *world, uint64_t seed)
{
    static struct move moves[PLAYERS_MAX][MOVES_MAX];
    struct dice dice = dice_of(seed);
    uint32_t count = 1 + (uint32_t)roll(&dice, 12);
    world_init(world, count);
    for (uint32_t i = 0; i < count; i++) {
        roll_script(&dice, moves[i], i == 0);
        world_add(world, i, moves[i]);
    }
    world_run(world);
}

static void expect_same_ledger(const struct ledger *a, const struct ledger *b)
{
    const struct ledger_shape *s = &a->shape;
    size_t rows = (size_t)s->actors * s->phases;
    assert_memory_equal(a->counts, b->counts, rows * s->sites * s->kinds * sizeof a->counts[0]);
    assert_memory_equal(a->waits, b->waits, rows * s->resources * sizeof a->waits[0]);
    assert_memory_equal(a->idle, b->idle, rows * sizeof a->idle[0]);
}

static void expect_same_world(const struct world *a, const struct world *b)
{
    assert_int_equal(a->engine.now, b->engine.now);
    assert_int_equal(a->engine.steps, b->engine.steps);
    assert_int_equal(a->engine.events, b->engine.events);
    assert_int_equal(a->engine.overlapped, b->engine.overlapped);
    assert_int_equal(a->trace_count, b->trace_count);
    assert_memory_equal(a->trace, b->trace, a->trace_count * sizeof a->trace[0]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(a->locks[i].contended, b->locks[i].contended);
        assert_int_equal(a->locks[i].longest_write_ps, b->locks[i].longest_write_ps);
        assert_int_equal(a->locks[i].longest_read_ps, b->locks[i].longest_read_ps);
    }
    expect_same_ledger(&a->ledger, &b->ledger);
}

/* From when to when a player had a lock in hand. */
struct holding {
    uint32_t lock;
    bool write;
    ps_t from, to;
};

static uint32_t list_holdings(const struct world *world, struct holding *list)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < world->engine.actor_count; p++) {
        const struct player *player = &world->players[p];
        for (uint32_t i = 0; player->moves[i].kind != MOVE_END; i++) {
            const struct move *move = &player->moves[i];
            if (move->kind != MOVE_READ && move->kind != MOVE_WRITE) {
                continue;
            }
            uint32_t give = i + 1;
            while (player->moves[give].kind != MOVE_UNLOCK ||
                   player->moves[give].which != move->which) {
                give++;
            }
            list[count++] = (struct holding){move->which, move->kind == MOVE_WRITE,
                                             player->at[i + 1], player->at[give]};
        }
    }
    return count;
}

static void expect_exclusion(const struct world *world)
{
    static struct holding list[TRACE_MAX];
    uint32_t count = list_holdings(world, list);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            const struct holding *a = &list[i], *b = &list[j];
            if (a->lock == b->lock && (a->write || b->write)) {
                assert_true(a->to <= b->from || b->to <= a->from);
            }
        }
    }
}

/* No path carries more than its capacity: work times weight fits the time. */
static void expect_capacity(const struct world *world)
{
    double carried[2] = {0, 0};
    for (uint32_t p = 0; p < world->engine.actor_count; p++) {
        for (const struct move *move = world->players[p].moves; move->kind != MOVE_END; move++) {
            if (move->kind == MOVE_FLOW) {
                carried[move->which] += (double)move->n * move->weight;
            }
        }
    }
    double most = (double)world->engine.now + 0.5 * world->trace_count;
    assert_true(carried[0] <= most && carried[1] <= most);
}

static void any_scenario_adds_up_and_repeats(void **state)
{
    (void)state;
    static struct world first, second;
    for (uint64_t seed = 0; seed < 300; seed++) {
        play_scenario(&first, seed);
        expect_exclusion(&first);
        expect_capacity(&first);
        play_scenario(&second, seed);
        expect_same_world(&first, &second);
        world_free(&first);
        world_free(&second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_scenario_adds_up_and_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * script - a small machine with every kind of resource, and actors that play
 * a list of moves on it, so that a test is a table.
 */
#ifndef S2FLUSH_TESTS_SCRIPT_H
#define S2FLUSH_TESTS_SCRIPT_H

#include "check.h"

#include <string.h>

#include "core/coro.h"
#include "core/resource.h"

enum { KIND_WORK, KIND_HANDOVER, KIND_FREE, KIND_COSTLY, KINDS };
enum { AT_LOCK, AT_LOCK_1, AT_SERVER, AT_FLOW, AT_FLOW_1, RESOURCES };
enum { PHASES = 2, SITES = 2 };

#define HANDOVER_PS 64

enum move_kind {
    MOVE_END, /* a table ends in zeroes */
    MOVE_CHARGE,
    MOVE_PHASE,
    MOVE_READ,
    MOVE_WRITE,
    MOVE_UNLOCK,
    MOVE_SERVE,
    MOVE_FLOW,
    MOVE_WAIT,
    MOVE_RAISE,
    MOVE_UNTIL,
};

struct move {
    enum move_kind kind;
    uint32_t which; /* the event kind, lock, flow or signal; of a serve the parts */
    uint64_t n; /* events, picoseconds, a time, or the phase */
    double weight;
};

#define CHARGE(kind_, count)                                \
    {                                                       \
        .kind = MOVE_CHARGE, .which = (kind_), .n = (count) \
    }
#define WORK(ps) CHARGE(KIND_WORK, ps)
#define PHASE(phase_)                     \
    {                                     \
        .kind = MOVE_PHASE, .n = (phase_) \
    }
#define READ(lock_)                         \
    {                                       \
        .kind = MOVE_READ, .which = (lock_) \
    }
#define WRITE(lock_)                         \
    {                                        \
        .kind = MOVE_WRITE, .which = (lock_) \
    }
#define UNLOCK(lock_)                         \
    {                                         \
        .kind = MOVE_UNLOCK, .which = (lock_) \
    }
#define SERVE_PARTS(ps, parts)                          \
    {                                                   \
        .kind = MOVE_SERVE, .which = (parts), .n = (ps) \
    }
#define SERVE(ps) SERVE_PARTS(ps, 1)
#define FLOW(flow_, ps, weight_)                                            \
    {                                                                       \
        .kind = MOVE_FLOW, .which = (flow_), .n = (ps), .weight = (weight_) \
    }
#define WAIT(signal_)                         \
    {                                         \
        .kind = MOVE_WAIT, .which = (signal_) \
    }
#define RAISE(signal_)                         \
    {                                          \
        .kind = MOVE_RAISE, .which = (signal_) \
    }
#define UNTIL(until)                     \
    {                                    \
        .kind = MOVE_UNTIL, .n = (until) \
    }
#define END              \
    {                    \
        .kind = MOVE_END \
    }

#define PLAYERS_MAX 72
#define MOVES_MAX 48
#define TRACE_MAX (PLAYERS_MAX * MOVES_MAX)

struct player {
    const struct move *moves;
    ps_t at[MOVES_MAX]; /* when it came to each move: the one before was done */
};

/* All moves of all players in the order in which the engine made them. */
struct step_seen {
    uint32_t actor, move;
    ps_t at;
};

struct world {
    ps_t price[KINDS];
    struct ledger ledger;
    struct engine engine;
    struct lock locks[2];
    struct server server;
    struct flow flows[2];
    struct signal signals[4];
    struct player players[PLAYERS_MAX];
    struct step_seen trace[TRACE_MAX];
    uint32_t trace_count;
};

static inline void world_init(struct world *world, uint32_t actors)
{
    const struct ledger_shape shape = {actors, PHASES, SITES, KINDS, RESOURCES};
    assert_true(actors <= PLAYERS_MAX);
    memset(world, 0, sizeof *world);
    world->price[KIND_WORK] = 1;
    world->price[KIND_HANDOVER] = HANDOVER_PS;
    world->price[KIND_COSTLY] = 100;
    ledger_init(&world->ledger, shape, world->price);
    engine_init(&world->engine, &world->ledger, actors);
    for (uint32_t i = 0; i < 2; i++) {
        world->locks[i].name = "lock";
        world->locks[i].resource = AT_LOCK + i;
        world->locks[i].handover_kind = KIND_HANDOVER;
        flow_init(&world->flows[i], &world->engine, "flow", AT_FLOW + i);
    }
    world->server.name = "server";
    world->server.resource = AT_SERVER;
}

static inline void world_free(struct world *world)
{
    flow_free(&world->flows[0]);
    flow_free(&world->flows[1]);
    engine_free(&world->engine);
    ledger_free(&world->ledger);
}

static inline void serve(struct world *world, struct actor *actor, const struct move *move)
{
    ps_t alone = actor_count(actor, KIND_WORK, move->n);
    actor_serve(actor, &world->server, alone, alone, move->which);
}

static inline void make_move(struct world *world, struct actor *actor, const struct move *move)
{
    switch (move->kind) {
    case MOVE_END:
        break;
    case MOVE_CHARGE:
        actor_charge(actor, move->which, move->n);
        break;
    case MOVE_PHASE:
        actor->phase = (uint32_t)move->n;
        break;
    case MOVE_READ:
    case MOVE_WRITE:
        actor_lock(actor, &world->locks[move->which], move->kind == MOVE_WRITE);
        break;
    case MOVE_UNLOCK:
        actor_unlock(actor, &world->locks[move->which]);
        break;
    case MOVE_SERVE:
        serve(world, actor, move);
        break;
    case MOVE_FLOW:
        actor_flow(actor, &world->flows[move->which], actor_count(actor, KIND_WORK, move->n),
                   move->weight);
        break;
    case MOVE_WAIT:
        actor_wait(actor, &world->signals[move->which]);
        break;
    case MOVE_RAISE:
        actor_raise(actor, &world->signals[move->which]);
        break;
    case MOVE_UNTIL:
        actor_charge(actor, KIND_WORK, move->n > actor->now ? move->n - actor->now : 0);
        break;
    }
}

struct moving {
    uint32_t at;
};

static inline void note_move(struct world *world, const struct actor *actor, uint32_t at)
{
    assert_true(at < MOVES_MAX && world->trace_count < TRACE_MAX);
    world->players[actor->id].at[at] = actor->now;
    world->trace[world->trace_count++] = (struct step_seen){actor->id, at, actor->now};
}

static inline CORO(moving)
{
    struct moving *my = CORO_LOCALS(moving);
    struct world *world = actor->owner;
    const struct move *moves = world->players[actor->id].moves;
    CORO_BEGIN;
    for (; moves[my->at].kind != MOVE_END; my->at++) {
        note_move(world, actor, my->at);
        AWAIT(make_move(world, actor, &moves[my->at]));
    }
    note_move(world, actor, my->at);
    CORO_END;
}

static inline void world_add(struct world *world, uint32_t id, const struct move *moves)
{
    world->players[id].moves = moves;
    actor_begin(&world->engine.actors[id], "player", world);
    CORO_CALL(&world->engine.actors[id], moving, .at = 0);
}

/* Every picosecond of an actor is busy, waiting or idle, by the ledger. */
static inline void expect_identity(const struct world *world)
{
    const struct ledger *ledger = &world->ledger;
    for (uint32_t i = 0; i < world->engine.actor_count; i++) {
        const struct actor *actor = &world->engine.actors[i];
        struct ledger_slice own = {i, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL};
        ps_t busy = ledger_busy(ledger, own);
        ps_t wait = ledger_waited(ledger, i, LEDGER_ALL, LEDGER_ALL);
        ps_t idle = ledger_idled(ledger, i, LEDGER_ALL);
        assert_int_equal(busy + wait + idle, actor->now);
        assert_true(actor->ended || !actor->name);
    }
}

/* Nobody acts before somebody who acted already. */
static inline void expect_time_order(const struct world *world)
{
    for (uint32_t i = 1; i < world->trace_count; i++) {
        assert_true(world->trace[i - 1].at <= world->trace[i].at);
    }
}

static inline void world_run(struct world *world)
{
    const struct actor *stuck = NULL;
    assert_true(engine_run(&world->engine, &stuck));
    assert_null(stuck);
    expect_identity(world);
    expect_time_order(world);
}

/* The run ends with that one, or the other, waiting for ever. */
static inline void expect_stuck(struct world *world, uint32_t first, uint32_t second)
{
    const struct actor *stuck = NULL;
    assert_false(engine_run(&world->engine, &stuck));
    assert_non_null(stuck);
    assert_true(stuck->id == first || stuck->id == second);
    assert_false(stuck->ended);
    world_free(world);
}

/* Two actors at a resource, for what ends or aborts the run. */
static inline void run_pair(const struct move *first, const struct move *second)
{
    static struct world world;
    const struct actor *stuck;
    world_init(&world, 2);
    world_add(&world, 0, first);
    world_add(&world, 1, second);
    (void)engine_run(&world.engine, &stuck);
    world_free(&world);
}

static inline ps_t waited_for(const struct world *world, uint32_t actor, uint32_t resource)
{
    return ledger_waited(&world->ledger, actor, LEDGER_ALL, resource);
}

static inline uint64_t events_of(const struct world *world, uint32_t actor, uint32_t kind)
{
    return ledger_count(&world->ledger, (struct ledger_slice){actor, LEDGER_ALL, LEDGER_ALL, kind});
}

static inline ps_t end_of(const struct world *world, uint32_t actor)
{
    return world->engine.actors[actor].now;
}

#endif

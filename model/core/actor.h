/*
 * actor - threads of the simulated machine, on one clock.
 *
 * An actor (the VMM's thread, a vCPU, a flush worker) has a core of its own and
 * does what its coroutines say (core/coro.h). One runs at the actor's time; it
 * may change shared state, charge events (which moves the actor's own clock
 * on), and ask for one thing: to take or give a lock, to work on a shared
 * resource, to wait for a signal or raise one, to run another coroutine. The
 * engine carries that out when every other actor has reached that time, and
 * lets the coroutine go on.
 *
 * Every picosecond of an actor is busy (a charge), waiting (for a resource) or
 * idle; engine_run asserts the sum.
 */
#ifndef S2FLUSH_CORE_ACTOR_H
#define S2FLUSH_CORE_ACTOR_H

#include "core/calendar.h"
#include "core/ledger.h"
#include "core/section.h"
#include "core/spans.h"
#include "core/tails.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct actor;
struct frame;
struct lock;
struct flow;
struct server;

typedef void (*coro_fn)(struct actor *actor, struct frame *frame);

/* A coroutine under way. */
struct frame {
    coro_fn resume;
    const char *name;
    struct frame *caller;
    uint32_t line; /* of the source, where it is suspended; 0: not begun */
    _Alignas(16) unsigned char locals[];
};

/* What the frames of the coroutines that call each other take. */
#define ACTOR_STACK_BYTES 1408

enum request_kind {
    REQUEST_NONE,
    REQUEST_LOCK,
    REQUEST_UNLOCK,
    REQUEST_SERVE,
    REQUEST_FLOW,
    REQUEST_WAIT,
    REQUEST_RAISE,
    REQUEST_END,
};

struct request {
    enum request_kind kind;
    void *target; /* the lock, server, flow or signal */
    uint64_t amount; /* lock: write?; serve, flow: ps alone */
    double weight; /* flow: share of its capacity at full speed */
    ps_t taken; /* serve: when the next one can begin */
    uint64_t parts; /* serve: how many requests it stands for */
};

/* What one actor tells others: raised once, for good. */
struct signal {
    bool raised;
    struct actor *waiting; /* chained through next_waiting */
};

struct actor {
    struct engine *engine;
    uint32_t id;
    const char *name;
    void *owner; /* whatever its coroutines need: a vCPU */
    uint32_t phase, site;
    struct actor_counts {
        uint64_t *open; /* the ledger's, of its phase and site when it was charged last; NULL: it
                           was not */
        uint32_t phase, site;
    } counts;
    ps_t now; /* its own clock, at or ahead of the engine's */
    ps_t busy_ps, wait_ps, idle_ps;
    bool ended;

    struct request request;
    struct actor *next_waiting; /* in the queue of a lock or signal */
    bool wants_write;
    struct lock *holding; /* one at most: there is no nesting */
    bool queued; /* it had to wait for the lock that it got last */
    uint64_t holds; /* how many short holds its next one stands for; 0: it is one, and no step of
                       several that are taken together (core/resource.h) */
    ps_t batched_start; /* batched_ps of the lock that it waits for, when it came */
    ps_t single_wait_ps; /* waited so far for locks that others had for a single hold */
    ps_t hold_start; /* when it got that lock */

    uint64_t at, at_bytes; /* what it works on, for those who watch */
    struct frame *frame; /* of the coroutine that runs; NULL: it has not begun or has ended */
    _Alignas(16) unsigned char stack[ACTOR_STACK_BYTES];
    unsigned char *stack_end; /* of its frames */
};

/* Hears of everything that actors do as it happens: of `n` events before the clock moves,
 * of time that passed behind that (its class as in struct watch). */
struct trace {
    void (*charged)(const struct trace *trace, const struct actor *actor, uint32_t kind,
                    uint64_t n);
    void (*passed)(const struct trace *trace, const struct actor *actor, uint32_t class, ps_t ps);
};

/* Where everything that actors do is written down over time. A lane is an
 * actor's id. Classes of `did` are the ledger's: its sites (busy there), behind
 * them its resources (waiting for one), behind them idle. Class 0 of `held` is
 * holding nothing; watch_hold_class gives the others. */
struct watch {
    struct spans did, held;
    const uint8_t *tally_of; /* [kinds]: one more than the tally that events of a kind add to; 0:
                                none. NULL: there are no spans */
    struct trace *trace; /* NULL: none */
};

/* The class of holding a lock, for reading or for writing. */
uint32_t watch_hold_class(uint32_t resource, bool write);

struct engine {
    struct calendar calendar;
    struct ledger *ledger;
    struct watch *watch; /* NULL: not watched */
    struct tails *tails; /* what holds and stalls are made of; NULL: no one asks, or they overlap */
    struct sections *sections; /* what several do at once is written down; NULL: it is not */
    bool observed; /* there is one of the first two, or a section is under way */
    ps_t now;
    struct actor *actors;
    uint32_t actor_count;
    const struct actor *running; /* whose coroutine goes on, or did so last */
    struct flow *flows[8];
    uint32_t flow_count;
    uint64_t steps; /* how often a coroutine went on so far */
    uint64_t events; /* calendar events so far */
    /* Whether the outcome could depend on prices: two actors were under way at
     * once. A run without it can be priced again from its counts. */
    bool overlapped;
};

/* Makes `count` actors that all start at time 0 with no frame. */
void engine_init(struct engine *engine, struct ledger *ledger, uint32_t count);
void engine_free(struct engine *engine);

/* What watches, made where none is there yet; engine_free frees it. */
struct watch *engine_watch(struct engine *engine);

/* An actor is there from time 0 on; CORO_CALL gives it what to do. */
void actor_begin(struct actor *actor, const char *name, void *owner);

/* The same for one that has not begun or has ended, by another actor: it starts
 * at the other's time, in its phase and site. */
void actor_start(struct actor *actor, const struct actor *by, const char *name);

/* Whether no other actor will do anything before the one that runs asks for something. */
bool engine_alone(const struct engine *engine);

/* Around what several actors do at once (core/section.h): it is written down where nothing else is
 * under way and nothing overlapped before, and is then no overlap. */
void engine_begin_section(struct engine *engine, const struct section_plan *plan);
void engine_end_section(struct engine *engine);

/* Runs until all actors have ended. False where some wait for ever: *stuck is
 * then one of them. Asserts the accounting identity of every actor. */
bool engine_run(struct engine *engine, const struct actor **stuck);

/* --- for use in a coroutine --- */

/* What the actor works on from here on. */
static inline void actor_at(struct actor *actor, uint64_t at, uint64_t bytes)
{
    actor->at = at;
    actor->at_bytes = bytes;
}

/* Charges n events of a kind at the actor's site and phase; its clock moves. */
void actor_charge(struct actor *actor, uint32_t kind, uint64_t n);

/* Counts n events whose time the actor spends in the request that follows
 * (a flow or a server); returns that time. */
ps_t actor_count(struct actor *actor, uint32_t kind, uint64_t n);

/* What CORO_CALL and CORO_END come to. A call returns where the locals go; the
 * end of the last coroutine ends the actor. */
void *actor_call(struct actor *actor, coro_fn resume, const char *name, size_t locals_bytes);
void actor_return(struct actor *actor);

/* Requests: AWAIT(actor_lock(...)). At most one in an AWAIT. */
void actor_lock(struct actor *actor, struct lock *lock, bool write);
void actor_unlock(struct actor *actor, struct lock *lock);
void actor_serve(struct actor *actor, struct server *server, ps_t alone_ps, ps_t taken_ps,
                 uint64_t parts);
void actor_flow(struct actor *actor, struct flow *flow, ps_t alone_ps, double weight);
void actor_wait(struct actor *actor, struct signal *signal);
void actor_raise(struct actor *actor, struct signal *signal);

/* Whether the engine has something to do before the coroutine of that frame goes on. */
static inline bool actor_must_wait(const struct actor *actor, const struct frame *frame)
{
    return actor->request.kind != REQUEST_NONE || actor->frame != frame ||
           actor->now != actor->engine->now;
}

/* --- for resources --- */

/* The actor's clock moves on: at work (its events are counted already), or
 * waiting for a resource. */
void actor_busy(struct actor *actor, ps_t ps);
void actor_waited(struct actor *actor, uint32_t resource, ps_t ps);

/* Puts a blocked actor back on the calendar, after `waited_ps` more for that
 * resource. */
void actor_resume(struct actor *actor, uint32_t resource, ps_t waited_ps);

/* --- for a debugger --- */

/* Prints an actor's clock and its coroutines to stderr, the one that runs first,
 * each with the line at which it is suspended. */
void actor_print(const struct actor *actor);

#endif

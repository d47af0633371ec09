/*
 * actor - threads of the simulated machine, as state machines on one clock.
 *
 * An actor (the VMM's thread, a vCPU, a flush worker) has a core of its own
 * and a short stack of frames. A frame's step function is called at the
 * actor's time; it may change shared state, charge events (which moves the
 * actor's own clock on), and ends with at most one request: take or give a
 * lock, put work on a shared resource, wait for a signal, raise one, sleep,
 * call another frame, or return. The engine carries the request out when every
 * other actor has reached that time, and calls the step again.
 *
 * Every picosecond of an actor is busy (a charge), waiting (for a resource) or
 * idle; engine_run asserts the sum.
 */
#ifndef S2FLUSH_CORE_ACTOR_H
#define S2FLUSH_CORE_ACTOR_H

#include "core/calendar.h"
#include "core/ledger.h"
#include "core/spans.h"

#include <stdbool.h>
#include <stdint.h>

#define ACTOR_DEPTH 8
#define FRAME_BYTES 160

struct actor;
struct frame;
struct lock;
struct flow;
struct server;

typedef void (*step_fn)(struct actor *actor, struct frame *frame);

struct frame {
    step_fn step;
    uint32_t state; /* the step's own program counter, 0 at the call */
    _Alignas(16) unsigned char local[FRAME_BYTES]; /* zeroed at the call */
};

/* The frame's local variables as a struct of the step's choosing. */
#define FRAME_LOCAL(frame, type)                                           \
    (_Generic(&(char[sizeof(type) <= FRAME_BYTES ? 1 : -1]){0}, char(*)[1] \
              : (type *)(void *)(frame)->local))

enum request_kind {
    REQUEST_NONE,
    REQUEST_LOCK,
    REQUEST_UNLOCK,
    REQUEST_SERVE,
    REQUEST_FLOW,
    REQUEST_WAIT,
    REQUEST_RAISE,
    REQUEST_SLEEP,
    REQUEST_END,
};

struct request {
    enum request_kind kind;
    void *target; /* the lock, server, flow or signal */
    uint64_t amount; /* lock: write?; serve, flow: ps alone; sleep: until */
    double weight; /* flow: share of its capacity at full speed */
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
    void *owner; /* whatever the steps need: a vCPU, the VMM */
    uint32_t phase, site;
    ps_t now; /* its own clock, at or ahead of the engine's */
    ps_t busy_ps, wait_ps, idle_ps;
    bool ended;

    struct request request;
    struct actor *next_waiting; /* in the queue of a lock or signal */
    bool wants_write;
    struct lock *holding; /* one at most: there is no nesting */
    bool queued; /* it had to wait for the lock that it got last */
    uint64_t holds; /* how many short holds its next one stands for; 0: one */
    ps_t batched_wait_start; /* of the lock that it waits for, when it came */
    ps_t lock_wait_ps; /* waited for locks so far, less their batched part (core/resource.h) */
    ps_t hold_start; /* when it got that lock */
    ps_t flow_start, flow_alone; /* of its work on a flow */
    double flow_left, flow_rate, flow_weight;

    uint32_t depth;
    struct frame frames[ACTOR_DEPTH];
};

/* Where everything that actors do is written down over time. A lane is an
 * actor's id. Classes of `did` are the ledger's: its sites (busy there), behind
 * them its resources (waiting for one), behind them idle. Class 0 of `held` is
 * holding nothing; watch_hold_class gives the others. */
struct watch {
    struct spans did, held;
    const uint8_t
        *tally_of; /* [kinds]: one more than the tally that events of a kind add to; 0: none */
};

/* The class of holding a lock, for reading or for writing. */
uint32_t watch_hold_class(uint32_t resource, bool write);

struct engine {
    struct calendar calendar;
    struct ledger *ledger;
    struct watch *watch; /* NULL: nobody watches */
    ps_t now;
    struct actor *actors;
    uint32_t actor_count;
    struct flow *flows[8];
    uint32_t flow_count;
    uint64_t steps; /* step calls so far */
    uint64_t events; /* calendar events so far */
    /* Whether the outcome could depend on prices: two actors were under way at
     * once. A run without it can be priced again from its counts. */
    bool overlapped;
};

/* Makes `count` actors that all start at time 0 with no frame. */
void engine_init(struct engine *engine, struct ledger *ledger, uint32_t count);
void engine_free(struct engine *engine);

/* Frees what watched, where somebody did. */
void watch_free(struct watch *watch);

/* Puts an actor's first frame in place; returns its zeroed local variables. */
void *actor_begin(struct actor *actor, const char *name, void *owner, step_fn step);

/* The same from inside another actor's step, for one that has not begun or has
 * ended: it starts at the other's time, in its phase and site. */
void *actor_start(struct actor *actor, const struct actor *by, const char *name, step_fn step);

/* Runs until all actors have ended. False where some wait for ever: *stuck is
 * then one of them. Asserts the accounting identity of every actor. */
bool engine_run(struct engine *engine, const struct actor **stuck);

/* --- for use inside a step --- */

/* Charges n events of a kind at the actor's site and phase; its clock moves. */
void actor_charge(struct actor *actor, uint32_t kind, uint64_t n);

/* Counts n events whose time the actor spends in the request that follows
 * (a flow or a server); returns that time. */
ps_t actor_count(struct actor *actor, uint32_t kind, uint64_t n);

/* Calls a frame: its step runs next. Returns its zeroed local variables. */
void *actor_call(struct actor *actor, step_fn step);

/* Ends the current frame: its caller goes on. The last frame's return ends the actor. */
void actor_return(struct actor *actor);

/* Requests; at most one per step. */
void actor_lock(struct actor *actor, struct lock *lock, bool write);
void actor_unlock(struct actor *actor, struct lock *lock);
void actor_serve(struct actor *actor, struct server *server, ps_t alone_ps);
void actor_flow(struct actor *actor, struct flow *flow, ps_t alone_ps, double weight);
void actor_wait(struct actor *actor, struct signal *signal);
void actor_raise(struct actor *actor, struct signal *signal);
void actor_sleep(struct actor *actor, ps_t until);

/* --- for resources --- */

/* The actor's clock moves on: at work (its events are counted already), or
 * waiting for a resource. */
void actor_busy(struct actor *actor, ps_t ps);
void actor_waited(struct actor *actor, uint32_t resource, ps_t ps);

/* Puts a blocked actor back on the calendar, after `waited_ps` more for that
 * resource. */
void actor_resume(struct actor *actor, uint32_t resource, ps_t waited_ps);

#endif

#include "core/actor.h"

#include "core/alloc.h"
#include "core/guard.h"
#include "core/invariant.h"
#include "core/resource.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENTS_UNASKED 1024 /* between two looks at how long it has taken */

void engine_init(struct engine *engine, struct ledger *ledger, uint32_t count)
{
    *engine = (struct engine){.ledger = ledger, .actor_count = count};
    calendar_init(&engine->calendar, count + 64);
    engine->actors = alloc_zeroed(count, sizeof *engine->actors, "actors");
    for (uint32_t i = 0; i < count; i++) {
        engine->actors[i].engine = engine;
        engine->actors[i].id = i;
    }
}

void engine_free(struct engine *engine)
{
    calendar_free(&engine->calendar);
    if (engine->watch) {
        spans_free(&engine->watch->did);
        spans_free(&engine->watch->held);
        free(engine->watch->trace);
        free(engine->watch);
    }
    free(engine->actors);
}

void actor_begin(struct actor *actor, const char *name, void *owner)
{
    actor->name = name;
    actor->owner = owner;
    calendar_push(&actor->engine->calendar, 0, actor->id);
}

static void idle_until(struct actor *actor, ps_t time);

void actor_start(struct actor *actor, const struct actor *by, const char *name)
{
    INVARIANT(!actor->frame, "%s is started while it is at work", name);
    actor->name = name;
    actor->phase = by->phase;
    actor->site = by->site;
    actor->ended = false;
    idle_until(actor, by->now);
    calendar_push(&actor->engine->calendar, actor->now, actor->id);
}

struct watch *engine_watch(struct engine *engine)
{
    if (!engine->watch) {
        engine->watch = alloc_zeroed(1, sizeof *engine->watch, "what is watched");
        engine->observed = true;
    }
    return engine->watch;
}

uint32_t watch_hold_class(uint32_t resource, bool write)
{
    return 1 + 2 * resource + write;
}

/* --- time passes ---
 *
 * Most runs are not observed. The observed ways are functions of their own that
 * are entered with everything still in its place, so that the others pay for
 * one comparison. */

#define WATCHED(engine) __builtin_expect((engine)->watch != NULL, 0)
#define OBSERVED(engine) __builtin_expect((engine)->observed, 0)
#define SELDOM __attribute__((noinline, cold))

static SELDOM void watch_count(const struct actor *actor, uint32_t kind, uint64_t n)
{
    struct watch *watch = actor->engine->watch;
    if (watch->trace) {
        watch->trace->charged(watch->trace, actor, kind, n);
    }
    if (watch->tally_of && watch->tally_of[kind]) {
        spans_tally(&watch->did, actor->id, watch->tally_of[kind] - 1u, n);
    }
}

static SELDOM void watch_pass(const struct actor *actor, uint32_t class, ps_t ps)
{
    struct watch *watch = actor->engine->watch;
    if (watch->trace && ps > 0) {
        watch->trace->passed(watch->trace, actor, class, ps);
    }
    if (watch->tally_of) {
        spans_add(&watch->did, actor->id, actor->phase, class, ps);
    }
}

/* An actor stays in one place for many charges. */
static inline uint64_t *open_counts(struct actor *actor)
{
    struct actor_counts *counts = &actor->counts;
    if (!counts->open || counts->phase != actor->phase || counts->site != actor->site) {
        *counts = (struct actor_counts){
            ledger_open(actor->engine->ledger, actor->id, actor->phase, actor->site), actor->phase,
            actor->site};
    }
    return counts->open;
}

static inline ps_t count(struct actor *actor, uint32_t kind, uint64_t n)
{
    struct engine *engine = actor->engine;
    /* Here and not only where a clock moves: free events take no time, but with
     * another price they would. */
    if (engine->calendar.count > 0) {
        engine->overlapped = true;
    }
    return ledger_add(engine->ledger, open_counts(actor), kind, n);
}

static inline void advance_busy(struct actor *actor, ps_t ps)
{
    actor->now = u64_add(actor->now, ps, "simulated time");
    actor->busy_ps += ps;
}

static bool in_section(const struct engine *engine)
{
    return engine->sections && engine->sections->writer;
}

static void observe(struct engine *engine)
{
    engine->observed = engine->watch || engine->tails || in_section(engine);
}

static SELDOM ps_t count_observed(struct actor *actor, uint32_t kind, uint64_t n, bool moves)
{
    struct engine *engine = actor->engine;
    if (engine->tails && engine->overlapped) {
        engine->tails = NULL; /* they would mean nothing */
        observe(engine);
    }
    if (in_section(engine)) {
        sections_event(engine->sections, kind, n, moves);
    }
    if (engine->tails) {
        tails_add(engine->tails, kind, n);
    }
    if (engine->watch) {
        watch_count(actor, kind, n);
    }
    return count(actor, kind, n);
}

static SELDOM void charge_observed(struct actor *actor, uint32_t kind, uint64_t n)
{
    actor_busy(actor, count_observed(actor, kind, n, true));
}

/* Many counts are 0: of lines that were not dirty, of walks that freed no table. */
ps_t actor_count(struct actor *actor, uint32_t kind, uint64_t n)
{
    if (n == 0) {
        return 0;
    }
    if (OBSERVED(actor->engine)) {
        return count_observed(actor, kind, n, false);
    }
    return count(actor, kind, n);
}

void actor_charge(struct actor *actor, uint32_t kind, uint64_t n)
{
    if (n == 0) {
        return;
    }
    if (OBSERVED(actor->engine)) {
        charge_observed(actor, kind, n);
        return;
    }
    advance_busy(actor, count(actor, kind, n));
}

void actor_busy(struct actor *actor, ps_t ps)
{
    advance_busy(actor, ps);
    if (WATCHED(actor->engine)) {
        watch_pass(actor, actor->site, ps);
    }
}

void actor_waited(struct actor *actor, uint32_t resource, ps_t ps)
{
    struct ledger *ledger = actor->engine->ledger;
    if (ps == 0) {
        return; /* most requests find their resource free */
    }
    ledger_wait(ledger, actor->id, actor->phase, resource, ps);
    actor->wait_ps += ps;
    actor->now = u64_add(actor->now, ps, "simulated time");
    if (WATCHED(actor->engine)) {
        watch_pass(actor, ledger->shape.sites + resource, ps);
    }
}

bool engine_alone(const struct engine *engine)
{
    bool alone = engine->calendar.count == 0;
    if (OBSERVED(engine) && in_section(engine)) {
        sections_asked(engine->sections, alone);
    }
    return alone;
}

void engine_begin_section(struct engine *engine, const struct section_plan *plan)
{
    if (engine->sections && !engine->overlapped && engine->calendar.count == 0) {
        sections_begin(engine->sections, plan);
        observe(engine);
    }
}

void engine_end_section(struct engine *engine)
{
    if (in_section(engine)) {
        engine->overlapped = !sections_end(engine->sections, engine->calendar.count == 0);
        engine->tails = NULL; /* what happens in a hold no longer says how long it is */
        observe(engine);
    }
}

void *actor_call(struct actor *actor, coro_fn resume, const char *name, size_t locals_bytes)
{
    struct frame *frame = (void *)(actor->frame ? actor->stack_end : actor->stack);
    unsigned char *end = frame->locals + (locals_bytes + 15) / 16 * 16;
    INVARIANT(end <= actor->stack + sizeof actor->stack, "%s calls too deep: %s", actor->name,
              name);
    frame->resume = resume;
    frame->name = name;
    frame->caller = actor->frame;
    frame->line = 0;
    actor->frame = frame;
    actor->stack_end = end;
    return frame->locals;
}

/* What the kind needs beside its target is set by the caller. */
static inline struct request *request(struct actor *actor, enum request_kind kind, void *target)
{
    INVARIANT(actor->request.kind == REQUEST_NONE, "%s asks twice in one step", actor->name);
    actor->request.kind = kind;
    actor->request.target = target;
    return &actor->request;
}

void actor_return(struct actor *actor)
{
    actor->stack_end = (unsigned char *)actor->frame;
    actor->frame = actor->frame->caller;
    if (!actor->frame) {
        request(actor, REQUEST_END, NULL);
    }
}

void actor_lock(struct actor *actor, struct lock *lock, bool write)
{
    request(actor, REQUEST_LOCK, lock)->amount = write;
}

void actor_unlock(struct actor *actor, struct lock *lock)
{
    request(actor, REQUEST_UNLOCK, lock);
}

void actor_serve(struct actor *actor, struct server *server, ps_t alone_ps, ps_t taken_ps,
                 uint64_t parts)
{
    struct request *wanted = request(actor, REQUEST_SERVE, server);
    wanted->amount = alone_ps;
    wanted->taken = taken_ps;
    wanted->parts = parts;
}

void actor_flow(struct actor *actor, struct flow *flow, ps_t alone_ps, double weight)
{
    struct request *wanted = request(actor, REQUEST_FLOW, flow);
    wanted->amount = alone_ps;
    wanted->weight = weight;
}

void actor_wait(struct actor *actor, struct signal *signal)
{
    request(actor, REQUEST_WAIT, signal);
}

void actor_raise(struct actor *actor, struct signal *signal)
{
    request(actor, REQUEST_RAISE, signal);
}

static void idle_until(struct actor *actor, ps_t time)
{
    struct ledger *ledger = actor->engine->ledger;
    if (time > actor->now) {
        ps_t ps = time - actor->now;
        ledger_idle(ledger, actor->id, actor->phase, ps);
        actor->idle_ps += ps;
        actor->now = time;
        if (WATCHED(actor->engine)) {
            watch_pass(actor, ledger->shape.sites + ledger->shape.resources, ps);
        }
    }
}

void actor_resume(struct actor *actor, uint32_t resource, ps_t waited_ps)
{
    actor_waited(actor, resource, waited_ps);
    calendar_push(&actor->engine->calendar, actor->now, actor->id);
}

static bool signal_wait(struct signal *signal, struct actor *actor)
{
    if (signal->raised) {
        return true;
    }
    actor->next_waiting = signal->waiting;
    signal->waiting = actor;
    return false;
}

static void signal_raise(struct signal *signal, struct actor *by)
{
    struct actor *next;
    signal->raised = true;
    for (struct actor *actor = signal->waiting; actor; actor = next) {
        next = actor->next_waiting;
        idle_until(actor, by->now);
        calendar_push(&by->engine->calendar, actor->now, actor->id);
    }
    signal->waiting = NULL;
}

/* Carries out the actor's request at the engine's time. False where the actor
 * is blocked, or has ended. */
static bool perform(struct actor *actor)
{
    const struct request *wanted = &actor->request;
    enum request_kind kind = wanted->kind;
    actor->request.kind = REQUEST_NONE;
    switch (kind) {
    case REQUEST_NONE:
        return true;
    case REQUEST_LOCK:
        return lock_take(wanted->target, actor, wanted->amount != 0);
    case REQUEST_UNLOCK:
        lock_give(wanted->target, actor);
        return true;
    case REQUEST_SERVE:
        server_take(wanted->target, actor, wanted->amount, wanted->taken, wanted->parts);
        return true;
    case REQUEST_FLOW:
        return flow_join(wanted->target, actor, wanted->amount, wanted->weight);
    case REQUEST_WAIT:
        return signal_wait(wanted->target, actor);
    case REQUEST_RAISE:
        signal_raise(wanted->target, actor);
        return true;
    case REQUEST_END:
        INVARIANT(!actor->holding, "%s ends with %s held", actor->name, actor->holding->name);
        actor->ended = true;
        return false;
    }
    return true;
}

/* Whether the actor may go on to its own clock without the calendar: no other
 * else acts before. */
static bool ahead_is_free(struct engine *engine, const struct actor *actor)
{
    if (actor->now == engine->now) {
        return true;
    }
    ps_t next = calendar_next(&engine->calendar);
    if (next != UINT64_MAX) {
        engine->overlapped = true;
    }
    return next > actor->now;
}

/* Runs an actor from the engine's time until it is blocked, has ended, or
 * somebody else's turn comes first. */
static void dispatch(struct engine *engine, struct actor *actor)
{
    for (;;) {
        if (!ahead_is_free(engine, actor)) {
            calendar_push(&engine->calendar, actor->now, actor->id);
            return;
        }
        INVARIANT(actor->now >= engine->now, "%s runs backward", actor->name);
        engine->now = actor->now;
        if (actor->request.kind != REQUEST_NONE) {
            if (!perform(actor)) {
                return;
            }
            continue;
        }
        engine->steps++;
        engine->running = actor;
        actor->frame->resume(actor, actor->frame);
        if (OBSERVED(engine) && in_section(engine)) {
            sections_turn_over(engine->sections, actor);
        }
    }
}

static void assert_identity(const struct engine *engine, const struct actor *actor)
{
    struct ledger_slice own = {actor->id, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL};
    const struct ledger *ledger = engine->ledger;
    ps_t busy = ledger_busy(ledger, own);
    ps_t waited = ledger_waited(ledger, actor->id, LEDGER_ALL, LEDGER_ALL);
    ps_t idle = ledger_idled(ledger, actor->id, LEDGER_ALL);
    INVARIANT(busy == actor->busy_ps && waited == actor->wait_ps && idle == actor->idle_ps,
              "%s: the ledger disagrees with its clock (busy %llu against %llu)", actor->name,
              (unsigned long long)busy, (unsigned long long)actor->busy_ps);
    INVARIANT(busy + waited + idle == actor->now, "%s: busy %llu + wait %llu + idle %llu != %llu",
              actor->name, (unsigned long long)busy, (unsigned long long)waited,
              (unsigned long long)idle, (unsigned long long)actor->now);
}

bool engine_run(struct engine *engine, const struct actor **stuck)
{
    ps_t time;
    uint32_t id;
    invariant_clock(&engine->now);
    while (calendar_pop(&engine->calendar, &time, &id)) {
        if (++engine->events % EVENTS_UNASKED == 0) {
            guard_check();
        }
        INVARIANT(time >= engine->now, "the calendar runs backward to %llu",
                  (unsigned long long)time);
        engine->now = time;
        if (id < engine->actor_count) {
            dispatch(engine, &engine->actors[id]);
        } else {
            flow_due(engine->flows[id - engine->actor_count], engine);
        }
    }
    for (uint32_t i = 0; i < engine->actor_count; i++) {
        const struct actor *actor = &engine->actors[i];
        if (actor->name && !actor->ended) {
            *stuck = actor;
            invariant_clock(NULL);
            return false;
        }
        assert_identity(engine, actor);
    }
    invariant_clock(NULL);
    return true;
}

void actor_print(const struct actor *actor)
{
    fprintf(stderr, "%s %u at %llu ps%s\n", actor->name, actor->id, (unsigned long long)actor->now,
            actor->ended ? ", ended" : "");
    for (const struct frame *frame = actor->frame; frame; frame = frame->caller) {
        fprintf(stderr, "  %s, line %u\n", frame->name, frame->line);
    }
}

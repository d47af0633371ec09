#include "core/resource.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/guard.h"
#include "core/invariant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool lock_contended(const struct lock *lock)
{
    return lock->first != NULL;
}

/* Brings batched_ps up to the engine's time. */
static void update_batched(struct lock *lock, ps_t now)
{
    if (lock->holds > 1 && (lock->writer || lock->readers > 0)) {
        lock->batched_ps += now - lock->batched_until;
    }
    lock->batched_until = now;
}

static void hold(struct lock *lock, struct actor *actor, bool write)
{
    INVARIANT(!actor->holding, "%s takes %s while it holds %s", actor->name, lock->name,
              actor->holding->name);
    update_batched(lock, actor->engine->now);
    lock->holds = actor->holds;
    actor->holding = lock;
    actor->hold_start = actor->engine->now;
    if (write) {
        lock->writer = actor;
        if (actor->engine->tails && lock->in_tails) {
            tails_begin(actor->engine->tails, actor->id, TAIL_MARK_HOLD);
        }
    } else {
        lock->readers++;
    }
}

/* One that is no step of several asks for the lock or gives it back. */
static void note_single(struct lock *lock, bool write, ps_t now)
{
    lock->single_at = now;
    lock->single_write_at = write ? now : lock->single_write_at;
}

void lock_expect_no_writer(struct lock *lock)
{
    lock->single_write_at = 0;
}

bool lock_take(struct lock *lock, struct actor *actor, bool write)
{
    bool free_now = !lock->first && !lock->writer && (!write || lock->readers == 0);
    actor->queued = !free_now;
    if (free_now) {
        hold(lock, actor, write);
        return true;
    }
    update_batched(lock, actor->engine->now);
    lock->contended++;
    if (actor->holds == 0) {
        lock->single_waiters++;
        note_single(lock, write, actor->engine->now);
    }
    actor->wants_write = write;
    actor->batched_start = lock->batched_ps;
    actor->next_waiting = NULL;
    if (lock->first) {
        lock->last->next_waiting = actor;
    } else {
        lock->first = actor;
    }
    lock->last = actor;
    return false;
}

/* Lets the first waiter in, and with a reader all readers right behind it. */
static void admit(struct lock *lock)
{
    while (lock->first && !lock->writer && (!lock->first->wants_write || lock->readers == 0)) {
        struct actor *next = lock->first;
        lock->first = next->next_waiting;
        lock->single_waiters -= next->holds == 0;
        hold(lock, next, next->wants_write);
        ps_t waited = next->engine->now - next->now;
        ps_t batched = lock->batched_ps - next->batched_start;
        next->single_wait_ps += waited > batched ? waited - batched : 0;
        actor_waited(next, lock->resource, waited);
        actor_charge(next, lock->handover_kind, 1);
        calendar_push(&next->engine->calendar, next->now, next->id);
    }
}

static __attribute__((noinline, cold)) void watch_held(const struct lock *lock,
                                                       const struct actor *actor)
{
    struct watch *watch = actor->engine->watch;
    struct spans *held = &watch->held;
    if (!watch->tally_of) {
        return;
    }
    uint32_t class = watch_hold_class(lock->resource, lock->writer != NULL);
    spans_until(held, actor->id, actor->phase, 0, actor->hold_start);
    spans_until(held, actor->id, actor->phase, class, actor->engine->now);
}

void lock_give(struct lock *lock, struct actor *actor)
{
    ps_t held = (actor->engine->now - actor->hold_start) / (lock->holds > 1 ? lock->holds : 1);
    INVARIANT(actor->holding == lock, "%s gives %s, which it does not hold", actor->name,
              lock->name);
    update_batched(lock, actor->engine->now);
    actor->holding = NULL;
    if (actor->holds == 0) {
        note_single(lock, lock->writer != NULL, actor->engine->now);
    }
    if (__builtin_expect(actor->engine->watch != NULL, 0)) {
        watch_held(lock, actor);
    }
    if (lock->writer) {
        INVARIANT(lock->writer == actor, "%s gives %s, which %s holds", actor->name, lock->name,
                  lock->writer->name);
        lock->writer = NULL;
        lock->longest_write_ps = held > lock->longest_write_ps ? held : lock->longest_write_ps;
        if (actor->engine->tails && lock->in_tails) {
            tails_end(actor->engine->tails, actor->id, TAIL_HOLD, lock->holds, false);
        }
    } else {
        INVARIANT(lock->readers > 0, "%s gives %s, which has no reader", actor->name, lock->name);
        lock->readers--;
        lock->longest_read_ps = held > lock->longest_read_ps ? held : lock->longest_read_ps;
    }
    admit(lock);
}

void server_take(struct server *server, struct actor *actor, ps_t alone_ps, ps_t taken_ps,
                 uint64_t parts)
{
    ps_t left = server->free_at > actor->now ? server->free_at - actor->now : 0;
    bool between = left > 0 && parts < server->parts / PARTS_BETWEEN;
    ps_t waited = between ? (ps_t)((__uint128_t)left * parts / server->parts) : left;
    actor_waited(actor, server->resource, waited);
    ps_t from = between ? server->free_at : actor->now;
    actor_busy(actor, alone_ps);
    server->free_at = u64_add(from, taken_ps, "simulated time");
    server->parts = between ? server->parts : parts;
}

/* Of so many members, and of as many as most paths have, it is known what their weights and rates
 * were last: members come and go, and their weights are few. */
#define KNOWN_MAX 64

/* Where in what is known the weights of so many members begin; their rates are behind them. */
static size_t known_at(uint32_t count)
{
    return (size_t)count * (count - 1);
}

void flow_init(struct flow *flow, struct engine *engine, const char *name, uint32_t resource)
{
    const size_t max = sizeof engine->flows / sizeof engine->flows[0];
    INVARIANT(engine->flow_count < max, "%s is one flow more than the %zu there can be", name, max);
    *flow = (struct flow){.name = name, .resource = resource};
    flow->id = engine->actor_count + engine->flow_count;
    engine->flows[engine->flow_count++] = flow;
    size_t room = engine->actor_count + (size_t)1;
    flow->members = calloc(room, sizeof *flow->members);
    flow->left = calloc(3 * room, sizeof *flow->left);
    flow->wakeup_capacity = 2 * engine->actor_count + 8;
    flow->wakeups = calloc(flow->wakeup_capacity, sizeof(ps_t));
    if (!flow->members || !flow->left || !flow->wakeups) {
        error_fatal("out of memory for the users of %s", name);
    }
    flow->rate = flow->left + room;
    flow->weight = flow->rate + room;
    flow->known_max = room < KNOWN_MAX ? (uint32_t)room : KNOWN_MAX;
    flow->known = alloc_raw(known_at(flow->known_max + 1), sizeof *flow->known, "shares of a path");
    for (uint32_t count = 1; count <= flow->known_max; count++) {
        flow->known[known_at(count)] = -1; /* no weight */
    }
}

void flow_free(struct flow *flow)
{
    free(flow->members);
    free(flow->left);
    free(flow->wakeups);
    free(flow->known);
    flow->members = NULL;
    flow->known = NULL;
    flow->left = flow->rate = flow->weight = NULL;
    flow->wakeups = NULL;
}

/* Works off what the members did since the last look. */
static void settle(struct flow *flow, ps_t now)
{
    double elapsed = (double)(now - flow->updated);
    double *left = flow->left;
    const double *rate = flow->rate;
#pragma omp simd
    for (uint32_t i = 0; i < flow->count; i++) {
        left[i] -= elapsed * rate[i];
    }
    flow->updated = now;
}

/* Divides the capacity: members in order of weight, each gets its need or an equal share of what
 * is left. */
static void share_anew(struct flow *flow)
{
    double left = 1.0;
    for (uint32_t i = 0; i < flow->count; i++) {
        double fair = left / (flow->count - i), weight = flow->weight[i];
        double rate = weight <= fair ? 1.0 : fair / weight;
        flow->rate[i] = rate;
        left -= rate * weight;
    }
}

static void share(struct flow *flow)
{
    size_t bytes = flow->count * sizeof *flow->weight;
    if (flow->count == 0 || flow->count > flow->known_max) {
        share_anew(flow);
        return;
    }
    double *weight = flow->known + known_at(flow->count), *rate = weight + flow->count;
    if (memcmp(weight, flow->weight, bytes) == 0) {
        memcpy(flow->rate, rate, bytes);
        return;
    }
    share_anew(flow);
    memcpy(weight, flow->weight, bytes);
    memcpy(rate, flow->rate, bytes);
}

/* How long it takes until the first member ends. */
static double first_end(const struct flow *flow)
{
    const double *left = flow->left, *rate = flow->rate;
    double first = INFINITY;
#pragma omp simd reduction(min : first)
    for (uint32_t i = 0; i < flow->count; i++) {
        double needs = (left[i] > 0 ? left[i] : 0) / rate[i];
        first = needs < first ? needs : first;
    }
    return first;
}

/* Rounds up. Past 64 bits the conversion would be undefined, so that ends the run. */
static ps_t whole_ps(double ps)
{
    if (!(ps < 0x1p64)) {
        guard_fail("simulated time does not fit 64 bits: work on a shared path takes %g ps", ps);
    }
    return (ps_t)ceil(ps);
}

static __attribute__((noinline, cold)) void grow_wakeups(struct flow *flow)
{
    flow->wakeup_capacity *= 2;
    flow->wakeups = realloc(flow->wakeups, flow->wakeup_capacity * sizeof(ps_t));
    if (!flow->wakeups) {
        error_fatal("out of memory for the wake-ups of %s", flow->name);
    }
}

/* Sees to it that the flow is called when it is due. An earlier event will do:
 * it leads here again. Otherwise every short piece of work beside a long one
 * would leave an event of the long one's end behind. */
static void schedule_wakeup(struct flow *flow, struct engine *engine)
{
    bool called = flow->wakeup_count > 0 && flow->wakeups[flow->wakeup_count - 1] <= flow->due;
    if (flow->due == UINT64_MAX || called) {
        return;
    }
    if (flow->wakeup_count == flow->wakeup_capacity) {
        grow_wakeups(flow);
    }
    flow->wakeups[flow->wakeup_count++] = flow->due;
    calendar_push(&engine->calendar, flow->due, flow->id);
}

/* Divides the path anew, and sees when the next member ends. */
static void divide(struct flow *flow, struct engine *engine)
{
    share(flow);
    flow->due = flow->count > 0
                    ? u64_add(flow->updated, whole_ps(first_end(flow)), "simulated time")
                    : UINT64_MAX;
    schedule_wakeup(flow, engine);
}

static void move(struct flow *flow, uint32_t from, uint32_t to)
{
    flow->members[to] = flow->members[from];
    flow->left[to] = flow->left[from];
    flow->rate[to] = flow->rate[from];
    flow->weight[to] = flow->weight[from];
}

static void insert_by_weight(struct flow *flow, struct flow_member member, double weight)
{
    uint32_t at = flow->count++;
    for (; at > 0 && flow->weight[at - 1] > weight; at--) {
        move(flow, at - 1, at);
    }
    flow->members[at] = member;
    flow->left[at] = (double)member.alone_ps;
    flow->weight[at] = weight;
}

/* How long the work takes with the path to itself. */
static ps_t alone_on_path(ps_t alone_ps, double weight)
{
    return weight > 1.0 ? whole_ps((double)alone_ps * weight) : alone_ps;
}

bool flow_join(struct flow *flow, struct actor *actor, ps_t alone_ps, double weight)
{
    struct engine *engine = actor->engine;
    ps_t takes = alone_on_path(alone_ps, weight);
    ps_t next = calendar_next(&engine->calendar);
    if (flow->count == 0 && (next == UINT64_MAX || next - engine->now > takes)) {
        engine->overlapped |= next != UINT64_MAX && takes > 0;
        actor_busy(actor, alone_ps);
        actor_waited(actor, flow->resource, takes - alone_ps);
        return true;
    }
    engine->overlapped = true;
    settle(flow, engine->now);
    insert_by_weight(
        flow, (struct flow_member){.actor = actor, .start = engine->now, .alone_ps = alone_ps},
        weight);
    divide(flow, engine);
    return false;
}

static void finish(const struct flow *flow, const struct flow_member *member, ps_t now)
{
    ps_t took = now - member->start;
    ps_t waited = took > member->alone_ps ? took - member->alone_ps : 0;
    actor_busy(member->actor, member->alone_ps);
    actor_resume(member->actor, flow->resource, waited);
}

void flow_due(struct flow *flow, struct engine *engine)
{
    flow->wakeup_count--;
    if (flow->due != engine->now) {
        schedule_wakeup(flow, engine); /* an older wake-up: work has started or ended since */
        return;
    }
    settle(flow, engine->now);
    uint32_t kept = 0;
    uint32_t count = flow->count;
    for (uint32_t i = 0; i < count; i++) {
        if (flow->left[i] < 0.5) {
            finish(flow, &flow->members[i], engine->now);
        } else if (kept++ < i) {
            move(flow, i, kept - 1);
        }
    }
    flow->count = kept;
    divide(flow, engine);
}

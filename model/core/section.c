#include "core/section.h"

#include "core/alloc.h"
#include "core/coro.h"
#include "core/invariant.h"
#include "core/resource.h"

#include <stdlib.h>
#include <string.h>

/* More than that are not kept: it is then played. */
#define STEPS_MAX 1024
#define TURNS_MAX ((size_t)65536)
#define EVENTS_MAX 64 /* of a turn */

static const char what_for[] = "what actors do at once";

struct own_turns {
    struct section_turn *turns;
    size_t count, capacity;
};

struct section_writer {
    struct section_plan plan;
    bool good; /* so far all can be written down */
    struct section section;
    size_t step_capacity, event_capacity, section_capacity;
    struct own_turns *own; /* [actors] */
    uint32_t waited; /* for so many the starter has waited */
    /* The turn that goes on: */
    struct section_event charged[EVENTS_MAX], counted[EVENTS_MAX];
    struct section_step step;
};

void section_free(struct section *section)
{
    free(section->steps);
    free(section->events);
    free(section->turns);
    free(section->own);
    *section = (struct section){0};
}

static void writer_free(struct section_writer *writer)
{
    for (uint32_t i = 0; i <= writer->plan.count; i++) {
        free(writer->own[i].turns);
    }
    free(writer->own);
    section_free(&writer->section);
    free(writer);
}

void sections_clear(struct sections *sections)
{
    for (size_t i = 0; i < sections->count; i++) {
        section_free(&sections->section[i]);
    }
    sections->count = 0;
}

void sections_free(struct sections *sections)
{
    sections_clear(sections);
    if (sections->writer) {
        writer_free(sections->writer);
    }
    free(sections->section);
    *sections = (struct sections){0};
}

/* Room for one more of `count`. */
static void *grown(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return array;
    }
    *capacity = *capacity < 16 ? 16 : 2 * *capacity;
    return alloc_checked(realloc(array, *capacity * size), what_for);
}

/* --- written down --- */

void sections_begin(struct sections *sections, const struct section_plan *plan)
{
    struct section_writer *writer = alloc_zeroed(1, sizeof *writer, what_for);
    writer->plan = *plan;
    writer->good = true;
    writer->own = alloc_zeroed(plan->count + 1, sizeof *writer->own, what_for);
    sections->writer = writer;
}

void sections_event(struct sections *sections, uint32_t kind, uint64_t n, bool moves)
{
    struct section_writer *writer = sections->writer;
    size_t *count = moves ? &writer->step.charged : &writer->step.counted;
    if (n > 0 && *count == EVENTS_MAX) {
        writer->good = false;
    } else if (n > 0) {
        struct section_event *events = moves ? writer->charged : writer->counted;
        events[(*count)++] = (struct section_event){kind, n};
    }
}

void sections_asked(struct sections *sections, bool alone)
{
    sections->writer->step.asked = true;
    sections->writer->step.alone = alone;
}

static bool same_events(const struct section_event *a, const struct section_event *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (a[i].kind != b[i].kind || a[i].n != b[i].n) {
            return false;
        }
    }
    return true;
}

static bool is_turn(const struct section_writer *writer, size_t which)
{
    const struct section_step *step = &writer->section.steps[which], *turn = &writer->step;
    const struct section_event *events = writer->section.events + step->first;
    return step->request == turn->request && step->asked == turn->asked &&
           step->alone == turn->alone && step->charged == turn->charged &&
           step->counted == turn->counted && same_events(events, writer->charged, step->charged) &&
           same_events(events + step->charged, writer->counted, step->counted);
}

static void add_event(struct section_writer *writer, struct section_event event)
{
    struct section *section = &writer->section;
    section->events = grown(section->events, section->event_count, &writer->event_capacity,
                            sizeof *section->events);
    section->events[section->event_count++] = event;
}

/* The turn as a step: one that was there, or a new one. */
static size_t step_of_turn(struct section_writer *writer)
{
    struct section *section = &writer->section;
    size_t which = section->step_count; /* the newest ones first: turns are often alike */
    while (which > 0 && !is_turn(writer, which - 1)) {
        which--;
    }
    if (which > 0) {
        return which - 1;
    }
    section->steps =
        grown(section->steps, section->step_count, &writer->step_capacity, sizeof *section->steps);
    struct section_step *step = &section->steps[section->step_count];
    *step = writer->step;
    step->first = section->event_count;
    for (size_t i = 0; i < step->charged; i++) {
        add_event(writer, writer->charged[i]);
    }
    for (size_t i = 0; i < step->counted; i++) {
        add_event(writer, writer->counted[i]);
    }
    writer->good &= section->step_count < STEPS_MAX;
    return section->step_count++;
}

static void add_turn(struct section_writer *writer, struct own_turns *own, size_t step)
{
    if (own->count > 0 && own->turns[own->count - 1].step == step) {
        own->turns[own->count - 1].times++;
        return;
    }
    own->turns = grown(own->turns, own->count, &own->capacity, sizeof *own->turns);
    own->turns[own->count++] = (struct section_turn){step, 1};
    writer->section.turn_count++;
    writer->good &= writer->section.turn_count < TURNS_MAX;
}

/* What the actor asks for; false where that cannot be written down. */
static bool take_request(struct section_writer *writer, const struct actor *actor, uint32_t id)
{
    const struct section_plan *plan = &writer->plan;
    const struct request *request = &actor->request;
    switch (request->kind) {
    case REQUEST_NONE:
        writer->step.request = SECTION_NONE;
        return true;
    case REQUEST_FLOW:
        writer->step.request = SECTION_FLOW;
        return request->target == plan->path;
    case REQUEST_RAISE:
        writer->step.request = SECTION_RAISE;
        return id > 0 && request->target == &plan->done[id - 1];
    case REQUEST_WAIT:
        writer->step.request = SECTION_WAIT;
        return id == 0 && writer->waited < plan->count &&
               request->target == &plan->done[writer->waited++];
    case REQUEST_END:
        return id > 0 && writer->step.charged == 0;
    case REQUEST_LOCK:
    case REQUEST_UNLOCK:
    case REQUEST_SERVE:
        return false;
    }
    return false;
}

void sections_turn_over(struct sections *sections, const struct actor *actor)
{
    struct section_writer *writer = sections->writer;
    const struct section_plan *plan = &writer->plan;
    bool other = actor >= plan->others && actor < plan->others + plan->count;
    uint32_t id = other ? (uint32_t)(actor - plan->others) + 1 : 0;
    writer->good = writer->good && (other || actor == plan->starter) &&
                   take_request(writer, actor, id) &&
                   (writer->step.request == SECTION_FLOW || writer->step.counted == 0);
    bool empty =
        actor->request.kind == REQUEST_END ||
        (actor->request.kind == REQUEST_NONE && !writer->step.asked && writer->step.charged == 0);
    if (writer->good && !empty) {
        add_turn(writer, &writer->own[id], step_of_turn(writer));
    }
    writer->step = (struct section_step){0};
}

/* The actors' turns, which grew beside each other, one behind the other. */
static void join_turns(struct section_writer *writer)
{
    struct section *section = &writer->section;
    size_t at = 0;
    section->actors = writer->plan.count + 1;
    section->turns = alloc_raw(section->turn_count, sizeof *section->turns, what_for);
    section->own = alloc_raw(section->actors, sizeof *section->own, what_for);
    for (uint32_t i = 0; i < section->actors; i++) {
        const struct own_turns *own = &writer->own[i];
        section->own[i] = own->count;
        if (own->count > 0) {
            memcpy(section->turns + at, own->turns, own->count * sizeof *own->turns);
        }
        at += own->count;
    }
}

bool sections_end(struct sections *sections, bool alone)
{
    struct section_writer *writer = sections->writer;
    bool good = writer->good && alone && writer->waited == writer->plan.count &&
                writer->step.charged == 0 && writer->step.counted == 0;
    if (good) {
        join_turns(writer);
        sections->section = alloc_checked(
            realloc(sections->section, (sections->count + 1) * sizeof *sections->section),
            what_for);
        sections->section[sections->count++] = writer->section;
        writer->section = (struct section){0};
    }
    writer_free(writer);
    sections->writer = NULL;
    return good;
}

/* --- timed again --- */

struct replay {
    const struct section *section;
    const struct section_time *time;
    struct engine engine;
    struct ledger ledger;
    struct flow path;
    struct signal *done; /* [actors - 1] */
    bool differs;
    ps_t took_ps;
};

struct member {
    struct replay *replay;
    const struct section_turn *turn, *end;
    uint64_t times; /* how often it has done the present one */
    uint32_t waited;
};

static void call_member(struct actor *actor, struct replay *replay);

static void take_step(struct actor *actor, struct member *member)
{
    struct replay *replay = member->replay;
    const struct section_step *step = &replay->section->steps[member->turn->step];
    const struct section_time *time = &replay->time[member->turn->step];
    replay->differs |= step->asked && engine_alone(actor->engine) != step->alone;
    if (++member->times == member->turn->times) {
        member->turn++;
        member->times = 0;
    }
    actor_charge(actor, 0, time->busy_ps);
    switch (step->request) {
    case SECTION_NONE:
        return;
    case SECTION_FLOW:
        actor_flow(actor, &replay->path, actor_count(actor, 0, time->alone_ps), time->weight);
        return;
    case SECTION_RAISE:
        INVARIANT(actor->id > 0, "who starts the others says that it has ended, as step %zu",
                  member->turn->step);
        actor_raise(actor, &replay->done[actor->id - 1]);
        return;
    case SECTION_WAIT:
        INVARIANT(member->waited + 1 < replay->section->actors, "actor %u waits for too many",
                  actor->id);
        actor_wait(actor, &replay->done[member->waited++]);
        return;
    }
}

static void begin(struct actor *actor, struct replay *replay)
{
    for (uint32_t i = 1; i < replay->section->actors && actor->id == 0; i++) {
        struct actor *other = &replay->engine.actors[i];
        actor_start(other, actor, "other");
        call_member(other, replay);
    }
}

static void end(const struct actor *actor, struct replay *replay)
{
    if (actor->id == 0) {
        replay->took_ps = actor->now;
        replay->differs |= !engine_alone(actor->engine);
    }
}

static CORO(member)
{
    struct member *my = CORO_LOCALS(member);
    CORO_BEGIN;
    begin(actor, my->replay);
    while (my->turn < my->end) {
        AWAIT(take_step(actor, my));
    }
    end(actor, my->replay);
    CORO_END;
}

static void call_member(struct actor *actor, struct replay *replay)
{
    const struct section *section = replay->section;
    const struct section_turn *turn = section->turns;
    for (uint32_t i = 0; i < actor->id; i++) {
        turn += section->own[i];
    }
    CORO_CALL(actor, member, .replay = replay, .turn = turn, .end = turn + section->own[actor->id]);
}

bool section_replay(const struct section *section, const struct section_time *time, ps_t *took_ps,
                    ps_t *waited_ps)
{
    static const ps_t price = 1; /* what is charged are ps */
    struct replay replay = {.section = section, .time = time};
    struct ledger_shape shape = {
        .actors = section->actors, .phases = 1, .sites = 1, .kinds = 1, .resources = 1};
    const struct actor *stuck = NULL;
    ledger_init(&replay.ledger, shape, &price);
    engine_init(&replay.engine, &replay.ledger, section->actors);
    flow_init(&replay.path, &replay.engine, "path", 0);
    replay.done = alloc_zeroed(section->actors, sizeof *replay.done, what_for);
    actor_begin(&replay.engine.actors[0], "starter", NULL);
    call_member(&replay.engine.actors[0], &replay);
    bool same = engine_run(&replay.engine, &stuck) && !replay.differs;
    *took_ps = replay.took_ps;
    *waited_ps = ledger_waited(&replay.ledger, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL);
    free(replay.done);
    flow_free(&replay.path);
    engine_free(&replay.engine);
    ledger_free(&replay.ledger);
    return same;
}

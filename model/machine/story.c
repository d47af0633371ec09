#include "machine/story.h"

#include "core/alloc.h"
#include "core/invariant.h"

#include <stdlib.h>
#include <string.h>

bool story_writes(const struct story_step *step)
{
    enum operation operation = step->call.operation;
    return operation == DO_WRITE || operation == DO_WRITE_PAST || operation == DO_DEVICE_WRITE;
}

bool story_is(const struct story *story)
{
    return story->outcome == STALE || story->outcome == ONLY_IF;
}

/* --- search and log --- */

static bool covers(const struct oracle_call *call, uint64_t line)
{
    return call->start <= line && line < call->end;
}

static void append(struct story *story, const struct story_step *step)
{
    if (story->count == story->room) {
        size_t room = story->room ? 2 * story->room : 64;
        struct story_step *steps = alloc_raw(room, sizeof *steps, "a story");
        if (story->count > 0) {
            memcpy(steps, story->steps, story->count * sizeof *steps);
        }
        free(story->steps);
        story->steps = steps;
        story->room = room;
    }
    story->steps[story->count++] = *step;
}

static void note_call(struct oracle_log *log, const struct oracle_call *call)
{
    struct stories *stories = (struct stories *)log;
    const struct actor *actor = stories->engine->running;
    struct story_step step = {.call = *call,
                              .actor = actor,
                              .phase = actor ? actor->phase : 0,
                              .at_ps = actor ? actor->now : 0};
    for (int i = 0; stories->watching && i < READERS; i++) {
        struct story *story = &stories->of[i];
        if (story_is(story) && !story->complete && covers(call, story->line)) {
            step.call.start = story->line;
            step.call.end = story->line + stories->traits.line_bytes;
            step.call.lines = 1;
            step.place = story->count;
            append(story, &step);
        }
    }
}

static void note_judged(struct oracle_log *log, const struct oracle_call *part,
                        enum outcome outcome, enum old_bytes old)
{
    struct stories *stories = (struct stories *)log;
    struct story *story = &stories->of[part->reader];
    if (stories->watching) {
        bool read = story_is(story) && !story->complete && covers(part, story->line);
        if (read && outcome == story->outcome) {
            story->complete = true;
            story->old = old;
        }
    } else if (outcome > story->outcome) {
        story->outcome = outcome;
        story->line = part->start;
    }
}

void stories_search(struct stories *stories, struct oracle *oracle, const struct engine *engine)
{
    *stories = (struct stories){
        .log = {note_call, note_judged}, .engine = engine, .traits = oracle->traits};
    oracle->log = &stories->log;
}

void stories_watch(struct stories *stories, struct oracle *oracle, const struct engine *engine)
{
    stories->watching = true;
    stories->engine = engine;
    oracle->log = &stories->log;
}

void stories_free(struct stories *stories)
{
    for (int i = 0; i < READERS; i++) {
        free(stories->of[i].steps);
    }
}

/* --- reduction --- */

/* A story played again on one line, whose last read alone is judged. */
struct replay {
    struct oracle_log log;
    struct oracle oracle;
    enum reader reader;
    enum old_bytes old;
};

static void hear_call(struct oracle_log *log, const struct oracle_call *call)
{
    (void)log;
    (void)call;
}

static void hear_judged(struct oracle_log *log, const struct oracle_call *part,
                        enum outcome outcome, enum old_bytes old)
{
    struct replay *replay = (struct replay *)log;
    (void)outcome; /* it is in the verdict */
    replay->old = part->reader == replay->reader ? old : replay->old;
}

static void begin(struct replay *replay, const struct story *story, uint64_t value)
{
    struct oracle *oracle = &replay->oracle;
    interval_map_set(&oracle->state, story->line, story->line + oracle->traits.line_bytes, value);
    oracle->verdict[replay->reader] = (struct verdict){.outcome = NOT_READ};
    oracle->judging = false;
}

/* Whether the read that ends the story comes out as it says, for the same reason. */
static bool ends_right(struct replay *replay, const struct story *story)
{
    struct oracle *oracle = &replay->oracle;
    oracle->judging = true;
    oracle_do(oracle, &story->steps[story->count - 1].call);
    return oracle->verdict[replay->reader].outcome == story->outcome && replay->old == story->old;
}

static bool holds(struct replay *replay, const struct story *story)
{
    begin(replay, story, 0);
    for (size_t i = 0; i + 1 < story->count; i++) {
        oracle_do(&replay->oracle, &story->steps[i].call);
    }
    return ends_right(replay, story);
}

/* --- the shortest one --- */

/* What the oracle may hold of the line after so many steps of the story, in any choice of
 * them that keeps those that stay, and the fewest calls that this takes from its start. */
struct way {
    uint64_t value;
    size_t steps, calls;
    size_t stays; /* the next call that stays: none behind it can come next */
};

struct ways {
    struct way *at;
    size_t count, room;
};

static bool stays(const struct story *story, size_t call)
{
    const struct story_step *step = &story->steps[call];
    return step->core || step->origin || call + 1 == story->count;
}

static size_t next_that_stays(const struct story *story, size_t call)
{
    while (!stays(story, call)) {
        call++;
    }
    return call;
}

static bool same_call(const struct oracle_call *a, const struct oracle_call *b)
{
    return a->operation == b->operation && a->by_guest == b->by_guest && a->cleaned == b->cleaned &&
           a->executable == b->executable && a->reader == b->reader && a->path == b->path &&
           a->vcpus.cached == b->vcpus.cached && a->vcpus.past == b->vcpus.past &&
           a->vcpus.others == b->vcpus.others;
}

static uint64_t value_after(struct replay *replay, const struct story *story, uint64_t value,
                            size_t call)
{
    uint64_t end;
    begin(replay, story, value);
    oracle_do(&replay->oracle, &story->steps[call].call);
    return interval_map_value(&replay->oracle.state, story->line, &end);
}

/* Unless it is known with as few steps and calls. */
static void add_way(struct ways *ways, struct way way)
{
    for (size_t i = 0; i < ways->count; i++) {
        const struct way *known = &ways->at[i];
        if (known->value == way.value && known->stays == way.stays && known->calls <= way.calls) {
            return;
        }
    }
    if (ways->count == ways->room) {
        size_t room = ways->room ? 2 * ways->room : 64;
        struct way *at = alloc_raw(room, sizeof *at, "ways of a story");
        if (ways->count > 0) {
            memcpy(at, ways->at, ways->count * sizeof *at);
        }
        free(ways->at);
        ways->at = at;
        ways->room = room;
    }
    ways->at[ways->count++] = way;
}

/* All ways that are a step longer. Of calls alike the first one is enough. */
static void go_on(struct replay *replay, const struct story *story, struct ways *ways,
                  struct way from)
{
    for (size_t call = from.calls; call <= from.stays && call + 1 < story->count; call++) {
        bool again = false;
        for (size_t i = from.calls; i < call && !again && call < from.stays; i++) {
            again = same_call(&story->steps[i].call, &story->steps[call].call);
        }
        if (!again) {
            add_way(ways, (struct way){.value = value_after(replay, story, from.value, call),
                                       .steps = from.steps + 1,
                                       .calls = call + 1,
                                       .stays = next_that_stays(story, call + 1)});
        }
    }
}

/* The latest call that may be the last step of a way, before `end`; and the way before it. */
static size_t last_step(struct replay *replay, const struct story *story, const struct ways *ways,
                        struct way *way, size_t end)
{
    struct way before = {0};
    size_t latest = 0;
    for (size_t i = 0; i < ways->count; i++) {
        const struct way *from = &ways->at[i];
        for (size_t call = end; from->steps + 1 == way->steps && call-- > from->calls;) {
            if (call <= from->stays && call >= latest &&
                next_that_stays(story, call + 1) == way->stays &&
                value_after(replay, story, from->value, call) == way->value) {
                before = *from;
                latest = call;
                break;
            }
        }
    }
    *way = before;
    return latest;
}

/* Leaves the fewest steps that end in the same, of several choices that with the latest ones. */
static void shorten(struct replay *replay, struct story *story)
{
    struct ways ways = {0};
    struct way way = {.stays = next_that_stays(story, 0)};
    add_way(&ways, way);
    for (size_t i = 0;; i++) {
        INVARIANT(i < ways.count, "a story of %zu calls has no way to its end", story->count);
        way = ways.at[i];
        begin(replay, story, way.value);
        if (way.stays + 1 == story->count && ends_right(replay, story)) {
            break;
        }
        go_on(replay, story, &ways, way);
    }
    size_t count = way.steps + 1, end = story->count - 1;
    struct story_step *steps = alloc_raw(count, sizeof *steps, "a story");
    steps[way.steps] = story->steps[end];
    while (way.steps > 0) {
        size_t at = way.steps - 1;
        end = last_step(replay, story, &ways, &way, end);
        steps[at] = story->steps[end];
    }
    free(ways.at);
    free(story->steps);
    story->steps = steps;
    story->count = story->room = count;
}

/* --- who wrote what is old --- */

static bool acts_on_data(const struct story_step *step)
{
    enum operation operation = step->call.operation;
    return operation != DO_MAP && operation != DO_UNMAP && operation != DO_TLBI &&
           operation != DO_RUN;
}

/* Who wrote what is read in place of a story's only write: the last one to write before
 * anything of the story touched the line. `all` are the steps before any was left out. */
static const struct story_step *origin_of(const struct story *story, const struct story_step *all)
{
    size_t writes = 0, first = 0;
    for (size_t i = 0; i < story->count; i++) {
        writes += story_writes(&story->steps[i]);
    }
    while (!acts_on_data(&story->steps[first])) { /* the read that ends it does */
        first++;
    }
    for (size_t i = story->steps[first].place; writes == 1 && i-- > 0;) {
        if (all[i].call.operation == DO_FORGET) {
            return NULL;
        }
        if (story_writes(&all[i])) {
            return &all[i];
        }
    }
    return NULL;
}

/* The core, the origin and all that came behind that, where this comes out the same: the core
 * alone may not, since the origin may bring steps with it, such as the clean that took its bytes
 * to memory. */
static void shorten_from_origin(struct replay *replay, struct story *story,
                                const struct story_step *all, size_t count, size_t origin)
{
    struct story longer = *story;
    longer.steps = alloc_raw(count, sizeof *longer.steps, "a story");
    longer.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (all[i].core || i >= origin) {
            longer.steps[longer.count] = all[i];
            longer.steps[longer.count++].origin = i == origin;
        }
    }
    if (holds(replay, &longer)) {
        shorten(replay, &longer);
        free(story->steps);
        *story = longer;
    } else {
        free(longer.steps);
    }
}

static void reduce(struct replay *replay, struct story *story)
{
    INVARIANT(story->complete && holds(replay, story),
              "a log of %zu calls does not lead to what was read", story->count);
    size_t count = story->count;
    struct story_step *all = alloc_raw(count, sizeof *all, "a story");
    memcpy(all, story->steps, count * sizeof *all);
    shorten(replay, story);
    for (size_t i = 0; i < story->count; i++) {
        story->steps[i].core = all[story->steps[i].place].core = true;
    }
    const struct story_step *origin = origin_of(story, all);
    if (origin) {
        shorten_from_origin(replay, story, all, count, origin->place);
    }
    free(all);
    holds(replay, story);
    story->conditions = replay->oracle.verdict[replay->reader].conditions;
}

void stories_reduce(struct stories *stories)
{
    struct pool pool;
    interval_map_pool_init(&pool, 8);
    for (int i = 0; i < READERS; i++) {
        if (story_is(&stories->of[i])) {
            struct replay replay = {.log = {hear_call, hear_judged}, .reader = (enum reader)i};
            oracle_init(&replay.oracle, &pool, stories->traits);
            replay.oracle.log = &replay.log;
            reduce(&replay, &stories->of[i]);
            interval_map_set(&replay.oracle.state, stories->of[i].line,
                             stories->of[i].line + stories->traits.line_bytes, 0);
        }
    }
    pool_free(&pool);
}

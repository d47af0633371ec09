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

/* Plays all but `count` steps from `from` on; whether the read comes out as the
 * story says, for the same reason. */
static bool holds_without(struct replay *replay, const struct story *story, size_t from,
                          size_t count)
{
    struct oracle *oracle = &replay->oracle;
    interval_map_set(&oracle->state, story->line, story->line + oracle->traits.line_bytes, 0);
    oracle->verdict[replay->reader] = (struct verdict){.outcome = NOT_READ};
    for (size_t i = 0; i < story->count; i++) {
        if (i < from || i >= from + count) {
            oracle->judging = i + 1 == story->count;
            oracle_do(oracle, &story->steps[i].call);
        }
    }
    return oracle->verdict[replay->reader].outcome == story->outcome && replay->old == story->old;
}

static bool holds(struct replay *replay, const struct story *story)
{
    return holds_without(replay, story, 0, 0);
}

static bool any_stays(const struct story_step *steps, size_t count)
{
    bool stays = false;
    for (size_t i = 0; i < count; i++) {
        stays |= steps[i].core || steps[i].origin;
    }
    return stays;
}

/* One go over all steps that may be dropped, so many at a time, the oldest first. The last one
 * stays. */
static bool drop_each(struct replay *replay, struct story *story, size_t chunk)
{
    struct story_step *steps = story->steps;
    bool dropped = false;
    for (size_t from = 0; from + chunk < story->count;) {
        if (!any_stays(steps + from, chunk) && holds_without(replay, story, from, chunk)) {
            story->count -= chunk;
            memmove(steps + from, steps + from + chunk, (story->count - from) * sizeof *steps);
            dropped = true;
        } else {
            from += chunk;
        }
    }
    return dropped;
}

static void drop(struct replay *replay, struct story *story)
{
    for (size_t chunk = story->count / 2; chunk > 1; chunk /= 2) {
        drop_each(replay, story, chunk);
    }
    bool dropped = true;
    while (dropped) {
        dropped = drop_each(replay, story, 1);
    }
}

static bool acts_on_data(const struct story_step *step)
{
    enum operation operation = step->call.operation;
    return operation != DO_MAP && operation != DO_UNMAP && operation != DO_TLBI &&
           operation != DO_RUN;
}

/* Who wrote what is read in place of a story's only write: the last one to write before
 * anything of the story touched the line. `all` are the steps before any was dropped. */
static const struct story_step *origin_of(const struct story *story, const struct story_step *all)
{
    size_t writes = 0, first = 0;
    for (size_t i = story->count; i-- > 0;) {
        writes += story_writes(&story->steps[i]);
        first = acts_on_data(&story->steps[i]) ? i : first;
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
static void drop_from_origin(struct replay *replay, struct story *story,
                             const struct story_step *all, size_t count, size_t origin)
{
    struct story longer = *story;
    longer.steps = alloc_raw(count, sizeof *longer.steps, "a story");
    longer.room = count;
    longer.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (all[i].core || i >= origin) {
            longer.steps[longer.count] = all[i];
            longer.steps[longer.count++].origin = i == origin;
        }
    }
    if (holds(replay, &longer)) {
        drop(replay, &longer);
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
    drop(replay, story);
    for (size_t i = 0; i < story->count; i++) {
        story->steps[i].core = all[story->steps[i].place].core = true;
    }
    const struct story_step *origin = origin_of(story, all);
    if (origin) {
        drop_from_origin(replay, story, all, count, origin->place);
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

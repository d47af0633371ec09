/*
 * story - how a reader of guest memory comes to get old bytes, in as few steps as it takes.
 *
 * For each reader, the first line that it may read old is found in one run
 * (stories_search). A second run, of the same point, logs what happens to these lines up to that
 * read (stories_watch). Of the log, the fewest calls are left with which the oracle says the same
 * of the read that ends it, for the same reason (stories_reduce). Where they hold one write only,
 * who wrote before is put in front.
 */
#ifndef S2FLUSH_MACHINE_STORY_H
#define S2FLUSH_MACHINE_STORY_H

#include "core/actor.h"
#include "machine/oracle.h"

struct story_step {
    struct oracle_call call; /* on the line alone */
    const struct actor *actor; /* by whom; its fields are as they are now */
    uint32_t phase;
    ps_t at_ps;
    size_t place; /* in the log */
    bool core; /* it takes this one for any old bytes; others are there for the origin's */
    bool origin; /* it wrote the bytes that are old: without it older ones are read */
};

struct story {
    enum outcome outcome; /* of the last step: STALE or ONLY_IF; anything else: no story */
    unsigned conditions; /* of ONLY_IF */
    enum old_bytes old; /* where that one gets old bytes */
    uint64_t line; /* a memory address */
    struct story_step *steps;
    size_t count, room;
    bool complete; /* the last step is the read */
};

struct stories {
    struct oracle_log log;
    const struct engine *engine; /* whose actors call */
    struct oracle_traits traits;
    bool watching;
    struct story of[READERS];
};

/* Before a run: finds the lines. */
void stories_search(struct stories *stories, struct oracle *oracle, const struct engine *engine);

/* Before another run of the same: logs what happens to them. */
void stories_watch(struct stories *stories, struct oracle *oracle, const struct engine *engine);

/* After that run. */
void stories_reduce(struct stories *stories);

void stories_free(struct stories *stories);

/* Whether the reader has one. */
bool story_is(const struct story *story);

/* Whether a step puts bytes into the line. */
bool story_writes(const struct story_step *step);

#endif

/*
 * section - what several actors do at once while nothing else is under way, step by step, so that
 * it can be timed again at other prices.
 *
 * An actor starts others, works beside them and waits for each of them to end. Where all that they
 * share are a path whose capacity is divided and the signals of their ends, prices change when each
 * of them does something, not what it does. The engine writes the steps down as they happen. It
 * leaves it where an actor asks for anything else, and notes what they see of each other: whether
 * one is alone. Timing it again goes through the same engine, so that it comes to what playing
 * would, to the picosecond, as long as they see the same.
 */
#ifndef S2FLUSH_CORE_SECTION_H
#define S2FLUSH_CORE_SECTION_H

#include "core/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct actor;
struct flow;
struct signal;

/* What an actor asks for at the end of a turn. */
enum section_request {
    SECTION_NONE, /* others have their turns */
    SECTION_FLOW,
    SECTION_RAISE, /* of those that were started: the signal of its end */
    SECTION_WAIT, /* of who started them: the end of the first one, of the second one, ... */
};

/* Events of one kind. */
struct section_event {
    uint32_t kind;
    uint64_t n;
};

/* What an actor does in one turn. Its events stand together in the section's, those that move its
 * clock first, then those whose time it spends on the path. */
struct section_step {
    enum section_request request;
    bool asked, alone; /* it asked whether it is alone, and was */
    size_t first, charged, counted;
};

/* The same step so many times. */
struct section_turn {
    size_t step;
    uint64_t times;
};

struct section {
    uint32_t actors; /* who starts the others is the first */
    struct section_step *steps; /* that differ */
    size_t step_count;
    struct section_event *events;
    size_t event_count;
    struct section_turn *turns; /* those of each actor together, one actor after the other */
    size_t turn_count;
    size_t *own; /* [actors]: how many turns each has */
};

/* Harmless on zeroed memory. */
void section_free(struct section *section);

/* --- written down by the engine --- */

struct sections {
    struct section *section; /* finished ones */
    size_t count;
    struct section_writer *writer; /* NULL: none is under way */
};

void sections_free(struct sections *sections);

/* Forgets those that are finished. */
void sections_clear(struct sections *sections);

/* `starter` is about to start `count` others that raise done[] as they end; all they share is
 * `path`. */
struct section_plan {
    const struct actor *starter, *others; /* [count] */
    const struct signal *done; /* [count] */
    const struct flow *path;
    uint32_t count;
};
void sections_begin(struct sections *sections, const struct section_plan *plan);

/* The starter has seen all of them end. False where the section is not written down: they did
 * something else, or there is something left to be done (`alone` is false). */
bool sections_end(struct sections *sections, bool alone);

/* Of the actor whose turn it is: events, that move its clock or are counted for what it asks for;
 * that it asked whether it is alone; that its turn is over, with what it then asks for. */
void sections_event(struct sections *sections, uint32_t kind, uint64_t n, bool moves);
void sections_asked(struct sections *sections, bool alone);
void sections_turn_over(struct sections *sections, const struct actor *actor);

/* --- timing it again --- */

/* What a step comes to. */
struct section_time {
    ps_t busy_ps; /* of what it charges */
    ps_t alone_ps; /* on the path, */
    double weight; /* of which it takes that much (core/resource.h) */
};

/* When the one that started the others has seen all of them end, in ps from the start, and what
 * all of them waited for the path. False where they see of each other what they did not see then:
 * it must be played. */
bool section_replay(const struct section *section, const struct section_time *time, ps_t *took_ps,
                    ps_t *waited_ps);

#endif

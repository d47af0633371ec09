/*
 * coro - what an actor does, as one function that reads from top to bottom.
 *
 * At each AWAIT a coroutine lets others take their turns. It goes on behind it when what it
 * asked for is done: it has a lock, its work on a path has ended, a signal was raised, the
 * coroutine that it called has come to its end; if it asked for nothing, when all others have
 * reached its time.
 *
 *     struct nap {
 *         struct bed *bed;
 *         uint32_t times;
 *     };
 *
 *     static CORO(nap)
 *     {
 *         struct nap *my = CORO_LOCALS(nap);
 *         CORO_BEGIN;
 *         for (; my->times > 0; my->times--) {
 *             AWAIT(actor_lock(actor, &my->bed->lock, true));
 *             actor_charge(actor, KIND_NAP, 1);
 *             AWAIT(actor_unlock(actor, &my->bed->lock));
 *         }
 *         CORO_END;
 *     }
 *
 *     void bed_nap(struct actor *actor, struct bed *bed, uint32_t times)
 *     {
 *         CORO_CALL(actor, nap, .bed = bed, .times = times);
 *     }
 *
 * and in another coroutine AWAIT(bed_nap(actor, bed, 3)). Its arguments, and what it keeps from
 * one AWAIT to the next, are members of a struct of the same name: C's own variables are lost
 * there, but for those that are set before CORO_BEGIN, which is done anew each time. An AWAIT
 * cannot stand in a switch, and there is one to a line.
 */
#ifndef S2FLUSH_CORE_CORO_H
#define S2FLUSH_CORE_CORO_H

#include "core/actor.h"

#define CORO(name) void name##_coro(struct actor *actor, struct frame *frame)
#define CORO_LOCALS(name) ((struct name *)(void *)frame->locals)

#define CORO_BEGIN         \
    switch (frame->line) { \
    case 0:

#define CORO_END \
    }            \
    actor_return(actor)

/* Where a coroutine is suspended is the number of this line. */
#define AWAIT(request)                       \
    do {                                     \
        (void)(request);                     \
        if (actor_must_wait(actor, frame)) { \
            frame->line = __LINE__;          \
            return;                          \
        case __LINE__:;                      \
        }                                    \
    } while (0)

/* Calls a coroutine: it runs next. Members of its struct that are not named are 0. */
#define CORO_CALL(actor, name, ...)                                               \
    (*(struct name *)actor_call(actor, name##_coro, #name, sizeof(struct name)) = \
         (struct name){__VA_ARGS__})

#endif

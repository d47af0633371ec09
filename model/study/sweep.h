/*
 * sweep - many parts of one job, shared out among threads.
 *
 * The one parallel loop of the program. Parts are known by number and leave what they find by
 * number, so that it is the same for any number of threads. A part may itself be a sweep of
 * smaller ones (a scenario's draws): threads that have no part of the outer loop left take those.
 */
#ifndef S2FLUSH_STUDY_SWEEP_H
#define S2FLUSH_STUDY_SWEEP_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

struct sweep;

/* Progress callback, by one thread at a time: when a sweep begins, after each part, and when the
 * outermost one has ended. */
typedef void (*progress_fn)(const struct sweep *sweep);

/* How a job's parts are done, and how many are. */
struct sweep {
    const char *name; /* of what is done, for progress; may be NULL */
    unsigned jobs; /* threads; 0: as many as processors */
    progress_fn progress; /* may be NULL */
    int (*stopped)(
        void); /* asked before each part: a signal that ends the sweep, or 0; may be NULL */

    size_t done, total; /* parts of the outermost sweep */
    size_t inner_done, inner_total; /* parts of those inside, as far as they are known */
    bool ended; /* the outermost one has */
};

/* Does one part; false with a line. Threads call at the same time. */
typedef bool (*sweep_fn)(void *context, size_t part, struct error *err);

/* Does parts 0 to count - 1. Of several errors the one of the first part is reported; parts
 * behind it need not be done. Stopped by a signal, it reports "interrupted", and the status of
 * a program that a signal ended. */
bool sweep_parts(struct sweep *sweep, size_t count, sweep_fn part, void *context,
                 struct error *err);

/* The parts that were passed over: one of their simulations could not go on. */
struct sweep_failed {
    size_t count, of;
    size_t first;
    struct error err; /* of the first one */
};

/* The same, but a part that one of its own simulations fails is noted there, and those behind it
 * are done. */
bool sweep_passing(struct sweep *sweep, size_t count, sweep_fn part, void *context,
                   struct sweep_failed *failed, struct error *err);

/* False with a line that says how many, and of the first one why, where any were; `they` is what
 * has come of them. */
bool sweep_none_failed(const struct sweep_failed *failed, const char *they, struct error *err);

/* How many threads a sweep uses. */
unsigned sweep_threads(unsigned jobs);

#endif

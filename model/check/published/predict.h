/*
 * predict - what the model says a published row should have measured.
 *
 * The row's benchmark is played with every vCPU as an actor. All pages of a
 * region are alike, so a large one is not played whole: two slices are, one
 * twice as long as the other, and the region's time follows from the longer
 * one and from what each further page added. The rest of the region passes
 * through the caches meanwhile, so that a slice is no warmer than the whole.
 */
#ifndef S2FLUSH_CHECK_PUBLISHED_PREDICT_H
#define S2FLUSH_CHECK_PUBLISHED_PREDICT_H

#include "check/published/published.h"
#include "machine/events.h"

struct error;

/* How much of a row's region is played. */
struct slices {
    /* Bytes. Equal: the whole region, played once. A first one of 0: only the
     * second is played, and the region's time is proportional to it. */
    uint64_t first, second;
};
struct slices predict_slices(const struct benchmark *benchmark);

/* The time of the row's phase in ps, at these costs. The row must not be
 * refused. False where the benchmark gets stuck. */
bool predict_ps(const struct published *row, const double value[COSTS], double *ps,
                struct error *err);

/* The same, with what happens in that phase; `events` may be NULL. */
bool predict_events(const struct published *row, const double value[COSTS], double *ps,
                    uint64_t events[EVENT_KINDS], struct error *err);

#endif

/*
 * predict_draws - a row's times at many costs, of which few are played.
 *
 * What a row's phase takes follows its events' prices, and those of the paths that cores share:
 * exactly where one actor is at work, nearly where many wait for one thing. So a few draws are
 * played, those whose events have the most different shares, and the rest is fitted to them
 * (study/draw_fit.h), or to them and another row's times in the same draws, where that foresees
 * each of those that were played from the others. Where it does not, more are played, all in the
 * end.
 */
#ifndef S2FLUSH_CHECK_PUBLISHED_PREDICT_DRAWS_H
#define S2FLUSH_CHECK_PUBLISHED_PREDICT_DRAWS_H

#include "check/published/published.h"

/* By how much of its time a draw may be off where it is fitted, the root of the mean square. */
#define PREDICT_OFF 0.005

/* A row's times at so many costs. */
struct drawn_times {
    double *ps; /* [draws] */
    bool *known; /* [draws]: played */
    double off; /* by how much of their time those are off that are not: root of the mean square */
};

void drawn_times_alloc(struct drawn_times *times, size_t draws);
void drawn_times_free(struct drawn_times *times);

/* Fills `times`, but those that are known there already. The first draw is always played. `other`:
 * of another row in these draws, or NULL. False where a play gets stuck. */
bool predict_draws(const struct published *row, const double (*value)[COSTS], size_t draws,
                   const struct drawn_times *other, struct drawn_times *times, struct error *err);

#endif

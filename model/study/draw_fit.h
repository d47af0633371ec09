/*
 * draw_fit - what a strategy comes to in draws that were not played, from those that were.
 *
 * Where actors wait for each other, a run's time is no sum of what its events cost, but it is
 * nearly one with other weights: those of events that others wait for, or that go on side by side.
 * So its ratio to that sum is fitted (study/ridge.h) to the share that each kind of event has in
 * the sum, to what shared paths would take, and to how late the other vCPUs come up. What a run
 * takes more than another one is fitted alike, to the events that it has more or fewer of.
 */
#ifndef S2FLUSH_STUDY_DRAW_FIT_H
#define S2FLUSH_STUDY_DRAW_FIT_H

#include "study/draws.h"
#include "study/trial.h"

/* What is known of a run before it is played. */
struct draw_fit_run {
    const struct trial *trial; /* one on the same timeline, at whatever costs */
    const struct trial *less; /* another's, over which it is; NULL: all of it is meant */
    const double *costs; /* [COSTS] */
    const ps_t *price; /* [EVENT_KINDS] */
    unsigned stratum;
    double late; /* where the timeline stands in its range, from the mode on: -1 to 1 */
};

struct draw_fit {
    size_t runs, columns;
    double *events; /* [runs]: what its events take, or those more and fewer, in ps */
    double *x; /* [runs][columns] */
    unsigned *group; /* [runs]: the same for all */
};

void draw_fit_open(struct draw_fit *fit, const struct draw_fit_run *run, size_t runs);
void draw_fit_close(struct draw_fit *fit);

/* Fills values of those runs that are not known, by a fit to those that are, and for these
 * miss[run]: by what a fit to the others is off. */
void draw_fit_values(const struct draw_fit *fit, const bool *known, double *value, double *miss);

#endif

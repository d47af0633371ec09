/*
 * target - which values of an axis keep a metric at or below a limit.
 *
 * For each group and each strategy that no reader finds stale: all values of
 * the axis from the end on that serves the metric best, up to the last one that
 * keeps the limit with all costs at their modes, and the last one that keeps it
 * in at least nine of ten draws. Values between those that are looked at are
 * not tried: the answer is one of them.
 */
#ifndef S2FLUSH_STUDY_TARGET_H
#define S2FLUSH_STUDY_TARGET_H

#include "study/breakeven.h"

struct error;

/* The share of draws that must keep the limit for it to be kept surely. */
#define TARGET_SURE 0.9

struct target {
    size_t group, strategy;
    bool rises; /* the metric is least at the low end: the answer reads "up to" */
    double limit;
    double at; /* the last value that keeps the limit at the modes; NAN: none does */
    double sure; /* in TARGET_SURE of the draws; NAN: none, or no draws */
    double share; /* of the draws in which `at` keeps it; NAN: none */
    struct breakeven_curve best, there; /* the metric at the best end; at `at` */
    bool all; /* every value keeps it, at the modes */
};

struct target_results {
    struct breakeven_results axis; /* its groups, its values; no rows */
    struct target *row; /* by limit, then group, then strategy */
    size_t count;
};

/* `request` says the axis and the metric; its pair is not asked. `limits` are in
 * the metric's unit. */
bool target_run(const struct study *study, const struct breakeven_request *request,
                const double *limits, size_t limit_count, struct sweep *sweep, struct store *store,
                struct target_results *results, struct error *err);
void target_free(struct target_results *results);

#endif

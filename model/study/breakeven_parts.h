/*
 * breakeven_parts - what the files behind breakeven.h share; not for others.
 */
#ifndef S2FLUSH_STUDY_BREAKEVEN_PARTS_H
#define S2FLUSH_STUDY_BREAKEVEN_PARTS_H

#include "study/breakeven.h"

struct error;

/* All strategies at all values of the axis, in all groups. */
struct scan {
    const struct study *study;
    struct evaluator evaluator;
    const struct breakeven_request *request;
    struct breakeven_results *results;
    size_t runs, strategies;
    size_t a, b; /* the pair that was asked for; a SIZE_MAX: all */
    double *value; /* by scan_value: along the axis last, for crossings */
    bool *failed; /* [group][x] */
    struct strategy_verdict *verdict; /* [group][x][strategy] */
};

static inline double *scan_value(const struct scan *scan, size_t group, size_t strategy, size_t run,
                                 size_t x)
{
    size_t lane = (group * scan->strategies + strategy) * scan->runs + run;
    return &scan->value[lane * scan->results->x_count + x];
}

/* Values of a whole-number axis are multiples of this; 0: any number is. */
double breakeven_step(struct value_kind kind);

/* A value of the axis as a file would have it. */
void breakeven_text(struct value_kind kind, double x, char *text, size_t size);

/* Resolves the axis and fills the scan and the results' axis, groups and x. The
 * caller ends both; where false nothing needs that. */
bool breakeven_scan(const struct study *study, const struct breakeven_request *request,
                    struct sweep *sweep, struct store *store, struct scan *scan,
                    struct breakeven_results *results, struct error *err);
void breakeven_scan_end(struct scan *scan);

/* Fills the rows: every pair's crossings, from what was scanned. */
bool breakeven_pairs(struct scan *scan, struct error *err);

#endif

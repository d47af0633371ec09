/* Shared by the files that evaluate a scenario: one run of a strategy, as all of its runs need it.
 */
#ifndef S2FLUSH_STUDY_EVALUATE_PARTS_H
#define S2FLUSH_STUDY_EVALUATE_PARTS_H

#include "study/evaluate.h"

/* What the machine's costs are in a run, and what events cost with them. */
struct costs {
    double value[COSTS];
    ps_t price[EVENT_KINDS];
};

/* Of all runs, [runs]. */
const struct costs *evaluate_costs(struct scenario *scenario);

/* Whether pricing the strategy's run again says all that is asked; `stalls` to count in, where its
 * tail is. */
bool evaluate_price_again(const struct scenario *scenario, const struct trial *trial,
                          const struct costs *costs, struct histogram *stalls, struct times *times);

/* The value of a run. */
bool evaluate_value(struct scenario *scenario, const struct strategy *strategy, enum metric metric,
                    const struct times *times, const struct times *ideal, double *value,
                    struct error *err);

/* Plays it at these costs, or takes it from the store. */
bool evaluate_play_again(struct scenario *scenario, const struct strategy *strategy,
                         unsigned stratum, const struct costs *costs, struct times *times,
                         struct error *err);

#endif

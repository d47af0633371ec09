/*
 * sensitivity - which of a machine's costs matter, and which one to measure.
 *
 * For every cell of a study: a tornado (each cost at its low and at its high,
 * all others at their modes) and Sobol' indices of a strategy's metric or of
 * the difference of two. Over all cells of one machine: the value of
 * information, which is how much smaller the share of cells without a clear
 * winner becomes when one cost is known; the model's own error (machine/misfit.h) is none that one
 * could measure.
 *
 * Where several vCPUs meet, what is played is a surrogate (study/surrogate.h); the value of
 * information is then about the strategies that cost at most half as much again as the cheapest
 * one at the modes.
 *
 * Costs without spread, and those that change nothing at either end of theirs,
 * have indices of 0 and are left out of the sampling.
 */
#ifndef S2FLUSH_STUDY_SENSITIVITY_H
#define S2FLUSH_STUDY_SENSITIVITY_H

#include "study/information.h"
#include "study/sobol.h"
#include "study/surrogate.h"
#include "study/winner_map.h"

struct error;

struct sensitivity_request {
    enum metric metric;
    const char *of; /* one strategy, or "A,B" for A less B; NULL: the two that
                       cost least at the modes, the cheaper one first */
    uint64_t points; /* behind the indices, and draws behind the value of information */
    bool what_if;
};

/* One cost in one cell. */
struct sensitivity_cost {
    double at_low, at_high; /* the output there */
    bool live; /* it changes the output */
    struct sobol_index index;
};

struct sensitivity_cell {
    size_t a, b; /* strategies; b WINNER_NONE: the metric of a alone; a WINNER_NONE: none to
                    look at, and nothing else is known */
    bool failed; /* there is none because a simulation could not go on */
    double at_modes, mean, variance;
    enum surrogate_method method; /* how the values were found */
    struct surrogate_error off; /* and how far off that is */
    struct sensitivity_cost cost[COSTS];
};

/* What knowing one cost does for one machine's cells. */
struct information {
    double known; /* share of undecided cells, expected when the cost is known */
    double chance; /* the same for a number that has nothing to do with it */
    double gain; /* by how much knowing it makes the share smaller, beyond chance */
    double noise; /* standard deviation of such a number's gain: information_least_gain */
};

struct sensitivity_results {
    struct groups groups; /* one for each cell */
    enum metric metric;
    struct sensitivity_cell *cell;
    size_t machines;
    double *undecided; /* [machines] now */
    struct information (*information)[COSTS]; /* [machines] */
    struct sweep_failed failed; /* cells */
};

/* The strategies that a request's `of` names, b WINNER_NONE where it is one; false with a line. */
bool sensitivity_of(const struct study *study, const char *of, size_t *a, size_t *b,
                    struct error *err);

bool sensitivity_run(const struct study *study, const struct sensitivity_request *request,
                     struct sweep *sweep, struct store *store, struct sensitivity_results *results,
                     struct error *err);
void sensitivity_free(struct sensitivity_results *results);

/* Whether a cost of a platform has any spread. */
bool sensitivity_spread(const struct cost *cost);

/* Whether it can be measured, too: the model's own error cannot. */
bool sensitivity_measurable(const struct cost costs[COSTS], enum cost_id id);

#endif

/*
 * winner_map - which strategy costs least, over two axes of a study.
 *
 * Only strategies that no reader finds stale can win, and only those that exist
 * on the machine, unless asked otherwise. Where a winner is sound under a
 * condition only, the cell says so, and who wins among the unconditional ones.
 *
 * The winner has the lowest median over the draws (the lowest value at the
 * modes, where there are none); its probability is the share of the draws in
 * which it beats all others, every strategy under the same draw.
 */
#ifndef S2FLUSH_STUDY_WINNER_MAP_H
#define S2FLUSH_STUDY_WINNER_MAP_H

#include "study/evaluate.h"
#include "study/groups.h"

struct error;

/* Under this share of the draws that agree, a cell is undecided. */
#define WINNER_DECIDED 0.8

#define WINNER_NONE SIZE_MAX

struct winner_map_request {
    const char *x, *y; /* axes of the study; y NULL: only x; both NULL: no axis */
    enum metric metric;
    bool what_if; /* also strategies that exist only on paper */
    bool sound; /* only strategies that are coherent without any condition */
};

struct winner_map_choice {
    size_t winner; /* strategy of the study; WINNER_NONE: none can */
    size_t runner_up; /* WINNER_NONE: no other */
    double probability; /* NAN without draws */
    /* log2 of the runner-up over the winner, median over the draws; NAN where
     * one of them costs nothing or there is no runner-up. */
    double margin;
    double value, p10, p90; /* of the winner: median; NAN without draws */
};

struct winner_map_cell {
    struct winner_map_choice best; /* coherent, or only if a condition holds */
    struct winner_map_choice sound; /* coherent without any condition */
    struct strategy_verdict verdict; /* of the best */
    bool decided;
    bool failed; /* a simulation of it could not go on: nothing of the rest is known */
};

struct winner_map_results {
    struct groups groups;
    enum metric metric;
    const struct axis *x, *y; /* the study's */
    size_t x_count, y_count;
    struct winner_map_cell *cell; /* [group][y][x] */
    struct strategy_verdict *verdict; /* [group][y][x][strategy] */
    struct sweep_failed failed; /* cells */
};

bool winner_map_run(const struct study *study, const struct winner_map_request *request,
                    struct sweep *sweep, struct store *store, struct winner_map_results *results,
                    struct error *err);
void winner_map_free(struct winner_map_results *results);

/* Who wins among the strategies with may[strategy], of values
 * [strategy][runs] (the first run is the one at the modes). `scratch` holds
 * runs numbers. */
void winner_map_choose(const double *values, size_t strategies, size_t runs, const bool *may,
                       double *scratch, struct winner_map_choice *choice);

/* Whether a strategy may win in a cell; `sound`: without any condition. */
bool winner_map_may_win(const struct strategy_verdict *verdict, bool what_if, bool sound);

/* The share of undecided cells of a group, of those that did not fail. */
double winner_map_undecided(const struct winner_map_results *results, size_t group);

#endif

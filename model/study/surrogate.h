/*
 * surrogate - what strategies come to at any costs, from a few plays.
 *
 * Where nobody waits, a run is priced again. Elsewhere times at other costs are known from playing
 * only, but they are nearly linear in what events cost and in what shared paths take for a line or
 * a byte. How often events happen is the slope where one actor does most and others wait for
 * little. Where the study's draws, which a run has played already, show that this is off, slopes
 * are fitted to these draws (study/ridge.h), prices that follow the machine's costs in the same
 * proportion together: of the cheapest strategy, and of what each other one differs by from it.
 * How far it is off it measures on draws that the fit has not seen. With few draws a
 * strategy is played once with every price raised by a quarter instead.
 */
#ifndef S2FLUSH_STUDY_SURROGATE_H
#define S2FLUSH_STUDY_SURROGATE_H

#include "study/evaluate.h"

#define SURROGATE_CHECKS 64 /* draws that are held against it, at most */
#define SURROGATE_FIT_MIN 24 /* draws that it is fitted to, at least */

struct shared_path;

/* What is raised in one play: prices of events, or what a shared path takes. */
struct surrogate_input {
    bool kind[EVENT_KINDS]; /* these together */
    enum event_kind of; /* one of them, whose price stands for all */
    const struct shared_path *path; /* NULL: these; else what it takes */
    double modes, step; /* at the modes; by how much it is raised */
};

#define SURROGATE_METHOD_TABLE(X)                                         \
    X(PRICED, "priced") /* runs are priced again: nothing is linear */    \
    X(COUNTED, "counted") /* by how often events happen at the modes */   \
    X(LINEAR, "linear") /* from the modes on, by a play for each slope */ \
    X(FITTED, "fitted") /* to the study's draws */

enum surrogate_method {
#define SURROGATE_METHOD_ENUM(method, name) SURROGATE_##method,
    SURROGATE_METHOD_TABLE(SURROGATE_METHOD_ENUM)
#undef SURROGATE_METHOD_ENUM
        SURROGATE_METHODS
};
extern const char *const surrogate_method_name[SURROGATE_METHODS];

struct surrogate {
    struct scenario *scenario;
    enum metric metric;
    const struct strategy **strategies; /* [count] */
    size_t count;
    enum surrogate_method method;
    struct surrogate_input input[EVENT_KINDS + COSTS];
    size_t inputs;
    double *modes; /* [count] */
    double *slope; /* [count][inputs] */
    double *counted; /* the same by counts; NULL: the metric has none */
    size_t checks; /* draws that are held against it; of these: */
    unsigned *stratum; /* [checks]: of whose timeline it is */
    double *moved; /* [checks][inputs]: less what they are at the modes */
    double *found; /* [count][checks]: what it came to, less that at the modes */
    double *off; /* [count]: what is missed of those that are fitted themselves */
    double *miss; /* [count][checks]: by which it is off, the others of the stratum say its level */
};

/* Whether all runs of the strategies are priced again, whatever things cost. */
bool surrogate_needless(struct scenario *scenario, enum metric metric,
                        const struct strategy *const *strategies, size_t count, bool *needless,
                        struct error *err);

/* Of a metric of strategies; plays what it needs. Of two their difference is what counts, of more
 * how each differs from the cheapest. The caller closes it in both cases. */
bool surrogate_open(struct surrogate *surrogate, struct scenario *scenario, enum metric metric,
                    const struct strategy *const *strategies, size_t count, struct error *err);
void surrogate_close(struct surrogate *surrogate);

/* Fits a strategy's slopes to the draws, from those that are there on: of what it differs by from
 * `against`, where that is below count. */
void surrogate_fit(struct surrogate *surrogate, size_t which, size_t against);

/* The metric of each strategy at these costs, into value[count]. */
bool surrogate_at(const struct surrogate *surrogate, const double costs[COSTS], double *value,
                  struct error *err);

/* How far off it is on the study's draws, each by a fit to the others: for strategy a's metric, or
 * for a's less b's where b is below count. NAN: there are none. */
struct surrogate_error {
    double unexplained; /* share of the variance of the draws */
    double relative; /* root of the mean square, to that of what the draws came to */
};
struct surrogate_error surrogate_error(const struct surrogate *surrogate, size_t a, size_t b);
bool surrogate_is_good(struct surrogate_error error);

#endif

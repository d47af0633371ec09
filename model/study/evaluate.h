/*
 * evaluate - what strategies come to in a scenario.
 *
 * A scenario is a point of a study without its strategy: workload, machine, kernel and keys,
 * resolved. A strategy is played in it once, with every cost at its mode. Where nobody waited, what
 * happened is priced again for other costs (study/trial.h); elsewhere it is played again for them.
 * Run 0 is the one at the modes, runs 1 and up are the study's draws. When the other vCPUs come up
 * is known as a range (guest/workload): a draw has the middle of one of its quarters, and so one of
 * four timelines; a strategy is then played once in each.
 *
 * Of one scenario several threads may ask at the same time.
 */
#ifndef S2FLUSH_STUDY_EVALUATE_H
#define S2FLUSH_STUDY_EVALUATE_H

#include "study/draws.h"
#include "study/metrics.h"
#include "study/study.h"
#include "study/sweep.h"

#include <omp.h>

struct error;

/* What all scenarios of a study share. */
struct evaluator {
    const struct study *study;
    struct sweep *sweep; /* shares out the draws of a scenario */
    double (**points)[COSTS]; /* by machine of the study: its draws in [0, 1), once asked for */
    unsigned **strata; /* by machine: of each of these draws */
};

void evaluator_open(struct evaluator *evaluator, const struct study *study, struct sweep *sweep);
void evaluator_close(struct evaluator *evaluator);

/* A key that a scenario has otherwise than the study's point; key NULL: none. */
struct scenario_key {
    const char *key, *text;
};

struct scenario {
    struct evaluator *evaluator;
    struct setup setup; /* its strategy is none's in particular */
    struct timeline timeline;
    bool ranged; /* draws have timelines of their own, one for each stratum */
    struct timeline drawn[DRAW_STRATA]; /* built as far as they were asked for */
    bool built[DRAW_STRATA];
    size_t machine; /* of the study */
    size_t runs; /* 1 + draws */
    omp_lock_t lock; /* of the next two and of the timelines drawn */
    struct costs *costs; /* [runs] once they were asked for, else NULL */
    struct played *played; /* the strategies so far */
    uint64_t plays, reprices; /* runs, and runs that pricing again saved */
};

/* Opens the scenario of a point (its strategy does not matter). The caller closes it where this
 * was true. */
bool scenario_open(struct scenario *scenario, struct evaluator *evaluator, size_t point,
                   struct scenario_key other, struct error *err);
void scenario_close(struct scenario *scenario);

/* Whether `kept` bytes may be taken and, for each of so many threads, an open scenario and `own`
 * bytes more; else a line as of alloc_allowed. */
bool scenarios_allowed(const struct study *study, unsigned jobs, uint64_t kept, uint64_t own,
                       const char *what, const char *instead, struct error *err);

/* The costs of a run. */
void scenario_costs(struct scenario *scenario, size_t run, double costs[COSTS]);

/* --- one strategy --- */

/* Its run at the modes, valid until the scenario is closed. NULL with a line where it gets stuck.
 */
const struct trial *evaluate_trial(struct scenario *scenario, const struct strategy *strategy,
                                   struct error *err);

/* Its times in all runs. */
bool evaluate_runs(struct scenario *scenario, const struct strategy *strategy, struct times *times,
                   struct error *err);

/* What is known of a strategy in a scenario, whatever things cost. */
struct strategy_verdict {
    enum outcome worst;
    unsigned conditions; /* what an only-if verdict depends on */
    const char *hypothetical; /* NULL: it exists */
};
bool evaluate_verdict(struct scenario *scenario, const struct strategy *strategy,
                      struct strategy_verdict *verdict, struct error *err);

/* --- one metric of several strategies --- */

/* At these costs, into value[count]. A metric that does not exist for one of them is an error. */
bool evaluate_at(struct scenario *scenario, enum metric metric, const double costs[COSTS],
                 const struct strategy *const *strategies, size_t count, double *value,
                 struct error *err);

/* In one run. */
bool evaluate_run(struct scenario *scenario, enum metric metric, size_t run,
                  const struct strategy *const *strategies, size_t count, double *value,
                  struct error *err);

/* In all runs, into value[count][runs]. */
bool evaluate_metric(struct scenario *scenario, enum metric metric,
                     const struct strategy *const *strategies, size_t count, double *value,
                     struct error *err);

/* The metric that says by how much two strategies differ in `metric`: what is taken off both for
 * the yardstick cancels out and need not be played. */
enum metric evaluate_difference(enum metric metric);

#endif

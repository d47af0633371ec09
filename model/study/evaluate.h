/*
 * evaluate - what strategies come to in a scenario.
 *
 * A scenario is a point of a study without its strategy: workload, machine, kernel and keys,
 * resolved. A strategy is played in it once, with every cost at its mode. Where nobody waited, what
 * happened is priced again for other costs (study/trial.h); elsewhere it is played again for them.
 * What was played goes into the store, and what is there is not played: by any process, for any
 * analysis; nor what another strategy's play there says (study/alike.h). Run 0 is the one at the
 * modes, runs 1 and up are the study's draws. When the other vCPUs come up is known as a range
 * (guest/workload): a draw has the middle of one of its quarters, and so one of four timelines;
 * draws are priced from the first one of theirs.
 *
 * Of one scenario several threads may ask at the same time.
 */
#ifndef S2FLUSH_STUDY_EVALUATE_H
#define S2FLUSH_STUDY_EVALUATE_H

#include "study/draws.h"
#include "study/store.h"
#include "study/sweep.h"

#include <pthread.h>

struct error;

/* What all scenarios of a study share. */
struct evaluator {
    const struct study *study;
    struct sweep *sweep; /* shares out the draws of a scenario */
    struct store *store;
    double (**points)[COSTS]; /* by machine of the study: its draws in [0, 1), once asked for */
    unsigned **strata; /* by machine: of each of these draws */
    pthread_mutex_t lock; /* of these and the rest */
    bool tails; /* the study asks for holds or stalls, or what comes first */
    struct played **played; /* a hash table of plays in use, and of some that were */
    size_t played_count;
};

void evaluator_open(struct evaluator *evaluator, const struct study *study, struct sweep *sweep,
                    struct store *store);
void evaluator_close(struct evaluator *evaluator);

/* How much memory an evaluator takes to keep so many plays, or as many of them as it does. */
uint64_t evaluator_memory(size_t plays);

/* A key that a scenario has otherwise than the study's point; key NULL: none. */
struct scenario_key {
    const char *key, *text;
};

/* What draws of other strategies are fitted to: the yardstick, what takes least of all that unmap,
 * and the same without flushes as vCPUs turn their MMUs on. */
#define SCENARIO_REFERENCES 3

struct scenario {
    struct evaluator *evaluator;
    struct setup setup; /* its strategy is none's in particular */
    struct timeline timeline;
    bool ranged; /* draws have timelines of their own, one for each stratum */
    size_t point, machine; /* of the study */
    char other_key[64], other_text[64]; /* what it has otherwise; "": nothing */
    size_t runs; /* 1 + draws */
    pthread_mutex_t lock; /* of the rest */
    struct timeline drawn[DRAW_STRATA]; /* built as far as they were asked for */
    struct setup_hasher *inputs[1 + DRAW_STRATA]; /* of a play, but for strategy and costs */
    double late[1 + DRAW_STRATA]; /* where they stand in the range, as of study/draw_fit.h */
    struct costs *costs; /* [runs] once they were asked for, else NULL */
    struct strategy reference[SCENARIO_REFERENCES];
    struct times *whole[SCENARIO_REFERENCES]; /* [runs] of these, once asked for */
    struct lane *lanes; /* the strategies so far */
};

/* Opens the scenario of a point (its strategy does not matter). The caller closes it where this
 * was true. */
bool scenario_open(struct scenario *scenario, struct evaluator *evaluator, size_t point,
                   struct scenario_key other, struct error *err);
void scenario_close(struct scenario *scenario);

/* Whether `kept` bytes may be taken and, for each of so many threads, an open scenario and `own`
 * bytes more; else a line as of alloc_allowed. */
bool scenario_count_allowed(const struct study *study, unsigned jobs, uint64_t kept, uint64_t own,
                            const char *what, const char *instead, struct error *err);

/* The stratum of a run's timeline: 0 of the one at the mode, 1 to DRAW_STRATA of draws. */
unsigned scenario_stratum(struct scenario *scenario, size_t run);

/* The costs of a run. */
void scenario_costs(struct scenario *scenario, size_t run, double costs[COSTS]);

/* Puts the costs of all runs into the store, and the hash under which they are there into `hash`.
 */
bool scenario_keep_draws(struct scenario *scenario, char hash[SETUP_HASH], struct error *err);

/* --- one strategy --- */

/* Its run at the modes, valid until the scenario is closed. NULL with a line where it gets stuck.
 */
const struct trial *evaluate_trial(struct scenario *scenario, const struct strategy *strategy,
                                   struct error *err);

/* The same on the timeline of a stratum, which is 0 for the one at the modes, and above it at the
 * costs of the stratum's first draw. */
const struct trial *evaluate_stratum(struct scenario *scenario, const struct strategy *strategy,
                                     unsigned stratum, struct error *err);

/* The hash under which the store has its plays: of run 0 for stratum 0, else of draws. */
bool evaluate_hash(struct scenario *scenario, const struct strategy *strategy, unsigned stratum,
                   char hash[SETUP_HASH], struct error *err);

/* What is wanted of its longest holds and stalls: in all runs, or in those whose counts tell them
 * and in those that were played; nothing is played for them. */
enum tails_asked { TAILS_NONE, TAILS_KNOWN, TAILS_ALL };

/* Its times in all runs. Where they cannot be priced again and the study says how many draws are to
 * be played (`draws_min`), the first one of each timeline is played, and where a fit to these is
 * not exact one shift after the other, until a fit foresees the others (study/draw_fit.h), unless
 * the study, or the caller, wants all tails. */
bool evaluate_runs(struct scenario *scenario, const struct strategy *strategy,
                   enum tails_asked tails, struct times *times, struct error *err);

/* Fills the values of runs that are NAN: a time that pricing does not tell and only plays do, by a
 * fit to those (study/draw_fit.h). That of the first run is known. */
bool evaluate_fit_rest(struct scenario *scenario, const struct strategy *strategy, double *value,
                       struct error *err);

/* How many runs of a strategy are played at least where none can be priced again. */
size_t evaluate_plays(struct scenario *scenario, const struct strategy *strategy,
                      const struct trial *trial);

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

/* The same where events cost what `price` says, and not what follows from the costs. */
bool evaluate_priced(struct scenario *scenario, enum metric metric, const double costs[COSTS],
                     const ps_t price[EVENT_KINDS], const struct strategy *const *strategies,
                     size_t count, double *value, struct error *err);

/* At the modes, on the timeline of a stratum. */
bool evaluate_modes(struct scenario *scenario, enum metric metric, unsigned stratum,
                    const struct strategy *const *strategies, size_t count, double *value,
                    struct error *err);

/* In one run. */
bool evaluate_run(struct scenario *scenario, enum metric metric, size_t run,
                  const struct strategy *const *strategies, size_t count, double *value,
                  struct error *err);

/* The same where no other run of the scenario is asked for: it is played, whether or not it could
 * be priced again. */
bool evaluate_run_alone(struct scenario *scenario, enum metric metric, size_t run,
                        const struct strategy *const *strategies, size_t count, double *value,
                        struct error *err);

/* In all runs, into value[count][runs]. */
bool evaluate_metric(struct scenario *scenario, enum metric metric,
                     const struct strategy *const *strategies, size_t count, double *value,
                     struct error *err);

/* The same, and into off[count] what is missed where draws are fitted, the root of the mean square;
 * else 0. */
bool evaluate_metric_off(struct scenario *scenario, enum metric metric,
                         const struct strategy *const *strategies, size_t count, double *value,
                         double *off, struct error *err);

/* Whether the study wants draws fitted where they may be. */
bool evaluate_fits(const struct scenario *scenario);

/* The metric that says by how much two strategies differ in `metric`: what is taken off both for
 * the yardstick cancels out and need not be played. */
enum metric evaluate_difference(enum metric metric);

#endif

/*
 * advise - which changes of the kernel are worth it: the ladder from what Linux does to the
 * cheapest strategy that there is.
 *
 * In each scenario of a study all strategies that could differ (study/policy_space.h) are
 * held to account: each is played once, with every cost at its mode, which says what it
 * costs and whether any reader may see old bytes. Not played are those of which that is
 * known: who does less maintenance than a strategy that is stale is stale, who does
 * all that a coherent one does, and more, with no fewer changes, costs no less, and who leaves
 * out what took no time in a run with fewer changes gains nothing. Nor are those that the
 * counts of a run (study/advise_bound.h) show to be over ADVISE_NEAR above the cheapest with no
 * more changes.
 *
 * Of each number of changes the coherent strategy with the lowest median over the draws is a
 * rung, where it is cheaper than all rungs with fewer; drawn are those whose cost at the modes
 * is within ADVISE_NEAR of the lowest. Strategies that are coherent under a condition only are
 * rungs of their own, beside. Rungs are priced with the draws of the machine's costs, the same for
 * all of them.
 */
#ifndef S2FLUSH_STUDY_ADVISE_H
#define S2FLUSH_STUDY_ADVISE_H

#include "kvm/kernel_change.h"
#include "study/evaluate.h"
#include "study/groups.h"
#include "study/policy_space.h"

struct error;

/* What is said of a rung that needs the guest's own maintenance. */
#define ADVISE_NEEDS_GUEST                                                                     \
    "the guest must itself invalidate what it wrote with its MMU off before it turns the MMU " \
    "on, as Linux does"

/* A rung costs at least so much less than the one before it. */
#define ADVISE_GAIN_MIN 1e-3

/* Strategies are compared by their draws where the modes have them nearer than so much. */
#define ADVISE_NEAR 0.25

/* Where vCPUs wait for each other each draw is a play. A strategy that is no cheaper than another
 * in any of the first draws, so many, is then no rung in its place: with a lower median it would be
 * cheaper in half of the draws, and in none of these by a chance of one in 65,536. */
#define ADVISE_FIRST_DRAWS 16

/* Of these the first few are enough where it is dearer in all of them, on average by so many
 * standard deviations of the difference: of four draws of one that is not that happens once in
 * 1,600 times. */
#define ADVISE_FEW_DRAWS 4
#define ADVISE_APART 6

/* What it would change if the machine had it. */
enum advise_hardware {
    HARDWARE_OWN, /* the machine as it is */
    HARDWARE_FWB,
    HARDWARE_FWB_DIC,
    HARDWARE_DIC,
    HARDWARE_RANGE_TLBI,
    HARDWARE_RANGE_CMO,
    HARDWARES
};
extern const char *const advise_hardware_name[HARDWARES];

struct advise_request {
    enum metric metric;
    uint64_t changes_max;
    bool hardware; /* also what the machine lacks */
};

/* A value over the draws; without any it is the one at the modes. */
struct advise_band {
    double p10, p50, p90;
};

struct advise_rung {
    struct strategy strategy; /* named as a built-in row that does the same, where there is one */
    size_t changes; /* from what Linux does */
    struct kernel_change change[STRATEGY_KEYS]; /* these */
    bool kept[STRATEGY_KEYS]; /* which of them the rung before has, too */
    struct strategy_verdict verdict;
    /* A reader that what Linux does serves in any case gets the newest bytes only where the guest
     * itself maintains its caches, as Linux does (guest_maintenance). */
    bool needs_guest;
    double mode; /* what it costs with every cost at its mode */
    struct advise_band cost, gain; /* gain: against the rung before, by draw */
    struct quantile_error cost_error;
    double probability; /* the share of the draws in which it gains; NAN without draws */
    struct advise_band pause_ns;
    struct quantile_error pause_error;
    struct advise_band cpu_ns;
};

#define ADVISE_RUNGS (STRATEGY_KEYS + 1)

struct advise_ladder {
    bool there; /* no simulation of it failed, and the machine has not got that hardware already */
    char situation[512]; /* "kunpeng-920, kernel 7.1, generated-boot, 4k, 8 vCPUs, touched 10 %" */
    struct policy_facts facts;
    size_t policies, same, vain, changes_max; /* as of the space */
    size_t played, stale, dominated, no_gain, dear, impossible; /* not played but for the first */
    struct advise_rung rung[ADVISE_RUNGS]; /* what Linux does is the first */
    size_t count;
    struct advise_rung conditional[ADVISE_RUNGS]; /* only if a condition holds */
    size_t conditional_count;
    /* By which the last rung is cheaper than the machine's own last rung, by draw. */
    struct advise_band hardware_gain;
    double hardware_probability;
};

struct advise_results {
    struct groups groups; /* the scenarios */
    struct advise_request request;
    struct advise_ladder *ladder; /* [group][HARDWARES] */
    struct sweep_failed failed; /* ladders: these are not there */
};

bool advise_run(const struct study *study, const struct advise_request *request,
                struct sweep *sweep, struct store *store, struct advise_results *results,
                struct error *err);
void advise_free(struct advise_results *results);

const struct advise_ladder *advise_ladder(const struct advise_results *results, size_t group,
                                          enum advise_hardware hardware);

#endif

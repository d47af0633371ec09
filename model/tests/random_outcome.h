/*
 * random_outcome - what a random case comes to where it is played in one fidelity or the
 * other, and how far two such outcomes are apart.
 */
#ifndef S2FLUSH_TESTS_RANDOM_OUTCOME_H
#define S2FLUSH_TESTS_RANDOM_OUTCOME_H

#include "random_case.h"

/* What is compared, each as the largest relative difference of some values. */
enum measure { STATES, HITS, RETRIES, TIMES, MEASURES };

extern const char *const measure_name[MEASURES];

/* What a run came to, as counts or in ps: `whole` is what a difference of
 * value[i] is set against. */
enum { OUTCOME_VALUES = 9 };

extern const enum measure measure_of[OUTCOME_VALUES];

struct random_outcome {
    double value[OUTCOME_VALUES], whole[OUTCOME_VALUES];
    uint64_t counts[EVENT_KINDS];
    struct verdict verdict[READERS];
    bool waited; /* somebody did, or two were under way at once */
};

/* Plays a case; `leafwise` leaf by leaf, `lines` on the exact cache. */
void random_case_play(const struct random_case *of, bool leafwise, bool lines,
                      struct random_outcome *outcome);

/* By measure, the largest difference of its values, as a share of the larger whole. */
void outcome_differences(const struct random_outcome *a, const struct random_outcome *b,
                         double by[MEASURES]);

/* The first kind whose count differs though it must not; EVENT_KINDS: none. Where actors
 * `waited`, only what the timeline alone gives must not, else all, but on two caches what
 * hangs on the cache. */
int outcome_unequal(const struct random_outcome *a, const struct random_outcome *b, bool waited,
                    bool one_cache);

/* Who reads what, and how wrong that can be; where actors meet (`waited`), by how many
 * lines depends on who comes first. */
bool outcome_same_verdicts(const struct random_outcome *a, const struct random_outcome *b,
                           bool waited);

#endif

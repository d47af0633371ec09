/*
 * alike - strategies whose play is the same, for it never came to what they differ in.
 *
 * A play is determined by what it gets. Whether an MMU notifier, or a slot that goes, cleans what
 * it unmaps is asked where it has unmapped a leaf and nowhere else: in a play in which that did not
 * happen the other choice is the same play, event by event.
 */
#ifndef S2FLUSH_STUDY_ALIKE_H
#define S2FLUSH_STUDY_ALIKE_H

#include "guest/timeline.h"
#include "kvm/strategy.h"
#include "study/store.h"
#include "study/trial.h"

/* The strategy with that choice the other way; false where it has no effect beside the others. */
bool alike_other(const struct strategy *strategy, struct strategy *other);

/* Whether a play of either on that timeline never came to it. */
bool alike_play(const struct trial *trial, const struct timeline *timeline);

/* What a play would be known under but for its costs, and what it would be of. */
struct alike_wanted {
    const struct setup_hasher *inputs; /* all that it gets but strategy and costs */
    const struct strategy *strategy;
    const struct timeline *timeline;
    const char *costs; /* their hash */
    bool judged; /* with verdicts */
};

/* The store's play of the other strategy at these costs, where that is the same; the caller frees
 * it where it is found. */
enum store_found alike_find(struct store *store, const struct alike_wanted *wanted,
                            struct trial *trial, struct error *err);

#endif

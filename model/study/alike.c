#include "study/alike.h"

#include "vm/backing.h"

bool alike_other(const struct strategy *strategy, struct strategy *other)
{
    *other = *strategy;
    other->notifier_unmap_cleans = !strategy->notifier_unmap_cleans;
    return !strategy->ideal && !strategy_without_effect(strategy, "notifier_unmap_cleans");
}

/* Shared memory goes to others without a notifier, too (kvm_judge_shared). */
bool alike_play(const struct trial *trial, const struct timeline *timeline)
{
    bool shared = false;
    for (uint32_t i = 0; i < timeline->vm.slot_count; i++) {
        shared |= backing_is_shared(timeline->vm.slots[i].backing);
    }
    return !shared && !trial->notified;
}

enum store_found alike_find(struct store *store, const struct alike_wanted *wanted,
                            struct trial *trial, struct error *err)
{
    struct strategy other;
    char hash[SETUP_HASH];
    if (!alike_other(wanted->strategy, &other)) {
        return STORE_MISSING;
    }
    setup_play_finish(wanted->inputs, &other, hash);
    enum store_found found = store_find_play(store, hash, wanted->costs, trial, err);
    if (found == STORE_FOUND &&
        (!alike_play(trial, wanted->timeline) || trial->judged != wanted->judged)) {
        trial_free(trial);
        found = STORE_MISSING;
    }
    return found;
}

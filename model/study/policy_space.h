/*
 * policy_space - all the strategies that could differ in a scenario: every combination of
 * the keys of a strategy, from what Linux does on.
 *
 * Left out is what cannot differ: combinations with a key that has no effect beside the
 * others, values that nothing in the scenario meets (leaves of a size that is not there),
 * and a flush behind an unmap of everything. What is the VMM's to choose, and not the
 * kernel's, is left out as well, and so are records of writes whose cost would be in
 * nothing.
 */
#ifndef S2FLUSH_STUDY_POLICY_SPACE_H
#define S2FLUSH_STUDY_POLICY_SPACE_H

#include "kvm/strategy.h"

/* More than so many are not tried: those with the fewest changes are. */
#define POLICIES_MAX 10000

/* What there is in a scenario for a strategy to act on. */
struct policy_facts {
    bool pages, blocks; /* leaves of these sizes are mapped */
    bool notifiers; /* MMU notifiers or deleted slots unmap something */
    bool logged; /* writes are logged: a record's cost is in the run */
    bool mapped_ahead; /* the VMM has memory mapped between the re-init and the first run */
    bool holds; /* how long mmu_lock is held matters */
    bool range_commands; /* caches can be cleaned by physical range */
    uint64_t spare_cores; /* for threads that share a flush */
};

struct policy {
    struct strategy strategy; /* as strategy_canonical has it */
    size_t changes; /* of the kernel, from the one that it starts from */
};

struct policy_space {
    struct policy *policies; /* by number of changes, then as the keys' values come; what Linux
                                does is the first */
    size_t count;
    size_t combined; /* combinations of values that the scenario tells apart */
    size_t same; /* of them those with a key that has no effect, */
    size_t vain; /* and with a flush of nothing */
    size_t changes_max; /* more changes are not in it: there are over POLICIES_MAX */
};

/* What Linux does there. */
const struct strategy *policy_upstream(bool fwb);

void policy_space_init(struct policy_space *space, const struct strategy *upstream,
                       const struct policy_facts *facts, size_t changes_max);
void policy_space_free(struct policy_space *space);

/* "chunk, recreate ...": keys of which one value alone is tried, each with the reason. */
void policy_space_print_fixed(const struct policy_facts *facts, char *text, size_t size);

/* Whether a does all the maintenance that b does, and the same otherwise: it is then no less
 * coherent, and no cheaper. */
bool policy_does_all_of(const struct strategy *a, const struct strategy *b);

/* Whether a's flush takes all that b's does, in the same way; whether a's MMU-ons flush wherever
 * b's do. */
bool policy_flushes_all_of(const struct strategy *a, const struct strategy *b);
bool policy_toggles_all_of(const struct strategy *a, const struct strategy *b);

#endif

/*
 * kernel_change - what a key of a strategy is in the kernel: the change in words, and the
 * functions that it touches.
 */
#ifndef S2FLUSH_KVM_KERNEL_CHANGE_H
#define S2FLUSH_KVM_KERNEL_CHANGE_H

#include "kvm/strategy.h"

struct kernel_change {
    char key[32], value[32];
    char brief[64]; /* "no clean in the re-init's unmap" */
    char what[128]; /* "leave the clean out of the re-init's unmap" */
    char where[128]; /* "stage2_unmap_vm, stage2_unmap_walker" */
};

/* In which keys `to` differs from `from`, those aside that have no effect: returns how many
 * there are, and fills as many of `changes` as there is room for (NULL: none). */
size_t kernel_changes(const struct strategy *from, const struct strategy *to,
                      struct kernel_change changes[STRATEGY_KEYS]);

#endif

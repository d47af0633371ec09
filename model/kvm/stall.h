/*
 * stall - how long KVM keeps a vCPU from running its guest, each time it does.
 *
 * One stall is one of these, from the exit to the return, with all that it
 * waits for on the way (mmu_lock, the shared paths, an invalidation of TLBs):
 *
 *   - the stage-2 faults of one guest instruction, from the first exit until it
 *     goes through: with those that have to be repeated
 *   - one trapped write of a VM register, with the flush that it starts
 *   - one trapped set/way operation, with the flush that it starts
 *   - an entry that runs the strategy's first-run flush, or waits for it
 *   - one KVM_ARM_VCPU_INIT of the vCPU, with the unmap or flush in it
 *
 * What the VMM emulates is none: no strategy changes it.
 *
 * In `fast` a step takes many faults. They count as equal ones: where leaves
 * differ (in dirty lines, in table pages taken) all have the mean. What the
 * step waited for locks that somebody had for something else than such a step is
 * one fault's. Their sum is the step's time to the picosecond.
 */
#ifndef S2FLUSH_KVM_STALL_H
#define S2FLUSH_KVM_STALL_H

#include "kvm/kvm.h"

static inline struct stall stall_begin(const struct actor *actor)
{
    if (actor->engine->tails) {
        tails_begin(actor->engine->tails, actor->id, TAIL_MARK_STALL);
    }
    return (struct stall){actor->now, actor->single_wait_ps};
}

/* Ends what began as `count` stalls (0: one): what was waited for single holds of locks is
 * one's. */
void stall_end(const struct actor *actor, struct kvm *kvm, struct stall stall, uint64_t count);

/* From here on what happens is in one of the stalls only. */
ps_t stall_once(const struct actor *actor);

/* The same as stall_end where that was said at a time. */
void stall_end_once(const struct actor *actor, struct kvm *kvm, struct stall stall, ps_t once_start,
                    uint64_t count);

/* Adds `count` stalls (0: one) of `total` in all, of which `once` is in one of them only. */
void stall_add(struct histogram *stalls, ps_t total, ps_t once, uint64_t count, uint64_t times);

/* A vCPU faults: its stall begins, or goes on. */
void stall_start(const struct actor *actor, struct kvm_vcpu *vcpu);

/* Its guest goes on: a stall by faults is over, if there was one. */
static inline void stall_over(const struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu)
{
    if (vcpu->stalled > 0) {
        stall_end(actor, kvm, vcpu->stall, vcpu->stalled);
        vcpu->stalled = 0;
    }
}

#endif

/*
 * range - operations on ranges of stage 2 with everything that a strategy may
 * choose about them; AWAIT each. mmu_lock must be held for write, and may be given up
 * between chunks (stage2_apply_range_resched, and unmap_stage2_range where it may block,
 * which all callers here may).
 */
#ifndef S2FLUSH_KVM_RANGE_H
#define S2FLUSH_KVM_RANGE_H

#include "kvm/kvm.h"

struct range_rule {
    bool skip_pages, skip_blocks; /* leaves that are walked over and left alone */
    bool cleans; /* of an unmap: each leaf is cleaned and invalidated */
    bool notifier; /* of an unmap: a notifier's, or of a slot that goes */
    enum reinit_tlbi tlbi; /* of an unmap: with REINIT_TLBI_VM its caller invalidates */
    enum flush_record record; /* of a flush: what it goes by */
    bool shared; /* other threads do the rest: the lock is held until all of them are done */
    const struct kvm_vcpu *by; /* the vCPU for which others do it; NULL: the actor's own */
    /* Filled in: */
    uint64_t step_bytes; /* of leaves that one step takes, one leaf at least */
    bool alone; /* no other actor is at work meanwhile */
    bool by_content; /* but a leaf with lines in a cache is a step of its own */
};

/* How far the kernel's own range operations go before they may give the lock up. */
uint64_t range_chunk_bytes(const struct kvm *kvm);

void range_unmap(struct actor *actor, struct kvm *kvm, uint64_t start, uint64_t end,
                 struct range_rule rule);
void range_flush(struct actor *actor, struct kvm *kvm, uint64_t start, uint64_t end,
                 struct range_rule rule);

/* A strategy's own unmap and flush of all slots, by its choice of leaves, with
 * its workers where it has any, and what comes with a new VM. They take the lock. */
void range_reinit_unmap(struct actor *actor, struct kvm *kvm);
void range_strategy_flush(struct actor *actor, struct kvm *kvm);

#endif

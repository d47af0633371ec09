/*
 * fault - a stage-2 fault under way, for the files that carry it out: its order
 * (fault.c), for how many it stands (fault_batch.c), what the host finds and what
 * will be done about it (fault_plan.c), what happens under mmu_lock (fault_map.c).
 *
 * A fault on n leaves is n faults at a time: each of its parts, waiting and retries
 * among them, takes n times as long as that of one.
 */
#ifndef S2FLUSH_KVM_FAULT_H
#define S2FLUSH_KVM_FAULT_H

#include "kvm/stall.h"

struct fault {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    uint64_t ipa, limit;
    struct memslot *slot; /* as it was before the lock; NULL: none is there */
    struct leaves leaves; /* what it maps or relaxes */
    struct host_range notify[2];
    enum guest_access access;
    uint32_t was_site;
    uint64_t seen_invalidations;
    uint64_t free_end; /* where the next mapped leaf begins, as it looked under the lock */
    uint64_t emptied; /* tables, by leaves of another size that went */
    uint64_t tables; /* taken for its leaves */
    uint64_t fresh_unit; /* bytes of each of several host pages that it had cleared; 0: none */
    uint8_t notified : 2, notifying : 2;
    uint8_t mmap_updates : 2; /* of mmap_lock's line, still to come */
    uint64_t pages; /* whose faults it may be in all */
    uint64_t leaves_expected; /* as it looks before the host has said how large they are */
    bool alone; /* no other actor is at work meanwhile */
    bool races; /* another vCPU is about to fault on the same leaves */
    bool mmap_moves; /* mmap_lock's line had to come from another */
    bool permission, replaced;
    bool lost; /* another vCPU has mapped its first leaf, as it looked under the lock */
    bool done; /* it mapped or relaxed them */
    bool writes; /* it holds mmu_lock for write */
    bool resize; /* the mapped leaf has another size than the new one */
};

static inline uint64_t fault_leaf_count(const struct fault *fault)
{
    return (fault->leaves.end - fault->leaves.start) /
           kvm_leaf_bytes(fault->kvm, fault->leaves.level);
}

/* Whether a translation fault cleans what it maps. */
static inline bool fault_cleans(const struct kvm *kvm)
{
    return !kvm->fwb && kvm->strategy->fault_cleans;
}

/* --- before the lock (fault_plan.c) --- */

/* A fresh hugetlb page is cleared under a mutex, so that whoever faults on it
 * meanwhile waits for that. The kernel has a table of them, by the page's hash
 * (hugetlb_fault_mutex_table, eight for each core): pages are taken not to share one.
 * NULL where the fault needs none. */
struct lock *fault_hugetlb_mutex(const struct fault *fault);

/* How many pages' faults are played as one, and whether others race for them (fault_batch.c). */
void fault_batch(const struct actor *actor, struct fault *fault);

/* The exit; what the fault is and what it will map; the host's page, cleared where it is
 * fresh (AWAIT). */
void fault_plan(struct actor *actor, struct fault *fault);

/* --- its turn with the lock (convoy.c) --- */

/* Of the faults that it stands for, those that queued for the lock; no AWAIT. */
void fault_queue(struct actor *actor, const struct fault *fault);

/* It is about to give the lock back. */
void fault_turn_over(const struct actor *actor, const struct fault *fault);

/* --- under the lock (fault_map.c) --- */

/* Whether it has to be retried: the host took its page back meanwhile, the slot went, or another
 * vCPU is mapping one of its leaves. */
bool fault_is_stale(const struct fault *fault);

/* What is mapped where its leaves will be: whether it has lost, and where it is free until. */
void fault_look(struct fault *fault);

/* Leaves of another size than its own go first (AWAIT); then it looks again. */
bool fault_finds_other_size(const struct fault *fault);
void fault_break(struct actor *actor, struct fault *fault);

/* Another vCPU was faster; what its own cleaning takes where every racer cleans (AWAIT). */
void fault_lose(struct actor *actor, struct fault *fault);

/* Locks the entries and cleans what is to be mapped (AWAIT). */
void fault_clean(struct actor *actor, struct fault *fault);

/* Maps it; what is executable leaves the I-cache (AWAIT). */
void fault_install(struct actor *actor, struct fault *fault);

/* Gives mapped leaves further permissions and drops them from the TLBs (AWAIT). */
void fault_relax(struct actor *actor, struct fault *fault);

#endif

/*
 * fault - a stage-2 fault under way, for the files that carry it out: what the
 * host finds and what will be done about it (fault_plan.c), what happens under
 * mmu_lock (fault_map.c), and the steps from one lock to the next (fault.c).
 */
#ifndef S2FLUSH_KVM_FAULT_H
#define S2FLUSH_KVM_FAULT_H

#include "kvm/stall.h"

/* Its steps, most of them up to what they ask for: a lock, a path, somebody else's turn. */
enum fault_state {
    FAULT_BEGIN,
    FAULT_MMAP,
    FAULT_EXIT,
    FAULT_MMAP_LEFT,
    FAULT_NOTIFY,
    FAULT_LINE,
    FAULT_LOCK,
    FAULT_CLEAN,
    FAULT_INSTALL,
    FAULT_RELAX,
    FAULT_LEAVE,
    FAULT_UNLOCK,
    FAULT_DONE,
};

struct fault {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    uint64_t ipa, limit;
    struct leaves leaves; /* what it maps or relaxes */
    struct host_range notify[2];
    enum guest_access access;
    uint32_t was_site;
    uint64_t seen_invalidations;
    uint64_t emptied; /* tables, by leaves of another size that went */
    uint64_t tables; /* taken for its leaves */
    uint64_t walks; /* table reads of the walks that failed, but for the first leaf's */
    uint64_t fresh_unit; /* bytes of each of several host pages that it had cleared; 0: none */
    uint8_t notified : 2, notifying : 2;
    uint8_t mmap_updates : 2; /* of mmap_lock's line, still to come */
    uint8_t mmap_back : 2, mmu_back : 1; /* how often a lock's line had to come back, since
                                            others took it while this fault was in between */
    bool permission, replaced;
    bool done; /* it mapped or relaxed them */
    bool queued; /* for mmu_lock */
    bool gone; /* the slot was deleted before the kernel looked at it */
    bool resize; /* the mapped leaf has another size than the new one */
    struct stall stall;
};

static inline uint64_t leaf_bytes(const struct kvm *kvm, enum leaf_level level)
{
    return kvm->stage2.geometry.leaf_bytes[level];
}

static inline uint64_t memory_of(const struct memslot *slot, uint64_t ipa)
{
    return slot->area.start + (ipa - slot->ipa);
}

static inline uint64_t leaf_count(const struct fault *fault)
{
    return (fault->leaves.end - fault->leaves.start) / leaf_bytes(fault->kvm, fault->leaves.level);
}

/* What the fault is and what it will map, without the lock as the kernel does;
 * clearing fresh pages is a request. */
void fault_plan(struct actor *actor, struct fault *fault);

/* Whether a translation fault cleans what it maps. */
static inline bool fault_cleans(const struct kvm *kvm)
{
    return !kvm->fwb && kvm->strategy->fault_cleans;
}

/* Under the lock: of its leaves those before `end` are left, the others have changed
 * meanwhile. */
void fault_cut(struct fault *fault, uint64_t end);

/* Under the lock: looks whether another vCPU or the host was faster, and cleans what is
 * to be mapped (a request). Returns the state that follows: FAULT_CLEAN again where leaves
 * of another size had to go first, FAULT_LEAVE where there is nothing to map. */
enum fault_state fault_locked(struct actor *actor, struct fault *fault);

/* Under the lock: maps what was cleaned, and what is executable leaves the I-cache (a
 * request). */
void fault_install(struct actor *actor, struct fault *fault);

/* Under the lock: gives mapped leaves further permissions, where they are still there, and
 * drops them from the TLBs (a request). */
void fault_relax(struct actor *actor, struct fault *fault);

/* What leaves beyond the first add to the exit, once the fault has succeeded. */
void fault_follow(struct actor *actor, const struct fault *fault);

/* A fresh hugetlb page is cleared under a mutex, so that whoever faults on it
 * meanwhile waits for that. The kernel has a table of them, by the page's hash
 * (hugetlb_fault_mutex_table, eight for each core): pages are taken not to share one.
 * NULL where the fault needs none. */
struct lock *fault_hugetlb_mutex(const struct fault *fault);

#endif

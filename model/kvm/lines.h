/*
 * lines - what mmu_lock protects is in the cache of whoever changed it last.
 *
 * Under the lock a fault or a notifier reads and changes a few lines that others
 * change, too: the stage-2 entries (a line has eight), the reference count of their
 * table page, the notifiers' sequence number, the dirty bitmap (a line has 512
 * pages). Where another actor had such a line last it must be fetched, and the hold
 * takes as much longer. Lines that are not shared never move, and with a single vCPU
 * there is none but the VMM, whose few are left out. Of a notifier the first one is
 * followed.
 *
 * Read in user_mem_abort, stage2_map_walker_try_leaf, stage2_unmap_walker and the
 * notifiers of Linux 5.10 and 6.1; mmu_lock and mmap_lock themselves are in
 * struct lock_line.
 */
#ifndef S2FLUSH_KVM_LINES_H
#define S2FLUSH_KVM_LINES_H

#include "kvm/kvm.h"

/* What a hold touches. */
enum shared_line {
    LINE_ENTRY, /* the stage-2 entry of an IPA */
    LINE_TABLE, /* the count of the table page that it stands in */
    LINE_BITMAP, /* the page's bit in the dirty bitmap */
};

/* Under mmu_lock: the actor has that line from now on. Where it has to come from
 * another, so it does so many times. */
void lines_touch(struct actor *actor, struct kvm *kvm, enum shared_line line, uint64_t ipa,
                 enum leaf_level level, uint64_t times);

/* The same for leaves that were mapped, with the counts of their tables, or relaxed;
 * and for their bits while the log is on and they are writable. */
void lines_touch_leaves(struct actor *actor, struct kvm *kvm, struct leaves leaves, bool mapped);

/* The same for the notifiers' sequence number, which notifiers change and every fault
 * reads: a vCPU that has read it since the last change still has it. */
void lines_change_sequence(struct actor *actor, struct kvm *kvm);
void lines_read_sequence(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu);

#endif

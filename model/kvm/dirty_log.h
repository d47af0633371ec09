/*
 * dirty_log - dirty logging, and the two changes of leaf size that it brings:
 * a block that is written while logging is on gives way to a table of small
 * leaves, and that table gives way to a block again once logging is off.
 */
#ifndef S2FLUSH_KVM_DIRTY_LOG_H
#define S2FLUSH_KVM_DIRTY_LOG_H

#include "kvm/kvm.h"

enum log_start {
    LOG_START_PROTECT, /* every leaf loses its write permission */
    LOG_START_SPLIT, /* and every block becomes small leaves right away (from 6.5 on; a TLB
                        invalidation each) */
    LOG_START_ALL_DIRTY, /* all pages count as dirty, and nothing is protected until it is cleared
                            (KVM_DIRTY_LOG_INITIALLY_SET) */
    LOG_START_ALL_DIRTY_SPLIT, /* and what is cleared becomes small leaves then (from 6.5 on) */
};

/* Turns dirty logging of the VM on or off. Off changes no leaf. AWAIT. */
void kvm_dirty_log(struct actor *actor, struct kvm *kvm, bool on, enum log_start how);

/* KVM_GET_DIRTY_LOG of every slot: copies the log. With `protect` it takes the write permission
 * again from the leaves that were written since, too, in one hold of the lock for each slot
 * (kvm_get_dirty_log_protect, virt/kvm/kvm_main.c); without it, as with
 * KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, that is left to kvm_dirty_clear. AWAIT. */
void kvm_dirty_get(struct actor *actor, struct kvm *kvm, bool protect);

/* KVM_CLEAR_DIRTY_LOG: takes the write permission from the leaves of [start, end) that have it, in
 * one hold of the lock, then invalidates the TLBs for the whole slot
 * (kvm_clear_dirty_log_protect). Where all counted as dirty and the VMM has set a chunk size,
 * blocks of the range become small leaves (kvm_arch_mmu_enable_log_dirty_pt_masked), in another
 * hold: the kernel gives the lock up for their tables' memory. AWAIT. */
void kvm_dirty_clear(struct actor *actor, struct kvm *kvm, uint64_t start, uint64_t end);

/* A slot comes, or comes back. While logging is on it is logged, too: there is nothing to protect
 * in it, but TLBs are invalidated as for one that was full. AWAIT. */
void kvm_slot_add(struct actor *actor, struct kvm *kvm, uint32_t slot);

/* Whether leaves of another size stand where these are to be mapped: smaller
 * ones anywhere among them, or (with `split`) a larger one around them. */
bool kvm_other_size(struct kvm *kvm, struct leaves wanted, bool split);

/* Takes those out (break before make) and invalidates the TLBs (AWAIT).
 * Returns how many tables that left empty. mmu_lock must be held. */
uint64_t kvm_break(struct actor *actor, struct kvm *kvm, struct leaves wanted);

#endif

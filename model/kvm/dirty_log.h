/*
 * dirty_log - dirty logging, and the two changes of leaf size that it brings:
 * a block that is written while logging is on gives way to a table of small
 * leaves, and that table gives way to a block again once logging is off.
 */
#ifndef S2FLUSH_KVM_DIRTY_LOG_H
#define S2FLUSH_KVM_DIRTY_LOG_H

#include "kvm/kvm.h"

/* Turns dirty logging of the VM on or off. On: every leaf loses its write
 * permission, and with `eager` every block becomes small leaves right away (from 6.5 on; a TLB
 * invalidation each). Off changes no leaf. AWAIT. */
void kvm_dirty_log(struct actor *actor, struct kvm *kvm, bool on, bool eager);

/* A round of logging that is on: KVM_GET_DIRTY_LOG, which copies the log and takes the write
 * permission again from the leaves that were written since, in one hold of the lock
 * (kvm_get_dirty_log_protect, virt/kvm/kvm_main.c). What the bitmap's copy takes is not in it.
 * AWAIT. */
void kvm_dirty_round(struct actor *actor, struct kvm *kvm);

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

/*
 * reach - what the oracle must know of a VM besides accesses and maintenance: which of
 * its memory vCPUs can reach, by stage 2 or by TLB entries that are left of it, and
 * whether any of them runs.
 */
#ifndef S2FLUSH_KVM_REACH_H
#define S2FLUSH_KVM_REACH_H

#include "kvm/kvm.h"

/* Leaves were mapped, or may now be executed, too; were unmapped. */
void reach_map(struct kvm *kvm, const struct leaves *leaves);
void reach_unmap(struct kvm *kvm, const struct leaves *leaves);

/* TLB entries of [start, end) of IPA are invalidated. */
void reach_tlbi(struct kvm *kvm, uint64_t start, uint64_t end);

/* A re-init stops the vCPU, and all others where the workload says that they stand still
 * during a reset; the vCPU enters the guest again, or acts without having been stopped. */
void reach_reinit(struct kvm *kvm, struct kvm_vcpu *vcpu);
void reach_enter(struct kvm *kvm, struct kvm_vcpu *vcpu);
void reach_act(struct kvm *kvm, struct kvm_vcpu *vcpu);

/* A vCPU's MMU or I-cache went on or off. */
void reach_mode(struct kvm *kvm);

#endif

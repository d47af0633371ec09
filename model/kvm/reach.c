#include "kvm/reach.h"

#include "core/units.h"

/* The part of an IPA range that a slot holds, as memory; false where none. */
static bool memory_part(const struct memslot *slot, uint64_t start, uint64_t end,
                        struct host_range *part)
{
    uint64_t low = u64_max(start, slot->ipa), high = u64_min(end, slot->ipa + slot->bytes);
    *part = (struct host_range){slot->area.start + (low - slot->ipa),
                                slot->area.start + (high - slot->ipa)};
    return low < high;
}

void reach_map(struct kvm *kvm, const struct leaves *leaves)
{
    struct host_range part;
    for (uint32_t i = 0; i < kvm->slot_count; i++) {
        if (memory_part(&kvm->slots[i], leaves->start, leaves->end, &part)) {
            oracle_map(&kvm->memory->oracle, part.start, part.end, leaves->executable);
        }
    }
}

void reach_unmap(struct kvm *kvm, const struct leaves *leaves)
{
    struct host_range part;
    for (uint32_t i = 0; i < kvm->slot_count; i++) {
        if (memory_part(&kvm->slots[i], leaves->start, leaves->end, &part)) {
            oracle_unmap(&kvm->memory->oracle, part.start, part.end);
        }
    }
}

void reach_tlbi(struct kvm *kvm, uint64_t start, uint64_t end)
{
    struct host_range part;
    for (uint32_t i = 0; i < kvm->slot_count; i++) {
        if (memory_part(&kvm->slots[i], start, end, &part)) {
            oracle_tlbi(&kvm->memory->oracle, part.start, part.end);
        }
    }
}

/* Others are vCPUs that the reset under way has not reached, whether they are stopped or
 * not. */
void reach_mode(struct kvm *kvm)
{
    struct oracle_vcpus vcpus = {.others = false};
    for (uint32_t i = 0; i < kvm->vcpu_count; i++) {
        const struct kvm_vcpu *vcpu = &kvm->vcpus[i];
        enum path path = kvm_guest_path(kvm, vcpu, ACCESS_FETCH);
        vcpus.cached |= vcpu->in_guest && path == PATH_CACHED;
        vcpus.past |= vcpu->in_guest && path == PATH_UNCACHED;
        vcpus.others |= kvm->resetting && vcpu->live;
    }
    const struct oracle_vcpus *were = &kvm->running;
    if (vcpus.cached == were->cached && vcpus.past == were->past && vcpus.others == were->others) {
        return;
    }
    kvm->running = vcpus;
    for (uint32_t i = 0; i < kvm->slot_count; i++) {
        const struct host_area *area = &kvm->slots[i].area;
        oracle_run(&kvm->memory->oracle, area->start, area->end, vcpus);
    }
}

void reach_reinit(struct kvm *kvm, struct kvm_vcpu *vcpu)
{
    bool still = kvm->memory->oracle.traits.still;
    for (uint32_t i = 0; i < kvm->vcpu_count; i++) {
        kvm->vcpus[i].in_guest &= !still;
    }
    vcpu->live = vcpu->in_guest = false;
    kvm->resetting = true;
    reach_mode(kvm);
}

void reach_enter(struct kvm *kvm, struct kvm_vcpu *vcpu)
{
    vcpu->live = vcpu->in_guest = true;
    kvm->resetting = false;
    reach_mode(kvm);
}

void reach_act(struct kvm *kvm, struct kvm_vcpu *vcpu)
{
    if (!vcpu->in_guest) {
        vcpu->live = vcpu->in_guest = true;
        reach_mode(kvm);
    }
}

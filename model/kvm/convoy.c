/* vCPUs that queue behind each other for mmu_lock go on doing so: who had to wait for it holds it
 * for longer, by what it takes to get its line, and is in the way of the next one. A step that
 * stands for more leaves than the one before comes later than its first leaf would, and may find
 * the lock free; leaf by leaf each of its faults would have queued as before. */
#include "kvm/fault.h"

/* Whether the vCPUs that have held the lock since this one did take longer to do so, for a leaf
 * each, than it was away for each of its own. Where all steps are alike, what is seen is true. */
static bool still_behind_others(const struct kvm *kvm, const struct kvm_vcpu *vcpu, ps_t now,
                                uint64_t leaves)
{
    const struct turn *mine = &vcpu->turn;
    bool unlike = mine->leaves != leaves;
    ps_t others_ps = 0;
    for (uint32_t i = 0; i < kvm->vcpu_count; i++) {
        const struct turn *turn = &kvm->vcpus[i].turn;
        if (turn != mine && turn->end > mine->end) {
            others_ps += turn->hold_ps / turn->leaves;
            unlike |= turn->leaves != leaves;
        }
    }
    return unlike && others_ps >= (now - mine->end) / leaves;
}

void fault_queue(struct actor *actor, const struct fault *fault)
{
    struct turn *turn = &fault->vcpu->turn;
    if (!actor->queued && !turn->queued) {
        return;
    }
    uint64_t n = fault_leaf_count(fault);
    if (actor->queued) {
        actor_charge(actor, EV_lock_handovers, n - 1);
    } else if (fault->writes && !fault->alone &&
               still_behind_others(fault->kvm, fault->vcpu, actor->now, n)) {
        actor_charge(actor, EV_lock_handovers, n);
    } else {
        turn->queued = false;
        return;
    }
    turn->queued = true;
}

void fault_turn_over(const struct actor *actor, const struct fault *fault)
{
    struct turn *turn = &fault->vcpu->turn;
    turn->leaves = fault_leaf_count(fault);
    turn->hold_ps = actor->now - actor->hold_start;
    turn->end = actor->now;
}

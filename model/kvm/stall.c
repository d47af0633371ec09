#include "kvm/stall.h"

void stall_add(struct histogram *stalls, ps_t total, ps_t once, uint64_t count, uint64_t times)
{
    if (total == 0) {
        return;
    }
    if (count > 1) {
        ps_t each = (total - once) / count;
        histogram_add(stalls, each, u64_mul(count - 1, times, "number of stalls"));
        total -= each * (count - 1);
    }
    histogram_add(stalls, total, times);
}

static void end(const struct actor *actor, struct kvm *kvm, ps_t total, ps_t once, uint64_t count,
                bool marked)
{
    if (kvm->stalls) {
        stall_add(kvm->stalls, total, once, count, 1);
    }
    if (actor->engine->tails) {
        tails_end(actor->engine->tails, actor->id, TAIL_STALL, count, marked);
    }
}

void stall_end(const struct actor *actor, struct kvm *kvm, struct stall stall, uint64_t count)
{
    end(actor, kvm, actor->now - stall.start, actor->single_wait_ps - stall.single_wait, count,
        false);
}

ps_t stall_once(const struct actor *actor)
{
    if (actor->engine->tails) {
        tails_begin(actor->engine->tails, actor->id, TAIL_MARK_ONCE);
    }
    return actor->now;
}

void stall_end_once(const struct actor *actor, struct kvm *kvm, struct stall stall, ps_t once_start,
                    uint64_t count)
{
    end(actor, kvm, actor->now - stall.start, actor->now - once_start, count, true);
}

void stall_start(const struct actor *actor, struct kvm_vcpu *vcpu)
{
    if (vcpu->stalled == 0 && !vcpu->prefaulting) {
        vcpu->stalled = 1;
        vcpu->stall = stall_begin(actor);
    }
}

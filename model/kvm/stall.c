#include "kvm/stall.h"

void stall_book(struct kvm *kvm, ps_t total, ps_t once, uint64_t count)
{
    if (!kvm->stalls || total == 0) {
        return;
    }
    ps_t each = count > 1 ? (total - once) / count : 0;
    uint64_t alike = count > 1 ? count - 1 : 0;
    histogram_add(kvm->stalls, each, alike);
    histogram_add(kvm->stalls, total - each * alike, 1);
}

void stall_end(const struct actor *actor, struct kvm *kvm, struct stall stall, uint64_t count)
{
    stall_book(kvm, actor->now - stall.start, actor->lock_wait_ps - stall.waited, count);
}

/* For how many leaves a fault is played at a time. A fault on n leaves takes n times as long in
 * each of its parts, so that vCPUs that all do so meet as they would leaf by leaf, n times slower.
 * What is short beside it would wait n times too long: the lock is then held for a leaf, and for
 * more again as time goes by without a hold of that kind. */
#include "kvm/fault.h"

/* A hold takes this part of the time that has passed since the last single one: by that part of
 * it, at most, another such hold would come too early or too late. Readers do not wait for
 * each other. */
#define QUIET_SHARE_OF_WRITER 64
#define QUIET_SHARE_OF_READER 32

/* Requests of one leaf come in between those of a step of so many (core/resource.h). */
#define LONG_STEP (UINT64_C(2) * PARTS_BETWEEN)

/* Under dirty logging each block is split by a fault of one leaf, which must not wait for all
 * others that another vCPU maps of a block. */
#define LOGGED_STEP 16

/* For how many pages mmu_lock may be held; the same for all vCPUs. Who has it for read is not in a
 * reader's way. */
static uint64_t quiet_pages(const struct kvm *kvm, bool writes, ps_t now)
{
    const struct lock *lock = &kvm->mmu_lock;
    bool held = lock->writer || (writes && lock->readers > 0);
    ps_t single_at = writes ? lock->single_at : lock->single_write_at;
    if (single_at == 0) {
        return UINT64_MAX;
    }
    if (lock->single_waiters > 0 || (held && lock->holds == 0) || kvm->page_hold_ps == 0) {
        return 1;
    }
    uint64_t share = writes ? QUIET_SHARE_OF_WRITER : QUIET_SHARE_OF_READER;
    return (now - single_at) / share / kvm->page_hold_ps;
}

/* The largest power of two that is no more, 1 at least. */
static uint64_t power_of_two(uint64_t n)
{
    return n < 2 ? 1 : UINT64_C(1) << (63 - __builtin_clzll(n));
}

/* All vCPUs that do the same go by the same steps, so that the lock serves all alike. */
static void look_at_others(const struct kvm *kvm, struct kvm_vcpu *vcpu)
{
    uint64_t step = vcpu->step_pages;
    vcpu->beside_leaves = false;
    for (uint32_t i = 0; i < kvm->vcpu_count; i++) {
        const struct kvm_vcpu *other = &kvm->vcpus[i];
        bool works = other != vcpu && other->touch_end > 0 && other->touch_began;
        vcpu->beside_leaves |= works && other->step_pages == 1;
        if (works && (other->raced || other->step_pages > 1)) {
            step = u64_min(step, other->step_pages);
        }
    }
    vcpu->step_among = step;
    vcpu->seen_touches = kvm->touches;
}

/* Those that may fault on the same leaves race in short steps, from then on to the end of their
 * touches: who is ahead of whom would not outlast a change. */
static bool race(struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t at, uint64_t limit)
{
    bool races = kvm_touched_by_other(kvm, vcpu, at, limit);
    if (races && !vcpu->raced) {
        vcpu->raced = true;
        vcpu->step_pages = u64_min(vcpu->step_pages, vcpu->race_pages);
        kvm->touches++;
    }
    return races;
}

/* How many pages' faults may go together among others. Who meets none in its touch does not until
 * one changes. */
static uint64_t pages_among_others(struct fault *fault, uint64_t at)
{
    struct kvm *kvm = fault->kvm;
    struct kvm_vcpu *vcpu = fault->vcpu;
    if (vcpu->seen_touches != kvm->touches) {
        fault->races = race(kvm, vcpu, at, fault->limit);
        look_at_others(kvm, vcpu);
        vcpu->seen_touches -= fault->races ? 1 : 0;
    }
    /* Of writers a hold of the lock says that one goes leaf by leaf. */
    bool by_leaf = vcpu->beside_leaves && !fault->writes && vcpu->step_among < LONG_STEP;
    return by_leaf ? 1 : vcpu->step_among;
}

/* Pages among which it may take leaves of its touch together. */
static uint64_t pages_of(const struct actor *actor, struct fault *fault)
{
    uint64_t page = kvm_leaf_bytes(fault->kvm, LEAF_PAGE), at = fault->ipa / page;
    uint64_t left = (fault->limit - 1) / page - at + 1, pages = fault->vcpu->step_pages;
    if (fault->alone) {
        return left;
    }
    if (pages == 1 || !fault->vcpu->touch_began) { /* who begins at the same time is not seen yet */
        return 1;
    }
    pages = pages_among_others(fault, at * page);
    uint64_t quiet = quiet_pages(fault->kvm, fault->writes, actor->now);
    pages = quiet < pages ? power_of_two(quiet) : pages;
    if (fault->kvm->dirty_log) {
        pages = u64_min(pages, LOGGED_STEP);
    }
    /* Up to a multiple, so that those who race share their steps' borders. */
    return u64_min(fault->races ? pages - at % pages : pages, left);
}

/* How many leaves it takes as it looks before the host has said how large they are: small ones up
 * to where the mapping changes; of a block that dirty logging splits the first one. */
static uint64_t leaves_expected(const struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    const struct memslot *slot = kvm_slot_at(kvm, fault->ipa);
    struct leaves mapped;
    uint64_t next = UINT64_MAX, page = kvm_leaf_bytes(kvm, LEAF_PAGE);
    bool small = slot && (kvm->dirty_log || slot->area.backing == BACKING_4K);
    bool found = small && stage2_lookup(&kvm->stage2, fault->ipa, &mapped, &next);
    if (!small || (found && mapped.level != LEAF_PAGE)) {
        return 1;
    }
    uint64_t end = u64_min(fault->limit, found ? mapped.end : next), at = fault->ipa / page;
    return u64_min(fault->pages, (end - 1) / page - at + 1);
}

void fault_batch(const struct actor *actor, struct fault *fault)
{
    fault->pages = fault->leaves_expected = 1;
    if (fault->kvm->steps == 0) {
        return;
    }
    fault->alone = engine_alone(actor->engine);
    fault->pages = pages_of(actor, fault);
    if (!fault->vcpu->touch_began) {
        fault->vcpu->touch_began = true;
        fault->kvm->touches++;
    }
    if (fault->pages > 1) {
        fault->leaves_expected = leaves_expected(fault);
    }
}

#include "core/coro.h"
#include "core/invariant.h"
#include "kvm/range.h"
#include "kvm/reach.h"
#include "kvm/stall.h"

#include <string.h>

void kvm_init(struct kvm *kvm, const struct kernel *kernel, const struct strategy *strategy,
              struct memory *memory, const struct geometry *geometry, struct pool *pool,
              uint32_t vcpu_count)
{
    INVARIANT(vcpu_count <= KVM_VCPUS, "%u vCPUs", vcpu_count);
    memset(kvm, 0, offsetof(struct kvm, vcpus) + vcpu_count * sizeof *kvm->vcpus);
    kvm->kernel = kernel;
    kvm->strategy = strategy;
    kvm->memory = memory;
    memory->third_broadcast = memory->platform->erratum_4118414 && kernel->value[SWITCH_TLBI_THIRD];
    kvm->fwb = strategy->fwb;
    memory->oracle.traits.fwb = kvm->fwb;
    kvm->vcpu_count = vcpu_count;
    for (int line = 0; line < KVM_LINE_KINDS; line++) {
        kvm->owners[line].first[0] = UINT64_MAX; /* of no level: no one had it */
    }
    stage2_init(&kvm->stage2, geometry, pool);
    enum huge_zero_write huge_zero =
        kernel->value[SWITCH_HUGE_ZERO] == HUGE_ZERO_ALLOC ? HUGE_ZERO_ALLOCATES : HUGE_ZERO_SPLITS;
    host_init(&kvm->host, pool, huge_zero);
    kvm->mmu_lock = (struct lock){
        .name = "mmu_lock", .resource = RESOURCE_MMU_LOCK, .handover_kind = EV_lock_handovers};
    kvm->line[KVM_MMAP_LOCK].server =
        (struct server){.name = "mmap_lock line", .resource = RESOURCE_LOCK_LINE};
    kvm->line[KVM_MMU_LOCK].server =
        (struct server){.name = "mmu_lock line", .resource = RESOURCE_LOCK_LINE};
    for (uint32_t i = 0; i < vcpu_count; i++) {
        kvm->vcpus[i].index = i;
        kvm->vcpus[i].tvm = !kvm->fwb;
        kvm->vcpus[i].step_pages = 1;
        kvm->vcpus[i].hugetlb_mutex = (struct lock){.name = "hugetlb fault mutex",
                                                    .resource = RESOURCE_HUGETLB,
                                                    .handover_kind = EV_lock_handovers};
    }
}

uint32_t kvm_add_slot(struct kvm *kvm, struct memslot slot)
{
    INVARIANT(kvm->slot_count < KVM_SLOTS, "%u slots", kvm->slot_count);
    slot.live = true;
    kvm->slots[kvm->slot_count] = slot;
    return kvm->slot_count++;
}

struct memslot *kvm_slot_of(struct kvm *kvm, uint64_t ipa)
{
    for (uint32_t i = 0; i < kvm->slot_count; i++) {
        if (ipa >= kvm->slots[i].ipa && ipa - kvm->slots[i].ipa < kvm->slots[i].bytes) {
            return &kvm->slots[i];
        }
    }
    return NULL;
}

void kvm_judge_shared(struct kvm *kvm, const struct memslot *slot, uint64_t start, uint64_t end,
                      bool mapped)
{
    if (backing_is_shared(slot->area.backing)) {
        bool cleaned = mapped && kvm->strategy->notifier_unmap_cleans && !kvm->fwb;
        oracle_shared(&kvm->memory->oracle, start, end, cleaned);
    }
}

enum path kvm_guest_path(const struct kvm *kvm, const struct kvm_vcpu *vcpu,
                         enum guest_access access)
{
    bool fetch = access == ACCESS_FETCH;
    enum stage1 off = !fetch            ? STAGE1_OFF_DATA
                      : vcpu->icache_on ? STAGE1_OFF_FETCH_CACHED
                                        : STAGE1_OFF_FETCH;
    enum stage1 on = vcpu->noncacheable && !fetch ? STAGE1_NONCACHEABLE : STAGE1_CACHEABLE;
    return oracle_path(&kvm->memory->oracle, vcpu->mmu_on ? on : off);
}

/* --- VM registers and set/way --- */

void kvm_vmregs(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t n)
{
    struct stall stall = stall_begin(actor);
    if (vcpu->tvm && n > 0) {
        /* The first trapped write that finds the caches on ends the trapping. */
        uint64_t traps = vcpu->mmu_on ? 1 : n;
        actor_charge(actor, EV_toggle_traps, traps);
        vcpu->tvm = !vcpu->mmu_on;
        stall_end(actor, kvm, stall, traps);
    }
}

struct toggling {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    bool on;
    struct stall stall;
};

static bool toggle_flushes(const struct kvm *kvm)
{
    switch (kvm->strategy->toggle) {
    case TOGGLE_EVERY:
        return true;
    case TOGGLE_FIRST:
        return !kvm->toggled;
    case TOGGLE_NONE:
        return false;
    }
    return false;
}

static CORO(toggling)
{
    struct toggling *my = CORO_LOCALS(toggling);
    struct kvm *kvm = my->kvm;
    struct kvm_vcpu *vcpu = my->vcpu;
    CORO_BEGIN;
    if (vcpu->tvm) {
        my->stall = stall_begin(actor);
        actor_charge(actor, EV_toggle_traps, 1);
        if (vcpu->mmu_on != my->on && toggle_flushes(kvm)) {
            kvm->toggled = true;
            AWAIT(kvm_flush_vm(actor, kvm, SITE_TOGGLE));
        }
        stall_end(actor, kvm, my->stall, 1);
    }
    /* Once the caches are on, nothing needs to be trapped any more. */
    vcpu->tvm = vcpu->tvm && !my->on;
    vcpu->mmu_on = vcpu->icache_on = my->on; /* SCTLR_EL1.M, .C and .I */
    reach_mode(kvm);
    CORO_END;
}

void kvm_toggle(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, bool on)
{
    CORO_CALL(actor, toggling, .kvm = kvm, .vcpu = vcpu, .on = on);
}

struct setway {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    uint64_t n;
    struct stall stall;
    ps_t trapped; /* after the traps */
};

static CORO(setway)
{
    struct setway *my = CORO_LOCALS(setway);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    my->stall = stall_begin(actor);
    /* With FWB it is trapped, and that is all. */
    actor_charge(actor, kvm->fwb ? EV_exits : EV_setway_traps, my->n);
    my->trapped = stall_once(actor);
    if (!kvm->fwb && my->n > 0 && !my->vcpu->tvm) {
        /* From here on the toggle will do it, so later ones do nothing. */
        my->vcpu->tvm = true;
        AWAIT(kvm_flush_vm(actor, kvm, SITE_SETWAY));
    }
    stall_end_once(actor, kvm, my->stall, my->trapped, my->n);
    CORO_END;
}

void kvm_setway(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t n)
{
    CORO_CALL(actor, setway, .kvm = kvm, .vcpu = vcpu, .n = n);
}

/* --- re-init and entry --- */

void kvm_icache_all(struct actor *actor, struct kvm *kvm)
{
    actor_charge(actor, EV_ic_ialluis, kvm->memory->platform->dic ? 0 : 1);
    for (uint32_t i = 0; i < kvm->slot_count; i++) {
        struct host_area *area = &kvm->slots[i].area;
        memory_icache_all(actor, kvm->memory, area->start, area->end, 0);
    }
}

struct reinit {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    struct stall stall;
};

/* What the strategy does at the re-init of a vCPU that has run. */
static CORO(reinit)
{
    struct reinit *my = CORO_LOCALS(reinit);
    struct kvm *kvm = my->kvm;
    const struct strategy *strategy = kvm->strategy;
    CORO_BEGIN;
    my->stall = stall_begin(actor);
    actor->site = SITE_REINIT;
    kvm->last_unmapped_bytes = 0;
    AWAIT(actor_charge(actor, EV_reinits, 1));
    reach_reinit(kvm, my->vcpu);
    if (my->vcpu->has_run && strategy->reinit_unmap != UNMAP_NONE) {
        AWAIT(range_reinit_unmap(actor, kvm));
    }
    if (my->vcpu->has_run && strategy->flush_at == FLUSH_EACH_INIT) {
        AWAIT(range_strategy_flush(actor, kvm));
    }
    if (my->vcpu->has_run && strategy->reinit_icache && strategy->flush_at != FLUSH_FIRST_RUN) {
        kvm_icache_all(actor, kvm);
    }
    if (my->vcpu->has_run && strategy->flush_at == FLUSH_FIRST_RUN) {
        kvm->flush_pending = true;
    }
    my->vcpu->tvm = !kvm->fwb;
    my->vcpu->mmu_on = my->vcpu->icache_on = false;
    kvm->toggled = false;
    stall_end(actor, kvm, my->stall, 1);
    actor->site = SITE_VMM;
    CORO_END;
}

void kvm_reinit(struct actor *actor, struct kvm *kvm, uint32_t vcpu)
{
    INVARIANT(vcpu < kvm->vcpu_count, "re-init of vCPU %u of %u", vcpu, kvm->vcpu_count);
    CORO_CALL(actor, reinit, .kvm = kvm, .vcpu = &kvm->vcpus[vcpu]);
}

struct enter {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    struct stall stall;
};

/* The first vCPU to enter pays the strategy's flush; others that enter meanwhile wait for
 * it. Another re-init may make the next flush due while one is under way: that is for
 * whoever comes first when it has ended. */
static CORO(enter)
{
    struct enter *my = CORO_LOCALS(enter);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    my->stall = stall_begin(actor);
    my->vcpu->has_run = true;
    while (kvm->flushing) {
        AWAIT(actor_wait(actor, &kvm->flushed));
        my->vcpu->has_run = true;
    }
    if (kvm->flush_pending) {
        kvm->flush_pending = false;
        kvm->flushing = true;
        kvm->flushed = (struct signal){0};
        AWAIT(range_strategy_flush(actor, kvm));
        actor->site = SITE_FLUSH;
        if (kvm->strategy->reinit_icache) {
            kvm_icache_all(actor, kvm);
        }
        actor->site = SITE_GUEST;
        AWAIT(actor_raise(actor, &kvm->flushed));
        kvm->flushing = false;
    }
    reach_enter(kvm, my->vcpu);
    stall_end(actor, kvm, my->stall, 1);
    CORO_END;
}

void kvm_enter(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu)
{
    CORO_CALL(actor, enter, .kvm = kvm, .vcpu = vcpu);
}

#include "core/invariant.h"
#include "kvm/range_parts.h"
#include "kvm/stall.h"

#include <string.h>

void kvm_init(struct kvm *kvm, const struct kernel *kernel, const struct strategy *strategy,
              struct memory *memory, const struct geometry *geometry, struct pool *pool,
              uint32_t vcpu_count)
{
    INVARIANT(vcpu_count <= KVM_VCPUS, "%u vCPUs", vcpu_count);
    memset(kvm, 0, offsetof(struct kvm, vcpus) + vcpu_count * sizeof *kvm->vcpus);
    kvm->name = "vm";
    kvm->kernel = kernel;
    kvm->strategy = strategy;
    kvm->memory = memory;
    kvm->fwb = strategy->fwb;
    kvm->batch_leaves = 1;
    kvm->vcpu_count = vcpu_count;
    stage2_init(&kvm->stage2, geometry, pool);
    enum huge_zero_write huge_zero =
        kernel->value[SWITCH_HUGE_ZERO] == HUGE_ZERO_ALLOC ? HUGE_ZERO_ALLOCATES : HUGE_ZERO_SPLITS;
    host_init(&kvm->host, pool, huge_zero);
    kvm->mmu_lock = (struct lock){
        .name = "mmu_lock", .resource = RESOURCE_MMU_LOCK, .handover_kind = EV_lock_handovers};
    kvm->mmu_line.server = (struct server){.name = "mmu_lock line", .resource = RESOURCE_LOCK_LINE};
    kvm->mmap_line.server =
        (struct server){.name = "mmap_lock line", .resource = RESOURCE_LOCK_LINE};
    for (uint32_t i = 0; i < vcpu_count; i++) {
        kvm->vcpus[i].index = i;
        kvm->vcpus[i].tvm = !kvm->fwb;
        kvm->vcpus[i].batch_leaves = 1;
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

struct memslot *kvm_slot_at(struct kvm *kvm, uint64_t ipa)
{
    for (uint32_t i = 0; i < kvm->slot_count; i++) {
        struct memslot *slot = &kvm->slots[i];
        if (slot->live && ipa >= slot->ipa && ipa - slot->ipa < slot->bytes) {
            return slot;
        }
    }
    return NULL;
}

void kvm_judge_shared(struct kvm *kvm, const struct memslot *slot, uint64_t start, uint64_t end,
                      bool mapped)
{
    if (slot->area.backing == BACKING_SHARED) {
        bool cleaned = mapped && kvm->strategy->notifier_unmap_cleans && !kvm->fwb;
        oracle_shared(&kvm->memory->oracle, start, end, cleaned);
    }
}

enum path kvm_guest_path(const struct kvm *kvm, const struct kvm_vcpu *vcpu)
{
    return vcpu->mmu_on || kvm->fwb ? PATH_CACHED : PATH_UNCACHED;
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

static void toggle_step(struct actor *actor, struct frame *frame)
{
    struct toggling *toggle = FRAME_LOCAL(frame, struct toggling);
    struct kvm_vcpu *vcpu = toggle->vcpu;
    bool changed = vcpu->mmu_on != toggle->on;
    if (frame->state == 0 && vcpu->tvm) {
        frame->state = 1;
        toggle->stall = stall_begin(actor);
        actor_charge(actor, EV_toggle_traps, 1);
        if (changed && toggle_flushes(toggle->kvm)) {
            toggle->kvm->toggled = true;
            kvm_flush_vm_begin(actor, toggle->kvm, SITE_TOGGLE);
            return;
        }
    }
    if (frame->state == 1) {
        stall_end(actor, toggle->kvm, toggle->stall, 1);
    }
    /* Once the caches are on, nothing needs to be trapped any more. */
    vcpu->tvm = vcpu->tvm && !toggle->on;
    vcpu->mmu_on = toggle->on;
    actor_return(actor);
}

void kvm_toggle_begin(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, bool on)
{
    struct toggling *toggle = actor_call(actor, toggle_step);
    *toggle = (struct toggling){.kvm = kvm, .vcpu = vcpu, .on = on};
}

struct setway {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    uint64_t n;
    ps_t start, trapped; /* before and after the traps */
};

static void setway_step(struct actor *actor, struct frame *frame)
{
    struct setway *setway = FRAME_LOCAL(frame, struct setway);
    if (frame->state == 0) {
        frame->state = 1;
        setway->start = actor->now;
        /* With FWB it is trapped, and that is all. */
        actor_charge(actor, setway->kvm->fwb ? EV_exits : EV_setway_traps, setway->n);
        setway->trapped = actor->now;
        if (!setway->kvm->fwb && setway->n > 0 && !setway->vcpu->tvm) {
            /* From here on the toggle will do it, so later ones do nothing. */
            setway->vcpu->tvm = true;
            kvm_flush_vm_begin(actor, setway->kvm, SITE_SETWAY);
            return;
        }
    }
    stall_book(setway->kvm, actor->now - setway->start, actor->now - setway->trapped, setway->n);
    actor_return(actor);
}

void kvm_setway_begin(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t n)
{
    struct setway *setway = actor_call(actor, setway_step);
    *setway = (struct setway){.kvm = kvm, .vcpu = vcpu, .n = n};
}

/* --- re-init and entry --- */

static void icache_whole_vm(struct actor *actor, struct kvm *kvm)
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
static void reinit_step(struct actor *actor, struct frame *frame)
{
    struct reinit *reinit = FRAME_LOCAL(frame, struct reinit);
    struct kvm *kvm = reinit->kvm;
    const struct strategy *strategy = kvm->strategy;
    actor->site = SITE_REINIT;
    switch (frame->state++) {
    case 0:
        reinit->stall = stall_begin(actor);
        kvm->last_unmapped_bytes = 0;
        actor_charge(actor, EV_reinits, 1);
        if (reinit->vcpu->has_run && strategy->reinit_unmap != UNMAP_NONE) {
            range_reinit_unmap_begin(actor, kvm);
        }
        return;
    case 1:
        if (reinit->vcpu->has_run && strategy->flush_at == FLUSH_EACH_INIT) {
            range_strategy_flush_begin(actor, kvm);
        }
        return;
    default:
        if (reinit->vcpu->has_run && strategy->reinit_icache &&
            strategy->flush_at != FLUSH_FIRST_RUN) {
            icache_whole_vm(actor, kvm);
        }
        if (reinit->vcpu->has_run && strategy->flush_at == FLUSH_FIRST_RUN) {
            kvm->flush_pending = true;
        }
        reinit->vcpu->tvm = !kvm->fwb;
        reinit->vcpu->mmu_on = false;
        kvm->toggled = false;
        stall_end(actor, kvm, reinit->stall, 1);
        actor->site = SITE_VMM;
        actor_return(actor);
    }
}

void kvm_reinit_begin(struct actor *actor, struct kvm *kvm, uint32_t vcpu)
{
    INVARIANT(vcpu < kvm->vcpu_count, "re-init of vCPU %u of %u", vcpu, kvm->vcpu_count);
    struct reinit *reinit = actor_call(actor, reinit_step);
    *reinit = (struct reinit){.kvm = kvm, .vcpu = &kvm->vcpus[vcpu]};
}

struct enter {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    struct stall stall;
};

enum enter_state { ENTER_ASK, ENTER_FLUSHED, ENTER_OPEN, ENTER_DONE };

/* Another re-init may make the next flush due while one is under way: that is for
 * whoever comes first when it has ended. */
static void enter_ask(struct actor *actor, struct frame *frame, struct enter *enter)
{
    struct kvm *kvm = enter->kvm;
    enter->vcpu->has_run = true;
    if (kvm->flushing) {
        actor_wait(actor, &kvm->flushed);
    } else if (kvm->flush_pending) {
        frame->state = ENTER_FLUSHED;
        kvm->flush_pending = false;
        kvm->flushing = true;
        kvm->flushed = (struct signal){0};
        range_strategy_flush_begin(actor, kvm);
    } else {
        frame->state = ENTER_DONE;
    }
}

/* The first vCPU to enter pays the strategy's flush; others that enter
 * meanwhile wait for it. */
static void enter_step(struct actor *actor, struct frame *frame)
{
    struct enter *enter = FRAME_LOCAL(frame, struct enter);
    struct kvm *kvm = enter->kvm;
    switch (frame->state) {
    case ENTER_ASK:
        enter_ask(actor, frame, enter);
        return;
    case ENTER_FLUSHED:
        frame->state = ENTER_OPEN;
        actor->site = SITE_FLUSH;
        if (kvm->strategy->reinit_icache) {
            icache_whole_vm(actor, kvm);
        }
        actor->site = SITE_GUEST;
        actor_raise(actor, &kvm->flushed);
        return;
    case ENTER_OPEN:
        frame->state = ENTER_DONE;
        kvm->flushing = false;
        return;
    default:
        stall_end(actor, kvm, enter->stall, 1);
        actor_return(actor);
    }
}

void kvm_enter_begin(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu)
{
    struct enter *enter = actor_call(actor, enter_step);
    *enter = (struct enter){.kvm = kvm, .vcpu = vcpu, .stall = stall_begin(actor)};
}

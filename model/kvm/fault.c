/* Stage-2 faults: translation faults that map leaves, permission faults that
 * relax them (kvm_handle_guest_abort, user_mem_abort, kvm_pgtable_stage2_map). */
#include "kvm/fault.h"

static bool takes_write_lock(const struct fault *fault)
{
    bool logging = fault->permission && fault->kvm->dirty_log && !fault->resize;
    switch (fault->kvm->kernel->value[SWITCH_FAULT_LOCK]) {
    case FAULT_LOCK_SPIN:
        return true;
    case FAULT_LOCK_WRITE:
        return !logging;
    default:
        return false;
    }
}

/* The host took pages back or exchanged them on the way: KVM sees that its
 * sequence number moved and lets the guest fault again. */
static enum fault_state fault_notify(struct actor *actor, struct fault *fault)
{
    if (fault->notifying == fault->notified) {
        return fault->notified > 0 || fault->gone ? FAULT_DONE : FAULT_LINE;
    }
    uint32_t i = fault->notifying++;
    bool last = fault->notifying == fault->notified;
    kvm_notify_begin(actor, fault->kvm, fault->notify[i], last && fault->replaced);
    return FAULT_NOTIFY;
}

/* A reader adds itself to a lock's count as it comes and takes itself off as it
 * goes, one atomic operation each (a request): nobody waits for the lock, but all
 * who share it wait for its cache line. Where nobody else changed it in between,
 * the line is still there, and there is no request: false. */
static bool update_line(struct actor *actor, struct lock_line *line, const struct kvm_vcpu *vcpu)
{
    bool moves = line->last && line->last != vcpu;
    if (moves) {
        actor_serve(actor, &line->server, actor_count(actor, EV_lock_updates, 1));
    }
    line->last = vcpu;
    return moves;
}

/* What is due of mmap_lock's updates, one at a time. Where the first finds the line
 * where it was, so do those that follow at once. */
static bool update_mmap_line(struct actor *actor, struct fault *fault)
{
    bool moves = fault->mmap_updates > 0 && update_line(actor, &fault->kvm->mmap_line, fault->vcpu);
    fault->mmap_updates = moves ? fault->mmap_updates - 1 : 0;
    fault->mmap_back += moves;
    return moves;
}

/* Whoever has mmu_lock for write has its line, too. */
static bool update_mmu_line(struct actor *actor, const struct fault *fault)
{
    return !takes_write_lock(fault) && update_line(actor, &fault->kvm->mmu_line, fault->vcpu);
}

static bool fault_host_unlock(struct actor *actor, struct frame *frame, struct fault *fault)
{
    frame->state = FAULT_NOTIFY;
    if (!actor->holding) {
        return true;
    }
    fault->vcpu->clearing_start = fault->vcpu->clearing_end = 0;
    actor_unlock(actor, actor->holding);
    return false;
}

/* Until the host has let go of its own locks. What makes no request goes on with what
 * follows it at once: true where all of it did. */
static bool fault_enter(struct actor *actor, struct frame *frame, struct fault *fault)
{
    struct lock *mutex;
    switch (frame->state) {
    case FAULT_BEGIN:
        fault->was_site = actor->site;
        fault->stall = stall_begin(actor);
        actor->site = SITE_FAULT;
        frame->state = FAULT_MMAP;
        if (update_line(actor, &fault->kvm->mmap_line, fault->vcpu)) {
            return false;
        }
        /* fallthrough */
    case FAULT_MMAP:
        frame->state = FAULT_EXIT;
        mutex = fault_hugetlb_mutex(fault);
        if (mutex) {
            actor_lock(actor, mutex, true);
            return false;
        }
        /* fallthrough */
    case FAULT_EXIT:
        frame->state = FAULT_MMAP_LEFT;
        fault_plan(actor, fault);
        if (actor->holding) {
            actor->holding->holds = leaf_count(fault);
        }
        return false;
    default:
        return !update_mmap_line(actor, fault) && fault_host_unlock(actor, frame, fault);
    }
}

static void fault_leave(struct actor *actor, struct frame *frame, struct fault *fault)
{
    if (frame->state == FAULT_LEAVE) {
        frame->state = FAULT_UNLOCK;
        fault->mmu_back = update_mmu_line(actor, fault);
        if (fault->mmu_back) {
            return;
        }
    }
    frame->state = FAULT_DONE;
    actor->holds = 0;
    actor_unlock(actor, &fault->kvm->mmu_lock);
}

static void fault_done(struct actor *actor, const struct fault *fault)
{
    /* Table pages are allocated ahead of the lock, for later faults too. */
    if (fault->tables > 0) {
        actor_charge(actor, EV_s2_tables_alloc, fault->tables);
    }
    fault_follow(actor, fault);
    if (!fault->vcpu->ahead) {
        stall_end(actor, fault->kvm, fault->stall, leaf_count(fault));
    }
    actor->site = fault->was_site;
    actor_return(actor);
}

static void fault_step(struct actor *actor, struct frame *frame)
{
    struct fault *fault = FRAME_LOCAL(frame, struct fault);
    switch (frame->state) {
    case FAULT_BEGIN:
    case FAULT_MMAP:
    case FAULT_EXIT:
    case FAULT_MMAP_LEFT:
        if (!fault_enter(actor, frame, fault)) {
            return;
        }
        /* fallthrough */
    case FAULT_NOTIFY:
        frame->state = fault_notify(actor, fault);
        if (frame->state != FAULT_LINE) {
            return;
        }
        /* fallthrough */
    case FAULT_LINE:
        frame->state = FAULT_LOCK;
        if (update_mmu_line(actor, fault)) {
            return;
        }
        /* fallthrough */
    case FAULT_LOCK:
        frame->state = fault->permission && !fault->resize ? FAULT_RELAX : FAULT_CLEAN;
        actor->holds = leaf_count(fault);
        actor_lock(actor, &fault->kvm->mmu_lock, takes_write_lock(fault));
        return;
    case FAULT_CLEAN:
        fault->queued = actor->queued;
        frame->state = fault_locked(actor, fault);
        return;
    case FAULT_INSTALL:
        frame->state = FAULT_LEAVE;
        fault_install(actor, fault);
        return;
    case FAULT_RELAX:
        frame->state = FAULT_LEAVE;
        fault_relax(actor, fault);
        return;
    case FAULT_LEAVE:
    case FAULT_UNLOCK:
        fault_leave(actor, frame, fault);
        return;
    default:
        fault_done(actor, fault);
    }
}

void kvm_fault_begin(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa,
                     uint64_t limit, enum guest_access access)
{
    struct fault *fault = actor_call(actor, fault_step);
    *fault = (struct fault){.kvm = kvm, .vcpu = vcpu, .ipa = ipa, .limit = limit, .access = access};
}

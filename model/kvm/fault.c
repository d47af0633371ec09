/* Stage-2 faults: translation faults that map leaves, permission faults that
 * relax them (kvm_handle_guest_abort, user_mem_abort). */
#include "kvm/fault.h"

#include "core/coro.h"
#include "kvm/lines.h"

static bool relaxes(const struct fault *fault)
{
    return fault->permission && !fault->resize;
}

static bool takes_write_lock(const struct fault *fault)
{
    int lock = fault->kvm->kernel->value[SWITCH_FAULT_LOCK];
    bool logs_write = relaxes(fault) && fault->kvm->dirty_log;
    return lock == FAULT_LOCK_SPIN || (lock == FAULT_LOCK_WRITE && !logs_write);
}

/* A reader adds itself to a lock's count as it comes and takes itself off as it
 * goes, one atomic operation each: nobody waits for the lock, but all who share it
 * wait for its cache line. Where nobody else changed it in between, the line is
 * still there: false. */
static bool update_line(struct actor *actor, struct lock_line *line, const struct kvm_vcpu *vcpu)
{
    bool moves = line->last && line->last != vcpu;
    if (moves) {
        actor_serve(actor, &line->server, actor_count(actor, EV_lock_updates, 1));
    }
    line->last = vcpu;
    return moves;
}

static void lock_hugetlb_page(struct actor *actor, const struct fault *fault)
{
    struct lock *mutex = fault_hugetlb_mutex(fault);
    if (mutex) {
        actor_lock(actor, mutex, true);
    }
}

/* One of mmap_lock's updates that are still due. Where the first finds the line where it
 * was, so do those that follow at once. */
static void update_mmap_line(struct actor *actor, struct fault *fault)
{
    bool moves = update_line(actor, &fault->kvm->mmap_line, fault->vcpu);
    fault->mmap_updates = moves ? fault->mmap_updates - 1 : 0;
    fault->mmap_back += moves;
}

/* Whoever has mmu_lock for write has its line, too. */
static bool update_mmu_line(struct actor *actor, const struct fault *fault)
{
    return !fault->writes && update_line(actor, &fault->kvm->mmu_line, fault->vcpu);
}

/* The host took pages back or exchanged them on the way. */
static void notify(struct actor *actor, struct fault *fault)
{
    uint32_t i = fault->notifying++;
    bool last = fault->notifying == fault->notified;
    kvm_notify(actor, fault->kvm, fault->notify[i], last && fault->replaced);
}

static CORO(fault)
{
    struct fault *my = CORO_LOCALS(fault);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    my->was_site = actor->site;
    my->stall = stall_begin(actor);
    actor->site = SITE_FAULT;
    actor_at(actor, my->ipa, kvm_leaf_bytes(kvm, LEAF_PAGE));

    /* mmap_lock for read, the host's page and a hugetlb page's own mutex. */
    AWAIT(update_line(actor, &kvm->mmap_line, my->vcpu));
    AWAIT(lock_hugetlb_page(actor, my));
    AWAIT(fault_plan(actor, my));
    while (my->mmap_updates > 0) {
        AWAIT(update_mmap_line(actor, my));
    }
    if (actor->holding) {
        my->vcpu->clearing_start = my->vcpu->clearing_end = 0;
        AWAIT(actor_unlock(actor, actor->holding));
    }
    while (my->notifying < my->notified) {
        AWAIT(notify(actor, my));
    }

    /* With a notifier its sequence number moved: the guest faults again. */
    if (my->slot && my->notified == 0) {
        my->writes = takes_write_lock(my);
        AWAIT(update_mmu_line(actor, my));
        actor->holds = fault_leaf_count(my);
        AWAIT(actor_lock(actor, &kvm->mmu_lock, my->writes));
        my->queued = actor->queued;
        lines_read_sequence(actor, kvm, my->vcpu);
        if (fault_is_stale(my)) {
            AWAIT(actor_charge(actor, EV_fault_retries, 1));
        } else if (relaxes(my)) {
            AWAIT(fault_relax(actor, my));
        } else {
            if (fault_finds_other_size(my)) {
                AWAIT(fault_break(actor, my));
            }
            if (fault_lost(my)) {
                AWAIT(fault_lose(actor, my));
            } else {
                AWAIT(fault_clean(actor, my));
                AWAIT(fault_install(actor, my));
            }
        }
        AWAIT(my->mmu_back = update_mmu_line(actor, my));
        actor->holds = 0;
        AWAIT(actor_unlock(actor, &kvm->mmu_lock));
    }

    /* Table pages are allocated ahead of the lock, for later faults too. */
    if (my->tables > 0) {
        actor_charge(actor, EV_s2_tables_alloc, my->tables);
    }
    fault_follow(actor, my);
    if (!my->vcpu->prefaulting) {
        stall_end(actor, kvm, my->stall, fault_leaf_count(my));
    }
    actor->site = my->was_site;
    CORO_END;
}

void kvm_fault(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa,
               uint64_t limit, enum guest_access access)
{
    CORO_CALL(actor, fault, .kvm = kvm, .vcpu = vcpu, .ipa = ipa, .limit = limit, .access = access);
}

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

/* A reader adds itself to a lock's count as it comes and takes itself off as it goes, one atomic
 * operation each: no reader waits for the lock, but all who share it wait for its cache line. Where
 * no other changed it in between, the line is still there; of several faults so many find it
 * gone as there were changes. Returns how many. */
static uint64_t update_shared_line(struct actor *actor, const struct fault *fault,
                                   enum kvm_lock lock, uint64_t faults)
{
    struct lock_line *line = &fault->kvm->line[lock];
    uint64_t *seen = &fault->vcpu->seen_updates[lock];
    uint64_t moves = u64_min(fault->alone ? 1 : faults, line->updates - *seen);
    if (moves > 0) {
        ps_t moved = actor_count(actor, EV_lock_updates, moves);
        actor_serve(actor, &line->server, moved, moved, moves);
    }
    line->updates += faults;
    *seen = line->updates;
    return moves;
}

/* A single vCPU has it always. */
static inline uint64_t update_line(struct actor *actor, const struct fault *fault,
                                   enum kvm_lock lock, uint64_t faults)
{
    return fault->kvm->vcpu_count > 1 ? update_shared_line(actor, fault, lock, faults) : 0;
}

static void lock_hugetlb_page(struct actor *actor, const struct fault *fault)
{
    struct lock *mutex = fault_hugetlb_mutex(fault);
    if (mutex) {
        actor_lock(actor, mutex, true);
    }
}

/* The first update of those faults that were not expected: how many there are is known now. */
static void update_mmap_line_of_others(struct actor *actor, const struct fault *fault)
{
    if (!fault->mmap_moves || fault->alone) {
        return;
    }
    uint64_t n = fault_leaf_count(fault), expected = fault->leaves_expected;
    if (n > expected) {
        ps_t moved = actor_count(actor, EV_lock_updates, n - expected);
        actor_serve(actor, &fault->kvm->line[KVM_MMAP_LOCK].server, moved, moved, n - expected);
    }
}

/* One of mmap_lock's updates that are still due. Where the first finds the line where it
 * was, so do those that follow at once. */
static void update_mmap_line(struct actor *actor, struct fault *fault)
{
    bool moves = update_line(actor, fault, KVM_MMAP_LOCK, fault_leaf_count(fault)) > 0;
    fault->mmap_updates = moves ? fault->mmap_updates - 1 : 0;
}

/* Whoever has mmu_lock for write has its line, too. */
static void update_mmu_line(struct actor *actor, const struct fault *fault)
{
    if (!fault->writes) {
        update_line(actor, fault, KVM_MMU_LOCK, fault_leaf_count(fault));
    }
}

static void lock_mmu(struct actor *actor, struct fault *fault)
{
    uint64_t n = fault_leaf_count(fault);
    actor->holds = n > 1 || fault->vcpu->step_pages > 1 ? n : 0;
    actor_lock(actor, &fault->kvm->mmu_lock, fault->writes);
}

static void unlock_mmu(struct actor *actor, const struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    if (kvm->steps > 0) {
        fault_turn_over(actor, fault);
    }
    if (fault->done && kvm->steps > 0) {
        uint64_t pages =
            (fault->leaves.end - fault->leaves.start) / kvm->stage2.geometry.page_bytes;
        kvm->page_hold_ps = u64_max(kvm->page_hold_ps, (actor->now - actor->hold_start) / pages);
    }
    actor_unlock(actor, &kvm->mmu_lock);
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
    stall_start(actor, my->vcpu);
    actor->site = SITE_FAULT;
    actor_at(actor, my->ipa, kvm_leaf_bytes(kvm, LEAF_PAGE));
    my->writes = takes_write_lock(my);
    fault_batch(actor, my);

    /* mmap_lock for read, the host's page and a hugetlb page's own mutex. */
    AWAIT(my->mmap_moves = update_line(actor, my, KVM_MMAP_LOCK, my->leaves_expected) > 0);
    AWAIT(lock_hugetlb_page(actor, my));
    AWAIT(fault_plan(actor, my));
    AWAIT(update_mmap_line_of_others(actor, my));
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
        AWAIT(lock_mmu(actor, my));
        fault_queue(actor, my);
        lines_read_sequence(actor, kvm, my->vcpu);
        if (fault_is_stale(my)) {
            AWAIT(actor_charge(actor, EV_fault_retries, fault_leaf_count(my)));
        } else if (relaxes(my)) {
            AWAIT(fault_relax(actor, my));
        } else {
            fault_look(my);
            if (fault_finds_other_size(my)) {
                AWAIT(fault_break(actor, my));
                fault_look(my);
            }
            if (my->lost) {
                AWAIT(fault_lose(actor, my));
            } else {
                AWAIT(fault_clean(actor, my));
                AWAIT(fault_install(actor, my));
            }
        }
        AWAIT(update_mmu_line(actor, my));
        AWAIT(unlock_mmu(actor, my));
        actor->holds = 0;
    }

    /* Table pages are allocated ahead of the lock, for later faults too. */
    if (my->tables > 0) {
        actor_charge(actor, EV_s2_tables_alloc, my->tables);
    }
    if (my->vcpu->stalled > 0) {
        my->vcpu->stalled = my->slot ? fault_leaf_count(my) : 1;
    }
    if (my->done || !my->slot) {
        stall_over(actor, kvm, my->vcpu);
    }
    actor->site = my->was_site;
    CORO_END;
}

void kvm_fault(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa,
               uint64_t limit, enum guest_access access, bool mapped)
{
    CORO_CALL(actor, fault, .kvm = kvm, .vcpu = vcpu, .ipa = ipa, .limit = limit, .access = access,
              .permission = mapped);
}

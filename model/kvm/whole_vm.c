/* Unmapping and flushing all slots of a VM, alone or by several threads. */
#include "kvm/range.h"

#include "core/coro.h"
#include "kvm/reach.h"

struct whole {
    struct kvm *kvm;
    uint32_t slot, was_site;
    uint32_t waiting; /* for which worker */
    enum site site;
    bool flush; /* it unmaps otherwise */
    bool workers; /* help */
    struct range_rule rule;
};

/* The flush's part of a slot for one of several threads. */
struct part {
    struct kvm *kvm;
    uint64_t share, of; /* part `share` of `of` parts */
    uint32_t slot;
    struct signal *done; /* NULL: the caller's own part */
    struct range_rule rule;
};

/* Where the first `share` of `of` parts of what a slot has mapped end: never
 * inside a leaf, which would be taken twice. */
static uint64_t boundary(struct kvm *kvm, const struct memslot *slot, uint64_t share, uint64_t of)
{
    uint64_t end = slot->ipa + slot->bytes, low = slot->ipa, high = end;
    if (share == 0 || share == of) {
        return share == 0 ? slot->ipa : end;
    }
    uint64_t page = kvm->stage2.geometry.page_bytes;
    uint64_t wanted = stage2_mapped(&kvm->stage2, slot->ipa, end) / of * share;
    while (high - low > page) {
        uint64_t middle = low + (high - low) / 2;
        middle -= (middle - slot->ipa) % page;
        if (stage2_mapped(&kvm->stage2, slot->ipa, middle) < wanted) {
            low = middle;
        } else {
            high = middle;
        }
    }
    struct leaves leaves;
    if (stage2_next(&kvm->stage2, high, end, &leaves) && leaves.start == high) {
        uint64_t size = kvm_leaf_bytes(kvm, leaves.level);
        high -= high % size;
    }
    return high < slot->ipa ? slot->ipa : high;
}

static void flush_part(struct actor *actor, const struct part *part, const struct memslot *slot)
{
    struct kvm *kvm = part->kvm;
    uint64_t start = slot->live ? boundary(kvm, slot, part->share, part->of) : 0;
    uint64_t end = slot->live ? boundary(kvm, slot, part->share + 1, part->of) : 0;
    if (start < end) {
        range_flush(actor, kvm, start, end, part->rule);
    }
}

static CORO(part)
{
    struct part *my = CORO_LOCALS(part);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    for (; my->slot < kvm->slot_count; my->slot++) {
        AWAIT(flush_part(actor, my, &kvm->slots[my->slot]));
    }
    if (my->done) {
        AWAIT(actor_raise(actor, my->done));
    }
    CORO_END;
}

static void call_part(struct actor *actor, const struct whole *whole, const struct kvm_vcpu *by,
                      uint64_t share, struct signal *done)
{
    CORO_CALL(actor, part, .kvm = whole->kvm, .share = share, .of = whole->kvm->worker_count + 1,
              .done = done,
              .rule = {.skip_pages = whole->rule.skip_pages,
                       .skip_blocks = whole->rule.skip_blocks,
                       .record = whole->rule.record,
                       .shared = true,
                       .by = by});
}

/* The workers start with the lock held for all of them. Each has leaves of its own: what one finds
 * does not depend on how far another has come. */
static void start_workers(struct actor *actor, const struct whole *whole)
{
    struct kvm *kvm = whole->kvm;
    struct section_plan plan = {.starter = actor,
                                .others = kvm->workers,
                                .done = kvm->worker_done,
                                .path = &kvm->memory->cmo_path,
                                .count = kvm->worker_count};
    engine_begin_section(actor->engine, &plan);
    for (uint32_t i = 0; i < kvm->worker_count; i++) {
        kvm->worker_done[i] = (struct signal){0};
        actor_start(&kvm->workers[i], actor, "flush worker");
        call_part(&kvm->workers[i], whole, actor->owner, i + 1, &kvm->worker_done[i]);
    }
    call_part(actor, whole, actor->owner, 0, NULL);
}

static void whole_slot(struct actor *actor, const struct whole *whole, const struct memslot *slot)
{
    if (slot->live && whole->flush) {
        range_flush(actor, whole->kvm, slot->ipa, slot->ipa + slot->bytes, whole->rule);
    } else if (slot->live) {
        range_unmap(actor, whole->kvm, slot->ipa, slot->ipa + slot->bytes, whole->rule);
    }
}

static CORO(whole)
{
    struct whole *my = CORO_LOCALS(whole);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    my->was_site = actor->site;
    actor->site = my->site;
    actor_charge(actor, my->flush ? EV_flush_vm_calls : EV_unmap_vm_calls, 1);
    AWAIT(actor_lock(actor, &kvm->mmu_lock, true));
    if (my->workers) {
        AWAIT(start_workers(actor, my));
        for (; my->waiting < kvm->worker_count; my->waiting++) {
            AWAIT(actor_wait(actor, &kvm->worker_done[my->waiting]));
        }
        engine_end_section(actor->engine);
    } else {
        for (; my->slot < kvm->slot_count; my->slot++) {
            AWAIT(whole_slot(actor, my, &kvm->slots[my->slot]));
        }
    }
    if (my->rule.tlbi == REINIT_TLBI_VM) {
        reach_tlbi(kvm, 0, UINT64_MAX);
        AWAIT(memory_tlbi(actor, kvm->memory, EV_tlbi_vmid, 1));
    }
    AWAIT(actor_unlock(actor, &kvm->mmu_lock));
    actor->site = my->was_site;
    CORO_END;
}

void kvm_flush_vm(struct actor *actor, struct kvm *kvm, enum site site)
{
    CORO_CALL(actor, whole, .kvm = kvm, .site = site, .flush = true);
}

/* --- as a strategy has it --- */

void range_strategy_flush(struct actor *actor, struct kvm *kvm)
{
    CORO_CALL(actor, whole, .kvm = kvm, .site = SITE_FLUSH, .flush = true,
              .workers = kvm->worker_count > 0,
              .rule = {.skip_pages = kvm->strategy->flush_leaves == FLUSH_BLOCKS,
                       .skip_blocks = kvm->strategy->flush_leaves == FLUSH_PAGES,
                       .record = kvm->strategy->flush_record});
}

static void unmap_vm(struct actor *actor, struct kvm *kvm)
{
    CORO_CALL(actor, whole, .kvm = kvm, .site = SITE_REINIT,
              .rule = {.cleans = kvm->strategy->reinit_unmap_cleans,
                       .skip_pages = kvm->strategy->reinit_unmap == UNMAP_BLOCKS,
                       .skip_blocks = kvm->strategy->reinit_unmap == UNMAP_PAGES,
                       .tlbi = kvm->strategy->reinit_tlbi});
}

struct renew_stage2 {
    struct kvm *kvm;
    uint32_t slot;
};

/* Lines of data and of code that a VM's making takes, and more for each vCPU
 * (bench/kvm/emulate/zap.sh). */
#define VM_MAKE_LINES (929 + 1154 + 258 + 961)
#define VCPU_MAKE_LINES 103

static void make_anew(struct actor *actor, struct kvm *kvm)
{
    kvm_close(actor, kvm);
    actor_charge(actor, EV_vm_makes, 1);
    actor_charge(actor, EV_vcpu_makes, kvm->vcpu_count);
    actor_charge(actor, EV_host_lines, VM_MAKE_LINES + kvm->vcpu_count * VCPU_MAKE_LINES);
    for (uint32_t i = 0; i < kvm->slot_count; i++) {
        actor_charge(actor, EV_slot_changes, kvm->slots[i].live ? 1 : 0);
    }
    for (uint32_t i = 0; i < kvm->vcpu_count; i++) {
        kvm->vcpus[i].has_run = false;
    }
}

/* Unmaps, and gives the memory back where the VM is made anew, with its slots and vCPUs: these have
 * then not run yet, so that only the first of them does all this. */
static CORO(renew_stage2)
{
    struct renew_stage2 *my = CORO_LOCALS(renew_stage2);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    AWAIT(unmap_vm(actor, kvm));
    if (kvm->strategy->recreate) {
        for (; my->slot < kvm->slot_count; my->slot++) {
            if (kvm->slots[my->slot].live) {
                AWAIT(kvm_drop(actor, kvm, my->slot));
            }
        }
        AWAIT(make_anew(actor, kvm));
    }
    CORO_END;
}

void range_reinit_unmap(struct actor *actor, struct kvm *kvm)
{
    CORO_CALL(actor, renew_stage2, .kvm = kvm);
}

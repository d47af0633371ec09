#include "kvm/dirty_log.h"

#include "core/coro.h"
#include "core/invariant.h"
#include "kvm/reach.h"
#include "kvm/tlbi.h"

/* Kernels that know range invalidation use it here wherever the CPU has it,
 * with or without FWB; the others drop all of the VM's entries. */
static void invalidate_range(struct actor *actor, struct kvm *kvm, uint64_t start, uint64_t end)
{
    const struct platform *platform = kvm->memory->platform;
    if (!platform->tlbirange || !kvm->kernel->value[SWITCH_TLBI_DEFER]) {
        memory_tlbi(actor, kvm->memory, EV_tlbi_vmid, 1);
        return;
    }
    struct range_tlbi sum = {0};
    kvm_add_range_tlbi(kvm, start, end, 1, &sum);
    memory_tlbi_ranges(actor, kvm->memory, sum.calls, sum.ranges, sum.singles);
}

/* --- leaves that change their size --- */

bool kvm_other_size(struct kvm *kvm, struct leaves wanted, bool split)
{
    struct leaves there;
    if (!stage2_next(&kvm->stage2, wanted.start, wanted.end, &there)) {
        return false;
    }
    return there.level < wanted.level || (split && there.level > wanted.level);
}

static uint64_t split_block(struct actor *actor, struct kvm *kvm, struct leaves there,
                            uint64_t around)
{
    uint64_t size = kvm_leaf_bytes(kvm, there.level);
    there.start = around - around % size;
    there.end = there.start + size;
    uint64_t tables = stage2_unmap(&kvm->stage2, there);
    reach_unmap(kvm, &there);
    reach_tlbi(kvm, there.start, there.end);
    memory_tlbi(actor, kvm->memory, EV_tlbi_calls, 1);
    return tables;
}

/* The old leaves are neither cleaned nor invalidated one by one: the table they
 * stand in goes as a whole. */
static uint64_t drop_table(struct actor *actor, struct kvm *kvm, struct leaves wanted)
{
    uint64_t tables = 0;
    struct leaves there;
    while (stage2_next(&kvm->stage2, wanted.start, wanted.end, &there)) {
        uint64_t count = (there.end - there.start) / kvm_leaf_bytes(kvm, there.level);
        actor_charge(actor, EV_collapsed_leaves, count);
        tables += stage2_unmap(&kvm->stage2, there);
        reach_unmap(kvm, &there);
    }
    reach_tlbi(kvm, wanted.start, wanted.end);
    invalidate_range(actor, kvm, wanted.start, wanted.end);
    return tables;
}

uint64_t kvm_break(struct actor *actor, struct kvm *kvm, struct leaves wanted)
{
    struct leaves there;
    bool found = stage2_next(&kvm->stage2, wanted.start, wanted.end, &there);
    INVARIANT(found, "nothing to break at %#llx", (unsigned long long)wanted.start);
    return there.level > wanted.level ? split_block(actor, kvm, there, wanted.start)
                                      : drop_table(actor, kvm, wanted);
}

/* --- logging goes on or off --- */

struct dirty_log {
    struct kvm *kvm;
    uint32_t slot, was_site;
    bool eager;
    bool dirty; /* only leaves that may be written, which are those written since */
    bool changed; /* there were any in this slot */
};

/* A block becomes small leaves before anybody writes to it; the new table is
 * built aside and put in its place, so that its leaves are not maintained. */
static void split_all(struct actor *actor, struct kvm *kvm, struct leaves there)
{
    uint64_t before = kvm->stage2.tables;
    stage2_unmap(&kvm->stage2, there);
    there.level = LEAF_PAGE;
    stage2_map(&kvm->stage2, there);
    actor_charge(actor, EV_s2_tables_alloc, kvm->stage2.tables - before);
}

/* Takes the write permission from all leaves of a slot, or from those that have it. */
static void protect_slot(struct actor *actor, struct dirty_log *log)
{
    struct kvm *kvm = log->kvm;
    const struct memslot *slot = &kvm->slots[log->slot];
    uint64_t end = slot->ipa + slot->bytes;
    struct leaves there;
    log->changed = !log->dirty;
    for (uint64_t at = slot->ipa; stage2_next(&kvm->stage2, at, end, &there); at = there.end) {
        uint64_t size = kvm_leaf_bytes(kvm, there.level);
        if (log->dirty && !there.writable) {
            continue;
        }
        log->changed = true;
        there.start -= there.start % size;
        there.end += (size - there.end % size) % size;
        actor_at(actor, there.start, size);
        actor_charge(actor, EV_wrprotect_leaves, (there.end - there.start) / size);
        there.writable = false;
        stage2_relax(&kvm->stage2, there);
        if (log->eager && there.level != LEAF_PAGE) {
            split_all(actor, kvm, there);
        }
    }
}

static CORO(dirty_log)
{
    struct dirty_log *my = CORO_LOCALS(dirty_log);
    struct kvm *kvm = my->kvm;
    const struct memslot *slot = &kvm->slots[my->slot];
    CORO_BEGIN;
    my->was_site = actor->site;
    actor->site = SITE_SLOT;
    for (; my->slot < kvm->slot_count; slot = &kvm->slots[++my->slot]) {
        if (slot->live) {
            AWAIT(actor_lock(actor, &kvm->mmu_lock, true));
            AWAIT(protect_slot(actor, my));
            if (my->changed) {
                AWAIT(invalidate_range(actor, kvm, slot->ipa, slot->ipa + slot->bytes));
            }
            AWAIT(actor_unlock(actor, &kvm->mmu_lock));
        }
    }
    actor->site = my->was_site;
    CORO_END;
}

void kvm_dirty_round(struct actor *actor, struct kvm *kvm)
{
    CORO_CALL(actor, dirty_log, .kvm = kvm, .dirty = true);
}

void kvm_dirty_log(struct actor *actor, struct kvm *kvm, bool on, bool eager)
{
    bool starts = on && !kvm->dirty_log;
    kvm->dirty_log = on;
    /* Going off walks nothing. */
    CORO_CALL(actor, dirty_log, .kvm = kvm, .eager = eager, .slot = starts ? 0 : kvm->slot_count);
}

#include "kvm/dirty_log.h"

#include "core/coro.h"
#include "core/invariant.h"
#include "kvm/range.h"
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

/* One walk over a slot. */
struct slot_walk {
    struct kvm *kvm;
    uint64_t start, end; /* the slot, or what of it is cleared */
    const struct memslot *slot;
    uint64_t at, stop; /* the chunk that is under way */
    bool splits; /* else it protects: */
    bool dirty; /* only leaves that may be written, which are those written since */
    bool changed; /* there were any */
};

/* Whole leaves, also where the slot begins or ends inside one. */
static void widen(const struct kvm *kvm, struct leaves *leaves)
{
    uint64_t size = kvm_leaf_bytes(kvm, leaves->level);
    leaves->start -= leaves->start % size;
    leaves->end += (size - leaves->end % size) % size;
}

/* Takes the write permission from all leaves up to my->stop, or from those that have it. */
static void protect_chunk(struct actor *actor, struct slot_walk *my)
{
    struct kvm *kvm = my->kvm;
    struct leaves there;
    for (uint64_t at = my->at; stage2_next(&kvm->stage2, at, my->stop, &there); at = there.end) {
        uint64_t size = kvm_leaf_bytes(kvm, there.level);
        if (my->dirty && !there.writable) {
            continue;
        }
        my->changed = true;
        widen(kvm, &there);
        actor_at(actor, there.start, size);
        actor_charge(actor, EV_wrprotect_leaves, (there.end - there.start) / size);
        there.writable = false;
        stage2_relax(&kvm->stage2, there);
    }
}

/* Blocks become small leaves before anybody writes to them (AWAIT): each is taken out and
 * invalidated, then a table that was built aside is put in its place (stage2_split_walker), so
 * that its leaves are not maintained. */
static void split_chunk(struct actor *actor, struct slot_walk *my)
{
    struct kvm *kvm = my->kvm;
    uint64_t before = kvm->stage2.tables, blocks = 0;
    struct leaves there;
    for (uint64_t at = my->at; stage2_next(&kvm->stage2, at, my->stop, &there); at = there.end) {
        if (there.level == LEAF_PAGE) {
            continue;
        }
        widen(kvm, &there);
        blocks += (there.end - there.start) / kvm_leaf_bytes(kvm, there.level);
        stage2_unmap(&kvm->stage2, there);
        there.level = LEAF_PAGE;
        stage2_map(&kvm->stage2, there);
    }
    if (blocks > 0) {
        actor_charge(actor, EV_s2_tables_alloc, kvm->stage2.tables - before);
        memory_tlbi(actor, kvm->memory, EV_tlbi_calls, blocks);
    }
}

/* The walk gives the lock up between chunks where somebody waits; a round of the log does not. */
static void next_stop(struct slot_walk *my)
{
    uint64_t chunk = range_chunk_bytes(my->kvm);
    my->stop = my->dirty ? my->end : u64_min(my->at - my->at % chunk + chunk, my->end);
}

static bool gives_way(struct slot_walk *my)
{
    return my->stop < my->end && my->kvm->preemptible && lock_contended(&my->kvm->mmu_lock);
}

/* kvm_mmu_wp_memory_region and kvm_mmu_split_memory_region of a slot, and what a round does. What
 * is protected is invalidated in the TLBs once the lock has been given back. */
static CORO(slot_walk)
{
    struct slot_walk *my = CORO_LOCALS(slot_walk);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    AWAIT(actor_lock(actor, &kvm->mmu_lock, true));
    my->changed = !my->dirty;
    for (my->at = my->start; my->at < my->end; my->at = my->stop) {
        next_stop(my);
        if (my->splits) {
            AWAIT(split_chunk(actor, my));
        } else {
            AWAIT(protect_chunk(actor, my));
        }
        if (gives_way(my)) {
            AWAIT(actor_unlock(actor, &kvm->mmu_lock));
            AWAIT(actor_lock(actor, &kvm->mmu_lock, true));
        }
    }
    AWAIT(actor_unlock(actor, &kvm->mmu_lock));
    if (my->changed && !my->splits) {
        const struct memslot *slot = my->slot;
        AWAIT(invalidate_range(actor, kvm, slot->ipa, slot->ipa + slot->bytes));
    }
    CORO_END;
}

struct dirty_log {
    struct kvm *kvm;
    uint64_t start, end; /* what is walked of the slots */
    uint32_t slot, last, was_site;
    bool eager, dirty;
};

static void walk_slot(struct actor *actor, const struct dirty_log *log, bool splits)
{
    const struct memslot *slot = &log->kvm->slots[log->slot];
    uint64_t start = u64_max(slot->ipa, log->start);
    CORO_CALL(actor, slot_walk, .kvm = log->kvm, .slot = slot, .start = start,
              .end = u64_max(start, u64_min(slot->ipa + slot->bytes, log->end)),
              .dirty = log->dirty, .splits = splits);
}

static CORO(dirty_log)
{
    struct dirty_log *my = CORO_LOCALS(dirty_log);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    my->was_site = actor->site;
    actor->site = SITE_SLOT;
    for (; my->slot < my->last; my->slot++) {
        const struct memslot *slot = &kvm->slots[my->slot];
        if (!slot->live || slot->ipa >= my->end || slot->ipa + slot->bytes <= my->start) {
            continue;
        }
        AWAIT(walk_slot(actor, my, false));
        if (my->eager && kvm->kernel->value[SWITCH_EAGER_SPLIT]) {
            AWAIT(walk_slot(actor, my, true));
        }
    }
    actor->site = my->was_site;
    CORO_END;
}

/* A bit for each page is copied to the VMM. */
static void copy_bitmaps(struct actor *actor, const struct kvm *kvm)
{
    uint32_t was_site = actor->site;
    actor->site = SITE_SLOT;
    for (uint32_t i = 0; i < kvm->slot_count; i++) {
        const struct memslot *slot = &kvm->slots[i];
        uint64_t bits = slot->live ? slot->bytes / kvm_leaf_bytes(kvm, LEAF_PAGE) : 0;
        actor_charge(actor, EV_vmm_bytes, (bits + 8 * KIB - 1) / (8 * KIB));
    }
    actor->site = was_site;
}

void kvm_dirty_get(struct actor *actor, struct kvm *kvm, bool protect)
{
    copy_bitmaps(actor, kvm);
    CORO_CALL(actor, dirty_log, .kvm = kvm, .end = UINT64_MAX,
              .last = protect ? kvm->slot_count : 0, .dirty = true);
}

void kvm_dirty_clear(struct actor *actor, struct kvm *kvm, uint64_t start, uint64_t end)
{
    CORO_CALL(actor, dirty_log, .kvm = kvm, .start = start, .end = end, .last = kvm->slot_count,
              .dirty = true, .eager = kvm->clear_splits);
}

/* Each slot has its flag, and a call that changes it. */
static void charge_slots(struct actor *actor, const struct kvm *kvm)
{
    uint32_t was_site = actor->site;
    actor->site = SITE_SLOT;
    for (uint32_t i = 0; i < kvm->slot_count; i++) {
        actor_charge(actor, EV_slot_changes, kvm->slots[i].live ? 1 : 0);
    }
    actor->site = was_site;
}

void kvm_dirty_log(struct actor *actor, struct kvm *kvm, bool on, enum log_start how)
{
    if (on != kvm->dirty_log) {
        charge_slots(actor, kvm);
    }
    bool waits = how == LOG_START_ALL_DIRTY || how == LOG_START_ALL_DIRTY_SPLIT;
    bool starts = on && !kvm->dirty_log && !waits;
    kvm->dirty_log = on;
    kvm->clear_splits = on && how == LOG_START_ALL_DIRTY_SPLIT;
    /* Going off walks nothing. */
    CORO_CALL(actor, dirty_log, .kvm = kvm, .end = UINT64_MAX, .eager = how == LOG_START_SPLIT,
              .last = starts ? kvm->slot_count : 0);
}

void kvm_slot_add(struct actor *actor, struct kvm *kvm, uint32_t slot)
{
    uint32_t was_site = actor->site;
    actor->site = SITE_SLOT;
    actor_charge(actor, EV_slot_changes, 1);
    actor->site = was_site;
    kvm->slots[slot].live = true;
    CORO_CALL(actor, dirty_log, .kvm = kvm, .end = UINT64_MAX, .slot = slot,
              .last = kvm->dirty_log ? slot + 1 : 0);
}

/* Range operations on stage 2: unmap and flush, of ranges and whole VMs. */
#include "kvm/range.h"

#include "core/coro.h"
#include "core/invariant.h"
#include "kvm/reach.h"
#include "kvm/tlbi.h"

/* The memory address behind an IPA of a slot, which may be on its way out. */
static uint64_t memory_at(struct kvm *kvm, uint64_t ipa)
{
    const struct memslot *slot = kvm_slot_of(kvm, ipa);
    INVARIANT(slot, "no slot at %#llx", (unsigned long long)ipa);
    return memslot_hva(slot, ipa);
}

static bool skipped(const struct range_rule *rule, enum leaf_level level)
{
    return level == LEAF_PAGE ? rule->skip_pages : rule->skip_blocks;
}

/* The next leaves from `at` on that one step may take, whole even where the
 * range begins or ends inside one. */
static bool take_leaves(struct kvm *kvm, uint64_t at, uint64_t end, const struct range_rule *rule,
                        struct leaves *leaves)
{
    do {
        if (!stage2_next(&kvm->stage2, at, end, leaves)) {
            return false;
        }
        at = leaves->end;
    } while (skipped(rule, leaves->level));
    uint64_t size = kvm_leaf_bytes(kvm, leaves->level);
    leaves->start -= leaves->start % size;
    uint64_t count = (leaves->end - leaves->start + size - 1) / size;
    if (rule->by_content) {
        uint64_t from = memory_at(kvm, leaves->start);
        count = memory_alike(kvm->memory, from, from + count * size, size) / size;
    }
    uint64_t batch = rule->step_bytes > size ? rule->step_bytes / size : 1;
    leaves->end = leaves->start + u64_min(count, batch) * size;
    return true;
}

/* Fast takes all at once where no other actor is at work, and lets others have their turns as often
 * as in a touch; other vCPUs that use the same memory as often as leaf by leaf, as long as that is
 * not too often. Exact goes leaf by leaf. Where lines of some state fill the path alone, those of
 * several leaves must not be averaged over a range. */
static void set_steps(const struct actor *actor, const struct kvm *kvm, uint64_t start,
                      uint64_t end, struct range_rule *rule)
{
    uint64_t bytes = u64_min(end - start, kvm->stage2.map.covered);
    uint64_t few = KVM_RACE_RANGE_LEAVES / kvm->vcpu_count * kvm->stage2.geometry.page_bytes;
    const struct kvm_vcpu *by = rule->by ? rule->by : actor->owner;
    bool by_leaf = kvm->steps == 0 || (bytes <= few && kvm_touched(kvm, by, start, end));
    rule->alone = kvm->steps > 0 && engine_alone(actor->engine);
    rule->by_content = rule->alone && !kvm->fwb && memory_clean_fills_path(actor, kvm->memory);
    rule->step_bytes = rule->alone ? UINT64_MAX : by_leaf ? 1 : bytes / kvm->steps;
}

/* Also a part of a leaf is one: what a record names may begin and end inside leaves. */
static uint64_t leaf_count(const struct kvm *kvm, const struct leaves *leaves)
{
    uint64_t size = kvm_leaf_bytes(kvm, leaves->level);
    return (leaves->end - 1) / size - leaves->start / size + 1;
}

/* A strategy's own chunk, or the kernel's. */
static uint64_t chunk_bytes(const struct kvm *kvm)
{
    return kvm->strategy->chunk > 0 ? u64_max(kvm->strategy->chunk, kvm->stage2.geometry.page_bytes)
                                    : range_chunk_bytes(kvm);
}

uint64_t range_chunk_bytes(const struct kvm *kvm)
{
    const struct geometry *geometry = &kvm->stage2.geometry;
    return kvm->kernel->value[SWITCH_CHUNK] == CHUNK_BLOCK ? geometry->chunk_bytes
                                                           : geometry->root_span;
}

/* Whether all chunks of a range may be taken in one step: no other actor is there
 * to be let in between, and a walk of the whole visits what the walks of its
 * chunks visit, which holds where no table spans several of them. */
static bool takes_chunks_together(const struct kvm *kvm, const struct range_rule *rule)
{
    bool yields = kvm->strategy->chunk > 0;
    return rule->alone && !yields && kvm->stage2.geometry.root_span <= chunk_bytes(kvm);
}

static uint64_t chunk_end(const struct kvm *kvm, const struct range_rule *rule, uint64_t at,
                          uint64_t end)
{
    uint64_t chunk = chunk_bytes(kvm);
    return takes_chunks_together(kvm, rule) ? end : u64_min(at - at % chunk + chunk, end);
}

static uint64_t chunk_count(const struct kvm *kvm, uint64_t start, uint64_t end)
{
    uint64_t chunk = chunk_bytes(kvm);
    return (end - 1) / chunk - start / chunk + 1;
}

/* Whether the lock is given up behind a chunk: as cond_resched_rwlock_write
 * does, or always with a strategy's own chunks. The lock's word is changed
 * twice then, as if another core had it. */
static bool yields(struct actor *actor, struct kvm *kvm, const struct range_rule *rule, bool more)
{
    if (!more || rule->shared) {
        return false;
    }
    if (kvm->strategy->chunk > 0) {
        actor_charge(actor, EV_lock_yields, 1);
        return true;
    }
    return kvm->preemptible && lock_contended(&kvm->mmu_lock);
}

/* Whether one invalidation at a chunk's end stands for those of its leaves: a strategy's
 * unmap, or stage2_unmap_defer_tlb_flush with FWB and range instructions. */
static bool defers_tlbi(const struct kvm *kvm, const struct range_rule *rule)
{
    bool kernel =
        kvm->fwb && kvm->memory->platform->tlbirange && kvm->kernel->value[SWITCH_TLBI_DEFER];
    return rule->tlbi == REINIT_TLBI_RANGE || (rule->tlbi == REINIT_TLBI_LEAF && kernel);
}

/* --- unmap --- */

struct unmap {
    struct kvm *kvm;
    uint64_t at, end;
    uint64_t chunk_start, chunk_stop;
    struct leaves leaves;
    struct range_rule rule;
};

/* Takes the leaves out of the tree and invalidates the TLBs (AWAIT). */
static void unmap_leaves(struct actor *actor, struct unmap *unmap)
{
    struct kvm *kvm = unmap->kvm;
    uint64_t leaves = leaf_count(kvm, &unmap->leaves);
    uint64_t tables = stage2_unmap(&kvm->stage2, unmap->leaves);
    bool by_leaf = unmap->rule.tlbi != REINIT_TLBI_VM && !defers_tlbi(kvm, &unmap->rule);
    reach_unmap(kvm, &unmap->leaves);
    if (by_leaf) {
        reach_tlbi(kvm, unmap->leaves.start, unmap->leaves.end);
    }
    uint64_t bytes = unmap->leaves.end - unmap->leaves.start;
    actor_at(actor, unmap->leaves.start, kvm_leaf_bytes(kvm, unmap->leaves.level));
    actor_charge(actor, EV_unmap_leaves, leaves);
    actor_charge(actor, EV_unmap_bytes, bytes);
    actor_charge(actor, EV_s2_tables_free, tables);
    actor_charge(actor, EV_tlbi_table, tables);
    kvm->last_unmapped_bytes += bytes;
    uint64_t invalidations = tables + (defers_tlbi(kvm, &unmap->rule) ? 0 : leaves);
    if (unmap->rule.tlbi != REINIT_TLBI_VM && invalidations > 0) {
        memory_tlbi(actor, kvm->memory, EV_tlbi_calls, invalidations);
    }
}

static void clean_unmapped(struct actor *actor, struct unmap *unmap)
{
    struct kvm *kvm = unmap->kvm;
    uint64_t leaves = leaf_count(kvm, &unmap->leaves);
    bool cleans = !kvm->fwb && unmap->rule.cleans;
    kvm->notified |= unmap->rule.notifier;
    /* Kernels that clean before the map call ask about FWB inside the callback. */
    bool early = kvm->fwb && kvm->kernel->value[SWITCH_CMO_PLACE] == CMO_EVERY_RACER;
    if (cleans || early) {
        actor_charge(actor, EV_cmo_op_calls, leaves);
    }
    uint64_t start = memory_at(kvm, unmap->leaves.start);
    uint64_t end = start + (unmap->leaves.end - unmap->leaves.start);
    if (cleans) {
        memory_clean(actor, kvm->memory, start, end, leaves);
    } else {
        kvm_judge_shared(kvm, kvm_slot_of(kvm, unmap->leaves.start), start, end, false);
    }
}

static void begin_chunk(struct actor *actor, struct unmap *unmap)
{
    struct kvm *kvm = unmap->kvm;
    unmap->chunk_start = unmap->at;
    unmap->chunk_stop = chunk_end(kvm, &unmap->rule, unmap->at, unmap->end);
    struct walk_counts walk = stage2_walk(&kvm->stage2, unmap->at, unmap->chunk_stop);
    actor_at(actor, unmap->at, 0);
    actor_charge(actor, EV_unmap_calls, chunk_count(kvm, unmap->at, unmap->chunk_stop));
    actor_charge(actor, EV_walk_unmap, walk.entries + walk.tables);
}

/* The one range invalidation of each chunk that stands for those of all its
 * leaves; done even where nothing was mapped. Whole chunks are alike. Without range
 * instructions kvm_tlb_flush_vmid_range invalidates the whole VMID. */
static void deferred_tlbi(struct actor *actor, struct unmap *unmap)
{
    const struct kvm *kvm = unmap->kvm;
    struct range_tlbi sum = {0};
    uint64_t chunk = chunk_bytes(kvm);
    uint64_t start = unmap->chunk_start, stop = unmap->chunk_stop;
    reach_tlbi(unmap->kvm, start, u64_max(unmap->at, stop));
    if (!kvm->memory->platform->tlbirange) {
        memory_tlbi(actor, kvm->memory, EV_tlbi_vmid, chunk_count(kvm, start, stop));
        return;
    }
    uint64_t head = u64_min(start + (chunk - start % chunk) % chunk, stop);
    uint64_t tail = stop - stop % chunk > head ? stop - stop % chunk : head;
    kvm_add_range_tlbi(kvm, start, head, start < head, &sum);
    kvm_add_range_tlbi(kvm, head, head + chunk, (tail - head) / chunk, &sum);
    kvm_add_range_tlbi(kvm, tail, stop, tail < stop, &sum);
    memory_tlbi_ranges(actor, kvm->memory, sum.calls, sum.ranges, sum.singles);
}

static CORO(unmap)
{
    struct unmap *my = CORO_LOCALS(unmap);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    while (my->at < my->end) {
        AWAIT(begin_chunk(actor, my));
        while (take_leaves(kvm, my->at, my->chunk_stop, &my->rule, &my->leaves)) {
            my->at = my->leaves.end;
            AWAIT(unmap_leaves(actor, my));
            AWAIT(clean_unmapped(actor, my));
        }
        my->at = u64_max(my->at, my->chunk_stop); /* a leaf may be larger than the chunk */
        if (defers_tlbi(kvm, &my->rule)) {
            AWAIT(deferred_tlbi(actor, my));
        }
        if (yields(actor, kvm, &my->rule, my->at < my->end)) {
            AWAIT(actor_unlock(actor, &kvm->mmu_lock));
            AWAIT(actor_lock(actor, &kvm->mmu_lock, true));
        }
    }
    CORO_END;
}

void range_unmap(struct actor *actor, struct kvm *kvm, uint64_t start, uint64_t end,
                 struct range_rule rule)
{
    set_steps(actor, kvm, start, end, &rule);
    CORO_CALL(actor, unmap, .kvm = kvm, .at = start, .end = end, .rule = rule);
}

void kvm_unmap_range(struct actor *actor, struct kvm *kvm, uint64_t start, uint64_t end)
{
    struct range_rule rule = {.cleans = kvm->strategy->notifier_unmap_cleans, .notifier = true};
    range_unmap(actor, kvm, start, end, rule);
}

/* --- flush --- */

struct flush {
    struct kvm *kvm;
    uint64_t at, end;
    uint64_t chunk_stop;
    struct leaves leaves;
    struct range_rule rule;
};

/* Cuts leaves, of which what is before `at` is done, to their first part that
 * the record names; false where it names none. */
static bool cut_to_record(struct kvm *kvm, uint64_t at, enum flush_record record,
                          struct leaves *leaves)
{
    uint64_t size = kvm_leaf_bytes(kvm, leaves->level), from = 0, to = 0;
    uint64_t low = at > leaves->start ? at : leaves->start;
    uint64_t base = memory_at(kvm, leaves->start) - leaves->start;
    if (!oracle_unclean(&kvm->memory->oracle, base + low, base + leaves->end,
                        record == RECORD_LOADER, &from, &to)) {
        return false;
    }
    from -= base;
    to -= base;
    bool whole = record == RECORD_LEAVES;
    leaves->start = whole ? from - from % size : from;
    leaves->end = whole ? to + (size - to % size) % size : to;
    return true;
}

static bool take_flushed(struct kvm *kvm, uint64_t at, uint64_t end, const struct range_rule *rule,
                         struct leaves *leaves)
{
    while (take_leaves(kvm, at, end, rule, leaves)) {
        if (rule->record == RECORD_NONE || cut_to_record(kvm, at, rule->record, leaves)) {
            return true;
        }
        at = leaves->end;
    }
    return false;
}

static void flush_leaves(struct actor *actor, const struct flush *flush)
{
    struct kvm *kvm = flush->kvm;
    const struct leaves *leaves = &flush->leaves;
    uint64_t count = leaf_count(kvm, leaves);
    uint64_t start = memory_at(kvm, leaves->start);
    actor_at(actor, leaves->start, kvm_leaf_bytes(kvm, leaves->level));
    actor_charge(actor, EV_flush_leaves, count);
    actor_charge(actor, EV_flush_bytes, leaves->end - leaves->start);
    actor_charge(actor, EV_cmo_op_calls, count);
    uint64_t end = start + (leaves->end - leaves->start);
    switch (kvm->strategy->flush_by) {
    case FLUSH_BY_LINE:
        memory_clean(actor, kvm->memory, start, end, count);
        return;
    case FLUSH_BY_RANGE:
        memory_clean_by_range(actor, kvm->memory, start, end, count);
        return;
    }
}

static void walk_chunk(struct actor *actor, struct flush *flush)
{
    struct kvm *kvm = flush->kvm;
    flush->chunk_stop = chunk_end(kvm, &flush->rule, flush->at, flush->end);
    actor_at(actor, flush->at, 0);
    actor_charge(actor, EV_flush_calls, chunk_count(kvm, flush->at, flush->chunk_stop));
    if (!kvm->fwb) { /* kvm_pgtable_stage2_flush returns before it walks */
        actor_charge(actor, EV_walk_flush,
                     stage2_walk(&kvm->stage2, flush->at, flush->chunk_stop).entries);
    }
}

static CORO(flush)
{
    struct flush *my = CORO_LOCALS(flush);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    while (my->at < my->end) {
        AWAIT(walk_chunk(actor, my));
        while (!kvm->fwb && take_flushed(kvm, my->at, my->chunk_stop, &my->rule, &my->leaves)) {
            my->at = my->leaves.end;
            AWAIT(flush_leaves(actor, my));
        }
        my->at = u64_max(my->at, my->chunk_stop);
        if (!kvm->fwb && yields(actor, kvm, &my->rule, my->at < my->end)) {
            AWAIT(actor_unlock(actor, &kvm->mmu_lock));
            AWAIT(actor_lock(actor, &kvm->mmu_lock, true));
        }
    }
    CORO_END;
}

void range_flush(struct actor *actor, struct kvm *kvm, uint64_t start, uint64_t end,
                 struct range_rule rule)
{
    set_steps(actor, kvm, start, end, &rule);
    CORO_CALL(actor, flush, .kvm = kvm, .at = start, .end = end, .rule = rule);
}

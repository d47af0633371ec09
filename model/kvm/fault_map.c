/* What a fault does under mmu_lock: it looks again, cleans, maps leaves or relaxes them
 * (user_mem_abort, kvm_pgtable_stage2_map, kvm_pgtable_stage2_relax_perms). */
#include "kvm/dirty_log.h"
#include "kvm/fault.h"
#include "kvm/lines.h"
#include "kvm/reach.h"

/* --- booking --- */

static void charge_map(struct actor *actor, const struct fault *fault)
{
    static const enum event_kind by_level[LEAF_LEVELS] = {EV_map_4k, EV_map_2m, EV_map_1g};
    const struct kvm *kvm = fault->kvm;
    uint64_t n = fault_leaf_count(fault);
    uint64_t depth = kvm->stage2.geometry.levels - (uint64_t)fault->leaves.level;
    uint64_t visits = kvm->kernel->value[SWITCH_MAP_POST] ? 2 * depth - 1 : depth;
    actor_charge(actor, EV_map_calls, n);
    actor_charge(actor, by_level[fault->leaves.level], n);
    actor_charge(actor, EV_map_bytes, fault->leaves.end - fault->leaves.start);
    actor_charge(actor, EV_walk_map, n * visits);
}

/* An executable leaf must not show old instructions: the I-cache is invalidated
 * line by line, or whole for a large leaf where the kernel clamps. */
static void charge_icache(struct actor *actor, const struct fault *fault)
{
    const struct kvm *kvm = fault->kvm;
    uint64_t n = fault_leaf_count(fault), size = kvm_leaf_bytes(kvm, fault->leaves.level);
    uint64_t start = memslot_hva(fault->slot, fault->leaves.start);
    uint64_t end = start + (fault->leaves.end - fault->leaves.start);
    /* MAX_DVM_OPS (PTRS_PER_PTE) lines. */
    uint64_t limit = kvm->stage2.geometry.page_bytes / 8 * kvm->memory->platform->line_bytes;
    /* With DIC every leaf is executable; kernels that clean before the map call
     * think of the I-cache only where the guest fetches. */
    bool before_map = kvm->kernel->value[SWITCH_CMO_PLACE] == CMO_EVERY_RACER;
    if (kvm->strategy->ideal || (before_map && fault->access != ACCESS_FETCH)) {
        return;
    }
    /* Where lines have aliases none is known to be all of them (icache_is_aliasing). */
    bool aliases = kvm->memory->platform->vipt;
    if (aliases || (kvm->kernel->value[SWITCH_IC_CLAMP] && size > limit)) {
        memory_icache_all(actor, kvm->memory, start, end, n);
    } else {
        memory_icache_range(actor, kvm->memory, start, end, n);
    }
}

/* --- under the lock --- */

/* Whether what the host said of the page may no longer hold (mmu_notifier_retry). */
static bool invalidated(const struct fault *fault)
{
    const struct kvm *kvm = fault->kvm;
    return kvm->invalidating > 0 || kvm->invalidations != fault->seen_invalidations;
}

/* Whether another vCPU has locked an entry among these leaves for its own
 * maintenance: the fault is then retried by running into it again. */
static bool locked_by_other(const struct fault *fault)
{
    const struct kvm *kvm = fault->kvm;
    uint64_t start = fault->leaves.start, end = fault->leaves.end;
    for (uint32_t first = 0; first < kvm->vcpu_count; first += 64) {
        for (uint64_t left = kvm->locked_vcpus[first / 64]; left > 0; left &= left - 1) {
            uint32_t vcpu = first + (uint32_t)__builtin_ctzll(left);
            const struct locked_leaves *other = &kvm->locked[vcpu];
            if (vcpu != fault->vcpu->index && other->start < end && start < other->end) {
                return true;
            }
        }
    }
    return false;
}

/* The access that the guest faulted for, as far as these leaves go. */
static struct access pending_access_of(const struct fault *fault)
{
    const struct kvm *kvm = fault->kvm;
    return (struct access){
        .start = memslot_hva(fault->slot, u64_max(fault->leaves.start, fault->ipa)),
        .end = memslot_hva(fault->slot, u64_min(fault->leaves.end, fault->limit)),
        .density = fault->vcpu->pending ? fault->vcpu->pending->density : 0,
        .write = fault->access == ACCESS_WRITE,
        .path = kvm_guest_path(kvm, fault->vcpu, fault->access)};
}

static void note_met(const struct fault *fault, const struct access *access,
                     struct touch_counts met)
{
    struct pending_access *pending = fault->vcpu->pending;
    if (pending) {
        pending->start = access->start;
        pending->end = access->end;
        pending->met = met;
    }
}

/* A fault on many leaves stands for one fault on each, and the guest uses each
 * leaf before it faults on the next one. */
static void clean_in_turn(struct actor *actor, const struct fault *fault)
{
    struct access access = pending_access_of(fault);
    bool cached = access.path == PATH_CACHED;
    access.density = cached ? access.density : 0;
    struct touch_counts met =
        memory_clean_each(actor, fault->kvm->memory, memslot_hva(fault->slot, fault->leaves.start),
                          memslot_hva(fault->slot, fault->leaves.end), fault_leaf_count(fault),
                          fault->fresh_unit, &access);
    if (cached) {
        note_met(fault, &access, met);
    }
}

/* Without a clean the guest finds each host page in the cache as it was cleared,
 * if that holds a page; all of them together it may not hold. */
static void note_fresh_hits(const struct fault *fault)
{
    const struct platform *platform = fault->kvm->memory->platform;
    if (fault->fresh_unit == 0 || fault->fresh_unit > platform->cache_bytes) {
        return;
    }
    struct access access = pending_access_of(fault);
    if (access.path == PATH_CACHED) {
        uint64_t pages = (access.end - access.start) / CACHE_PAGE_BYTES;
        note_met(fault, &access, (struct touch_counts){.hits = pages * access.density});
    }
}

/* Cleans what is about to be mapped; FWB's callback returns at once. */
static void clean_leaves(struct actor *actor, const struct fault *fault)
{
    const struct kvm *kvm = fault->kvm;
    if (fault->permission && kvm->kernel->value[SWITCH_CMO_PLACE] == CMO_EVERY_RACER) {
        return; /* these kernels clean at translation faults only */
    }
    uint64_t n = fault_leaf_count(fault);
    uint64_t start = memslot_hva(fault->slot, fault->leaves.start);
    uint64_t end = start + (fault->leaves.end - fault->leaves.start);
    if (!kvm->strategy->ideal && (kvm->fwb || kvm->strategy->fault_cleans)) {
        actor_charge(actor, EV_cmo_op_calls, n);
    }
    if (!fault_cleans(kvm)) {
        note_fresh_hits(fault);
        return;
    }
    if (n > 1 && !fault->races) {
        clean_in_turn(actor, fault);
    } else {
        memory_clean(actor, kvm->memory, start, end, n);
    }
}

/* Of its leaves those before `end` are left, the others have changed meanwhile. */
static void cut(struct fault *fault, uint64_t end)
{
    fault->leaves.end = u64_min(fault->leaves.end, end);
}

static bool find_first_leaf(const struct fault *fault, struct leaves *there, uint64_t *next)
{
    return stage2_lookup(&fault->kvm->stage2, fault->leaves.start, there, next);
}

bool fault_is_stale(const struct fault *fault)
{
    struct leaves there;
    uint64_t next;
    if (invalidated(fault)) {
        return true;
    }
    if (fault->permission && !fault->resize) {
        return !find_first_leaf(fault, &there, &next) || there.level != fault->leaves.level;
    }
    return !fault->slot->live || locked_by_other(fault);
}

void fault_look(struct fault *fault)
{
    struct leaves there;
    fault->lost = find_first_leaf(fault, &there, &fault->free_end);
}

bool fault_finds_other_size(const struct fault *fault)
{
    bool free = !fault->lost && fault->free_end >= fault->leaves.end;
    return !free && kvm_other_size(fault->kvm, fault->leaves, fault->resize);
}

static void lock_entries(const struct fault *fault)
{
    uint32_t vcpu = fault->vcpu->index;
    fault->kvm->locked_vcpus[vcpu / 64] |= UINT64_C(1) << vcpu % 64;
    fault->kvm->locked[vcpu] = (struct locked_leaves){fault->leaves.start, fault->leaves.end};
}

static void unlock_entries(const struct fault *fault)
{
    uint32_t vcpu = fault->vcpu->index;
    fault->kvm->locked_vcpus[vcpu / 64] &= ~(UINT64_C(1) << vcpu % 64);
    fault->kvm->locked[vcpu] = (struct locked_leaves){0};
}

void fault_break(struct actor *actor, struct fault *fault)
{
    lock_entries(fault);
    fault->emptied = kvm_break(actor, fault->kvm, fault->leaves);
}

void fault_lose(struct actor *actor, struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    struct leaves there;
    uint64_t next;
    find_first_leaf(fault, &there, &next);
    cut(fault, there.end);
    if (kvm->kernel->value[SWITCH_CMO_PLACE] == CMO_EVERY_RACER) {
        clean_leaves(actor, fault); /* it cleans before it looks */
    }
    actor_charge(actor, EV_lost_maps, fault_leaf_count(fault));
    lines_touch(actor, kvm, LINE_ENTRY, there.start, there.level, fault_leaf_count(fault));
}

void fault_clean(struct actor *actor, struct fault *fault)
{
    cut(fault, fault->free_end);
    lock_entries(fault);
    clean_leaves(actor, fault);
}

/* Where vCPUs race, each takes the lines from another for each leaf. */
static void touch_lines(struct actor *actor, const struct fault *fault, bool mapped)
{
    struct kvm *kvm = fault->kvm;
    if (kvm->vcpu_count == 1) {
        return; /* lines do not move */
    }
    if (!fault->races) {
        lines_touch_leaves(actor, kvm, fault->leaves, mapped);
        return;
    }
    uint64_t start = fault->leaves.start, n = fault_leaf_count(fault);
    if (mapped) {
        lines_touch(actor, kvm, LINE_TABLE, start, fault->leaves.level, n);
    }
    lines_touch(actor, kvm, LINE_ENTRY, start, fault->leaves.level, n);
    if (kvm->dirty_log && fault->leaves.writable) {
        lines_touch(actor, kvm, LINE_BITMAP, start, fault->leaves.level, n);
    }
}

/* Tables whose leaves a larger one replaces; those on the way to it stay where they are. The map
 * walk that takes one out visits each of its entries, and the table as it leaves it. */
static void free_tables(struct actor *actor, const struct kvm *kvm, uint64_t tables)
{
    uint64_t entries = kvm_leaf_bytes(kvm, LEAF_BLOCK) / kvm_leaf_bytes(kvm, LEAF_PAGE);
    actor_charge(actor, EV_s2_tables_free, tables);
    if (kvm->kernel->value[SWITCH_MAP_POST]) {
        actor_charge(actor, EV_walk_map, tables * (entries + 1));
    }
}

void fault_install(struct actor *actor, struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    if (fault->leaves.executable) {
        charge_icache(actor, fault);
    }
    uint64_t needed = stage2_map(&kvm->stage2, fault->leaves);
    reach_map(kvm, &fault->leaves);
    charge_map(actor, fault);
    touch_lines(actor, fault, true);
    fault->tables = needed > fault->emptied ? needed - fault->emptied : 0;
    if (fault->emptied > needed) {
        free_tables(actor, kvm, fault->emptied - needed);
    }
    fault->done = true;
    fault->slot->mapped_bytes += fault->leaves.end - fault->leaves.start;
    unlock_entries(fault);
}

void fault_relax(struct actor *actor, struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    struct leaves mapped;
    uint64_t next;
    find_first_leaf(fault, &mapped, &next);
    /* Permissions are only added: what others gave meanwhile stays. */
    cut(fault, mapped.end);
    if (fault->leaves.executable && !mapped.executable) {
        charge_icache(actor, fault);
    }
    fault->leaves.writable |= mapped.writable;
    fault->leaves.executable |= mapped.executable;
    uint64_t n = fault_leaf_count(fault);
    stage2_relax(&kvm->stage2, fault->leaves);
    reach_map(kvm, &fault->leaves);
    fault->done = true;
    actor_charge(actor, EV_relax_calls, n);
    touch_lines(actor, fault, false);
    if (kvm->kernel->value[SWITCH_RELAX_LOCAL]) {
        memory_tlbi_local(actor, kvm->memory, n);
        fault->vcpu->walked_after = UINT64_MAX; /* its own TLB is empty */
    } else {
        memory_tlbi(actor, kvm->memory, EV_tlbi_calls, n);
    }
}

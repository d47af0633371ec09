/* What a stage-2 fault is, what the host finds behind it, and what will be done
 * about it: all that the kernel settles before it takes mmu_lock. */
#include "kvm/fault.h"

#include "core/portable_math.h"
#include "core/rng.h"

/* Whether a leaf of that size fits: IPA and memory address equally aligned, and
 * the block whole within the slot (fault_supports_stage2_huge_mapping). */
static bool leaf_fits(const struct memslot *slot, uint64_t hva, uint64_t size)
{
    if (size == 0) {
        return false; /* the granule has no leaf of that level */
    }
    uint64_t block = hva - hva % size;
    return slot->ipa % size == slot->area.start % size && block >= slot->area.start &&
           block + size <= slot->area.start + slot->bytes;
}

static enum leaf_level choose_level(const struct kvm *kvm, const struct memslot *slot, uint64_t hva,
                                    uint64_t host_unit)
{
    if (kvm->dirty_log) {
        return LEAF_PAGE;
    }
    if (slot->area.backing == BACKING_HUGETLB_1G &&
        leaf_fits(slot, hva, kvm_leaf_bytes(kvm, LEAF_GIG))) {
        return LEAF_GIG;
    }
    uint64_t block = kvm_leaf_bytes(kvm, LEAF_BLOCK);
    return host_unit >= block && leaf_fits(slot, hva, block) ? LEAF_BLOCK : LEAF_PAGE;
}

static enum event_kind fault_kind(const struct fault *fault)
{
    if (fault->slot->code) {
        return EV_code_faults;
    }
    if (fault->permission) {
        return fault->access == ACCESS_FETCH ? EV_data_perm_x : EV_data_perm_w;
    }
    return fault->access == ACCESS_FETCH   ? EV_data_tr_x
           : fault->access == ACCESS_WRITE ? EV_data_tr_w
                                           : EV_data_tr_r;
}

/* What the hardware reads before it finds no leaf, or one that forbids the access.
 * Each table that is not there yet shortens one leaf's walk: of the first in it. */
static uint64_t failed_walks(const struct fault *fault)
{
    struct stage2 *stage2 = &fault->kvm->stage2;
    uint64_t n = fault_leaf_count(fault);
    if (fault->permission) {
        return n * (stage2_depth(stage2, fault->ipa) + 1);
    }
    return n * (stage2->geometry.levels - (uint64_t)fault->leaves.level) -
           stage2_tables_for(stage2, fault->leaves);
}

/* The share of a fault's handling that varies, as `perf kvm stat` saw 6014 data aborts:
 * 2.57 us on average, 1.12 at least, 18.04 at most. An exponential above the least
 * has its largest of 6014 at 14.6 (Zenghui Yu, 2019-06-12,
 * 1560330526-15468-6-git-send-email-yuzenghui@huawei.com). */
#define DRAWN_SHARE ((2.57 - 1.12) / 2.57)

void kvm_vary_faults(struct kvm *kvm, ps_t price[EVENT_KINDS])
{
    static const enum event_kind path[2] = {EV_fault_path, EV_perm_path};
    for (int i = 0; i < 2; i++) {
        ps_t drawn = (ps_t)((double)price[path[i]] * DRAWN_SHARE);
        kvm->drawn_ps[i] = (double)drawn;
        price[path[i]] -= drawn;
    }
}

/* The drawn part of the path, for each leaf. The numbers depend on the vCPU and on how
 * many of its faults came before, so that others' turns do not change them. */
static void charge_drawn(struct actor *actor, const struct fault *fault, uint64_t leaves)
{
    double mean = fault->kvm->drawn_ps[fault->permission], sum = 0, product = 1;
    struct kvm_vcpu *vcpu = fault->vcpu;
    for (uint64_t i = 0; mean > 0 && i < leaves; i++) {
        uint64_t bits = rng_mix64(rng_mix64(vcpu->index + UINT64_C(1)) + vcpu->varied++);
        product *= ((double)(bits >> 11) + 0.5) * 0x1p-53;
        /* The sum of logarithms is that of a product, as long as a double holds it. */
        if (i % 16 == 15 || i + 1 == leaves) {
            sum -= portable_log(product);
            product = 1;
        }
    }
    actor_charge(actor, EV_compute_ps, (uint64_t)(mean * sum));
}

/* Exits, the hardware's walks that found no leaf, and the kernel's path. */
static void charge_exits(struct actor *actor, const struct fault *fault)
{
    uint64_t n = fault_leaf_count(fault);
    if (!fault->vcpu->prefaulting) {
        actor_charge(actor, fault_kind(fault), n);
        actor_charge(actor, EV_exits, n);
        actor_charge(actor, EV_walk_reads, failed_walks(fault));
    }
    actor_charge(actor, fault->permission ? EV_perm_path : EV_fault_path, n);
    charge_drawn(actor, fault, n);
    if (!fault->permission && fault->leaves.level != LEAF_PAGE) {
        actor_charge(actor, EV_block_path, n);
    }
}

/* Where the same kind of fault ends at the latest: the mapping changes, the
 * range that is touched ends, or the step has as many leaves as it may take. */
static uint64_t fault_limit(const struct fault *fault, const struct memslot *slot,
                            uint64_t same_until)
{
    uint64_t page = kvm_leaf_bytes(fault->kvm, LEAF_PAGE);
    uint64_t limit = u64_min(u64_min(fault->limit, same_until), slot->ipa + slot->bytes);
    return u64_min(limit, fault->ipa - fault->ipa % page + fault->pages * page);
}

/* The leaves around the fault for which one host access answers. */
static void set_leaves(struct fault *fault, const struct memslot *slot,
                       const struct host_access *access, uint64_t limit, enum leaf_level level)
{
    uint64_t size = kvm_leaf_bytes(fault->kvm, level);
    uint64_t to_ipa = slot->ipa - slot->area.start;
    uint64_t start = fault->ipa - fault->ipa % size;
    uint64_t count = (limit - start + size - 1) / size;
    uint64_t whole = (access->end + to_ipa - start) / size;
    count = whole > 0 ? u64_min(count, whole) : 1;
    fault->leaves = (struct leaves){.start = start, .end = start + count * size, .level = level};
}

static void plan_relax(struct fault *fault, const struct leaves *mapped, uint64_t limit)
{
    uint64_t size = kvm_leaf_bytes(fault->kvm, mapped->level);
    uint64_t count = (u64_max(limit, fault->ipa + 1) - mapped->start + size - 1) / size;
    count = u64_min(count, (mapped->end - mapped->start) / size);
    fault->leaves = *mapped;
    fault->leaves.end = mapped->start + u64_max(count, 1) * size;
}

/* What the leaves will allow besides what they do already. That follows from the
 * host's mapping and not from the access: a fetch of a read-only leaf whose host
 * page can be written gives both permissions at once. */
static void give_permissions(struct fault *fault, const struct memslot *slot, bool host_writable)
{
    const struct kvm *kvm = fault->kvm;
    bool logged_read = kvm->dirty_log && fault->access != ACCESS_WRITE;
    fault->leaves.writable |= host_writable && !slot->read_only && !logged_read;
    fault->leaves.executable |= fault->access == ACCESS_FETCH || kvm->memory->platform->dic;
}

/* A permission fault on a leaf of the right size relaxes it; one on a leaf of
 * another size maps anew: a block that is written while logging is on, or small
 * leaves that were written when it was and may be a block again. */
static void plan_permission(struct fault *fault, const struct memslot *slot,
                            const struct leaves *mapped, const struct host_access *access,
                            uint64_t limit)
{
    struct kvm *kvm = fault->kvm;
    uint64_t hva = memslot_hva(slot, fault->ipa);
    enum leaf_level level = choose_level(kvm, slot, hva, access->unit_bytes);
    fault->resize = level != mapped->level && (kvm->dirty_log || level > mapped->level);
    if (!fault->resize) {
        uint64_t stop = slot->ipa + (access->end - slot->area.start);
        plan_relax(fault, mapped, u64_min(limit, stop));
        return;
    }
    uint64_t size = kvm_leaf_bytes(kvm, level);
    uint64_t start = fault->ipa - fault->ipa % size;
    fault->leaves = (struct leaves){.start = start, .end = start + size, .level = level};
}

/* Until the notifier of whoever copies a zero page has the lock, the page is
 * still there for others: each that writes to it copies it too, and finds out
 * only when it has notified as well. An access of many pages ends before it. */
static void join_copy(struct fault *fault, struct host_access *access)
{
    struct kvm *kvm = fault->kvm;
    if (access->replaced) {
        kvm->copiers += fault->vcpu->copying == 0;
        fault->vcpu->copying = access->start;
        return;
    }
    bool may_meet = fault->access == ACCESS_WRITE && kvm->copiers > 0;
    for (uint32_t i = 0; may_meet && i < kvm->vcpu_count; i++) {
        uint64_t page = kvm->vcpus[i].copying;
        if (page == 0 || page < access->start || page >= access->end) {
            continue;
        }
        if (page < access->start + access->unit_bytes) {
            access->notified = 1;
            access->notify[0] = (struct host_range){page, page + kvm_leaf_bytes(kvm, LEAF_PAGE)};
            access->end = access->start + access->unit_bytes;
            access->fresh_bytes = 0;
            return;
        }
        access->end = access->fresh_bytes > 0 ? access->end : page;
    }
}

/* With one the fault comes to nothing but that: it is one on a leaf. */
static void note_notifiers(struct fault *fault, const struct host_access *access)
{
    if (access->notified > 0) {
        uint64_t size = kvm_leaf_bytes(fault->kvm, fault->leaves.level);
        fault->leaves.end = fault->leaves.start + size;
    }
    fault->notified = (uint8_t)access->notified;
    fault->replaced = access->replaced;
    for (uint32_t i = 0; i < access->notified; i++) {
        fault->notify[i] = access->notify[i];
    }
}

/* Several host pages at once stand for as many faults: where each cleans, no
 * more than one page is dirty at a time. */
static void clear_fresh(struct actor *actor, struct fault *fault, const struct memslot *slot,
                        const struct host_access *access)
{
    const struct kvm *kvm = fault->kvm;
    uint64_t unit = access->unit_bytes, pages = (access->end - access->start) / unit;
    uint64_t start = memslot_hva(slot, fault->leaves.start);
    uint64_t end = memslot_hva(slot, fault->leaves.end);
    bool each = pages > 1 && end - start >= unit, passing = each && fault_cleans(kvm);
    fault->fresh_unit = each ? unit : 0;
    actor_charge(actor, EV_host_alloc, pages);
    memory_zero(actor, kvm->memory, access->start, access->end, passing ? start : access->end,
                passing ? end : access->end);
}

/* A fault reads mmap_lock to look its mapping up. Where the host's page is not there yet
 * or read-only, it does so again to get it: hva_to_pfn_fast gives up, hva_to_pfn_slow
 * takes the lock (Linux 5.10 to 6.12). What is left of both, once it is in the first. */
static uint8_t updates_of_mmap_lock(const struct host_access *access)
{
    bool slow = access->fresh_bytes > 0 || access->notified > 0 || !access->writable;
    return slow ? 3 : 1;
}

void fault_plan(struct actor *actor, struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    struct memslot *slot = fault->slot = kvm_slot_at(kvm, fault->ipa);
    struct leaves mapped;
    uint64_t next = UINT64_MAX;
    if (!slot) {
        fault->mmap_updates = 1;
        actor_charge(actor, EV_exits, 1);
        return;
    }
    fault->seen_invalidations = kvm->invalidations;
    bool found = stage2_lookup(&kvm->stage2, fault->ipa, &mapped, &next);
    fault->permission = fault->permission && found;
    uint64_t limit = fault_limit(fault, slot, found ? mapped.end : next);
    uint64_t hva = memslot_hva(slot, fault->ipa);
    struct host_access access = host_touch(&kvm->host, &slot->area, hva, memslot_hva(slot, limit),
                                           fault->access == ACCESS_WRITE);
    join_copy(fault, &access);
    if (fault->permission) {
        plan_permission(fault, slot, &mapped, &access, limit);
    } else {
        set_leaves(fault, slot, &access, limit, choose_level(kvm, slot, hva, access.unit_bytes));
    }
    give_permissions(fault, slot, access.writable);
    note_notifiers(fault, &access);
    fault->mmap_updates = updates_of_mmap_lock(&access);
    actor_at(actor, fault->leaves.start, kvm_leaf_bytes(kvm, fault->leaves.level));
    charge_exits(actor, fault);
    if (actor->holding) {
        actor->holding->holds = fault_leaf_count(fault);
    }
    if (access.fresh_bytes > 0) {
        if (actor->holding) { /* a mutex */
            fault->vcpu->clearing_start = access.start;
            fault->vcpu->clearing_end = access.end;
        }
        clear_fresh(actor, fault, slot, &access);
    }
}

struct lock *fault_hugetlb_mutex(const struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    const struct memslot *slot = kvm_slot_at(kvm, fault->ipa);
    if (!slot || !backing_is_hugetlb(slot->area.backing)) {
        return NULL;
    }
    uint64_t at = memslot_hva(slot, fault->ipa), end;
    for (uint32_t i = 0; i < kvm->vcpu_count; i++) {
        struct kvm_vcpu *vcpu = &kvm->vcpus[i];
        if (vcpu->clearing_start <= at && at < vcpu->clearing_end) {
            return &vcpu->hugetlb_mutex;
        }
    }
    return interval_map_value(&kvm->host.state, at, &end) == 0 ? &fault->vcpu->hugetlb_mutex : NULL;
}

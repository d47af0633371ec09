/* Stage-2 faults: translation faults that map leaves, permission faults that
 * relax them (kvm_handle_guest_abort, user_mem_abort, kvm_pgtable_stage2_map). */
#include "kvm/dirty_log.h"

enum fault_state {
    FAULT_BEGIN,
    FAULT_EXIT,
    FAULT_HOST_UNLOCK,
    FAULT_NOTIFY,
    FAULT_LINE,
    FAULT_LOCK,
    FAULT_CLEAN,
    FAULT_INSTALL,
    FAULT_RELAX,
    FAULT_UNLOCK,
    FAULT_DONE,
};

struct fault {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    uint64_t ipa, limit;
    struct leaves leaves; /* what it maps or relaxes */
    struct host_range notify[2];
    enum guest_access access;
    uint32_t was_site;
    uint64_t seen_invalidations, emptied; /* tables, by leaves of another size that went */
    uint8_t notified, notifying;
    bool permission, replaced;
    bool resize; /* the mapped leaf has another size than the new one */
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t leaf_bytes(const struct kvm *kvm, enum leaf_level level)
{
    return kvm->stage2.geometry.leaf_bytes[level];
}

static uint64_t memory_of(const struct memslot *slot, uint64_t ipa)
{
    return slot->area.start + (ipa - slot->ipa);
}

/* Whether a leaf of that size fits: IPA and memory address equally aligned, and
 * the block whole within the slot (fault_supports_stage2_huge_mapping). */
static bool leaf_fits(const struct memslot *slot, uint64_t hva, uint64_t size)
{
    uint64_t block = hva - hva % size;
    return size != 0 && slot->ipa % size == slot->area.start % size &&
           block >= slot->area.start && block + size <= slot->area.start + slot->bytes;
}

static enum leaf_level choose_level(const struct kvm *kvm, const struct memslot *slot,
                                    uint64_t hva, uint64_t host_unit)
{
    if (kvm->dirty_log) {
        return LEAF_PAGE;
    }
    if (slot->area.backing == BACKING_HUGETLB_1G &&
        leaf_fits(slot, hva, leaf_bytes(kvm, LEAF_GIG))) {
        return LEAF_GIG;
    }
    uint64_t block = leaf_bytes(kvm, LEAF_BLOCK);
    return host_unit >= block && leaf_fits(slot, hva, block) ? LEAF_BLOCK : LEAF_PAGE;
}

/* --- booking --- */

static enum event_kind fault_kind(const struct fault *fault, const struct memslot *slot)
{
    if (slot->code) {
        return EV_code_faults;
    }
    if (fault->permission) {
        return fault->access == ACCESS_FETCH ? EV_data_perm_x : EV_data_perm_w;
    }
    return fault->access == ACCESS_FETCH   ? EV_data_tr_x
           : fault->access == ACCESS_WRITE ? EV_data_tr_w
                                           : EV_data_tr_r;
}

static uint64_t leaf_count(const struct fault *fault)
{
    return (fault->leaves.end - fault->leaves.start) /
           leaf_bytes(fault->kvm, fault->leaves.level);
}

/* What the hardware reads before it finds no leaf, or one that forbids the access.
 * Each table that is not there yet shortens one leaf's walk: of the first in it. */
static uint64_t failed_walks(const struct fault *fault)
{
    struct stage2 *stage2 = &fault->kvm->stage2;
    uint64_t n = leaf_count(fault);
    if (fault->permission) {
        return n * (stage2_depth(stage2, fault->ipa) + 1);
    }
    return n * (stage2->geometry.levels - (uint64_t)fault->leaves.level) -
           stage2_tables_for(stage2, fault->leaves);
}

/* The exit, the hardware's walk that found no leaf, and the kernel's path. */
static void charge_exit(struct actor *actor, const struct fault *fault, const struct memslot *slot)
{
    uint64_t n = leaf_count(fault);
    actor_charge(actor, fault_kind(fault, slot), n);
    actor_charge(actor, EV_exits, n);
    actor_charge(actor, EV_walk_reads, failed_walks(fault));
    actor_charge(actor, fault->permission ? EV_perm_path : EV_fault_path, n);
    if (!fault->permission && fault->leaves.level != LEAF_PAGE) {
        actor_charge(actor, EV_block_path, n);
    }
}

static void charge_map(struct actor *actor, const struct fault *fault, uint64_t tables)
{
    static const enum event_kind by_level[LEAF_LEVELS] = {EV_map_4k, EV_map_2m, EV_map_1g};
    const struct kvm *kvm = fault->kvm;
    uint64_t n = leaf_count(fault);
    uint64_t depth = kvm->stage2.geometry.levels - (uint64_t)fault->leaves.level;
    uint64_t visits = kvm->kernel->value[SWITCH_MAP_POST] ? 2 * depth - 1 : depth;
    actor_charge(actor, EV_map_calls, n);
    actor_charge(actor, by_level[fault->leaves.level], n);
    actor_charge(actor, EV_map_bytes, fault->leaves.end - fault->leaves.start);
    actor_charge(actor, EV_walk_map, n * visits);
    actor_charge(actor, EV_s2_tables_alloc, tables);
}

/* An executable leaf must not show old instructions: the I-cache is invalidated
 * line by line, or whole for a large leaf where the kernel clamps. */
static void charge_icache(struct actor *actor, const struct fault *fault,
                          const struct memslot *slot)
{
    const struct kvm *kvm = fault->kvm;
    uint64_t n = leaf_count(fault), size = leaf_bytes(kvm, fault->leaves.level);
    uint64_t start = memory_of(slot, fault->leaves.start);
    uint64_t end = start + (fault->leaves.end - fault->leaves.start);
    /* MAX_DVM_OPS (PTRS_PER_PTE) lines. */
    uint64_t limit = kvm->stage2.geometry.page_bytes / 8 * kvm->memory->platform->line_bytes;
    /* With DIC every leaf is executable; kernels that clean before the map call
     * think of the I-cache only where the guest fetches. */
    bool before_map = kvm->kernel->value[SWITCH_CMO_PLACE] == CMO_EVERY_RACER;
    if (kvm->strategy->ideal || (before_map && fault->access != ACCESS_FETCH)) {
        return;
    }
    if (kvm->kernel->value[SWITCH_IC_CLAMP] && size > limit) {
        memory_icache_all(actor, kvm->memory, start, end, n);
    } else {
        memory_icache_range(actor, kvm->memory, start, end, n);
    }
}

/* From here on the I-cache may hold any of it. */
static void make_executable(struct actor *actor, const struct fault *fault,
                            const struct memslot *slot)
{
    uint64_t start = memory_of(slot, fault->leaves.start);
    charge_icache(actor, fault, slot);
    oracle_executable(&fault->kvm->memory->oracle, start,
                      start + (fault->leaves.end - fault->leaves.start));
}

/* --- the exit: what the host finds, and what will be done --- */

/* Where the same kind of fault ends at the latest: the mapping changes, the
 * range that is touched ends, or the step has as many leaves as it may take. */
static uint64_t fault_limit(const struct fault *fault, const struct memslot *slot,
                            uint64_t same_until)
{
    uint64_t page = leaf_bytes(fault->kvm, LEAF_PAGE);
    uint64_t limit = least(fault->limit, same_until);
    uint64_t room = fault->ipa - fault->ipa % page;
    if (fault->vcpu->batch_leaves < (UINT64_MAX - room) / page) {
        limit = least(limit, room + fault->vcpu->batch_leaves * page);
    }
    return least(limit, slot->ipa + slot->bytes);
}

/* The leaves around the fault for which one host access answers. */
static void set_leaves(struct fault *fault, const struct memslot *slot,
                       const struct host_access *access, uint64_t limit, enum leaf_level level)
{
    uint64_t size = leaf_bytes(fault->kvm, level);
    uint64_t to_ipa = slot->ipa - slot->area.start;
    uint64_t start = fault->ipa - fault->ipa % size;
    uint64_t stop = least(limit, access->end + to_ipa);
    stop = most(stop, fault->ipa + 1);
    uint64_t count = (stop - start + size - 1) / size;
    uint64_t whole = (access->end + to_ipa - start) / size;
    count = whole > 0 ? least(count, whole) : 1;
    fault->leaves = (struct leaves){.start = start, .end = start + count * size, .level = level};
}

static void plan_relax(struct fault *fault, const struct leaves *mapped, uint64_t limit)
{
    uint64_t size = leaf_bytes(fault->kvm, mapped->level);
    uint64_t count = (most(limit, fault->ipa + 1) - mapped->start + size - 1) / size;
    count = least(count, (mapped->end - mapped->start) / size);
    fault->leaves = *mapped;
    fault->leaves.end = mapped->start + most(count, 1) * size;
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
    uint64_t hva = memory_of(slot, fault->ipa);
    enum leaf_level level = choose_level(kvm, slot, hva, access->unit_bytes);
    fault->resize = level != mapped->level && (kvm->dirty_log || level > mapped->level);
    if (!fault->resize) {
        uint64_t stop = slot->ipa + (access->end - slot->area.start);
        plan_relax(fault, mapped, least(limit, stop));
        return;
    }
    uint64_t size = leaf_bytes(kvm, level);
    uint64_t start = fault->ipa - fault->ipa % size;
    fault->leaves = (struct leaves){.start = start, .end = start + size, .level = level};
}

static void note_notifiers(struct fault *fault, const struct host_access *access)
{
    fault->notified = (uint8_t)access->notified;
    fault->replaced = access->replaced;
    for (uint32_t i = 0; i < access->notified; i++) {
        fault->notify[i] = access->notify[i];
    }
}

/* What the fault is and what it will map, without the lock as the kernel does;
 * clearing fresh pages is a request. */
static void fault_exit(struct actor *actor, struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    struct memslot *slot = kvm_slot_at(kvm, fault->ipa);
    struct leaves mapped;
    uint64_t next = UINT64_MAX;
    INVARIANT(slot, "fault at %#llx outside every slot", (unsigned long long)fault->ipa);
    fault->seen_invalidations = kvm->invalidations;
    fault->permission = stage2_lookup(&kvm->stage2, fault->ipa, &mapped, &next);
    uint64_t limit = fault_limit(fault, slot, fault->permission ? mapped.end : next);
    uint64_t hva = memory_of(slot, fault->ipa);
    struct host_access access =
        host_touch(&kvm->host, &slot->area, hva, memory_of(slot, limit),
                   fault->access == ACCESS_WRITE);
    /* What the host changes on the way is one fault's doing; then the guest comes again. */
    limit = access.notified > 0 ? fault->ipa + 1 : limit;
    if (fault->permission) {
        plan_permission(fault, slot, &mapped, &access, limit);
    } else {
        set_leaves(fault, slot, &access, limit,
                   choose_level(kvm, slot, hva, access.unit_bytes));
    }
    give_permissions(fault, slot, access.writable);
    note_notifiers(fault, &access);
    charge_exit(actor, fault, slot);
    if (access.fresh_bytes > 0) {
        actor_charge(actor, EV_host_alloc, (access.end - access.start) / access.unit_bytes);
        memory_zero(actor, kvm->memory, access.start, access.end);
    }
}

/* A fresh hugetlb page is cleared under a mutex, so that whoever faults on it
 * meanwhile waits for that. */
static bool needs_hugetlb_mutex(const struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    const struct memslot *slot = kvm_slot_at(kvm, fault->ipa);
    bool hugetlb = slot && (slot->area.backing == BACKING_HUGETLB ||
                            slot->area.backing == BACKING_HUGETLB_1G);
    uint64_t end;
    return hugetlb && (kvm->hugetlb_mutex.writer ||
                       runs_value(&kvm->host.state, memory_of(slot, fault->ipa), &end) == 0);
}

/* --- under the lock --- */

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

/* Whether another vCPU has locked an entry among these leaves for its own
 * maintenance: the fault is then retried by running into it again. */
static bool locked_by_other(const struct fault *fault)
{
    const struct kvm *kvm = fault->kvm;
    for (uint32_t i = 0; i < kvm->vcpu_count; i++) {
        const struct kvm_vcpu *other = &kvm->vcpus[i];
        if (other != fault->vcpu && other->installing_start < fault->leaves.end &&
            fault->leaves.start < other->installing_end) {
            return true;
        }
    }
    return false;
}

/* Cleans what is about to be mapped (a request); FWB's callback returns at
 * once. */
static void clean_leaves(struct actor *actor, const struct fault *fault,
                         const struct memslot *slot)
{
    const struct kvm *kvm = fault->kvm;
    if (fault->permission && kvm->kernel->value[SWITCH_CMO_PLACE] == CMO_EVERY_RACER) {
        return; /* these kernels clean at translation faults only */
    }
    uint64_t n = leaf_count(fault);
    uint64_t start = memory_of(slot, fault->leaves.start);
    uint64_t end = start + (fault->leaves.end - fault->leaves.start);
    if (!kvm->strategy->ideal && (kvm->fwb || kvm->strategy->cmo_at_fault)) {
        actor_charge(actor, EV_cmo_op_calls, n);
    }
    if (!kvm->fwb && kvm->strategy->cmo_at_fault) {
        memory_clean(actor, kvm->memory, start, end, n);
    }
}

/* After the lock: some of it may have been mapped meanwhile. Returns the state
 * that follows. */
static enum fault_state fault_locked(struct actor *actor, struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    struct memslot *slot = kvm_slot_at(kvm, fault->ipa);
    struct leaves mapped;
    uint64_t next;
    if (locked_by_other(fault) || kvm->invalidations != fault->seen_invalidations) {
        actor_charge(actor, EV_fault_retries, 1);
        return FAULT_UNLOCK;
    }
    if (kvm_other_size(kvm, fault->leaves, fault->resize)) {
        fault->vcpu->installing_start = fault->leaves.start;
        fault->vcpu->installing_end = fault->leaves.end;
        fault->emptied = kvm_break(actor, kvm, fault->leaves);
        return FAULT_CLEAN;
    }
    if (stage2_lookup(&kvm->stage2, fault->leaves.start, &mapped, &next)) {
        if (kvm->kernel->value[SWITCH_CMO_PLACE] == CMO_EVERY_RACER) {
            clean_leaves(actor, fault, slot); /* it cleans before it looks */
        }
        actor_charge(actor, EV_lost_maps, 1);
        return FAULT_UNLOCK;
    }
    fault->leaves.end = least(fault->leaves.end, next);
    fault->vcpu->installing_start = fault->leaves.start;
    fault->vcpu->installing_end = fault->leaves.end;
    clean_leaves(actor, fault, slot);
    return FAULT_INSTALL;
}

static void fault_install(struct actor *actor, struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    struct memslot *slot = kvm_slot_at(kvm, fault->ipa);
    if (fault->leaves.executable) {
        make_executable(actor, fault, slot);
    }
    /* Tables on the way to leaves of another size stay where they are. */
    uint64_t needed = stage2_map(&kvm->stage2, fault->leaves);
    charge_map(actor, fault, needed > fault->emptied ? needed - fault->emptied : 0);
    if (fault->emptied > needed) {
        actor_charge(actor, EV_s2_tables_free, fault->emptied - needed);
    }
    slot->mapped_bytes += fault->leaves.end - fault->leaves.start;
    fault->vcpu->installing_start = fault->vcpu->installing_end = 0;
}

static void fault_relax(struct actor *actor, struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    struct leaves mapped;
    uint64_t next, n = leaf_count(fault);
    if (kvm->invalidations != fault->seen_invalidations ||
        !stage2_lookup(&kvm->stage2, fault->leaves.start, &mapped, &next) ||
        mapped.level != fault->leaves.level) {
        return; /* gone meanwhile: the guest faults again */
    }
    if (fault->leaves.executable && !mapped.executable) {
        make_executable(actor, fault, kvm_slot_at(kvm, fault->ipa));
    }
    stage2_relax(&kvm->stage2, fault->leaves);
    actor_charge(actor, EV_relax_calls, n);
    if (kvm->kernel->value[SWITCH_RELAX_LOCAL]) {
        actor_charge(actor, EV_tlbi_local, n);
    } else {
        memory_tlbi(actor, kvm->memory, EV_tlbi_calls, n);
    }
}

/* The host took pages back or exchanged them on the way: KVM sees that its
 * sequence number moved and lets the guest fault again. */
static enum fault_state fault_notify(struct actor *actor, struct fault *fault)
{
    if (fault->notifying == fault->notified) {
        return fault->notified > 0 ? FAULT_DONE : FAULT_LINE;
    }
    uint32_t i = fault->notifying++;
    bool last = fault->notifying == fault->notified;
    kvm_notify_begin(actor, fault->kvm, fault->notify[i], last && fault->replaced);
    return FAULT_NOTIFY;
}

/* A reader changes the lock's count twice, which brings its cache line to this
 * core (a request): nobody waits for the lock, but all wait for the line. */
static void move_lock_line(struct actor *actor, struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    bool elsewhere = kvm->lock_line_at && kvm->lock_line_at != fault->vcpu;
    if (!takes_write_lock(fault) && elsewhere) {
        actor_serve(actor, &kvm->lock_line, actor_count(actor, EV_lock_handovers, 1));
    }
    kvm->lock_line_at = fault->vcpu;
}

/* Up to the lock. */
static void fault_enter(struct actor *actor, struct frame *frame, struct fault *fault)
{
    switch (frame->state) {
    case FAULT_BEGIN:
        fault->was_site = actor->site;
        actor->site = SITE_FAULT;
        frame->state = FAULT_EXIT;
        if (needs_hugetlb_mutex(fault)) {
            actor_lock(actor, &fault->kvm->hugetlb_mutex, true);
        }
        return;
    case FAULT_EXIT:
        frame->state = actor->holding ? FAULT_HOST_UNLOCK : FAULT_NOTIFY;
        fault_exit(actor, fault);
        return;
    default:
        frame->state = FAULT_NOTIFY;
        actor_unlock(actor, &fault->kvm->hugetlb_mutex);
    }
}

static void fault_step(struct actor *actor, struct frame *frame)
{
    struct fault *fault = FRAME_LOCAL(frame, struct fault);
    switch (frame->state) {
    case FAULT_BEGIN:
    case FAULT_EXIT:
    case FAULT_HOST_UNLOCK:
        fault_enter(actor, frame, fault);
        return;
    case FAULT_LINE:
        frame->state = FAULT_LOCK;
        move_lock_line(actor, fault);
        return;
    case FAULT_NOTIFY:
        frame->state = fault_notify(actor, fault);
        return;
    case FAULT_LOCK:
        frame->state = fault->permission && !fault->resize ? FAULT_RELAX : FAULT_CLEAN;
        actor_lock(actor, &fault->kvm->mmu_lock, takes_write_lock(fault));
        return;
    case FAULT_CLEAN:
        frame->state = fault_locked(actor, fault);
        return;
    case FAULT_INSTALL:
        frame->state = FAULT_UNLOCK;
        fault_install(actor, fault);
        return;
    case FAULT_RELAX:
        frame->state = FAULT_UNLOCK;
        fault_relax(actor, fault);
        return;
    case FAULT_UNLOCK:
        frame->state = FAULT_DONE;
        actor_unlock(actor, &fault->kvm->mmu_lock);
        return;
    default:
        actor->site = fault->was_site;
        actor_return(actor, 0);
    }
}

void kvm_fault_begin(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa,
                     uint64_t limit, enum guest_access access)
{
    struct fault *fault = actor_call(actor, fault_step);
    *fault = (struct fault){
        .kvm = kvm, .vcpu = vcpu, .ipa = ipa, .limit = limit, .access = access};
}

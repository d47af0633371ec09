/* Stage-2 faults: translation faults that map leaves, permission faults that
 * relax them (kvm_handle_guest_abort, user_mem_abort, kvm_pgtable_stage2_map). */
#include "kvm/kvm.h"

enum fault_state {
    FAULT_EXIT,
    FAULT_NOTIFY,
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
    uint8_t notified, notifying;
    bool permission, replaced;
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

/* The exit, the hardware's walk that found no leaf, and the kernel's path. */
static void charge_exit(struct actor *actor, const struct fault *fault, const struct memslot *slot)
{
    uint64_t n = leaf_count(fault);
    uint64_t failed_walk = stage2_depth(&fault->kvm->stage2, fault->ipa) + 1;
    actor_charge(actor, fault_kind(fault, slot), n);
    actor_charge(actor, EV_exits, n);
    actor_charge(actor, EV_walk_reads, n * failed_walk);
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
    if (kvm->strategy->ideal) {
        return;
    }
    if (kvm->kernel->value[SWITCH_IC_CLAMP] && size > limit) {
        memory_icache_all(actor, kvm->memory, start, end, n);
    } else {
        memory_icache_range(actor, kvm->memory, start, end, n);
    }
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
    if (fault->kvm->batch_leaves < (UINT64_MAX - room) / page) {
        limit = least(limit, room + fault->kvm->batch_leaves * page);
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
    fault->permission = stage2_lookup(&kvm->stage2, fault->ipa, &mapped, &next);
    uint64_t limit = fault_limit(fault, slot, fault->permission ? mapped.end : next);
    uint64_t hva = memory_of(slot, fault->ipa);
    struct host_access access =
        host_touch(&kvm->host, &slot->area, hva, memory_of(slot, limit),
                   fault->access == ACCESS_WRITE);
    enum leaf_level level = choose_level(kvm, slot, hva, access.unit_bytes);
    if (fault->permission) {
        plan_relax(fault, &mapped, limit);
        fault->leaves.writable |= access.writable && fault->access == ACCESS_WRITE;
        fault->leaves.executable |= fault->access == ACCESS_FETCH;
    } else {
        set_leaves(fault, slot, &access, limit, level);
        bool logged_read = kvm->dirty_log && fault->access != ACCESS_WRITE;
        fault->leaves.writable = access.writable && !slot->read_only && !logged_read;
        fault->leaves.executable =
            fault->access == ACCESS_FETCH || kvm->memory->platform->dic;
    }
    note_notifiers(fault, &access);
    charge_exit(actor, fault, slot);
    if (access.fresh_bytes > 0) {
        actor_charge(actor, EV_host_alloc, (access.end - access.start) / access.unit_bytes);
        memory_zero(actor, kvm->memory, access.start, access.end);
    }
}

/* --- under the lock --- */

static bool takes_write_lock(const struct fault *fault)
{
    bool logging = fault->permission && fault->kvm->dirty_log;
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
    if (locked_by_other(fault)) {
        actor_charge(actor, EV_fault_retries, 1);
        return FAULT_UNLOCK;
    }
    if (stage2_lookup(&kvm->stage2, fault->leaves.start, &mapped, &next)) {
        if (kvm->kernel->value[SWITCH_CMO_PLACE] == CMO_EVERY_RACER) {
            clean_leaves(actor, fault, slot); /* it cleans before it looks */
        }
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
        charge_icache(actor, fault, slot);
        uint64_t start = memory_of(slot, fault->leaves.start);
        oracle_executable(&kvm->memory->oracle, start,
                          start + (fault->leaves.end - fault->leaves.start));
    }
    charge_map(actor, fault, stage2_map(&kvm->stage2, fault->leaves));
    fault->vcpu->installing_start = fault->vcpu->installing_end = 0;
}

static void fault_relax(struct actor *actor, struct fault *fault)
{
    struct kvm *kvm = fault->kvm;
    struct leaves mapped;
    uint64_t next, n = leaf_count(fault);
    if (!stage2_lookup(&kvm->stage2, fault->leaves.start, &mapped, &next) ||
        mapped.level != fault->leaves.level) {
        return; /* gone meanwhile: the guest faults again */
    }
    if (fault->access == ACCESS_FETCH && !mapped.executable) {
        charge_icache(actor, fault, kvm_slot_at(kvm, fault->ipa));
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
        return fault->notified > 0 ? FAULT_DONE : FAULT_LOCK;
    }
    uint32_t i = fault->notifying++;
    bool last = fault->notifying == fault->notified;
    kvm_notify_begin(actor, fault->kvm, fault->notify[i], last && fault->replaced);
    return FAULT_NOTIFY;
}

static void fault_step(struct actor *actor, struct frame *frame)
{
    struct fault *fault = FRAME_LOCAL(frame, struct fault);
    switch (frame->state) {
    case FAULT_EXIT:
        fault->was_site = actor->site;
        actor->site = SITE_FAULT;
        frame->state = FAULT_NOTIFY;
        fault_exit(actor, fault);
        return;
    case FAULT_NOTIFY:
        frame->state = fault_notify(actor, fault);
        return;
    case FAULT_LOCK:
        frame->state = fault->permission ? FAULT_RELAX : FAULT_CLEAN;
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

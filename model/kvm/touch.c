/* The guest at work: accesses to a range, with the faults they run into. */
#include "core/coro.h"
#include "kvm/stall.h"

struct touch {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    uint64_t at, end;
    enum guest_access access;
    struct pending_access pending;
};

static enum reader reader_of(const struct kvm_vcpu *vcpu, enum guest_access access)
{
    return access == ACCESS_FETCH ? READER_FETCH
           : vcpu->mmu_on         ? READER_GUEST_ON
                                  : READER_GUEST_OFF;
}

/* Table reads of a TLB miss without walk caches: (n + 1)(m + 1) - 1 for n
 * stage-1 and m stage-2 levels. */
static uint64_t walk_reads(const struct kvm *kvm, const struct kvm_vcpu *vcpu,
                           enum leaf_level level)
{
    uint64_t m = kvm->stage2.geometry.levels - (uint64_t)level;
    uint64_t n = vcpu->mmu_on ? kvm->s1_levels : 0;
    return (n + 1) * (m + 1) - 1;
}

/* What a walk reads where the one before it was next door: the last entry of
 * stage 1 and of stage 2, the others are in the walk caches. */
#define NEAR_READS 2

/* What a vCPU's next walk finds cached of its last ones. */
enum walked { WALKED_NOTHING, WALKED_STAGE2, WALKED_ALL };

/* An invalidation by address drops all of the guest's own translations (VMALLE1IS), but stage 2's
 * of that address alone: where the guest's tables and its code are stays known. A core keeps
 * that apart, "checked whenever a stage 2 translation is required" (IPA cache RAM, Cortex-A55
 * TRM 100442, A5.2.3). */
static enum walked walked_before(const struct kvm *kvm, const struct kvm_vcpu *vcpu)
{
    const struct memory *memory = kvm->memory;
    return vcpu->walked_after == memory->invalidations         ? WALKED_ALL
           : vcpu->walked_after_all == memory->invalidated_all ? WALKED_STAGE2
                                                               : WALKED_NOTHING;
}

/* Where the guest's own page size is known, so is how far one walk helps the
 * next: further pages of a leaf, and further leaves under the same table, are
 * near. A TLB invalidation takes that away, and what else the guest's loop
 * needs (its code, its arguments) must be walked for again. */
static uint64_t reads_by_page(const struct touch *touch, uint64_t stop, enum leaf_level level,
                              uint64_t leaves)
{
    const struct kvm *kvm = touch->kvm;
    struct kvm_vcpu *vcpu = touch->vcpu;
    const uint64_t pages = (stop - 1) / kvm->s1_page_bytes - touch->at / kvm->s1_page_bytes + 1;
    const uint64_t table = touch->at / kvm->stage2.geometry.table_span[0];
    const uint64_t depth = kvm->stage2.geometry.levels - (uint64_t)level;
    const bool near = vcpu->walked_table == table;
    const uint64_t whole = walk_reads(kvm, vcpu, level);
    uint64_t reads = (leaves - 1) * NEAR_READS + (pages > leaves ? pages - leaves : 0);
    switch (walked_before(kvm, vcpu)) {
    case WALKED_ALL:
        reads += near ? NEAR_READS : whole;
        break;
    case WALKED_STAGE2: /* stage 1's entries, the leaf's own stage 2, and a new table's */
        reads += kvm->s1_levels + depth + (near ? 0 : depth) + kvm->s1_hot_pages * kvm->s1_levels;
        break;
    case WALKED_NOTHING:
        reads += whole + kvm->s1_hot_pages * walk_reads(kvm, vcpu, LEAF_PAGE);
        break;
    }
    vcpu->walked_table = (stop - 1) / kvm->stage2.geometry.table_span[0];
    vcpu->walked_after = kvm->memory->invalidations;
    vcpu->walked_after_all = kvm->memory->invalidated_all;
    return reads;
}

/* The accesses to mapped memory: one TLB miss a leaf, then the lines. */
static void access_mapped(struct actor *actor, struct touch *touch, const struct leaves *leaves)
{
    struct kvm *kvm = touch->kvm;
    const struct memslot *slot = kvm_slot_at(kvm, touch->at);
    uint64_t stop = leaves->end < touch->end ? leaves->end : touch->end;
    uint64_t size = kvm_leaf_bytes(kvm, leaves->level);
    uint64_t start = memslot_hva(slot, touch->at);
    const struct pending_access *pending = &touch->pending;
    bool met =
        pending->start == start && pending->end > start && pending->end - start <= stop - touch->at;
    stop = met ? touch->at + (pending->end - start) : stop;
    uint64_t count = (stop - 1) / size - touch->at / size + 1;
    bool paged = kvm->s1_page_bytes > 0 && touch->vcpu->mmu_on;
    actor_at(actor, touch->at, size);
    actor_charge(actor, EV_walk_reads,
                 paged ? reads_by_page(touch, stop, leaves->level, count)
                       : count * walk_reads(kvm, touch->vcpu, leaves->level));
    struct access access = {.start = start,
                            .end = start + (stop - touch->at),
                            .density = touch->pending.density,
                            .write = touch->access == ACCESS_WRITE,
                            .path = kvm_guest_path(kvm, touch->vcpu, touch->access),
                            .reader = reader_of(touch->vcpu, touch->access),
                            .met = met ? &pending->met : NULL};
    memory_access(actor, kvm->memory, &access);
    if (access.write && access.path == PATH_UNCACHED) {
        kvm_judge_shared(kvm, slot, access.start, access.end, true);
    }
    touch->pending.end = 0;
    touch->at = stop;
}

/* No memory there, or a write to read-only memory: the VMM emulates one
 * access, whatever the range. */
static void access_emulated(struct actor *actor, struct touch *touch)
{
    stall_over(actor, touch->kvm, touch->vcpu);
    actor_at(actor, touch->at, 0);
    actor_charge(actor, EV_mmio_exits, 1);
    actor_charge(actor, EV_exits, 1);
    actor_charge(actor, EV_user_exits, 1);
    touch->at = touch->end;
}

static bool is_memory(const struct touch *touch)
{
    const struct memslot *slot = kvm_slot_at(touch->kvm, touch->at);
    return slot && !(slot->read_only && touch->access == ACCESS_WRITE);
}

/* Accesses what is mapped, faults on what is not (AWAIT). */
static void access_memory(struct actor *actor, struct touch *touch)
{
    struct leaves leaves;
    uint64_t next;
    bool mapped = stage2_lookup(&touch->kvm->stage2, touch->at, &leaves, &next);
    if (mapped && kvm_leaves_permit(&leaves, touch->access)) {
        stall_over(actor, touch->kvm, touch->vcpu);
        access_mapped(actor, touch, &leaves);
        return;
    }
    touch->pending.end = 0;
    touch->vcpu->pending = &touch->pending;
    kvm_fault(actor, touch->kvm, touch->vcpu, touch->at, touch->end, touch->access, mapped);
}

static CORO(touch)
{
    struct touch *my = CORO_LOCALS(touch);
    struct kvm_vcpu *vcpu = my->vcpu;
    CORO_BEGIN;
    vcpu->touch_end = my->end;
    my->kvm->touches++;
    while (my->at < my->end) {
        vcpu->touch_at = my->at;
        if (is_memory(my)) {
            AWAIT(access_memory(actor, my));
        } else {
            AWAIT(access_emulated(actor, my));
        }
    }
    vcpu->touch_at = vcpu->touch_end = 0;
    vcpu->pending = NULL;
    my->kvm->touches++;
    CORO_END;
}

struct prefault {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    uint64_t at, end;
};

/* Goes to the next page of a slot that is not mapped yet; false where there is none. */
static bool find_unmapped(struct prefault *prefault)
{
    struct leaves leaves;
    uint64_t next;
    while (prefault->at < prefault->end &&
           stage2_lookup(&prefault->kvm->stage2, prefault->at, &leaves, &next)) {
        prefault->at = leaves.end;
    }
    return prefault->at < prefault->end && kvm_slot_at(prefault->kvm, prefault->at);
}

/* Nothing is accessed. */
static CORO(prefault)
{
    struct prefault *my = CORO_LOCALS(prefault);
    CORO_BEGIN;
    while (find_unmapped(my)) {
        my->vcpu->prefaulting = true;
        AWAIT(kvm_fault(actor, my->kvm, my->vcpu, my->at, my->end, ACCESS_READ, false));
    }
    my->vcpu->prefaulting = false;
    CORO_END;
}

/* Touches of fewer pages are taken leaf by leaf. */
#define LONG_PAGES 512

/* But for those of a vCPU that shares paths with other VMs alone, where a step has so many pages.
 */
#define LONG_STRETCH_STEP 128

/* A step is a part of what the vCPU touches until it waits again, for that is by how much it may
 * come too early or too late; and of each touch, at whose beginning all may come to the same line
 * of a lock and queue in their first step. */
static uint64_t step_pages(const struct kvm *kvm, const struct kvm_vcpu *vcpu, uint64_t pages)
{
    if (kvm->steps == 0) {
        return 1;
    }
    uint64_t of_touch = kvm->touch_steps > 0 ? pages / kvm->touch_steps : 0;
    uint64_t of_stretch = vcpu->stretch_bytes / kvm->stage2.geometry.page_bytes / kvm->steps;
    if (kvm->touch_steps == 0 && kvm->vcpu_count == 1 && of_stretch >= LONG_STRETCH_STEP) {
        return of_stretch; /* no other vCPU shares its VM's locks */
    }
    if (pages < LONG_PAGES) {
        return 1;
    }
    return u64_max(u64_max(pages / kvm->steps, u64_min(of_touch, of_stretch)), 1);
}

static void set_steps(struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t bytes)
{
    uint64_t pages = bytes / kvm->stage2.geometry.page_bytes;
    vcpu->step_pages = step_pages(kvm, vcpu, pages);
    vcpu->touch_began = vcpu->raced = false;
    kvm->touches++;
    vcpu->race_pages = pages / (KVM_RACE_LEAVES / kvm->vcpu_count) + 1;
}

void kvm_prefault(struct actor *actor, struct kvm *kvm, uint64_t ipa, uint64_t bytes)
{
    struct kvm_vcpu *vcpu = &kvm->vcpus[0];
    set_steps(kvm, vcpu, bytes);
    CORO_CALL(actor, prefault, .kvm = kvm, .vcpu = vcpu, .at = ipa, .end = ipa + bytes);
}

void kvm_expect_touch(struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa, uint64_t bytes,
                      bool waits)
{
    if (kvm->steps > 0) {
        vcpu->touch_began = vcpu->raced = false;
        kvm->touches++;
        vcpu->waits = waits;
        vcpu->touch_at = bytes > 0 ? ipa : 0;
        vcpu->touch_end = bytes > 0 ? ipa + bytes : 0;
    }
}

void kvm_touch(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa,
               uint64_t bytes, enum guest_access access, uint32_t density)
{
    set_steps(kvm, vcpu, bytes);
    CORO_CALL(actor, touch, .kvm = kvm, .vcpu = vcpu, .at = ipa, .end = ipa + bytes,
              .access = access, .pending = {.density = density});
}

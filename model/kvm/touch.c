/* The guest at work: accesses to a range, with the faults they run into. */
#include "kvm/kvm.h"

struct touch {
    struct kvm *kvm;
    struct kvm_vcpu *vcpu;
    uint64_t at, end;
    enum guest_access access;
    struct behind_fault behind;
};

static bool permitted(const struct leaves *leaves, enum guest_access access)
{
    return access == ACCESS_WRITE   ? leaves->writable
           : access == ACCESS_FETCH ? leaves->executable
                                    : true;
}

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

/* Where the guest's own page size is known, so is how far one walk helps the
 * next: further pages of a leaf, and further leaves under the same table, are
 * near. A TLB invalidation takes that away, and what else the guest's loop
 * needs (its code, its arguments) must be walked for again. */
static uint64_t reads_by_page(const struct touch *touch, uint64_t stop, enum leaf_level level,
                              uint64_t leaves)
{
    const struct kvm *kvm = touch->kvm;
    struct kvm_vcpu *vcpu = touch->vcpu;
    uint64_t whole = walk_reads(kvm, vcpu, level);
    uint64_t pages = (stop - 1) / kvm->s1_page_bytes - touch->at / kvm->s1_page_bytes + 1;
    uint64_t table = touch->at / kvm->stage2.geometry.table_span[0];
    bool kept = vcpu->walked_after == kvm->memory->invalidations;
    bool near = kept && vcpu->walked_table == table;
    uint64_t reads = (near ? NEAR_READS : whole) + (leaves - 1) * NEAR_READS;
    reads += pages > leaves ? pages - leaves : 0;
    reads += kept ? 0 : kvm->s1_hot_pages * walk_reads(kvm, vcpu, LEAF_PAGE);
    vcpu->walked_table = (stop - 1) / kvm->stage2.geometry.table_span[0];
    vcpu->walked_after = kvm->memory->invalidations;
    return reads;
}

/* The accesses to mapped memory: one TLB miss a leaf, then the lines. */
static void access_mapped(struct actor *actor, struct touch *touch, const struct leaves *leaves)
{
    struct kvm *kvm = touch->kvm;
    const struct memslot *slot = kvm_slot_at(kvm, touch->at);
    uint64_t stop = leaves->end < touch->end ? leaves->end : touch->end;
    uint64_t size = kvm->stage2.geometry.leaf_bytes[leaves->level];
    uint64_t start = slot->area.start + (touch->at - slot->ipa);
    const struct behind_fault *behind = &touch->behind;
    bool met =
        behind->start == start && behind->end > start && behind->end - start <= stop - touch->at;
    stop = met ? touch->at + (behind->end - start) : stop;
    uint64_t count = (stop - 1) / size - touch->at / size + 1;
    bool paged = kvm->s1_page_bytes > 0 && touch->vcpu->mmu_on;
    actor_charge(actor, EV_walk_reads,
                 paged ? reads_by_page(touch, stop, leaves->level, count)
                       : count * walk_reads(kvm, touch->vcpu, leaves->level));
    struct access access = {.start = start,
                            .end = start + (stop - touch->at),
                            .density = touch->behind.density,
                            .write = touch->access == ACCESS_WRITE,
                            .path = kvm_guest_path(kvm, touch->vcpu),
                            .reader = reader_of(touch->vcpu, touch->access),
                            .met = met ? &behind->met : NULL};
    memory_access(actor, kvm->memory, &access);
    if (access.write && access.path == PATH_UNCACHED) {
        kvm_judge_shared(kvm, slot, access.start, access.end, true);
    }
    touch->behind.end = 0;
    touch->at = stop;
}

/* No memory there, or a write to read-only memory: the VMM emulates one
 * access, whatever the range. */
static void access_emulated(struct actor *actor, struct touch *touch)
{
    actor_charge(actor, EV_mmio_exits, 1);
    actor_charge(actor, EV_exits, 1);
    actor_charge(actor, EV_user_exits, 1);
    touch->at = touch->end;
}

static void touch_step(struct actor *actor, struct frame *frame)
{
    struct touch *touch = FRAME_LOCAL(frame, struct touch);
    struct kvm *kvm = touch->kvm;
    if (touch->at >= touch->end) {
        actor_return(actor);
        return;
    }
    const struct memslot *slot = kvm_slot_at(kvm, touch->at);
    if (!slot || (slot->read_only && touch->access == ACCESS_WRITE)) {
        access_emulated(actor, touch);
        return;
    }
    struct leaves leaves;
    uint64_t next;
    if (stage2_lookup(&kvm->stage2, touch->at, &leaves, &next) &&
        permitted(&leaves, touch->access)) {
        access_mapped(actor, touch, &leaves);
        return;
    }
    touch->behind.end = 0;
    touch->vcpu->behind = &touch->behind;
    kvm_fault_begin(actor, kvm, touch->vcpu, touch->at, touch->end, touch->access);
}

/* Maps what is not mapped yet; nothing is accessed. */
static void prefault_step(struct actor *actor, struct frame *frame)
{
    struct touch *touch = FRAME_LOCAL(frame, struct touch);
    struct kvm *kvm = touch->kvm;
    struct leaves leaves;
    uint64_t next;
    (void)frame;
    while (touch->at < touch->end && stage2_lookup(&kvm->stage2, touch->at, &leaves, &next)) {
        touch->at = leaves.end;
    }
    touch->vcpu->ahead = touch->at < touch->end && kvm_slot_at(kvm, touch->at);
    if (touch->vcpu->ahead) {
        kvm_fault_begin(actor, kvm, touch->vcpu, touch->at, touch->end, touch->access);
        return;
    }
    actor_return(actor);
}

void kvm_prefault_begin(struct actor *actor, struct kvm *kvm, uint64_t ipa, uint64_t bytes)
{
    struct kvm_vcpu *vcpu = &kvm->vcpus[0];
    uint64_t pages = bytes / kvm->stage2.geometry.page_bytes;
    uint64_t batch = kvm->touch_steps ? pages / kvm->touch_steps : 0;
    struct touch *touch = actor_call(actor, prefault_step);
    vcpu->batch_leaves = batch ? batch : 1;
    *touch = (struct touch){
        .kvm = kvm, .vcpu = vcpu, .at = ipa, .end = ipa + bytes, .access = ACCESS_READ};
}

void kvm_touch_begin(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu, uint64_t ipa,
                     uint64_t bytes, enum guest_access access, uint32_t density)
{
    uint64_t pages = bytes / kvm->stage2.geometry.page_bytes;
    uint64_t batch = kvm->touch_steps ? pages / kvm->touch_steps : 0;
    struct touch *touch = actor_call(actor, touch_step);
    vcpu->batch_leaves = batch ? batch : 1;
    *touch = (struct touch){.kvm = kvm,
                            .vcpu = vcpu,
                            .at = ipa,
                            .end = ipa + bytes,
                            .access = access,
                            .behind = {.density = density}};
}

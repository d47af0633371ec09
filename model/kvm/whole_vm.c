/* Unmapping and flushing all slots of a VM, alone or by several threads, and
 * giving its memory back. */
#include "kvm/range_parts.h"

/* --- slot after slot --- */

struct whole {
    struct kvm *kvm;
    uint32_t slot, was_site;
    uint32_t waiting; /* for which worker */
    enum site site;
    bool flush;
    bool alone; /* without the workers that the strategy has */
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
        uint64_t size = kvm->stage2.geometry.leaf_bytes[leaves.level];
        high -= high % size;
    }
    return high < slot->ipa ? slot->ipa : high;
}

static void part_step(struct actor *actor, struct frame *frame)
{
    struct part *part = FRAME_LOCAL(frame, struct part);
    struct kvm *kvm = part->kvm;
    while (part->slot < kvm->slot_count) {
        const struct memslot *slot = &kvm->slots[part->slot++];
        uint64_t start = slot->live ? boundary(kvm, slot, part->share, part->of) : 0;
        uint64_t end = slot->live ? boundary(kvm, slot, part->share + 1, part->of) : 0;
        if (start < end) {
            range_flush_begin(actor, kvm, start, end, part->rule);
            return;
        }
    }
    if (frame->state == 0 && part->done) {
        frame->state = 1;
        actor_raise(actor, part->done);
        return;
    }
    actor_return(actor);
}

static struct part part_of(const struct whole *whole, uint64_t share, struct signal *done)
{
    return (struct part){.kvm = whole->kvm,
                         .share = share,
                         .of = whole->kvm->worker_count + 1,
                         .done = done,
                         .rule = {.skip_pages = whole->rule.skip_pages,
                                  .skip_blocks = whole->rule.skip_blocks,
                                  .record = whole->rule.record}};
}

/* The workers start with the lock held for all of them. */
static void start_workers(struct actor *actor, struct whole *whole)
{
    struct kvm *kvm = whole->kvm;
    for (uint32_t i = 0; i < kvm->worker_count; i++) {
        struct actor *worker = &kvm->workers[i];
        kvm->worker_done[i] = (struct signal){0};
        struct part *part = actor_start(worker, actor, "flush worker", part_step);
        *part = part_of(whole, i + 1, &kvm->worker_done[i]);
    }
    struct part *own = actor_call(actor, part_step);
    *own = part_of(whole, 0, NULL);
}

enum whole_state { WHOLE_LOCK, WHOLE_SLOTS, WHOLE_WORKERS, WHOLE_TLBI, WHOLE_UNLOCK, WHOLE_END };

/* The next live slot's range; false behind the last one. */
static bool whole_slot(struct actor *actor, struct whole *whole)
{
    struct kvm *kvm = whole->kvm;
    while (whole->slot < kvm->slot_count) {
        const struct memslot *slot = &kvm->slots[whole->slot++];
        if (slot->live && whole->flush) {
            range_flush_begin(actor, kvm, slot->ipa, slot->ipa + slot->bytes, whole->rule);
            return true;
        }
        if (slot->live) {
            range_unmap_begin(actor, kvm, slot->ipa, slot->ipa + slot->bytes, whole->rule);
            return true;
        }
    }
    return false;
}

/* Takes the lock, does slot after slot, gives the lock back. */
static void whole_step(struct actor *actor, struct frame *frame)
{
    struct whole *whole = FRAME_LOCAL(frame, struct whole);
    struct kvm *kvm = whole->kvm;
    switch (frame->state) {
    case WHOLE_LOCK:
        frame->state = WHOLE_SLOTS;
        whole->was_site = actor->site;
        actor->site = whole->site;
        actor_charge(actor, whole->flush ? EV_flush_vm_calls : EV_unmap_vm_calls, 1);
        actor_lock(actor, &kvm->mmu_lock, true);
        return;
    case WHOLE_SLOTS:
        if (!whole->alone && kvm->worker_count > 0) {
            frame->state = WHOLE_WORKERS;
            start_workers(actor, whole);
        } else if (!whole_slot(actor, whole)) {
            frame->state = WHOLE_TLBI;
        }
        return;
    case WHOLE_WORKERS:
        if (whole->waiting < kvm->worker_count) {
            actor_wait(actor, &kvm->worker_done[whole->waiting++]);
            return;
        }
        frame->state = WHOLE_TLBI;
        return;
    case WHOLE_TLBI:
        frame->state = WHOLE_UNLOCK;
        if (whole->rule.tlbi == REINIT_TLBI_VM) {
            memory_tlbi(actor, kvm->memory, EV_tlbi_vmid, 1);
        }
        return;
    case WHOLE_UNLOCK:
        frame->state = WHOLE_END;
        actor_unlock(actor, &kvm->mmu_lock);
        return;
    default:
        actor->site = whole->was_site;
        actor_return(actor);
    }
}

static struct whole *begin_whole(struct actor *actor, struct kvm *kvm, enum site site, bool flush)
{
    struct whole *whole = actor_call(actor, whole_step);
    *whole =
        (struct whole){.kvm = kvm,
                       .site = site,
                       .flush = flush,
                       .alone = true,
                       .rule = {.may_yield = true, .cleans = kvm->strategy->reinit_unmap_cleans}};
    return whole;
}

void kvm_unmap_vm_begin(struct actor *actor, struct kvm *kvm)
{
    begin_whole(actor, kvm, SITE_REINIT, false);
}

void kvm_flush_vm_begin(struct actor *actor, struct kvm *kvm, enum site site)
{
    begin_whole(actor, kvm, site, true);
}

/* --- as a strategy has it --- */

void range_strategy_flush_begin(struct actor *actor, struct kvm *kvm)
{
    struct whole *whole = begin_whole(actor, kvm, SITE_FLUSH, true);
    whole->rule.skip_pages = kvm->strategy->flush_leaves == FLUSH_BLOCKS;
    whole->rule.skip_blocks = kvm->strategy->flush_leaves == FLUSH_PAGES;
    whole->rule.record = kvm->strategy->flush_record;
    whole->alone = false;
}

struct renewal {
    struct kvm *kvm;
    uint32_t slot;
};

/* Unmaps, and gives the memory back where the VM is made anew: its vCPUs have
 * then not run yet, so that only the first of them does all this. */
static void renewal_step(struct actor *actor, struct frame *frame)
{
    struct renewal *renewal = FRAME_LOCAL(frame, struct renewal);
    struct kvm *kvm = renewal->kvm;
    if (frame->state == 0) {
        frame->state = 1;
        struct whole *whole = begin_whole(actor, kvm, SITE_REINIT, false);
        whole->rule.skip_pages = kvm->strategy->reinit_unmap == UNMAP_BLOCKS;
        whole->rule.skip_blocks = kvm->strategy->reinit_unmap == UNMAP_PAGES;
        whole->rule.tlbi = kvm->strategy->reinit_tlbi;
        return;
    }
    while (kvm->strategy->recreate && renewal->slot < kvm->slot_count) {
        uint32_t slot = renewal->slot++;
        if (kvm->slots[slot].live) {
            kvm_drop_begin(actor, kvm, slot);
            return;
        }
    }
    for (uint32_t i = 0; kvm->strategy->recreate && i < kvm->vcpu_count; i++) {
        kvm->vcpus[i].has_run = false;
    }
    actor_return(actor);
}

void range_reinit_unmap_begin(struct actor *actor, struct kvm *kvm)
{
    struct renewal *renewal = actor_call(actor, renewal_step);
    *renewal = (struct renewal){.kvm = kvm};
}

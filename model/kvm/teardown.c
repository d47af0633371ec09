/* The end of a VM: exit_mmap, whose notifier frees stage 2 before the host's pages go. */
#include "kvm/kvm.h"

struct teardown {
    struct kvm *kvm;
    uint32_t slot, was_site;
};

/* kvm_free_stage2_pgd takes the tables away under the lock and frees them after it
 * (stage2_free_walker, Linux 5.10 and 6.1): each entry is visited, each leaf gives up its
 * table, no entry is written, nothing is cleaned or invalidated. */
static void free_tables(struct actor *actor, struct kvm *kvm, uint64_t start, uint64_t end)
{
    struct leaves there;
    struct walk_counts walk = stage2_walk(&kvm->stage2, start, end);
    actor_charge(actor, EV_walk_unmap, walk.entries + walk.tables);
    for (uint64_t at = start; stage2_next(&kvm->stage2, at, end, &there); at = there.end) {
        uint64_t size = kvm->stage2.geometry.leaf_bytes[there.level];
        actor_charge(actor, EV_collapsed_leaves, (there.end - there.start) / size);
        actor_charge(actor, EV_s2_tables_free, stage2_unmap(&kvm->stage2, there));
    }
}

static void teardown_step(struct actor *actor, struct frame *frame)
{
    struct teardown *teardown = FRAME_LOCAL(frame, struct teardown);
    struct kvm *kvm = teardown->kvm;
    (void)frame;
    if (teardown->slot == 2 * kvm->slot_count) {
        actor->site = teardown->was_site;
        actor_return(actor);
        return;
    }
    uint32_t slot = teardown->slot++ % kvm->slot_count;
    struct memslot *memory = &kvm->slots[slot];
    if (teardown->slot <= kvm->slot_count) {
        free_tables(actor, kvm, memory->ipa, memory->ipa + memory->bytes);
    } else {
        kvm_give_back(actor, kvm, slot);
        memory->live = false;
    }
}

void kvm_teardown_begin(struct actor *actor, struct kvm *kvm)
{
    struct teardown *teardown = actor_call(actor, teardown_step);
    *teardown = (struct teardown){.kvm = kvm, .was_site = actor->site};
    actor->site = SITE_NOTIFIER;
}

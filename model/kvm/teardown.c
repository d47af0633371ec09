/* The end of a VM: exit_mmap, whose notifier frees stage 2 before the host's pages go. */
#include "core/coro.h"
#include "kvm/kvm.h"

struct teardown {
    struct kvm *kvm;
    bool tables_alone;
    uint32_t slot, was_site;
};

/* kvm_free_stage2_pgd takes the tables away under the lock and frees them after it
 * (stage2_free_walker, Linux 5.10 and 6.1): each entry is visited, each leaf gives up its
 * table, no entry is written, nothing is cleaned or invalidated. */
static void free_tables(struct actor *actor, struct kvm *kvm, const struct memslot *slot)
{
    uint64_t start = slot->ipa, end = slot->ipa + slot->bytes;
    struct leaves there;
    struct walk_counts walk = stage2_walk(&kvm->stage2, start, end);
    actor_charge(actor, EV_walk_unmap, walk.entries + walk.tables);
    for (uint64_t at = start; stage2_next(&kvm->stage2, at, end, &there); at = there.end) {
        uint64_t size = kvm_leaf_bytes(kvm, there.level);
        actor_at(actor, at, size);
        actor_charge(actor, EV_collapsed_leaves, (there.end - there.start) / size);
        actor_charge(actor, EV_s2_tables_free, stage2_unmap(&kvm->stage2, there));
    }
}

static CORO(teardown)
{
    struct teardown *my = CORO_LOCALS(teardown);
    struct kvm *kvm = my->kvm;
    CORO_BEGIN;
    my->was_site = actor->site;
    actor->site = SITE_NOTIFIER;
    for (my->slot = 0; my->slot < kvm->slot_count; my->slot++) {
        AWAIT(free_tables(actor, kvm, &kvm->slots[my->slot]));
    }
    for (my->slot = 0; my->slot < kvm->slot_count && !my->tables_alone; my->slot++) {
        AWAIT(kvm_give_back(actor, kvm, my->slot));
        kvm->slots[my->slot].live = false;
    }
    actor->site = my->was_site;
    CORO_END;
}

void kvm_teardown(struct actor *actor, struct kvm *kvm, bool tables_alone)
{
    CORO_CALL(actor, teardown, .kvm = kvm, .tables_alone = tables_alone);
}

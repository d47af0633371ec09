/* The end of a VM: exit_mmap, whose notifier frees stage 2 before the host's pages go; then its
 * file descriptors. */
#include "core/coro.h"
#include "kvm/kvm.h"

/* Lines of its own data that the host reads or writes for each vCPU that ends, and for each of its
 * CPUs when a VM does: by how many distinct ones more there are with one more of either. What is
 * left for the VM itself, its slots' deletion included, and the code of all that
 * (bench/kvm/emulate/zap.sh). */
#define VCPU_END_LINES UINT64_C(84)
#define CPU_END_LINES 41
#define VM_END_DATA_LINES 1282
#define VM_END_CODE_LINES 2407

void kvm_close(struct actor *actor, const struct kvm *kvm)
{
    uint64_t cpus = kvm->memory->platform->cores;
    actor_charge(actor, EV_vcpu_ends, kvm->vcpu_count);
    actor_charge(actor, EV_vm_ends, 1);
    actor_charge(actor, EV_vm_end_cpus, cpus);
    actor_charge(actor, EV_host_lines,
                 kvm->vcpu_count * VCPU_END_LINES + cpus * CPU_END_LINES + VM_END_DATA_LINES +
                     VM_END_CODE_LINES);
    actor_charge(actor, EV_host_tlbi, kvm->vcpu_count); /* of what the VMM maps of each */
}

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
    if (!my->tables_alone) {
        AWAIT(kvm_close(actor, kvm));
    }
    actor->site = my->was_site;
    CORO_END;
}

void kvm_teardown(struct actor *actor, struct kvm *kvm, bool tables_alone)
{
    CORO_CALL(actor, teardown, .kvm = kvm, .tables_alone = tables_alone);
}

#include "kvm/lines.h"

#include "core/rng.h"

#define ENTRIES_PER_LINE 8
#define PAGES_PER_BITMAP_LINE 512

static void moves(struct actor *actor, const struct kvm *kvm)
{
    actor_charge(actor, EV_line_moves, kvm->vcpu_count > 1);
}

static uint64_t number_of(const struct kvm *kvm, enum shared_line line, uint64_t ipa,
                          enum leaf_level level)
{
    const struct geometry *geometry = &kvm->stage2.geometry;
    switch (line) {
    case LINE_ENTRY:
        return ipa / (geometry->leaf_bytes[level] * ENTRIES_PER_LINE);
    case LINE_TABLE: /* a root table's span may not be known: it is one */
        return geometry->table_span[level] > 0 ? ipa / geometry->table_span[level] : 0;
    default:
        return ipa / (geometry->page_bytes * PAGES_PER_BITMAP_LINE);
    }
}

void lines_touch(struct actor *actor, struct kvm *kvm, enum shared_line line, uint64_t ipa,
                 enum leaf_level level)
{
    uint64_t number = number_of(kvm, line, ipa, level);
    uint64_t key = mix64(number * LEAF_LEVELS + (uint64_t)level) * 8 + (uint64_t)line;
    struct line_owner *owner = &kvm->owners[(key >> 3) % KVM_LINES];
    if (owner->key == key && owner->actor != actor->id) {
        moves(actor, kvm);
    }
    *owner = (struct line_owner){key, actor->id};
}

void lines_change_sequence(struct actor *actor, struct kvm *kvm)
{
    if (kvm->sequence_by != actor->id) {
        moves(actor, kvm);
    }
    kvm->sequence++;
    kvm->sequence_by = actor->id;
}

void lines_read_sequence(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu)
{
    if (kvm->sequence_by != actor->id && vcpu->sequence != kvm->sequence) {
        moves(actor, kvm);
    }
    vcpu->sequence = kvm->sequence;
}

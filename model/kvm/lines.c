#include "kvm/lines.h"

#include "core/rng.h"

#define ENTRIES_PER_LINE 8
#define PAGES_PER_BITMAP_LINE 512
#define MOST_LINES ((uint64_t)4 * KVM_LINES) /* of one step */

static void moves(struct actor *actor, const struct kvm *kvm, uint64_t times)
{
    if (kvm->vcpu_count > 1) {
        actor_charge(actor, EV_line_moves, times);
    }
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
    case LINE_BITMAP:
        return ipa / (geometry->page_bytes * PAGES_PER_BITMAP_LINE);
    }
    return 0;
}

void lines_touch(struct actor *actor, struct kvm *kvm, enum shared_line line, uint64_t ipa,
                 enum leaf_level level, uint64_t times)
{
    uint64_t number = number_of(kvm, line, ipa, level);
    uint64_t key = rng_mix64(number * LEAF_LEVELS + (uint64_t)level) * 8 + (uint64_t)line;
    struct line_owner *owner = &kvm->owners[(key >> 3) % KVM_LINES];
    if (owner->key == key && owner->actor != actor->id) {
        moves(actor, kvm, times);
    }
    *owner = (struct line_owner){key, actor->id};
}

/* Leaf after leaf, of those that share a line of entries the first one. Lines that came
 * long before the last ones would be forgotten again. */
void lines_touch_leaves(struct actor *actor, struct kvm *kvm, struct leaves leaves, bool mapped)
{
    uint64_t line_bytes = kvm->stage2.geometry.leaf_bytes[leaves.level] * ENTRIES_PER_LINE;
    uint64_t lines = (leaves.end - 1) / line_bytes - leaves.start / line_bytes + 1;
    uint64_t at = leaves.start;
    if (lines > MOST_LINES) {
        at = (leaves.end - 1) / line_bytes * line_bytes - (MOST_LINES - 1) * line_bytes;
    }
    for (; at < leaves.end; at = (at / line_bytes + 1) * line_bytes) {
        if (mapped) {
            lines_touch(actor, kvm, LINE_TABLE, at, leaves.level, 1);
        }
        lines_touch(actor, kvm, LINE_ENTRY, at, leaves.level, 1);
        if (kvm->dirty_log && leaves.writable) {
            lines_touch(actor, kvm, LINE_BITMAP, at, leaves.level, 1);
        }
    }
}

void lines_change_sequence(struct actor *actor, struct kvm *kvm)
{
    if (kvm->sequence_by != actor->id) {
        moves(actor, kvm, 1);
    }
    kvm->sequence++;
    kvm->sequence_by = actor->id;
}

void lines_read_sequence(struct actor *actor, struct kvm *kvm, struct kvm_vcpu *vcpu)
{
    if (kvm->sequence_by != actor->id && vcpu->sequence != kvm->sequence) {
        moves(actor, kvm, 1);
    }
    vcpu->sequence = kvm->sequence;
}

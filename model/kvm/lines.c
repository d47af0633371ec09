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

/* How much of the VM one such line is for; 0: all of it, as far as is known. */
static uint64_t span_of(const struct kvm *kvm, enum shared_line line, enum leaf_level level)
{
    const struct geometry *geometry = &kvm->stage2.geometry;
    switch (line) {
    case LINE_ENTRY:
        return geometry->leaf_bytes[level] * ENTRIES_PER_LINE;
    case LINE_TABLE: /* a root table's span may not be known: it is one */
        return geometry->table_span[level];
    case LINE_BITMAP:
        return geometry->page_bytes * PAGES_PER_BITMAP_LINE;
    }
    return 0;
}

/* A line, and where it stands among those of interest, if it is one of them. */
struct line_place {
    uint64_t key;
    struct line_owner *owner;
};

static inline struct line_place place_of(struct kvm *kvm, enum shared_line line, uint64_t number,
                                         enum leaf_level level)
{
    uint64_t key = rng_mix64(number * LEAF_LEVELS + (uint64_t)level) * 8 + (uint64_t)line;
    return (struct line_place){key, &kvm->owners[(key >> 3) % KVM_LINES]};
}

/* Whether another had it last. */
static inline bool take(struct line_place place, const struct actor *actor)
{
    bool moved = place.owner->key == place.key && place.owner->actor != actor->id;
    *place.owner = (struct line_owner){place.key, actor->id};
    return moved;
}

void lines_touch(struct actor *actor, struct kvm *kvm, enum shared_line line, uint64_t ipa,
                 enum leaf_level level, uint64_t times)
{
    uint64_t span = span_of(kvm, line, level);
    if (take(place_of(kvm, line, span > 0 ? ipa / span : 0, level), actor)) {
        moves(actor, kvm, times);
    }
}

/* Lines of entries, one after the other. */
static void touch_entries(struct actor *actor, struct kvm *kvm, enum leaf_level level,
                          uint64_t number, uint64_t end)
{
    for (; number < end; number++) {
        if (take(place_of(kvm, LINE_ENTRY, number, level), actor)) {
            moves(actor, kvm, 1);
        }
    }
}

/* The same with the table's line ahead of each: all but the first and the last touch of that
 * leave what the touches beside them do. */
static void touch_table(struct actor *actor, struct kvm *kvm, struct line_place table,
                        enum leaf_level level, uint64_t number, uint64_t end)
{
    if (take(table, actor)) {
        moves(actor, kvm, 1);
    }
    touch_entries(actor, kvm, level, number, end - 1);
    (void)take(table, actor);
    touch_entries(actor, kvm, level, end - 1, end);
}

static void touch_logged(struct actor *actor, struct kvm *kvm, const struct leaves *leaves,
                         uint64_t number, bool mapped)
{
    uint64_t line_bytes = span_of(kvm, LINE_ENTRY, leaves->level);
    uint64_t at = u64_max(leaves->start, number * line_bytes);
    for (; at < leaves->end; at = (at / line_bytes + 1) * line_bytes) {
        if (mapped) {
            lines_touch(actor, kvm, LINE_TABLE, at, leaves->level, 1);
        }
        lines_touch(actor, kvm, LINE_ENTRY, at, leaves->level, 1);
        lines_touch(actor, kvm, LINE_BITMAP, at, leaves->level, 1);
    }
}

/* Leaf after leaf, of those that share a line of entries the first one. Lines that came
 * long before the last ones would be forgotten again. */
void lines_touch_leaves(struct actor *actor, struct kvm *kvm, struct leaves leaves, bool mapped)
{
    uint64_t line_bytes = span_of(kvm, LINE_ENTRY, leaves.level);
    uint64_t end = (leaves.end - 1) / line_bytes + 1, number = leaves.start / line_bytes;
    number = end - number > MOST_LINES ? end - MOST_LINES : number;
    if (kvm->dirty_log && leaves.writable) {
        touch_logged(actor, kvm, &leaves, number, mapped);
        return;
    }
    if (!mapped) {
        touch_entries(actor, kvm, leaves.level, number, end);
        return;
    }
    uint64_t span = span_of(kvm, LINE_TABLE, leaves.level);
    uint64_t in_table = span > 0 ? span / line_bytes : UINT64_MAX;
    while (number < end) {
        uint64_t table = number / in_table;
        uint64_t stop = table < end / in_table ? (table + 1) * in_table : end;
        touch_table(actor, kvm, place_of(kvm, LINE_TABLE, table, leaves.level), leaves.level,
                    number, stop);
        number = stop;
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

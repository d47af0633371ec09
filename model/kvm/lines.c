#include "kvm/lines.h"

#include "core/invariant.h"
#include "core/rng.h"

#define ENTRIES_PER_LINE 8
#define PAGES_PER_BITMAP_LINE 512

/* An owner is a line's number, its leaves' level, and an actor. */
#define ACTOR_BITS 23
#define LEVEL_BITS 2
#define NUMBER_SHIFT (ACTOR_BITS + LEVEL_BITS)

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

/* --- lines of a kind, as runs of numbers that one actor had last --- */

static void begin_run(struct line_owners *owners, uint64_t place, uint64_t owner)
{
    owners->first[place] = owner;
    owners->begins[place / 64] |= UINT64_C(1) << place % 64;
}

static uint64_t owner_at(const struct line_owners *owners, uint64_t place)
{
    uint64_t word = place / 64, bits = owners->begins[word] << (63 - place % 64);
    uint64_t start = place;
    while (!bits && word > 0) {
        start = word * 64 - 1;
        bits = owners->begins[--word];
    }
    start = bits ? start - (uint64_t)__builtin_clzll(bits) : 0;
    return owners->first[start] + ((place - start) << NUMBER_SHIFT);
}

/* Where the next run begins, or `end`. */
static uint64_t next_run(const struct line_owners *owners, uint64_t place, uint64_t end)
{
    while (++place < end) {
        uint64_t bits = owners->begins[place / 64] >> place % 64;
        if (bits) {
            return u64_min(place + (uint64_t)__builtin_ctzll(bits), end);
        }
        place |= 63;
    }
    return end;
}

static bool begins_run(const struct line_owners *owners, uint64_t place)
{
    return place == KVM_LINES || (owners->begins[place / 64] >> place % 64 & 1);
}

/* Whether another than whoever takes a line had it. */
static bool moved(uint64_t owner, uint64_t mine)
{
    return (owner ^ mine) - 1 < (UINT64_C(1) << ACTOR_BITS) - 1;
}

/* Makes these places a run; returns how many of its lines another had last. */
static uint64_t take_places(struct line_owners *owners, uint64_t place, uint64_t count,
                            uint64_t mine)
{
    uint64_t end = place + count, taken = 0;
    if (count == 1 && begins_run(owners, place) && begins_run(owners, end)) {
        taken = moved(owners->first[place], mine);
        owners->first[place] = mine;
        return taken;
    }
    if (end < KVM_LINES) {
        begin_run(owners, end, owner_at(owners, end));
    }
    for (uint64_t at = place, next; at < end; at = next) {
        next = next_run(owners, at, end);
        bool other = moved(owner_at(owners, at), mine + ((at - place) << NUMBER_SHIFT));
        taken += other ? next - at : 0;
        owners->begins[at / 64] &= ~((uint64_t)(at > place) << at % 64);
    }
    begin_run(owners, place, mine);
    return taken;
}

/* Takes lines [number, end), as if one after the other; returns how many of them another had last.
 * Neighbours lie beside each other, from where a hash has those of so many begin: that many hide
 * all before them. */
static uint64_t take(const struct actor *actor, struct line_owners *owners, enum leaf_level level,
                     uint64_t number, uint64_t end)
{
    uint64_t taken = 0, own = (uint64_t)level << ACTOR_BITS | actor->id;
    INVARIANT(actor->id >> ACTOR_BITS == 0, "actor %u", actor->id);
    while (number < end) {
        uint64_t all = number / KVM_LINES, stop = u64_min(end, (all + 1) * KVM_LINES);
        uint64_t place = (number + rng_mix64(all * LEAF_LEVELS + (uint64_t)level)) % KVM_LINES;
        uint64_t count = u64_min(stop - number, KVM_LINES - place);
        bool hides = stop - number == KVM_LINES;
        taken += take_places(owners, place, count, number << NUMBER_SHIFT | own);
        if (number + count < stop) {
            taken += take_places(owners, 0, stop - number - count,
                                 (number + count) << NUMBER_SHIFT | own);
        }
        number = hides && end - stop > 2 * KVM_LINES ? (end / KVM_LINES - 1) * KVM_LINES : stop;
    }
    return taken;
}

/* Takes those of a range of the VM. */
static uint64_t take_range(const struct actor *actor, struct kvm *kvm, enum shared_line line,
                           enum leaf_level level, uint64_t start, uint64_t end)
{
    uint64_t span = span_of(kvm, line, level);
    uint64_t first = span > 0 ? start / span : 0, last = span > 0 ? (end - 1) / span : 0;
    return take(actor, &kvm->owners[line], level, first, last + 1);
}

void lines_touch(struct actor *actor, struct kvm *kvm, enum shared_line line, uint64_t ipa,
                 enum leaf_level level, uint64_t times)
{
    moves(actor, kvm, times * take_range(actor, kvm, line, level, ipa, ipa + 1));
}

void lines_touch_leaves(struct actor *actor, struct kvm *kvm, struct leaves leaves, bool mapped)
{
    uint64_t start = leaves.start, end = leaves.end;
    uint64_t taken = take_range(actor, kvm, LINE_ENTRY, leaves.level, start, end);
    if (mapped) {
        taken += take_range(actor, kvm, LINE_TABLE, leaves.level, start, end);
    }
    if (kvm->dirty_log && leaves.writable) {
        taken += take_range(actor, kvm, LINE_BITMAP, leaves.level, start, end);
    }
    moves(actor, kvm, taken);
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

#include "kvm/stage2.h"

#include "core/error.h"
#include "core/invariant.h"
#include "core/u64.h"

/* A leaf interval's value. */
enum { VALID = 1, WRITE = 2, EXECUTE = 4, LEVEL_SHIFT = 3 };

static uint64_t encode(const struct leaves *leaves)
{
    return VALID | (leaves->writable ? WRITE : 0) | (leaves->executable ? EXECUTE : 0) |
           (uint64_t)leaves->level << LEVEL_SHIFT;
}

static struct leaves decode(uint64_t value, uint64_t start, uint64_t end)
{
    return (struct leaves){.start = start,
                           .end = end,
                           .level = (enum leaf_level)(value >> LEVEL_SHIFT),
                           .writable = value & WRITE,
                           .executable = value & EXECUTE};
}

static uint32_t page_shift(uint64_t granule_bytes)
{
    return granule_bytes == 4096 ? 12 : granule_bytes == 16384 ? 14 : 16;
}

bool geometry_init(struct geometry *geometry, uint64_t granule_bytes, uint32_t ipa_bits,
                   struct error *err)
{
    if (granule_bytes != 4096 && granule_bytes != 16384 && granule_bytes != 65536) {
        return error_input(err, NULL, "granule: found %llu bytes, expected 4K, 16K or 64K",
                           (unsigned long long)granule_bytes);
    }
    if (ipa_bits < 32 || ipa_bits > 52) {
        return error_input(err, NULL, "ipa_bits: found %u, expected 32 to 52", ipa_bits);
    }
    uint32_t shift = page_shift(granule_bytes);
    uint32_t stride = shift - 3; /* bits that one level resolves */
    uint32_t levels = (ipa_bits - 8) / stride;
    levels = levels < 2 ? 2 : levels;
    *geometry = (struct geometry){
        .page_bytes = granule_bytes, .levels = levels, .table_levels = levels - 1};
    INVARIANT(geometry->table_levels <= STAGE2_TABLE_LEVELS, "%u levels", levels);
    for (uint32_t i = 0; i < geometry->table_levels; i++) {
        geometry->table_span[i] = granule_bytes << (stride * (i + 1));
    }
    geometry->root_span = granule_bytes << (stride * geometry->table_levels);
    geometry->leaf_bytes[LEAF_PAGE] = granule_bytes;
    geometry->leaf_bytes[LEAF_BLOCK] = granule_bytes << stride;
    geometry->leaf_bytes[LEAF_GIG] = shift == 12 && levels > 2 ? granule_bytes << 2 * stride : 0;
    /* KVM_PGTABLE_MIN_BLOCK_LEVEL goes by the granule, also where two levels have no 1 GiB leaf. */
    geometry->chunk_bytes = granule_bytes << (shift == 12 ? 2 * stride : stride);
    return true;
}

void stage2_init(struct stage2 *stage2, const struct geometry *geometry, struct pool *pool)
{
    stage2->geometry = *geometry;
    stage2->tables = 0;
    interval_map_init(&stage2->map, pool);
}

static uint64_t align_down(uint64_t value, uint64_t unit)
{
    return value & ~(unit - 1);
}

static uint64_t align_up(uint64_t value, uint64_t unit)
{
    return align_down(value + unit - 1, unit);
}

bool stage2_lookup(struct stage2 *stage2, uint64_t ipa, struct leaves *leaves, uint64_t *next)
{
    uint64_t end;
    uint64_t value = interval_map_value(&stage2->map, ipa, &end);
    if (value == 0) {
        *next = end;
        return false;
    }
    *leaves = decode(value, ipa, end);
    leaves->start = align_down(ipa, stage2->geometry.leaf_bytes[leaves->level]);
    return true;
}

bool stage2_next(struct stage2 *stage2, uint64_t from, uint64_t to, struct leaves *leaves)
{
    struct interval *interval = interval_map_find(&stage2->map, from);
    if (from >= to || !interval || interval->start >= to) {
        return false;
    }
    uint64_t start = interval->start > from ? interval->start : from;
    *leaves = decode(interval->value, start, interval->end < to ? interval->end : to);
    return true;
}

/* Leaves beside a range, and the first within it; NULL: there are none. */
struct beside {
    const struct interval *before, *within, *after;
};

/* What begins before the range and ends in it is before it, and so at its end. */
static struct beside look_beside(struct stage2 *stage2, uint64_t start, uint64_t end)
{
    const struct interval *first = interval_map_find(&stage2->map, start);
    struct beside beside = {.before = first ? first->before : stage2->map.last, .after = first};
    if (first && first->start < end) {
        beside.within = first;
        beside.before = first->start < start ? first : first->before;
        beside.after = first->end > end ? first : interval_map_find(&stage2->map, end);
    }
    return beside;
}

/* How many tables of a span [start, end) alone needs: those in which no leaf
 * outside of the range stands. */
static uint64_t own_tables(const struct beside *beside, uint64_t start, uint64_t end, uint64_t span)
{
    uint64_t first = align_down(start, span), last = align_down(end - 1, span);
    bool head = first < start && beside->before && beside->before->end > first;
    if (first == last && head) {
        return 0;
    }
    bool tail = end < last + span && beside->after && beside->after->start < last + span;
    if (first == last) {
        return tail ? 0 : 1;
    }
    return (last - first) / span + 1 - head - tail;
}

/* The tables that a range of leaves needs, besides those that others share. Where others
 * share all of one level, they share all above, too. */
static uint64_t own_tables_of(const struct stage2 *stage2, const struct beside *beside,
                              const struct leaves *leaves)
{
    uint64_t total = 0, own = 1;
    for (uint32_t i = (uint32_t)leaves->level; own > 0 && i < stage2->geometry.table_levels; i++) {
        own = own_tables(beside, leaves->start, leaves->end, stage2->geometry.table_span[i]);
        total += own;
    }
    return total;
}

static void assert_whole(const struct stage2 *stage2, const struct leaves *leaves)
{
    uint64_t size = stage2->geometry.leaf_bytes[leaves->level];
    INVARIANT(size != 0 && leaves->start < leaves->end && leaves->start % size == 0 &&
                  leaves->end % size == 0,
              "leaves [%#llx, %#llx) are not whole", (unsigned long long)leaves->start,
              (unsigned long long)leaves->end);
}

uint64_t stage2_tables_for(struct stage2 *stage2, struct leaves leaves)
{
    struct beside beside = look_beside(stage2, leaves.start, leaves.end);
    return own_tables_of(stage2, &beside, &leaves);
}

uint64_t stage2_map(struct stage2 *stage2, struct leaves leaves)
{
    assert_whole(stage2, &leaves);
    struct beside beside = look_beside(stage2, leaves.start, leaves.end);
    INVARIANT(!beside.within, "%#llx is mapped already", (unsigned long long)leaves.start);
    uint64_t tables = own_tables_of(stage2, &beside, &leaves);
    interval_map_set(&stage2->map, leaves.start, leaves.end, encode(&leaves));
    stage2->tables += tables;
    return tables;
}

void stage2_relax(struct stage2 *stage2, struct leaves leaves)
{
    assert_whole(stage2, &leaves);
    interval_map_set(&stage2->map, leaves.start, leaves.end, encode(&leaves));
}

uint64_t stage2_unmap(struct stage2 *stage2, struct leaves leaves)
{
    assert_whole(stage2, &leaves);
    interval_map_set(&stage2->map, leaves.start, leaves.end, 0);
    struct beside beside = look_beside(stage2, leaves.start, leaves.end);
    uint64_t tables = own_tables_of(stage2, &beside, &leaves);
    INVARIANT(tables <= stage2->tables, "more tables freed than there were");
    stage2->tables -= tables;
    return tables;
}

/* Whether a table of that level exists around ipa: it has an entry as long as
 * a leaf of a deeper level stands in its span. */
static bool table_exists(struct stage2 *stage2, uint64_t ipa, uint32_t level)
{
    uint64_t span = stage2->geometry.table_span[level];
    struct interval *interval = interval_map_find(&stage2->map, align_down(ipa, span));
    if (!interval || interval->start >= align_down(ipa, span) + span) {
        return false;
    }
    return decode(interval->value, 0, 0).level <= level;
}

bool stage2_has_table(struct stage2 *stage2, uint64_t ipa)
{
    return table_exists(stage2, ipa, 0);
}

uint32_t stage2_depth(struct stage2 *stage2, uint64_t ipa)
{
    uint32_t depth = 0;
    while (depth < stage2->geometry.table_levels &&
           table_exists(stage2, ipa, stage2->geometry.table_levels - 1 - depth)) {
        depth++;
    }
    return depth;
}

/* The entries of span `entry` that overlap [start, end). */
static uint64_t entries_in(uint64_t start, uint64_t end, uint64_t entry)
{
    return end <= start ? 0 : (align_down(end - 1, entry) - align_down(start, entry)) / entry + 1;
}

/* Adds what the tables of one level contribute: for each table that exists in
 * the range, its entries there. Intervals in order share a table with the interval
 * before when they begin in its span. */
static void walk_level(const struct stage2 *stage2, const struct interval *first, uint64_t start,
                       uint64_t end, uint32_t level, struct walk_counts *counts)
{
    uint64_t span = stage2->geometry.table_span[level];
    uint64_t entry =
        level == 0 ? stage2->geometry.page_bytes : stage2->geometry.table_span[level - 1];
    uint64_t done = align_down(start, span); /* tables before it are counted */
    const struct interval *interval = start < end ? first : NULL;
    for (; interval && interval->start < end; interval = interval->after) {
        struct leaves leaves =
            decode(interval->value, u64_max(interval->start, start), u64_min(interval->end, end));
        if ((uint32_t)leaves.level > level) {
            continue;
        }
        uint64_t from = align_down(leaves.start, span), to = align_up(leaves.end, span);
        from = from > done ? from : done;
        if (from < to) {
            uint64_t low = from > start ? from : start, high = to < end ? to : end;
            counts->tables += (to - from) / span;
            counts->entries += entries_in(low, high, entry);
            done = to;
        }
    }
}

/* Whether a leaf that a table of that level leads to stands before `end`, from this one on. */
static bool leaf_within(const struct interval *first, uint64_t end, uint32_t level)
{
    while (first && first->start < end && (uint32_t)decode(first->value, 0, 0).level > level) {
        first = first->after;
    }
    return first && first->start < end;
}

/* In a table, a leaf that stands before the range's start keeps the table in
 * place; the walk goes through it although no leaf is in range. `leaf` is the first at `start`. */
static void walk_edges(struct stage2 *stage2, const struct interval *leaf, uint64_t start,
                       uint64_t end, uint32_t level, struct walk_counts *counts)
{
    uint64_t span = stage2->geometry.table_span[level];
    uint64_t entry =
        level == 0 ? stage2->geometry.page_bytes : stage2->geometry.table_span[level - 1];
    uint64_t first = align_down(start, span), last = align_down(end - 1, span);
    uint64_t edges[2] = {first, last};
    for (int i = 0; i < (first == last ? 1 : 2); i++) {
        uint64_t low = edges[i] > start ? edges[i] : start;
        uint64_t high = edges[i] + span < end ? edges[i] + span : end;
        const struct interval *at = low == start ? leaf : interval_map_find(&stage2->map, low);
        if (!leaf_within(at, high, level) && table_exists(stage2, edges[i], level)) {
            counts->tables++;
            counts->entries += entries_in(low, high, entry);
        }
    }
}

struct walk_counts stage2_walk(struct stage2 *stage2, uint64_t start, uint64_t end)
{
    struct walk_counts counts = {0};
    const struct interval *first = interval_map_find(&stage2->map, start);
    counts.entries = entries_in(start, end, stage2->geometry.root_span);
    for (uint32_t level = 0; level < stage2->geometry.table_levels; level++) {
        walk_level(stage2, first, start, end, level, &counts);
        walk_edges(stage2, first, start, end, level, &counts);
    }
    counts.entries -= counts.tables; /* each table's entry is gone through, not met */
    return counts;
}

uint64_t stage2_mapped(struct stage2 *stage2, uint64_t start, uint64_t end)
{
    uint64_t bytes = 0;
    struct leaves leaves;
    for (uint64_t at = start; stage2_next(stage2, at, end, &leaves); at = leaves.end) {
        bytes += leaves.end - leaves.start;
    }
    return bytes;
}

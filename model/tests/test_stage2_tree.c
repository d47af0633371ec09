#include "check.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/units.h"
#include "kvm/stage2.h"

/* --- the reference: a tree of real tables --- */

enum entry_kind { ENTRY_NONE, ENTRY_LEAF, ENTRY_TABLE };

struct table;
struct entry {
    struct table *child;
    uint8_t kind;
    bool writable, executable;
};

struct table {
    uint64_t span; /* of one entry */
    uint64_t live;
    struct entry entries[];
};

static uint64_t entries_of(const struct geometry *geometry)
{
    return geometry->page_bytes / 8;
}

struct tree {
    struct geometry geometry;
    uint64_t base, bytes; /* the window that the test uses, whole root entries */
    struct table *root;
    uint64_t tables;
};

static struct table *table_new(uint64_t count, uint64_t span)
{
    struct table *table = calloc(1, sizeof *table + count * sizeof(struct entry));
    assert_non_null(table);
    table->span = span;
    return table;
}

static void tree_init(struct tree *tree, const struct geometry *geometry, uint64_t base,
                      uint64_t bytes)
{
    *tree = (struct tree){.geometry = *geometry, .base = base, .bytes = bytes};
    tree->root = table_new(bytes / geometry->root_span, geometry->root_span);
}

static uint64_t count_of(const struct tree *tree, const struct table *table)
{
    return table == tree->root ? tree->bytes / table->span : entries_of(&tree->geometry);
}

static void table_free(const struct tree *tree, struct table *table)
{
    for (uint64_t i = 0; i < count_of(tree, table); i++) {
        if (table->entries[i].kind == ENTRY_TABLE) {
            table_free(tree, table->entries[i].child);
        }
    }
    free(table);
}

static struct entry *entry_at(const struct tree *tree, struct table *table, uint64_t ipa)
{
    uint64_t offset = table == tree->root ? ipa - tree->base : ipa;
    return &table->entries[offset / table->span % count_of(tree, table)];
}

static void naive_map_one(struct tree *tree, uint64_t ipa, uint64_t size, bool write, bool fetch)
{
    struct table *table = tree->root;
    struct entry *entry = entry_at(tree, table, ipa);
    while (table->span > size) {
        if (entry->kind == ENTRY_NONE) {
            table->live++;
            *entry = (struct entry){.kind = ENTRY_TABLE,
                                    .child = table_new(entries_of(&tree->geometry),
                                                       table->span / entries_of(&tree->geometry))};
            tree->tables++;
        }
        assert_int_equal(entry->kind, ENTRY_TABLE);
        table = entry->child;
        entry = entry_at(tree, table, ipa);
    }
    assert_int_equal(entry->kind, ENTRY_NONE);
    *entry = (struct entry){.kind = ENTRY_LEAF, .writable = write, .executable = fetch};
    table->live++;
}

/* Removes the leaf at ipa and the tables that this empties. */
static void naive_unmap_one(struct tree *tree, struct table *table, uint64_t ipa)
{
    struct entry *entry = entry_at(tree, table, ipa);
    if (entry->kind == ENTRY_TABLE) {
        naive_unmap_one(tree, entry->child, ipa);
        if (entry->child->live > 0) {
            return;
        }
        free(entry->child);
        tree->tables--;
    } else {
        assert_int_equal(entry->kind, ENTRY_LEAF);
    }
    *entry = (struct entry){0};
    table->live--;
}

/* The leaf at ipa or NULL, its size, and how many tables lie on the way. */
static const struct entry *naive_find(const struct tree *tree, uint64_t ipa, uint64_t *size,
                                      uint32_t *depth)
{
    struct table *table = tree->root;
    struct entry *entry = entry_at(tree, table, ipa);
    *depth = 0;
    while (entry->kind == ENTRY_TABLE) {
        table = entry->child;
        entry = entry_at(tree, table, ipa);
        ++*depth;
    }
    *size = table->span;
    return entry->kind == ENTRY_LEAF ? entry : NULL;
}

struct seen {
    struct walk_counts walk;
    uint64_t mapped;
};

/* Visits every entry of every table in [start, end), as the kernel's walker. */
static void naive_walk(const struct tree *tree, struct table *table, uint64_t start, uint64_t end,
                       struct seen *seen)
{
    for (uint64_t at = start; at < end;) {
        uint64_t stop = at - at % table->span + table->span;
        stop = stop < end ? stop : end;
        const struct entry *entry = entry_at(tree, table, at);
        if (entry->kind == ENTRY_TABLE) {
            seen->walk.tables++;
            naive_walk(tree, entry->child, at, stop, seen);
        } else {
            seen->walk.entries++;
            seen->mapped += entry->kind == ENTRY_LEAF ? stop - at : 0;
        }
        at = stop;
    }
}

/* --- random maps and unmaps on both --- */

struct pair {
    struct tree tree;
    struct stage2 stage2;
    struct pool pool;
    struct dice dice;
};

static uint64_t place(struct pair *pair, uint64_t unit)
{
    struct tree *tree = &pair->tree;
    uint64_t at = tree->base + roll(&pair->dice, tree->bytes);
    return at - at % unit;
}

static void pair_map(struct pair *pair)
{
    struct tree *tree = &pair->tree;
    int levels = tree->geometry.leaf_bytes[LEAF_GIG] ? 3 : 2;
    enum leaf_level level = chance(&pair->dice, 70) ? LEAF_PAGE : roll(&pair->dice, levels);
    uint64_t size = tree->geometry.leaf_bytes[level], before = tree->tables;
    uint64_t start = place(pair, size), most = level == LEAF_PAGE ? 1500 : 6;
    uint64_t count = chance(&pair->dice, 30) ? 1 : 1 + roll(&pair->dice, most);
    uint64_t left = (tree->base + tree->bytes - start) / size;
    uint64_t end = start + (count < left ? count : left) * size;
    struct seen seen = {0};
    naive_walk(tree, tree->root, start, end, &seen);
    if (seen.mapped > 0 || (level != LEAF_PAGE && stage2_mapped(&pair->stage2, start, end))) {
        return;
    }
    bool write = chance(&pair->dice, 50), fetch = chance(&pair->dice, 50);
    for (uint64_t at = start; at < end; at += size) {
        naive_map_one(tree, at, size, write, fetch);
    }
    struct leaves leaves = {start, end, level, write, fetch};
    assert_int_equal(stage2_tables_for(&pair->stage2, leaves), tree->tables - before);
    assert_int_equal(stage2_map(&pair->stage2, leaves), tree->tables - before);
}

/* Unmaps a random leaf and some of those behind it. */
static void pair_unmap(struct pair *pair)
{
    struct tree *tree = &pair->tree;
    struct leaves leaves;
    uint64_t before = tree->tables;
    if (!stage2_next(&pair->stage2, place(pair, 1), UINT64_MAX, &leaves)) {
        return;
    }
    uint64_t size = tree->geometry.leaf_bytes[leaves.level];
    leaves.start -= leaves.start % size;
    uint64_t count = (leaves.end - leaves.start) / size;
    count = chance(&pair->dice, 50) ? count : 1 + roll(&pair->dice, count);
    leaves.end = leaves.start + count * size;
    for (uint64_t at = leaves.start; at < leaves.end; at += size) {
        naive_unmap_one(tree, tree->root, at);
    }
    assert_int_equal(stage2_unmap(&pair->stage2, leaves), before - tree->tables);
}

static void expect_same_leaf(struct pair *pair, uint64_t ipa)
{
    uint64_t size, next = 0;
    uint32_t depth;
    struct leaves leaves;
    const struct entry *entry = naive_find(&pair->tree, ipa, &size, &depth);
    assert_int_equal(stage2_depth(&pair->stage2, ipa), depth);
    assert_int_equal(stage2_has_table(&pair->stage2, ipa),
                     depth == pair->tree.geometry.table_levels);
    assert_int_equal(stage2_lookup(&pair->stage2, ipa, &leaves, &next), entry != NULL);
    if (!entry) {
        assert_true(next > ipa);
        assert_int_equal(stage2_mapped(&pair->stage2, ipa, next), 0);
        return;
    }
    assert_int_equal(pair->tree.geometry.leaf_bytes[leaves.level], size);
    assert_int_equal(leaves.start, ipa - ipa % size);
    assert_true(leaves.end >= leaves.start + size);
    assert_int_equal(leaves.writable, entry->writable);
    assert_int_equal(leaves.executable, entry->executable);
}

static void expect_same_walk(struct pair *pair, uint64_t start, uint64_t end)
{
    struct seen seen = {0};
    naive_walk(&pair->tree, pair->tree.root, start, end, &seen);
    struct walk_counts walk = stage2_walk(&pair->stage2, start, end);
    assert_int_equal(walk.tables, seen.walk.tables);
    assert_int_equal(walk.entries, seen.walk.entries);
    assert_int_equal(stage2_mapped(&pair->stage2, start, end), seen.mapped);
}

static void expect_same(struct pair *pair)
{
    const struct tree *tree = &pair->tree;
    uint64_t block = tree->geometry.leaf_bytes[LEAF_BLOCK], top = tree->base + tree->bytes;
    assert_int_equal(pair->stage2.tables, tree->tables);
    for (int i = 0; i < 4; i++) {
        expect_same_leaf(pair, place(pair, 1));
        uint64_t start = place(pair, tree->geometry.page_bytes);
        uint64_t end = start + 1 + roll(&pair->dice, 4 * block);
        expect_same_walk(pair, start, end < top ? end : top);
    }
    if (chance(&pair->dice, 10)) {
        expect_same_walk(pair, tree->base, top);
    }
}

/* Windows lie across borders of tables of all levels, root entries included. */
struct window {
    uint64_t granule;
    uint32_t ipa_bits;
    uint64_t base, bytes;
};

static const struct window windows[] = {
    {4 * KIB, 32, 0, 64 * MIB},
    {4 * KIB, 40, GIB, 3 * GIB},
    {4 * KIB, 48, 0, TIB},
    {16 * KIB, 40, 32 * MIB, 256 * MIB},
    {16 * KIB, 44, 64 * GIB, 128 * GIB},
    {64 * KIB, 44, 0, 4 * GIB},
    {64 * KIB, 48, 0, 8 * TIB},
};

static void play(const struct window *window, uint64_t seed)
{
    struct pair pair = {.dice = dice_of(seed)};
    struct geometry geometry;
    struct error err;
    assert_true(geometry_init(&geometry, window->granule, window->ipa_bits, &err));
    interval_map_pool_init(&pair.pool, 4096);
    stage2_init(&pair.stage2, &geometry, &pair.pool);
    tree_init(&pair.tree, &geometry, window->base, window->bytes);
    for (int i = 0; i < 250; i++) {
        chance(&pair.dice, 60) ? pair_map(&pair) : pair_unmap(&pair);
        expect_same(&pair);
    }
    table_free(&pair.tree, pair.tree.root);
    pool_free(&pair.pool);
}

static void tables_and_walks_are_those_of_a_real_tree(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        for (uint64_t seed = 0; seed < 4; seed++) {
            play(&windows[i], 100 * i + seed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_and_walks_are_those_of_a_real_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

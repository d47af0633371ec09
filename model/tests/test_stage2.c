#include "check.h"

#include <string.h>

#include "core/error.h"
#include "core/units.h"
#include "kvm/stage2.h"

/* --- geometry --- */

struct shape {
    uint64_t granule;
    uint32_t ipa_bits, levels, root_tables;
    uint64_t root_span;
};

/* Arm's translation tables as KVM sets them up, by granule and IPA bits. */
static const struct shape shapes[] = {
    {4 * KIB, 32, 2, 4, 2 * MIB},     {4 * KIB, 36, 3, 1, GIB},
    {4 * KIB, 39, 3, 1, GIB},         {4 * KIB, 40, 3, 2, GIB},
    {4 * KIB, 42, 3, 8, GIB},         {4 * KIB, 43, 3, 16, GIB},
    {4 * KIB, 44, 4, 1, 512 * GIB},   {4 * KIB, 48, 4, 1, 512 * GIB},
    {4 * KIB, 52, 4, 16, 512 * GIB},  {16 * KIB, 36, 2, 1, 32 * MIB},
    {16 * KIB, 39, 2, 8, 32 * MIB},   {16 * KIB, 40, 2, 16, 32 * MIB},
    {16 * KIB, 42, 3, 1, 64 * GIB},   {16 * KIB, 44, 3, 1, 64 * GIB},
    {16 * KIB, 48, 3, 2, 64 * GIB},   {64 * KIB, 36, 2, 1, 512 * MIB},
    {64 * KIB, 42, 2, 1, 512 * MIB},  {64 * KIB, 44, 2, 4, 512 * MIB},
    {64 * KIB, 46, 2, 16, 512 * MIB}, {64 * KIB, 48, 3, 1, 4 * TIB},
    {64 * KIB, 52, 3, 1, 4 * TIB},    {64 * KIB, 32, 2, 1, 512 * MIB},
};

static uint64_t entries_of(const struct geometry *geometry)
{
    return geometry->page_bytes / 8;
}

static void expect_shape(const struct shape *shape, const struct geometry *geometry)
{
    uint64_t root_table = shape->root_span * entries_of(geometry);
    uint64_t whole = UINT64_C(1) << shape->ipa_bits;
    assert_int_equal(geometry->levels, shape->levels);
    assert_int_equal(geometry->table_levels, shape->levels - 1);
    assert_int_equal(geometry->root_span, shape->root_span);
    assert_int_equal((whole + root_table - 1) / root_table, shape->root_tables);
    uint64_t span = geometry->page_bytes;
    for (uint32_t i = 0; i < geometry->table_levels; i++) {
        span *= entries_of(geometry);
        assert_int_equal(geometry->table_span[i], span);
    }
    assert_int_equal(span, geometry->root_span);
}

/* The chunk is the kernel's smallest block level, whatever the root's level. */
static void expect_leaves(const struct shape *shape, const struct geometry *geometry)
{
    static const uint64_t block[] = {2 * MIB, 32 * MIB, 512 * MIB};
    int i = shape->granule == 4 * KIB ? 0 : shape->granule == 16 * KIB ? 1 : 2;
    assert_int_equal(geometry->leaf_bytes[LEAF_PAGE], shape->granule);
    assert_int_equal(geometry->leaf_bytes[LEAF_BLOCK], block[i]);
    assert_int_equal(geometry->leaf_bytes[LEAF_GIG], i == 0 && shape->levels > 2 ? GIB : 0);
    assert_int_equal(geometry->chunk_bytes, i == 0 ? GIB : block[i]);
}

static void geometry_is_the_architecture_s(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct geometry geometry;
        struct error err;
        assert_true(geometry_init(&geometry, shapes[i].granule, shapes[i].ipa_bits, &err));
        expect_shape(&shapes[i], &geometry);
        expect_leaves(&shapes[i], &geometry);
    }
}

static void odd_geometries_are_refused(void **state)
{
    (void)state;
    struct geometry geometry;
    struct error err;
    assert_false(geometry_init(&geometry, 8 * KIB, 40, &err));
    assert_non_null(strstr(err.text, "granule"));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_false(geometry_init(&geometry, 4 * KIB, 31, &err));
    assert_non_null(strstr(err.text, "ipa_bits"));
    assert_false(geometry_init(&geometry, 4 * KIB, 53, &err));
}

/* --- rules of their own --- */

static struct stage2 small_stage2(struct pool *pool)
{
    struct geometry geometry;
    struct stage2 stage2;
    struct error err;
    assert_true(geometry_init(&geometry, 4 * KIB, 40, &err));
    interval_map_pool_init(pool, 64);
    stage2_init(&stage2, &geometry, pool);
    return stage2;
}

static void relaxing_changes_permissions_only(void **state)
{
    (void)state;
    struct pool pool;
    struct stage2 stage2 = small_stage2(&pool);
    struct leaves leaves = {.start = GIB, .end = GIB + 64 * KIB};
    uint64_t next;
    assert_int_equal(stage2_map(&stage2, leaves), 2);
    stage2_relax(&stage2, (struct leaves){GIB + 4 * KIB, GIB + 8 * KIB, LEAF_PAGE, true, true});
    assert_int_equal(stage2.tables, 2);
    assert_true(stage2_lookup(&stage2, GIB + 4 * KIB, &leaves, &next));
    assert_true(leaves.writable && leaves.executable);
    assert_int_equal(leaves.end, GIB + 8 * KIB);
    assert_true(stage2_lookup(&stage2, GIB, &leaves, &next));
    assert_false(leaves.writable || leaves.executable);
    pool_free(&pool);
}

static void map_what_is_mapped(void)
{
    struct pool pool;
    struct stage2 stage2 = small_stage2(&pool);
    struct leaves leaves = {.start = GIB, .end = GIB + 8 * KIB};
    stage2_map(&stage2, leaves);
    stage2_map(&stage2, leaves);
}

static void map_half_a_block(void)
{
    struct pool pool;
    struct stage2 stage2 = small_stage2(&pool);
    stage2_map(&stage2, (struct leaves){.start = GIB, .end = GIB + MIB, .level = LEAF_BLOCK});
}

static struct leaves odd;

static void map_odd(void)
{
    struct pool pool;
    struct stage2 stage2 = small_stage2(&pool);
    stage2_map(&stage2, odd);
}

static void relax_odd(void)
{
    struct pool pool;
    struct stage2 stage2 = small_stage2(&pool);
    stage2_map(&stage2, (struct leaves){.start = GIB, .end = GIB + 4 * MIB, .level = LEAF_BLOCK});
    stage2_relax(&stage2, odd);
}

static void unmap_odd(void)
{
    struct pool pool;
    struct stage2 stage2 = small_stage2(&pool);
    stage2_map(&stage2, (struct leaves){.start = GIB, .end = GIB + 4 * MIB, .level = LEAF_BLOCK});
    stage2_unmap(&stage2, odd);
}

static void broken_contracts_abort(void **state)
{
    (void)state;
    expect_abort(map_what_is_mapped);
    expect_abort(map_half_a_block);
    const struct leaves all[] = {
        {.start = GIB + MIB, .end = GIB + 2 * MIB, .level = LEAF_BLOCK},
        {.start = GIB, .end = GIB + 3 * MIB, .level = LEAF_BLOCK},
        {.start = GIB + MIB, .end = GIB + 3 * MIB, .level = LEAF_BLOCK},
        {.start = GIB + 2 * MIB, .end = GIB + 2 * MIB, .level = LEAF_BLOCK},
        {.start = GIB + 4 * MIB, .end = GIB + 2 * MIB, .level = LEAF_BLOCK},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        odd = all[i];
        expect_abort(map_odd);
        expect_abort(relax_odd);
        expect_abort(unmap_odd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geometry_is_the_architecture_s),
        cmocka_unit_test(odd_geometries_are_refused),
        cmocka_unit_test(relaxing_changes_permissions_only),
        cmocka_unit_test(broken_contracts_abort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

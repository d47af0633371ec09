/* Dirty logging page by page: what each clear, round, split and collapse counts, worked out by hand
 * for the edges of ranges, blocks and slots. */
#include "logging.h"

#define SLOT_PAGES 2048 /* of 8 MiB */
#define LOG_SPLIT                                      \
    {                                                  \
        .go = do_log, .on = true, .n = LOG_START_SPLIT \
    }

static bool writable(struct rig *rig, uint64_t page)
{
    return leaf_at(rig, page).writable;
}

/* --- clears --- */

/* Of the pages that were written since logging began those in the range lose the permission, and no
 * others; TLBs are invalidated where there were any. */
static void a_clear_protects_what_it_names(void **state)
{
    static const struct act written[] = {WRITE(0),   WRITE(5),   WRITE(6),   WRITE(511),
                                         WRITE(512), WRITE(513), WRITE(2047)};
    static const unsigned pages[] = {0, 5, 6, 511, 512, 513, 2047};
    static const struct {
        unsigned page, count;
        unsigned protects; /* bit i: pages[i] */
    } cases[] = {
        {0, 2048, 0x7f}, {5, 1, 0x02},      {6, 505, 0x04},    {511, 2, 0x18},
        {1, 4, 0},       {513, 1534, 0x20}, {513, 1535, 0x60}, {7, 504, 0},
        {0, 1, 0x01},    {2047, 1, 0x40},   {0, 5, 0x01},      {514, 1533, 0},
    };
    const size_t count = sizeof pages / sizeof *pages;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct act clear = CLEAR(cases[i].page, cases[i].count), on = LOG_ON;
        struct act acts[20] = {on};
        memcpy(acts + 1, written, sizeof written);
        acts[1 + count] = clear;
        acts[2 + count] = clear; /* nothing is left to protect */
        struct rig rig;
        rig_init(&rig, &(struct rig_setup){.kernel = "6.1", .strategy = "unmap"});
        rig_alone(&rig, acts);
        for (size_t k = 0; k < count; k++) {
            assert_int_equal(writable(&rig, pages[k]), !(cases[i].protects >> k & 1));
        }
        uint64_t protects = (uint64_t)__builtin_popcount(cases[i].protects);
        assert_int_equal(rig_count(&rig, SITE_SLOT, EV_wrprotect_leaves), protects);
        assert_int_equal(rig_all(&rig, EV_wrprotect_leaves), protects);
        /* Logging that begins invalidates in any case. */
        assert_int_equal(rig_count(&rig, SITE_SLOT, EV_tlbi_vmid), 1 + (protects > 0));
        rig_free(&rig);
    }
}

/* A block of which the range has a part is protected whole. */
static void a_clear_protects_whole_blocks(void **state)
{
    static const struct {
        unsigned page, count, protects; /* bit i: block i */
    } cases[] = {
        {0, 1, 0x1},    {511, 1, 0x1},  {511, 2, 0x3},  {512, 512, 0x2},
        {1023, 2, 0x6}, {0, 2048, 0xf}, {2047, 1, 0x8}, {700, 900, 0xe},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct act acts[] = {{.go = do_write, .at = 0, .bytes = 8 * MIB},
                                   ALL_DIRTY,
                                   CLEAR(cases[i].page, cases[i].count),
                                   {0}};
        struct rig rig;
        rig_init(&rig,
                 &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP});
        rig_alone(&rig, acts);
        for (unsigned block = 0; block < 4; block++) {
            for (unsigned page = 0; page < 512; page += 511) {
                assert_int_equal(writable(&rig, 512 * block + page),
                                 !(cases[i].protects >> block & 1));
            }
            assert_int_equal(leaf_at(&rig, 512 * block).level, LEAF_BLOCK);
        }
        assert_int_equal(rig_all(&rig, EV_wrprotect_leaves), __builtin_popcount(cases[i].protects));
        assert_int_equal(rig_all(&rig, EV_tlbi_vmid), 1);
        rig_free(&rig);
    }
}

/* Only the slots that the range meets, each with an invalidation of its own. */
static void a_clear_goes_by_slots(void **state)
{
    static const struct {
        uint64_t at, bytes;
        unsigned protects; /* bit i: slot i */
    } cases[] = {
        {0, 8 * MIB, 1},       {8 * MIB, 8 * MIB, 2},        {4 * MIB, 8 * MIB, 3},
        {0, 16 * MIB, 3},      {16 * MIB, 8 * MIB, 0},       {8 * MIB - 4 * KIB, 4 * KIB, 1},
        {8 * MIB, 4 * KIB, 2}, {16 * MIB - 4 * KIB, MIB, 2}, {8 * MIB - 4 * KIB, 8 * KIB, 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct act acts[] = {{.go = do_write, .at = 0, .bytes = 16 * MIB},
                                   ALL_DIRTY,
                                   {.go = do_clear, .at = cases[i].at, .bytes = cases[i].bytes},
                                   {0}};
        struct rig rig;
        rig_init(&rig, &(struct rig_setup){.kernel = "6.6",
                                           .strategy = "unmap",
                                           .backing = BACKING_THP,
                                           .tlbirange = true});
        struct memslot more = rig.kvm.slots[0];
        more.ipa += 8 * MIB;
        more.area.start += 64 * MIB;
        more.area.end += 64 * MIB;
        kvm_add_slot(&rig.kvm, more);
        rig_alone(&rig, acts);
        for (unsigned slot = 0; slot < 2; slot++) {
            bool first = writable(&rig, 2048 * slot), last = writable(&rig, 2048 * slot + 2047);
            assert_int_equal(!first || !last, cases[i].protects >> slot & 1);
        }
        /* A slot of 2,048 pages takes one invalidation by range. */
        assert_int_equal(rig_all(&rig, EV_tlbi_range), __builtin_popcount(cases[i].protects));
        rig_free(&rig);
    }
}

/* --- what is copied --- */

/* A bit for each page, in whole KiB: of each slot that is there. */
static void a_get_copies_a_bit_for_each_page(void **state)
{
    static const struct {
        uint64_t bytes, kib;
    } cases[] = {
        {8 * MIB, 1},  {32 * MIB - 4 * KIB, 1}, {32 * MIB, 1},  {32 * MIB + 4 * KIB, 2},
        {64 * MIB, 2}, {64 * MIB + 4 * KIB, 3}, {256 * MIB, 8},
    };
    static const struct act acts[] = {LOG_ON, GET, ROUND, {0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int slots = 1; slots <= 3; slots++) {
            struct rig rig;
            rig_init(&rig, &(struct rig_setup){
                               .kernel = "6.1", .strategy = "unmap", .bytes = cases[i].bytes});
            for (int more = 1; more < slots; more++) { /* the third is none any more */
                struct memslot slot = rig.kvm.slots[0];
                slot.ipa += (uint64_t)more * GIB;
                slot.area.start += (uint64_t)more * GIB;
                slot.area.end += (uint64_t)more * GIB;
                kvm_add_slot(&rig.kvm, slot);
                rig.kvm.slots[more].live = more == 1;
            }
            rig_alone(&rig, acts);
            assert_int_equal(rig_count(&rig, SITE_SLOT, EV_vmm_bytes),
                             2 * cases[i].kib * (slots > 1 ? 2 : 1));
            rig_free(&rig);
        }
    }
}

/* --- splits --- */

/* Of four blocks one is split by a write to two of its pages, one is there, one is of pages, one is
 * missing: the block that is there becomes 512 leaves, with one table and one invalidation. */
static void eager_splits_take_blocks_alone(void **state)
{
    static const struct act acts[] = {WRITE(0), LOG_ON,     WRITE(3),  WRITE(7),
                                      LOG_OFF,  WRITE(600), LOG_SPLIT, {0}};
    struct rig rig;
    (void)state;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.5", .strategy = "unmap", .backing = BACKING_THP});
    rig_alone(&rig, acts);
    assert_int_equal(rig.kvm.stage2.map.covered, 2 * MIB + 8 * KIB);
    assert_int_equal(leaf_at(&rig, 512).level, LEAF_PAGE);
    assert_int_equal(leaf_at(&rig, 1023).level, LEAF_PAGE);
    assert_false(writable(&rig, 600) || writable(&rig, 3) || writable(&rig, 7));
    /* One for the block that the write splits, one for the eager split. */
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 2);
    assert_int_equal(rig_count(&rig, SITE_SLOT, EV_tlbi_calls), 1);
    assert_int_equal(rig_count(&rig, SITE_SLOT, EV_s2_tables_alloc), 1);
    assert_int_equal(rig_all(&rig, EV_s2_tables_alloc), 3); /* of blocks, and two of pages */
    /* The block at first; then the block and the two pages. */
    assert_int_equal(rig_count(&rig, SITE_SLOT, EV_wrprotect_leaves), 1 + 3);
    assert_int_equal(rig.kvm.stage2.tables, 3);
    rig_free(&rig);
}

static void all_blocks_of_a_slot_are_split(void **state)
{
    static const struct act acts[] = {
        {.go = do_write, .at = 0, .bytes = 8 * MIB}, LOG_SPLIT, WRITE(1000), {0}};
    struct rig rig;
    (void)state;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.5", .strategy = "unmap", .backing = BACKING_THP});
    rig_alone(&rig, acts);
    for (uint64_t page = 0; page < SLOT_PAGES; page++) {
        assert_int_equal(leaf_at(&rig, page).level, LEAF_PAGE);
        assert_int_equal(writable(&rig, page), page == 1000);
    }
    assert_int_equal(rig_count(&rig, SITE_SLOT, EV_tlbi_calls), 4);
    assert_int_equal(rig_count(&rig, SITE_SLOT, EV_s2_tables_alloc), 4);
    assert_int_equal(rig_count(&rig, SITE_SLOT, EV_wrprotect_leaves), 4);
    assert_int_equal(rig_all(&rig, EV_relax_calls), 1);
    assert_int_equal(rig.kvm.stage2.tables, 5);
    rig_free(&rig);
}

/* What is cleared is split by a walk that has it alone: the blocks that the range meets. */
static void clears_split_the_blocks_they_meet(void **state)
{
    static const struct {
        unsigned page, count, splits; /* bit i: block i */
    } cases[] = {{0, 1, 0x1}, {511, 2, 0x3}, {512, 1024, 0x6}, {2047, 1, 0x8}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct act acts[] = {{.go = do_write, .at = 0, .bytes = 8 * MIB},
                                   {.go = do_log, .on = true, .n = LOG_START_ALL_DIRTY_SPLIT},
                                   CLEAR(cases[i].page, cases[i].count),
                                   {0}};
        struct rig rig;
        rig_init(&rig,
                 &(struct rig_setup){.kernel = "6.5", .strategy = "unmap", .backing = BACKING_THP});
        rig_alone(&rig, acts);
        for (unsigned block = 0; block < 4; block++) {
            bool split = cases[i].splits >> block & 1;
            for (unsigned page = 0; page < 512; page += 511) {
                assert_int_equal(leaf_at(&rig, 512 * block + page).level,
                                 split ? LEAF_PAGE : LEAF_BLOCK);
                assert_int_equal(writable(&rig, 512 * block + page), !split);
            }
        }
        assert_int_equal(rig_all(&rig, EV_tlbi_calls), __builtin_popcount(cases[i].splits));
        assert_int_equal(rig_all(&rig, EV_wrprotect_leaves), __builtin_popcount(cases[i].splits));
        rig_free(&rig);
    }
}

/* Logging that goes off and on again in another way forgets what clears did. */
static void clears_split_only_where_all_was_dirty(void **state)
{
    static const struct act acts[] = {
        WRITE(0),    {.go = do_log, .on = true, .n = LOG_START_ALL_DIRTY_SPLIT},
        LOG_OFF,     ALL_DIRTY,
        CLEAR(0, 1), {0}};
    struct rig rig;
    (void)state;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.5", .strategy = "unmap", .backing = BACKING_THP});
    rig_alone(&rig, acts);
    assert_int_equal(leaf_at(&rig, 0).level, LEAF_BLOCK);
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 0);
    rig_free(&rig);
}

/* --- collapses --- */

/* A block comes back in place of the leaves that are there: so many are taken out one by one, and
 * kernels that walk back up visit the table's entries and the table once more. */
static void a_collapse_counts_its_leaves(void **state)
{
    static const unsigned counts[] = {1, 2, 5};
    uint64_t visits[2];
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (int post = 0; post < 2; post++) {
            struct act acts[16] = {WRITE(0), LOG_ON};
            const struct act off = LOG_OFF, again = WRITE(300);
            for (unsigned k = 0; k < counts[i]; k++) {
                acts[2 + k] = (struct act)WRITE(10 + 3 * k);
            }
            acts[2 + counts[i]] = off;
            struct rig rig;
            const struct rig_setup setup = {.kernel = "6.1",
                                            .switches = post ? "map_post=yes" : "map_post=no",
                                            .strategy = "unmap",
                                            .backing = BACKING_THP};
            rig_init(&rig, &setup);
            rig_alone(&rig, acts);
            uint64_t before = rig_all(&rig, EV_walk_map);
            rig_free(&rig);
            acts[3 + counts[i]] = again;
            rig_init(&rig, &setup);
            rig_alone(&rig, acts);
            visits[post] = rig_all(&rig, EV_walk_map) - before;
            assert_int_equal(rig_all(&rig, EV_collapsed_leaves), counts[i]);
            assert_int_equal(rig_all(&rig, EV_s2_tables_free), 1);
            assert_int_equal(rig_all(&rig, EV_tlbi_vmid), 2);
            assert_int_equal(rig.kvm.stage2.map.covered, 2 * MIB);
            assert_int_equal(rig.kvm.stage2.tables, 1);
            rig_free(&rig);
        }
        /* The block stands at depth 2: two visits, a third on the way back. */
        assert_int_equal(visits[0], 2);
        assert_int_equal(visits[1], 3 + 512 + 1);
    }
}

/* Whether leaves of another size are in the way. */
static void leaves_in_the_way(void **state)
{
    static const struct act acts[] = {WRITE(0), LOG_ON, WRITE(515), LOG_OFF, {0}};
    static const struct {
        uint64_t page, pages;
        enum leaf_level level;
        bool smaller, larger; /* with and without split */
    } cases[] = {
        {0, 512, LEAF_BLOCK, false, false},    {3, 1, LEAF_PAGE, false, true},
        {512, 512, LEAF_BLOCK, true, true},    {515, 1, LEAF_PAGE, false, false},
        {516, 1, LEAF_PAGE, false, false},     {514, 1, LEAF_PAGE, false, false},
        {1024, 512, LEAF_BLOCK, false, false},
    };
    struct rig rig;
    (void)state;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP});
    rig_alone(&rig, acts);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct leaves wanted = {.start = RIG_IPA + cases[i].page * 4 * KIB,
                                      .end = RIG_IPA + (cases[i].page + cases[i].pages) * 4 * KIB,
                                      .level = cases[i].level};
        assert_int_equal(kvm_other_size(&rig.kvm, wanted, false), cases[i].smaller);
        assert_int_equal(kvm_other_size(&rig.kvm, wanted, true), cases[i].larger);
    }
    rig_free(&rig);
}

/* --- holds --- */

/* Who waits is let in at the ends of the kernel's chunks, which begin at their multiples: of a slot
 * that begins half a chunk in, the first hold is of half a chunk. */
static void chunks_end_at_their_multiples(void **state)
{
    static const struct act first[] = {LOG_ON, {0}};
    static const struct act second[] = {
        {.go = do_wait, .n = PS_PER_NS}, {.go = do_read, .at = 512 * MIB, .bytes = 64}, {0}};
    static const struct act *const acts[] = {first, second};
    (void)state;
    for (int preemptible = 0; preemptible < 2; preemptible++) {
        struct rig rig;
        rig_init(&rig, &(struct rig_setup){.kernel = "6.1",
                                           .strategy = "unmap",
                                           .backing = BACKING_4K,
                                           .bytes = 2 * GIB,
                                           .preemptible = preemptible});
        rig.kvm.slots[0].ipa += 512 * MIB;
        for (uint64_t half = 1; half <= 2; half++) { /* 16,384 leaves, behind 2 GiB twice as many */
            stage2_map(&rig.kvm.stage2, (struct leaves){.start = RIG_IPA + (half * 512 + 64) * MIB,
                                                        .end = RIG_IPA + (half * 576 + 64) * MIB,
                                                        .level = LEAF_PAGE,
                                                        .writable = true});
        }
        rig.price[EV_wrprotect_leaves] = PS_PER_NS;
        rig_play(&rig, acts, 2);
        assert_int_equal(rig_all(&rig, EV_wrprotect_leaves), 3 * 16384);
        assert_int_equal(rig.kvm.mmu_lock.longest_write_ps,
                         (preemptible ? 2 * 16384 + 50 : 3 * 16384) * PS_PER_NS); /* a hand-over */
        rig_free(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clear_protects_what_it_names),
        cmocka_unit_test(a_clear_protects_whole_blocks),
        cmocka_unit_test(a_clear_goes_by_slots),
        cmocka_unit_test(a_get_copies_a_bit_for_each_page),
        cmocka_unit_test(eager_splits_take_blocks_alone),
        cmocka_unit_test(all_blocks_of_a_slot_are_split),
        cmocka_unit_test(clears_split_the_blocks_they_meet),
        cmocka_unit_test(clears_split_only_where_all_was_dirty),
        cmocka_unit_test(a_collapse_counts_its_leaves),
        cmocka_unit_test(leaves_in_the_way),
        cmocka_unit_test(chunks_end_at_their_multiples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

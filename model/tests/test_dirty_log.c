#include "logging.h"

static void logging_takes_write_permission_and_drops_the_tlb(void **state)
{
    (void)state;
    static const struct act acts[] = {WRITE(0), LOG_ON, {0}};
    struct rig rig;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP});
    rig_alone(&rig, acts);
    assert_false(leaf_at(&rig, 0).writable);
    assert_int_equal(leaf_at(&rig, 0).level, LEAF_BLOCK);
    assert_int_equal(rig_all(&rig, EV_wrprotect_leaves), 1);
    assert_int_equal(rig_all(&rig, EV_tlbi_vmid), 1);
    assert_int_equal(rig_all(&rig, EV_tlbi_range), 0);
    rig_free(&rig);
}

/* Of three mapped pages two are written while logging is on: a round takes the permission from
 * those, a second one finds none, and the next write faults again. */
static void a_round_protects_what_was_written(void **state)
{
    (void)state;
    static const struct act acts[] = {WRITE(0), WRITE(1), WRITE(2), LOG_ON,   WRITE(0),
                                      WRITE(2), ROUND,    ROUND,    WRITE(2), {0}};
    struct rig rig;
    rig_init(&rig, &(struct rig_setup){.kernel = "6.1", .strategy = "unmap"});
    rig_alone(&rig, acts);
    assert_false(leaf_at(&rig, 0).writable);
    assert_false(leaf_at(&rig, 1).writable);
    assert_true(leaf_at(&rig, 2).writable);
    assert_int_equal(rig_all(&rig, EV_wrprotect_leaves), 3 + 2);
    assert_int_equal(rig_all(&rig, EV_tlbi_vmid), 1 + 1);
    assert_int_equal(rig_all(&rig, EV_relax_calls), 2 + 1);
    rig_free(&rig);
}

/* Taking the log and clearing it apart: the first protects nothing, the second what was written of
 * its range, and it invalidates for the whole slot. A get copies a bit for each page. */
static void get_and_clear_are_apart(void **state)
{
    (void)state;
    static const struct act acts[] = {WRITE(0),    WRITE(1), WRITE(2),    LOG_ON,
                                      WRITE(0),    WRITE(2), GET,         CLEAR(0, 2),
                                      CLEAR(0, 2), WRITE(2), CLEAR(2, 1), {0}};
    struct rig rig;
    rig_init(&rig, &(struct rig_setup){.kernel = "6.1", .strategy = "unmap"});
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_wrprotect_leaves), 3 + 1 + 1);
    assert_int_equal(rig_all(&rig, EV_tlbi_vmid), 1 + 1 + 1);
    assert_int_equal(rig_all(&rig, EV_relax_calls), 2);
    assert_int_equal(rig_all(&rig, EV_vmm_bytes), 1);
    rig_free(&rig);
}

/* Where all counts as dirty from the start, nothing is protected before it is cleared. */
static void all_is_dirty_from_the_start(void **state)
{
    (void)state;
    static const struct act before[] = {WRITE(0), WRITE(1), ALL_DIRTY, WRITE(0), {0}};
    static const struct act after[] = {WRITE(0),    WRITE(1), ALL_DIRTY, WRITE(0),
                                       CLEAR(0, 2), WRITE(1), {0}};
    struct rig rig;
    rig_init(&rig, &(struct rig_setup){.kernel = "6.1", .strategy = "unmap"});
    rig_alone(&rig, before);
    assert_int_equal(rig_all(&rig, EV_wrprotect_leaves), 0);
    assert_int_equal(rig_all(&rig, EV_relax_calls), 0);
    rig_free(&rig);
    rig_init(&rig, &(struct rig_setup){.kernel = "6.1", .strategy = "unmap"});
    rig_alone(&rig, after);
    assert_int_equal(rig_all(&rig, EV_wrprotect_leaves), 2);
    assert_int_equal(rig_all(&rig, EV_relax_calls), 1);
    rig_free(&rig);
}

/* Where the VMM has set a chunk size, too, what is cleared is split then: the whole block around
 * a part of it, once, and only by kernels that can. */
static void what_is_cleared_is_split(void **state)
{
    (void)state;
    static const struct act acts[] = {
        WRITE(0),    WRITE(600),   {.go = do_log, .on = true, .n = LOG_START_ALL_DIRTY_SPLIT},
        CLEAR(3, 2), CLEAR(40, 2), {0}};
    struct rig rig;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.16", .strategy = "unmap", .backing = BACKING_THP});
    rig_alone(&rig, acts);
    assert_int_equal(leaf_at(&rig, 511).level, LEAF_PAGE);
    assert_false(leaf_at(&rig, 511).writable);
    assert_int_equal(leaf_at(&rig, 600).level, LEAF_BLOCK);
    assert_true(leaf_at(&rig, 600).writable);
    assert_int_equal(rig_all(&rig, EV_wrprotect_leaves), 1);
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 1);
    rig_free(&rig);
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP});
    rig_alone(&rig, acts);
    assert_int_equal(leaf_at(&rig, 511).level, LEAF_BLOCK);
    assert_false(leaf_at(&rig, 511).writable);
    rig_free(&rig);
}

static void range_invalidation_is_used_without_fwb_too(void **state)
{
    (void)state;
    static const struct act acts[] = {WRITE(0), LOG_ON, {0}};
    struct rig rig;
    rig_init(&rig,
             &(struct rig_setup){
                 .kernel = "6.6", .strategy = "unmap", .backing = BACKING_THP, .tlbirange = true});
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_tlbi_vmid), 0);
    assert_int_equal(rig_all(&rig, EV_tlbi_range), 1);
    rig_free(&rig);
}

/* The one page behind the blocks is no range. */
static void an_odd_page_is_invalidated_alone(void **state)
{
    (void)state;
    static const struct act acts[] = {WRITE(0), LOG_ON, {0}};
    struct rig rig;
    rig_init(&rig, &(struct rig_setup){.kernel = "6.6",
                                       .strategy = "unmap",
                                       .bytes = 8 * MIB + 4 * KIB,
                                       .tlbirange = true});
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_tlbi_range), 1);
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 1);
    rig_free(&rig);
}

/* One page of the block is mapped again, the others are not. */
static void split(const char *kernel, uint64_t lines)
{
    static const struct act acts[] = {WRITE(0), LOG_ON, WRITE(3), {0}};
    struct rig rig;
    rig_init(&rig,
             &(struct rig_setup){.kernel = kernel, .strategy = "unmap", .backing = BACKING_THP});
    rig_alone(&rig, acts);
    assert_int_equal(rig.kvm.stage2.map.covered, 4 * KIB);
    assert_int_equal(leaf_at(&rig, 3).level, LEAF_PAGE);
    assert_true(leaf_at(&rig, 3).writable);
    assert_int_equal(rig_all(&rig, EV_data_perm_w), 1);
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 1);
    assert_int_equal(rig_all(&rig, EV_map_4k), 1);
    assert_int_equal(rig_all(&rig, EV_relax_calls), 0);
    /* The L2 table from the start and the new L3 table. */
    assert_int_equal(rig_all(&rig, EV_s2_tables_alloc), 2);
    assert_int_equal(rig_all(&rig, EV_s2_tables_free), 0);
    assert_int_equal(rig_lines(&rig, LEDGER_ALL), 32768 + lines);
    rig_free(&rig);
}

static void a_write_splits_a_block(void **state)
{
    (void)state;
    split("6.1", 64);
    split("6.6", 64);
    split("5.14", 64);
    split("5.10", 0); /* a permission fault: nothing is cleaned */
}

static void reads_of_a_split_block_stay_read_only(void **state)
{
    (void)state;
    static const struct act acts[] = {WRITE(0), LOG_ON, WRITE(3), READ(4), WRITE(4), {0}};
    struct rig rig;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP});
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_data_tr_r), 1);
    assert_int_equal(rig_all(&rig, EV_relax_calls), 1); /* the write to page 4 */
    assert_int_equal(rig_all(&rig, EV_data_perm_w), 2);
    assert_true(leaf_at(&rig, 4).writable);
    rig_free(&rig);
}

/* After logging the next fault in the block makes it one again; leaves that are
 * as they should be do not fault. */
static void collapse(const char *kernel, bool by_permission, uint64_t lines)
{
    static const struct act missing[] = {WRITE(0), LOG_ON,   WRITE(3), LOG_OFF,
                                         WRITE(3), WRITE(9), {0}};
    static const struct act read_only[] = {WRITE(0), LOG_ON,   WRITE(3), READ(9),
                                           LOG_OFF,  WRITE(9), {0}};
    struct rig rig;
    rig_init(&rig,
             &(struct rig_setup){.kernel = kernel, .strategy = "unmap", .backing = BACKING_THP});
    rig_alone(&rig, by_permission ? read_only : missing);
    assert_int_equal(leaf_at(&rig, 9).level, LEAF_BLOCK);
    assert_true(leaf_at(&rig, 9).writable);
    assert_int_equal(rig.kvm.stage2.map.covered, 2 * MIB);
    assert_int_equal(rig_all(&rig, EV_map_2m), 2);
    assert_int_equal(rig_all(&rig, EV_collapsed_leaves), by_permission ? 2 : 1);
    assert_int_equal(rig_all(&rig, EV_tlbi_vmid), 2); /* log on, collapse */
    assert_int_equal(rig_all(&rig, EV_s2_tables_free), 1);
    assert_int_equal(rig_all(&rig, EV_relax_calls), 0);
    assert_int_equal(rig_lines(&rig, LEDGER_ALL), lines);
    rig_free(&rig);
}

static void a_table_becomes_a_block_again(void **state)
{
    (void)state;
    collapse("6.1", false, UINT64_C(2) * 32768 + 64);
    collapse("6.1", true, UINT64_C(2) * 32768 + 128);
    collapse("5.10", false, UINT64_C(2) * 32768);
    collapse("5.10", true, 32768 + 64); /* the read of page 9 was no permission fault */
}

/* A TLB invalidation for the slot's protection, and one for each block that is split, where the
 * kernel can: before 6.5 the write splits the one that it is to. */
static void eager_splitting_leaves_relaxations_only(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {.go = do_write, .at = 0, .bytes = 8 * MIB}, {.go = do_log, .on = true, .n = 1}, {0}};
    static const struct act more[] = {WRITE(0), {.go = do_log, .on = true, .n = 1}, WRITE(3), {0}};
    struct rig rig;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.5", .strategy = "unmap", .backing = BACKING_THP});
    rig_alone(&rig, acts);
    assert_int_equal(rig.kvm.stage2.map.covered, 8 * MIB);
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 4);
    assert_int_equal(rig_all(&rig, EV_tlbi_vmid), 1);
    rig_free(&rig);
    for (int can = 0; can <= 1; can++) {
        rig_init(&rig, &(struct rig_setup){.kernel = can ? "6.5" : "6.4",
                                           .strategy = "unmap",
                                           .backing = BACKING_THP});
        rig_alone(&rig, more);
        assert_int_equal(rig.kvm.stage2.map.covered, can ? 2 * MIB : 4 * KIB);
        assert_int_equal(leaf_at(&rig, 3).level, LEAF_PAGE);
        assert_int_equal(rig_all(&rig, EV_relax_calls), can);
        assert_int_equal(rig_all(&rig, EV_map_calls), can ? 1 : 2);
        rig_free(&rig);
    }
}

/* Where CPU and kernel both have it: half a sequence more of each one, and no more sequences. */
static void an_erratum_broadcasts_once_more(void **state)
{
    (void)state;
    static const struct act acts[] = {WRITE(0), LOG_ON, WRITE(3), {0}};
    ps_t busy[4];
    for (int i = 0; i < 4; i++) {
        struct rig rig;
        rig_init(&rig, &(struct rig_setup){.kernel = i & 1 ? "7.2" : "7.1",
                                           .strategy = "unmap",
                                           .backing = BACKING_THP,
                                           .erratum_4118414 = i & 2});
        rig_alone(&rig, acts);
        assert_int_equal(rig_all(&rig, EV_tlbi_calls) + rig_all(&rig, EV_tlbi_vmid), 2);
        assert_int_equal(rig_all(&rig, EV_tlbi_third), i == 3 ? 2 : 0);
        struct ledger_slice all = {LEDGER_ALL, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL};
        busy[i] = ledger_busy(&rig.ledger, all);
        rig_free(&rig);
    }
    assert_int_equal(busy[3] - busy[1], 700 * PS_PER_NS);
    assert_int_equal(busy[2], busy[0]);
}

static void do_add(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)act;
    kvm_slot_add(actor, &rig->kvm, 0);
}

/* There is nothing in it to protect, and TLBs are invalidated all the same. */
static void a_slot_added_under_logging_invalidates(void **state)
{
    (void)state;
    static const struct act logged[] = {LOG_ON, {.go = do_add}, {0}};
    static const struct act not_logged[] = {{.go = do_add}, {0}};
    struct rig rig;
    for (int log = 0; log <= 1; log++) {
        rig_init(&rig,
                 &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP});
        rig_alone(&rig, log ? logged : not_logged);
        assert_int_equal(rig_all(&rig, EV_tlbi_vmid), log ? 2 : 0);
        rig_free(&rig);
    }
}

/* Who waits for the lock of a walk that protects gets it at the chunk's end, and does not wait for
 * the invalidation. */
static void protecting_gives_the_lock_up_between_chunks(void **state)
{
    (void)state;
    static const struct act first[] = {LOG_ON, {0}};
    static const struct act second[] = {{.go = do_wait, .n = PS_PER_NS}, READ(0), {0}};
    static const struct act *const acts[] = {first, second};
    ps_t hold[2];
    for (int preemptible = 0; preemptible <= 1; preemptible++) {
        struct rig rig;
        rig_init(&rig, &(struct rig_setup){.kernel = "6.1",
                                           .strategy = "unmap",
                                           .backing = BACKING_4K,
                                           .bytes = 2 * GIB,
                                           .preemptible = preemptible});
        for (uint64_t gib = 1; gib <= 2; gib++) {
            stage2_map(&rig.kvm.stage2, (struct leaves){.start = gib * GIB + 512 * MIB,
                                                        .end = gib * GIB + 576 * MIB,
                                                        .level = LEAF_PAGE,
                                                        .writable = true});
        }
        rig.price[EV_wrprotect_leaves] = PS_PER_NS;
        rig_play(&rig, acts, 2);
        hold[preemptible] = rig.kvm.mmu_lock.longest_write_ps;
        assert_int_equal(rig_all(&rig, EV_wrprotect_leaves), 32768);
        rig_free(&rig);
    }
    assert_int_equal(hold[0], 32768 * PS_PER_NS);
    assert_true(hold[1] < hold[0] * 6 / 10);
}

/* Two vCPUs write to one block at the same moment: it is split once. */
static void racers_split_a_block_once(void **state)
{
    (void)state;
    static const char *const kernels[] = {"5.10", "6.1", "6.2"};
    static const struct act first[] = {
        WRITE(0), LOG_ON, {.go = do_wait, .n = PS_PER_S}, WRITE(3), {0}};
    static const struct act second[] = {{.go = do_wait, .n = PS_PER_S}, WRITE(4), {0}};
    static const struct act *const acts[] = {first, second};
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        struct rig rig;
        rig_init(&rig, &(struct rig_setup){
                           .kernel = kernels[i], .strategy = "unmap", .backing = BACKING_THP});
        rig_play(&rig, acts, 2);
        assert_int_equal(rig.kvm.stage2.map.covered, 8 * KIB);
        assert_int_equal(rig.kvm.stage2.tables, 2);
        assert_int_equal(rig_all(&rig, EV_map_4k), 2);
        assert_int_equal(rig_all(&rig, EV_tlbi_calls), 1);
        rig_free(&rig);
    }
}

/* A page that one vCPU reads as the zero page while another writes to it: what
 * was looked up before the notifier is not mapped after it. */
static void a_notifier_makes_faults_under_way_retry(void **state)
{
    (void)state;
    static const struct act first[] = {READ(0), {.go = do_wait, .n = PS_PER_S}, WRITE(0), {0}};
    static const struct act second[] = {{.go = do_wait, .n = PS_PER_S}, READ(1), WRITE(0), {0}};
    static const struct act *const acts[] = {first, second};
    struct rig rig;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_4K});
    rig_play(&rig, acts, 2);
    assert_true(leaf_at(&rig, 0).writable);
    assert_int_equal(rig_all(&rig, EV_gfn_unmap), 1);
    assert_int_equal(rig.kvm.invalidating, 0);
    rig_free(&rig);
}

/* Both copy the zero page and both notify; one copy takes its place. */
static void writers_race_to_copy_a_zero_page(void **state)
{
    (void)state;
    static const struct act first[] = {READ(0), {.go = do_wait, .n = PS_PER_S}, WRITE(0), {0}};
    static const struct act second[] = {{.go = do_wait, .n = PS_PER_S}, WRITE(0), {0}};
    static const struct act *const acts[] = {first, second};
    struct rig rig;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_4K});
    rig_play(&rig, acts, 2);
    assert_true(leaf_at(&rig, 0).writable);
    assert_int_equal(rig_all(&rig, EV_gfn_unmap), 2);
    assert_int_equal(rig_all(&rig, EV_set_spte), 1);
    assert_int_equal(rig.kvm.invalidating, 0);
    assert_int_equal(rig.kvm.stage2.map.covered, 4 * KIB);
    rig_free(&rig);
}

/* A step of many leaves writes to pages that are there already, around one that another
 * vCPU is copying: it stops before that one and has nothing to notify. */
static void a_step_ends_before_a_page_that_is_being_copied(void **state)
{
    (void)state;
    static const struct act first[] = {{.go = do_fill, .at = 0, .bytes = 4 * KIB},
                                       {.go = do_fill, .at = 8 * KIB, .bytes = 8 * KIB},
                                       {.go = do_enter},
                                       READ(1),
                                       {.go = do_reinit},
                                       {.go = do_wait, .n = PS_PER_S},
                                       WRITE(1),
                                       {0}};
    static const struct act second[] = {{.go = do_wait, .n = PS_PER_S + PS_PER_NS},
                                        {.go = do_write, .at = 0, .bytes = 16 * KIB},
                                        {0}};
    static const struct act *const acts[] = {first, second};
    for (uint64_t steps = 0; steps <= 1; steps++) {
        struct rig rig;
        rig_init(&rig,
                 &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_4K});
        rig.kvm.steps = steps;
        rig_play(&rig, acts, 2);
        assert_int_equal(rig_all(&rig, EV_gfn_unmap), 1);
        assert_int_equal(rig.kvm.stage2.map.covered, 16 * KIB);
        rig_free(&rig);
    }
}

/* A slot in which no block fits: its pages share a huge zero page, which the first write
 * exchanges for pages of its own. However many leaves a step has, that is one fault's doing. */
static void a_step_exchanges_a_huge_zero_page_in_one_fault(void **state)
{
    (void)state;
    static const struct act acts[] = {{.go = do_read, .at = GIB, .bytes = 2 * MIB},
                                      {.go = do_write, .at = GIB, .bytes = 64 * KIB},
                                      {0}};
    static const enum event_kind kinds[] = {EV_exits,       EV_gfn_unmap,  EV_map_4k,
                                            EV_relax_calls, EV_walk_reads, EV_data_perm_w};
    static const char *const switches[] = {"huge_zero=split", "huge_zero=alloc"};
    for (size_t k = 0; k < 2; k++) {
        struct rig rig[2];
        for (uint64_t steps = 0; steps <= 1; steps++) {
            rig_init(&rig[steps], &(struct rig_setup){.kernel = "6.12",
                                                      .switches = switches[k],
                                                      .strategy = "unmap",
                                                      .backing = BACKING_THP});
            struct memslot odd = rig[steps].kvm.slots[0];
            odd.ipa += GIB;
            odd.area.start += GIB + 4 * KIB;
            odd.area.end += GIB + 4 * KIB;
            kvm_add_slot(&rig[steps].kvm, odd);
            rig[steps].kvm.steps = steps;
            rig_alone(&rig[steps], acts);
        }
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            assert_int_equal(rig_all(&rig[0], kinds[i]), rig_all(&rig[1], kinds[i]));
        }
        rig_free(&rig[0]);
        rig_free(&rig[1]);
    }
}

static void do_delete(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)act;
    kvm_slot_delete(actor, &rig->kvm, 0);
}

/* Each call waits for the slots' readers: when one comes, goes, or has its log switched; not where
 * the log is as it should be, or no slot is there. */
static void slots_change_at_a_price(void **state)
{
    (void)state;
    struct rig rig;
    static const struct act acts[] = {LOG_ON, LOG_ON,         LOG_OFF, {.go = do_delete},
                                      LOG_ON, {.go = do_add}, {0}};
    rig_init(&rig, &(struct rig_setup){.kernel = "6.12", .strategy = "unmap"});
    rig_alone(&rig, acts);
    assert_int_equal(rig_count(&rig, SITE_SLOT, EV_slot_changes), 3);
    assert_int_equal(rig_count(&rig, SITE_SLOT, EV_slot_deletes), 1);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_change_at_a_price),
        cmocka_unit_test(logging_takes_write_permission_and_drops_the_tlb),
        cmocka_unit_test(a_round_protects_what_was_written),
        cmocka_unit_test(get_and_clear_are_apart),
        cmocka_unit_test(what_is_cleared_is_split),
        cmocka_unit_test(all_is_dirty_from_the_start),
        cmocka_unit_test(range_invalidation_is_used_without_fwb_too),
        cmocka_unit_test(an_odd_page_is_invalidated_alone),
        cmocka_unit_test(a_write_splits_a_block),
        cmocka_unit_test(reads_of_a_split_block_stay_read_only),
        cmocka_unit_test(a_table_becomes_a_block_again),
        cmocka_unit_test(eager_splitting_leaves_relaxations_only),
        cmocka_unit_test(an_erratum_broadcasts_once_more),
        cmocka_unit_test(a_slot_added_under_logging_invalidates),
        cmocka_unit_test(protecting_gives_the_lock_up_between_chunks),
        cmocka_unit_test(racers_split_a_block_once),
        cmocka_unit_test(a_notifier_makes_faults_under_way_retry),
        cmocka_unit_test(writers_race_to_copy_a_zero_page),
        cmocka_unit_test(a_step_ends_before_a_page_that_is_being_copied),
        cmocka_unit_test(a_step_exchanges_a_huge_zero_page_in_one_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

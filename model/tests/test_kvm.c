#include "rig.h"

/* --- re-init --- */

static void reinit_arms_the_trap_and_has_run_survives(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "unmap"};
    static const struct act acts[] = {
        {.go = do_note, .n = 0},    {.go = do_enter},          {.go = do_mmu, .on = true},
        {.go = do_note, .n = 1},    {.go = do_reinit, .n = 0}, {.go = do_note, .n = 2},
        {.go = do_mmu, .on = true}, {.go = do_note, .n = 3},   {0},
    };
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig.noted[0], TVM);
    assert_int_equal(rig.noted[1], HAS_RUN | MMU_ON);
    assert_int_equal(rig.noted[2], HAS_RUN | TVM);
    assert_int_equal(rig.noted[3], HAS_RUN | MMU_ON);
    assert_int_equal(rig_all(&rig, EV_toggle_traps), 2);
    assert_int_equal(rig_count(&rig, SITE_REINIT, EV_reinits), 1);
    rig_free(&rig);
}

static void with_fwb_nothing_traps(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "fwb"};
    static const struct act acts[] = {{.go = do_enter},
                                      {.go = do_mmu, .on = true},
                                      {.go = do_reinit, .n = 0},
                                      {.go = do_note, .n = 0},
                                      {.go = do_mmu, .on = true},
                                      {.go = do_setway, .n = 3},
                                      {0}};
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig.noted[0], HAS_RUN);
    assert_int_equal(rig_all(&rig, EV_toggle_traps), 0);
    assert_int_equal(rig_all(&rig, EV_setway_traps), 0);
    assert_int_equal(rig_all(&rig, EV_flush_vm_calls), 0);
    assert_int_equal(rig_all(&rig, EV_ic_ialluis), 1);
    rig_free(&rig);
}

/* A vCPU that never ran has nothing to tear down. */
static void only_what_has_run_is_unmapped(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "unmap"};
    static const struct act acts[] = {{.go = do_enter},
                                      {.go = do_write, .at = 0, .bytes = 16 * KIB},
                                      {.go = do_reinit, .n = 1},
                                      {.go = do_reinit, .n = 0},
                                      {0}};
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_reinits), 2);
    assert_int_equal(rig_all(&rig, EV_unmap_vm_calls), 1);
    assert_int_equal(rig_count(&rig, SITE_REINIT, EV_unmap_leaves), 4);
    assert_int_equal(rig_count(&rig, SITE_REINIT, EV_tlbi_calls), 4 + 2);
    assert_int_equal(rig_count(&rig, SITE_REINIT, EV_cmo_calls), 4);
    assert_int_equal(rig_lines(&rig, SITE_REINIT), 4 * 64);
    assert_int_equal(rig.kvm.stage2.map.covered, 0);
    assert_int_equal(rig.kvm.stage2.tables, 0);
    rig_free(&rig);
}

static void the_unmap_says_what_it_took(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {
        .kernel = "6.12", .strategy = "unmap-lazy", .backing = BACKING_THP};
    static const struct act acts[] = {{.go = do_enter},
                                      {.go = do_write, .at = 0, .bytes = 4 * MIB},
                                      {.go = do_reinit, .n = 0},
                                      {0}};
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_map_2m), 2);
    assert_int_equal(rig_count(&rig, SITE_REINIT, EV_unmap_leaves), 2);
    assert_int_equal(rig_count(&rig, SITE_REINIT, EV_s2_tables_free), 1);
    assert_int_equal(rig_lines(&rig, SITE_REINIT), 0);
    assert_int_equal(rig.kvm.last_unmapped_bytes, 4 * MIB);
    rig_free(&rig);
}

/* --- faults --- */

/* A leaf that becomes executable only when a fetch faults on it may be fetched
 * ahead as a whole: the VMM's rewriting makes old instructions of all of it. */
static void a_relaxed_leaf_may_be_fetched_ahead(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {
        .kernel = "6.12", .strategy = "none", .backing = BACKING_THP};
    static const struct act acts[] = {{.go = do_mmu, .on = true},
                                      {.go = do_write, .at = 0, .bytes = 4 * KIB},
                                      {.go = do_fetch, .at = 0, .bytes = 4 * KIB},
                                      {.go = do_fill, .at = MIB, .bytes = 4 * KIB},
                                      {0}};
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_data_perm_x), 1);
    assert_int_equal(rig_all(&rig, EV_relax_calls), 1);
    struct oracle *oracle = &rig.memory.oracle;
    oracle->judging = true;
    oracle_read(oracle, RIG_HVA + MIB, RIG_HVA + MIB + 4 * KIB, 64, READER_FETCH, PATH_CACHED);
    assert_int_equal(oracle->verdict[READER_FETCH].outcome, STALE);
    rig_free(&rig);
}

/* An empty tree ends the first walk at the root; the next one goes down to the
 * leaf's table. After either, one walk of three reads gives the page. */
static void a_failed_walk_ends_where_the_tree_does(void **state)
{
    (void)state;
    static const struct act acts[] = {{.go = do_write, .at = 0, .bytes = 8 * KIB}, {0}};
    for (uint64_t batch = 1; batch <= 2; batch++) {
        struct rig rig;
        static const struct rig_setup setup = {.kernel = "6.12", .strategy = "unmap"};
        rig_init(&rig, &setup);
        rig.kvm.steps = batch == 1 ? 0 : 1;
        rig_alone(&rig, acts);
        assert_int_equal(rig_all(&rig, EV_exits), 2);
        assert_int_equal(rig_all(&rig, EV_walk_reads), 1 + 3 + 2 * 3);
        rig_free(&rig);
    }
}

static void note_walks(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)actor;
    rig->noted[act->n] = rig_all(rig, EV_walk_reads);
}

/* Next to the walk before it two reads reach a leaf, and one each further page in it. */
static void each_page_of_the_guest_is_walked_for(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {
        .kernel = "6.12", .strategy = "fwb", .backing = BACKING_THP};
    static const struct act acts[] = {{.go = do_enter},
                                      {.go = do_mmu, .on = true},
                                      {.go = do_write, .at = 0, .bytes = 2 * MIB},
                                      {.go = note_walks, .n = 0},
                                      {.go = do_read, .at = 0, .bytes = 4 * KIB},
                                      {.go = note_walks, .n = 1},
                                      {.go = do_read, .at = 4 * KIB, .bytes = 32 * KIB},
                                      {.go = note_walks, .n = 2},
                                      {0}};
    rig_init(&rig, &setup);
    rig.kvm.s1_levels = 4;
    rig.kvm.s1_page_bytes = 4 * KIB;
    rig_alone(&rig, acts);
    assert_int_equal(rig.noted[1] - rig.noted[0], 2);
    assert_int_equal(rig.noted[2] - rig.noted[1], 2 + 7);
    rig_free(&rig);
}

static void do_invalidate(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_tlbi(actor, &rig->memory, act->on ? EV_tlbi_vmid : EV_tlbi_calls, 1);
}

/* After an invalidation by address: stage 1's four entries for the page and for each of two hot
 * pages, and two of stage 2 for the block; two more where the guest's table is another. After one
 * of the whole VMID all is walked for. */
static void stage_2_of_other_addresses_stays_known(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {
        .kernel = "6.12", .strategy = "fwb", .backing = BACKING_THP};
    static const struct act acts[] = {{.go = do_enter},
                                      {.go = do_mmu, .on = true},
                                      {.go = do_write, .at = 0, .bytes = 4 * MIB},
                                      {.go = do_read, .at = 0, .bytes = 4 * KIB},
                                      {.go = do_invalidate},
                                      {.go = note_walks, .n = 0},
                                      {.go = do_read, .at = 0, .bytes = 4 * KIB},
                                      {.go = note_walks, .n = 1},
                                      {.go = do_invalidate},
                                      {.go = do_read, .at = 2 * MIB, .bytes = 4 * KIB},
                                      {.go = note_walks, .n = 2},
                                      {.go = do_invalidate, .on = true},
                                      {.go = do_read, .at = 2 * MIB, .bytes = 4 * KIB},
                                      {.go = note_walks, .n = 3},
                                      {0}};
    rig_init(&rig, &setup);
    rig.kvm.s1_levels = 4;
    rig.kvm.s1_page_bytes = 4 * KIB;
    rig.kvm.s1_hot_pages = 2;
    rig_alone(&rig, acts);
    assert_int_equal(rig.noted[1] - rig.noted[0], (4 + 2) + 2 * 4);
    assert_int_equal(rig.noted[2] - rig.noted[1], (4 + 2 + 2) + 2 * 4);
    assert_int_equal(rig.noted[3] - rig.noted[2], (5 * 3 - 1) + 2 * (5 * 4 - 1));
    rig_free(&rig);
}

/* --- the end --- */

static void do_teardown(struct rig *rig, struct actor *actor, const struct act *act)
{
    kvm_teardown(actor, &rig->kvm, act->on);
}

static void the_end_takes_every_slot(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "unmap"};
    static const struct act acts[] = {{.go = do_write, .at = 0, .bytes = 8 * KIB},
                                      {.go = do_write, .at = GIB, .bytes = 8 * KIB},
                                      {.go = do_teardown},
                                      {0}};
    rig_init(&rig, &setup);
    struct memslot more = rig.kvm.slots[0];
    more.ipa += GIB;
    more.area.start += GIB;
    more.area.end += GIB;
    kvm_add_slot(&rig.kvm, more);
    rig_alone(&rig, acts);
    assert_int_equal(rig.kvm.stage2.map.covered, 0);
    assert_false(rig.kvm.slots[0].live);
    assert_false(rig.kvm.slots[1].live);
    assert_int_equal(rig_all(&rig, EV_collapsed_leaves), 4);
    rig_free(&rig);
}

/* Behind the memory go the VM's vCPUs, and the VM, on each CPU of the host; the walk alone leaves
 * them. */
static void the_end_closes_the_vm(void **state)
{
    (void)state;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "unmap", .vcpus = 3};
    for (int alone = 0; alone < 2; alone++) {
        struct rig rig;
        const struct act acts[] = {{.go = do_teardown, .on = alone}, {0}};
        rig_init(&rig, &setup);
        rig_alone(&rig, acts);
        assert_int_equal(rig_all(&rig, EV_vcpu_ends), alone ? 0 : 3);
        assert_int_equal(rig_all(&rig, EV_vm_ends), alone ? 0 : 1);
        assert_int_equal(rig_all(&rig, EV_vm_end_cpus), alone ? 0 : 8);
        assert_int_equal(rig_all(&rig, EV_host_lines), alone ? 0 : 3 * 84 + 8 * 41 + 1282 + 2407);
        /* the memory's mapping and those of the vCPUs */
        assert_int_equal(rig_all(&rig, EV_host_tlbi), alone ? 0 : 1 + 3);
        rig_free(&rig);
    }
}

static void do_drop(struct rig *rig, struct actor *actor, const struct act *act)
{
    kvm_drop(actor, &rig->kvm, (uint32_t)act->n);
}

/* The structures of huge pages of a pool lie apart, those of others follow one another. */
static void pages_of_a_pool_are_cold(void **state)
{
    (void)state;
    static const struct {
        enum backing backing;
        uint64_t lines;
    } of[] = {{BACKING_4K, 0}, {BACKING_THP, 0}, {BACKING_HUGETLB, 2 * 4}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct rig rig;
        const struct rig_setup setup = {
            .kernel = "6.12", .strategy = "unmap", .backing = of[i].backing};
        static const struct act acts[] = {
            {.go = do_write, .at = 0, .bytes = 4 * MIB}, {.go = do_drop}, {.go = do_drop}, {0}};
        rig_init(&rig, &setup);
        rig_alone(&rig, acts);
        assert_int_equal(rig_all(&rig, EV_host_lines), of[i].lines);
        rig_free(&rig);
    }
}

/* None of its vCPUs has run, so that the next re-init finds nothing to unmap. */
static void a_vm_made_anew_has_not_run(void **state)
{
    (void)state;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "recreate"};
    for (uint64_t first = 0; first <= 1; first++) {
        struct rig rig;
        const struct act acts[] = {{.go = do_enter},
                                   {.go = do_write, .at = 0, .bytes = 8 * KIB},
                                   {.go = do_reinit, .n = first},
                                   {.go = do_reinit, .n = 1 - first},
                                   {0}};
        rig_init(&rig, &setup);
        rig.kvm.vcpus[1].has_run = true;
        rig_alone(&rig, acts);
        assert_int_equal(rig_all(&rig, EV_unmap_vm_calls), 1);
        assert_int_equal(rig_all(&rig, EV_vm_ends), 1);
        assert_int_equal(rig_all(&rig, EV_vm_makes), 1);
        assert_int_equal(rig_all(&rig, EV_vcpu_ends), 2);
        assert_int_equal(rig_all(&rig, EV_vcpu_makes), 2);
        assert_int_equal(rig_all(&rig, EV_slot_changes), 1);
        rig_free(&rig);
    }
}

/* After logging a block has small leaves; the next fault must not wait for
 * ever for the block leaf that cannot be put there. */
static void pages_mapped_while_logging_do_not_stop_a_block(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {
        .kernel = "6.12", .strategy = "unmap", .backing = BACKING_THP};
    static const struct act acts[] = {{.go = set_log, .on = true},
                                      {.go = do_write, .at = 0, .bytes = 8 * KIB},
                                      {.go = set_log, .on = false},
                                      {.go = do_write, .at = 8 * KIB, .bytes = 4 * KIB},
                                      {.go = do_write, .at = 64 * KIB, .bytes = 4 * KIB},
                                      {0}};
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_true(stage2_mapped(&rig.kvm.stage2, RIG_IPA + 8 * KIB, RIG_IPA + 12 * KIB) > 0);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reinit_arms_the_trap_and_has_run_survives),
        cmocka_unit_test(with_fwb_nothing_traps),
        cmocka_unit_test(only_what_has_run_is_unmapped),
        cmocka_unit_test(the_unmap_says_what_it_took),
        cmocka_unit_test(a_failed_walk_ends_where_the_tree_does),
        cmocka_unit_test(each_page_of_the_guest_is_walked_for),
        cmocka_unit_test(stage_2_of_other_addresses_stays_known),
        cmocka_unit_test(the_end_takes_every_slot),
        cmocka_unit_test(the_end_closes_the_vm),
        cmocka_unit_test(pages_of_a_pool_are_cold),
        cmocka_unit_test(a_vm_made_anew_has_not_run),
        cmocka_unit_test(a_relaxed_leaf_may_be_fetched_ahead),
        cmocka_unit_test(pages_mapped_while_logging_do_not_stop_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

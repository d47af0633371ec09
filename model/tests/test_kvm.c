#include "rig.h"

/* --- re-init --- */

static void note_vcpu(struct rig *rig, struct actor *actor, const struct act *act)
{
    const struct kvm_vcpu *vcpu = &rig->kvm.vcpus[0];
    (void)actor;
    rig->noted[act->n] = vcpu->has_run | vcpu->tvm << 1 | vcpu->mmu_on << 2;
}

enum { HAS_RUN = 1, TVM = 2, MMU_ON = 4 };

static void reinit_arms_the_trap_and_has_run_survives(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "unmap"};
    static const struct act acts[] = {
        {.go = note_vcpu, .n = 0},  {.go = do_enter},          {.go = do_mmu, .on = true},
        {.go = note_vcpu, .n = 1},  {.go = do_reinit, .n = 0}, {.go = note_vcpu, .n = 2},
        {.go = do_mmu, .on = true}, {.go = note_vcpu, .n = 3}, {0},
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
                                      {.go = note_vcpu, .n = 0},
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

/* --- toggles --- */

/* Two vCPUs turn their MMU on after a re-init, with 8 pages (512 lines) mapped; the first
 * turns it off and on again, which nothing sees. */
static void play_toggles(const char *strategy, uint64_t lines, uint64_t flushes)
{
    struct rig rig;
    const struct rig_setup setup = {.kernel = "6.12", .strategy = strategy};
    static const struct act acts[] = {
        {.go = do_enter},
        {.go = do_reinit, .n = 0},
        {.go = do_reinit, .n = 1},
        {.go = do_write, .at = 0, .bytes = 32 * KIB},
        {.go = do_mmu, .n = 0, .on = true},
        {.go = do_mmu, .n = 1, .on = true},
        {.go = do_mmu, .n = 0, .on = false},
        {.go = do_mmu, .n = 0, .on = true},
        {0},
    };
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_toggle_traps), 2);
    assert_int_equal(rig_count(&rig, SITE_TOGGLE, EV_flush_vm_calls), flushes);
    assert_int_equal(rig_lines(&rig, SITE_TOGGLE), lines);
    assert_true(rig.kvm.vcpus[0].mmu_on && rig.kvm.vcpus[1].mmu_on);
    assert_false(rig.kvm.vcpus[0].tvm || rig.kvm.vcpus[1].tvm);
    rig_free(&rig);
}

static void toggles_flush_as_the_row_says(void **state)
{
    (void)state;
    play_toggles("unmap", 1024, 2);
    play_toggles("eager-toggle1", 512, 1);
    play_toggles("eager", 0, 0);
}

/* The first toggle counts anew after each re-init. */
static void each_reinit_has_a_first_toggle(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "eager-toggle1"};
    static const struct act acts[] = {{.go = do_mmu, .on = true}, {.go = do_reinit, .n = 0},
                                      {.go = do_mmu, .on = true}, {.go = do_reinit, .n = 0},
                                      {.go = do_mmu, .on = true}, {0}};
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig_count(&rig, SITE_TOGGLE, EV_flush_vm_calls), 3);
    rig_free(&rig);
}

/* --- set/way --- */

static void setway_flushes_once_and_arms_the_trap(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "unmap"};
    static const struct act acts[] = {
        {.go = do_mmu, .on = true},
        {.go = do_write, .at = 0, .bytes = 8 * KIB},
        {.go = do_setway, .n = 100},
        {.go = note_vcpu, .n = 0},
        {.go = do_setway, .n = 50},
        {.go = do_mmu, .on = false},
        {.go = do_mmu, .on = true},
        {.go = note_vcpu, .n = 1},
        {0},
    };
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig.noted[0], TVM | MMU_ON);
    assert_int_equal(rig.noted[1], MMU_ON);
    assert_int_equal(rig_all(&rig, EV_setway_traps), 150);
    assert_int_equal(rig_count(&rig, SITE_SETWAY, EV_flush_vm_calls), 1);
    assert_int_equal(rig_lines(&rig, SITE_SETWAY), 128);
    /* Armed again: off and on both trap and flush. */
    assert_int_equal(rig_count(&rig, SITE_TOGGLE, EV_flush_vm_calls), 3);
    rig_free(&rig);
}

static void setway_before_the_toggle_leaves_it_to_that(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "unmap"};
    static const struct act acts[] = {{.go = do_setway, .n = 7}, {.go = do_setway, .n = 0}, {0}};
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_setway_traps), 7);
    assert_int_equal(rig_all(&rig, EV_flush_vm_calls), 0);
    rig_free(&rig);
}

/* --- the eager flush --- */

static void the_first_to_run_pays_the_flush(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "eager", .dic = false};
    static const struct act first[] = {{.go = do_enter},
                                       {.go = do_write, .at = 0, .bytes = 16 * KIB},
                                       {.go = do_wait, .n = PS_PER_MS},
                                       {.go = do_reinit, .n = 0},
                                       {.go = do_reinit, .n = 1},
                                       {.go = do_fill, .at = 0, .bytes = 8 * KIB},
                                       {.go = do_wait, .n = 3 * PS_PER_MS},
                                       {.go = do_enter},
                                       {0}};
    static const struct act second[] = {
        {.go = do_enter}, {.go = do_wait, .n = 2 * PS_PER_MS}, {.go = do_enter}, {0}};
    const struct act *acts[] = {first, second};
    rig_init(&rig, &setup);
    rig_play(&rig, acts, 2);
    struct ledger_slice by_second = {1, LEDGER_ALL, SITE_FLUSH, EV_flush_leaves};
    assert_int_equal(rig_count(&rig, SITE_FLUSH, EV_flush_vm_calls), 1);
    assert_int_equal(ledger_count(&rig.ledger, by_second), 4);
    assert_int_equal(rig_lines(&rig, SITE_FLUSH), 256);
    /* What the VMM rewrote after the re-init is cleaned with the rest. */
    assert_int_equal(rig_count(&rig, SITE_FLUSH, EV_line_dirty), 128);
    assert_int_equal(rig_all(&rig, EV_unmap_leaves), 0);
    assert_int_equal(rig_count(&rig, SITE_FLUSH, EV_ic_ialluis), 1);
    assert_int_equal(rig_count(&rig, SITE_REINIT, EV_ic_ialluis), 0);
    rig_free(&rig);
}

/* Who enters while the first one flushes must not run before that is done. */
static void the_second_to_run_waits_for_the_flush(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.1", .strategy = "eager"};
    static const struct act first[] = {{.go = do_enter},
                                       {.go = do_write, .at = 0, .bytes = 4 * MIB},
                                       {.go = do_reinit, .n = 0},
                                       {.go = do_enter},
                                       {0}};
    static struct act early[3];
    const struct act *acts[] = {first, early};
    rig_init(&rig, &setup);
    rig_play(&rig, acts, 1);
    ps_t alone = rig.engine.actors[0].now;
    rig_free(&rig);
    early[0] = (struct act){.go = do_wait, .n = alone - PS_PER_US};
    early[1] = (struct act){.go = do_enter};
    rig_init(&rig, &setup);
    rig_play(&rig, acts, 2);
    assert_int_equal(rig_all(&rig, EV_flush_vm_calls), 1);
    assert_int_equal(rig.engine.actors[0].now, alone);
    assert_int_equal(rig.engine.actors[1].now, alone);
    rig_free(&rig);
}

/* Three vCPUs: 0 flushes, 2 waits for that when 1, which is initialised again only
 * then, comes in, too. That makes a second flush, behind the first. */
static void a_flush_that_is_due_again_comes_behind_the_first(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.1", .strategy = "eager", .vcpus = 3};
    static const struct act first[] = {{.go = do_enter},
                                       {.go = do_write, .at = 0, .bytes = 4 * MIB},
                                       {.go = do_wait, .n = PS_PER_S},
                                       {.go = do_reinit, .n = 0},
                                       {.go = do_enter},
                                       {0}};
    static const struct act second[] = {{.go = do_enter},
                                        {.go = do_wait, .n = PS_PER_S + 20 * PS_PER_US},
                                        {.go = do_reinit, .n = 1},
                                        {.go = do_enter},
                                        {0}};
    static const struct act third[] = {
        {.go = do_wait, .n = PS_PER_S + 10 * PS_PER_US}, {.go = do_enter}, {0}};
    const struct act *acts[] = {first, second, third};
    rig_init(&rig, &setup);
    rig_play(&rig, acts, 3);
    assert_int_equal(rig_count(&rig, SITE_FLUSH, EV_flush_vm_calls), 2);
    assert_int_equal(rig_count(&rig, SITE_FLUSH, EV_ic_ialluis), 2);
    assert_int_equal(ledger_waited(&rig.ledger, LEDGER_ALL, LEDGER_ALL, RESOURCE_MMU_LOCK), 0);
    assert_false(rig.kvm.flushing || rig.kvm.flush_pending);
    rig_free(&rig);
}

static void the_naive_flush_is_in_every_reinit(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "eager-naive"};
    static const struct act acts[] = {
        {.go = do_enter},          {.go = do_write, .at = 0, .bytes = 16 * KIB},
        {.go = do_reinit, .n = 0}, {.go = do_reinit, .n = 0},
        {.go = do_enter},          {0}};
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig_count(&rig, SITE_FLUSH, EV_flush_vm_calls), 2);
    assert_int_equal(rig_count(&rig, SITE_REINIT, EV_ic_ialluis), 2);
    assert_int_equal(rig_lines(&rig, SITE_FLUSH), 512);
    rig_free(&rig);
}

static void the_ideal_does_no_maintenance(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {.kernel = "6.12", .strategy = "ideal"};
    static const struct act acts[] = {{.go = do_enter},
                                      {.go = do_write, .at = 0, .bytes = 16 * KIB},
                                      {.go = do_fetch, .at = 0, .bytes = 4 * KIB},
                                      {.go = do_reinit, .n = 0},
                                      {.go = do_enter},
                                      {.go = do_mmu, .on = true},
                                      {.go = do_write, .at = 0, .bytes = MIB},
                                      {0}};
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig_lines(&rig, LEDGER_ALL), 0);
    assert_int_equal(rig_all(&rig, EV_icache_calls) + rig_all(&rig, EV_ic_ialluis), 0);
    assert_int_equal(rig_all(&rig, EV_uncached), 0);
    assert_int_equal(rig_all(&rig, EV_unmap_leaves) + rig_all(&rig, EV_flush_leaves), 0);
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
        rig.kvm.touch_steps = batch == 1 ? 0 : 1;
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

/* --- the end --- */

static void do_teardown(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)act;
    kvm_teardown_begin(actor, &rig->kvm);
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
        rig_free(&rig);
    }
}

static void set_log(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)actor;
    rig->kvm.dirty_log = act->on;
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
        cmocka_unit_test(toggles_flush_as_the_row_says),
        cmocka_unit_test(each_reinit_has_a_first_toggle),
        cmocka_unit_test(setway_flushes_once_and_arms_the_trap),
        cmocka_unit_test(setway_before_the_toggle_leaves_it_to_that),
        cmocka_unit_test(the_first_to_run_pays_the_flush),
        cmocka_unit_test(the_second_to_run_waits_for_the_flush),
        cmocka_unit_test(a_flush_that_is_due_again_comes_behind_the_first),
        cmocka_unit_test(the_naive_flush_is_in_every_reinit),
        cmocka_unit_test(the_ideal_does_no_maintenance),
        cmocka_unit_test(a_failed_walk_ends_where_the_tree_does),
        cmocka_unit_test(each_page_of_the_guest_is_walked_for),
        cmocka_unit_test(the_end_takes_every_slot),
        cmocka_unit_test(a_vm_made_anew_has_not_run),
        cmocka_unit_test(a_relaxed_leaf_may_be_fetched_ahead),
        cmocka_unit_test(pages_mapped_while_logging_do_not_stop_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

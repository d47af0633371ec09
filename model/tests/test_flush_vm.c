/* When the whole VM is flushed: as a vCPU's MMU goes on or off, at set/way operations, and
 * before a vCPU runs again after a re-init. */
#include "rig.h"

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
        {.go = do_note, .n = 0},
        {.go = do_setway, .n = 50},
        {.go = do_mmu, .on = false},
        {.go = do_mmu, .on = true},
        {.go = do_note, .n = 1},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toggles_flush_as_the_row_says),
        cmocka_unit_test(each_reinit_has_a_first_toggle),
        cmocka_unit_test(setway_flushes_once_and_arms_the_trap),
        cmocka_unit_test(setway_before_the_toggle_leaves_it_to_that),
        cmocka_unit_test(the_first_to_run_pays_the_flush),
        cmocka_unit_test(the_second_to_run_waits_for_the_flush),
        cmocka_unit_test(a_flush_that_is_due_again_comes_behind_the_first),
        cmocka_unit_test(the_naive_flush_is_in_every_reinit),
        cmocka_unit_test(the_ideal_does_no_maintenance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

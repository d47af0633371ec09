#include "rig.h"

#include <math.h>

/* Two vCPUs write to the same 2 MiB leaf at the same moment: that of a block
 * which the VMM has filled, so that nothing is left to clear. */
static void race(struct rig *rig, const struct rig_setup *setup)
{
    static const struct act first[] = {{.go = do_fill, .at = 0, .bytes = 2 * MIB},
                                       {.go = do_wait, .n = PS_PER_S},
                                       {.go = do_write, .at = 0, .bytes = 64},
                                       {0}};
    static const struct act second[] = {
        {.go = do_wait, .n = PS_PER_S}, {.go = do_write, .at = 4 * KIB, .bytes = 64}, {0}};
    const struct act *acts[] = {first, second};
    rig_init(rig, setup);
    rig_play(rig, acts, 2);
    assert_int_equal(rig_all(rig, EV_map_2m), 1);
    assert_int_equal(rig->kvm.stage2.map.covered, 2 * MIB);
    assert_int_equal(rig->kvm.locked[0].end, 0);
    assert_int_equal(rig->kvm.locked[1].end, 0);
}

#define LEAF_LINES (2 * MIB / 64)

/* The loser runs into the locked entry again and again, an exit each time, for
 * as long as the winner cleans; the lines are cleaned once. */
static void losers_retry_while_the_winner_cleans(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {
        .kernel = "6.2", .strategy = "unmap", .backing = BACKING_THP};
    race(&rig, &setup);
    uint64_t retries = rig_all(&rig, EV_fault_retries);
    ps_t cleaning = LEAF_LINES * 32000 + 100000, loop = 1500000;
    assert_int_equal(rig_lines(&rig, LEDGER_ALL), LEAF_LINES);
    assert_int_equal(rig_count(&rig, SITE_FAULT, EV_line_dirty), LEAF_LINES);
    assert_true(retries >= cleaning / loop - 2 && retries <= cleaning / loop + 2);
    /* Each retry is one exit, and so are the two faults. */
    assert_true(rig_all(&rig, EV_exits) <= retries + 2);
    assert_int_equal(rig_all(&rig, EV_map_calls), 1);
    rig_free(&rig);
}

static void a_write_lock_makes_the_loser_wait_instead(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {
        .kernel = "6.1", .strategy = "unmap", .backing = BACKING_THP};
    race(&rig, &setup);
    assert_int_equal(rig_all(&rig, EV_fault_retries), 0);
    assert_int_equal(rig_lines(&rig, LEDGER_ALL), LEAF_LINES);
    assert_int_equal(rig_all(&rig, EV_exits), 2);
    assert_int_equal(rig_all(&rig, EV_lock_handovers), 1);
    assert_true(ledger_waited(&rig.ledger, LEDGER_ALL, LEDGER_ALL, RESOURCE_MMU_LOCK) >=
                LEAF_LINES * 32000);
    rig_free(&rig);
}

/* Until 5.13 whoever got the lock cleaned before it looked. */
static void every_racer_cleaned_once(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {
        .kernel = "5.10", .strategy = "unmap", .backing = BACKING_THP};
    race(&rig, &setup);
    assert_int_equal(rig_all(&rig, EV_fault_retries), 0);
    assert_int_equal(rig_lines(&rig, LEDGER_ALL), 2 * LEAF_LINES);
    assert_int_equal(rig_all(&rig, EV_line_dirty), LEAF_LINES);
    rig_free(&rig);
}

static void only_the_installer_cleans_from_5_14_on(void **state)
{
    (void)state;
    struct rig rig;
    static const struct rig_setup setup = {
        .kernel = "5.14", .strategy = "unmap", .backing = BACKING_THP};
    race(&rig, &setup);
    assert_int_equal(rig_lines(&rig, LEDGER_ALL), LEAF_LINES);
    rig_free(&rig);
}

/* --- how faults of different leaves hold the lock --- */

static void different_leaves(struct rig *rig, const char *kernel)
{
    const struct rig_setup setup = {.kernel = kernel, .strategy = "unmap", .backing = BACKING_THP};
    static const struct act first[] = {{.go = do_fill, .at = 0, .bytes = 4 * MIB},
                                       {.go = do_wait, .n = PS_PER_S},
                                       {.go = do_write, .at = 0, .bytes = 64},
                                       {0}};
    static const struct act second[] = {
        {.go = do_wait, .n = PS_PER_S}, {.go = do_write, .at = 2 * MIB, .bytes = 64}, {0}};
    const struct act *acts[] = {first, second};
    rig_init(rig, &setup);
    rig_play(rig, acts, 2);
    assert_int_equal(rig_all(rig, EV_map_2m), 2);
}

static void faults_run_in_parallel_from_6_2_on(void **state)
{
    (void)state;
    static const struct {
        const char *kernel;
        bool parallel;
    } versions[] = {{"5.10", false}, {"5.17", false}, {"5.18", false},
                    {"6.1", false},  {"6.2", true},   {"6.12", true}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct rig rig;
        different_leaves(&rig, versions[i].kernel);
        assert_int_equal(rig.kvm.mmu_lock.contended, versions[i].parallel ? 0 : 1);
        assert_int_equal(rig.kvm.mmu_lock.longest_read_ps > 0, versions[i].parallel);
        assert_int_equal(rig.kvm.mmu_lock.longest_write_ps > 0, !versions[i].parallel);
        rig_free(&rig);
    }
}

/* While dirty pages are logged, 5.18 to 6.1 relax permissions as readers. */
static void logging_relaxes_under_the_read_lock(void **state)
{
    (void)state;
    static const struct {
        const char *kernel;
        bool read;
    } versions[] = {{"5.17", false}, {"5.18", true}, {"6.2", true}};
    static const struct act acts[] = {{.go = do_fill, .at = 0, .bytes = 4 * KIB},
                                      {.go = set_log, .on = true},
                                      {.go = do_read, .at = 0, .bytes = 64},
                                      {.go = do_write, .at = 0, .bytes = 64},
                                      {0}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct rig rig;
        const struct rig_setup setup = {
            .kernel = versions[i].kernel, .strategy = "unmap", .backing = BACKING_4K};
        rig_init(&rig, &setup);
        rig_alone(&rig, acts);
        assert_int_equal(rig_all(&rig, EV_relax_calls), 1);
        assert_int_equal(rig.kvm.mmu_lock.longest_read_ps > 0, versions[i].read);
        rig_free(&rig);
    }
}

/* From 6.5 on a relaxation invalidates the own core's TLB only, which without VHE is a
 * call to EL2 all the same. */
static void without_vhe_a_relaxation_calls_el2(void **state)
{
    (void)state;
    static const struct act acts[] = {{.go = do_fill, .at = 0, .bytes = 4 * KIB},
                                      {.go = do_read, .at = 0, .bytes = 64},
                                      {.go = do_fetch, .at = 0, .bytes = 64},
                                      {0}};
    static const char *const kernels[] = {"6.1", "6.5"};
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        rig_init(&rig, &(struct rig_setup){.kernel = kernels[i],
                                           .strategy = "unmap",
                                           .backing = BACKING_4K,
                                           .nvhe = true});
        rig_alone(&rig, acts);
        assert_int_equal(rig_all(&rig, EV_tlbi_calls), 1 - i);
        assert_int_equal(rig_all(&rig, EV_tlbi_local), i);
        assert_int_equal(rig_all(&rig, EV_hyp_calls), 1);
        rig_free(&rig);
    }
}

/* One vCPU writes to a read-only page while another one fetches from it: the later
 * relaxation leaves what the earlier one gave. */
static void relaxations_only_add(void **state)
{
    (void)state;
    static const struct act writer[] = {
        {.go = do_fill, .at = 0, .bytes = 4 * KIB}, {.go = set_log, .on = true},
        {.go = do_read, .at = 0, .bytes = 64},      {.go = do_wait, .n = PS_PER_S},
        {.go = do_write, .at = 0, .bytes = 64},     {0}};
    static const struct act fetcher[] = {
        {.go = do_wait, .n = PS_PER_S}, {.go = do_fetch, .at = 0, .bytes = 64}, {0}};
    static const struct act *const acts[] = {writer, fetcher};
    static const char *const kernels[] = {"5.17", "6.1", "6.12"};
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        struct rig rig;
        struct leaves leaf;
        uint64_t next;
        rig_init(&rig, &(struct rig_setup){
                           .kernel = kernels[i], .strategy = "unmap", .backing = BACKING_4K});
        rig_play(&rig, acts, 2);
        assert_true(stage2_lookup(&rig.kvm.stage2, RIG_IPA, &leaf, &next));
        assert_true(leaf.writable && leaf.executable);
        assert_int_equal(rig_all(&rig, EV_data_perm_w), 1);
        assert_int_equal(rig_all(&rig, EV_data_perm_x), 1);
        rig_free(&rig);
    }
}

/* A fetch finds its page mapped, not executable, and waits for the lock of an unmap that
 * takes the page: there is nothing left to relax, and the guest faults again. */
static void a_leaf_gone_meanwhile_is_not_relaxed(void **state)
{
    (void)state;
    static const struct act vmm[] = {{.go = do_enter},
                                     {.go = do_write, .at = 0, .bytes = 2 * MIB},
                                     {.go = do_wait, .n = PS_PER_S},
                                     {.go = do_reinit},
                                     {0}};
    static const struct act vcpu[] = {{.go = do_wait, .n = PS_PER_S + PS_PER_MS / 10},
                                      {.go = do_fetch, .at = 2 * MIB - 4 * KIB, .bytes = 64},
                                      {0}};
    static const struct act *const acts[] = {vmm, vcpu};
    struct rig rig;
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_4K});
    rig_play(&rig, acts, 2);
    assert_int_equal(rig_all(&rig, EV_data_perm_x), 1);
    assert_int_equal(rig_all(&rig, EV_fault_retries), 1);
    assert_int_equal(rig_all(&rig, EV_relax_calls), 0);
    assert_int_equal(rig_all(&rig, EV_data_tr_x), 1);
    assert_int_equal(rig.kvm.stage2.map.covered, 4 * KIB);
    rig_free(&rig);
}

/* --- lines that go from core to core --- */

/* Two vCPUs that fault at once on leaves far apart: each adds itself to the two locks'
 * counts and takes itself off again. Only what the other one had last moves: not the
 * first one's entry into a lock, and where they alternate all else. */
static void readers_fetch_the_lock_as_they_come_and_go(void **state)
{
    (void)state;
    struct rig rig;
    different_leaves(&rig, "6.2");
    /* Per lock: in, in, out, out by turns; the very first finds nobody's line. The filled
     * block was faulted on by nobody before. */
    assert_int_equal(rig_all(&rig, EV_lock_updates), 2 * (4 - 1));
    assert_int_equal(rig_all(&rig, EV_line_moves), 2); /* their entries, their table's count */
    rig_free(&rig);
    different_leaves(&rig, "6.1"); /* writers of mmu_lock hand it over instead */
    assert_int_equal(rig_all(&rig, EV_lock_updates), 4 - 1);
    rig_free(&rig);
}

/* vCPUs fault at once on pages of their own, which the host has or not. */
static uint64_t updates_of_all(bool filled)
{
    struct rig rig;
    struct act script[RIG_ACTORS][4] = {{{.go = do_wait}}};
    const struct act *acts[RIG_ACTORS];
    for (uint32_t i = 0; i < RIG_ACTORS; i++) {
        struct act *act = script[i];
        if (filled && i == 0) {
            *act++ = (struct act){.go = do_fill, .at = 0, .bytes = MIB};
        }
        *act++ = (struct act){.go = do_wait, .n = PS_PER_S};
        *act = (struct act){.go = do_write, .at = (uint64_t)i * 64 * KIB, .bytes = 64};
        acts[i] = script[i];
    }
    rig_init(&rig,
             &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_4K});
    rig_play(&rig, acts, RIG_ACTORS);
    uint64_t updates = rig_all(&rig, EV_lock_updates);
    rig_free(&rig);
    return updates;
}

/* In and out once each, but for the first one in; pages that the host does not have yet
 * take it in and out again, where others came in between. */
static void fresh_pages_take_mmap_lock_twice(void **state)
{
    (void)state;
    assert_int_equal(updates_of_all(true), 2 * RIG_ACTORS - 1);
    assert_in_range(updates_of_all(false), 2 * RIG_ACTORS, 4 * RIG_ACTORS - 1);
}

static void a_lone_vcpu_moves_no_line(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {.go = do_write, .at = 0, .bytes = 64 * KIB}, {.go = do_read, .at = 0, .bytes = MIB}, {0}};
    struct rig rig;
    rig_init(&rig, &(struct rig_setup){.kernel = "6.2", .strategy = "unmap"});
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_lock_updates) + rig_all(&rig, EV_line_moves), 0);
    rig_free(&rig);
}

/* The next page's entry stands in the same line, one 32 KiB on does not. */
static void neighbouring_entries_share_a_line(void **state)
{
    (void)state;
    static const struct act first[] = {{.go = do_write, .at = 0, .bytes = 64}, {0}};
    for (uint64_t apart = 1; apart <= 8; apart += 7) {
        struct rig rig;
        const struct act second[] = {{.go = do_wait, .n = PS_PER_S},
                                     {.go = do_write, .at = apart * 4 * KIB, .bytes = 64},
                                     {0}};
        const struct act *acts[] = {first, second};
        rig_init(&rig, &(struct rig_setup){.kernel = "6.1", .strategy = "unmap"});
        rig_play(&rig, acts, 2);
        /* Besides, both are in one table. */
        assert_int_equal(rig_all(&rig, EV_line_moves), apart < 8 ? 2 : 1);
        rig_free(&rig);
    }
}

/* --- faults that vary --- */

/* What is drawn has the mean that it takes from the price, to what 20,000 draws tell, and
 * is the same again. */
static void what_varies_keeps_its_mean(void **state)
{
    (void)state;
    static const struct act acts[] = {{.go = do_write, .at = 0, .bytes = UINT64_C(20000) * 4 * KIB},
                                      {0}};
    uint64_t drawn[3];
    ps_t took[3];
    for (int i = 0; i < 3; i++) {
        struct rig rig;
        rig_init(&rig, &(struct rig_setup){.kernel = "6.1",
                                           .strategy = "unmap",
                                           .bytes = UINT64_C(20000) * 4 * KIB});
        ps_t full = rig.price[EV_fault_path];
        if (i < 2) {
            kvm_vary_faults(&rig.kvm, rig.price);
        }
        double taken = (double)(full - rig.price[EV_fault_path]);
        rig_alone(&rig, acts);
        drawn[i] = rig_all(&rig, EV_compute_ps);
        assert_int_equal(rig_all(&rig, EV_fault_path), 20000);
        took[i] = rig.engine.actors[0].now;
        assert_true(i == 2 ? drawn[i] == 0 : fabs((double)drawn[i] / (20000 * taken) - 1) < 0.02);
        rig_free(&rig);
    }
    assert_int_equal(drawn[0], drawn[1]);
    assert_true(fabs((double)took[0] / (double)took[2] - 1) < 0.01);
}

/* --- yielding --- */

/* A slot of two chunks is unmapped while a fault waits: a preemptible kernel
 * lets it in between, another one after. */
static void only_preemptible_kernels_yield(void **state)
{
    (void)state;
    static const struct act vmm[] = {{.go = do_enter},
                                     {.go = do_write, .at = 0, .bytes = 4 * MIB},
                                     {.go = do_write, .at = GIB, .bytes = 4 * MIB},
                                     {.go = do_wait, .n = PS_PER_S},
                                     {.go = do_reinit},
                                     {0}};
    static const struct act vcpu[] = {{.go = do_wait, .n = PS_PER_S + PS_PER_MS / 10},
                                      {.go = do_write, .at = 0, .bytes = 64},
                                      {0}};
    const struct act *acts[] = {vmm, vcpu};
    ps_t waited[2];
    for (int preemptible = 0; preemptible <= 1; preemptible++) {
        struct rig rig;
        const struct rig_setup setup = {.kernel = "6.12",
                                        .strategy = "unmap",
                                        .backing = BACKING_4K,
                                        .bytes = 2 * GIB,
                                        .preemptible = preemptible};
        rig_init(&rig, &setup);
        rig_play(&rig, acts, 2);
        waited[preemptible] = ledger_waited(&rig.ledger, 1, LEDGER_ALL, RESOURCE_MMU_LOCK);
        rig_free(&rig);
    }
    assert_true(waited[1] > 0 && waited[1] < waited[0] * 2 / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losers_retry_while_the_winner_cleans),
        cmocka_unit_test(a_write_lock_makes_the_loser_wait_instead),
        cmocka_unit_test(every_racer_cleaned_once),
        cmocka_unit_test(only_the_installer_cleans_from_5_14_on),
        cmocka_unit_test(faults_run_in_parallel_from_6_2_on),
        cmocka_unit_test(logging_relaxes_under_the_read_lock),
        cmocka_unit_test(without_vhe_a_relaxation_calls_el2),
        cmocka_unit_test(relaxations_only_add),
        cmocka_unit_test(a_leaf_gone_meanwhile_is_not_relaxed),
        cmocka_unit_test(readers_fetch_the_lock_as_they_come_and_go),
        cmocka_unit_test(fresh_pages_take_mmap_lock_twice),
        cmocka_unit_test(a_lone_vcpu_moves_no_line),
        cmocka_unit_test(neighbouring_entries_share_a_line),
        cmocka_unit_test(what_varies_keeps_its_mean),
        cmocka_unit_test(only_preemptible_kernels_yield),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

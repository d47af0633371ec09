/* What a trial keeps of the run that it played, and when it may be priced again. */
#include "core/error.h"
#include "play.h"

#include "study/metrics.h"

static struct stage n1;

#define BOOT                                                                                 \
    "[vm]\nram = 4M\nbacking = 4k\ndensity = 8\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\n" \
    "vcpu0 = write ram 4M\n"

static const char boot[] = BOOT;
static const char reboot[] =
    BOOT "vmm = reinit 0\nvcpu0 = enter\nvcpu0 = read ram 4K\nvcpu0 = read ram 2000K\n";

static const char thp_reboot[] =
    "[vm]\nram = 4M\nbacking = thp\ndensity = 8\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\n"
    "vcpu0 = write ram 4M\nvmm = reinit 0\nvcpu0 = enter\nvcpu0 = read ram 4K\n"
    "vcpu0 = read ram 2000K\n";

static void timeline_of(const char *text, struct timeline *timeline)
{
    struct workload *workload = workload_good(text);
    build(workload, timeline);
    workload_free(workload);
}

static struct setup setup_of(const struct strategy *strategy)
{
    return (struct setup){.platform = n1.platform, .kernel = n1.kernel, .strategy = strategy};
}

static void trial_of(const char *text, struct trial *played)
{
    struct strategy unmap = strategy_row("unmap");
    struct setup setup = setup_of(&unmap);
    struct timeline timeline;
    struct error err;
    timeline_of(text, &timeline);
    assert_true(trial_play(&setup, &timeline, n1.value, played, &err));
    timeline_free(&timeline);
}

/* Pauses, stalls and the first access are those of the simulation. */
static void a_trial_keeps_what_its_run_saw(void **state)
{
    struct strategy unmap = strategy_row("unmap");
    struct timeline timeline;
    struct trial played;
    struct times times;
    (void)state;
    timeline_of(reboot, &timeline);
    struct sim *sim = play(&n1, &timeline, &unmap, false);
    trial_of(reboot, &played);
    trial_times(&played, played.price, &times);
    assert_int_equal(times.window_ps, sim_window_ps(sim));
    assert_int_equal(times.tail.pause_ps, sim->kvm.mmu_lock.longest_write_ps);
    assert_int_equal(times.tail.stall_p50_ps, histogram_quantile(&sim->stalls, 0.5));
    assert_int_equal(times.tail.stall_p99_ps, histogram_quantile(&sim->stalls, 0.99));
    assert_int_equal(times.tail.stall_max_ps, sim->stalls.max);
    assert_true(0 < times.tail.stall_p50_ps && times.tail.stall_p50_ps < times.tail.stall_max_ps);
    assert_int_equal(times.tail.first_insn_ps, sim->first_insn_ps - sim->reinit_ps);
    assert_true(0 < times.tail.first_insn_ps && times.tail.first_insn_ps < times.window_ps);
    assert_true(metric_known(METRIC_first_insn_ns, &played, &times));
    trial_free(&played);
    play_free(sim);
    timeline_free(&timeline);
}

/* Counts of the window by site and kind, what was cleaned before it, and what the run began with.
 */
static void a_trial_keeps_what_its_run_counted(void **state)
{
    static const char *const texts[] = {reboot, thp_reboot};
    struct strategy unmap = strategy_row("unmap");
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct timeline timeline;
        struct trial played;
        uint64_t cells = 0, cleaned = 0;
        timeline_of(texts[i], &timeline);
        struct sim *sim = play(&n1, &timeline, &unmap, false);
        trial_of(texts[i], &played);
        for (unsigned site = 0; site < SITES; site++) {
            const uint64_t *window = sim->window + site * EVENT_KINDS;
            const uint64_t *before = sim->before + site * EVENT_KINDS;
            uint64_t lines = before[EV_line_absent] + before[EV_line_clean] + before[EV_line_dirty];
            assert_int_equal(played.cleaned_before[site], lines);
            cleaned += lines;
            for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
                assert_int_equal(trial_count(&played, (enum site)site, (enum event_kind)kind),
                                 window[kind]);
                cells += window[kind] > 0;
                assert_true(played.seen[kind] || window[kind] + before[kind] == 0);
            }
        }
        for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
            uint64_t n = 0;
            for (unsigned site = 0; site < SITES; site++) {
                n +=
                    sim->window[site * EVENT_KINDS + kind] + sim->before[site * EVENT_KINDS + kind];
            }
            assert_int_equal(played.seen[kind], n > 0);
        }
        assert_true(cleaned > 0);
        assert_int_equal(played.count, cells);
        assert_memory_equal(played.price, sim->price, sizeof played.price);
        assert_memory_equal(played.verdict, sim->memory.oracle.verdict, sizeof played.verdict);
        assert_true(played.serial && played.judged && played.has_tails);
        assert_int_equal(played.section_count, 0);
        /* The re-init drops all of 4 MiB; 501 pages are read again, and 2 MiB hold them. */
        assert_int_equal(played.leaves[LEAF_PAGE], i == 0 ? 500 : 0);
        assert_int_equal(played.leaves[LEAF_BLOCK], i == 0 ? 0 : 1);
        assert_int_equal(played.leaves[LEAF_GIG], 0);
        trial_free(&played);
        play_free(sim);
        timeline_free(&timeline);
    }
}

/* A run without a re-init has no first instruction after one. */
static void without_a_reinit_nothing_comes_first(void **state)
{
    struct trial played;
    struct times times;
    (void)state;
    trial_of(boot, &played);
    trial_times(&played, played.price, &times);
    assert_true(times.tail.first_insn_ps == UINT64_MAX);
    assert_false(metric_known(METRIC_first_insn_ns, &played, &times));
    assert_true(metric_known(METRIC_stall_max_ns, &played, &times));
    trial_free(&played);
}

/* A path that all cores share makes even one of them wait where its part of any kind of
 * line, of a write-back or of clearing takes longer than the core itself. */
static void a_path_slower_than_its_core_is_played(void **state)
{
    static const struct {
        size_t cost;
        double value;
        bool again;
    } cases[] = {
        {COST_cmo_path_ns, 7, true},    {COST_cmo_path_ns, 12, false},
        {COST_writeback_gbps, 3, true}, {COST_writeback_gbps, 1, false},
        {COST_zero_path_gbps, 9, true}, {COST_zero_path_gbps, 7, false},
    };
    struct strategy unmap = strategy_row("unmap");
    struct setup setup = setup_of(&unmap);
    struct timeline timeline;
    struct trial played;
    (void)state;
    timeline_of(reboot, &timeline);
    trial_of(reboot, &played);
    assert_true(played.seen[EV_line_absent] && played.seen[EV_line_dirty]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value[COSTS];
        ps_t price[EVENT_KINDS];
        memcpy(value, n1.value, sizeof value);
        /* An absent line 8 ns, a clean one 16, a dirty one 32; 64 bytes at 2 GB/s. */
        value[COST_dc_absent_ns] = 8;
        value[COST_dc_clean_ratio] = value[COST_dc_dirty_ratio] = 2;
        value[COST_cmo_path_ns] = 1;
        value[COST_writeback_gbps] = value[COST_zero_path_gbps] = 1000;
        value[COST_zero_gbps] = 8;
        value[cases[i].cost] = cases[i].value;
        trial_prices(&setup, value, price);
        assert_int_equal(trial_can_reprice(&played, &setup, value, price), cases[i].again);
    }
    trial_free(&played);
    timeline_free(&timeline);
}

/* A host that may be preempted gives mmu_lock up between the chunks of an unmap, where a
 * vCPU waits for it. */
static void a_preemptible_host_lets_vcpus_in(void **state)
{
    static const char text[] =
        "[workload]\nplay = concurrent\n[vm]\nram = 4G\nbacking = 4k\nvcpus = 2\n"
        "[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\nvcpu0 = write ram 3G\n"
        "vcpu0 = signal filled\nvcpu1 = enter\nvcpu1 = wait filled\n"
        "vcpu1 = write ram+3G 64K\nvmm = wait filled\nvmm = reinit 0\n";
    struct strategy unmap = strategy_row("unmap");
    struct setup setup = setup_of(&unmap);
    struct timeline timeline;
    struct trial played[2];
    struct error err;
    (void)state;
    timeline_of(text, &timeline);
    for (int preemptible = 0; preemptible < 2; preemptible++) {
        setup.preemptible = preemptible;
        assert_true(trial_play(&setup, &timeline, n1.value, &played[preemptible], &err));
    }
    assert_true(played[1].tail.pause_ps < played[0].tail.pause_ps / 2);
    trial_free(&played[0]);
    trial_free(&played[1]);
    timeline_free(&timeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trial_keeps_what_its_run_saw),
        cmocka_unit_test(a_trial_keeps_what_its_run_counted),
        cmocka_unit_test(without_a_reinit_nothing_comes_first),
        cmocka_unit_test(a_path_slower_than_its_core_is_played),
        cmocka_unit_test(a_preemptible_host_lets_vcpus_in),
    };
    stage_init(&n1, "neoverse-n1", "6.1");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

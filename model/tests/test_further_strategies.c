/* Strategies beside the built-in ones: what each does more and less than its
 * next of kin, and whether readers are served. */
#include "core/error.h"
#include "play.h"
#include "worst.h"

static struct stage n1;

/* Two slots, one by 4 KiB leaves and one by 2 MiB leaves, no multiple of four; all of it is used,
 * and a part again after the reset. */
static const char mixed[] =
    "[vm]\nram = 8M\nbacking = 4k\nvcpus = 2\ndensity = 64\n"
    "[slot big]\nipa = 4G\nbytes = 14M\nbacking = hugetlb\n[timeline]\n"
    "vcpu0 = enter\nvcpu0 = mmu on\nvcpu0 = write ram 8M\nvcpu0 = write big 14M\n"
    "vcpu1 = enter\nphase = reset\nvmm = reinit all\nvmm = fill ram 64K\nvcpu0 = enter\n"
    "vcpu0 = read ram 64K\nvcpu0 = write ram+1M 4K\nvcpu0 = mmu on\nvcpu0 = read ram+1M 1M\n"
    "vcpu0 = write big+2M 2M\n";

#define PAGES UINT64_C(2048)
#define BLOCKS UINT64_C(7)

struct outcome_of {
    ps_t window_ps, cpu_ps, pause_ps;
    uint64_t count[EVENT_KINDS]; /* from the first re-init on */
    enum outcome worst;
};

static struct outcome_of played(const char *text, const struct strategy *strategy, bool exact)
{
    struct timeline timeline;
    struct workload *workload = workload_good(text);
    build(workload, &timeline);
    struct sim *sim = play(&n1, &timeline, strategy, exact);
    struct outcome_of outcome = {.window_ps = sim_window_ps(sim), .cpu_ps = sim_cpu_ps(sim)};
    outcome.pause_ps = sim->kvm.mmu_lock.longest_write_ps;
    outcome.worst = oracle_worst(&sim->memory.oracle);
    for (size_t i = 0; i < (size_t)SITES * EVENT_KINDS; i++) {
        outcome.count[i % EVENT_KINDS] += sim->window[i];
    }
    play_free(sim);
    timeline_free(&timeline);
    workload_free(workload);
    return outcome;
}

static struct outcome_of row(const char *name, bool exact)
{
    struct strategy strategy = strategy_row(name);
    return played(mixed, &strategy, exact);
}

static uint64_t lines_of(const struct outcome_of *outcome)
{
    return outcome->count[EV_line_absent] + outcome->count[EV_line_clean] +
           outcome->count[EV_line_dirty];
}

static void one_invalidation(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        struct outcome_of shipped = row("unmap", exact), whole = row("unmap-vmall", exact);
        struct outcome_of lazy = row("unmap-lazy", exact), both = row("lazy-vmall", exact);
        assert_int_equal(whole.count[EV_tlbi_vmid], 2); /* both vCPUs have run */
        assert_int_equal(shipped.count[EV_tlbi_vmid], 0);
        /* Every leaf and every table had one. */
        uint64_t saved = shipped.count[EV_tlbi_calls] - whole.count[EV_tlbi_calls];
        assert_int_equal(saved, PAGES + BLOCKS + shipped.count[EV_s2_tables_free]);
        assert_int_equal(saved, lazy.count[EV_tlbi_calls] - both.count[EV_tlbi_calls]);
        assert_int_equal(whole.count[EV_unmap_leaves], shipped.count[EV_unmap_leaves]);
        assert_int_equal(lines_of(&whole), lines_of(&shipped));
        assert_int_equal(lines_of(&both), lines_of(&lazy));
        assert_true(whole.window_ps < shipped.window_ps && both.window_ps < lazy.window_ps);
    }
}

static void hybrid_by_leaf_size(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        struct outcome_of hybrid = row("hybrid", exact), eager = row("eager", exact);
        assert_int_equal(hybrid.count[EV_unmap_leaves], BLOCKS);
        assert_int_equal(hybrid.count[EV_flush_leaves], PAGES);
        assert_int_equal(eager.count[EV_unmap_leaves], 0);
        assert_int_equal(eager.count[EV_flush_leaves], PAGES + BLOCKS);
        /* The block that is touched again is cleaned at its fault. */
        assert_int_equal(lines_of(&hybrid), PAGES * 64 + 2 * MIB / 64);
    }
}

/* The same leaves, by a command each and no line. */
static void flush_by_physical_range(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        struct outcome_of eager = row("eager", exact), range = row("eager-range", exact);
        assert_int_equal(range.count[EV_flush_leaves], eager.count[EV_flush_leaves]);
        assert_int_equal(range.count[EV_range_cmo_calls], PAGES + BLOCKS);
        assert_int_equal(range.count[EV_range_cmo_kib], 22 * MIB / KIB);
        assert_int_equal(lines_of(&range), 0);
        assert_int_equal(range.count[EV_writeback_bytes], eager.count[EV_writeback_bytes]);
        assert_int_equal(range.worst, eager.worst);
        assert_int_equal(eager.count[EV_range_cmo_calls] + eager.count[EV_range_cmo_kib], 0);
    }
}

/* Leaving the clean out of the re-init's unmap alone saves its lines and no others. */
static void only_the_reinit_does_not_clean(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        struct outcome_of unmap = row("unmap", exact), lazy = row("reinit-lazy", exact);
        assert_int_equal(lines_of(&unmap) - lines_of(&lazy), 22 * MIB / 64);
        assert_int_equal(lazy.count[EV_tlbi_calls], unmap.count[EV_tlbi_calls]);
        assert_int_equal(lazy.worst, COHERENT);
    }
}

static void workers_share_the_flush(void **state)
{
    (void)state;
    struct strategy alone = strategy_row("eager"), shared = strategy_row("eager-workers");
    struct outcome_of one = played(mixed, &alone, false), four = played(mixed, &shared, false);
    assert_int_equal(lines_of(&one), lines_of(&four));
    assert_int_equal(one.count[EV_flush_leaves], four.count[EV_flush_leaves]);
    assert_int_equal(one.worst, four.worst);
    assert_true(four.pause_ps < one.pause_ps / 2 && four.pause_ps >= one.pause_ps / 4);
    /* Faster for those who wait, not cheaper. */
    assert_true(four.window_ps < one.window_ps);
    assert_true(four.cpu_ps >= one.cpu_ps && four.cpu_ps < one.cpu_ps + one.cpu_ps / 50);
    struct outcome_of leafwise = played(mixed, &shared, true);
    assert_int_equal(lines_of(&leafwise), lines_of(&four));
    shared.workers = 1;
    four = played(mixed, &shared, false);
    assert_int_equal(four.window_ps, one.window_ps);
}

/* Where the path that cores share is no faster than one core, sharing the work
 * out gains nothing. */
static void workers_meet_at_the_path(void **state)
{
    (void)state;
    struct strategy alone = strategy_row("eager"), shared = strategy_row("eager-workers");
    double path_ns = n1.value[COST_cmo_path_ns];
    n1.value[COST_cmo_path_ns] =
        n1.value[COST_dc_absent_ns] * n1.value[COST_dc_clean_ratio] * n1.value[COST_dc_dirty_ratio];
    struct outcome_of one = played(mixed, &alone, false), four = played(mixed, &shared, false);
    /* But for the barriers, which need no path. */
    assert_true(four.pause_ps > one.pause_ps - one.pause_ps / 4);
    /* Who stalls at the path has a core all the same. */
    assert_true(four.cpu_ps > one.cpu_ps + 2 * (four.window_ps / 4));
    n1.value[COST_cmo_path_ns] = path_ns;
}

static void workers_need_cores(void **state)
{
    (void)state;
    struct strategy shared = strategy_row("eager-workers");
    struct timeline timeline;
    struct error err = {0};
    struct workload *workload = workload_of_text(mixed, &err);
    assert_non_null(workload);
    build(workload, &timeline);
    struct platform small = n1.platform;
    small.cores = 5;
    struct point point = {.timeline = &timeline, .platform = &small, .strategy = &shared};
    assert_false(sim_possible(&point, &err));
    assert_non_null(strstr(err.text, "3 more threads for eager-workers"));
    assert_int_equal(err.status, EXIT_INPUT);
    small.cores = 6;
    assert_true(sim_possible(&point, &err));
    timeline_free(&timeline);
    workload_free(workload);
}

/* A guest that reads most of what it has leaves little to flush. What it only
 * read stays in the caches, and a write past them then meets an older copy. */
static void by_a_record(void **state)
{
    static const char reads[] =
        "[vm]\nram = 8M\nbacking = hugetlb\n[timeline]\nvmm = fill ram 8M\nvcpu0 = enter\n"
        "vcpu0 = read ram 8M\nvcpu0 = mmu on\nvcpu0 = write ram+2M 64K\nvmm = reinit 0\n"
        "vmm = fill ram+4M 128K\nvcpu0 = enter\nvcpu0 = read ram+2M 64K\n"
        "vcpu0 = read ram+4M 128K\nvcpu0 = mmu on\nvcpu0 = read ram 8M\n";
    static const char meets[] =
        "[vm]\nram = 8M\nbacking = hugetlb\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\n"
        "vcpu0 = read ram 8M\nvmm = reinit 0\nvcpu0 = enter\nvcpu0 = write ram 4K\n"
        "vcpu0 = mmu on\nvcpu0 = read ram 4K\n";
    (void)state;
    struct strategy ranged = strategy_row("ranged"), log = strategy_row("dirty-log");
    struct strategy eager = strategy_row("eager");
    for (int exact = 0; exact < 2; exact++) {
        struct outcome_of one = played(reads, &ranged, exact), two = played(reads, &log, exact);
        struct outcome_of all = played(reads, &eager, exact);
        /* At the first mapping every line is cleaned: the VMM's first image is
         * not in the record any more. */
        assert_int_equal(lines_of(&one), 192 * KIB / 64);
        assert_int_equal(lines_of(&two), 4 * MIB / 64);
        assert_int_equal(lines_of(&all), 8 * MIB / 64);
        assert_int_equal(one.worst, COHERENT);
        assert_int_equal(two.worst, COHERENT);
        assert_int_equal(played(meets, &ranged, exact).worst, STALE);
        assert_int_equal(played(meets, &log, exact).worst, STALE);
        assert_int_equal(played(meets, &eager, exact).worst, ONLY_IF);
        /* All that the mixed guest has was written. */
        assert_int_equal(row("ranged", exact).count[EV_flush_bytes], 22 * MIB);
        assert_int_equal(row("dirty-log", exact).count[EV_flush_bytes], 22 * MIB);
    }
}

/* Memory goes once, at the first re-init, and comes back fresh. */
static void recreated(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        struct outcome_of anew = row("recreate", exact), lazy = row("lazy-vmall", exact);
        assert_int_equal(anew.count[EV_unmap_vm_calls], 1);
        assert_int_equal(lazy.count[EV_unmap_vm_calls], 2); /* both vCPUs have run */
        assert_int_equal(anew.count[EV_unmap_leaves], PAGES + BLOCKS);
        assert_true(anew.count[EV_host_zap] > 0 && lazy.count[EV_host_zap] == 0);
        assert_true(anew.count[EV_zero_bytes] > 0 && lazy.count[EV_zero_bytes] == 0);
        assert_true(anew.window_ps > lazy.window_ps);
    }
}

/* Nobody reads stale bytes, and each comes out stale without the step on which
 * it leans. */
static void readers_are_served(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum outcome worst;
    } rows[] = {{"unmap-vmall", COHERENT},
                {"lazy-vmall", COHERENT},
                {"hybrid", ONLY_IF},
                {"eager-workers", ONLY_IF},
                {"recreate", COHERENT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(row(rows[i].name, false).worst, rows[i].worst);
        assert_int_equal(row(rows[i].name, true).worst, rows[i].worst);
        struct strategy broken = strategy_row(rows[i].name);
        broken.fault_cleans = broken.reinit_unmap_cleans = false;
        broken.flush_at = FLUSH_NONE;
        broken.recreate = false;
        broken.toggle = TOGGLE_NONE;
        assert_int_equal(played(mixed, &broken, false).worst, STALE);
    }
    struct strategy half = strategy_row("eager-workers");
    half.flush_leaves = FLUSH_BLOCKS;
    assert_int_equal(played(mixed, &half, false).worst, STALE);
}

/* The loader's record names what the VMM wrote again and no more: cheap, and
 * what the guest left dirty is found by its readers. */
static void by_the_loaders_record(void **state)
{
    struct workload *workload = workload_of("generated-boot");
    struct timeline timeline;
    uint64_t flushed[2];
    static const char *const names[] = {"loaded", "ranged"};
    (void)state;
    build(workload, &timeline);
    for (int i = 0; i < 2; i++) {
        struct strategy strategy = strategy_row(names[i]);
        struct sim *sim = play(&n1, &timeline, &strategy, false);
        flushed[i] = sim_count(sim, LEDGER_ALL, SITE_FLUSH, EV_flush_bytes);
        assert_int_equal(oracle_worst(&sim->memory.oracle) == STALE, i == 0);
        play_free(sim);
    }
    assert_int_equal(flushed[0], 34 * MIB); /* the key `rewrite` */
    assert_int_equal(flushed[1], 179 * MIB); /* all that the guest had written */
    timeline_free(&timeline);
    workload_free(workload);
}

static void set_way_is_impossible(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(strategy_find("set-way", &err));
    assert_non_null(strstr(err.text, "one core's caches only"));
    assert_int_equal(err.status, EXIT_INPUT);
}

static int set_up(void **state)
{
    (void)state;
    stage_init(&n1, "neoverse-n1", "6.1");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_invalidation),
        cmocka_unit_test(hybrid_by_leaf_size),
        cmocka_unit_test(flush_by_physical_range),
        cmocka_unit_test(only_the_reinit_does_not_clean),
        cmocka_unit_test(workers_share_the_flush),
        cmocka_unit_test(workers_meet_at_the_path),
        cmocka_unit_test(by_a_record),
        cmocka_unit_test(by_the_loaders_record),
        cmocka_unit_test(workers_need_cores),
        cmocka_unit_test(recreated),
        cmocka_unit_test(readers_are_served),
        cmocka_unit_test(set_way_is_impossible),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}

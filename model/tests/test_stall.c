/* How long vCPUs are kept from running: closed forms where nobody waits, bounds
 * where they do, and the same in both fidelities. */
#include "core/error.h"
#include "play.h"

static struct stage n1;

/* M pages used, a reset, k of them read again; the MMU is on before they are. */
static const char one_vcpu[] =
    "[vm]\nram = 4M\nbacking = 4k\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\n"
    "vcpu0 = write ram 4M\nvmm = reinit 0\nvcpu0 = enter\nvcpu0 = mmu on\n"
    "vcpu0 = read ram 2000K\n";
#define PAGES 1024
#define TOUCHED 500

static void timeline_of(const char *text, struct timeline *timeline)
{
    struct workload *workload = workload_good(text);
    build(workload, timeline);
    workload_free(workload);
}

static struct sim *prepared(struct point *point, const struct timeline *timeline,
                            const struct strategy *strategy, bool exact)
{
    struct sim *sim = malloc(sizeof *sim);
    assert_non_null(sim);
    *point = (struct point){.timeline = timeline,
                            .platform = &n1.platform,
                            .value = n1.value,
                            .kernel = &n1.kernel,
                            .strategy = strategy,
                            .exact = exact};
    sim_init(sim, point);
    return sim;
}

static ps_t sum_of(const struct histogram *stalls)
{
    ps_t sum = 0;
    for (size_t i = histogram_next(stalls, 0); i < HISTOGRAM_CLASSES;
         i = histogram_next(stalls, i + 1)) {
        sum += stalls->classes[i].sum;
    }
    return sum;
}

/* With five prices: a fault is F + 64 c + d, and so are the median and the 99th
 * percentile of 500 of them; the longest stall is the re-init, which unmaps. */
static void equal_faults(void **state)
{
    const ps_t F = 2000017, c = 7700, d = 101000, w = 63000, R = 900000;
    struct strategy unmap = strategy_row("unmap");
    struct timeline timeline;
    (void)state;
    timeline_of(one_vcpu, &timeline);
    for (int exact = 0; exact < 2; exact++) {
        struct point point;
        struct error err = {0};
        struct sim *sim = prepared(&point, &timeline, &unmap, exact);
        memset(sim->price, 0, sizeof sim->price);
        sim->price[EV_fault_path] = F;
        sim->price[EV_line_absent] = sim->price[EV_line_clean] = sim->price[EV_line_dirty] = c;
        sim->price[EV_cmo_calls] = d;
        sim->price[EV_unmap_leaves] = w;
        sim->price[EV_reinits] = R;
        assert_true(sim_run(sim, &err));
        ps_t reinit = R + PAGES * (w + 64 * c + d);
        assert_int_equal(sim->stalls.count, TOUCHED + 1); /* a toggle is free here */
        assert_int_equal(histogram_quantile(&sim->stalls, 0.5), F + 64 * c + d);
        assert_int_equal(histogram_quantile(&sim->stalls, 0.99), F + 64 * c + d);
        assert_int_equal(sim->stalls.max, reinit);
        assert_int_equal(sum_of(&sim->stalls), reinit + TOUCHED * (F + 64 * c + d));
        assert_int_equal(sim->kvm.mmu_lock.longest_write_ps, PAGES * (w + 64 * c + d));
        play_free(sim);
    }
    timeline_free(&timeline);
}

/* One actor's stalls are its time at the sites where KVM works for it. */
static void stalls_are_the_time_in_kvm(void **state)
{
    static const char *const names[] = {"unmap", "unmap-lazy", "eager", "eager-naive", "fwb"};
    struct timeline timeline;
    (void)state;
    timeline_of(one_vcpu, &timeline);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct strategy strategy = strategy_row(names[i]);
        uint64_t counts[2];
        ps_t sums[2];
        for (int exact = 0; exact < 2; exact++) {
            struct sim *sim = play(&n1, &timeline, &strategy, exact);
            ps_t spent = 0;
            for (size_t cell = 0; cell < WINDOW_CELLS; cell++) {
                bool guest =
                    cell / EVENT_KINDS == SITE_GUEST && cell % EVENT_KINDS != EV_toggle_traps;
                spent += guest ? 0 : sim->window[cell] * sim->price[cell % EVENT_KINDS];
            }
            assert_int_equal(sum_of(&sim->stalls), spent);
            assert_true(sim->stalls.max >= sim->kvm.mmu_lock.longest_write_ps);
            counts[exact] = sim->stalls.count;
            sums[exact] = spent;
            play_free(sim);
        }
        assert_int_equal(counts[0], counts[1]);
        assert_int_equal(sums[0], sums[1]);
    }
    timeline_free(&timeline);
}

/* In order, and no shorter than the longest hold where only vCPUs and re-inits
 * hold: whoever holds is kept from running. Fast says what exact says. */
static void bounds(void **state)
{
    static const char *const names[] = {"unmap", "eager", "eager-naive", "eager-toggle1", "hybrid"};
    static const char *const backings[] = {"4k", "thp"};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof names / sizeof *names; i++) {
        struct strategy strategy = strategy_row(names[i / 2]);
        struct workload *workload = workload_of("generated-boot");
        struct timeline timeline;
        ps_t median[2], longest[2];
        set_key(workload, "backing", backings[i % 2]);
        set_key(workload, "vcpus", "4");
        set_key(workload, "footprint", "64M");
        set_key(workload, "ram", "64M");
        build(workload, &timeline);
        for (int exact = 0; exact < 2; exact++) {
            struct sim *sim = play(&n1, &timeline, &strategy, exact);
            ps_t p99 = histogram_quantile(&sim->stalls, 0.99);
            median[exact] = histogram_quantile(&sim->stalls, 0.5);
            longest[exact] = sim->stalls.max;
            assert_true(median[exact] <= p99 && p99 <= longest[exact]);
            assert_true(longest[exact] >= sim->kvm.mmu_lock.longest_write_ps);
            assert_true(sim->stalls.count > 0);
            play_free(sim);
        }
        assert_true(median[0] <= 2 * median[1] && median[1] <= 2 * median[0]);
        assert_true(longest[0] <= longest[1] * 5 / 4 && longest[1] <= longest[0] * 5 / 4);
        timeline_free(&timeline);
        workload_free(workload);
    }
}

/* What came before the first re-init is no stall of it. */
static void only_in_the_window(void **state)
{
    struct strategy fwb = strategy_row("fwb");
    struct timeline timeline;
    (void)state;
    timeline_of("[vm]\nram = 4M\nbacking = 4k\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\n"
                "vcpu0 = write ram 4M\nvmm = reinit 0\nvcpu0 = enter\nvcpu0 = mmu on\n"
                "vcpu0 = read ram 4M\n",
                &timeline);
    struct sim *sim = play(&n1, &timeline, &fwb, true);
    assert_int_equal(sim->stalls.count, 1); /* the re-init itself */
    play_free(sim);
    timeline_free(&timeline);
}

/* Of several set/way operations the first one starts the flush. */
static void the_flush_is_one_operations(void **state)
{
    struct strategy none = strategy_row("none");
    struct timeline timeline;
    (void)state;
    timeline_of("[vm]\nram = 4M\nbacking = 4k\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\n"
                "vcpu0 = write ram 4M\nvmm = reinit 0\nvcpu0 = enter\nvcpu0 = mmu on\n"
                "vcpu0 = setway 100\n",
                &timeline);
    for (int exact = 0; exact < 2; exact++) {
        struct sim *sim = play(&n1, &timeline, &none, exact);
        ps_t trap = sim->price[EV_setway_traps], flush = 0;
        for (size_t kind = 0; kind < EVENT_KINDS; kind++) {
            flush += sim->window[(size_t)SITE_SETWAY * EVENT_KINDS + kind] * sim->price[kind];
        }
        assert_true(flush > 100 * trap);
        assert_int_equal(sim->stalls.count, 102); /* the re-init, the toggle */
        assert_int_equal(histogram_quantile(&sim->stalls, 0.5), trap);
        assert_int_equal(sim->stalls.max, trap + flush);
        play_free(sim);
    }
    timeline_free(&timeline);
}

/* What was mapped ahead no longer faults, and costs the same but for the exits. */
static void mapped_ahead(void **state)
{
    static const char text[] =
        "[vm]\nram = 8M\nbacking = %s\n[timeline]\nvmm = fill ram 8M\nvmm = reinit 0\n%s"
        "vcpu0 = enter\nvcpu0 = mmu on\nvcpu0 = read ram 64K every 1M times 8\n";
    static const char *const backings[] = {"4k", "thp"};
    struct strategy unmap = strategy_row("unmap");
    (void)state;
    for (int i = 0; i < 4; i++) {
        uint64_t maps[2], faults[2], lines[2];
        bool exact = i % 2;
        for (int ahead = 0; ahead < 2; ahead++) {
            char whole[512];
            struct timeline timeline;
            snprintf(whole, sizeof whole, text, backings[i / 2],
                     ahead ? "vmm = prefault ram 64K every 1M times 8\n" : "");
            timeline_of(whole, &timeline);
            struct sim *sim = play(&n1, &timeline, &unmap, exact);
            maps[ahead] = sim_count(sim, LEDGER_ALL, LEDGER_ALL, EV_map_calls);
            faults[ahead] = sim_count(sim, LEDGER_ALL, LEDGER_ALL, EV_data_tr_r);
            lines[ahead] = sim_count(sim, LEDGER_ALL, SITE_FAULT, EV_line_absent) +
                           sim_count(sim, LEDGER_ALL, SITE_FAULT, EV_line_clean) +
                           sim_count(sim, LEDGER_ALL, SITE_FAULT, EV_line_dirty);
            assert_int_equal(sim_count(sim, LEDGER_ALL, SITE_FAULT, EV_exits), faults[ahead]);
            assert_int_equal(sim->stalls.count, faults[ahead] + 2); /* the re-init, the toggle */
            play_free(sim);
            timeline_free(&timeline);
        }
        assert_int_equal(maps[0], maps[1]);
        assert_int_equal(lines[0], lines[1]);
        assert_int_equal(faults[0], maps[0]);
        assert_int_equal(faults[1], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_faults),
        cmocka_unit_test(stalls_are_the_time_in_kvm),
        cmocka_unit_test(bounds),
        cmocka_unit_test(only_in_the_window),
        cmocka_unit_test(the_flush_is_one_operations),
        cmocka_unit_test(mapped_ahead),
    };
    stage_init(&n1, "neoverse-n1", "6.1");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

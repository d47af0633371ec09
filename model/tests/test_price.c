#include "check.h"

#include <math.h>
#include <string.h>

#include "kvm/kvm.h"
#include "machine/price.h"

/* 2 GHz and 1.5 cycles make 0.75 ns of an instruction of the kernel. */
static struct platform machine(void)
{
    struct platform platform = {
        .name = "round", .cores = 8, .sockets = 1, .clock_ghz = 2, .line_bytes = 64};
    return platform;
}

static void costs(double value[COSTS])
{
    static const double given[COSTS] = {
        [COST_kernel_cpi] = 1.5,
        [COST_guest_cpi] = 0.5,
        [COST_exit_ns] = 300,
        [COST_hvc_ns] = 90,
        [COST_dc_absent_ns] = 8,
        [COST_dc_clean_ratio] = 1.5,
        [COST_dc_dirty_ratio] = 3,
        [COST_dsb_ns] = 70,
        [COST_cmo_path_ns] = 2,
        [COST_writeback_gbps] = 16,
        [COST_ic_line_ns] = 5,
        [COST_ic_all_ns] = 4000,
        [COST_tlbi_ns] = 500,
        [COST_tlbi_local_ns] = 110,
        [COST_tlbi_range_ns] = 900,
        [COST_memory_ns] = 120,
        [COST_overlap] = 4,
        [COST_uncached_ns] = 130,
        [COST_walk_read_ns] = 6,
        [COST_zero_gbps] = 8,
        [COST_zero_path_gbps] = 32,
        [COST_copy_gbps] = 4,
        [COST_lock_handover_ns] = 250,
        [COST_line_move_ns] = 45,
        [COST_range_cmo_ns] = 800,
        [COST_range_cmo_gbps] = 64,
        [COST_tlbi_path_ratio] = 0.5,
        [COST_path_misfit] = 1,
        [COST_lines_misfit] = 1,
        [COST_tlbi_misfit] = 1,
        [COST_wait_misfit] = 1,
        [COST_access_misfit] = 1,
        [COST_remote_ratio] = 1.5,
    };
    for (int i = 0; i < COSTS; i++) {
        value[i] = given[i];
    }
}

static const struct hand {
    enum event_kind kind;
    double ns; /* without instructions */
} by_hand[] = {
    {EV_exits, 300},          {EV_toggle_traps, 300}, {EV_setway_traps, 300},
    {EV_hyp_calls, 90},       {EV_tlbi_third, 250},   {EV_line_absent, 8},
    {EV_line_clean, 12},      {EV_line_dirty, 36},    {EV_cmo_calls, 70},
    {EV_icache_lines, 5},     {EV_ic_ialluis, 4000},  {EV_tlbi_calls, 500},
    {EV_tlbi_vmid, 500},      {EV_tlbi_range, 900},   {EV_tlbi_local, 110},
    {EV_walk_reads, 6},       {EV_guest_misses, 30},  {EV_uncached, 130},
    {EV_zero_bytes, 128},     {EV_vmm_bytes, 256},    {EV_guest_insns, 0.25},
    {EV_lock_handovers, 250}, {EV_compute_ps, 0.001}, {EV_lock_updates, 45},
    {EV_line_moves, 45},      {EV_lock_yields, 90},   {EV_range_cmo_calls, 800},
    {EV_range_cmo_kib, 16},   {EV_host_lines, 120},   {EV_guest_remote, 45},
    {EV_host_tlbi, 250},
};

static void each_event_costs_its_formula(void **state)
{
    (void)state;
    struct platform platform = machine();
    double value[COSTS], insns[EVENT_KINDS] = {0}, expected[EVENT_KINDS] = {0};
    ps_t price[EVENT_KINDS];
    costs(value);
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
        expected[by_hand[i].kind] = by_hand[i].ns;
    }
    price_events(&platform, value, insns, price);
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        assert_int_equal(price[kind], llround(expected[kind] * 1000));
    }
}

static bool has_path(enum event_kind kind)
{
    double insns[EVENT_KINDS];
    kvm_path_lengths(true, insns);
    return !isnan(insns[kind]);
}

/* A formula has the word PATH where the kernel's code has a length, and only there. */
static void path_lengths_are_added_at_the_kernel_s_pace(void **state)
{
    (void)state;
    struct platform platform = machine();
    double value[COSTS], none[EVENT_KINDS] = {0}, insns[EVENT_KINDS];
    ps_t without[EVENT_KINDS], with[EVENT_KINDS];
    costs(value);
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        insns[kind] = 10.0 + 10.0 * kind;
    }
    price_events(&platform, value, none, without);
    price_events(&platform, value, insns, with);
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        ps_t software = has_path((enum event_kind)kind) ? (ps_t)(7500 + 7500 * kind) : 0;
        assert_int_equal(with[kind] - without[kind], software);
    }
}

/* Each cost is there for something: a price, or what a path that cores share can take. */
static void each_cost_makes_a_difference(void **state)
{
    (void)state;
    struct platform platform = machine();
    double value[COSTS], insns[EVENT_KINDS];
    ps_t before[EVENT_KINDS], after[EVENT_KINDS];
    costs(value);
    kvm_path_lengths(true, insns);
    price_events(&platform, value, insns, before);
    for (int id = 0; id < COSTS; id++) {
        double cmo = price_cmo_weight(value, 100, 0, 1000);
        double writeback = price_cmo_weight(value, 100, 64000, 1000);
        double zero = price_zero_weight(value, 4096, 1000), given = value[id];
        ps_t tlbi = price_tlbi_path(value, 1000);
        value[id] *= 2;
        price_events(&platform, value, insns, after);
        bool differs = memcmp(before, after, sizeof before) != 0 ||
                       price_cmo_weight(value, 100, 0, 1000) != cmo ||
                       price_cmo_weight(value, 100, 64000, 1000) != writeback ||
                       price_zero_weight(value, 4096, 1000) != zero ||
                       price_tlbi_path(value, 1000) != tlbi;
        if (!differs) {
            fail_msg("nothing depends on %s", cost_name[id]);
        }
        value[id] = given;
    }
}

static void dic_makes_the_whole_icache_free(void **state)
{
    (void)state;
    struct platform platform = machine();
    double value[COSTS], insns[EVENT_KINDS] = {0};
    ps_t price[EVENT_KINDS];
    costs(value);
    platform.dic = true;
    price_events(&platform, value, insns, price);
    assert_int_equal(price[EV_ic_ialluis], 0);
}

/* What costs nothing with real lengths has no time, so that it belongs to no part. */
static void kinds_without_a_price_have_no_part(void **state)
{
    (void)state;
    struct platform platform = machine();
    double value[COSTS], insns[EVENT_KINDS];
    ps_t price[EVENT_KINDS];
    costs(value);
    for (int vhe = 0; vhe <= 1; vhe++) {
        kvm_path_lengths(vhe, insns);
        price_events(&platform, value, insns, price);
        for (int kind = 0; kind < EVENT_KINDS; kind++) {
            bool named = kind == EV_guest_hits || kind == EV_block_path;
            assert_true(price[kind] > 0 || named ||
                        event_part((enum event_kind)kind, SITE_REINIT) == PART_other);
        }
        assert_int_equal(price[EV_fault_path], llround(insns[EV_fault_path] * 750));
        assert_true(price[EV_fault_path] > 0 && price[EV_perm_path] > 0);
    }
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

/* 100 lines at 2 ns need 200 ns of the path; 6400 bytes at 16 GB/s need 400. */
static void the_cmo_weight_is_the_larger_of_two_needs(void **state)
{
    (void)state;
    double value[COSTS];
    costs(value);
    assert_true(near(price_cmo_weight(value, 100, 0, 800000), 0.25));
    assert_true(near(price_cmo_weight(value, 100, 1600, 800000), 0.25));
    assert_true(near(price_cmo_weight(value, 100, 6400, 800000), 0.5));
    assert_true(near(price_cmo_weight(value, 100, 6400, 200000), 2));
    assert_true(near(price_cmo_weight(value, 0, 0, 70000), 0));
    assert_true(near(price_cmo_weight(value, 100, 6400, 0), 0));
}

static void the_zeroing_weight_is_its_share_of_the_bandwidth(void **state)
{
    (void)state;
    double value[COSTS];
    costs(value);
    assert_true(near(price_zero_weight(value, 4096, 512000), 0.25));
    assert_true(near(price_zero_weight(value, 4096, 0), 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_costs_its_formula),
        cmocka_unit_test(path_lengths_are_added_at_the_kernel_s_pace),
        cmocka_unit_test(dic_makes_the_whole_icache_free),
        cmocka_unit_test(each_cost_makes_a_difference),
        cmocka_unit_test(kinds_without_a_price_have_no_part),
        cmocka_unit_test(the_cmo_weight_is_the_larger_of_two_needs),
        cmocka_unit_test(the_zeroing_weight_is_its_share_of_the_bandwidth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

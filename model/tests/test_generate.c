/* Generated boots: the shares that their keys name, and what was recorded. */
#include "play.h"

#include <math.h>

static uint64_t touched_in(const struct timeline *timeline, const char *phase, bool fetch)
{
    uint64_t bytes = 0;
    for (uint32_t i = 1; i < timeline->script_count; i++) {
        for (size_t k = 0; k < timeline->scripts[i].count; k++) {
            const struct op *op = &timeline->scripts[i].ops[k];
            bool wanted = op->kind == OP_TOUCH && (op->access == TOUCH_FETCH) == fetch &&
                          strcmp(timeline->phases[op->phase], phase) == 0;
            bytes += wanted && op->bytes >= 64 * KIB ? op->bytes : 0;
        }
    }
    return bytes;
}

static void expect_near(double found, double expected, double tolerance)
{
    if (fabs(found - expected) > tolerance) {
        print_error("found %g, expected %g\n", found, expected);
    }
    assert_true(fabs(found - expected) <= tolerance);
}

/* Whatever the size and order, the same share is touched, in a bounded number
 * of pieces. */
static void test_generated_shares(void **state)
{
    (void)state;
    static const char *const orders[] = {"sequential", "strided", "random", "recorded"};
    static const char *const sizes[] = {"96M", "1G", "1T"};
    struct workload *workload = workload_of("generated-boot");
    set_key(workload, "touched", "40%");
    set_key(workload, "extents", "400");
    set_key(workload, "execute", "8M");
    for (size_t size = 0; size < 3; size++) {
        for (size_t order = 0; order < 4; order++) {
            struct timeline timeline;
            uint64_t bytes;
            set_key(workload, "footprint", sizes[size]);
            set_key(workload, "order", orders[order]);
            assert_true(unit_parse_whole(sizes[size], UNIT_BYTES, &bytes));
            build(workload, &timeline);
            double all = (double)touched_in(&timeline, "boot2", false);
            double executed = (double)touched_in(&timeline, "boot2", true);
            expect_near(all / (double)bytes, 0.4, 0.02);
            expect_near(executed / (8.0 * MIB), 1, 0.02);
            assert_true(timeline.scripts[1].count < 6000);
            timeline_free(&timeline);
        }
    }
    workload_free(workload);
}

static bool same_ops(const struct timeline *a, const struct timeline *b)
{
    const struct script *left = &a->scripts[1], *right = &b->scripts[1];
    bool same = left->count == right->count;
    for (size_t i = 0; same && i < left->count; i++) {
        same = left->ops[i].kind == right->ops[i].kind && left->ops[i].ipa == right->ops[i].ipa &&
               left->ops[i].bytes == right->ops[i].bytes && left->ops[i].n == right->ops[i].n;
    }
    return same;
}

static void test_seed_decides(void **state)
{
    (void)state;
    struct workload *workload = workload_of("generated-boot");
    set_key(workload, "footprint", "1G");
    set_key(workload, "order", "zipf");
    struct timeline first, again, other;
    build(workload, &first);
    build(workload, &again);
    set_key(workload, "seed", "2");
    build(workload, &other);
    assert_true(same_ops(&first, &again));
    assert_false(same_ops(&first, &other));
    timeline_free(&first);
    timeline_free(&again);
    timeline_free(&other);
    workload_free(workload);
}

/* What is cached and dirty at the reset is what the keys say: a flush of all
 * finds it. */
static void test_cached_share(void **state)
{
    (void)state;
    struct stage stage;
    struct strategy eager = strategy_row("eager");
    struct workload *workload = workload_of("generated-boot");
    struct timeline timeline;
    stage_init(&stage, "neoverse-n1", "6.1");
    set_key(workload, "footprint", "16M");
    set_key(workload, "rewrite", "0");
    set_key(workload, "density", "64");
    set_key(workload, "cached", "50%");
    set_key(workload, "dirty", "25%");
    build(workload, &timeline);
    for (int exact = 0; exact < 2; exact++) {
        struct sim *sim = play(&stage, &timeline, &eager, exact);
        uint64_t dirty = sim_count(sim, LEDGER_ALL, SITE_FLUSH, EV_line_dirty);
        uint64_t clean = sim_count(sim, LEDGER_ALL, SITE_FLUSH, EV_line_clean);
        uint64_t absent = sim_count(sim, LEDGER_ALL, SITE_FLUSH, EV_line_absent);
        assert_int_equal(absent + clean + dirty, 16 * MIB / 64);
        expect_near((double)dirty, 2 * (double)MIB / 64, 16 * 64);
        expect_near((double)clean, 6 * (double)MIB / 64, 16 * 64);
        play_free(sim);
    }
    timeline_free(&timeline);
    workload_free(workload);
}

/* However much larger than the cache a guest is: what the cache holds of it at the reset
 * is dirty by the same share. */
static void test_cached_share_of_large(void **state)
{
    (void)state;
    struct stage stage;
    struct strategy eager = strategy_row("eager");
    struct workload *workload = workload_of("generated-boot");
    struct timeline timeline;
    stage_init(&stage, "kunpeng-920", "6.1");
    set_key(workload, "footprint", "64G");
    set_key(workload, "rewrite", "0");
    set_key(workload, "density", "64");
    set_key(workload, "dirty", "25%");
    build(workload, &timeline);
    struct sim *sim = play(&stage, &timeline, &eager, false);
    double dirty = (double)sim_count(sim, LEDGER_ALL, SITE_FLUSH, EV_line_dirty);
    double clean = (double)sim_count(sim, LEDGER_ALL, SITE_FLUSH, EV_line_clean);
    expect_near((dirty + clean) / (96.0 * MIB / 64), 1, 0.05);
    expect_near(dirty / (dirty + clean), 0.25, 0.02);
    play_free(sim);
    timeline_free(&timeline);
    workload_free(workload);
}

/* The flush at MMU-on is the recorded one: 36 KiB by 4 KiB leaves, 10 MiB by
 * 2 MiB leaves; a second vCPU flushes about 57% of what is touched. */
static void test_mmu_on_as_recorded(void **state)
{
    (void)state;
    struct stage stage;
    struct strategy unmap = strategy_row("unmap");
    struct workload *workload = workload_of("generated-boot");
    struct timeline timeline;
    stage_init(&stage, "neoverse-n1", "6.1");
    static const char *const backings[] = {"4k", "thp"};
    static const uint64_t bytes[] = {36 * KIB, 10 * MIB};
    for (int i = 0; i < 2; i++) {
        set_key(workload, "backing", backings[i]);
        build(workload, &timeline);
        struct sim *sim = play(&stage, &timeline, &unmap, false);
        uint32_t last = timeline.phase_count - 1;
        while (strcmp(timeline.phases[last], "boot2") != 0) {
            last--;
        }
        assert_int_equal(sim_count(sim, last, SITE_TOGGLE, EV_flush_bytes), bytes[i]);
        play_free(sim);
        timeline_free(&timeline);
    }
    set_key(workload, "backing", "4k");
    set_key(workload, "vcpus", "2");
    build(workload, &timeline);
    struct sim *sim = play(&stage, &timeline, &unmap, false);
    uint64_t flushed = sim_count(sim, 3, SITE_TOGGLE, EV_flush_bytes);
    expect_near((double)flushed / (double)(58 * MIB), 0.57, 0.05);
    play_free(sim);
    timeline_free(&timeline);
    workload_free(workload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generated_shares),   cmocka_unit_test(test_seed_decides),
        cmocka_unit_test(test_cached_share),       cmocka_unit_test(test_cached_share_of_large),
        cmocka_unit_test(test_mmu_on_as_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

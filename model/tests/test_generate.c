/* Generated boots: the shares that their keys name, and what was recorded. */
#include "core/error.h"
#include "play.h"

#include "guest/workload/workload_values.h"

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
    expect_near((dirty + clean) / (48.0 * MIB / 64), 1, 0.05); /* of one socket */
    expect_near(dirty / (dirty + clean), 0.25, 0.02);
    play_free(sim);
    timeline_free(&timeline);
    workload_free(workload);
}

/* What a boot's first vCPU used first lies far from those on another socket. */
static void test_far_lines(void **state)
{
    static const struct {
        const char *machine, *placement;
        bool far;
    } rows[] = {{"kunpeng-920", "spread", true},
                {"kunpeng-920", "one-socket", false},
                {"neoverse-n1", "spread", false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stage stage;
        struct strategy unmap = strategy_row("unmap");
        struct workload *workload = workload_of("generated-boot");
        struct timeline timeline;
        stage_init(&stage, rows[i].machine, "6.1");
        set_key(workload, "vcpus", "4");
        set_key(workload, "placement", rows[i].placement);
        build(workload, &timeline);
        struct sim *sim = play(&stage, &timeline, &unmap, false);
        uint64_t far = sim_count(sim, LEDGER_ALL, LEDGER_ALL, EV_guest_remote);
        assert_true((far > 0) == rows[i].far);
        assert_true(far < sim_count(sim, LEDGER_ALL, LEDGER_ALL, EV_guest_misses));
        play_free(sim);
        timeline_free(&timeline);
        workload_free(workload);
    }
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
    expect_near((double)flushed / (double)((36 + 33576) * KIB), 1, 0.05);
    play_free(sim);
    timeline_free(&timeline);
    workload_free(workload);
}

/* --- when the other vCPUs come up --- */

/* What the first vCPU touches in its second boot before it brings another one up; the
 * pages that it uses with its MMU off are smaller than that. */
static uint64_t touched_alone(const struct timeline *timeline)
{
    const struct script *first = &timeline->scripts[1];
    uint64_t bytes = 0;
    size_t k = 0;
    while (strcmp(timeline->phases[first->ops[k].phase], "boot2") != 0) {
        k++;
    }
    for (; k < first->count && first->ops[k].kind != OP_SIGNAL; k++) {
        const struct op *op = &first->ops[k];
        bool counts = op->kind == OP_TOUCH && op->access != TOUCH_FETCH && op->bytes >= 64 * KIB;
        bytes += counts ? op->bytes : 0;
    }
    assert_true(k < first->count);
    return bytes;
}

struct bring_up {
    const char *firmware, *ram, *footprint, *touched;
    uint64_t mib; /* that the first vCPU touches alone, in whole units of 2 MiB */
    uint64_t min_mib, mode_mib, max_mib;
};

/* The amount follows from RAM, whatever share of how large a footprint is touched. */
static void test_secondaries_follow_from_ram(void **state)
{
    (void)state;
    static const struct bring_up rows[] = {
        {"direct", "256M", "200M", "50%", 34, 31, 33, 37},
        {"direct", "1G", "1G", "50%", 46, 31, 45, 61},
        {"direct", "3G", "2G", "50%", 78, 31, 77, 125},
        {"direct", "4G", "3G", "50%", 158, 31, 157, 221},
        {"direct", "16G", "16G", "10%", 350, 31, 349, 605},
        {"direct", "16G", "16G", "100%", 350, 31, 349, 605},
        {"direct", "16G", "8G", "32%", 350, 31, 349, 605},
        {"direct", "128G", "96G", "8%", 2142, 31, 2141, 4189},
        {"direct", "1T", "1T", "80%", 16478, 31, 16477, 32861},
        {"uefi", "256M", "256M", "73%", 172, 170, 172, 176},
        {"uefi", "32G", "24G", "5%", 744, 170, 744, 1256},
        /* As much as there is. */
        {"direct", "16G", "16G", "1%", 164, 31, 349, 605},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct workload *workload = workload_of("generated-boot");
        struct timeline timeline;
        set_key(workload, "firmware", rows[i].firmware);
        set_key(workload, "vcpus", "3");
        set_key(workload, "ram", rows[i].ram);
        set_key(workload, "footprint", rows[i].footprint);
        set_key(workload, "touched", rows[i].touched);
        build(workload, &timeline);
        const struct workload_values *values = workload_values(workload);
        assert_int_equal(values->secondaries_after_min, rows[i].min_mib * MIB);
        assert_int_equal(values->secondaries_after, rows[i].mode_mib * MIB);
        assert_int_equal(values->secondaries_after_max, rows[i].max_mib * MIB);
        assert_int_equal(touched_alone(&timeline), rows[i].mib * MIB);
        timeline_free(&timeline);
        workload_free(workload);
    }
}

struct first_boot {
    const char *ram;
    uint64_t touched_mib;
    double recorded_mib; /* by the boots of that size; 0: there is none */
};

/* A first boot touches what boots of its size were recorded to, and nothing comes before it. */
static void test_first_boot_grows_with_ram(void **state)
{
    (void)state;
    static const struct first_boot rows[] = {
        {"256M", 58, 57.5}, {"1G", 76, 78}, {"4G", 212, 210}, {"128G", 3188, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct workload *workload = workload_of("first-boot");
        struct timeline timeline;
        set_key(workload, "ram", rows[i].ram);
        build(workload, &timeline);
        assert_int_equal(touched_in(&timeline, "boot1", false), rows[i].touched_mib * MIB);
        if (rows[i].recorded_mib > 0) {
            expect_near((double)rows[i].touched_mib / rows[i].recorded_mib, 1, 0.03);
        }
        assert_int_equal(touched_in(&timeline, "use1", false), 0);
        timeline_free(&timeline);
        workload_free(workload);
    }
}

/* A second boot touches as much as a first one of that RAM, however much was in use; all of it
 * where less was. */
static void test_second_boot_grows_with_ram(void **state)
{
    (void)state;
    static const struct {
        const char *footprint;
        uint64_t touched_mib;
    } rows[] = {{"179M", 58}, {"842M", 76}, {"3282M", 212}, {"96G", 2420}, {"40M", 40}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct workload *workload = workload_of("generated-boot");
        struct timeline timeline;
        set_key(workload, "footprint", rows[i].footprint);
        build(workload, &timeline);
        assert_int_equal(touched_in(&timeline, "boot2", false), rows[i].touched_mib * MIB);
        timeline_free(&timeline);
        workload_free(workload);
    }
}

/* Each MMU-on of a VM of 128 GiB and 64 vCPUs flushes what the first vCPU has touched: the kernel
 * and the memory map, 2 GiB, and no share of RAM. */
static void test_first_boot_flushes_little(void **state)
{
    (void)state;
    struct stage stage;
    struct timeline timeline;
    struct strategy unmap = strategy_row("unmap");
    struct workload *workload = workload_of("first-boot");
    set_key(workload, "ram", "128G");
    set_key(workload, "vcpus", "64");
    stage_init(&stage, "neoverse-n1", "6.1");
    build(workload, &timeline);
    struct sim *sim = play(&stage, &timeline, &unmap, false);
    const uint64_t *toggle = sim->window + SITE_TOGGLE * EVENT_KINDS;
    assert_int_equal(toggle[EV_flush_vm_calls], 64);
    expect_near((double)toggle[EV_flush_bytes] / 63 / (double)GIB, 2.1, 0.05);
    play_free(sim);
    timeline_free(&timeline);
    workload_free(workload);
}

/* Where they come up changes who touches, and nothing of what is touched. */
static void test_secondaries_cut(void **state)
{
    (void)state;
    static const char *const amounts[] = {"0", "2M", "100M", "349M", "1G", "16G"};
    static const uint64_t mib[] = {0, 2, 100, 350, 1024, 1638};
    struct workload *workload = workload_of("generated-boot");
    set_key(workload, "footprint", "16G");
    set_key(workload, "touched", "10%");
    set_key(workload, "vcpus", "4");
    for (size_t i = 0; i < sizeof mib / sizeof *mib; i++) {
        struct timeline timeline;
        set_key(workload, "secondaries_after", amounts[i]);
        build(workload, &timeline);
        assert_int_equal(touched_alone(&timeline), mib[i] * MIB);
        assert_int_equal(touched_in(&timeline, "boot2", false), 1638 * MIB);
        expect_near((double)touched_in(&timeline, "boot2", true), 6624.0 * KIB, 64 * KIB);
        timeline_free(&timeline);
    }
    workload_free(workload);
}

static void expect_refused(const struct workload *workload, const char *words)
{
    struct timeline timeline;
    struct error err = {0};
    assert_false(workload_build(workload, &timeline, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    if (!strstr(err.text, words)) {
        print_error("%s\n", err.text);
    }
    assert_non_null(strstr(err.text, words));
}

/* An amount that is given is known; its range can be given, too, around it. */
static void test_secondaries_range(void **state)
{
    (void)state;
    struct workload *workload = workload_of("generated-boot");
    struct timeline timeline;
    const struct workload_values *values = workload_values(workload);
    set_key(workload, "vcpus", "2");
    set_key(workload, "secondaries_after", "40M");
    assert_int_equal(values->secondaries_after_min, 40 * MIB);
    assert_int_equal(values->secondaries_after_max, 40 * MIB);
    set_key(workload, "secondaries_after_max", "50M");
    build(workload, &timeline);
    timeline_free(&timeline);
    assert_int_equal(values->secondaries_after_min, 40 * MIB);
    assert_int_equal(values->secondaries_after_max, 50 * MIB);
    set_key(workload, "secondaries_after", "60M");
    expect_refused(workload, "secondaries_after_max: found 50M, expected at least "
                             "secondaries_after, 60M");
    set_key(workload, "secondaries_after_max", "60M");
    set_key(workload, "secondaries_after_min", "61M");
    expect_refused(workload, "secondaries_after_min: found 61M, expected at most "
                             "secondaries_after, 60M");
    workload_free(workload);
}

/* The key that it took the place of is refused by its name, wherever it stands. */
static void test_share_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct workload *workload = workload_of("generated-boot");
    assert_null(workload_of_text("[vm]\nvcpus = 2\n[boot]\nsecondary_mmu_on = 20%\n", &err));
    assert_non_null(strstr(err.text, ":4: secondary_mmu_on: a share of what is touched"));
    assert_non_null(strstr(err.text, "expected secondaries_after"));
    assert_false(workload_set(workload, "secondary_mmu_on", "20%", NULL, &err));
    assert_non_null(strstr(err.text, "expected secondaries_after"));
    workload_free(workload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generated_shares),
        cmocka_unit_test(test_seed_decides),
        cmocka_unit_test(test_cached_share),
        cmocka_unit_test(test_cached_share_of_large),
        cmocka_unit_test(test_far_lines),
        cmocka_unit_test(test_mmu_on_as_recorded),
        cmocka_unit_test(test_secondaries_follow_from_ram),
        cmocka_unit_test(test_first_boot_grows_with_ram),
        cmocka_unit_test(test_second_boot_grows_with_ram),
        cmocka_unit_test(test_first_boot_flushes_little),
        cmocka_unit_test(test_secondaries_cut),
        cmocka_unit_test(test_secondaries_range),
        cmocka_unit_test(test_share_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* TLB invalidation of unmapped ranges: which instructions it takes, and when it is put off
 * until all is unmapped. */
#include "kvm/tlbi.h"
#include "rig.h"

struct deferral {
    const char *kernel, *strategy;
    bool tlbirange;
    uint64_t calls, ranges;
};

/* Four pages, a leaf table and the table above it. */
static void unmapping_defers_with_fwb_and_range_instructions(void **state)
{
    (void)state;
    static const struct deferral cases[] = {
        {"6.6", "fwb", true, 2, 1},   {"6.5", "fwb", true, 6, 0}, {"6.6", "fwb", false, 6, 0},
        {"6.6", "unmap", true, 6, 0}, {"7.3", "fwb", true, 2, 1},
    };
    static const struct act acts[] = {
        {.go = do_write, .at = 0, .bytes = 16 * KIB}, {.go = do_enter}, {.go = do_reinit}, {0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        const struct rig_setup setup = {.kernel = cases[i].kernel,
                                        .strategy = cases[i].strategy,
                                        .tlbirange = cases[i].tlbirange};
        struct strategy own = {.reinit_unmap = UNMAP_ALL, .toggle = TOGGLE_NONE};
        rig_init(&rig, &setup);
        own.fwb = rig.kvm.fwb;
        rig.kvm.strategy = &own;
        rig_alone(&rig, acts);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_unmap_leaves), 4);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_tlbi_table), 2);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_tlbi_calls), cases[i].calls);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_tlbi_range), cases[i].ranges);
        rig_free(&rig);
    }
}

/* Without FWB, as a strategy's choice: a chunk's leaves are invalidated at its end, by range or
 * the whole VMID; tables as they are freed. */
static void a_strategy_defers_without_fwb(void **state)
{
    static const struct act acts[] = {
        {.go = do_write, .at = 0, .bytes = 16 * KIB}, {.go = do_enter}, {.go = do_reinit}, {0}};
    static const struct {
        const char *strategy;
        bool tlbirange;
        uint64_t calls, ranges, whole;
    } cases[] = {
        {"unmap", true, 6, 0, 0},
        {"unmap-range", true, 2, 1, 0},
        {"unmap-range", false, 2, 0, 1},
        {"unmap-vmall", true, 0, 0, 1},
        {"reinit-lazy-range", false, 2, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        rig_init(&rig, &(struct rig_setup){.kernel = "6.1",
                                           .strategy = cases[i].strategy,
                                           .tlbirange = cases[i].tlbirange});
        rig_alone(&rig, acts);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_unmap_leaves), 4);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_tlbi_calls), cases[i].calls);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_tlbi_range), cases[i].ranges);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_tlbi_vmid), cases[i].whole);
        rig_free(&rig);
    }
}

static void invalidate_long(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_tlbi(actor, &rig->memory, EV_tlbi_calls, act->n);
}

/* Another core's 100 invalidations of 700 ns are over before 512 leaves of 1 us each are
 * unmapped: who defers its own has none to wait for until then, who does not waits. */
static void deferring_leaves_wait_for_nobody(void **state)
{
    static const struct act unmapper[] = {{.go = do_write, .at = 0, .bytes = 2 * MIB},
                                          {.go = do_enter},
                                          {.go = do_wait, .n = PS_PER_S},
                                          {.go = do_reinit},
                                          {0}};
    static const struct act other[] = {
        {.go = do_wait, .n = PS_PER_S}, {.go = invalidate_long, .n = 100}, {0}};
    static const struct act *const acts[] = {unmapper, other};
    (void)state;
    for (int defers = 0; defers < 2; defers++) {
        struct rig rig;
        struct strategy own = {.reinit_unmap = UNMAP_ALL, .toggle = TOGGLE_NONE, .fwb = true};
        rig_init(&rig,
                 &(struct rig_setup){.kernel = "6.6", .strategy = "fwb", .tlbirange = defers == 1});
        rig.kvm.strategy = &own;
        rig.price[EV_unmap_leaves] = PS_PER_NS * 1000;
        rig_play(&rig, acts, 2);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_unmap_leaves), 512);
        assert_int_equal(ledger_waited(&rig.ledger, LEDGER_ALL, LEDGER_ALL, RESOURCE_DVM) > 0,
                         !defers);
        rig_free(&rig);
    }
}

/* Three whole chunks of 1 GiB and a part of one: taken together they are
 * invalidated as one by one, LPA2 begins nowhere but at 64 KiB, and without VHE
 * each chunk's range is a call to EL2, as is each freed table. */
static void chunks_taken_together_defer_as_one_by_one(void **state)
{
    static const struct act acts[] = {
        {.go = do_write, .at = 0, .bytes = 16 * KIB}, {.go = do_enter}, {.go = do_reinit}, {0}};
    (void)state;
    for (int together = 0; together < 2; together++) {
        struct rig rig;
        const struct rig_setup setup = {.kernel = "7.3",
                                        .strategy = "fwb",
                                        .tlbirange = true,
                                        .lpa2 = true,
                                        .nvhe = true,
                                        .bytes = 3 * GIB + 20 * KIB};
        struct strategy own = {.reinit_unmap = UNMAP_ALL, .toggle = TOGGLE_NONE, .fwb = true};
        rig_init(&rig, &setup);
        rig.kvm.strategy = &own;
        rig.kvm.steps = (uint64_t)together;
        rig_alone(&rig, acts);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_unmap_calls), 4);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_unmap_leaves), 4);
        /* A chunk's 262,144 pages are one range; 5 pages are one of 4 and a single. */
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_tlbi_range), 4);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_tlbi_calls), 3);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_tlbi_table), 2);
        assert_int_equal(rig_count(&rig, SITE_REINIT, EV_hyp_calls), 4 + 2);
        rig_free(&rig);
    }
}

/* __flush_tlb_range_op of 6.9 and later, spelled out instruction by instruction. */
static void naive_range_tlbi(uint64_t start, uint64_t pages, bool lpa2, uint64_t *ranges,
                             uint64_t *singles)
{
    int scale = 3;
    *ranges = *singles = 0;
    while (pages > 0) {
        if (pages == 1 || (lpa2 && start % (64 * KIB) != 0)) {
            ++*singles;
            start += 4 * KIB;
            pages -= 1;
            continue;
        }
        uint64_t unit = UINT64_C(1) << (5 * scale + 1);
        uint64_t units = pages / unit;
        if (units > 0) {
            assert_true(units <= 32);
            ++*ranges;
            start += units * unit * 4 * KIB;
            pages -= units * unit;
        }
        scale--;
    }
}

static void expect_range(uint64_t start, uint64_t pages, bool lpa2, uint64_t ranges,
                         uint64_t singles)
{
    struct range_tlbi got = kvm_range_tlbi(start, pages, 4 * KIB, lpa2);
    assert_int_equal(got.ranges, ranges);
    assert_int_equal(got.singles, singles);
    assert_int_equal(got.calls, (pages + (2 * MIB - 1)) / (2 * MIB));
}

static void ranges_split_as_the_instructions_allow(void **state)
{
    (void)state;
    struct dice dice = dice_of(7);
    expect_range(0, 1, false, 0, 1);
    expect_range(0, 2, false, 1, 0);
    expect_range(0, 3, false, 1, 1);
    expect_range(0, 512, false, 1, 0);
    expect_range(0, GIB / 4096, false, 1, 0);
    expect_range(0, 64 + 2, false, 2, 0);
    /* With LPA2 pages before the next 64 KiB go one by one. */
    expect_range(4 * KIB, 15 + 64, true, 1, 15);
    expect_range(4 * KIB, 15 + 64, false, 2, 1);
    expect_range(64 * KIB, 64, true, 1, 0);
    /* 8 GiB a call. */
    expect_range(0, 2 * MIB, false, 1, 0);
    expect_range(0, 4 * MIB + 1, false, 2, 1);
    /* Pages of 16 KiB: 64 of them and 32; with LPA2 three before the first 64 KiB. */
    struct range_tlbi large = kvm_range_tlbi(0, 96, 16 * KIB, false);
    assert_int_equal(large.ranges, 2);
    large = kvm_range_tlbi(16 * KIB, 3 + 64, 16 * KIB, true);
    assert_int_equal(large.ranges, 1);
    assert_int_equal(large.singles, 3);
    for (int i = 0; i < 2000; i++) {
        uint64_t start = roll(&dice, 1 << 20) * 4 * KIB, pages = 1 + roll(&dice, 1 << 18), r, s;
        bool lpa2 = chance(&dice, 50);
        naive_range_tlbi(start, pages, lpa2, &r, &s);
        expect_range(start, pages, lpa2, r, s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unmapping_defers_with_fwb_and_range_instructions),
        cmocka_unit_test(a_strategy_defers_without_fwb),
        cmocka_unit_test(deferring_leaves_wait_for_nobody),
        cmocka_unit_test(chunks_taken_together_defer_as_one_by_one),
        cmocka_unit_test(ranges_split_as_the_instructions_allow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Workload files: what they say, what they may not say, and what is built. */
#include "play.h"

#include <math.h>

#define VM "[vm]\nram = 64M\nvcpus = 2\n"
#define TIMELINE VM "[timeline]\n"

/* --- what is refused, and in which words --- */

struct refusal {
    const char *text;
    const char *line; /* ":4:" */
    const char *words; /* what the message must say */
};

static void expect_refused(const struct refusal *refusal)
{
    struct error err = {0};
    struct workload *workload = workload_of_text(refusal->text, &err);
    if (workload || !strstr(err.text, refusal->words) || !strstr(err.text, refusal->line)) {
        print_error("%s\ngave: %s\nexpected: %s %s\n", refusal->text, workload ? "-" : err.text,
                    refusal->line, refusal->words);
    }
    assert_null(workload);
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, refusal->words));
    assert_non_null(strstr(err.text, refusal->line));
    assert_null(strchr(err.text, '\n'));
}

static void expect_all_refused(const struct refusal *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expect_refused(&rows[i]);
    }
}

#define EXPECT_REFUSED(rows) expect_all_refused(rows, sizeof(rows) / sizeof *(rows))

static void test_lines_refused(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TIMELINE "vmm = fill ram 1M\nvmm = fil ram 1M\n", ":6:", "did you mean fill?"},
        {TIMELINE "vmm = write ram 1M\n", ":5:", "an operation of the VMM"},
        {TIMELINE "vcpu0 = fill ram 1M\n", ":5:", "an operation of a vCPU"},
        {TIMELINE "vmm = fill ram\n", ":5:", "expected 'fill IPA BYTES'"},
        {TIMELINE "vmm = fill ram 1M 2M\n", ":5:", "found '2M', expected 'fill IPA BYTES'"},
        {TIMELINE "vmm = fill rom 1M\n", ":5:", "no slot 'rom' (did you mean ram?)"},
        {TIMELINE "vmm = fill 0x1000 1M\n", ":5:", "is in no slot"},
        {TIMELINE "vmm = fill ram+63M 2M\n", ":5:", "crosses a slot's border"},
        {TIMELINE "vmm = fill ram 100\n", ":5:", "whole pages of 4K"},
        {TIMELINE "vmm = fill ram+100 4K\n", ":5:", "whole pages of 4K"},
        {TIMELINE "vmm = fill ram 0\n", ":5:", "whole pages of 4K"},
        {TIMELINE "vmm = fill 0xzz 4K\n", ":5:", "expected 'fill IPA BYTES'"},
        {TIMELINE "vmm = reinit 2\n", ":5:", "expected 0 to 1 or all (vcpus = 2)"},
        {TIMELINE "vmm = dirty-log maybe\n", ":5:", "dirty-log on|on-split|off"},
        {TIMELINE "vmm = compute 5 parsecs\n", ":5:", "compute TIME"},
        {TIMELINE "vmm = slot-add ram\n", ":5:", "there already"},
        {TIMELINE "vmm = slot-delete ram\nvmm = fill ram 4K\n", ":6:", "slot-add ram"},
        {TIMELINE "vmm = slot-delete ram\nvmm = drop ram\n", ":6:", "deleted"},
        {TIMELINE "vcpu2 = enter\n", ":5:", "expected vcpu0 to vcpu1"},
        {TIMELINE "cpu0 = enter\n", ":5:", "expected phase, vmm, or vcpu0 to vcpu1"},
        {TIMELINE "vcpu0 = mmu on\n", ":5:", "before the vCPU's first 'enter'"},
        {TIMELINE "vcpu0 = enter\nvcpu0 = mmu\n", ":6:", "mmu on|off"},
        {TIMELINE "vcpu0 = enter\nvcpu0 = read ram 4K each 8K\n", ":6:", "found 'each'"},
        {TIMELINE "vcpu0 = enter\nvcpu0 = read ram 4K every 8K\n", ":6:", "every STRIDE times"},
        {TIMELINE "vcpu0 = enter\nvcpu0 = read ram 4K every 8K times 0\n", ":6:", "1 to 1000000"},
        {TIMELINE "vcpu0 = enter\nvcpu0 = read ram 1M every 8M times 9\n", ":6:", "border"},
        {TIMELINE "phase =\n", ":5:", "expected a name"},
    };
    EXPECT_REFUSED(rows);
}

static void test_signals_refused(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TIMELINE "vmm = compute 1us\nvmm = wait go\n", ":6:", "nobody raises 'go'"},
        {TIMELINE "vmm = signal go\nvcpu0 = signal go\n", ":6:", "raised in line 5 already"},
        {TIMELINE "vmm = wait go\nvmm = signal go\n", ":5:", "waits for ever"},
        {TIMELINE "vmm = wait go\nvcpu0 = signal go\n", ":5:", "waits for ever"},
        {"[workload]\nplay = concurrent\n" TIMELINE
         "vmm = wait a\nvmm = signal b\nvcpu0 = wait b\nvcpu0 = signal a\n",
         ":7:", "waits for ever"},
    };
    EXPECT_REFUSED(rows);
}

static void test_keys_refused(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {"[vm]\nrams = 1G\n", ":2:", "did you mean ram?"},
        {"[vm]\nram = much\n", ":2:", "expected bytes"},
        {"[vm]\nbacking = 2m\n", ":2:", "none of its values"},
        {"[vm]\ntouched = 1\n", ":2:", "belongs in [boot]"},
        {"[vm]\nram = 64M\n", "", "expected one"},
        {TIMELINE "vcpu0 = enter\n[boot]\nseed = 1\n", "", "found 2 of recording"},
        {"[vm]\nram = 5000\n[timeline]\nvcpu0 = enter\n", "", "whole pages of 4K"},
        {"[vm]\nram = 1T\nipa_bits = 40\n[timeline]\nvcpu0 = enter\n", "", "40 bits of IPA"},
        {"[slot ram]\nipa = 0\n", ":2:", "other than ram"},
        {VM "[slot a]\nipa = 1G\nbytes = 4K\n[timeline]\nvcpu0 = enter\n", ":5:", "overlaps"},
        {VM "[slot a]\nipa = 0\n[timeline]\nvcpu0 = enter\n", ":5:", "has no bytes"},
        {VM "[slot a]\nbyte = 0\n", ":5:", "did you mean bytes?"},
        {"[workload]\nrecording = x.csv\n[vm]\nvcpus = 2\n", "vcpus", "set by the recording"},
        {"[vm]\nram = 64M\n[boot]\nfootprint = 1G\n", "footprint", "at most 64M, the ram"},
        {"[boot]\nfootprint = 8M\nrewrite = 9M\n", "rewrite", "at most 8M, the footprint"},
    };
    EXPECT_REFUSED(rows);
}

static void test_unknown_workload(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(workload_read("note-relocated-kernal", &err));
    assert_non_null(strstr(err.text, "did you mean note-relocated-kernel?"));
    assert_null(workload_read("workloads/no-such-file.ini", &err));
    assert_int_equal(err.status, EXIT_INPUT);
}

/* --- what is built --- */

static const struct op *op_of(const struct timeline *timeline, uint32_t script, size_t index)
{
    assert_true(script < timeline->script_count);
    assert_true(index < timeline->scripts[script].count);
    return &timeline->scripts[script].ops[index];
}

static void test_lines_built(void **state)
{
    (void)state;
    static const char text[] =
        "[workload]\nname = tale\ntitle = a tale\nplay = concurrent\n"
        "[vm]\nram = 64M\nvcpus = 2\ndensity = 7\nbacking = thp\n"
        "[slot flash]\nipa = 0\nbytes = 64M\nread_only = yes\ncode = yes\nmisalign = 4K\n"
        "[timeline]\nphase = one\nvmm = fill flash+1M 8K\nvmm = reinit all\n"
        "vcpu1 = enter\nphase = two\nvcpu1 = write 0x40001000 4K every 64K times 3\n"
        "vcpu1 = compute 1.5us\nvcpu1 = setway 3 ; a comment\nvcpu1 = read 0x90000000 4K\n";
    struct error err = {0};
    struct workload *workload = workload_of_text(text, &err);
    struct timeline timeline;
    assert_non_null(workload);
    build(workload, &timeline);
    assert_string_equal(timeline.name, "tale");
    assert_string_equal(timeline.title, "a tale");
    assert_int_equal(timeline.vm.slot_count, 2);
    assert_int_equal(timeline.vm.slots[0].backing, BACKING_THP);
    assert_true(timeline.vm.slots[1].read_only && timeline.vm.slots[1].code);
    assert_int_equal(timeline.vm.slots[1].misalign, 4 * KIB);
    assert_int_equal(timeline.phase_count, 2);
    assert_string_equal(timeline.phases[1], "two");
    assert_int_equal(timeline.scripts[0].count, 3);
    assert_int_equal(op_of(&timeline, 0, 0)->ipa, MIB);
    assert_int_equal(op_of(&timeline, 0, 2)->n, 1);
    const struct op *touch = op_of(&timeline, 2, 1);
    assert_int_equal(touch->kind, OP_TOUCH);
    assert_int_equal(touch->access, TOUCH_WRITE);
    assert_int_equal(touch->ipa, GIB + 4 * KIB);
    assert_int_equal(touch->stride, 64 * KIB);
    assert_int_equal(touch->count, 3);
    assert_int_equal(touch->density, 7);
    assert_int_equal(touch->phase, 1);
    assert_int_equal(op_of(&timeline, 2, 2)->n, 1500000);
    assert_int_equal(op_of(&timeline, 2, 3)->n, 3);
    timeline_free(&timeline);
    workload_free(workload);
}

/* Serial: who acts next waits for who acted last. */
static void test_serial_order(void **state)
{
    (void)state;
    static const char text[] = TIMELINE "vcpu0 = enter\nvcpu1 = enter\nvcpu1 = insns 5\n";
    struct error err = {0};
    struct workload *workload = workload_of_text(text, &err);
    struct timeline timeline;
    assert_non_null(workload);
    build(workload, &timeline);
    assert_int_equal(timeline.scripts[1].count, 2);
    assert_int_equal(op_of(&timeline, 1, 1)->kind, OP_SIGNAL);
    assert_int_equal(timeline.scripts[2].count, 3);
    assert_int_equal(op_of(&timeline, 2, 0)->kind, OP_WAIT);
    timeline_free(&timeline);
    workload_free(workload);
}

static void test_keys_set(void **state)
{
    (void)state;
    struct error err = {0};
    struct workload *original = workload_of("generated-boot");
    struct workload *copy = workload_copy(original);
    struct timeline timeline;
    assert_true(workload_has_key("touched"));
    assert_false(workload_has_key("touchd"));
    assert_false(workload_set(copy, "touchd", "1", NULL, &err));
    assert_non_null(strstr(err.text, "did you mean touched?"));
    set_key(copy, "footprint", "1T");
    set_key(copy, "vcpus", "4");
    build(copy, &timeline);
    /* What follows from it follows again: RAM, address space. */
    assert_int_equal(timeline.vm.slots[0].bytes, TIB);
    assert_int_equal(timeline.vm.ipa_bits, 41);
    assert_int_equal(timeline.script_count, 5);
    timeline_free(&timeline);
    build(original, &timeline);
    assert_int_equal(timeline.vm.slots[0].bytes, 256 * MIB);
    timeline_free(&timeline);
    workload_free(copy);
    workload_free(original);
}

/* --- generated boots --- */

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
    set_key(workload, "execute_share", "25%");
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
            expect_near(executed / all, 0.25, 0.05);
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

static const char *const files[] = {"note-relocated-kernel",
                                    "note-aliased-lines",
                                    "note-aliased-lines-mismatched",
                                    "all-readers",
                                    "generated-boot",
                                    "s01-microvm",
                                    "s02-protected-vm",
                                    "s03-edge-board",
                                    "s04-desktop",
                                    "s05-cloud",
                                    "s06-database",
                                    "s07-batch",
                                    "s08-reboot-storm",
                                    "s09-snapshot-restore",
                                    "s10-migration-target",
                                    "s11-dirty-log",
                                    "s12-locked-memory",
                                    "host-16k",
                                    "host-64k",
                                    "recorded-4k",
                                    "recorded-2m",
                                    "recorded-1g-2m",
                                    "recorded-4g-2m",
                                    "recorded-2vcpu-4k",
                                    "recorded-uefi-2vcpu"};

static void expect_plays(const struct stage *stage, const char *name)
{
    struct strategy unmap = strategy_row("unmap");
    struct workload *workload = workload_of(name);
    struct timeline timeline;
    build(workload, &timeline);
    assert_string_equal(timeline.name, name);
    assert_string_not_equal(timeline.title, "");
    struct sim *sim = play(stage, &timeline, &unmap, false);
    assert_true(sim_window_ps(sim) > 0);
    play_free(sim);
    timeline_free(&timeline);
    workload_free(workload);
}

/* Every workload that comes with the program can be built and played. */
static void test_all_files(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage, "neoverse-n1", "6.1");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        expect_plays(&stage, files[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_refused),      cmocka_unit_test(test_signals_refused),
        cmocka_unit_test(test_keys_refused),       cmocka_unit_test(test_unknown_workload),
        cmocka_unit_test(test_lines_built),        cmocka_unit_test(test_serial_order),
        cmocka_unit_test(test_keys_set),           cmocka_unit_test(test_generated_shares),
        cmocka_unit_test(test_seed_decides),       cmocka_unit_test(test_cached_share),
        cmocka_unit_test(test_mmu_on_as_recorded), cmocka_unit_test(test_all_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

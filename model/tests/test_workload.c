/* Workload files: what they say, what they may not say, and what is built. */
#include "core/datadir.h"
#include "core/error.h"
#include "play.h"

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
        {TIMELINE "vmm = dirty-log maybe\n", ":5:",
         "dirty-log on|on-split|on-all-dirty|on-all-dirty-split|round|get|clear IPA BYTES|off"},
        {TIMELINE "vmm = dirty-log on\nvmm = dirty-log clear ram\n", ":6:", "found 'nothing more'"},
        {TIMELINE "vmm = dirty-log get\n", ":5:", "expected 'dirty-log on' before"},
        {TIMELINE "vmm = dirty-log round\n", ":5:", "expected 'dirty-log on' before"},
        {TIMELINE "vmm = dirty-log on\nvmm = dirty-log off\nvmm = dirty-log round\n",
         ":7:", "while logging is off"},
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
        {TIMELINE "vmm = window\nvcpu0 = window\n", ":6:", "begins in line 5 already"},
        {TIMELINE "vmm = window ram\n", ":5:", "found 'ram', expected 'window'"},
        {TIMELINE "vmm = destroy\nvmm = fill ram 4K\n", ":6:", "destroyed in line 5"},
        {TIMELINE "vmm = destroy\nvcpu0 = enter\n", ":5:", "vCPU 0 may still do something"},
        {"[workload]\nplay = concurrent\n" TIMELINE
         "vcpu0 = enter\nvcpu0 = signal a\nvcpu1 = wait a\nvcpu1 = enter\nvcpu1 = read ram 4K\n"
         "vcpu0 = read ram 4K\nvcpu1 = signal b\nvmm = wait b\nvmm = destroy\n",
         ":15:", "vCPU 0 may still do something"},
    };
    EXPECT_REFUSED(rows);
}

static void test_signals_refused(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {TIMELINE "vmm = compute 1us\nvmm = wait go\n", ":6:", "no line raises 'go'"},
        {TIMELINE "vmm = signal go\nvcpu0 = signal go\n", ":6:", "raised in line 5 already"},
        {TIMELINE "vmm = wait go\nvmm = signal go\n", ":5:", "waits for ever"},
        {TIMELINE "vmm = wait go\nvcpu0 = signal go\n", ":5:", "waits for ever"},
        {"[workload]\nplay = concurrent\n" TIMELINE
         "vmm = wait a\nvmm = signal b\nvcpu0 = wait b\nvcpu0 = signal a\n",
         ":7:", "waits for ever"},
        {"[workload]\nplay = concurrent\n" TIMELINE
         "vcpu0 = enter\nvcpu0 = read ram 4K\nvmm = prefault ram 4K\n",
         ":9:", "vCPU 0 may touch memory meanwhile"},
        {"[workload]\nplay = concurrent\n" TIMELINE
         "vcpu0 = enter\nvcpu0 = read ram 4K\nvcpu0 = signal a\nvcpu0 = read ram 4K\n"
         "vmm = wait a\nvmm = prefault ram 4K\nvmm = signal b\nvcpu0 = wait b\n",
         ":12:", "vCPU 0 may touch memory meanwhile"},
    };
    EXPECT_REFUSED(rows);
}

/* By way of another vCPU, too; and what touches no memory may go on. */
static void test_signals_keep_prefaults_apart(void **state)
{
    (void)state;
    static const char text[] =
        "[workload]\nplay = concurrent\n" TIMELINE
        "vcpu0 = enter\nvcpu0 = read ram 4K\nvcpu0 = signal a\nvcpu0 = mmu on\nvmm = wait a\n"
        "vmm = prefault ram 4K every 8K times 9\nvmm = signal b\nvcpu1 = wait b\n"
        "vcpu1 = signal c\nvcpu0 = wait c\nvcpu0 = read ram 1M\n";
    struct error err = {0};
    struct workload *workload = workload_of_text(text, &err);
    if (!workload) {
        print_error("%s\n", err.text);
    }
    assert_non_null(workload);
    workload_free(workload);
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
        {TIMELINE "vcpu0 = enter\n[boot]\nseed = 1\n", "", "found more than one of recording"},
        {"[vm]\nvcpus = 2\n[boot]\n", "", "(a section without a key is none)"},
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

/* Pages of 1 GiB are a level of 4K tables and 32 adjacent blocks of 16K ones. */
static void test_page_sizes_that_are_not_there(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {"[vm]\ngranule = 64K\nbacking = hugetlb-1g\n[boot]\ntouched = 10%\n", "slot ram",
         "backing = hugetlb (512 MiB)"},
        {VM "granule = 64K\n[slot more]\nipa = 8G\nbytes = 1G\nbacking = hugetlb-1g\n"
            "[timeline]\nvcpu0 = enter\n",
         ":6:", "no huge pages of 1 GiB"},
    };
    EXPECT_REFUSED(rows);
    workload_free(workload_good("[vm]\ngranule = 16K\nbacking = hugetlb-1g\n[boot]\n"
                                "touched = 10%\n"));
    workload_free(workload_good("[vm]\ngranule = 64K\nbacking = hugetlb\n[boot]\n"
                                "touched = 10%\n"));
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
    assert_non_null(workload_key("touched"));
    assert_null(workload_key("touchd"));
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

/* --- where the window begins, and how a VM ends --- */

static struct sim *play_text(const struct stage *stage, const char *text)
{
    struct strategy unmap = strategy_row("unmap");
    struct workload *workload = workload_good(text);
    struct timeline timeline;
    build(workload, &timeline);
    struct sim *sim = play(stage, &timeline, &unmap, false);
    timeline_free(&timeline);
    workload_free(workload);
    return sim;
}

#define USED VM "[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\nvcpu0 = write ram 32M\n"
#define RESET "vmm = reinit all\nvcpu0 = enter\nvcpu0 = mmu on\n"

/* A window that begins at a mark has what comes after it, re-inits before it or behind it. */
static void test_window_at_a_mark(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage, "neoverse-n1", "6.1");
    struct sim *whole = play_text(&stage, USED RESET "vcpu0 = read ram 16M\n");
    struct sim *late = play_text(&stage, USED RESET "vmm = window\nvcpu0 = read ram 16M\n");
    struct sim *early = play_text(&stage, VM "[timeline]\nvcpu0 = window\nvcpu0 = enter\n"
                                             "vcpu0 = mmu on\nvcpu0 = write ram 32M\n" RESET
                                             "vcpu0 = read ram 16M\n");
    assert_int_equal(whole->window[SITE_FAULT * EVENT_KINDS + EV_exits], 4096);
    assert_int_equal(late->window[SITE_FAULT * EVENT_KINDS + EV_exits], 4096);
    assert_int_equal(early->window[SITE_FAULT * EVENT_KINDS + EV_exits], 8192 + 4096);
    assert_int_equal(whole->window[SITE_REINIT * EVENT_KINDS + EV_unmap_leaves], 8192);
    assert_int_equal(late->window[SITE_REINIT * EVENT_KINDS + EV_unmap_leaves], 0);
    assert_int_equal(late->end_ps, whole->end_ps);
    assert_int_equal(early->end_ps, whole->end_ps);
    assert_int_equal(early->reinit_ps, 0);
    assert_true(late->reinit_ps > whole->reinit_ps);
    /* It judges what is read from there on. */
    assert_int_equal(late->memory.oracle.verdict[READER_GUEST_OFF].lines_read, 0);
    assert_true(late->memory.oracle.verdict[READER_GUEST_ON].lines_read > 0);
    play_free(whole);
    play_free(late);
    play_free(early);
}

/* All leaves go, and all pages that the host has given. */
static void test_destroyed(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage, "neoverse-n1", "6.1");
    struct sim *sim = play_text(&stage, USED "vmm = window\nvmm = destroy\n");
    assert_int_equal(sim->kvm.stage2.map.covered, 0);
    assert_int_equal(sim->window[SITE_NOTIFIER * EVENT_KINDS + EV_host_zap], 8192);
    assert_int_equal(sim->window[SITE_NOTIFIER * EVENT_KINDS + EV_line_absent], 0);
    play_free(sim);
}

/* --- the files that come with the program --- */

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
    char *names[256];
    size_t count = datadir_names("workloads", ".ini", names, 0, 256);
    assert_true(count > 30);
    for (size_t i = 0; i < count; i++) {
        expect_plays(&stage, names[i]);
        free(names[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_refused),
        cmocka_unit_test(test_signals_refused),
        cmocka_unit_test(test_signals_keep_prefaults_apart),
        cmocka_unit_test(test_keys_refused),
        cmocka_unit_test(test_page_sizes_that_are_not_there),
        cmocka_unit_test(test_unknown_workload),
        cmocka_unit_test(test_lines_built),
        cmocka_unit_test(test_serial_order),
        cmocka_unit_test(test_keys_set),
        cmocka_unit_test(test_window_at_a_mark),
        cmocka_unit_test(test_destroyed),
        cmocka_unit_test(test_all_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

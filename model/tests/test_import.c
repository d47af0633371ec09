#include "tracetext.h"

#include "core/units.h"
#include "guest/import.h"

static const struct import_wish usual = {
    .backing = BACKINGS, .ram_ipa = UINT64_MAX, .kernel = "6.1"};

/* --- small traces as text --- */

static bool import_text(const char *text, size_t length, const struct import_wish *wish,
                        struct import *import, struct error *err)
{
    FILE *in = tmpfile();
    assert_non_null(in);
    assert_int_equal(fwrite(text, 1, length, in), length);
    rewind(in);
    bool good = import_read(in, "x.txt", wish, import, err);
    assert_int_equal(fclose(in), 0);
    return good;
}

/* A boot, a reset and a second boot of `pages` pages each 2 MiB apart; both
 * vCPUs where there are two. */
struct text {
    FILE *out;
    char *bytes;
    size_t size;
};

static void text_begin(struct text *text)
{
    *text = (struct text){0};
    text->out = open_memstream(&text->bytes, &text->size);
    assert_non_null(text->out);
}

static void put_boot(struct text *text, uint64_t ns, uint64_t stride, int count)
{
    for (int i = 0; i < count; i++) {
        bool first = i == 0;
        put_fault(text->out, TOOL_TRACE_FLAGS, 0, ns + (uint64_t)i * 1000,
                  GIB + (uint64_t)i * stride, (first ? ESR_FETCH : ESR_DATA | ESR_WRITE) | 7u,
                  first ? GIB : UINT64_C(0xffff800008000000));
        if (first) {
            put_toggle(text->out, TOOL_TRACE_FLAGS, 0, ns, GIB, "off", "off");
            put_toggle(text->out, TOOL_TRACE_FLAGS, 0, ns, GIB, "off", "on");
        }
    }
}

static void put_reset(struct text *text, uint64_t ns)
{
    put_other(text->out, TOOL_TRACE_FLAGS, 0, ns,
              "kvm_userspace_exit: reason KVM_EXIT_SYSTEM_EVENT (24)");
}

static void put_two_boots(struct text *text, uint64_t stride)
{
    put_boot(text, 0, stride, 20);
    put_reset(text, 1000000);
    put_boot(text, 2000000, stride, 10);
}

static bool finish(struct text *text, const struct import_wish *wish, struct import *import,
                   struct error *err)
{
    assert_int_equal(fclose(text->out), 0);
    bool good = import_text(text->bytes, text->size, wish, import, err);
    free(text->bytes);
    return good;
}

static void expect_taken(struct text *text, const struct import_wish *wish, struct import *import)
{
    struct error err = {0};
    bool good = finish(text, wish, import, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

static void expect_refused(struct text *text, const struct import_wish *wish, const char *words)
{
    struct import import;
    struct error err = {0};
    assert_false(finish(text, wish, &import, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    if (!strstr(err.text, words)) {
        print_error("'%s' does not say '%s'\n", err.text, words);
    }
    assert_non_null(strstr(err.text, words));
    assert_null(strchr(err.text, '\n'));
    import_free(&import);
}

static size_t rows_of(const struct import *import, enum import_op op)
{
    size_t count = 0;
    for (size_t i = 0; i < import->row_count; i++) {
        count += import->rows[i].op == op;
    }
    return count;
}

/* --- inference --- */

static void a_reboot_is_found(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    put_two_boots(&text, 2 * MIB);
    expect_taken(&text, &usual, &import);
    assert_int_equal(import.reinit_count, 1);
    assert_int_equal(import.backing, BACKING_THP);
    assert_int_equal(import.ram_start, GIB);
    assert_int_equal(import.ram_bytes, 64 * MIB);
    assert_int_equal(import.vcpus, 1);
    assert_int_equal(rows_of(&import, IMPORT_FAULT_X), 2);
    assert_int_equal(rows_of(&import, IMPORT_FAULT_W), 19 + 9);
    assert_int_equal(rows_of(&import, IMPORT_MMU_ON), 2);
    assert_int_equal(rows_of(&import, IMPORT_REINIT), 1);
    assert_int_equal(import.counts.vm_registers, 2);
    import_free(&import);
}

static void small_leaves_are_found(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    put_two_boots(&text, 4 * KIB);
    expect_taken(&text, &usual, &import);
    assert_int_equal(import.backing, BACKING_4K);
    assert_int_equal(rows_of(&import, IMPORT_FAULT_W), 19 + 9);
    import_free(&import);
}

static void leaves_in_between_are_asked_for(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    put_two_boots(&text, 512 * KIB);
    expect_refused(&text, &usual, "--backing");
    struct import_wish told = usual;
    told.backing = BACKING_4K;
    text_begin(&text);
    put_two_boots(&text, 512 * KIB);
    expect_taken(&text, &told, &import);
    assert_int_equal(import.reinit_count, 1);
    import_free(&import);
}

/* Without system events a burst of faults in mapped memory tells. */
static void a_burst_is_a_reboot(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    put_boot(&text, 0, 2 * MIB, 20);
    put_boot(&text, 2000000, 2 * MIB, 10);
    expect_taken(&text, &usual, &import);
    assert_int_equal(import.reinit_count, 1);
    assert_int_equal(import.events[import.reinits[0]].ipa, GIB);
    import_free(&import);
}

static void a_time_is_taken(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    struct import_wish told = usual;
    told.reinit_count = 1;
    told.reinit_ns[0] = UINT64_C(100001500000);
    put_boot(&text, 0, 2 * MIB, 20);
    put_boot(&text, 2000000, 2 * MIB, 3);
    expect_taken(&text, &told, &import);
    assert_int_equal(import.reinit_count, 1);
    assert_int_equal(import.events[import.reinits[0]].time_ns, UINT64_C(100002000000));
    import_free(&import);
}

/* Taken back by the host, or a lost race: which of them a notifier decides. */
static void a_single_refault_is_no_reboot(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    put_boot(&text, 0, 2 * MIB, 20);
    put_fault(text.out, TOOL_TRACE, 0, 900000, GIB + 4 * MIB, ESR_DATA | 7u, UINT64_MAX);
    put_other(
        text.out, TOOL_TRACE, 0, 910000,
        "kvm_unmap_hva_range: mmu notifier unmap range: 0x00ffff8c000000 -- 0x00ffff8c200000");
    put_fault(text.out, TOOL_TRACE, 0, 920000, GIB + 6 * MIB, ESR_DATA | 7u, UINT64_MAX);
    put_reset(&text, 1000000);
    put_boot(&text, 2000000, 2 * MIB, 10);
    expect_taken(&text, &usual, &import);
    assert_int_equal(import.reinit_count, 1);
    assert_int_equal(import.counts.races, 1);
    assert_int_equal(import.counts.taken_back, 1);
    assert_int_equal(rows_of(&import, IMPORT_NOTIFIER), 1);
    import_free(&import);
}

static void each_fault_is_what_it_is(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    struct import import;
    for (int i = 0; i < 5; i++) {
        put_fault(text.out, TOOL_TRACE, 0, 0, 0x8000000, ESR_DATA | 7u, 0x40000000);
        put_other(text.out, TOOL_TRACE, 0, 0, "kvm_mmio: mmio write len 4 gpa 0x8000128 val 0x1");
    }
    put_two_boots(&text, 2 * MIB);
    put_fault(text.out, TOOL_TRACE, 0, 3000000, GIB, ESR_DATA | ESR_ACCESS_FLAG, UINT64_MAX);
    put_fault(text.out, TOOL_TRACE, 0, 3000001, GIB + 2 * MIB, esr_of("perm_x"), UINT64_MAX);
    put_fault(text.out, TOOL_TRACE, 0, 3000002, GIB + 2 * MIB, esr_of("perm_w"), UINT64_MAX);
    expect_taken(&text, &usual, &import);
    assert_int_equal(import.counts.devices, 5);
    assert_int_equal(import.counts.other_faults, 1);
    assert_int_equal(rows_of(&import, IMPORT_PERM_X), 1);
    assert_int_equal(rows_of(&import, IMPORT_PERM_W), 1);
    assert_int_equal(import.ram_start, GIB);
    assert_false(import.uefi);
    import_free(&import);
}

/* Blocks are told and smaller leaves were mapped: the others are inside. */
static void faults_inside_a_leaf_are_counted(void **state)
{
    (void)state;
    struct text text;
    struct import import;
    struct import_wish told = usual;
    told.backing = BACKING_HUGETLB;
    text_begin(&text);
    put_two_boots(&text, MIB);
    expect_taken(&text, &told, &import);
    assert_int_equal(rows_of(&import, IMPORT_FAULT_W) + rows_of(&import, IMPORT_FAULT_X), 10 + 5);
    assert_int_equal(import.counts.inside, 10 + 5);
    assert_int_equal(import.counts.races, 0);
    import_free(&import);
}

/* --- what is refused --- */

static void lost_events_are_refused(void **state)
{
    (void)state;
    static const char *const signs[] = {"CPU:1 [LOST 123 EVENTS]\n",
                                        "CPU:1 [LOST EVENTS]\n",
                                        "CPU:7 [204600 EVENTS DROPPED]\n",
                                        "CPU:7 [EVENTS DROPPED]\n",
                                        "# entries-in-buffer/entries-written: 10/15   #P:4\n",
                                        "  CPU 0/KVM-1000 [000] 100.2: kvm_guest_fault: ipb 0x1\n"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        struct import_wish lenient = usual;
        struct import import;
        struct text text;
        text_begin(&text);
        put_two_boots(&text, 2 * MIB);
        fputs(signs[i], text.out);
        expect_refused(&text, &usual, "--allow-lost");
        text_begin(&text);
        put_two_boots(&text, 2 * MIB);
        fputs(signs[i], text.out);
        lenient.allow_lost = true;
        expect_taken(&text, &lenient, &import);
        import_free(&import);
    }
}

static void what_does_not_show_a_boot_is_refused(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    expect_refused(&text, &usual, "no kvm_guest_fault");
    text_begin(&text);
    put_boot(&text, 0, 2 * MIB, 20);
    expect_refused(&text, &usual, "no reboot");
    text_begin(&text); /* with FWB: after the reset other memory faults alone */
    put_boot(&text, 0, 2 * MIB, 20);
    put_reset(&text, 1000000);
    put_fault(text.out, TOOL_TRACE, 0, 2000000, 2 * GIB, ESR_DATA | 7u, UINT64_MAX);
    expect_refused(&text, &usual, "no reboot");
    text_begin(&text); /* the guest runs already */
    put_fault(text.out, TOOL_TRACE, 0, 0, 2 * GIB, ESR_DATA | 7u, UINT64_MAX);
    put_two_boots(&text, 2 * MIB);
    expect_refused(&text, &usual, "runs already");
    text_begin(&text); /* re-initialised where no event says so */
    put_boot(&text, 0, 2 * MIB, 20);
    put_toggle(text.out, TOOL_TRACE, 0, 500000, GIB, "off", "on");
    put_reset(&text, 1000000);
    put_boot(&text, 2000000, 2 * MIB, 10);
    expect_refused(&text, &usual, "--reinit-at");
}

static void several_vms_are_told_apart(void **state)
{
    (void)state;
    struct import import;
    struct import_wish one = usual;
    static const char stranger[] =
        "       CPU 0/KVM-2000    [003] .....   100.000001: kvm_entry: PC: 0x0000000040000000\n";
    struct text text;
    text_begin(&text);
    put_two_boots(&text, 2 * MIB);
    fputs(stranger, text.out);
    expect_refused(&text, &usual, "2000 (CPU 0/KVM)");
    text_begin(&text);
    put_two_boots(&text, 2 * MIB);
    fputs(stranger, text.out);
    one.pid_count = 1;
    one.pids[0] = 1000;
    expect_taken(&text, &one, &import);
    assert_int_equal(import.counts.others, 1);
    import_free(&import);
    text_begin(&text);
    put_two_boots(&text, 2 * MIB);
    one.pids[0] = 4711;
    expect_refused(&text, &one, "4711");
}

static void thread_groups_are_vms(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    fputs(" fc_vcpu 0-11 (     10) [001] .....   1.000001: kvm_entry: PC: 0x40000000\n"
          " fc_vcpu 1-21 (     20) [001] .....   1.000002: kvm_entry: PC: 0x40000000\n",
          text.out);
    put_two_boots(&text, 2 * MIB);
    expect_refused(&text, &usual, "group 20");
}

/* --- order and noise --- */

static void events_are_put_in_order(void **state)
{
    (void)state;
    struct import import;
    struct text text;
    text_begin(&text);
    put_boot(&text, 2000000, 2 * MIB, 10);
    put_boot(&text, 0, 2 * MIB, 20);
    put_reset(&text, 1000000);
    fputs("          <idle>-0       [000] d..2.   100.000001: sched_switch: prev_comm=[x] a:b\n"
          "kernel log\n"
          "  CPU 0/KVM-1000 [000] d..1. 100.9: kvm_guest_fault: ipa 0x4",
          text.out);
    expect_taken(&text, &usual, &import);
    assert_true(import.counts.unordered > 0);
    assert_int_equal(import.counts.foreign, 1);
    assert_int_equal(import.counts.strange, 1);
    assert_true(import.counts.truncated);
    assert_int_equal(import.reinit_count, 1);
    import_free(&import);
}

/* Nothing that a file may hold ends the program; what is taken plays. */
static void hostile_files_do_no_harm(void **state)
{
    (void)state;
    static const char *const pieces[] = {"  CPU 0/KVM-1000 [000] 100.1: ",
                                         "kvm_guest_fault: ",
                                         "ipa 0xffffffffffffffffffff, ",
                                         "ipa 0xffffffffffffffff, ",
                                         "hsr 0x92000047, ",
                                         "\n",
                                         "[",
                                         "]",
                                         "-",
                                         "(",
                                         ")",
                                         ":",
                                         "99999999999999999999.5: ",
                                         "kvm_toggle_cache: VM op at 0 (cache was off, now on)\n",
                                         "kvm_userspace_exit: reason x (24)\n",
                                         "kvm_userspace_exit: reason x (99999999999999)\n",
                                         "CPU:1 [LOST 99999999999999999999 EVENTS]\n",
                                         "# entries-in-buffer/entries-written: 1/\n",
                                         "ipa 0x40000000, ",
                                         "pc 0x1\n",
                                         "kvm:kvm_entry: PC: zz\n",
                                         "\r\n"};
    const size_t count = sizeof pieces / sizeof *pieces;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct dice dice = dice_of(seed);
        struct import import;
        struct error err = {0};
        struct import_wish lenient = usual;
        struct text text;
        text_begin(&text);
        lenient.allow_lost = chance(&dice, 50);
        for (int i = 0; i < 200; i++) {
            fputs(pieces[roll(&dice, count)], text.out);
            if (chance(&dice, 5)) {
                fputc((int)roll(&dice, 256), text.out);
            }
        }
        for (uint64_t i = 0; i < (seed == 7 ? 100000 : 0); i++) {
            fputc('x', text.out);
        }
        bool good = finish(&text, &lenient, &import, &err);
        assert_true(good || err.status == EXIT_INPUT);
        import_free(&import);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reboot_is_found),
        cmocka_unit_test(small_leaves_are_found),
        cmocka_unit_test(leaves_in_between_are_asked_for),
        cmocka_unit_test(a_burst_is_a_reboot),
        cmocka_unit_test(a_time_is_taken),
        cmocka_unit_test(a_single_refault_is_no_reboot),
        cmocka_unit_test(each_fault_is_what_it_is),
        cmocka_unit_test(faults_inside_a_leaf_are_counted),
        cmocka_unit_test(lost_events_are_refused),
        cmocka_unit_test(what_does_not_show_a_boot_is_refused),
        cmocka_unit_test(several_vms_are_told_apart),
        cmocka_unit_test(thread_groups_are_vms),
        cmocka_unit_test(events_are_put_in_order),
        cmocka_unit_test(hostile_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

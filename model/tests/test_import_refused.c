/* Traces that import refuses, what is out of order or strange in those that it takes, and
 * files that are none. */
#include "boottrace.h"
#include "core/error.h"

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
        struct import_options lenient = usual;
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
    text_begin(&text); /* two vCPUs at once, and nothing that tells them apart */
    fputs("100.1: kvm_entry: PC: 0x40000000\n100.2: kvm_entry: PC: 0x40000000\n"
          "100.3: kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0x40000000\n"
          "100.4: kvm_guest_fault: ipa 0x40000000, hsr 0x92000046\n",
          text.out);
    expect_refused(&text, &usual, "of several vCPUs");
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

/* The line names what it saw. */
static void other_forms_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
    } forms[] = {
        {"[01:00:40.000500000] (+0.000500000) host kvm_guest_fault: { cpu_id = 3 }, { ipa = 1 }\n",
         "look like LTTng"},
        {"4700@100.5:kvm_run_exit cpu_index 0, reason 6\n", "look like QEMU's own trace"},
        {"[pid 4711] 100.5 ioctl(13, KVM_RUN, 0) = 0\n", "look like strace"},
        {"Attaching 3 probes...\n@[CPU 0/KVM, 4711]: 12\n", "look like bpftrace"},
        {"       CPU 0/KVM-4711  [003] 100.5: kvm_page_fault: vcpu 0 rip 0xffff address 0x1\n",
         "an x86 host"},
        {"PID      TID      KVM_EXIT_REASON                     COUNT\n", "kvmexit of bcc"},
        {"    VM-EXIT    Samples  Samples%\n", "perf kvm stat"},
        {"# KVM_CREATE_MAPPINGS: total execution time: 0.2s\n", "s2flush calibrate"},
        {"100500 4711 CPU 0/KVM kvm_guest_fault 0x40000000\n",
         ":1: found '100500 4711 CPU 0/KVM kvm_guest_fault 0x40000000', an event of KVM in no "
         "form"},
        {"\xff\xfeg\n", "iconv -f UTF-16"},
        {"Attached 2 probes\n100500000 CPU 0/KVM 4711 kvm_guest_fault ipa 0x40000000\n",
         "bpftrace, which prints what its script says"},
        {" 3)               |  /* kvm_guest_fault: ipa 0x40000000, hsr 0x1 */\n",
         "the function_graph tracer"},
        {"100.500123 |   3)  CPU 0/K-4711 |               |  /* kvm_entry: PC: 0x1 */\n",
         "the function_graph tracer"},
        {"{ ipa: 1075838976 } hitcount:          5\n", "a histogram of tracefs"},
        {"# Samples: 24  of event 'kvm:kvm_guest_fault'\n", "`perf report`, which has sums"},
        {" kvm statistics - summary\n\n kvm_guest_fault    124   32.5    5\n", "kvm_stat"},
        {"{\n  \"linux-perf-json-version\": 1,\n", "JSON of perf"},
        {"ftrace_events {\n  event {\n    kvm_entry {\n", "Perfetto's own text"},
        {"Taking exception 3 [Prefetch Abort] on CPU 0\n", "QEMU's log of a CPU that it emulates"},
        {"[    0.000000] Booting Linux on physical CPU 0x0 [0x413fd0c1]\n",
         "a kernel's log of its own boot"},
        {"[Mon Nov 30 12:00:00 2026] kvm_entry: PC: 0x40200000\n",
         "a kernel's log with dates, which has no times of events: dmesg without -T has"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct text text;
        text_begin(&text);
        fputs(forms[i].text, text.out);
        expect_refused(&text, &usual, forms[i].name);
    }
}

/* A ring of the whole host: each VM's vCPUs by the groups of their threads, or else by their names
 * in the order of their numbers. */
static void several_vms_are_told_apart(void **state)
{
    (void)state;
    static const char *const strangers[] = {
        "       CPU 0/KVM-2000    [003] .....   100.000001: kvm_entry: PC: 0x0000000040000000\n",
        "       CPU 0/KVM-10    [003] .....   100.000001: kvm_entry: PC: 0x0000000040000000\n"
        "       CPU 1/KVM-11    [003] .....   100.000001: kvm_entry: PC: 0x0000000040000000\n"
        "       CPU 0/KVM-12    [003] .....   100.000001: kvm_entry: PC: 0x0000000040000000\n",
    };
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        struct import import;
        struct text text;
        text_begin(&text);
        put_two_boots(&text, 2 * MIB);
        fputs(strangers[i], text.out);
        expect_taken(&text, &usual, &import);
        assert_int_equal(import.vms, i == 0 ? 2 : 3);
        assert_int_equal(import.vcpus, 1);
        assert_int_equal(import.counts.others, i == 0 ? 1 : 3);
        assert_int_equal(import.reinit_count, 1);
        import_free(&import);
    }
}

static void a_vm_is_taken_by_its_thread(void **state)
{
    (void)state;
    struct import import;
    struct import_options one = usual;
    struct text text;
    one.pid_count = 1;
    one.pids[0] = 1000;
    text_begin(&text);
    put_two_boots(&text, 2 * MIB);
    fputs(" CPU 0/KVM-2000 [003] .....   100.000001: kvm_entry: PC: 0x0000000040000000\n",
          text.out);
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
    struct import import;
    struct text text;
    text_begin(&text);
    fputs(" fc_vcpu 0-11 (     10) [001] .....   1.000001: kvm_entry: PC: 0x40000000\n"
          " fc_vcpu 1-21 (     20) [001] .....   1.000002: kvm_entry: PC: 0x40000000\n"
          " CPU 0/KVM-1000 (  900) [001] .....   1.000002: kvm_entry: PC: 0x40000000\n",
          text.out);
    put_two_boots(&text, 2 * MIB);
    expect_taken(&text, &usual, &import);
    assert_int_equal(import.vms, 3);
    assert_int_equal(import.vcpus, 1);
    assert_int_equal(import.counts.others, 2);
    import_free(&import);
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
    assert_int_equal(import.counts.unrecognized, 1);
    assert_true(import.counts.truncated);
    assert_int_equal(import.reinit_count, 1);
    import_free(&import);
}

/* `perf script --deltatime` prints what has passed since the line before. */
static void times_since_the_line_before_are_refused(void **state)
{
    (void)state;
    struct text text;
    text_begin(&text);
    for (int i = 0; i < 40; i++) {
        fprintf(text.out,
                "CPU 0/KVM  1000 [003]     0.0000%02d: kvm:kvm_guest_fault: ipa 0x%x, hsr "
                "0x92000047, hxfar 0x0, pc 0x40000000\n",
                i % 3 * 7, 0x40000000 + i * 4096);
    }
    expect_refused(&text, &usual,
                   "times go back within a thread at 13 of 40 events: expected times since one "
                   "beginning, in the order of the trace (perf script without --deltatime");
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
        struct import_options lenient = usual;
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
        cmocka_unit_test(lost_events_are_refused),
        cmocka_unit_test(what_does_not_show_a_boot_is_refused),
        cmocka_unit_test(other_forms_are_named),
        cmocka_unit_test(several_vms_are_told_apart),
        cmocka_unit_test(a_vm_is_taken_by_its_thread),
        cmocka_unit_test(thread_groups_are_vms),
        cmocka_unit_test(events_are_put_in_order),
        cmocka_unit_test(times_since_the_line_before_are_refused),
        cmocka_unit_test(hostile_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

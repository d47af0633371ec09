#include "tracetext.h"

#include "guest/import/kvmtrace.h"

static struct trace_line line_of(const char *text)
{
    struct trace_line line;
    kvmtrace_line(text, strlen(text), &line);
    return line;
}

/* --- fronts --- */

static void every_front_is_read(void **state)
{
    static const char *const texts[] = {
        /* tracefs, with and without the flags, five and four of them */
        "       CPU 1/KVM-4242    [003] d..1.  5891.897055: kvm_entry: PC: 0x0000000040200000",
        "       CPU 1/KVM-4242    [003] d..1  5891.897055: kvm_entry: PC: 0x0000000040200000",
        "       CPU 1/KVM-4242    [003] 5891.897055: kvm_entry: PC: 0x0000000040200000",
        /* with the thread group, known and not */
        "       CPU 1/KVM-4242    (   4240) [003] d..1.  5891.897055: kvm_entry: PC: 0x40200000",
        "       CPU 1/KVM-4242    (-------) [003] d..1.  5891.897055: kvm_entry: PC: 0x40200000",
        /* trace-cmd report: with and without flags, nanoseconds */
        "       CPU 1/KVM-4242  [003]  5891.897055: kvm_entry:            PC: 0x40200000",
        "       CPU 1/KVM-4242  [003] d..1.  5891.897055: kvm_entry:            PC: 0x40200000",
        "       CPU 1/KVM-4242  [003]  5891.897055000: kvm_entry:            PC: 0x40200000",
        /* perf script */
        "       CPU 1/KVM  4242 [003]  5891.897055:          kvm:kvm_entry: PC: 0x40200000",
        /* the same with more fields asked for, or fewer */
        "CPU 1/KVM  4240/4242  [003]  5891.897055:          kvm:kvm_entry: PC: 0x40200000",
        "CPU 1/KVM  4240/4242   5891.897055:                kvm:kvm_entry: PC: 0x40200000",
        "CPU 1/KVM  4242 [003]  5891.897055:          1     kvm:kvm_entry: PC: 0x40200000",
        "CPU 1/KVM  4242  5891.897055000:                   kvm:kvm_entry: PC: 0x40200000",
        /* perf trace: milliseconds, numbers in decimal */
        "5891897.055 CPU 1/KVM/4242 kvm:kvm_entry(vcpu_pc: 1075838976)",
        "5891897.055 (         ): CPU 1/KVM/4242 kvm:kvm_entry(vcpu_pc: 1075838976)",
        /* the latency format: microseconds, and trace-cmd's raw fields */
        "CPU 1/KVM-4242      3d..1. 5891897055us : kvm_entry: PC: 0x40200000",
        "CPU 1/KVM-4242      3d..1. 5891897055us!: kvm_entry: PC: 0x40200000",
        "CPU 1/KVM-4242    3.....  5891.897055: kvm_entry: vcpu_pc=1075838976",
        "CPU 1/KVM-4242      3dLh1. 5891897055us : kvm_entry: PC: 0x40200000",
        "CPU 1/KVM-4242      3DBZ2. 5891897055us : kvm_entry: PC: 0x40200000",
        /* trace-cmd report --ts-diff */
        "       CPU 1/KVM-4242  [003]  5891.897055: (+12) kvm_entry:            PC: 0x40200000",
        /* what a kernel log and its journal put before it */
        "[  123.456789] CPU 1/KVM-4242    3d..1. 5891897055us : kvm_entry: PC: 0x40200000",
        ("Nov 29 12:00:00 host kernel: [  123.456] CPU 1/KVM-4242 [003] 5891.897055: kvm_entry: "
         "PC: 0x40200000"),
        ("2026-11-30T12:00:00+0000 host kernel: CPU 1/KVM-4242 [003] 5891.897055: kvm_entry: PC: "
         "0x40200000"),
        ("Nov 30 12:00:00.123456 host kernel: CPU 1/KVM-4242 [003] 5891.897055: kvm_entry: PC: "
         "0x40200000"),
        ("[  123.456789] host kernel: CPU 1/KVM-4242 [003] 5891.897055: kvm_entry: PC: "
         "0x40200000"),
        ("1796040000.123456 host kernel: CPU 1/KVM-4242 [003] 5891.897055: kvm_entry: PC: "
         "0x40200000"),
        ("2026-11-30T12:00:00,123456+00:00 CPU 1/KVM-4242 [003] 5891.897055: kvm_entry: PC: "
         "0x40200000"),
        ("[  123.456789 <    0.000012>] CPU 1/KVM-4242 [003] 5891.897055: kvm_entry: PC: "
         "0x40200000"),
        ("{\"PRIORITY\":\"4\",\"MESSAGE\":\"CPU 1/KVM-4242 [003] 5891.897055: kvm_entry: PC: "
         "0x40200000\"}"),
        "[Nov30 12:00] CPU 1/KVM-4242 [003] 5891.897055: kvm_entry: PC: 0x40200000",
        "[  +0.000012] CPU 1/KVM-4242 [003] 5891.897055: kvm_entry: PC: 0x40200000",
        "[Sun Nov 29 12:00:00 2026] CPU 1/KVM-4242 [003] 5891.897055: kvm_entry: PC: 0x40200000",
        ("kern  :warn  : [  123.456789] CPU 1/KVM-4242    3d..1. 5891897055us : kvm_entry: PC: "
         "0x40200000"),
        "<4>[  123.456789] CPU 1/KVM-4242    3d..1. 5891897055us : kvm_entry: PC: 0x40200000",
        "[  123.456789][ T4242] CPU 1/KVM-4242  3d..1. 5891897055us : kvm_entry: PC: 0x40200000",
        "[  123.456789] [   T42] CPU 1/KVM-4242  3d..1. 5891897055us : kvm_entry: PC: 0x40200000",
        "4,1234,123456789,-;CPU 1/KVM-4242    3d..1. 5891897055us : kvm_entry: PC: 0x40200000",
        ("11-29 12:00:00.123     0     0 I         : [  123.45] CPU 1/KVM-4242    3d..1. "
         "5891897055us : kvm_entry: PC: 0x40200000"),
        /* grep, and trace-cmd with several files */
        "13:       CPU 1/KVM-4242    [003] d..1.  5891.897055: kvm_entry: PC: 0x40200000",
        "13:CPU 1/KVM-4242    [003] d..1.  5891.897055: kvm_entry: PC: 0x40200000",
        "trace.txt:       CPU 1/KVM-4242  [003] d..1.  5891.897055: kvm_entry: PC: 0x40200000",
        "    host.dat:  CPU 1/KVM-4242  [003]  5891.897055: kvm_entry:     PC: 0x40200000",
        /* a mail, and a terminal */
        "> > CPU 1/KVM-4242  [003] 5891.897055: kvm_entry: PC: 0x40200000",
        "\x1b[0;33mCPU 1/KVM-4242  [003] 5891.897055: kvm_entry: PC: 0x40200000",
        /* a clock that counts */
        "       CPU 1/KVM-4242    [003] d..1. 5891897055000: kvm_entry: PC: 0x40200000",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct trace_line line = line_of(texts[i]);
        if (line.kind != TRACE_LINE_EVENT) {
            print_error("%s\n", texts[i]);
        }
        assert_int_equal(line.kind, TRACE_LINE_EVENT);
        assert_int_equal(line.event, TRACE_ENTRY);
        assert_string_equal(line.comm, "CPU 1/KVM");
        assert_int_equal(line.pid, 4242);
        assert_int_equal(line.tgid, strstr(texts[i], "4240") ? 4240 : 0);
        assert_int_equal(line.time_ns, UINT64_C(5891897055000));
        assert_int_equal(line.pc, 0x40200000);
    }
}

/* Where not all fields were asked for: the thread's name, its number, or neither. */
static void threads_may_be_half_named(void **state)
{
    static const struct {
        const char *text, *comm;
        uint32_t pid, tgid;
    } lines[] = {
        {"CPU 1/KVM [003]  100.500000: kvm:kvm_entry: PC: 0x40200000", "CPU 1/KVM", 0, 0},
        {"CPU 1/KVM  100.500000: kvm:kvm_entry: PC: 0x40200000", "CPU 1/KVM", 0, 0},
        {" 4242 [003]  100.500000: kvm:kvm_entry: PC: 0x40200000", "", 4242, 0},
        {" 4240/4242 [003]  100.500000: kvm:kvm_entry: PC: 0x40200000", "", 4242, 4240},
        {" 4242  100.500000: kvm:kvm_entry: PC: 0x40200000", "", 4242, 0},
        {"[003]  100.500000: kvm:kvm_entry: PC: 0x40200000", "", 0, 0},
        {"100.500000: kvm_entry: PC: 0x40200000", "", 0, 0},
        {"[  100.500000] kvm_entry: PC: 0x40200000", "", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct trace_line line = line_of(lines[i].text);
        if (line.kind != TRACE_LINE_EVENT) {
            print_error("%s\n", lines[i].text);
        }
        assert_int_equal(line.kind, TRACE_LINE_EVENT);
        assert_int_equal(line.event, TRACE_ENTRY);
        assert_string_equal(line.comm, lines[i].comm);
        assert_int_equal(line.pid, lines[i].pid);
        assert_int_equal(line.tgid, lines[i].tgid);
        assert_int_equal(line.time_ns, UINT64_C(100500000000));
        assert_int_equal(line.pc, 0x40200000);
    }
}

static void names_may_hold_anything(void **state)
{
    struct trace_line line;
    (void)state;
    line = line_of(" vm[0] a-7 [1]-33    [001] ..... 1.000002: kvm_exit: IRQ: HSR_EC: 0x0000 "
                   "(UNKNOWN), PC: 0xffff800008001000");
    assert_int_equal(line.kind, TRACE_LINE_EVENT);
    assert_string_equal(line.comm, "vm[0] a-7 [1]");
    assert_int_equal(line.pid, 33);
    line = line_of("           <...>-3979  [007]   217.975284: kvm_entry: PC: 0x1");
    assert_string_equal(line.comm, "<...>");
    line = line_of(" \001\377x-1 [007] 217.9: kvm_entry: PC: 0x1");
    assert_string_equal(line.comm, "??x");
}

/* --- events --- */

static struct trace_line event_of(const char *text)
{
    char whole[512];
    snprintf(whole, sizeof whole, " CPU 0/KVM-1 [000] 1.000000: %s", text);
    return line_of(whole);
}

static void faults_are_read(void **state)
{
    struct trace_line line;
    (void)state;
    line = event_of("kvm_guest_fault: ipa 0x1c010000, hsr 0x93800006, hxfar 0xf80100a8, pc "
                    "0x802c21c8");
    assert_int_equal(line.kind, TRACE_LINE_EVENT);
    assert_int_equal(line.event, TRACE_GUEST_FAULT);
    assert_int_equal(line.ipa, 0x1c010000);
    assert_int_equal(line.esr, 0x93800006);
    assert_int_equal(line.pc, 0x802c21c8);
    line = event_of("kvm_guest_fault: ipa 0, hsr 0x82000006, hxfar 00000000, pc 0x00000000000000");
    assert_int_equal(line.kind, TRACE_LINE_EVENT);
    assert_int_equal(line.ipa, 0);
    line = event_of("kvm_guest_fault: esr=0x82000006 ipa=0x40000000");
    assert_int_equal(line.kind, TRACE_LINE_EVENT);
    assert_int_equal(line.ipa, 0x40000000);
    /* as a 32-bit host of 2014 has it, and as tools print the fields themselves */
    line = event_of("kvm_guest_fault: guest fault at PC 0x802c21c8 (hxfar 0xf80100a8, ipa "
                    "      0x1c010000, hsr 0x93800006");
    assert_int_equal(line.ipa, 0x1c010000);
    assert_int_equal(line.esr, 0x93800006);
    assert_int_equal(line.pc, 0x802c21c8);
    line = event_of("kvm_guest_fault: vcpu_pc=2150375880 hsr=2474639366 hxfar=0 ipa=469827584");
    assert_int_equal(line.ipa, 0x1c010000);
    assert_int_equal(line.esr, 0x93800006);
    line = line_of("1.000 CPU 0/KVM/7 kvm:kvm_guest_fault(vcpu_pc: 2150375880, hsr: 2474639366, "
                   "ipa: 469827584)");
    assert_int_equal(line.kind, TRACE_LINE_EVENT);
    assert_int_equal(line.ipa, 0x1c010000);
    assert_int_equal(event_of("kvm_guest_fault: ipa 0x40").kind, TRACE_LINE_FIELDS);
    assert_int_equal(event_of("kvm_guest_fault: hsr 0x40").kind, TRACE_LINE_FIELDS);
    assert_int_equal(event_of("kvm_guest_fault: ipa 0x10000000000000000, hsr 0x1").kind,
                     TRACE_LINE_FIELDS);
}

static void other_events_are_read(void **state)
{
    struct trace_line line;
    (void)state;
    line = event_of("kvm_toggle_cache: VM op at 0x0000000040f1b0c8 (cache was off, now on)");
    assert_int_equal(line.event, TRACE_TOGGLE);
    assert_false(line.was);
    assert_true(line.now);
    /* as tools print the fields themselves; `perf trace` leaves out what is zero */
    static const char *const switched[] = {"kvm_toggle_cache: vcpu_pc=0x40f1b0c8 was=0 now=1",
                                           "kvm_toggle_cache: vcpu_pc: 1, was: false, now: true",
                                           "kvm_toggle_cache(vcpu_pc: 1089581256, now: 1)"};
    for (size_t i = 0; i < sizeof switched / sizeof *switched; i++) {
        line = event_of(switched[i]);
        assert_int_equal(line.kind, TRACE_LINE_EVENT);
        assert_false(line.was);
        assert_true(line.now);
    }
    assert_int_equal(event_of("kvm_toggle_cache: VM op at: 0x1 (cache was x, now on)").kind,
                     TRACE_LINE_FIELDS);
    assert_int_equal(event_of("kvm_userspace_exit: reason=24 errno=0").reason,
                     TRACE_REASON_SYSTEM_EVENT);
    assert_true(event_of("kvm_userspace_exit: reason=24 errno=-4").reason < 0);
    line = event_of("kvm_userspace_exit: reason KVM_EXIT_SYSTEM_EVENT (24)");
    assert_int_equal(line.event, TRACE_USER_EXIT);
    assert_int_equal(line.reason, TRACE_REASON_SYSTEM_EVENT);
    assert_int_equal(event_of("kvm_userspace_exit: reason error (-14)").reason, -14);
    assert_int_equal(event_of("kvm_userspace_exit: reason restart").kind, TRACE_LINE_FIELDS);
    /* perf script -F +ip,sym; perf trace, which leaves an errno of 0 out */
    line = event_of("kvm_userspace_exit: reason KVM_EXIT_SYSTEM_EVENT (24)  ffff80008004d1f4 "
                    "kvm_arch_vcpu_ioctl_run+0x1f4 ([kernel.kallsyms])");
    assert_int_equal(line.reason, TRACE_REASON_SYSTEM_EVENT);
    line = line_of("1.000 CPU 0/KVM/7 kvm:kvm_userspace_exit(reason: 24)");
    assert_int_equal(line.kind, TRACE_LINE_EVENT);
    assert_int_equal(line.reason, TRACE_REASON_SYSTEM_EVENT);
    line = event_of("kvm_mmio: mmio unsatisfied-read len 4 gpa 0x9000018 val 0x0");
    assert_int_equal(line.event, TRACE_MMIO);
    assert_int_equal(line.ipa, 0x9000018);
    line = event_of("kvm_set_way_flush: S/W flush at 0x0000000040080000 (cache off)");
    assert_int_equal(line.event, TRACE_SETWAY);
    line = event_of("kvm_unmap_hva_range: mmu notifier unmap range: 0x0ffff8c000000 -- 0x0ffff8c1");
    assert_int_equal(line.event, TRACE_NOTIFIER);
    assert_int_equal(event_of("kvm_set_spte_hva: mmu notifier set pte hva: 0x1").event,
                     TRACE_NOTIFIER);
    assert_int_equal(event_of("kvm_access_fault: IPA: 40000000").event, TRACE_KVM_OTHER);
    assert_int_equal(event_of("kvm_wfx_arm64: guest executed wfi at: 0x1").event, TRACE_KVM_OTHER);
    assert_int_equal(event_of("kvm_entry_of_a_later_kernel: x").event, TRACE_KVM_OTHER);
    assert_int_equal(event_of("sched_switch: prev_comm=x").kind, TRACE_LINE_FOREIGN);
}

static void lines_without_events_are_told_apart(void **state)
{
    struct trace_line line;
    (void)state;
    line = line_of("CPU:1 [LOST 123 EVENTS]");
    assert_int_equal(line.kind, TRACE_LINE_LOST);
    assert_int_equal(line.n, 123);
    assert_int_equal(line_of("CPU:1 [LOST EVENTS]").kind, TRACE_LINE_LOST);
    line = line_of("CPU:7 [204600 EVENTS DROPPED]");
    assert_int_equal(line.kind, TRACE_LINE_LOST);
    assert_int_equal(line.n, 204600);
    line = line_of("# entries-in-buffer/entries-written: 140080/250280   #P:4");
    assert_int_equal(line.kind, TRACE_LINE_BUFFER);
    assert_int_equal(line.n, 110200);
    assert_int_equal(line_of("# tracer: nop").kind, TRACE_LINE_HEAD);
    assert_int_equal(line_of("cpus=8").kind, TRACE_LINE_HEAD);
    assert_int_equal(line_of("CPU 3 is empty").kind, TRACE_LINE_HEAD);
    assert_int_equal(line_of("").kind, TRACE_LINE_HEAD);
    assert_int_equal(line_of("hello").kind, TRACE_LINE_UNRECOGNIZED);
    assert_int_equal(line_of("CPU 0/KVM +0.5: kvm_entry: PC: 0x1").kind, TRACE_LINE_UNRECOGNIZED);
    assert_int_equal(line_of("100.5 ns: some log: of something").kind, TRACE_LINE_UNRECOGNIZED);
    assert_int_equal(line_of(" x-1 [000] 99999999999999999999.1: kvm_entry: PC: 0x1").kind,
                     TRACE_LINE_UNRECOGNIZED);
    kvmtrace_line("# a\0b", 5, &line);
    assert_int_equal(line.kind, TRACE_LINE_UNRECOGNIZED);
}

/* --- syndromes --- */

static void syndromes_are_read(void **state)
{
    static const struct {
        uint64_t esr;
        struct trace_abort abort;
    } cases[] = {
        {ESR_DATA | 0x07, {.translation = true}},
        {ESR_DATA | 0x04, {.translation = true}},
        {ESR_DATA | 0x2b, {.translation = true}}, /* at level -1 */
        {ESR_DATA | ESR_WRITE | 0x06, {.translation = true, .write = true}},
        {ESR_DATA | ESR_WRITE | 0x0f, {.permission = true, .write = true}},
        {ESR_FETCH | 0x07, {.translation = true, .fetch = true}},
        {ESR_FETCH | 0x0d, {.permission = true, .fetch = true}},
        {ESR_DATA | 0x0b, {0}}, /* access flag */
        {ESR_DATA | 0x10, {0}}, /* external abort */
        /* a walk of the guest's tables reads, until it wants to set a flag */
        {ESR_DATA | ESR_WRITE | 1 << 7 | 0x07, {.translation = true}},
        {ESR_DATA | 1 << 7 | 0x0f, {.permission = true, .write = true}},
        {ESR_FETCH | 1 << 7 | 0x07, {.translation = true}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trace_abort abort = kvmtrace_abort(cases[i].esr);
        assert_memory_equal(&abort, &cases[i].abort, sizeof abort);
    }
}

/* --- what a kernel prints comes back --- */

static void every_tools_text_is_read(void **state)
{
    (void)state;
    for (int tool = 0; tool < TOOLS; tool++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        put_fault(out, (enum tool)tool, 3, 1234567000, 0x7ffff000, esr_of("fault_w"), UINT64_MAX);
        assert_int_equal(fclose(out), 0);
        text[size - 1] = '\0';
        struct trace_line line = line_of(text);
        assert_int_equal(line.kind, TRACE_LINE_EVENT);
        assert_int_equal(line.event, TRACE_GUEST_FAULT);
        assert_int_equal(line.pid, 1003);
        assert_int_equal(line.time_ns, UINT64_C(101234567000));
        assert_int_equal(line.ipa, 0x7ffff000);
        assert_int_equal(line.pc, UINT64_MAX);
        assert_true(kvmtrace_abort(line.esr).write);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_front_is_read),
        cmocka_unit_test(threads_may_be_half_named),
        cmocka_unit_test(names_may_hold_anything),
        cmocka_unit_test(faults_are_read),
        cmocka_unit_test(other_events_are_read),
        cmocka_unit_test(lines_without_events_are_told_apart),
        cmocka_unit_test(syndromes_are_read),
        cmocka_unit_test(every_tools_text_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What benchmarks print, as it is: what is taken, for which cost, and what is refused. */
#include "check/calibrate/calibrate.h"
#include "core/error.h"
#include "measurements.h"
#include "study/draws.h"

#include <stdio.h>

static const char *text_file(const char *text)
{
    const char *path = path_of("output.txt");
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
    return path;
}

static struct measurements read_text(const char *text, const char *kernel)
{
    struct measurements found;
    struct platform base = base_of("neoverse-n1");
    struct error err = {0};
    const char *path = text_file(text);
    if (!measurements_read(path, &base, kernel, false, &found, &err)) {
        fail_msg("%s", err.text);
    }
    unlink(path);
    return found;
}

static void expect_row(const struct measurements *found, enum observed kind, double value,
                       double off)
{
    for (size_t i = 0; i < found->count; i++) {
        if (found->rows[i].kind == kind) {
            assert_true(fabs(found->rows[i].measured / value - 1) < 1e-9);
            assert_true(fabs(found->rows[i].off / off - 1) < 1e-9);
            assert_true(found->rows[i].p10 < value && found->rows[i].p90 > value);
            return;
        }
    }
    fail_msg("no row of kind %d", (int)kind);
}

static void expect_use(const struct measurements *found, unsigned line, const char *words)
{
    for (size_t i = 0; i < found->use_count; i++) {
        if (found->uses[i].line == line) {
            assert_non_null(strstr(found->uses[i].use, words));
            return;
        }
    }
    fail_msg("line %u was used for nothing", line);
}

/* --- memory and traps --- */

#define MEMBENCH                                                                      \
    "tinymembench v0.4.9 (simple benchmark for memory throughput and latency)\n"      \
    " C copy                                               :   8426.7 MB/s\n"         \
    " C fill (shuffle within 16 byte blocks)               :  11111.6 MB/s\n"         \
    " standard memcpy                                      :   8327.7 MB/s (0.5%)\n"  \
    " standard memset                                      :  20369.6 MB/s (11.8%)\n" \
    "\nblock size : single random read / dual random read, [MADV_NOHUGEPAGE]\n"       \
    "      1024 :    0.0 ns          /     0.0 ns\n"                                  \
    "  67108864 :  140.0 ns          /   160.0 ns\n"

static void memory_by_tinymembench(void **state)
{
    (void)state;
    struct measurements found = read_text(MEMBENCH, NULL);
    expect_row(&found, PROBE_COPY, 8.3277, 0.05);
    expect_row(&found, PROBE_WRITE, 20.3696, 0.118);
    expect_row(&found, PROBE_LATENCY, 140, 0.05);
    assert_int_equal(found.count, 3);
    expect_use(&found, 4, "copy_gbps");
    expect_use(&found, 9, "memory_ns");
    measurements_free(&found);
    found = read_text(MEMBENCH "block size : single random read / dual random read, "
                               "[MADV_HUGEPAGE]\n  67108864 :   99.4 ns          /    94.7 ns\n",
                      NULL);
    expect_row(&found, PROBE_LATENCY, 99.4, 0.05);
    measurements_free(&found);
}

/* The slow cluster's figures do not stay where the other has none of its own. */
static void the_last_cluster_of_sbc_bench(void **state)
{
    (void)state;
    struct measurements found =
        read_text("Executing benchmark on cpu0 (Cortex-A55):\n\n" MEMBENCH
                  "\nExecuting benchmark on cpu4 (Cortex-A76):\n\n"
                  " standard memcpy                         :   9990.1 MB/s (10, 9.4%)\n"
                  "  aes-128-cbc  34567.89k\n",
                  NULL);
    expect_row(&found, PROBE_COPY, 9.9901, 0.094);
    assert_int_equal(found.count, 1);
    assert_true(found.passed_over >= 3);
    measurements_free(&found);
}

/* Latencies that a cache gave are none of memory, and strides that are fetched ahead neither. */
static void memory_by_lmbench(void **state)
{
    (void)state;
    struct measurements found =
        read_text("\"libc bcopy unaligned\n0.000512 114131.34\n2147.48 8865.54\n\n"
                  "Memory bzero bandwidth\n0.000512 14131.34\n2147.48 18865.54\n\n"
                  "Memory read bandwidth\n2147.48 28865.54\n\n"
                  "\"stride=128\n0.00049 1.667\n256.00000 20.2\n"
                  "\"stride=4096\n16.00000 500.0\n256.00000 118.2\n",
                  NULL);
    expect_row(&found, PROBE_COPY, 8.86554, 0.05);
    expect_row(&found, PROBE_WRITE, 18.86554, 0.05);
    expect_row(&found, PROBE_LATENCY, 118.2, 0.05);
    measurements_free(&found);
}

static void a_trap_by_micro_bench(void **state)
{
    (void)state;
    struct platform base = base_of("cortex-a72"), made;
    struct calibration fit;
    struct error err = {0};
    struct measurements found =
        read_text("> Timer Frequency 100000000 Hz (Output in microseconds)\n>\n"
                  "> name                    total ns                         avg ns\n"
                  "> -----------------------------------------------------------------\n"
                  "> hvc                     26774980.0                      408.0\n"
                  "> mmio_read_user         151183350.0                     2306.0\n"
                  "> ipi_hw test skipped\n",
                  NULL);
    expect_row(&found, PROBE_EXIT, 408, 0.05);
    assert_int_equal(found.passed_over, 1);
    expect_use(&found, 5, "exit_ns");
    if (!calibrate(&found, &base, NULL, 0, &fit, &err)) {
        fail_msg("%s", err.text);
    }
    calibration_apply(&fit, &found, &base, "mine", &made);
    const struct cost *cost = &made.cost[COST_exit_ns];
    assert_true(fabs(cost->mode / 408 - 1) < 1e-3);
    assert_true(cost->low < 380 && cost->high > 438);
    assert_true(made.cost[COST_memory_ns].mode == base.cost[COST_memory_ns].mode);
    measurements_free(&found);
}

/* --- KVM's selftests --- */

#define PAGE_TABLE                                                \
    "# selftests: kvm: kvm_page_table_test\n"                     \
    "# Testing memory backing src type: anonymous\n"              \
    "# Testing memory backing src granularity: 0x1000\n"          \
    "# Testing memory size(aligned): 0x4000000\n"                 \
    "# Number of testing vCPUs: 1\n"                              \
    "# KVM_CREATE_MAPPINGS: total execution time: 0.061500000s\n" \
    "# KVM_UPDATE_MAPPINGS: total execution time: 0.074000000s\n"

static void times_of_kvm_page_table_test(void **state)
{
    (void)state;
    struct measurements found = read_text(PAGE_TABLE, "5.12");
    assert_int_equal(found.count, 2);
    const struct published *row = found.rows[1].row;
    assert_int_equal(row->benchmarked.kind, BENCHMARK_PAGE_TABLE);
    assert_int_equal(row->benchmarked.phase, BENCHMARK_UPDATE);
    assert_int_equal(row->benchmarked.backing, BACKING_4K);
    assert_int_equal(row->benchmarked.bytes, 64 * MIB);
    assert_int_equal(row->benchmarked.vcpus, 1);
    assert_true(fabs(found.rows[1].measured / 0.074e12 - 1) < 1e-9);
    assert_string_equal(row->platform->name, "neoverse-n1");
    expect_use(&found, 7, "fitted");
    measurements_free(&found);
}

/* A run at known costs, printed as the test prints it, gives the cost back. */
static void a_cost_comes_back_from_its_times(void **state)
{
    (void)state;
    enum cost_id named[] = {COST_tlbi_ns};
    struct platform base = base_of("neoverse-n1");
    struct calibration fit;
    struct error err = {0};
    double value[COSTS], create = 0, update = 0;
    char text[1024];
    struct measurements shape = read_text(PAGE_TABLE, "5.12");
    for (int id = 0; id < COSTS; id++) {
        value[id] = draw_quantile(&base.cost[id], 0.5); /* where costs that are not fitted stand */
    }
    value[COST_tlbi_ns] = 700;
    assert_true(observation_predict(&shape.rows[0], value, &create, &err));
    assert_true(observation_predict(&shape.rows[1], value, &update, &err));
    measurements_free(&shape);
    snprintf(text, sizeof text,
             "%.*s# KVM_CREATE_MAPPINGS: total execution time: %.9fs\n"
             "# KVM_UPDATE_MAPPINGS: total execution time: %.9fs\n",
             (int)(strstr(PAGE_TABLE, "# KVM_CREATE") - PAGE_TABLE), PAGE_TABLE, create / 1e12,
             update / 1e12);
    struct measurements found = read_text(text, "5.12");
    if (!calibrate(&found, &base, named, 1, &fit, &err)) {
        fail_msg("%s", err.text);
    }
    assert_true(fabs(fit.value[0] / 700 - 1) < 0.02);
    measurements_free(&found);
}

#define DIRTY_LOG                                    \
    "Test iterations: 2\n"                           \
    "Populate memory time: 6.298459671s\n"           \
    "Enabling dirty logging time: 0.003815691s\n\n"  \
    "Iteration 1 dirty memory time: 4.185538848s\n"  \
    "Iteration 1 get dirty log time: 0.002562641s\n" \
    "Iteration 2 dirty memory time: 0.192226071s\n"

static void times_of_dirty_log_perf_test(void **state)
{
    (void)state;
    struct measurements found = read_text(
        "$ ./dirty_log_perf_test -e -v 8 -b512M -i 2 -g -s anonymous_hugetlb_2mb\n" DIRTY_LOG,
        "6.1");
    assert_int_equal(found.count, 2);
    assert_int_equal(found.rows[0].row->benchmarked.phase, BENCHMARK_PROTECT);
    assert_int_equal(found.rows[1].row->benchmarked.phase, BENCHMARK_DIRTY);
    assert_int_equal(found.rows[1].row->benchmarked.vcpus, 8);
    assert_int_equal(found.rows[1].row->benchmarked.bytes, 512 * MIB);
    assert_int_equal(found.rows[1].row->benchmarked.backing, BACKING_HUGETLB);
    assert_int_equal(found.passed_over, 3);
    measurements_free(&found);
}

/* A log of both tests; the times of the one whose command is not there are passed over. */
static void a_log_of_both_selftests(void **state)
{
    (void)state;
    struct measurements found = read_text(DIRTY_LOG PAGE_TABLE DIRTY_LOG, "6.1");
    assert_int_equal(found.count, 2);
    assert_int_equal(found.passed_over, 10);
    assert_int_equal(found.rows[0].row->benchmarked.kind, BENCHMARK_PAGE_TABLE);
    measurements_free(&found);
    found = read_text("$ dirty_log_perf_test -v 2\n" DIRTY_LOG PAGE_TABLE, "6.1");
    assert_int_equal(found.count, 4);
    assert_int_equal(found.rows[0].row->benchmarked.kind, BENCHMARK_DIRTY_LOG);
    assert_int_equal(found.rows[2].row->benchmarked.kind, BENCHMARK_PAGE_TABLE);
    assert_int_equal(found.rows[2].row->benchmarked.vcpus, 1);
    measurements_free(&found);
}

/* As rows to predict, of the machine and kernel that are given beside it. */
static void times_become_rows_to_predict(void **state)
{
    (void)state;
    struct platform base = base_of("kunpeng-920");
    struct published_set set = {0};
    struct error err = {0};
    const char *path = text_file(PAGE_TABLE);
    bool output = false;
    assert_true(measurements_is_output(path, &output, &err));
    assert_true(output);
    assert_true(measurements_take_times(path, &base, "5.12", &set, &err));
    assert_int_equal(set.count, 2);
    assert_int_equal(set.rows[0].role, ROLE_PREDICT);
    assert_string_equal(set.rows[0].host, "kunpeng-920");
    assert_string_equal(set.rows[0].platform->name, "kunpeng-920");
    assert_int_equal(set.rows[1].benchmarked.phase, BENCHMARK_UPDATE);
    unlink(path);
    path = text_file("\"stride=128\n0.00049 1.667\n256.00000 98.2\n");
    assert_false(measurements_take_times(path, &base, NULL, &set, &err));
    assert_non_null(strstr(err.text, "s2flush calibrate"));
    unlink(path);
    published_free(&set);
}

/* --- what is refused --- */

static void outputs_that_tell_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text, *kernel, *words;
    } bad[] = {
        {"Analyze events for all VMs, all VCPUs:\n\n    VM-EXIT    Samples  Samples%\n", NULL,
         "perf kvm stat"},
        {"  L M B E N C H  3 . 0   S U M M A R Y\n", NULL, "results/ARCH/HOST.0"},
        {"Testing unmap performance with 1 runs, 5 seconds each\n", NULL, "memslot_perf_test"},
        {"Overall demand paging rate: 83196.29 pgs/sec\n", NULL, "demand_paging_test"},
        {"Function    Best Rate MB/s  Avg time\n", NULL, "STREAM"},
        {"AVG Method: MCBLOCK Elapsed: 0.39\n", NULL, "output of mbw"},
        {"some words, and others\n", NULL, "no known output"},
        {" Performance counter stats for 'sleep 1':\n", NULL, "`perf stat`"},
        {"hello world\n", NULL, "expected the output of kvm_page_table_test"},
        {"", NULL, "no known output"},
        {PAGE_TABLE, NULL, ":6: found a time of a selftest, expected --kernel"},
        {PAGE_TABLE, "2.6", "2.6"},
        {"# KVM_CREATE_MAPPINGS: total execution time: 0.2s\n", "6.1", "Testing memory size"},
        {"Testing memory backing src type: anonymous\n"
         "Testing memory backing src granularity: 0x4000\n"
         "KVM_CREATE_MAPPINGS: total execution time: 0.2s\n",
         "6.1", ":2: found 0x4000"},
        {"Testing memory backing src type: anonymous_hugetlb_16mb\n"
         "KVM_CREATE_MAPPINGS: total execution time: 0.2s\n",
         "6.1", "anonymous_hugetlb_2mb"},
        {"Testing memory backing src type: anonymous\nTesting memory size(aligned): 0x40000000\n"
         "Number of testing vCPUs: 1\nKVM_CREATE_MAPPINGS: total execution time: -3.-672213074s\n",
         "6.1", ":4: found '-3.-672213074s'"},
        {DIRTY_LOG, "6.1", ":3: found output of dirty_log_perf_test without its command"},
        {"dirty_log_perf_test -v 8 -f 4\n" DIRTY_LOG, "6.1", "-a, -f, -o, -w and -x"},
        {"dirty_log_perf_test -v none\n" DIRTY_LOG, "6.1", "1 to 512 vCPUs"},
        {"name  total ns  avg ns\nipi 1.0 2.0\n", NULL, "found no line that a cost follows from"},
        {"name  total ns  avg ns\nhvc 1.0 0.0\n", NULL, ":2: found '0.0'"},
        {"\"stride=64\n0.5 2.0\n", NULL, "found no line that a cost follows from"},
    };
    struct platform base = base_of("neoverse-n1");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct measurements found;
        struct error err = {0};
        const char *path = text_file(bad[i].text);
        if (measurements_read(path, &base, bad[i].kernel, false, &found, &err) ||
            !strstr(err.text, bad[i].words)) {
            fail_msg("%s\ngave: %s\nexpected: %s", bad[i].text, err.text, bad[i].words);
        }
        assert_int_equal(err.status, EXIT_INPUT);
        assert_null(strchr(err.text, '\n'));
        unlink(path);
    }
}

/* --- machines that were not quiet, and no Arm machines --- */

#define PROBE "quantity,state,cores,bytes,value,unit,n,median,p10,p90\n"

static void expect_no_calibration(const char *text, const char *words)
{
    struct calibration fit;
    struct platform base = base_of("neoverse-n1");
    struct error err = {0};
    struct measurements found = read_text(text, NULL);
    assert_false(calibrate(&found, &base, NULL, 0, &fit, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, words));
    measurements_free(&found);
}

static void a_busy_machine_and_another_architecture(void **state)
{
    (void)state;
    struct calibration fit;
    struct platform base = base_of("neoverse-n1");
    struct error err = {0};
    expect_no_calibration(PROBE "mem_latency,chase,1,268435456,906,ns,9,906,100,1850\n",
                          "'mem_latency chase, 1 core, 268435456 bytes' the 90th percentile is 18 "
                          "times the 10th");
    expect_no_calibration(PROBE "clflushopt,absent,1,1048576,3,ns,9,3,2.9,3.1\n"
                                "clflushopt,absent,1,4096,4,ns,9,4,3.9,4.1\n",
                          "an instruction of x86");
    /* Less than that is said, and the range is as wide. */
    struct measurements found =
        read_text(PROBE "mem_latency,chase,1,268435456,110,ns,9,110,90,150\n", NULL);
    assert_int_equal(found.noisy, 1);
    if (!calibrate(&found, &base, NULL, 0, &fit, &err)) {
        fail_msg("%s", err.text);
    }
    assert_true(fit.low[0] < 90 && fit.high[0] > 150);
    measurements_free(&found);
    /* So it is where a benchmark says its own spread, or a larger block takes less time. */
    expect_no_calibration(" standard memcpy   :   5203.8 MB/s (90%)\n", "the machine was busy");
    found = read_text(" standard memcpy   :   5203.8 MB/s (18.3%)\n"
                      "block size : single random read / dual random read\n"
                      " 33554432 :  200.0 ns          /    99.8 ns\n"
                      " 67108864 :  150.0 ns          /    94.7 ns\n",
                      NULL);
    assert_int_equal(found.noisy, 2);
    measurements_free(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_by_tinymembench),
        cmocka_unit_test(the_last_cluster_of_sbc_bench),
        cmocka_unit_test(memory_by_lmbench),
        cmocka_unit_test(a_trap_by_micro_bench),
        cmocka_unit_test(times_of_kvm_page_table_test),
        cmocka_unit_test(a_cost_comes_back_from_its_times),
        cmocka_unit_test(times_of_dirty_log_perf_test),
        cmocka_unit_test(a_log_of_both_selftests),
        cmocka_unit_test(times_become_rows_to_predict),
        cmocka_unit_test(outputs_that_tell_nothing),
        cmocka_unit_test(a_busy_machine_and_another_architecture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

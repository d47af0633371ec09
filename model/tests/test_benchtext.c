/* What benchmarks print, as it is: what is taken, for which cost, and what is refused. */
#include "check/calibrate/benchtext.h"
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

/* What a number is followed by, columns and separators as others have them. */
static void other_shapes_are_taken(void **state)
{
    (void)state;
    struct measurements found = read_text("name\ttotal ns\tavg ns\nhvc\t27245312.0\t415.0\n", NULL);
    expect_row(&found, PROBE_EXIT, 415, 0.05);
    measurements_free(&found);
    found = read_text("name      total ns     avg ns    min ns    max ns\n"
                      "hvc   26774980.0  408.0  300.0  9000.0\r\n",
                      NULL);
    expect_row(&found, PROBE_EXIT, 408, 0.05);
    measurements_free(&found);
    found = read_text("$ bw_mem -P 1 512m bcopy\n536.87 9876.54\n"
                      "$ bw_mem 512m bzero\n536.87\t19876.54\n$ bw_mem 512m rd\n536.87 1.5\n",
                      NULL);
    expect_row(&found, PROBE_COPY, 9.87654, 0.05);
    expect_row(&found, PROBE_WRITE, 19.87654, 0.05);
    assert_int_equal(found.count, 2);
    measurements_free(&found);
    found = read_text("Memory performance (all 4 CPU clusters measured individually):\n\n"
                      "  memcpy: 5898.7 MB/s (Cortex-A55)\n  memset: 22044.3 MB/s (Cortex-A55)\n"
                      "  memcpy: 10420.6 MB/s (Cortex-A76)\n  memset: 28730.6 MB/s (Cortex-A76)\n",
                      NULL);
    expect_row(&found, PROBE_COPY, 10.4206, 0.05);
    expect_row(&found, PROBE_WRITE, 28.7306, 0.05);
    measurements_free(&found);
}

/* Huge pages of the host's default size: their size stands in the next line. */
static void pages_by_their_granularity(void **state)
{
    (void)state;
    static const struct {
        const char *size;
        enum backing backing;
    } rows[] = {{"0x200000", BACKING_HUGETLB}, {"0x40000000", BACKING_HUGETLB_1G}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "Testing guest mode: PA-bits:40,  VA-bits:48,  4K pages\n"
                 "Testing memory backing src type: anonymous_hugetlb\n"
                 "Testing memory backing src granularity: %s\n"
                 "Testing memory size(aligned): 0x40000000\nNumber of testing vCPUs: 1\n"
                 "KVM_CREATE_MAPPINGS: total execution time: 0.200919330s\n",
                 rows[i].size);
        struct measurements found = read_text(text, "6.1");
        assert_int_equal(found.published.rows[0].benchmarked.backing, rows[i].backing);
        measurements_free(&found);
    }
}

static void expect_unread(const char *text, const char *words)
{
    struct measurements found;
    struct platform base = base_of("neoverse-n1");
    struct error err = {0};
    const char *path = text_file(text);
    assert_false(measurements_read(path, &base, "6.1", false, &found, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    if (!strstr(err.text, words)) {
        fail_msg("'%s' has no '%s'", err.text, words);
    }
    unlink(path);
}

static void other_shapes_are_refused(void **state)
{
    (void)state;
    expect_unread(" standard memset    :  9.060,9 MB/s (0.1%)\n standard memcpy : 8,1 MB/s\n",
                  ":1: found '9.060,9 MB/s (0.1%)', expected a number with a decimal point and no "
                  "other mark");
    expect_unread("block size : single random read / dual random read\n"
                  "  67108864 :  119,9 ns          /   153,7 ns\n",
                  ":2: found '119,9 ns");
    expect_unread("\"stride=128\n0,00049 1,667\n256,00000 98,200\n", ":2: found '0,00049 1,667'");
    expect_unread("Testing guest mode: PA-bits:48,  VA-bits:48, 64K pages\n"
                  "Testing memory backing src type: anonymous\n"
                  "KVM_CREATE_MAPPINGS: total execution time: 0.2s\n",
                  "expected a guest with 4K pages");
    expect_unread("Testing memory backing src type: anonymous_hugetlb\n"
                  "Testing memory backing src granularity: 0x20000000\n"
                  "KVM_CREATE_MAPPINGS: total execution time: 0.2s\n",
                  ":2: found 0x20000000, expected huge pages of 0x200000 or 0x40000000");
    expect_unread("table;row;benchmark\nmine;a;page_table\n",
                  ": found ';' between the column names");
    expect_unread("table,row, benchmark\nmine,a,page_table\n",
                  "benchmark: found the column ' benchmark', expected it as 'benchmark'");
    expect_unread("\"table\",\"row\"\n1,2\n", "found none of the columns expected");
    expect_unread("         MMIO Access    Samples\nAnalyze events for all VMs, all VCPUs:\n",
                  "output of `perf kvm stat`");
    expect_unread("# Running 'mem/memcpy' benchmark:\n", "output of `perf bench mem`");
    expect_unread("       size:  1x32  2x32  1x64  2x64 1xPTR\n", "output of ramlat");
    expect_unread("Writing to populated memory   : 0.005s\n", "access_tracking_perf_test");
}

/* A table may begin with a byte order mark, or have its names in quotes. */
static void a_table_is_told_from_an_output(void **state)
{
    (void)state;
    assert_false(benchtext_is("\xef\xbb\xbftable,row\n"));
    assert_false(benchtext_is("\"table\",\"row\"\n"));
    assert_false(benchtext_is("# remark\r\ntable;row;benchmark\n"));
    assert_false(benchtext_is("table, row, benchmark\n"));
    assert_true(benchtext_is("hello, world\n"));
    assert_true(benchtext_is("name                total ns\n"));
    assert_true(benchtext_is(""));
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
        cmocka_unit_test(other_shapes_are_taken),
        cmocka_unit_test(pages_by_their_granularity),
        cmocka_unit_test(other_shapes_are_refused),
        cmocka_unit_test(a_table_is_told_from_an_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "check.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "check/calibrate.h"
#include "check/predict.h"
#include "cli/cli.h"
#include "core/rng.h"
#include "study/draws.h"

static const char *path_of(const char *name)
{
    static char paths[4][4096];
    static int turn;
    char *path = paths[turn++ % 4];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof paths[0], "%s/%s-%ld", folder ? folder : "/tmp", name, (long)getpid());
    return path;
}

static struct platform base_of(const char *name)
{
    struct platform platform;
    struct error err = {0};
    if (!published_host(name, &platform, &err)) {
        fail_msg("%s", err.text);
    }
    return platform;
}

static struct measurements read_back(const char *path)
{
    struct measurements found;
    struct error err = {0};
    if (!measurements_read(path, UINT64_C(32) << 20, &found, &err)) {
        fail_msg("%s", err.text);
    }
    return found;
}

static struct calibration calibrated(const struct measurements *found, const char *base,
                                     const enum cost_id *named, size_t count)
{
    struct platform platform = base_of(base);
    struct calibration fit;
    struct error err = {0};
    if (!calibrate(found, &platform, named, count, &fit, &err)) {
        fail_msg("%s", err.text);
    }
    return fit;
}

static struct error refused(const struct measurements *found, const char *base,
                            const enum cost_id *named, size_t count)
{
    struct platform platform = base_of(base);
    struct calibration fit;
    struct error err = {0};
    assert_false(calibrate(found, &platform, named, count, &fit, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    return err;
}

static void expect_within(const struct calibration *fit, enum cost_id id, double truth)
{
    size_t i = 0;
    while (i < fit->costs && fit->id[i] != id) {
        i++;
    }
    if (i == fit->costs) {
        fail_msg("%s was not fitted: %s", cost_name[id], fit->left[0]);
    }
    double off = log(fit->value[i] / truth);
    if (!(fabs(off) <= 3 * fit->standard_error[i] + 1e-4)) {
        fail_msg("%s: %g, fitted %g [%.3f %%]", cost_name[id], truth, fit->value[i],
                 100 * fit->standard_error[i]);
    }
    assert_true(fit->low[i] <= fit->value[i] && fit->value[i] <= fit->high[i]);
}

/* --- a machine as a probe sees it --- */

struct truth {
    double absent, clean, dirty, dsb, path, writeback;
};

static const struct truth machine = {6.2, 1.4, 2.3, 140, 0.9, 45};

static void put_row(FILE *out, gsl_rng *rng, const char *quantity, const char *state, int cores,
                    unsigned long bytes, double value)
{
    double seen = value * (1 + 0.02 * (gsl_rng_uniform(rng) - 0.5));
    fprintf(out, "%s,%s,%d,%lu,%.6g,ns,9,%.6g,%.6g,%.6g\n", quantity, state, cores, bytes, seen,
            seen, seen * 0.98, seen * 1.02);
}

/* Flushes by up to `most` cores; a line takes its time alone, or of the path. */
static void put_flushes(FILE *out, gsl_rng *rng, const struct truth *truth, const char *state,
                        int most)
{
    double line = truth->absent, path = truth->path;
    line *= strcmp(state, "absent") != 0 ? truth->clean : 1;
    line *= strcmp(state, "dirty") == 0 ? truth->dirty : 1;
    path = strcmp(state, "dirty") == 0 ? fmax(path, 64 / truth->writeback) : path;
    for (int cores = 1; cores <= most; cores *= 2) {
        for (unsigned long bytes = 4096; bytes <= 1UL << 20; bytes *= 16) {
            double each = fmax(line, cores * path) + truth->dsb * 64 / (double)bytes;
            put_row(out, rng, "dc_civac", state, cores, bytes, each);
        }
    }
}

static const char *probe_file(const struct truth *truth, int most, bool clean)
{
    const char *path = path_of("probe.csv");
    gsl_rng *rng = gsl_rng_alloc(rng_xoshiro256ss);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    rng_stream(rng, 11, 0, 0, 0);
    fputs("quantity,state,cores,bytes,value,unit,n,median,p10,p90\n"
          "cores,,1,0,48,count,1,48,48,48\nclock,,1,0,2.5e+09,hz,9,2.5e+09,2.5e+09,2.5e+09\n"
          "timer,,1,0,25000000,hz,1,25000000,25000000,25000000\n",
          out);
    put_row(out, rng, "mem_latency", "chase", 1, 16384, 2);
    put_row(out, rng, "mem_latency", "chase", 1, 1UL << 28, 95);
    put_row(out, rng, "mem_bandwidth", "read", 1, 1UL << 26, 14);
    put_row(out, rng, "mem_bandwidth", "write", 1, 1UL << 26, 11);
    put_row(out, rng, "mem_bandwidth", "write", 32, 1UL << 26, 70);
    put_flushes(out, rng, truth, "absent", most);
    put_flushes(out, rng, truth, "dirty", most);
    if (clean) {
        put_flushes(out, rng, truth, "clean", most);
    }
    gsl_rng_free(rng);
    assert_int_equal(fclose(out), 0);
    return path;
}

static void a_probe_s_machine_comes_back(void **state)
{
    (void)state;
    struct measurements found = read_back(probe_file(&machine, 32, true));
    struct calibration fit = calibrated(&found, "neoverse-n1", NULL, 0);
    expect_within(&fit, COST_dc_absent_ns, machine.absent);
    expect_within(&fit, COST_dc_clean_ratio, machine.clean);
    expect_within(&fit, COST_dc_dirty_ratio, machine.dirty);
    expect_within(&fit, COST_dsb_ns, machine.dsb);
    expect_within(&fit, COST_cmo_path_ns, machine.path);
    expect_within(&fit, COST_writeback_gbps, machine.writeback);
    expect_within(&fit, COST_memory_ns, 95);
    expect_within(&fit, COST_zero_gbps, 11);
    expect_within(&fit, COST_zero_path_gbps, 70);
    expect_within(&fit, COST_copy_gbps, 1 / (1.0 / 14 + 1.0 / 11));
    assert_int_equal(fit.costs, 10);
    assert_int_equal(fit.left_count, 0);
    assert_int_equal(found.cores, 48);
    assert_true(found.clock_ghz == 2.5);
    assert_true(fit.worst_pct < 5);
    measurements_free(&found);
}

/* The base may be wrong by an order of magnitude either way. */
static void machines_unlike_the_base_come_back(void **state)
{
    static const struct truth unlike[] = {{60, 1.1, 1.5, 900, 9, 4}, {0.8, 3, 6, 20, 0.1, 300}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct measurements found = read_back(probe_file(&unlike[i], 32, true));
        struct calibration fit = calibrated(&found, "neoverse-n1", NULL, 0);
        expect_within(&fit, COST_dc_absent_ns, unlike[i].absent);
        expect_within(&fit, COST_dc_clean_ratio, unlike[i].clean);
        expect_within(&fit, COST_dc_dirty_ratio, unlike[i].dirty);
        expect_within(&fit, COST_dsb_ns, unlike[i].dsb);
        expect_within(&fit, COST_cmo_path_ns, unlike[i].path);
        assert_true(fit.worst_pct < 5);
        measurements_free(&found);
    }
}

/* Dirty lines that wait for the path of all lines say nothing of the write-back. */
static void one_path_is_not_taken_for_another(void **state)
{
    struct truth narrow = machine;
    (void)state;
    narrow.path = 2;
    narrow.writeback = 400;
    struct measurements found = read_back(probe_file(&narrow, 32, true));
    struct calibration fit = calibrated(&found, "neoverse-n1", NULL, 0);
    expect_within(&fit, COST_cmo_path_ns, narrow.path);
    assert_int_equal(fit.costs, 9);
    assert_non_null(strstr(fit.left[0], "writeback_gbps: no row waits for it"));
    measurements_free(&found);
}

/* What one row says keeps its percentiles; what several say has standard errors. */
static void ranges_are_those_of_the_samples(void **state)
{
    (void)state;
    struct measurements found = read_back(probe_file(&machine, 32, true));
    struct calibration fit = calibrated(&found, "neoverse-n1", NULL, 0);
    for (size_t i = 0; i < fit.costs; i++) {
        bool line = fit.id[i] <= COST_writeback_gbps;
        assert_int_equal(fit.direct[i], !line);
        double spread = log(fit.high[i] / fit.low[i]) / 2;
        double expected = line ? 1.2816 * fit.standard_error[i] : 0.02;
        assert_true(fabs(spread - expected) < 1e-3);
        assert_true(fabs(fit.correlation[i][i] - 1) < 1e-9);
    }
    measurements_free(&found);
}

static void a_path_that_was_never_full_is_not_told(void **state)
{
    static const enum cost_id path[] = {COST_cmo_path_ns};
    struct truth wide = machine;
    (void)state;
    wide.path = 0.01;
    wide.writeback = 20000;
    struct measurements found = read_back(probe_file(&wide, 8, true));
    struct calibration fit = calibrated(&found, "neoverse-n1", NULL, 0);
    assert_int_equal(fit.costs, 8);
    assert_int_equal(fit.left_count, 2);
    assert_non_null(strstr(fit.left[0], "cmo_path_ns: no row waits for it"));
    struct error err = refused(&found, "neoverse-n1", path, 1);
    assert_non_null(strstr(err.text, "cmo_path_ns"));
    assert_non_null(strstr(err.text, "at most"));
    struct platform base = base_of("neoverse-n1"), result;
    calibration_apply(&fit, &found, &base, "wide", &result);
    const struct cost *cost = &result.cost[COST_cmo_path_ns];
    assert_true(base.cost[COST_cmo_path_ns].high > found.cmo_path_most_ns);
    assert_true(cost->high == found.cmo_path_most_ns && cost->low <= cost->mode);
    assert_string_equal(cost->evidence, "derived");
    measurements_free(&found);
}

/* Without clean lines only the product of both ratios is seen. */
static void ratios_that_are_only_seen_together_are_named(void **state)
{
    static const enum cost_id both[] = {COST_dc_absent_ns, COST_dc_clean_ratio, COST_dc_dirty_ratio,
                                        COST_dsb_ns};
    (void)state;
    struct measurements found = read_back(probe_file(&machine, 1, false));
    struct error err = refused(&found, "neoverse-n1", both, 4);
    assert_non_null(strstr(err.text, "dc_clean_ratio, dc_dirty_ratio: the rows do not tell"));
    assert_null(strstr(err.text, "dc_absent_ns"));
    static const enum cost_id idle[] = {COST_tlbi_ns};
    err = refused(&found, "neoverse-n1", idle, 1);
    assert_non_null(strstr(err.text, "tlbi_ns: no row depends on it"));
    measurements_free(&found);
}

/* --- benchmarks --- */

#define HEADER                                                                        \
    "table,row,benchmark,phase,host,kernel,overrides,backing,bytes,vcpus,value,unit," \
    "role,source\n"

static const char *benchmark_file(const char *name, const char *rows)
{
    const char *path = path_of(name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "%s%s", HEADER, rows);
    assert_int_equal(fclose(out), 0);
    return path;
}

#define UNMAP(row, kernel, backing, bytes, role)                                    \
    "t," row ",page_table,unmap,neoverse-n1," kernel ",," backing "," bytes ",1,1," \
    "ms," role ",x\n"

/* Rows as the model would measure them at these costs, on a machine of others. */
static struct measurements played(const char *rows, const double value[COSTS])
{
    struct measurements found = read_back(benchmark_file("rows.csv", rows));
    for (size_t i = 0; i < found.count; i++) {
        struct error err = {0};
        assert_true(predict_ps(found.rows[i].row, value, &found.rows[i].measured, &err));
    }
    return found;
}

static void medians(const char *name, double value[COSTS])
{
    struct platform platform = base_of(name);
    for (int id = 0; id < COSTS; id++) {
        value[id] = draw_quantile(&platform.cost[id], 0.5);
    }
}

static void costs_of_benchmarks_come_back(void **state)
{
    static const enum cost_id named[] = {COST_kernel_cpi, COST_tlbi_ns};
    double value[COSTS];
    (void)state;
    medians("neoverse-n1", value);
    value[COST_kernel_cpi] *= 1.7;
    value[COST_tlbi_ns] *= 0.6;
    struct measurements found =
        played(UNMAP("1", "6.1", "4k", "64M", "fit")
                   UNMAP("2", "6.1", "4k", "256M",
                         "fit") "t,3,page_table,create,neoverse-n1,6.1,,4k,64M,1,1,ms,fit,x\n"
                                "t,4,page_table,create,neoverse-n1,6.1,,4k,64M,1,1,ms,predict,x\n",
               value);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.passed_over, 1);
    struct calibration fit = calibrated(&found, "neoverse-n1", named, 2);
    expect_within(&fit, COST_kernel_cpi, value[COST_kernel_cpi]);
    expect_within(&fit, COST_tlbi_ns, value[COST_tlbi_ns]);
    assert_true(fit.worst_pct < 0.1);
    measurements_free(&found);
}

/* An unmap of twice the memory holds twice of everything. */
static void benchmarks_that_tell_one_thing_are_refused(void **state)
{
    static const enum cost_id named[] = {COST_kernel_cpi, COST_tlbi_ns};
    double value[COSTS];
    (void)state;
    medians("neoverse-n1", value);
    struct measurements found =
        played(UNMAP("1", "6.1", "4k", "64M", "fit") UNMAP("2", "6.1", "4k", "128M", "fit"), value);
    struct error err = refused(&found, "neoverse-n1", named, 2);
    assert_non_null(strstr(err.text, "kernel_cpi, tlbi_ns: the rows do not tell them apart"));
    measurements_free(&found);
    found = played(UNMAP("1", "6.1", "4k", "64M", "fit"), value);
    err = refused(&found, "neoverse-n1", named, 2);
    assert_non_null(strstr(err.text, "2 costs for 1 rows"));
    err = refused(&found, "neoverse-n1", NULL, 0);
    assert_non_null(strstr(err.text, "expected --cost"));
    measurements_free(&found);
}

/* --- files --- */

static void expect_same(const struct platform *a, const struct platform *b)
{
    for (int id = 0; id < COSTS; id++) {
        const struct cost *x = &a->cost[id], *y = &b->cost[id];
        assert_true(x->low == y->low && x->mode == y->mode && x->high == y->high);
        assert_string_equal(x->source, y->source);
        assert_string_equal(x->evidence, y->evidence);
        assert_string_equal(x->basis, y->basis);
    }
    size_t machine_bytes = offsetof(struct platform, cost);
    assert_memory_equal(a, b, machine_bytes);
}

static void a_platform_reads_back_as_it_was_written(void **state)
{
    static const char *const names[] = {"neoverse-n1", "cortex-a72", "neoverse-v1", "kunpeng-920"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = path_of("written.ini");
        struct platform platform = base_of(names[i]), back;
        struct error err = {0};
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        platform.cost[COST_dsb_ns].mode = platform.cost[COST_dsb_ns].high = 1000 / 3.0;
        platform_write(&platform, out);
        assert_int_equal(fclose(out), 0);
        if (!platform_read(path, &back, &err)) {
            fail_msg("%s", err.text);
        }
        expect_same(&platform, &back);
        unlink(path);
    }
}

/* Runs the command; what it prints goes nowhere. */
static int command(const char *const words[])
{
    char *argv[12] = {(char *)"calibrate"};
    int argc = 1;
    for (; words[argc - 1]; argc++) {
        argv[argc] = strdup(words[argc - 1]);
    }
    FILE *out = stdout, *err = stderr;
    stdout = fopen("/dev/null", "w");
    stderr = fopen("/dev/null", "w");
    int status = cmd_calibrate(argc, argv);
    fclose(stdout);
    fclose(stderr);
    stdout = out;
    stderr = err;
    for (int i = 1; i < argc; i++) {
        free(argv[i]);
    }
    return status;
}

static bool there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void the_command_writes_a_whole_platform(void **state)
{
    struct platform platform, base = base_of("kunpeng-920");
    struct error err = {0};
    (void)state;
    const char *probe = probe_file(&machine, 32, true), *out = path_of("made.ini");
    const char *const words[] = {probe, "-o", out, "--base", "kunpeng-920", NULL};
    assert_int_equal(command(words), EXIT_DONE);
    assert_int_equal(command(words), EXIT_DONE); /* now in place of the first */
    assert_true(platform_read(out, &platform, &err));
    const struct cost *absent = &platform.cost[COST_dc_absent_ns];
    assert_true(fabs(absent->mode / machine.absent - 1) < 0.02);
    assert_string_equal(absent->evidence, "measured");
    assert_non_null(strstr(absent->source, "probe.csv"));
    assert_true(platform.cores == 48 && platform.clock_ghz == 2.5);
    assert_true(platform.cost[COST_tlbi_ns].mode == base.cost[COST_tlbi_ns].mode);
    assert_string_equal(platform.cost[COST_tlbi_ns].source, base.cost[COST_tlbi_ns].source);
    unlink(out);
}

static void what_is_refused_leaves_no_file(void **state)
{
    static const char *const bad[] = {
        "what,ever\n1,2\n",
        "quantity,state,cores,bytes\ndc_civac,absent,1,4096\n",
        "quantity,state,cores,bytes,value\ndc_civac,absent,1,4096,-3\n",
        "quantity,state,cores,bytes,value\ndc_civac,absent,one,4096,3\n",
        "quantity,state,cores,bytes,value,p10,p90\ndc_civac,absent,1,4096,3,4,2\n",
        "quantity,state,cores,bytes,value\nnoise,,1,4096,3\n",
        "quantity,state,cores,bytes,value\n",
        HEADER "t,1,page_table,unmap,no-such-host,6.1,,4k,64M,1,1,ms,fit,x\n",
        HEADER UNMAP("1", "6.1", "4k", "64M", "predict"),
        HEADER UNMAP("1", "6.1", "4k", "64M", "fit"),
        "quantity,state,cores,bytes,value\nmem_latency,chase,1,4096,3e9\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *path = path_of("bad.csv"), *out = path_of("none.ini");
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(bad[i], file);
        assert_int_equal(fclose(file), 0);
        int status = command((const char *const[]){path, "-o", out, NULL});
        if (status != EXIT_INPUT || there(out)) {
            fail_msg("input %zu: status %d", i, status);
        }
        unlink(path);
    }
}

/* As on a full disk: a file may not grow beyond that. */
static int command_with_room(const char *const words[], rlim_t bytes)
{
    struct rlimit before, little;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = bytes;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    int status = command(words);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    return status;
}

/* What stood there before stays, whole, when the new file cannot be. */
static void a_failure_keeps_the_old_file(void **state)
{
    const char *out = path_of("old.ini"), *probe = probe_file(&machine, 1, false);
    char text[16] = "";
    (void)state;
    FILE *file = fopen(out, "w");
    assert_non_null(file);
    fputs("as it was", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(command((const char *const[]){probe, "-o", out, "--cost", "tlbi_ns", NULL}),
                     EXIT_INPUT);
    assert_int_equal(command((const char *const[]){probe, "-o", out, "--cost", "tlby_ns", NULL}),
                     EXIT_INPUT);
    assert_int_equal(
        command((const char *const[]){probe, "-o", out, "--base", "no-such-machine", NULL}),
        EXIT_INPUT);
    assert_int_equal(command((const char *const[]){probe, NULL}), EXIT_INPUT);
    assert_int_equal(command((const char *const[]){probe, "-o", "/nonexistent/x.ini", NULL}),
                     EXIT_RUN);
    const char *const words[] = {probe, "-o", out, NULL};
    char part[4200];
    snprintf(part, sizeof part, "%s.part%ld", out, (long)getpid());
    assert_int_equal(command_with_room(words, 1000), EXIT_RUN);
    assert_false(there(part));
    file = fopen(out, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "as it was");
    unlink(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_s_machine_comes_back),
        cmocka_unit_test(machines_unlike_the_base_come_back),
        cmocka_unit_test(one_path_is_not_taken_for_another),
        cmocka_unit_test(ranges_are_those_of_the_samples),
        cmocka_unit_test(a_path_that_was_never_full_is_not_told),
        cmocka_unit_test(ratios_that_are_only_seen_together_are_named),
        cmocka_unit_test(costs_of_benchmarks_come_back),
        cmocka_unit_test(benchmarks_that_tell_one_thing_are_refused),
        cmocka_unit_test(a_platform_reads_back_as_it_was_written),
        cmocka_unit_test(the_command_writes_a_whole_platform),
        cmocka_unit_test(what_is_refused_leaves_no_file),
        cmocka_unit_test(a_failure_keeps_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/error.h"
#include "measurements.h"

#include "check/published/predict.h"
#include "study/draws.h"

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
    assert_true(fit.max_pct < 5);
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
        assert_true(fit.max_pct < 5);
        measurements_free(&found);
    }
}

/* Where the base has slow lines and a wide path, no row would wait for it there. */
static void the_search_begins_near_the_rows(void **state)
{
    struct platform base = base_of("neoverse-n1");
    struct calibration fit;
    struct error err = {0};
    (void)state;
    base.cost[COST_dc_absent_ns].mode = base.cost[COST_dc_absent_ns].high = 5000;
    base.cost[COST_cmo_path_ns].low = base.cost[COST_cmo_path_ns].mode = 0.001;
    struct measurements found = read_back(probe_file(&machine, 32, true));
    assert_true(calibrate(&found, &base, NULL, 0, &fit, &err));
    expect_within(&fit, COST_dc_absent_ns, machine.absent);
    expect_within(&fit, COST_cmo_path_ns, machine.path);
    measurements_free(&found);
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

/* What one row says has the spread of its samples, what several say standard errors;
 * and draws from the ranges are spread about as widely. */
static void ranges_are_those_of_the_samples(void **state)
{
    (void)state;
    struct measurements found = read_back(probe_file(&machine, 32, true));
    struct calibration fit = calibrated(&found, "neoverse-n1", NULL, 0);
    for (size_t i = 0; i < fit.costs; i++) {
        bool line = fit.id[i] <= COST_writeback_gbps;
        assert_int_equal(fit.direct[i], !line);
        double spread = log(fit.high[i] / fit.low[i]) / 2;
        double error = line ? fit.standard_error[i] : 0.02 / 1.2816;
        struct cost cost = {.low = fit.low[i], .mode = fit.value[i], .high = fit.high[i]};
        double drawn = log(draw_quantile(&cost, 0.9) / draw_quantile(&cost, 0.1)) / 2;
        assert_true(fabs(spread - 2 * error) < 1e-3);
        assert_true(drawn > 0.8 * 1.2816 * error && drawn < 1.2816 * error + 1e-4);
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
    assert_true(base.cost[COST_cmo_path_ns].high > found.cmo_path_max_ns);
    assert_true(cost->high == found.cmo_path_max_ns && cost->low <= cost->mode);
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
    assert_true(fit.max_pct < 0.1);
    measurements_free(&found);
}

/* The same unmap twice. */
static void benchmarks_that_tell_one_thing_are_refused(void **state)
{
    static const enum cost_id named[] = {COST_kernel_cpi, COST_tlbi_ns};
    double value[COSTS];
    (void)state;
    medians("neoverse-n1", value);
    struct measurements found =
        played(UNMAP("1", "6.1", "4k", "64M", "fit") UNMAP("2", "6.1", "4k", "64M", "fit"), value);
    struct error err = refused(&found, "neoverse-n1", named, 2);
    assert_non_null(strstr(err.text, "kernel_cpi, tlbi_ns: the rows do not tell them apart"));
    measurements_free(&found);
    found = played(UNMAP("1", "6.1", "4k", "64M", "fit"), value);
    err = refused(&found, "neoverse-n1", named, 2);
    assert_non_null(strstr(err.text, "2 costs for 1 rows"));
    /* Nothing of it is marked as fitted. */
    err = refused(&found, "cortex-a72", NULL, 0);
    assert_non_null(strstr(err.text, "expected --cost"));
    measurements_free(&found);
}

/* In large buffers the barrier is lost in what the lines vary by. */
static void a_cost_of_any_size_is_not_told(void **state)
{
    static const enum cost_id named[] = {COST_dc_absent_ns, COST_dsb_ns};
    const char *path = path_of("large.csv");
    FILE *out = fopen(path, "w");
    (void)state;
    assert_non_null(out);
    fputs("quantity,state,cores,bytes,value\ndc_civac,absent,1,262144,6.2342\n"
          "dc_civac,absent,1,524288,6.2171\ndc_civac,absent,1,1048576,6.2085\n",
          out);
    assert_int_equal(fclose(out), 0);
    struct measurements found = read_back(path);
    struct error err = refused(&found, "neoverse-n1", named, 2);
    assert_non_null(strstr(err.text, "dsb_ns: the rows hardly depend on it"));
    struct calibration fit = calibrated(&found, "neoverse-n1", NULL, 0);
    expect_within(&fit, COST_dc_absent_ns, 6.2);
    assert_int_equal(fit.costs, 1);
    measurements_free(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_s_machine_comes_back),
        cmocka_unit_test(machines_unlike_the_base_come_back),
        cmocka_unit_test(one_path_is_not_taken_for_another),
        cmocka_unit_test(the_search_begins_near_the_rows),
        cmocka_unit_test(ranges_are_those_of_the_samples),
        cmocka_unit_test(a_path_that_was_never_full_is_not_told),
        cmocka_unit_test(ratios_that_are_only_seen_together_are_named),
        cmocka_unit_test(costs_of_benchmarks_come_back),
        cmocka_unit_test(a_cost_of_any_size_is_not_told),
        cmocka_unit_test(benchmarks_that_tell_one_thing_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

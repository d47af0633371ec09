/* Times of small VMs, as the model would take on a machine whose costs are known, with
 * the noise of a real one; and what such times cannot tell. */
#include "core/error.h"
#include "timed_host.h"

#include <gsl/gsl_randist.h>

static struct measurements read_times(const char *path, const struct platform *base)
{
    struct measurements found;
    struct error err = {0};
    if (!measurements_read(path, base, NULL, false, &found, &err)) {
        fail_msg("%s", err.text);
    }
    unlink(path);
    return found;
}

static struct calibration fitted(const struct measurements *found, const struct platform *base)
{
    struct calibration fit;
    struct error err = {0};
    if (!calibrate(found, base, NULL, 0, &fit, &err)) {
        fail_msg("%s", err.text);
    }
    return fit;
}

static bool was_fitted(const struct calibration *fit, enum cost_id id)
{
    for (size_t i = 0; i < fit->costs; i++) {
        if (fit->id[i] == id) {
            return true;
        }
    }
    return false;
}

static void expect_left(const struct calibration *fit, const char *text)
{
    for (size_t i = 0; i < fit->left_count; i++) {
        if (strstr(fit->left[i], text)) {
            return;
        }
    }
    fail_msg("'%s' was not said", text);
}

static void expect_refused(const struct measurements *found, const struct platform *base,
                           const enum cost_id *named, size_t count, const char *text)
{
    struct calibration fit;
    struct error err = {0};
    assert_false(calibrate(found, base, named, count, &fit, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    if (!strstr(err.text, text)) {
        fail_msg("'%s' holds no '%s'", err.text, text);
    }
}

/* A machine unlike the base in what its VMs can tell. */
static struct timed_host unlike(const char *name)
{
    struct timed_host host = timed_host_like(name);
    host.value[COST_kernel_cpi] *= 1.7;
    host.value[COST_tlbi_ns] *= 0.6;
    host.value[COST_dc_absent_ns] *= 2.1;
    host.value[COST_dc_dirty_ratio] *= 1.3;
    host.value[COST_zero_gbps] *= 0.5;
    return host;
}

/* Pricing the events of one play and playing at other costs are one. */
static void a_phase_is_priced_as_it_plays(void **state)
{
    static const struct {
        const char *cpu, *pattern;
        size_t rows;
    } tables[] = {{"neoverse-n1", "s-*", 128}, {"cortex-a72", "m4-*", 50}};
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        struct timed_host host = unlike(tables[t].cpu);
        struct measurements found =
            read_times(timed_host_file(&host, tables[t].pattern, 0), &host.base);
        assert_true(found.count >= tables[t].rows);
        for (size_t i = 0; i < found.count; i++) {
            const struct observation *seen = &found.rows[i];
            double priced = 0;
            struct error err;
            assert_true(observation_predict(seen, host.value, &priced, &err));
            if (fabs(priced - seen->measured) > 1 + 1e-3 * seen->measured) {
                fail_msg("%s: %g ns played, %g priced", seen->name, seen->measured, priced);
            }
        }
        measurements_free(&found);
    }
}

/* --- what comes back --- */

#define SEEDS 40

/* Each row gets its own noise, of the size that it is taken to have. */
static void add_noise(struct measurements *found, const double *clean, uint64_t seed)
{
    gsl_rng *rng = gsl_rng_alloc(rng_xoshiro256ss);
    rng_stream(rng, seed, 0, 0, 0);
    for (size_t i = 0; i < found->count; i++) {
        found->rows[i].measured = clean[i] * exp(gsl_ran_gaussian(rng, found->rows[i].off));
    }
    gsl_rng_free(rng);
}

/* Over many draws of the noise the errors are what their standard errors say. */
static void a_host_comes_back_within_its_standard_errors(void **state)
{
    struct timed_host host = unlike("neoverse-n1");
    struct measurements found = read_times(timed_host_file(&host, "s-*", 0), &host.base);
    double *clean = calloc(found.count, sizeof *clean), square = 0;
    size_t count = 0, beyond = 0;
    (void)state;
    assert_non_null(clean);
    for (size_t i = 0; i < found.count; i++) {
        clean[i] = found.rows[i].measured;
    }
    for (uint64_t seed = 1; seed <= some_cases(SEEDS); seed++) {
        add_noise(&found, clean, seed);
        struct calibration fit = fitted(&found, &host.base);
        assert_true(was_fitted(&fit, COST_kernel_cpi) && was_fitted(&fit, COST_tlbi_ns) &&
                    was_fitted(&fit, COST_dc_absent_ns) && was_fitted(&fit, COST_exit_ns) &&
                    was_fitted(&fit, COST_dsb_ns));
        for (size_t i = 0; i < fit.costs; i++) {
            double z = log(fit.value[i] / host.value[fit.id[i]]) / fit.standard_error[i];
            square += z * z;
            beyond += fabs(z) > 2;
            count++;
            if (fabs(z) > 4.5) {
                fail_msg("seed %d, %s: %g, fitted %g, z %.1f", (int)seed, cost_name[fit.id[i]],
                         host.value[fit.id[i]], fit.value[i], z);
            }
        }
    }
    double mean = square / (double)count, share = (double)beyond / (double)count;
    if (mean < 0.7 || mean > 1.3 || share > 0.09) {
        fail_msg("z^2 is %.2f on average, %.1f %% beyond 2", mean, 100 * share);
    }
    free(clean);
    measurements_free(&found);
}

/* Dirty lines are only seen together with clean ones' ratio, misses with their overlap. */
static void what_costs_share_is_given_to_none(void **state)
{
    static const enum cost_id both[] = {COST_kernel_cpi, COST_dc_clean_ratio, COST_dc_dirty_ratio};
    static const enum cost_id idle[] = {COST_lock_handover_ns};
    (void)state;
    struct timed_host host = unlike("neoverse-n1");
    struct measurements found = read_times(timed_host_file(&host, "s-*", 5), &host.base);
    struct calibration fit = fitted(&found, &host.base);
    expect_left(&fit, "memory_ns, overlap: the rows do not tell them apart");
    expect_left(&fit, "dc_clean_ratio, dc_dirty_ratio: the rows do not tell them apart");
    expect_left(&fit, "lock_handover_ns: no row depends on it");
    assert_false(was_fitted(&fit, COST_memory_ns) || was_fitted(&fit, COST_overlap) ||
                 was_fitted(&fit, COST_dc_clean_ratio) || was_fitted(&fit, COST_dc_dirty_ratio));
    for (size_t i = 0; i < fit.costs; i++) {
        assert_true(fabs(fit.correlation[i][i] - 1) < 1e-9);
    }
    expect_refused(&found, &host.base, both, 3, "dc_clean_ratio, dc_dirty_ratio: the rows do not");
    expect_refused(&found, &host.base, idle, 1, "lock_handover_ns: no row depends on it");
    measurements_free(&found);
}

/* Rows of `probe machine` tell lines better than a VM does, and come first. */
static void what_was_measured_by_itself_stays(void **state)
{
    static const enum cost_id named[] = {COST_dc_absent_ns, COST_kernel_cpi};
    (void)state;
    struct timed_host host = unlike("neoverse-n1");
    struct cost *absent = &host.base.cost[COST_dc_absent_ns];
    absent->low = absent->mode = absent->high = host.value[COST_dc_absent_ns];
    snprintf(absent->evidence, sizeof absent->evidence, "measured");
    struct measurements found = read_times(timed_host_file(&host, "s-*", 6), &host.base);
    struct calibration fit = fitted(&found, &host.base);
    expect_left(&fit, "dc_absent_ns: measured, as the base says");
    assert_false(was_fitted(&fit, COST_dc_absent_ns));
    struct error err = {0};
    assert_true(calibrate(&found, &host.base, named, 2, &fit, &err));
    assert_true(was_fitted(&fit, COST_dc_absent_ns));
    measurements_free(&found);
}

/* The model's own error multiplies what is fitted: it is never fitted beside it. */
static void the_models_error_is_no_cost(void **state)
{
    static const enum cost_id named[] = {COST_kernel_cpi, COST_path_misfit};
    struct timed_host host = unlike("neoverse-n1");
    struct measurements found = read_times(timed_host_file(&host, "s-*", 7), &host.base);
    (void)state;
    expect_refused(&found, &host.base, named, 2, "found path_misfit, the model's own error");
    struct calibration fit = fitted(&found, &host.base);
    assert_true(was_fitted(&fit, COST_kernel_cpi) && !was_fitted(&fit, COST_path_misfit));
    measurements_free(&found);
}

/* The base is believed where it is more certain, unless the rows contradict it. */
static void a_certain_base_gives_way_to_what_contradicts_it(void **state)
{
    (void)state;
    for (int other = 0; other < 2; other++) {
        struct timed_host host = unlike("neoverse-n1");
        host.value[COST_exit_ns] *= other ? 1.8 : 1;
        struct measurements found = read_times(timed_host_file(&host, "s-*", 7), &host.base);
        struct cost *certain = &host.base.cost[COST_exit_ns];
        certain->low = certain->mode * 0.999;
        certain->high = certain->mode * 1.001;
        struct calibration fit = fitted(&found, &host.base);
        assert_int_equal(was_fitted(&fit, COST_exit_ns), other);
        if (!other) {
            expect_left(&fit, "exit_ns: the rows hardly depend on it");
        }
        measurements_free(&found);
    }
}

/* --- tables of one's own --- */

static struct measurements own_times(const char *rows, const struct platform *base)
{
    const char *path = path_of("own.csv");
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, TIMES "%s", rows);
    assert_int_equal(fclose(out), 0);
    return read_times(path, base);
}

/* A guest that only exits. */
static void rows_that_hold_too_little_are_refused(void **state)
{
    static const enum cost_id two[] = {COST_kernel_cpi, COST_exit_ns};
    struct platform base = base_of("neoverse-n1");
    (void)state;
    struct measurements found = own_times("6.1,neoverse-n1,0,a,4k,4,0,1,p1,w 0 1 8,9,40000\n"
                                          "6.1,neoverse-n1,0,a,4k,4,0,1,p2,x 0,9,1900\n"
                                          "6.1,neoverse-n1,0,a,4k,4,0,1,p3,x 0,9,1905\n"
                                          "6.1,neoverse-n1,0,a,4k,4,0,1,p4,x 0,9,1895\n"
                                          "6.1,neoverse-n1,0,a,4k,4,0,1,end,destroy,9,100\n",
                                          &base);
    assert_int_equal(found.count, 4);
    assert_int_equal(found.passed_over, 1);
    found.rows[0] = found.rows[1];
    expect_refused(&found, &base, two, 2, "kernel_cpi, exit_ns: the rows do not tell them apart");
    expect_refused(&found, &base, NULL, 0, "the rows tell no cost");
    found.count = 1;
    expect_refused(&found, &base, two, 2, "2 costs for 1 rows");
    measurements_free(&found);
}

/* The probe names a CPU by its numbers where it knows no name. */
static void a_cpu_without_a_record_is_like_the_base(void **state)
{
    struct platform base = base_of("neoverse-n1"), result;
    static const enum cost_id named[] = {COST_kernel_cpi};
    struct calibration fit;
    struct error err = {0};
    (void)state;
    struct measurements found =
        own_times("6.8,midr-4ed99,1,a,4k,16,0,1,p,w 0 1 4096,9,20000000\n", &base);
    assert_false(found.machine->recorded);
    assert_true(found.machine->platform.fwb && found.machine->platform.vhe);
    assert_true(calibrate(&found, &base, named, 1, &fit, &err));
    calibration_apply(&fit, &found, &base, "mine", &result);
    assert_true(result.fwb && !base.fwb);
    static const enum cost_id line[] = {COST_dc_absent_ns};
    expect_refused(&found, &base, line, 1, "dc_absent_ns: no row depends on it");
    measurements_free(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phase_is_priced_as_it_plays),
        cmocka_unit_test(a_host_comes_back_within_its_standard_errors),
        cmocka_unit_test(what_costs_share_is_given_to_none),
        cmocka_unit_test(what_was_measured_by_itself_stays),
        cmocka_unit_test(the_models_error_is_no_cost),
        cmocka_unit_test(a_certain_base_gives_way_to_what_contradicts_it),
        cmocka_unit_test(rows_that_hold_too_little_are_refused),
        cmocka_unit_test(a_cpu_without_a_record_is_like_the_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

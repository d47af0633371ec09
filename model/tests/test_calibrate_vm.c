/* Times of small VMs, as the model would take on a machine whose costs are known, with
 * the noise of a real one; and what such times cannot tell. */
#include "measurements.h"

#include <fnmatch.h>
#include <gsl/gsl_randist.h>

#include "run/sim.h"
#include "study/draws.h"

#define TABLE "bench/kvm/counts.csv"
#define INPUT_COLUMNS 10
#define NOISE 0.02

/* A machine to measure: what its phases take is played, not priced. */
struct timed_host {
    const char *cpu;
    struct platform base;
    double value[COSTS];
};

static struct timed_host host_like(const char *name)
{
    struct timed_host host = {.cpu = name, .base = base_of(name)};
    for (int id = 0; id < COSTS; id++) {
        host.value[id] = draw_quantile(&host.base.cost[id], 0.5);
    }
    return host;
}

static double phase_ns(const struct sim *sim, uint32_t phase)
{
    struct ledger_slice all = {LEDGER_ALL, phase, LEDGER_ALL, LEDGER_ALL};
    ps_t ps =
        ledger_busy(&sim->ledger, all) + ledger_waited(&sim->ledger, LEDGER_ALL, phase, LEDGER_ALL);
    return (double)ps / (double)PS_PER_NS;
}

/* ns of each row of the table, as a simulation's own clock has it. */
static double *played(const struct counts *counts, const double value[COSTS])
{
    double *ns = calloc(counts->table.rows, sizeof *ns);
    struct sim *sim = malloc(sizeof *sim);
    struct error err = {0};
    assert_true(ns && sim);
    for (size_t vm = 0; vm < counts->vm_count; vm++) {
        const struct platform *platform = counts->vms[vm].platform;
        struct point point = {.timeline = &counts->vms[vm].timeline,
                              .platform = platform,
                              .value = value,
                              .kernel = &counts->vms[vm].kernel,
                              .strategy = strategy_find(platform->fwb ? "fwb" : "unmap", &err),
                              .exact = true};
        sim_init(sim, &point);
        assert_true(sim_run(sim, &err));
        for (size_t row = 0; row < counts->table.rows; row++) {
            if (counts->rows[row].vm == vm) {
                ns[row] = phase_ns(sim, counts->rows[row].phase);
            }
        }
        sim_free(sim);
    }
    free(sim);
    return ns;
}

/* The rows of one kernel and CPU whose case is one of that pattern, inputs alone. */
static const char *cases_file(const char *cpu, const char *pattern)
{
    const char *path = path_of("cases.csv");
    struct csv table;
    struct error err = {0};
    assert_true(csv_read(TABLE, &table, &err));
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (int i = 0; i < INPUT_COLUMNS; i++) {
        fprintf(out, "%s%s", i > 0 ? "," : "", table.header[i]);
    }
    fputc('\n', out);
    for (size_t row = 0; row < table.rows; row++) {
        if (strcmp(csv_cell(&table, row, 0), "6.1") != 0 ||
            strcmp(csv_cell(&table, row, 1), cpu) != 0 ||
            fnmatch(pattern, csv_cell(&table, row, 3), 0) != 0) {
            continue;
        }
        for (int i = 0; i < INPUT_COLUMNS; i++) {
            fprintf(out, "%s%s", i > 0 ? "," : "", csv_cell(&table, row, i));
        }
        fputc('\n', out);
    }
    assert_int_equal(fclose(out), 0);
    csv_free(&table);
    return path;
}

static void write_times(const struct csv *table, const double *ns, uint64_t seed, const char *path)
{
    gsl_rng *rng = gsl_rng_alloc(rng_xoshiro256ss);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    rng_stream(rng, seed, 0, 0, 0);
    for (int i = 0; i < INPUT_COLUMNS; i++) {
        fprintf(out, "%s,", table->header[i]);
    }
    fputs("n,median_ns,p10_ns,p90_ns\n", out);
    for (size_t row = 0; row < table->rows; row++) {
        double seen = ns[row] * (1 + (seed > 0 ? gsl_ran_gaussian(rng, NOISE) : 0));
        for (int i = 0; i < INPUT_COLUMNS; i++) {
            fprintf(out, "%s,", csv_cell(table, row, i));
        }
        fprintf(out, "9,%.0f,%.0f,%.0f\n", seen, seen * 0.98, seen * 1.02);
    }
    gsl_rng_free(rng);
    assert_int_equal(fclose(out), 0);
}

/* A host's times; seed 0: without noise. */
static const char *times_file(const struct timed_host *host, const char *pattern, uint64_t seed)
{
    const char *cases = cases_file(host->cpu, pattern), *path = path_of("times.csv");
    struct counts counts;
    struct error err = {0};
    if (!counts_read_timed(cases, &host->base, &counts, &err)) {
        fail_msg("%s", err.text);
    }
    double *ns = played(&counts, host->value);
    write_times(&counts.table, ns, seed, path);
    free(ns);
    counts_free(&counts);
    unlink(cases);
    return path;
}

static struct measurements read_times(const char *path, const struct platform *base)
{
    struct measurements found;
    struct error err = {0};
    if (!measurements_read(path, base, false, &found, &err)) {
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
    struct timed_host host = host_like(name);
    host.value[COST_kernel_cpi] *= 1.7;
    host.value[COST_tlbi_ns] *= 0.6;
    host.value[COST_dc_absent_ns] *= 2.1;
    host.value[COST_dc_dirty_ratio] *= 1.3;
    host.value[COST_zero_gbps] *= 0.5;
    host.value[COST_tlbi_core_ns] = 0; /* others answer only in a simulation */
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
        struct measurements found = read_times(times_file(&host, tables[t].pattern, 0), &host.base);
        assert_true(found.count >= tables[t].rows);
        for (size_t i = 0; i < found.count; i++) {
            const struct observation *seen = &found.rows[i];
            double priced = observation_timed_ns(seen, host.value);
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
    struct measurements found = read_times(times_file(&host, "s-*", 0), &host.base);
    double *clean = calloc(found.count, sizeof *clean), square = 0;
    size_t count = 0, beyond = 0;
    (void)state;
    assert_non_null(clean);
    for (size_t i = 0; i < found.count; i++) {
        clean[i] = found.rows[i].measured;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
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
    struct measurements found = read_times(times_file(&host, "s-*", 5), &host.base);
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
    struct measurements found = read_times(times_file(&host, "s-*", 6), &host.base);
    struct calibration fit = fitted(&found, &host.base);
    expect_left(&fit, "dc_absent_ns: measured, as the base says");
    assert_false(was_fitted(&fit, COST_dc_absent_ns));
    struct error err = {0};
    assert_true(calibrate(&found, &host.base, named, 2, &fit, &err));
    assert_true(was_fitted(&fit, COST_dc_absent_ns));
    measurements_free(&found);
}

/* The base is believed where it is more certain, unless the rows contradict it. */
static void a_certain_base_gives_way_to_what_contradicts_it(void **state)
{
    (void)state;
    for (int other = 0; other < 2; other++) {
        struct timed_host host = unlike("neoverse-n1");
        host.value[COST_exit_ns] *= other ? 1.8 : 1;
        struct measurements found = read_times(times_file(&host, "s-*", 7), &host.base);
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
        cmocka_unit_test(a_certain_base_gives_way_to_what_contradicts_it),
        cmocka_unit_test(rows_that_hold_too_little_are_refused),
        cmocka_unit_test(a_cpu_without_a_record_is_like_the_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

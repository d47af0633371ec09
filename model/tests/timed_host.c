/* The times that the VMs of a machine take whose costs are known: played, with the noise of
 * a real one. */
#include "timed_host.h"
#include "core/error.h"

#include <fnmatch.h>
#include <gsl/gsl_randist.h>

#include "run/sim.h"
#include "study/draws.h"

#define TABLE "bench/kvm/counts.csv"
#define INPUT_COLUMNS 10
#define NOISE 0.02

struct timed_host timed_host_like(const char *name)
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

const char *timed_host_file(const struct timed_host *host, const char *pattern, uint64_t seed)
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

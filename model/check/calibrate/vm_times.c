/*
 * Times of small VMs, as `probe vm --times` writes them. What happens in a phase does
 * not depend on what it costs, for one thread runs all vCPUs in turns: each VM is played
 * once, and a phase's time at any costs is the sum of its events times their prices.
 */
#include "check/calibrate/measurements.h"

#include "core/error.h"

#include <math.h>
#include <string.h>

/* A counter of 25 MHz, as many Arm machines have, moves in steps of 40 ns. */
#define CLOCK_STEP_NS 40.0

/* What a vCPU's first run takes beyond its events, most of it the refill of the store
 * of tables (term first_touch of `s2flush paths`), is not charged: rows are off by it. */
#define FIRST_RUN_INSNS 75000.0

static const char *cell(const struct counts *counts, size_t row, const char *column)
{
    return csv_cell(&counts->table, row, csv_column(&counts->table, column));
}

/* What stands for one machine in a table is one CPU with or without FWB. */
static bool one_machine(struct measurements *found, struct error *err)
{
    const struct counts *counts = &found->counts;
    struct source_location at = {.file = found->path, .key = "cpu"};
    if (counts->cpu_count > 1) {
        return error_input(err, &at, "found rows of '%s'%s and '%s'%s, expected one machine",
                           counts->cpus[0].platform.name, counts->cpus[0].fwb > 0 ? " (fwb)" : "",
                           counts->cpus[1].platform.name, counts->cpus[1].fwb > 0 ? " (fwb)" : "");
    }
    found->machine = &counts->cpus[0];
    return true;
}

/* Whether the row holds the first run of its vCPU. The table has been read, so that its
 * operations are sound. */
static bool first_run(const struct counts *counts, size_t row)
{
    struct error err;
    struct kvmcase_op op, before;
    (void)kvmcase_parse(cell(counts, row, "op"), &op, NULL, &err);
    if (op.verb > KVMCASE_SETWAY) {
        return false;
    }
    for (size_t i = 0; i < row; i++) {
        if (counts->rows[i].vm == counts->rows[row].vm) {
            (void)kvmcase_parse(cell(counts, i, "op"), &before, NULL, &err);
            if (before.verb <= KVMCASE_SETWAY && before.vcpu == op.vcpu) {
                return false;
            }
        }
    }
    return true;
}

/* Adds to the relative error what the row may be off in ns. */
static void add_off(struct observation *seen, double ns)
{
    seen->off = hypot(seen->off, ns / seen->measured);
}

static bool add_row(struct measurements *found, const struct platform *base, size_t row,
                    struct error *err)
{
    const struct counts *counts = &found->counts;
    const struct csv *table = &counts->table;
    double median, p10, p90;
    if (!measurements_number(table, row, "median_ns", true, &median, err) ||
        !measurements_spread(table, row, "p10_ns", "p90_ns", &p10, &p90, err)) {
        return false;
    }
    struct observation seen = {.measured = median,
                               .p10 = p10,
                               .p90 = p90,
                               .kind = OBSERVED_PHASE,
                               .machine = &found->machine->platform};
    if (counts->vms[counts->rows[row].vm].unsupported) {
        found->passed_over++;
        return true;
    }
    seen.events = &counts->events[row * EVENT_KINDS];
    double value[COSTS], priced = 0;
    platform_modes(base, value);
    if (!observation_predict(&seen, value, &priced, err)) {
        return false;
    }
    if (priced <= 0) {
        found->passed_over++; /* such as the end of a VM: nothing that has a price */
        return true;
    }
    snprintf(seen.name, sizeof seen.name, "%.40s %.40s", cell(counts, row, "case"),
             cell(counts, row, "phase"));
    seen.off = measurements_off(median, p10, p90);
    add_off(&seen, CLOCK_STEP_NS);
    if (first_run(counts, row)) {
        add_off(&seen, FIRST_RUN_INSNS * value[COST_kernel_cpi] / base->clock_ghz);
    }
    *measurements_row(found) = seen;
    return true;
}

/* A phase that stands there twice would be played twice. */
static bool check_phases(const struct counts *counts, struct error *err)
{
    for (size_t row = 1; row < counts->table.rows; row++) {
        struct source_location at = {counts->table.path, counts->table.lines[row], "phase"};
        for (size_t i = 0; i < row; i++) {
            if (counts->rows[i].vm == counts->rows[row].vm &&
                strcmp(cell(counts, i, "phase"), cell(counts, row, "phase")) == 0) {
                return error_input(err, &at,
                                   "found '%.40s' of case '%.40s' as in line %u, expected the "
                                   "rows of one run",
                                   cell(counts, row, "phase"), cell(counts, row, "case"),
                                   counts->table.lines[i]);
            }
        }
    }
    return true;
}

bool measurements_read_times(const char *path, const struct platform *base,
                             struct measurements *found, struct error *err)
{
    if (!counts_read_timed(path, base, &found->counts, err)) {
        return false;
    }
    bool good = check_phases(&found->counts, err) && one_machine(found, err) &&
                counts_play(&found->counts, 0, err);
    for (size_t row = 0; good && row < found->counts.table.rows; row++) {
        good = add_row(found, base, row, err);
    }
    return good;
}

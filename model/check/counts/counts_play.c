/* The VMs of a table of counts, played. */
#include "check/counts/counts.h"

#include "core/error.h"
#include "core/invariant.h"
#include "run/sim.h"

#include <omp.h>
#include <stdlib.h>

_Static_assert(KVMCASE_VCPUS <= KVM_VCPUS, "a recorded VM has more vCPUs than a simulated one");

static void take_counts(struct counts *counts, size_t index, const struct sim *sim)
{
    for (size_t row = counts->vms[index].first_row; row < counts->table.rows; row++) {
        if (counts->rows[row].vm != index) {
            continue;
        }
        uint64_t *out = &counts->events[row * EVENT_KINDS];
        for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
            out[kind] = sim_count(sim, counts->rows[row].phase, LEDGER_ALL, (enum event_kind)kind);
        }
    }
}

static bool play_vm(struct counts *counts, size_t index, struct error *err)
{
    const struct counts_vm *vm = &counts->vms[index];
    double value[COSTS];
    const struct strategy *strategy = strategy_find(vm->platform->fwb ? "fwb" : "unmap", err);
    if (!strategy) {
        return false;
    }
    platform_modes(vm->platform, value);
    const struct point point = {.timeline = &vm->timeline,
                                .platform = vm->platform,
                                .value = value,
                                .kernel = &vm->kernel,
                                .strategy = strategy,
                                .exact = true};
    struct sim *sim = malloc(sizeof *sim);
    if (!sim) {
        error_fatal("out of memory for a simulation");
    }
    sim_init(sim, &point);
    bool good = sim_run(sim, err);
    if (good) {
        take_counts(counts, index, sim);
    }
    sim_free(sim);
    free(sim);
    return good;
}

static int threads_for(unsigned jobs)
{
    return jobs > 0 ? (int)jobs : omp_get_num_procs();
}

bool counts_play(struct counts *counts, unsigned jobs, struct error *err)
{
    bool good = true;
#pragma omp parallel for schedule(dynamic) num_threads(threads_for(jobs))
    for (size_t i = 0; i < counts->vm_count; i++) {
        struct error own = {0};
        if (!counts->vms[i].unsupported && !play_vm(counts, i, &own)) {
#pragma omp critical(counts_error)
            {
                *err = own;
                good = false;
            }
        }
    }
    return good;
}

uint64_t counts_event(const struct counts *counts, size_t row, enum event_kind kind)
{
    INVARIANT(!counts->vms[counts->rows[row].vm].unsupported, "row %zu was not played", row);
    return counts->events[row * EVENT_KINDS + kind];
}

uint64_t counts_of(const struct counts *counts, size_t row, size_t column)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count_columns[column].kind_count; i++) {
        sum += counts_event(counts, row, count_columns[column].kinds[i]);
    }
    return sum;
}

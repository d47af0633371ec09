/* The VMs of a table of counts, played. */
#include "check/counts/counts.h"

#include "core/invariant.h"
#include "run/recorded.h"
#include "study/sweep.h"

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

static bool play_vm(void *context, size_t index, struct error *err)
{
    struct counts *counts = context;
    const struct counts_vm *vm = &counts->vms[index];
    if (vm->unsupported) {
        return true;
    }
    struct recorded *played = recorded_play(&vm->timeline, vm->platform, &vm->kernel, err);
    if (!played) {
        return false;
    }
    take_counts(counts, index, &played->sim);
    recorded_free(played);
    return true;
}

bool counts_play(struct counts *counts, unsigned jobs, struct error *err)
{
    return sweep_parts(&(struct sweep){.jobs = jobs}, counts->vm_count, play_vm, counts, err);
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

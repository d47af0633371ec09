#include "check/published/predict.h"

#include "run/sim.h"

#include <math.h>

/* How many faults, over all vCPUs, a first slice should see at least: enough for
 * the start and the end of a phase to weigh little. */
#define SLICE_FAULTS 2048

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Units of the region in the first slice. */
static uint64_t slice_units(const struct benchmark *benchmark)
{
    uint64_t each = SLICE_FAULTS / benchmark->vcpus;
    if (benchmark->kind == BENCHMARK_DIRTY_LOG) {
        uint64_t faults = benchmark_unit(benchmark) / benchmark->stride;
        return clamp(each / faults, faults > 64 ? 1 : 8, 64);
    }
    if (benchmark->backing == BACKING_HUGETLB_1G) {
        return benchmark->phase == BENCHMARK_CREATE ? 4 : 1;
    }
    return clamp(each, 64, 512);
}

struct slices predict_slices(const struct benchmark *benchmark)
{
    uint64_t first = slice_units(benchmark) * benchmark_unit(benchmark);
    /* One actor alone takes any region in a few steps. */
    bool alone = benchmark->phase == BENCHMARK_UNMAP || benchmark->phase == BENCHMARK_PROTECT ||
                 benchmark->kind == BENCHMARK_TEARDOWN;
    if (alone || 2 * first >= benchmark->bytes) {
        return (struct slices){benchmark->bytes, benchmark->bytes};
    }
    /* In a block of small pages the start is one fault of hundreds. */
    bool many = benchmark->kind == BENCHMARK_DIRTY_LOG &&
                benchmark_unit(benchmark) / benchmark->stride > 64;
    return many ? (struct slices){0, first} : (struct slices){first, 2 * first};
}

/* The VMM's clock over the phase. */
static ps_t phase_ps(const struct sim *sim, uint32_t phase)
{
    const struct ledger *ledger = &sim->ledger;
    struct ledger_slice vmm = {0, phase, LEDGER_ALL, LEDGER_ALL};
    return ledger_busy(ledger, vmm) + ledger_waited(ledger, 0, phase, LEDGER_ALL) +
           ledger_idled(ledger, 0, phase);
}

/* What a slice's play comes to: the phase's time, and its events. */
struct slice {
    double ps;
    uint64_t events[EVENT_KINDS];
};

static bool play_slice(const struct published *row, uint64_t bytes, const double value[COSTS],
                       struct slice *slice, struct error *err)
{
    struct timeline timeline = {0};
    struct sim sim;
    uint32_t timed = 0;
    benchmark_build(&row->benchmarked, bytes, &timeline, &timed);
    struct point point = {.timeline = &timeline,
                          .platform = row->platform,
                          .value = value,
                          .kernel = &row->kernel,
                          .strategy = &row->strategy,
                          .unjudged = true, /* a time is asked for, not what readers see */
                          /* One vCPU alone meets no other. */
                          .varied = row->benchmarked.vcpus > 1};
    sim_init(&sim, &point);
    bool ok = sim_run(&sim, err);
    slice->ps = ok ? (double)phase_ps(&sim, timed) : 0;
    for (uint32_t kind = 0; ok && kind < EVENT_KINDS; kind++) {
        slice->events[kind] = sim_count(&sim, timed, LEDGER_ALL, (enum event_kind)kind);
    }
    sim_free(&sim);
    timeline_free(&timeline);
    return ok;
}

bool predict_events(const struct published *row, const double value[COSTS], double *ps,
                    uint64_t events[EVENT_KINDS], struct error *err)
{
    struct slices slices = predict_slices(&row->benchmarked);
    struct slice first = {0}, second;
    if (!play_slice(row, slices.second, value, &second, err) ||
        (slices.first > 0 && slices.first < slices.second &&
         !play_slice(row, slices.first, value, &first, err))) {
        return false;
    }
    double further = (double)(row->benchmarked.bytes - slices.second);
    double apart = slices.first < slices.second ? (double)(slices.second - slices.first) : 1;
    *ps = second.ps + (second.ps - first.ps) * further / apart;
    for (uint32_t kind = 0; events && kind < EVENT_KINDS; kind++) {
        double more = (double)second.events[kind] - (double)first.events[kind];
        events[kind] = (uint64_t)fmax(0, (double)second.events[kind] + more * further / apart);
    }
    return true;
}

bool predict_ps(const struct published *row, const double value[COSTS], double *ps,
                struct error *err)
{
    return predict_events(row, value, ps, NULL, err);
}

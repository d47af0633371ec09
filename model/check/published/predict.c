#include "check/published/predict.h"

#include "run/sim.h"

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

static bool play_slice(const struct published *row, uint64_t bytes, const double value[COSTS],
                       double *ps, struct error *err)
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
                          /* One vCPU alone meets no other. */
                          .varied = row->benchmarked.vcpus > 1};
    sim_init(&sim, &point);
    bool ok = sim_run(&sim, err);
    *ps = ok ? (double)phase_ps(&sim, timed) : 0;
    sim_free(&sim);
    timeline_free(&timeline);
    return ok;
}

bool predict_ps(const struct published *row, const double value[COSTS], double *ps,
                struct error *err)
{
    struct slices slices = predict_slices(&row->benchmarked);
    double first = 0;
    if (!play_slice(row, slices.second, value, ps, err)) {
        return false;
    }
    if (slices.first == slices.second) {
        return true;
    }
    if (slices.first > 0 && !play_slice(row, slices.first, value, &first, err)) {
        return false;
    }
    double further = (double)(row->benchmarked.bytes - slices.second);
    *ps += (*ps - first) * further / (double)(slices.second - slices.first);
    return true;
}

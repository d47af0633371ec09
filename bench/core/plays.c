/*
 * plays - a guest of three vCPUs on a machine, under a strategy.
 *
 *   plays STRATEGY MACHINE fast|exact TIMES
 *
 * Each vCPU writes 2 MiB of its own and 1 MiB that all of them write, small pages; one of them
 * writes 8 MiB of huge pages and executes some. The VMM resets the guest, and vCPUs do the same
 * again, with less of their own. A strategy that logs what is dirty has something to log. The
 * check value is simulated time.
 */
#include "bench.h"

#include <string.h>

#include "core/error.h"
#include "run/sim.h"

#define SMALL_IPA GIB
#define SMALL_BYTES (16 * MIB)
#define HUGE_IPA (2 * GIB)
#define HUGE_BYTES (8 * MIB)
#define SHARED_BYTES MIB
#define VCPUS 3

static struct error err;

static void need(bool good)
{
    if (!good) {
        error_fatal("%s", err.text);
    }
}

static void add_touch(struct timeline *timeline, uint32_t vcpu, uint64_t ipa, uint64_t bytes,
                      enum touch_access access)
{
    timeline_add(timeline, vcpu,
                 (struct op){.kind = OP_TOUCH,
                             .access = access,
                             .density = 48,
                             .ipa = ipa,
                             .bytes = bytes,
                             .count = 1});
}

static void add_boot(struct timeline *timeline, uint64_t own_bytes)
{
    for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++) {
        timeline_add(timeline, vcpu, (struct op){.kind = OP_ENTER});
        timeline_add(timeline, vcpu, (struct op){.kind = OP_MMU, .on = true});
        add_touch(timeline, vcpu, SMALL_IPA + SHARED_BYTES + vcpu * 4 * MIB, own_bytes,
                  TOUCH_WRITE);
        add_touch(timeline, vcpu, SMALL_IPA, SHARED_BYTES, TOUCH_WRITE);
    }
    add_touch(timeline, 0, HUGE_IPA, HUGE_BYTES, TOUCH_WRITE);
    add_touch(timeline, 0, HUGE_IPA, MIB, TOUCH_READ);
}

/* The VMM waits for all, resets, and lets all go on. */
static void add_reset(struct timeline *timeline)
{
    uint64_t reset = timeline_signal(timeline);
    for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++) {
        uint64_t used = timeline_signal(timeline);
        timeline_add(timeline, vcpu, (struct op){.kind = OP_SIGNAL, .n = used});
        timeline_add(timeline, SCRIPT_VMM, (struct op){.kind = OP_WAIT, .n = used});
    }
    timeline_add(timeline, SCRIPT_VMM, (struct op){.kind = OP_REINIT});
    timeline_add(timeline, SCRIPT_VMM, (struct op){.kind = OP_SIGNAL, .n = reset});
    for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++) {
        timeline_add(timeline, vcpu, (struct op){.kind = OP_WAIT, .n = reset});
    }
}

int main(int argc, char **argv)
{
    static struct sim sim;
    static struct timeline timeline;
    struct platform platform;
    struct kernel kernel;
    double value[COSTS];
    if (argc != 5) {
        error_fatal("usage: plays STRATEGY MACHINE fast|exact TIMES");
    }
    const struct slot_shape small = {.ipa = SMALL_IPA, .bytes = SMALL_BYTES, .backing = BACKING_4K},
                            huge = {.ipa = HUGE_IPA, .bytes = HUGE_BYTES, .backing = BACKING_THP};
    struct point point = {.timeline = &timeline,
                          .platform = &platform,
                          .value = value,
                          .kernel = &kernel,
                          .strategy = strategy_find(argv[1], &err),
                          .exact = strcmp(argv[3], "exact") == 0};
    uint64_t times = bench_number(argv[4]);
    need(point.strategy != NULL);
    need(platform_load(argv[2], &platform, &err));
    need(kernel_resolve("6.12", &kernel, &err));
    platform_modes(&platform, value);
    timeline_init(&timeline, "bench", false, VCPUS);
    timeline.vm.ipa_bits = 42;
    need(vm_shape_slot(&timeline.vm, small, &err));
    need(vm_shape_slot(&timeline.vm, huge, &err));
    add_boot(&timeline, 2 * MIB);
    add_reset(&timeline);
    add_boot(&timeline, MIB);
    uint64_t started = bench_clock_ns();
    ps_t check = 0;
    for (uint64_t i = 0; i < times; i++) {
        sim_init(&sim, &point);
        need(sim_run(&sim, &err));
        check += sim.end_ps;
        sim_free(&sim);
    }
    bench_report(started, check);
    return 0;
}

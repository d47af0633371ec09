/*
 * guest - a guest that boots, reboots and boots, as the model plays it.
 *
 *   guest first LINES PAGES     exact: the first boot touches PAGES pages
 *   guest again LINES PAGES     exact: the second boot touches PAGES of the
 *                               pages that the first boot left in memory
 *   guest reboots GIB TIMES     fast: TIMES whole runs that touch all memory
 *   guest race VCPUS PAGES      fast: all vCPUs first touch the same PAGES
 *                               pages at the same time, leaf by leaf
 *   guest beside VCPUS TIMES    fast: TIMES whole runs in which each vCPU
 *                               touches 64 MiB of its own while the others do
 *   guest host VMS TIMES        fast: TIMES whole runs of so many VMs on one
 *                               host, of one vCPU each, that touch 64 MiB, are
 *                               reset and touch it again
 *   guest pieces PIECES TIMES   fast: TIMES whole runs that touch single pages,
 *                               none beside another
 *   guest allocated MIB TIMES   the check value is how many bytes are allocated
 *                               while a VM of MIB plays, exact and fast, by
 *                               every strategy, TIMES over
 *
 * A touch of a page is a fault (64 lines cleaned and invalidated, a leaf of
 * 4 KiB mapped) and then the guest's writes, to LINES of the page's 64 lines;
 * on the first touch the host clears the page before. Platform neoverse-n1 at
 * its modes, kernel 6.1, strategy unmap. The check value is simulated time.
 */
#include "bench.h"

#include <string.h>

#include "core/error.h"
#include "run/sim.h"

#ifndef S2FLUSH_NO_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

#define PAGE_BYTES (4 * KIB)
#define PAGE_LINES 64
#define SLOT_IPA GIB

/* What the first boot touches for `again`, whatever the second one does. */
#define AGAIN_BYTES (32 * MIB)

/* What each vCPU touches for `beside` and `host`. */
#define BESIDE_BYTES (64 * MIB)

struct scene {
    struct platform platform;
    double value[COSTS];
    struct kernel kernel;
    struct timeline timeline;
};

static void need(bool good, const struct error *err)
{
    if (!good) {
        error_fatal("%s", err->text);
    }
}

static void set_scene(struct scene *scene, uint64_t bytes, uint64_t vcpus)
{
    struct error err;
    struct slot_shape slot = {.ipa = SLOT_IPA, .bytes = bytes, .backing = BACKING_4K};
    need(platform_load("neoverse-n1", &scene->platform, &err), &err);
    need(kernel_resolve("6.1", &scene->kernel, &err), &err);
    platform_modes(&scene->platform, scene->value);
    timeline_init(&scene->timeline, "bench", vcpus == 1, (uint32_t)vcpus);
    scene->timeline.vm.ipa_bits = 42;
    need(vm_shape_slot(&scene->timeline.vm, slot, &err), &err);
}

static void add_boot_of(struct timeline *timeline, uint32_t vcpu, uint64_t start, uint64_t bytes,
                        uint64_t lines)
{
    struct op touch = {.kind = OP_TOUCH,
                       .access = TOUCH_WRITE,
                       .density = (uint16_t)lines,
                       .ipa = SLOT_IPA + start,
                       .bytes = bytes,
                       .count = 1};
    timeline_add(timeline, vcpu, (struct op){.kind = OP_ENTER});
    timeline_add(timeline, vcpu, (struct op){.kind = OP_MMU, .on = true});
    timeline_add(timeline, vcpu, touch);
}

static void add_boot(struct timeline *timeline, uint64_t bytes, uint64_t lines)
{
    add_boot_of(timeline, 0, 0, bytes, lines);
}

static void add_reinit(struct timeline *timeline)
{
    timeline_add(timeline, SCRIPT_VMM, (struct op){.kind = OP_REINIT});
}

static ps_t play(const struct scene *scene, bool exact)
{
    static struct sim sim;
    struct error err;
    struct point point = {.timeline = &scene->timeline,
                          .platform = &scene->platform,
                          .value = scene->value,
                          .kernel = &scene->kernel,
                          .strategy = strategy_find("unmap", &err),
                          .exact = exact};
    sim_init(&sim, &point);
    need(sim_run(&sim, &err), &err);
    ps_t end = sim.end_ps;
    sim_free(&sim);
    return end;
}

/* Timed from here on: what is set up before is the same for any count. */
static void play_times(const struct scene *scene, bool exact, uint64_t times)
{
    ps_t check = 0;
    uint64_t started = bench_clock_ns();
    for (uint64_t i = 0; i < times; i++) {
        check += play(scene, exact);
    }
    bench_report(started, check);
}

static void first(uint64_t lines, uint64_t pages)
{
    static struct scene scene;
    set_scene(&scene, pages * PAGE_BYTES, 1);
    add_boot(&scene.timeline, pages * PAGE_BYTES, lines);
    play_times(&scene, true, 1);
}

static void again(uint64_t lines, uint64_t pages)
{
    static struct scene scene;
    set_scene(&scene, AGAIN_BYTES, 1);
    if (pages > AGAIN_BYTES / PAGE_BYTES) {
        error_fatal("at most %llu pages", (unsigned long long)(AGAIN_BYTES / PAGE_BYTES));
    }
    add_boot(&scene.timeline, AGAIN_BYTES, lines);
    add_reinit(&scene.timeline);
    add_boot(&scene.timeline, pages * PAGE_BYTES, lines);
    play_times(&scene, true, 1);
}

static void reboots(uint64_t gib, uint64_t times)
{
    static struct scene scene;
    set_scene(&scene, gib * GIB, 1);
    add_boot(&scene.timeline, gib * GIB, PAGE_LINES);
    add_reinit(&scene.timeline);
    add_boot(&scene.timeline, gib * GIB, PAGE_LINES);
    play_times(&scene, false, times);
}

static void race(uint64_t vcpus, uint64_t pages)
{
    static struct scene scene;
    set_scene(&scene, pages * PAGE_BYTES, vcpus);
    for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++) {
        add_boot_of(&scene.timeline, vcpu, 0, pages * PAGE_BYTES, PAGE_LINES);
    }
    play_times(&scene, false, 1);
}

static void beside(uint64_t vcpus, uint64_t times)
{
    static struct scene scene;
    set_scene(&scene, vcpus * BESIDE_BYTES, vcpus);
    for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++) {
        add_boot_of(&scene.timeline, vcpu, vcpu * BESIDE_BYTES, BESIDE_BYTES, PAGE_LINES);
    }
    play_times(&scene, false, times);
}

/* The VMM of each resets it when it is done. */
static void host(uint64_t vms, uint64_t times)
{
    static struct scene scene;
    set_scene(&scene, BESIDE_BYTES, 1);
    scene.timeline.serial = false;
    scene.timeline.vm.copies = (uint32_t)vms;
    uint64_t used = timeline_signal(&scene.timeline), reset = timeline_signal(&scene.timeline);
    add_boot(&scene.timeline, BESIDE_BYTES, PAGE_LINES);
    timeline_add(&scene.timeline, 0, (struct op){.kind = OP_SIGNAL, .n = used});
    timeline_add(&scene.timeline, SCRIPT_VMM, (struct op){.kind = OP_WAIT, .n = used});
    add_reinit(&scene.timeline);
    timeline_add(&scene.timeline, SCRIPT_VMM, (struct op){.kind = OP_SIGNAL, .n = reset});
    timeline_add(&scene.timeline, 0, (struct op){.kind = OP_WAIT, .n = reset});
    add_boot(&scene.timeline, BESIDE_BYTES, PAGE_LINES);
    play_times(&scene, false, times);
}

static void pieces(uint64_t count, uint64_t times)
{
    static struct scene scene;
    set_scene(&scene, count * 2 * PAGE_BYTES, 1);
    timeline_add(&scene.timeline, 0, (struct op){.kind = OP_ENTER});
    timeline_add(&scene.timeline, 0,
                 (struct op){.kind = OP_TOUCH,
                             .access = TOUCH_WRITE,
                             .density = PAGE_LINES,
                             .ipa = SLOT_IPA,
                             .bytes = PAGE_BYTES,
                             .count = count,
                             .stride = 2 * PAGE_BYTES});
    play_times(&scene, false, times);
}

#ifdef S2FLUSH_NO_JEMALLOC
static uint64_t allocated_bytes(void)
{
    error_fatal("built without jemalloc, which counts what is allocated");
}
#else
static uint64_t allocated_bytes(void)
{
    uint64_t bytes = 0;
    size_t size = sizeof bytes;
    if (mallctl("thread.allocated", &bytes, &size, NULL, 0) != 0) {
        error_fatal("jemalloc does not tell what is allocated");
    }
    return bytes;
}
#endif

static uint64_t allocated_by(const struct scene *scene, const struct strategy *strategy, bool exact)
{
    static struct sim sim;
    struct error err;
    struct point point = {.timeline = &scene->timeline,
                          .platform = &scene->platform,
                          .value = scene->value,
                          .kernel = &scene->kernel,
                          .strategy = strategy,
                          .exact = exact};
    sim_init(&sim, &point);
    uint64_t before = allocated_bytes();
    need(sim_run(&sim, &err), &err);
    uint64_t bytes = allocated_bytes() - before;
    sim_free(&sim);
    return bytes;
}

static void allocated(uint64_t mib, uint64_t times)
{
    static struct scene scene;
    uint64_t bytes = 0, started = bench_clock_ns();
    set_scene(&scene, mib * MIB, 1);
    add_boot(&scene.timeline, mib * MIB, PAGE_LINES);
    add_reinit(&scene.timeline);
    add_boot(&scene.timeline, mib * MIB, PAGE_LINES);
    for (uint64_t i = 0; i < times * strategy_count; i++) {
        bytes += allocated_by(&scene, &strategy_rows[i % strategy_count], true);
        bytes += allocated_by(&scene, &strategy_rows[i % strategy_count], false);
    }
    bench_report(started, bytes);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(uint64_t a, uint64_t b);
    } modes[] = {{"first", first},   {"again", again},        {"reboots", reboots},
                 {"race", race},     {"beside", beside},      {"host", host},
                 {"pieces", pieces}, {"allocated", allocated}};
    for (size_t i = 0; argc == 4 && i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(argv[1], modes[i].name) == 0) {
            modes[i].run(bench_number(argv[2]), bench_number(argv[3]));
            return 0;
        }
    }
    error_fatal("usage: guest first|again LINES PAGES | guest reboots GIB TIMES | "
                "guest race VCPUS PAGES | guest beside VCPUS TIMES | guest host VMS TIMES | "
                "guest pieces PIECES TIMES | guest allocated MIB TIMES");
}

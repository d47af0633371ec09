/* What a simulation may take: memory, which is told before it is taken, and cores. */
#include "core/error.h"
#include "play.h"

#ifndef S2FLUSH_NO_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

static struct stage n1;

static void reboot_of(struct timeline *timeline)
{
    struct workload *workload = workload_of("generated-boot");
    set_key(workload, "vcpus", "4");
    set_key(workload, "footprint", "64M");
    set_key(workload, "ram", "64M");
    build(workload, timeline);
    workload_free(workload);
}

static struct point point_of(const struct stage *stage, const struct timeline *timeline,
                             const struct strategy *strategy, bool exact)
{
    return (struct point){.timeline = timeline,
                          .platform = &stage->platform,
                          .value = stage->value,
                          .kernel = &stage->kernel,
                          .strategy = strategy,
                          .exact = exact};
}

#define MORE 4

/* More of anything takes more; the lines of the cache are kept in exact fidelity alone. */
static void whatever_there_is_more_of_takes_memory(void **state)
{
    struct strategy unmap = strategy_row("unmap");
    struct timeline timeline;
    (void)state;
    reboot_of(&timeline);
    for (int exact = 0; exact < 2; exact++) {
        struct stage large = n1;
        struct timeline signals = timeline, ops = timeline, phases = timeline, copies = timeline;
        struct point point = point_of(&n1, &timeline, &unmap, exact);
        const uint64_t bytes = sim_memory(&point);
        signals.signals += 100;
        ops.ops += 100;
        phases.phase_count += 100;
        copies.vm.copies = 2;
        const struct timeline *const more[MORE] = {&signals, &ops, &phases, &copies};
        for (size_t i = 0; i < MORE; i++) {
            point.timeline = more[i];
            assert_true(sim_memory(&point) > bytes);
        }
        large.platform.cache_bytes *= 2;
        point = point_of(&large, &timeline, &unmap, exact);
        uint64_t lines = n1.platform.cache_bytes / n1.platform.line_bytes;
        assert_true(exact ? sim_memory(&point) > bytes + 8 * lines : sim_memory(&point) == bytes);
    }
    timeline_free(&timeline);
}

/* What it says is what it takes at most, but for an allocator that rounds up by a quarter. */
static void no_more_is_taken_than_was_told(void **state)
{
    (void)state;
#ifdef S2FLUSH_NO_JEMALLOC
    skip();
#else
    struct strategy unmap = strategy_row("unmap");
    struct timeline timeline;
    reboot_of(&timeline);
    for (int exact = 0; exact < 2; exact++) {
        struct point point = point_of(&n1, &timeline, &unmap, exact);
        uint64_t before = 0, after = 0;
        size_t size = sizeof before;
        assert_int_equal(mallctl("thread.allocated", &before, &size, NULL, 0), 0);
        struct sim *sim = play(&n1, &timeline, &unmap, exact);
        assert_int_equal(mallctl("thread.allocated", &after, &size, NULL, 0), 0);
        uint64_t told = sim_memory(&point);
        assert_true(after - before <= told + told / 4);
        play_free(sim);
    }
    timeline_free(&timeline);
#endif
}

/* A run that needs more than may be used is refused before it is played. */
static void what_takes_too_much_is_refused(void **state)
{
    struct strategy unmap = strategy_row("unmap");
    struct stage large = n1;
    struct timeline timeline;
    struct error err = {0};
    (void)state;
    reboot_of(&timeline);
    large.platform.cache_bytes = GIB;
    struct point point = point_of(&large, &timeline, &unmap, true);
    assert_int_equal(setenv("S2FLUSH_MEMORY", "80M", 1), 0);
    assert_false(sim_possible(&point, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, "80 MiB may be used"));
    assert_int_equal(setenv("S2FLUSH_MEMORY", "8G", 1), 0);
    assert_true(sim_possible(&point, &err));
    assert_int_equal(unsetenv("S2FLUSH_MEMORY"), 0);
    timeline_free(&timeline);
}

/* Line by line so much guest memory can be played, of RAM or of all other slots together, in all
 * VMs; fast takes any. */
static void exact_takes_so_much_guest_memory(void **state)
{
    static const struct {
        uint64_t ram, other;
        uint32_t copies;
        const char *found; /* NULL: it can be played */
    } cases[] = {
        {16 * GIB, 0, 1, NULL},
        {16 * GIB, 16 * GIB, 1, NULL},
        {17 * GIB, GIB, 1, "found 17G"},
        {GIB, 17 * GIB, 1, "found 17G"},
        {20 * GIB, 19 * GIB, 1, "found 20G"},
        {8 * GIB, 0, 2, NULL},
        {9 * GIB, 0, 2, "found 18G"},
        {GIB, 9 * GIB, 2, "found 18G"},
    };
    struct strategy unmap = strategy_row("unmap");
    struct timeline timeline;
    (void)state;
    reboot_of(&timeline);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int exact = 0; exact < 2; exact++) {
            struct error err = {0};
            struct timeline own = timeline;
            own.vm.copies = cases[i].copies;
            own.vm.slots[0].bytes = cases[i].ram;
            own.vm.slots[1] = own.vm.slots[2] = own.vm.slots[0];
            own.vm.slots[1].bytes = own.vm.slots[2].bytes = cases[i].other / 2;
            own.vm.slot_count = 3;
            struct point point = point_of(&n1, &own, &unmap, exact);
            bool refused = exact && cases[i].found;
            assert_int_equal(sim_possible(&point, &err), !refused);
            if (refused && (!strstr(err.text, cases[i].found) || !strstr(err.text, "up to 16G "))) {
                fail_msg("%s", err.text);
            }
        }
    }
    timeline_free(&timeline);
}

/* One helper needs a core of its own, and the message says whose it is. */
static void helpers_need_cores(void **state)
{
    struct strategy eager = strategy_row("eager");
    struct stage small = n1;
    struct timeline timeline;
    struct error err = {0};
    (void)state;
    reboot_of(&timeline);
    eager.workers = 2;
    small.platform.cores = 5; /* 4 vCPUs and the VMM */
    struct point point = point_of(&small, &timeline, &eager, false);
    assert_false(sim_possible(&point, &err));
    assert_non_null(strstr(err.text, "1 more threads for eager it needs 6 cores"));
    small.platform.cores = 6;
    assert_true(sim_possible(&point, &err));
    timeline_free(&timeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_there_is_more_of_takes_memory),
        cmocka_unit_test(no_more_is_taken_than_was_told),
        cmocka_unit_test(what_takes_too_much_is_refused),
        cmocka_unit_test(exact_takes_so_much_guest_memory),
        cmocka_unit_test(helpers_need_cores),
    };
    stage_init(&n1, "neoverse-n1", "6.1");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

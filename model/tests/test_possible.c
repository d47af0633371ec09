/* What cannot be played is refused before it is, at the limit and in words: cores, threads that
 * share a flush, memory of exact runs. */
#include "play.h"

#define SHAPE                                                                        \
    "[workload]\nname = w\nplay = concurrent\n[vm]\nram = %s\nvcpus = %u\ncopies = " \
    "%u\n%s[timeline]\nvcpu0 = enter\n"

static struct stage stage;
static struct timeline timeline;
static struct strategy strategy;

static struct point point_of(const char *ram, unsigned vcpus, unsigned copies, const char *more,
                             bool exact)
{
    char text[512];
    snprintf(text, sizeof text, SHAPE, ram, vcpus, copies, more);
    struct workload *workload = workload_good(text);
    build(workload, &timeline);
    workload_free(workload);
    return (struct point){.timeline = &timeline,
                          .platform = &stage.platform,
                          .value = stage.value,
                          .kernel = &stage.kernel,
                          .strategy = &strategy,
                          .exact = exact};
}

/* `says` NULL: it is possible. */
static void expect(const struct point *point, const char *says)
{
    struct error err = {0};
    bool possible = sim_possible(point, &err);
    if (possible != !says || (says && strcmp(err.text, says) != 0)) {
        fail_msg("found '%s', expected '%s'", possible ? "possible" : err.text,
                 says ? says : "possible");
    }
    timeline_free(&timeline);
}

static void a_core_for_each_vcpu_and_vmm(void **state)
{
    static const struct {
        unsigned vcpus, copies, cores;
        const char *says;
    } cases[] = {
        {3, 1, 4, NULL},
        {3, 1, 3, "w: 1 VM of 3 vCPUs and a VMM need 4 cores, neoverse-n1 has 3"},
        {3, 4, 16, NULL},
        {3, 4, 15, "w: 4 VMs, each of 3 vCPUs and a VMM need 16 cores, neoverse-n1 has 15"},
        {1, 1, 2, NULL},
        {1, 1, 1, "w: 1 VM of 1 vCPUs and a VMM need 2 cores, neoverse-n1 has 1"},
    };
    (void)state;
    stage_init(&stage, "neoverse-n1", "6.1");
    strategy = strategy_row("unmap");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct point point = point_of("4M", cases[i].vcpus, cases[i].copies, "", false);
        stage.platform.cores = cases[i].cores;
        expect(&point, cases[i].says);
    }
}

/* One of them is the thread that flushes in any case; none is there where nothing is flushed. */
static void a_core_for_each_worker(void **state)
{
    static const struct {
        unsigned workers, cores;
        uint64_t chunk;
        enum flush_at flush_at;
        const char *says;
    } cases[] = {
        {3, 8, 0, FLUSH_EACH_INIT, NULL},
        {3, 7, 0, FLUSH_EACH_INIT,
         "w: with 2 more threads for eager-workers it needs 8 cores, neoverse-n1 has 7"},
        {3, 4, 0, FLUSH_NONE, NULL},
        {3, 3, 0, FLUSH_NONE,
         "w: 2 VMs, each of 1 vCPUs and a VMM need 4 cores, neoverse-n1 has 3"},
        {1, 4, 0, FLUSH_EACH_INIT, NULL},
        {2, 6, 0, FLUSH_FIRST_RUN, NULL},
        {2, 5, 0, FLUSH_FIRST_RUN,
         "w: with 1 more threads for eager-workers it needs 6 cores, neoverse-n1 has 5"},
        {1, 4, 64 * KIB, FLUSH_EACH_INIT, NULL},
        {2, 64, 64 * KIB, FLUSH_NONE, NULL},
        {2, 64, 64 * KIB, FLUSH_EACH_INIT,
         "eager-workers: found workers 2 and a chunk, expected one of them: the lock is held as "
         "long "
         "as any of them is at work"},
    };
    (void)state;
    stage_init(&stage, "neoverse-n1", "6.1");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        strategy = strategy_row("eager-workers");
        strategy.workers = cases[i].workers;
        strategy.chunk = cases[i].chunk;
        strategy.flush_at = cases[i].flush_at;
        struct point point = point_of("4M", 1, 2, "", false);
        stage.platform.cores = cases[i].cores;
        expect(&point, cases[i].says);
    }
}

#define OVER(bytes)                                                                        \
    "w: fidelity exact plays every line and takes up to 16G of guest memory, found " bytes \
    "; fidelity fast takes any"

/* The larger one of RAM and all other slots counts, of all VMs. */
static void exact_runs_end_at_16_gib(void **state)
{
    static const struct {
        const char *ram, *more, *says;
        unsigned copies;
    } cases[] = {
        {"16G", "", NULL, 1},
        {"16388M", "", OVER("16388M"), 1},
        {"8G", "", NULL, 2},
        {"8200M", "", OVER("16400M"), 2},
        {"4M", "[slot s]\nipa = 512G\nbytes = 16G\n", NULL, 1},
        {"4M", "[slot s]\nipa = 512G\nbytes = 16388M\n", OVER("16388M"), 1},
        {"4M", "[slot s]\nipa = 512G\nbytes = 9G\n[slot t]\nipa = 768G\nbytes = 7G\n", NULL, 1},
        {"4M", "[slot s]\nipa = 512G\nbytes = 9G\n[slot t]\nipa = 768G\nbytes = 8G\n", OVER("17G"),
         1},
        {"16G", "[slot s]\nipa = 512G\nbytes = 16G\n", NULL, 1},
        {"9G", "[slot s]\nipa = 512G\nbytes = 1G\n", OVER("18G"), 2},
    };
    (void)state;
    stage_init(&stage, "neoverse-n1", "6.1");
    strategy = strategy_row("unmap");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct point point = point_of(cases[i].ram, 1, cases[i].copies, cases[i].more, true);
        expect(&point, cases[i].says);
        point = point_of(cases[i].ram, 1, cases[i].copies, cases[i].more, false);
        expect(&point, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_core_for_each_vcpu_and_vmm),
        cmocka_unit_test(a_core_for_each_worker),
        cmocka_unit_test(exact_runs_end_at_16_gib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

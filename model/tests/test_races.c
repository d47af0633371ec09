/* vCPUs that first touch the same memory at the same time. What state that leaves follows
 * from who comes first where, and is not bounded by the length of the timeline. */
#include "play.h"

/* Three vCPUs map the same 8 MiB after a re-init, page by page. Where every racer cleans,
 * the winner of a page and the losers leave its lines in different states, page after page. */
#define THREE_RACE                                             \
    "[workload]\nplay = concurrent\n"                          \
    "[vm]\nram = 8M\nvcpus = 3\n"                              \
    "[timeline]\n"                                             \
    "vcpu0 = enter\nvcpu0 = write ram 8M\nvcpu0 = signal up\n" \
    "vmm = wait up\nvmm = reinit all\nvmm = signal go\n"       \
    "vcpu0 = wait go\nvcpu0 = enter\nvcpu0 = read ram 8M\n"    \
    "vcpu1 = wait go\nvcpu1 = enter\nvcpu1 = write ram 8M\n"   \
    "vcpu2 = wait go\nvcpu2 = enter\nvcpu2 = read ram 8M\n"

/* Plays it and looks whether all of it is mapped in the end. */
static void expect_played(const char *text, const char *machine, const char *kernel,
                          const char *strategy, bool exact, uint64_t bytes)
{
    struct stage stage;
    struct timeline timeline;
    struct strategy row = strategy_row(strategy);
    struct workload *workload = workload_good(text);
    stage_init(&stage, machine, kernel);
    build(workload, &timeline);
    struct sim *sim = play(&stage, &timeline, &row, exact);
    assert_int_equal(sim->kvm.stage2.map.covered, bytes);
    play_free(sim);
    timeline_free(&timeline);
    workload_free(workload);
}

static void every_racer_may_clean(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        expect_played(THREE_RACE, "neoverse-n1", "5.10", "unmap", exact, 8 * MIB);
        expect_played(THREE_RACE, "kunpeng-920", "5.13", "unmap-lazy", exact, 8 * MIB);
    }
}

/* 2 to 8 vCPUs, each from a page of its own on to the end or from the start, after pauses. */
static void write_race(char *text, size_t size, uint64_t seed)
{
    struct dice dice = dice_of(seed);
    unsigned vcpus = 2 + (unsigned)roll(&dice, 7);
    size_t at = (size_t)snprintf(text, size,
                                 "[workload]\nplay = concurrent\n[vm]\nram = 4M\nvcpus = %u\n"
                                 "[timeline]\nvcpu0 = enter\nvcpu0 = write ram 4M\n"
                                 "vcpu0 = signal up\nvmm = wait up\nvmm = reinit all\n"
                                 "vmm = signal go\n",
                                 vcpus);
    for (unsigned i = 0; i < vcpus; i++) {
        unsigned from = i == 0 ? 0 : (unsigned)roll(&dice, 3) * 512;
        at += (size_t)snprintf(text + at, size - at,
                               "vcpu%u = wait go\nvcpu%u = enter\nvcpu%u = compute %uus\n"
                               "vcpu%u = %s ram+%uK %uK\n",
                               i, i, i, (unsigned)roll(&dice, 2) * (unsigned)roll(&dice, 300), i,
                               chance(&dice, 50) ? "write" : "read", from, 4096 - from);
    }
    assert_true(at < size);
}

static void any_race_is_played(void **state)
{
    static const char *const kernels[] = {"5.10", "5.13", "5.15", "6.1", "6.12"};
    static const char *const strategies[] = {"unmap", "unmap-lazy", "eager-naive"};
    char text[4096];
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        write_race(text, sizeof text, seed);
        for (int exact = 0; exact < 2; exact++) {
            expect_played(text, seed % 2 ? "altra-max-2s" : "neoverse-n1", kernels[seed % 5],
                          strategies[seed % 3], exact, 4 * MIB);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_racer_may_clean),
        cmocka_unit_test(any_race_is_played),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

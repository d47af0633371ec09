/* Two vCPUs that relax the same leaves at the same time, one to write and one to execute: whoever
 * comes last, permissions are only added, and no leaf gets one that no vCPU asked for. */
#include "play.h"

/* Pages that logging has taken the permission to write from; of those that vcpu1 executes vcpu0
 * writes half. */
#define RACE                                                                                      \
    "[workload]\nplay = concurrent\n[vm]\nram = 4M\nvcpus = 2\nbacking = 4k\n[timeline]\n"        \
    "phase = use\nvcpu0 = enter\nvcpu0 = mmu on\nvcpu0 = write ram 64K\nvcpu0 = signal used\n"    \
    "vcpu1 = wait used\nvcpu1 = enter\nvcpu1 = mmu on\nvcpu1 = signal up\nphase = race\n"         \
    "vmm = wait up\nvmm = dirty-log on\nvmm = signal go\nvcpu0 = wait go\nvcpu0 = compute %uns\n" \
    "vcpu0 = write ram 32K\nvcpu1 = wait go\nvcpu1 = compute %uns\nvcpu1 = fetch ram 64K\n"

static void expect_permissions(struct sim *sim, unsigned early, unsigned late)
{
    const uint64_t ram = sim->kvm.slots[0].ipa;
    for (uint64_t page = 0; page < 16; page++) {
        struct leaves leaf;
        uint64_t next;
        assert_true(stage2_lookup(&sim->kvm.stage2, ram + page * 4096, &leaf, &next));
        if (leaf.writable != (page < 8) || !leaf.executable) {
            fail_msg("%u and %u ns: page %llu is %swritable, %sexecutable", early, late,
                     (unsigned long long)page, leaf.writable ? "" : "not ",
                     leaf.executable ? "" : "not ");
        }
    }
}

static void permissions_are_only_added(void **state)
{
    static const char *const kernels[] = {"5.10", "6.1", "7.1"};
    const struct strategy unmap = strategy_row("unmap");
    (void)state;
    for (size_t kernel = 0; kernel < 3; kernel++) {
        struct stage stage;
        stage_init(&stage, "neoverse-n1", kernels[kernel]);
        for (unsigned i = 0; i < 40; i++) {
            unsigned late = i < 20 ? 1 : 1 + 150 * (i - 20), early = i < 20 ? 1 + 150 * i : 1;
            char text[1024];
            struct timeline timeline;
            snprintf(text, sizeof text, RACE, early, late);
            struct workload *workload = workload_good(text);
            build(workload, &timeline);
            for (int exact = 0; exact < 2; exact++) {
                struct sim *sim = play(&stage, &timeline, &unmap, exact);
                expect_permissions(sim, early, late);
                sim_free(sim);
                free(sim);
            }
            timeline_free(&timeline);
            workload_free(workload);
        }
    }
}

/* A vCPU's trapped MMU on is one stall, as long as the trap and what it flushes. */
static void an_mmu_on_is_one_stall(void **state)
{
    static const char text[] =
        "[vm]\nram = 4M\nbacking = 4k\n[timeline]\nvcpu0 = enter\nvcpu0 = mmu on\n"
        "vcpu0 = write ram 64K\nvmm = reinit 0\nvcpu0 = enter\n%s";
    static const char *const mmu[] = {"", "vcpu0 = mmu on\n"};
    const struct strategy unmap = strategy_row("unmap");
    uint64_t count[2];
    struct stage stage;
    (void)state;
    stage_init(&stage, "neoverse-n1", "6.1");
    for (size_t i = 0; i < 2; i++) {
        char own[512];
        struct timeline timeline;
        snprintf(own, sizeof own, "%.*s%s", (int)(sizeof text - 3), text, mmu[i]);
        struct workload *workload = workload_good(own);
        build(workload, &timeline);
        struct sim *sim = play(&stage, &timeline, &unmap, true);
        count[i] = sim->stalls.count;
        sim_free(sim);
        free(sim);
        timeline_free(&timeline);
        workload_free(workload);
    }
    assert_int_equal(count[1], count[0] + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(permissions_are_only_added),
                                       cmocka_unit_test(an_mmu_on_is_one_stall)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

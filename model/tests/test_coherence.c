/* Cases of the architecture that a verdict must get right, each played from a workload's
 * text: what KVM, the VMM, the guest and devices do is what the oracle is told. */
#include "core/error.h"
#include "play.h"
#include "worst.h"

#include <string.h>

#define C COHERENT
#define O ONLY_IF
#define S STALE
#define N NOT_READ

/* CTR_EL0.IDC in effect, and .DIC: neither; IDC alone, without and with FWB; both. */
static struct stage a72, n1, nodic, v1;

/* The guest runs with its MMU on, has read and fetched 4M, and is re-initialised. */
#define VM(keys) "[vm]\nram = 64M\n" keys "[timeline]\n"
#define RAN "vcpu0 = enter\nvcpu0 = mmu on\nvcpu0 = write ram 4M\nvcpu0 = fetch ram 4M\n"
#define AGAIN "vmm = reinit all\nvcpu0 = enter\nvcpu0 = mmu on\n"

/* The verdict on one reader, and what it rests on. */
static void expect(const struct stage *stage, const char *strategy_name, const char *text,
                   enum reader reader, enum outcome outcome, unsigned conditions)
{
    struct workload *workload = workload_good(text);
    struct strategy strategy = strategy_row(strategy_name);
    struct timeline timeline;
    build(workload, &timeline);
    struct sim *sim = play(stage, &timeline, &strategy, false);
    const struct verdict *found = &sim->memory.oracle.verdict[reader];
    if (found->outcome != outcome || found->conditions != conditions) {
        fail_msg("%s, %s: %s (%s), expected %s (%s)", strategy_name, reader_name[reader],
                 outcome_name[found->outcome], oracle_conditions_text(found->conditions),
                 outcome_name[outcome], oracle_conditions_text(conditions));
    }
    play_free(sim);
    timeline_free(&timeline);
    workload_free(workload);
}

/* Where CTR_EL0.IDC = 0, code that the VMM writes into a page that stays mapped is not at
 * the point of unification before somebody cleans it; where DIC = 0 as well, the I-cache may
 * have the old. `unmap` cleans when the guest's fetch faults. */
static void code_is_cleaned_to_the_point_of_unification(void **state)
{
    (void)state;
    static const char text[] =
        VM("guest_maintenance = none\n") RAN AGAIN "vcpu0 = write ram 64K\nvmm = fill ram 64K\n"
                                                   "vcpu0 = fetch ram 64K\n";
    expect(&a72, "none", text, READER_FETCH, S, 0);
    expect(&a72, "eager-naive", text, READER_FETCH, S, 0);
    expect(&n1, "none", text, READER_FETCH, S, 0);
    expect(&n1, "eager-naive", text, READER_FETCH, O, CONDITION_NO_FETCH);
    expect(&v1, "none", text, READER_FETCH, C, 0);
    static const char before[] =
        VM("guest_maintenance = none\n") RAN "vmm = fill ram 64K\n" AGAIN "vcpu0 = fetch ram 64K\n";
    expect(&n1, "none", before, READER_FETCH, S, 0);
    expect(&n1, "unmap", before, READER_FETCH, C, 0);
}

/* A vCPU that a reset does not stop may fetch what the I-cache was just rid of, as leaves
 * stay executable under `fwb`. */
static void a_vcpu_that_runs_on_fetches_again(void **state)
{
    (void)state;
#define RUNS_ON(stops)                                                             \
    VM("vcpus = 2\nreset_stops_vcpus = " stops "\nguest_maintenance = none\n")     \
    RAN "vcpu1 = enter\nvcpu1 = mmu on\nvcpu1 = read ram+8M 64K\nvmm = reinit 0\n" \
        "vmm = fill ram 64K\nvcpu0 = enter\nvcpu0 = mmu on\nvcpu0 = fetch ram 64K\n"
    expect(&nodic, "fwb", RUNS_ON("no"), READER_FETCH, S, 0);
    expect(&nodic, "fwb", RUNS_ON("yes"), READER_FETCH, C, CONDITION_STILL);
    expect(&v1, "fwb", RUNS_ON("no"), READER_FETCH, C, 0);
}

/* What a vCPU wrote through the caches and cleaned, one with its MMU off reads well. */
static void a_guest_cleans_for_a_secondary(void **state)
{
    (void)state;
#define SECONDARY(cleans) \
    VM("vcpus = 2\n")     \
    RAN AGAIN "vcpu0 = write ram 64K\n" cleans "vcpu1 = enter\nvcpu1 = read ram 64K\n"
    expect(&n1, "unmap", SECONDARY("vcpu0 = clean ram 64K\n"), READER_GUEST_OFF, C, 0);
    expect(&n1, "unmap", SECONDARY("vcpu0 = clean-invalidate ram 64K\n"), READER_GUEST_OFF, C, 0);
    expect(&n1, "unmap", SECONDARY("vcpu0 = clean ram 64K no-dsb\n"), READER_GUEST_OFF, S, 0);
    expect(&n1, "unmap", SECONDARY("vcpu0 = clean-pou ram 64K\n"), READER_GUEST_OFF, S, 0);
    expect(&n1, "unmap", SECONDARY(""), READER_GUEST_OFF, S, 0);
    expect(&v1, "fwb", SECONDARY(""), READER_GUEST_OFF, C, 0);
}

/* RAM that a guest maps Normal Non-cacheable with its MMU on, of which KVM hears nothing. */
static void a_guest_maps_memory_noncacheable(void **state)
{
    (void)state;
#define FILLED VM("") RAN "vmm = fill ram 64K\n" AGAIN
    expect(&n1, "none", FILLED "vcpu0 = read-uncached ram 64K\n", READER_GUEST_ON, S, 0);
    expect(&n1, "unmap", FILLED "vcpu0 = read-uncached ram 64K\n", READER_GUEST_ON, C, 0);
    expect(&v1, "fwb", FILLED "vcpu0 = read-uncached ram 64K\n", READER_GUEST_ON, C, 0);
#define MIXED FILLED "vcpu0 = write-uncached ram 64K\n"
    expect(&n1, "unmap", MIXED "vcpu0 = read ram 64K\n", READER_GUEST_ON, O, CONDITION_NO_FILL);
    expect(&n1, "unmap", MIXED "vcpu0 = invalidate ram 64K\nvcpu0 = read ram 64K\n",
           READER_GUEST_ON, C, 0);
}

/* A coherent device's writes go where the caches' do. One that is not writes past them: its
 * driver, here the VMM, sees to it that no line is dirty before and none is left after. */
static void devices_write_memory(void **state)
{
    (void)state;
#define DMA(how, before, after)                                                            \
    VM("")                                                                                 \
    RAN AGAIN "vcpu0 = write ram 64K\n" before "vmm = device-write" how " ram 64K\n" after \
              "vcpu0 = read ram 64K\n"
    expect(&n1, "unmap", DMA("", "", ""), READER_GUEST_ON, C, 0);
    expect(&n1, "unmap", DMA("-uncached", "", ""), READER_GUEST_ON, S, 0);
    expect(&n1, "unmap", DMA("-uncached", "vcpu0 = clean-invalidate ram 64K\n", ""),
           READER_GUEST_ON, O, CONDITION_NO_FILL);
    expect(&n1, "unmap",
           DMA("-uncached", "vcpu0 = clean-invalidate ram 64K\n", "vcpu0 = invalidate ram 64K\n"),
           READER_GUEST_ON, C, 0);
    /* And the other way. */
#define READ VM("") RAN AGAIN "vcpu0 = write ram 64K\n"
    expect(&n1, "unmap", READ "vmm = device-read ram 64K\n", READER_DEVICE, C, 0);
    expect(&n1, "unmap", READ "vmm = device-read-uncached ram 64K\n", READER_DEVICE, S, 0);
    expect(&n1, "unmap", READ "vmm = clean ram 64K\nvmm = device-read-uncached ram 64K\n",
           READER_DEVICE, C, 0);
}

/* The note's second problem, on the data's side: recorded and generated boots read with their
 * MMU off, and Linux's own policy is good for every reader they have. */
static void boots_read_with_their_mmu_off(void **state)
{
    (void)state;
    static const char *const boots[] = {"recorded-4k", "recorded-2vcpu-4k", "recorded-uefi-2vcpu",
                                        "generated-boot"};
    for (size_t b = 0; b < sizeof boots / sizeof *boots; b++) {
        struct workload *workload = workload_of(boots[b]);
        struct strategy unmap = strategy_row("unmap");
        struct timeline timeline;
        build(workload, &timeline);
        struct sim *sim = play(&n1, &timeline, &unmap, false);
        const struct verdict *verdict = sim->memory.oracle.verdict;
        bool firmware = strstr(boots[b], "uefi") != NULL; /* has no literals there */
        assert_int_equal(verdict[READER_GUEST_OFF].outcome, firmware ? NOT_READ : COHERENT);
        assert_true(verdict[READER_GUEST_ON].lines_read > 0);
        assert_true(verdict[READER_FETCH].lines_read > 0);
        assert_int_equal(oracle_worst(&sim->memory.oracle), COHERENT);
        play_free(sim);
        timeline_free(&timeline);
        workload_free(workload);
    }
}

static int set_up(void **state)
{
    (void)state;
    stage_init(&a72, "cortex-a72", "6.1");
    stage_init(&n1, "neoverse-n1", "6.1");
    stage_init(&v1, "neoverse-v1", "6.1");
    stage_init(&nodic, "neoverse-v1-nodic", "6.1");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_is_cleaned_to_the_point_of_unification),
        cmocka_unit_test(a_vcpu_that_runs_on_fetches_again),
        cmocka_unit_test(a_guest_cleans_for_a_secondary),
        cmocka_unit_test(a_guest_maps_memory_noncacheable),
        cmocka_unit_test(devices_write_memory),
        cmocka_unit_test(boots_read_with_their_mmu_off),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}

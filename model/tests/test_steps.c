/* vCPUs that queue behind each other for mmu_lock go on doing so where a hand-over takes longer
 * than they are away: a fault that had to wait holds the lock for longer. Out of step the same
 * vCPUs would not meet. Fast must stay in that queue when its steps grow, and leave it when others
 * do. */
#include "core/error.h"
#include "random_outcome.h"

#include "core/units.h"
#include "guest/workload/workload.h"

/* --- queues ---
 *
 * vCPUs that queue behind each other for mmu_lock go on doing so where a hand-over takes longer
 * than they are away: a fault that had to wait holds the lock for longer. Out of step the same
 * vCPUs would not meet. Fast must stay in that queue when its steps grow, and leave it when others
 * do. */

#define RAM_IPA GIB
#define LONGEST_BYTES (16 * MIB)

/* A hold with a hand-over is longer than the time between two holds, one without is shorter. */
static void choose_machine(struct random_case *of, const char *kernel)
{
    struct error err = {0};
    assert_true(platform_load("neoverse-n1", &of->platform, &err));
    assert_true(kernel_resolve(kernel, &of->kernel, &err));
    of->strategy = *strategy_find("unmap-lazy", &err);
    platform_modes(&of->platform, of->value);
    of->value[COST_lock_handover_ns] = 2000;
    of->value[COST_exit_ns] = 1000;
}

static void add(struct random_case *of, uint32_t who, struct op op)
{
    timeline_add(&of->timeline, who, op);
}

static void add_touch(struct random_case *of, uint32_t vcpu, uint64_t part, uint64_t bytes)
{
    add(of, vcpu,
        (struct op){.kind = OP_TOUCH,
                    .access = ACCESS_WRITE,
                    .density = 1,
                    .ipa = RAM_IPA + part * LONGEST_BYTES,
                    .bytes = bytes,
                    .count = 1});
}

/* All begin at once; vCPU n touches `bytes[n]` of its own. A notifier in between cuts their steps
 * to a leaf; from then on they grow again. */
static void make(struct random_case *of, const char *kernel, const uint64_t *bytes, uint32_t vcpus)
{
    struct error err = {0};
    struct slot_shape ram = {
        .ipa = RAM_IPA, .bytes = 2 * vcpus * LONGEST_BYTES, .backing = BACKING_4K};
    *of = (struct random_case){.kind = RANDOM_PARALLEL};
    choose_machine(of, kernel);
    timeline_init(&of->timeline, "queue", false, vcpus);
    assert_true(vm_shape_slot(&of->timeline.vm, ram, &err));
    for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++) {
        add(of, SCRIPT_VMM, (struct op){.kind = OP_REINIT, .n = vcpu});
    }
    uint64_t go = timeline_signal(&of->timeline);
    add(of, SCRIPT_VMM, (struct op){.kind = OP_SIGNAL, .n = go});
    add(of, SCRIPT_VMM, (struct op){.kind = OP_COMPUTE, .n = 2 * PS_PER_MS});
    add(of, SCRIPT_VMM, (struct op){.kind = OP_NOTIFY, .ipa = RAM_IPA, .bytes = 64 * KIB});
    for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++) {
        add(of, vcpu, (struct op){.kind = OP_WAIT, .n = go});
        add(of, vcpu, (struct op){.kind = OP_ENTER});
        add_touch(of, vcpu, vcpu, bytes[vcpu]);
    }
}

static double share_queued(const struct random_outcome *of)
{
    return (double)of->counts[EV_lock_handovers] / (double)of->counts[EV_map_calls];
}

/* `queued` of all faults wait for the lock leaf by leaf, and in fast, too. */
static void expect_queued(const struct random_case *of, double queued)
{
    struct random_outcome leafwise, fast;
    double by[MEASURES];
    random_case_play(of, true, false, &leafwise);
    random_case_play(of, false, false, &fast);
    outcome_differences(&leafwise, &fast, by);
    print_message("%u vCPUs, %s: %.2f %% of faults queue, %.2f %% in fast; times %.4f %% apart\n",
                  of->timeline.vm.vcpus, of->kernel.name, 100 * share_queued(&leafwise),
                  100 * share_queued(&fast), 100 * by[TIMES]);
    assert_float_equal(share_queued(&leafwise), queued, 0.02);
    assert_float_equal(share_queued(&fast), queued, 0.02);
    assert_true(by[TIMES] < 0.01);
}

static void expect_queue(const char *kernel, const uint64_t *bytes, uint32_t vcpus, double queued)
{
    struct random_case of;
    make(&of, kernel, bytes, vcpus);
    expect_queued(&of, queued);
    random_case_free(&of);
}

static void a_queue_goes_on_when_steps_grow(void **state)
{
    static const uint64_t bytes[] = {LONGEST_BYTES, LONGEST_BYTES};
    (void)state;
    expect_queue("5.10", bytes, 2, 1);
}

static void two_stay_in_a_queue_that_a_third_leaves(void **state)
{
    static const uint64_t bytes[] = {LONGEST_BYTES, LONGEST_BYTES, LONGEST_BYTES / 4};
    (void)state;
    expect_queue("5.10", bytes, 3, 1);
}

static void a_queue_ends_with_its_last_but_one(void **state)
{
    static const uint64_t bytes[] = {LONGEST_BYTES, LONGEST_BYTES / 4};
    (void)state;
    expect_queue("5.10", bytes, 2, 0.4);
}

/* Two queue; then one faults once, and the other, all by itself, on as much again in one step. */
static void who_is_alone_is_in_no_queue(void **state)
{
    static const uint64_t bytes[] = {LONGEST_BYTES, LONGEST_BYTES};
    struct random_case of;
    (void)state;
    make(&of, "5.10", bytes, 2);
    uint64_t once = timeline_signal(&of.timeline);
    add_touch(&of, 0, 2, 4 * KIB);
    add(&of, 0, (struct op){.kind = OP_SIGNAL, .n = once});
    add(&of, 1, (struct op){.kind = OP_WAIT, .n = once});
    add_touch(&of, 1, 3, LONGEST_BYTES);
    expect_queued(&of, 2. / 3);
    random_case_free(&of);
}

static void readers_have_no_queue(void **state)
{
    static const uint64_t bytes[] = {LONGEST_BYTES, LONGEST_BYTES};
    (void)state;
    expect_queue("6.2", bytes, 2, 0);
}

/* --- dirty logging ---
 *
 * Each block is split by a fault of one leaf, between steps of up to 511. */

static void a_leaf_does_not_wait_for_a_whole_block(void **state)
{
    static const char *const kernels[] = {"5.10", "6.1", "6.12"};
    (void)state;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        struct random_case of = {.kind = RANDOM_PARALLEL};
        struct random_outcome leafwise, fast;
        struct error err = {0};
        double by[MEASURES];
        struct workload *workload = workload_read("dirty-log-rounds", &err);
        assert_true(workload && workload_build(workload, &of.timeline, &err));
        choose_machine(&of, kernels[i]);
        platform_modes(&of.platform, of.value);
        random_case_play(&of, true, false, &leafwise);
        random_case_play(&of, false, false, &fast);
        outcome_differences(&leafwise, &fast, by);
        print_message("dirty logging, %s: times %.4f %% apart\n", kernels[i], 100 * by[TIMES]);
        assert_true(by[TIMES] < 0.01);
        random_case_free(&of);
        workload_free(workload);
    }
}

/* --- a path that one core fills ---
 *
 * What takes longer on the path than by itself must not be averaged with what does not. */

/* A vCPU dirties all lines of every other two pages of its first MiB, and one of each other page;
 * the VMM then unmaps all of it, alone, over a path that is slower than a core with dirty lines. */
static void make_path(struct random_case *of)
{
    struct error err = {0};
    struct slot_shape ram = {.ipa = RAM_IPA, .bytes = LONGEST_BYTES, .backing = BACKING_4K};
    *of = (struct random_case){.kind = RANDOM_PARALLEL};
    choose_machine(of, "6.12");
    of->strategy = *strategy_find("unmap", &err);
    of->value[COST_writeback_gbps] = 1;
    timeline_init(&of->timeline, "path", false, 1);
    assert_true(vm_shape_slot(&of->timeline.vm, ram, &err));
    uint64_t go = timeline_signal(&of->timeline), done = timeline_signal(&of->timeline);
    add(of, SCRIPT_VMM, (struct op){.kind = OP_REINIT});
    add(of, SCRIPT_VMM, (struct op){.kind = OP_SIGNAL, .n = go});
    add(of, SCRIPT_VMM, (struct op){.kind = OP_WAIT, .n = done});
    add(of, SCRIPT_VMM, (struct op){.kind = OP_REINIT});
    add(of, 0, (struct op){.kind = OP_WAIT, .n = go});
    add(of, 0, (struct op){.kind = OP_ENTER});
    add(of, 0, (struct op){.kind = OP_MMU, .on = true});
    add_touch(of, 0, 0, LONGEST_BYTES);
    for (uint64_t at = 0; at < MIB; at += 16 * KIB) {
        add(of, 0,
            (struct op){.kind = OP_TOUCH,
                        .access = ACCESS_WRITE,
                        .density = 64,
                        .ipa = RAM_IPA + at,
                        .bytes = 8 * KIB,
                        .count = 1});
    }
    add(of, 0, (struct op){.kind = OP_SIGNAL, .n = done});
}

static void dirty_leaves_wait_for_the_path_each(void **state)
{
    struct random_case of;
    struct random_outcome leafwise, fast;
    double by[MEASURES];
    (void)state;
    make_path(&of);
    random_case_play(&of, true, false, &leafwise);
    random_case_play(&of, false, false, &fast);
    outcome_differences(&leafwise, &fast, by);
    print_message("a path that one core fills: times %.4f %% apart\n", 100 * by[TIMES]);
    assert_true(leafwise.waited);
    assert_true(by[TIMES] == 0);
    random_case_free(&of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_goes_on_when_steps_grow),
        cmocka_unit_test(two_stay_in_a_queue_that_a_third_leaves),
        cmocka_unit_test(a_queue_ends_with_its_last_but_one),
        cmocka_unit_test(who_is_alone_is_in_no_queue),
        cmocka_unit_test(readers_have_no_queue),
        cmocka_unit_test(a_leaf_does_not_wait_for_a_whole_block),
        cmocka_unit_test(dirty_leaves_wait_for_the_path_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

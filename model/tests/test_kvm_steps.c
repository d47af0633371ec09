/* Steps of many leaves, which stand for as many faults, where vCPUs meet. */
#include "kvm/fault.h"
#include "rig.h"

#include <math.h>

/* vCPUs map 4 MiB of their own each, all at once, leaf by leaf or in steps of 64. */
static void map_own_pieces(struct rig *rig, const char *kernel, bool in_steps)
{
    struct act script[RIG_ACTORS][4] = {{{.go = do_fill, .bytes = 16 * MIB}}};
    const struct act *acts[RIG_ACTORS];
    for (uint32_t i = 0; i < RIG_ACTORS; i++) {
        struct act *act = script[i] + (i == 0);
        *act++ = (struct act){.go = do_wait, .n = PS_PER_S};
        *act = (struct act){.go = do_write, .at = (uint64_t)i * 4 * MIB, .bytes = 4 * MIB};
        acts[i] = script[i];
    }
    rig_init(rig, &(struct rig_setup){.kernel = kernel,
                                      .strategy = "fwb",
                                      .backing = BACKING_4K,
                                      .vcpus = RIG_ACTORS,
                                      .bytes = 16 * MIB});
    rig->price[EV_map_calls] = rig->price[EV_lock_handovers] = PS_PER_US;
    rig->kvm.steps = in_steps ? 16 : 0;
    rig_play(rig, acts, RIG_ACTORS);
}

/* In how much time, and with how many of such events. */
static void expect_steps_as_leaves(const char *kernel, enum event_kind kind)
{
    double took[2], events[2];
    for (int in_steps = 0; in_steps < 2; in_steps++) {
        struct rig rig;
        map_own_pieces(&rig, kernel, in_steps);
        took[in_steps] = (double)(rig.engine.now - PS_PER_S);
        events[in_steps] = (double)rig_all(&rig, kind);
        rig_free(&rig);
    }
    assert_true(fabs(took[1] / took[0] - 1) < 0.02);
    assert_true(fabs(events[1] / events[0] - 1) < 0.02);
}

/* Handing the lock over is time in which nobody has it, for each leaf. */
static void steps_hand_the_lock_over_as_leaves_do(void **state)
{
    (void)state;
    expect_steps_as_leaves("5.17", EV_lock_handovers);
    expect_steps_as_leaves("6.1", EV_lock_handovers);
}

/* A lock's line goes as a reader comes, and where others come meanwhile as it goes. */
static void steps_fetch_the_locks_lines_as_leaves_do(void **state)
{
    (void)state;
    expect_steps_as_leaves("6.12", EV_lock_updates);
}

/* A step plans to map 64 leaves and waits for the lock; when it has it another vCPU has
 * mapped the second half. What it charges is for those that it maps. */
static void a_step_that_is_cut_short_walks_for_what_is_left(void **state)
{
    (void)state;
    static const struct act whole[] = {{.go = do_fill, .at = 0, .bytes = 256 * KIB},
                                       {.go = do_wait, .n = PS_PER_S + PS_PER_NS},
                                       {.go = do_write, .at = 0, .bytes = 256 * KIB},
                                       {0}};
    static const struct act half[] = {
        {.go = do_wait, .n = PS_PER_S}, {.go = do_write, .at = 128 * KIB, .bytes = 128 * KIB}, {0}};
    const struct act *acts[] = {whole, half};
    uint64_t walks[2];
    for (uint64_t steps = 0; steps <= 1; steps++) {
        struct rig rig;
        rig_init(&rig,
                 &(struct rig_setup){.kernel = "6.1", .strategy = "unmap", .backing = BACKING_4K});
        rig.kvm.steps = steps;
        rig_play(&rig, acts, 2);
        assert_int_equal(rig_all(&rig, EV_map_4k), 64);
        assert_int_equal(rig_all(&rig, EV_data_tr_w), 64 + rig_all(&rig, EV_lost_maps));
        walks[steps] = rig_all(&rig, EV_walk_reads);
        rig_free(&rig);
    }
    assert_int_equal(walks[1], walks[0]);
}

/* --- who queues behind others --- */

/* vCPU 0 has held the lock until 1000 and asks again; vCPU 1 has held it for 400 ps, until
 * other_end. Each step stands for so many leaves. */
struct turn_case {
    uint64_t mine, others, now_leaves;
    ps_t other_end, now;
    bool writes, queued, had_queued;
    uint64_t handovers; /* expected */
    bool goes_on; /* as one that queued */
};

static const struct turn_case turn_cases[] = {
    /* It came back after as long, for each of its two leaves, as the other took for each of four:
     * both would have queued leaf by leaf; a picosecond a leaf later it would not. */
    {1, 4, 2, 1500, 1200, true, false, true, 2, true},
    {1, 4, 2, 1500, 1201, true, false, true, 2, true},
    {1, 4, 2, 1500, 1202, true, false, true, 0, false},
    /* Its own last step was unlike, or the other's alone. */
    {4, 1, 1, 1500, 1400, true, false, true, 1, true},
    {4, 1, 1, 1500, 1401, true, false, true, 0, false},
    {2, 4, 2, 1001, 1200, true, false, true, 2, true},
    /* Where all are alike, what is seen is true. */
    {1, 1, 1, 1500, 1001, true, false, true, 0, false},
    /* Who held it before, or at the same time, is in nobody's way. */
    {1, 4, 2, 1000, 1200, true, false, true, 0, false},
    {1, 4, 2, 999, 1200, true, false, true, 0, false},
    /* Readers do not queue behind each other; who did not queue before does not now. */
    {1, 4, 2, 1500, 1200, false, false, true, 0, false},
    {1, 4, 2, 1500, 1200, true, false, false, 0, false},
    /* Who did queue has paid for one of its leaves. */
    {1, 4, 2, 1500, 1202, true, true, true, 1, true},
    {1, 1, 1, 1500, 1001, false, true, false, 0, true},
};

static void do_queue(struct rig *rig, struct actor *actor, const struct act *act)
{
    const struct turn_case *row = &turn_cases[act->n];
    struct kvm_vcpu *vcpus = rig->kvm.vcpus;
    vcpus[0].turn = (struct turn){.end = 1000, .leaves = row->mine, .queued = row->had_queued};
    vcpus[1].turn = (struct turn){.end = row->other_end, .hold_ps = 400, .leaves = row->others};
    struct fault fault = {.kvm = &rig->kvm,
                          .vcpu = &vcpus[0],
                          .writes = row->writes,
                          .leaves = {.end = row->now_leaves * 4 * KIB, .level = LEAF_PAGE}};
    actor->queued = row->queued;
    fault_queue(actor, &fault);
    actor->queued = false;
    rig->noted[0] = vcpus[0].turn.queued;
    actor->hold_start = actor->now - 7;
    fault_turn_over(actor, &fault);
    assert_int_equal(vcpus[0].turn.leaves, row->now_leaves);
    assert_int_equal(vcpus[0].turn.hold_ps, 7);
    assert_int_equal(vcpus[0].turn.end, actor->now);
}

static void who_queued_before_queues_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof turn_cases / sizeof *turn_cases; i++) {
        const struct act acts[] = {
            {.go = do_wait, .n = turn_cases[i].now}, {.go = do_queue, .n = i}, {0}};
        struct rig rig;
        rig_init(&rig, &(struct rig_setup){.kernel = "6.1", .strategy = "fwb"});
        rig_alone(&rig, acts);
        assert_int_equal(rig_all(&rig, EV_lock_handovers), turn_cases[i].handovers);
        assert_int_equal(rig.noted[0], turn_cases[i].goes_on);
        rig_free(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_queued_before_queues_again),
        cmocka_unit_test(steps_hand_the_lock_over_as_leaves_do),
        cmocka_unit_test(steps_fetch_the_locks_lines_as_leaves_do),
        cmocka_unit_test(a_step_that_is_cut_short_walks_for_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

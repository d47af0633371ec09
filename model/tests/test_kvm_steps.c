/* Steps of many leaves, which stand for as many faults, where vCPUs meet. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_hand_the_lock_over_as_leaves_do),
        cmocka_unit_test(steps_fetch_the_locks_lines_as_leaves_do),
        cmocka_unit_test(a_step_that_is_cut_short_walks_for_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

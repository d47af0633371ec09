/* What a simulation is made of before it is played: in how many steps, whose actors, on which
 * sockets, and where memory lies. */
#include "play.h"

static struct stage n1, two_sockets;

/* A simulation of a VM that was never run; the caller frees it by play_free. */
static struct sim *made(const struct stage *stage, const char *text,
                        const struct strategy *strategy, bool exact, struct timeline *timeline)
{
    static struct point point;
    struct workload *workload = workload_good(text);
    struct error err = {0};
    build(workload, timeline);
    point = (struct point){.timeline = timeline,
                           .platform = &stage->platform,
                           .value = stage->value,
                           .kernel = &stage->kernel,
                           .strategy = strategy,
                           .exact = exact};
    if (!sim_possible(&point, &err)) {
        fail_msg("%s", err.text);
    }
    struct sim *sim = malloc(sizeof *sim);
    assert_non_null(sim);
    sim_init(sim, &point);
    workload_free(workload);
    return sim;
}

/* In fast, four steps for each vCPU, from 64 to 128, and 256 of several VMs; a touch has one for
 * each vCPU, two where faults exclude each other, 16 at least and no more than those. */
static void steps_by_vcpus(void **state)
{
    static const struct {
        unsigned vcpus, copies;
        bool reads;
        uint64_t steps, touch_steps;
    } cases[] = {
        {1, 1, true, 64, 16},    {8, 1, true, 64, 16},     {8, 1, false, 64, 16},
        {9, 1, false, 64, 18},   {16, 1, true, 64, 16},    {17, 1, true, 68, 17},
        {17, 1, false, 68, 34},  {32, 1, true, 128, 32},   {40, 1, true, 128, 40},
        {40, 1, false, 128, 80}, {79, 1, false, 128, 128}, {2, 2, true, 256, 0},
        {20, 3, false, 256, 0},
    };
    struct strategy unmap = strategy_row("unmap");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int exact = 0; exact < 2; exact++) {
            char text[200];
            struct timeline timeline;
            struct stage stage = n1;
            stage.kernel.value[SWITCH_FAULT_LOCK] =
                cases[i].reads ? FAULT_LOCK_READ : FAULT_LOCK_WRITE;
            snprintf(text, sizeof text,
                     "[vm]\nram = 64M\nvcpus = %u\ncopies = %u\n[timeline]\nvcpu0 = enter\n",
                     cases[i].vcpus, cases[i].copies);
            struct sim *sim = made(&stage, text, &unmap, exact, &timeline);
            for (uint32_t vm = 0; vm < cases[i].copies; vm++) {
                assert_int_equal(sim_vm(sim, vm)->steps, exact ? 0 : cases[i].steps);
                assert_int_equal(sim_vm(sim, vm)->touch_steps, cases[i].touch_steps);
            }
            play_free(sim);
            timeline_free(&timeline);
        }
    }
}

static void actors_have_names(void **state)
{
    static const char text[] = "[vm]\nram = 64M\nvcpus = 2\ncopies = 2\n[timeline]\n"
                               "vcpu0 = enter\nvcpu1 = enter\nvmm = reinit 0\n";
    struct strategy eager = strategy_row("eager");
    struct timeline timeline;
    char name[32], all[300];
    int length = 0;
    (void)state;
    eager.workers = 3;
    struct sim *sim = made(&n1, text, &eager, false, &timeline);
    assert_int_equal(timeline.script_count, 3);
    assert_int_equal(sim->engine.actor_count, 2 * (3 + 2));
    for (uint32_t i = 0; i < sim->engine.actor_count; i++) {
        length += snprintf(all + length, sizeof all - (size_t)length, "%s; ",
                           sim_actor_name(sim, i, name, sizeof name));
        assert_int_equal(sim_actor_vm(sim, i), i < 6 ? i / 3 : (i - 6) / 2);
    }
    /* Scripts stand as the workload has them; helpers behind all of them. */
    static const char expected[] = "0: VMM; 0: vCPU 0; 0: vCPU 1; 1: VMM; 1: vCPU 0; 1: vCPU 1; "
                                   "0: helper 1; 0: helper 2; 1: helper 1; 1: helper 2; ";
    assert_string_equal(all, expected);
    for (uint32_t vm = 0; vm < 2; vm++) {
        assert_ptr_equal(sim_vm(sim, vm)->workers, sim->engine.actors + 6 + 2 * vm);
        assert_int_equal(sim_vm(sim, vm)->worker_count, 2);
    }
    play_free(sim);
    timeline_free(&timeline);
    sim = made(&n1, "[vm]\nram = 64M\n[timeline]\nvcpu0 = enter\nvmm = reinit 0\n", &eager, false,
               &timeline);
    length = 0;
    for (uint32_t i = 0; i < sim->engine.actor_count; i++) {
        length += snprintf(all + length, sizeof all - (size_t)length, "%s; ",
                           sim_actor_name(sim, i, name, sizeof name));
    }
    assert_string_equal(all, "VMM; vCPU 0; helper 1; helper 2; ");
    play_free(sim);
    timeline_free(&timeline);
}

/* Each slot of each VM has a stretch of its own of the host's numbers, at the same place within it.
 */
static void slots_lie_far_apart(void **state)
{
    static const char text[] =
        "[vm]\nram = 64M\nbacking = thp\ncopies = 2\n[slot big]\nipa = 64G\nbytes = 2G\n"
        "backing = hugetlb-1g\n[slot odd]\nipa = 128G\nbytes = 64M\nbacking = thp\nmisalign = 64K\n"
        "[timeline]\nvcpu0 = enter\n";
    struct strategy unmap = strategy_row("unmap");
    struct timeline timeline;
    (void)state;
    struct sim *sim = made(&n1, text, &unmap, false, &timeline);
    for (uint64_t vm = 0; vm < 2; vm++) {
        const struct kvm *kvm = sim_vm(sim, (uint32_t)vm);
        assert_int_equal(kvm->slot_count, 3);
        for (uint64_t i = 0; i < 3; i++) {
            const struct memslot *slot = &kvm->slots[i];
            uint64_t stretch = (vm * TIMELINE_SLOTS + i + 1) << 53;
            assert_int_equal(slot->area.start, stretch + slot->ipa - (i == 2 ? 64 * KIB : 0));
            assert_int_equal(slot->area.end - slot->area.start, slot->bytes);
            assert_int_equal(slot->bytes, timeline.vm.slots[i].bytes);
            assert_int_equal(slot->area.page_bytes, 4 * KIB);
            assert_int_equal(slot->area.block_bytes, i == 1 ? GIB : 2 * MIB);
        }
    }
    play_free(sim);
    timeline_free(&timeline);
}

/* VMs take turns on the sockets; a VM's vCPUs are all where its VMM is, or by pairs on each. */
static void actors_have_sockets(void **state)
{
    static const struct {
        const char *placement;
        uint8_t socket[2][6]; /* of the VMM and five vCPUs, by VM */
    } cases[] = {
        {"one-socket", {{0, 0, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 1}}},
        {"spread", {{0, 0, 0, 1, 1, 0}, {1, 1, 1, 0, 0, 1}}},
    };
    struct strategy unmap = strategy_row("unmap");
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct timeline timeline;
        struct error err = {0};
        char text[400];
        snprintf(
            text, sizeof text,
            "[vm]\nram = 64M\nvcpus = 5\ncopies = 2\nplacement = %s\n[timeline]\nvcpu0 = enter\n"
            "vcpu1 = enter\nvcpu2 = enter\nvcpu3 = enter\nvcpu4 = enter\nvmm = reinit 0\n",
            cases[i].placement);
        struct sim *sim = made(&two_sockets, text, &unmap, false, &timeline);
        assert_true(sim_run(sim, &err));
        assert_int_equal(timeline.script_count, 6);
        for (uint32_t actor = 0; actor < 12; actor++) {
            assert_int_equal(sim->memory.socket[actor], cases[i].socket[actor / 6][actor % 6]);
        }
        play_free(sim);
        timeline_free(&timeline);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_by_vcpus),
        cmocka_unit_test(actors_have_names),
        cmocka_unit_test(slots_lie_far_apart),
        cmocka_unit_test(actors_have_sockets),
    };
    stage_init(&n1, "neoverse-n1", "6.1");
    two_sockets = n1;
    two_sockets.platform.sockets = 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the fuzz target `sim` found, each as a case of its own. */
#include "core/error.h"
#include "play.h"

static struct sim *play_text(const char *text, const char *strategy, bool exact,
                             struct timeline *timeline)
{
    static struct stage stage;
    struct error err = {0};
    struct strategy row = strategy_row(strategy);
    stage_init(&stage, "neoverse-n1", "6.6");
    struct workload *workload = workload_of_text(text, &err);
    if (!workload) {
        fail_msg("%s", err.text);
    }
    build(workload, timeline);
    workload_free(workload);
    return play(&stage, timeline, &row, exact);
}

/* A fault is under way when the VMM deletes its slot: whichever comes first,
 * nothing of the slot stays mapped. */
static void fault_in_a_slot_that_goes(void **state)
{
    static const char *const delays[] = {"1ns", "1us", "2us", "3us", "5us", "8us", "20us"};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof delays / sizeof *delays; i++) {
        char text[512];
        struct timeline timeline;
        snprintf(text, sizeof text,
                 "[workload]\nplay = concurrent\n[vm]\nram = 8M\nvcpus = 3\n[timeline]\n"
                 "vcpu0 = enter\nvcpu1 = enter\nvcpu2 = enter\nvmm = compute %s\n"
                 "vmm = slot-delete ram\nvcpu0 = write ram 4K\nvcpu1 = write ram+4K 16K\n"
                 "vcpu2 = read ram 8K\n",
                 delays[i / 2]);
        struct sim *sim = play_text(text, "unmap", i % 2, &timeline);
        assert_int_equal(sim->kvm.stage2.map.covered, 0);
        play_free(sim);
        timeline_free(&timeline);
    }
}

/* Leaves of 16 KiB, written from the last page of one on: the record's range
 * begins and ends inside leaves, each of which is flushed by a call of its own. */
static void recorded_ranges_are_counted_by_leaf(void **state)
{
    static const char text[] = "[vm]\nram = 16M\ngranule = 16K\n[timeline]\nvcpu0 = enter\n"
                               "vcpu0 = mmu on\nvcpu0 = write ram+12K 1M\nvmm = reinit all\n"
                               "vcpu0 = enter\nvcpu0 = read ram 4K\n";
    uint64_t calls[2];
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        struct timeline timeline;
        struct sim *sim = play_text(text, "ranged", exact, &timeline);
        calls[exact] = sim_count(sim, LEDGER_ALL, SITE_FLUSH, EV_cmo_calls);
        play_free(sim);
        timeline_free(&timeline);
    }
    assert_int_equal(calls[0], 1 * MIB / (16 * KIB) + 1);
    assert_int_equal(calls[1], calls[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_in_a_slot_that_goes),
        cmocka_unit_test(recorded_ranges_are_counted_by_leaf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

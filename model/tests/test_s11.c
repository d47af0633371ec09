/* S-11: dirty logging is on at the reset and goes off before the second boot.
 * An unmap lets what logging split come back as 2 MiB leaves; a flush that
 * keeps the mappings keeps the small ones, and every later walk pays. */
#include "play.h"

/* What a strategy leaves behind, and what the passes over memory after the boot
 * cost then. */
struct left {
    uint64_t small, blocks;
    uint64_t later_reads, later_faults;
};

static uint64_t in_phase(const struct sim *sim, const struct timeline *timeline, const char *name,
                         enum event_kind kind)
{
    uint64_t sum = 0;
    for (uint32_t phase = 0; phase < timeline->phase_count; phase++) {
        bool wanted = strcmp(timeline->phases[phase], name) == 0;
        sum += wanted ? sim_count(sim, phase, LEDGER_ALL, kind) : 0;
    }
    return sum;
}

static struct left left_by(const struct workload *workload, const char *strategy)
{
    struct stage stage;
    struct timeline timeline;
    struct leaves run;
    struct left left = {0};
    struct strategy row = strategy_row(strategy);
    stage_init(&stage, "neoverse-n1", "6.1");
    build(workload, &timeline);
    struct sim *sim = play(&stage, &timeline, &row, false);
    struct stage2 *stage2 = &sim->kvm.stage2;
    for (uint64_t at = 0; stage2_next(stage2, at, UINT64_C(1) << 48, &run); at = run.end) {
        uint64_t count = (run.end - run.start) / stage2->geometry.leaf_bytes[run.level];
        *(run.level == LEAF_PAGE ? &left.small : &left.blocks) += count;
    }
    left.later_reads = in_phase(sim, &timeline, "use2", EV_walk_reads);
    left.later_faults = in_phase(sim, &timeline, "use2", EV_exits);
    play_free(sim);
    timeline_free(&timeline);
    return left;
}

static void unmap_heals_and_eager_does_not(void **state)
{
    (void)state;
    struct workload *workload = workload_of("s11-dirty-log");
    struct left unmap = left_by(workload, "unmap"), lazy = left_by(workload, "unmap-lazy");
    struct left eager = left_by(workload, "eager");
    assert_int_equal(unmap.small, 0);
    assert_true(unmap.blocks > 0);
    assert_int_equal(lazy.small, 0);
    assert_int_equal(lazy.blocks, unmap.blocks);
    /* Whatever was written while logging was on was split; a tenth of 24 GiB is
     * touched again, and a write or a fetch of a split block may put it back. */
    assert_true(eager.small > UINT64_C(4) * GIB / (4 * KIB));
    assert_true(eager.blocks + eager.small / 512 == UINT64_C(24) * GIB / (2 * MIB));
    workload_free(workload);
}

static void later_walks_show_it(void **state)
{
    (void)state;
    struct workload *workload = workload_of("s11-dirty-log");
    struct left unmap = left_by(workload, "unmap"), eager = left_by(workload, "eager");
    assert_int_equal(unmap.later_faults, 0);
    assert_int_equal(eager.later_faults, 0);
    assert_true(eager.later_reads > 20 * unmap.later_reads);
    workload_free(workload);
}

/* Without logging there is nothing to heal: both walk the same. */
static void without_logging_both_are_the_same(void **state)
{
    (void)state;
    struct workload *workload = workload_of("s11-dirty-log");
    set_key(workload, "dirty_log", "no");
    struct left unmap = left_by(workload, "unmap"), eager = left_by(workload, "eager");
    assert_int_equal(eager.small, 0);
    assert_int_equal(unmap.small, 0);
    assert_int_equal(eager.later_reads, unmap.later_reads);
    workload_free(workload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unmap_heals_and_eager_does_not),
        cmocka_unit_test(later_walks_show_it),
        cmocka_unit_test(without_logging_both_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

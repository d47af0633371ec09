#include "rig.h"

/* Acts on memory below KVM: places are memory addresses. */
static const struct rig_setup plain = {.kernel = "6.12", .strategy = "unmap"};

static void clean(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_clean(actor, &rig->memory, RIG_HVA + act->at, RIG_HVA + act->at + act->bytes, act->n);
}

static void use(struct rig *rig, struct actor *actor, const struct act *act, enum reader reader,
                enum path path)
{
    struct access access = {.start = RIG_HVA + act->at,
                            .end = RIG_HVA + act->at + act->bytes,
                            .density = (uint32_t)act->n,
                            .write = act->on,
                            .path = path,
                            .reader = reader};
    memory_access(actor, &rig->memory, &access);
}

static void guest(struct rig *rig, struct actor *actor, const struct act *act)
{
    use(rig, actor, act, READER_GUEST_ON, PATH_CACHED);
}

static void guest_past(struct rig *rig, struct actor *actor, const struct act *act)
{
    use(rig, actor, act, READER_GUEST_OFF, PATH_UNCACHED);
}

static void vmm(struct rig *rig, struct actor *actor, const struct act *act)
{
    use(rig, actor, act, READER_HOST, PATH_CACHED);
}

static void zero(struct rig *rig, struct actor *actor, const struct act *act)
{
    uint64_t end = RIG_HVA + act->at + act->bytes;
    memory_zero(actor, &rig->memory, RIG_HVA + act->at, end, end, end);
}

static void tlbi(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_tlbi(actor, &rig->memory, EV_tlbi_calls, act->n);
}

static void tlbi_ranges(struct rig *rig, struct actor *actor, const struct act *act)
{
    (void)act;
    memory_tlbi_ranges(actor, &rig->memory, 1, 3, 2);
}

static void tlbi_local(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_tlbi_local(actor, &rig->memory, act->n);
}

static void icache_range(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_icache_range(actor, &rig->memory, RIG_HVA, RIG_HVA + act->bytes, act->n);
}

static void icache_all(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_icache_all(actor, &rig->memory, RIG_HVA, RIG_HVA + act->bytes, act->n);
}

static void expect_lines(const struct rig *rig, uint64_t absent, uint64_t clean_, uint64_t dirty)
{
    assert_int_equal(rig_all(rig, EV_line_absent), absent);
    assert_int_equal(rig_all(rig, EV_line_clean), clean_);
    assert_int_equal(rig_all(rig, EV_line_dirty), dirty);
    assert_int_equal(rig->memory.seen.found.absent, absent);
    assert_int_equal(rig->memory.seen.found.clean, clean_);
    assert_int_equal(rig->memory.seen.found.dirty, dirty);
}

static void cleaning_charges_lines_by_what_they_are(void **state)
{
    (void)state;
    struct rig rig;
    static const struct act acts[] = {
        {guest, 0, 8 * KIB, 64, false}, /* two pages read whole */
        {vmm, 4 * KIB, 4 * KIB, 16, true}, /* of the second, 16 lines written */
        {clean, 0, 16 * KIB, 3, false},
        {0},
    };
    rig_init(&rig, &plain);
    rig_alone(&rig, acts);
    expect_lines(&rig, 128, 112, 16);
    assert_int_equal(rig_all(&rig, EV_cmo_calls), 3);
    assert_int_equal(rig_all(&rig, EV_writeback_bytes), 16 * 64);
    /* Misses 128 at 100 ns; lines at 8, 16 and 32 ns; three barriers at 100 ns. */
    ps_t ns = 128 * 100 + 128 * 8 + 112 * 16 + 16 * 32 + 3 * 100;
    assert_int_equal(rig.engine.actors[0].now, ns * 1000);
    assert_int_equal(rig.engine.actors[0].wait_ps, 0);
    rig_free(&rig);
}

/* The echo of a flush: what was in the cache has to be fetched once more. */
static void a_flushed_line_is_a_miss_afterwards(void **state)
{
    (void)state;
    struct rig rig;
    static const struct act acts[] = {
        {guest, 0, 4 * KIB, 64, false},
        {guest, 0, 4 * KIB, 64, false},
        {clean, 0, 4 * KIB, 1, false},
        {guest, 0, 4 * KIB, 64, false},
        {clean, 0, 4 * KIB, 1, false},
        {clean, 0, 4 * KIB, 1, false},
        {0},
    };
    rig_init(&rig, &plain);
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_guest_misses), 128);
    assert_int_equal(rig_all(&rig, EV_guest_hits), 64);
    expect_lines(&rig, 64, 128, 0);
    rig_free(&rig);
}

/* Two read the same page at once: the second one finds the lines on their way and waits
 * as long as the first; one that comes at half time waits for the other half. */
static void a_line_on_its_way_comes_no_sooner(void **state)
{
    (void)state;
    static const ps_t half = UINT64_C(32) * 100 * PS_PER_NS;
    for (int late = 0; late <= 2; late++) {
        struct rig rig;
        const struct act first[] = {{guest, 0, 4 * KIB, 64, false}, {0}};
        const struct act second[] = {
            {do_wait, 0, 0, (uint64_t)late * half, false}, {guest, 0, 4 * KIB, 64, false}, {0}};
        const struct act *acts[] = {first, second};
        rig_init(&rig, &plain);
        rig_play(&rig, acts, 2);
        assert_int_equal(rig.engine.actors[0].now, 2 * half);
        assert_int_equal(rig.engine.actors[1].now, 2 * half);
        assert_int_equal(rig_all(&rig, EV_guest_misses), 64 + 64 - 32 * late);
        assert_int_equal(rig_all(&rig, EV_guest_hits), 32 * late);
        rig_free(&rig);
    }
}

static void accesses_past_the_caches_leave_them_alone(void **state)
{
    (void)state;
    struct rig rig;
    static const struct act acts[] = {
        {guest_past, 0, 8 * KIB, 10, false},
        {guest_past, 0, 4 * KIB, 3, true},
        {clean, 0, 8 * KIB, 1, false},
        {0},
    };
    rig_init(&rig, &plain);
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_uncached), 23);
    assert_int_equal(rig_all(&rig, EV_guest_hits) + rig_all(&rig, EV_guest_misses), 0);
    expect_lines(&rig, 128, 0, 0);
    rig_free(&rig);
}

/* The VMM's lines move through the cache; its time is in the bytes it copies. */
static void the_vmm_is_not_charged_for_misses(void **state)
{
    (void)state;
    struct rig rig;
    static const struct act acts[] = {{vmm, 0, 8 * KIB, 64, true}, {0}};
    rig_init(&rig, &plain);
    rig_alone(&rig, acts);
    assert_int_equal(rig.engine.actors[0].now, 0);
    uint64_t lines, dirty;
    cache_resident(rig.cache, &lines, &dirty);
    assert_int_equal(dirty, 128);
    rig_free(&rig);
}

static void fresh_pages_are_dirty_lines(void **state)
{
    (void)state;
    struct rig rig;
    static const struct act acts[] = {
        {zero, 0, 8 * KIB, 0, false}, {clean, 0, 8 * KIB, 2, false}, {0}};
    rig_init(&rig, &plain);
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_zero_bytes), 8);
    expect_lines(&rig, 0, 0, 128);
    assert_int_equal(rig.engine.actors[0].now, 1000 * (8 * 128 + 128 * 32 + 200));
    rig_free(&rig);
}

static void what_overflows_is_written_back(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_setup setup = plain;
    static const struct act acts[] = {
        {vmm, 0, 64 * KIB, 64, true}, {guest, 64 * KIB, 64 * KIB, 64, false}, {0}};
    setup.cache_bytes = 64 * KIB;
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig.memory.seen.evicted_dirty, 1024);
    rig_free(&rig);
}

/* Cleans leaves of `n` bytes and accesses their first 8 KiB. */
static void clean_each(struct rig *rig, struct actor *actor, const struct act *act)
{
    uint64_t start = RIG_HVA + act->at;
    struct access access = {.start = start,
                            .end = start + 8 * KIB,
                            .density = 64,
                            .write = act->on,
                            .path = PATH_CACHED,
                            .reader = READER_GUEST_ON};
    bool fresh = act->n == 0;
    struct touch_counts met =
        memory_clean_each(actor, &rig->memory, start, start + act->bytes,
                          fresh ? 1 : act->bytes / act->n, fresh ? 16 * KIB : 0, &access);
    rig->noted[0] = met.hits;
    rig->noted[1] = met.misses;
}

/* Leaf by leaf, as host pages of 16 KiB that were just cleared, and as blocks:
 * what is accessed is 128 lines. They, or the 256 that clearing took, push out
 * what was dirty. */
static void cleaning_for_an_access_meets_its_lines_alone(void **state)
{
    static const struct {
        uint64_t leaf, evicted;
    } cases[] = {{4 * KIB, 128}, {0, 256}, {32 * KIB, 128}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        struct rig_setup setup = plain;
        const struct act acts[] = {{vmm, 0, 64 * KIB, 64, true},
                                   {clean_each, 64 * KIB, 64 * KIB, cases[i].leaf, false},
                                   {0}};
        setup.cache_bytes = 64 * KIB;
        rig_init(&rig, &setup);
        rig_alone(&rig, acts);
        assert_int_equal(rig.noted[0], 0);
        assert_int_equal(rig.noted[1], 128);
        assert_int_equal(rig.memory.seen.evicted_dirty, cases[i].evicted);
        rig_free(&rig);
    }
}

/* Two host pages of 16 KiB and half of one, just cleared, half of each still in the cache. */
static void part_of_a_fresh_page_has_its_share(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_setup setup = plain;
    static const struct act acts[] = {{clean_each, 0, 40 * KIB, 0, false}, {0}};
    setup.cache_bytes = 8 * KIB;
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    expect_lines(&rig, 320, 0, 320);
    rig_free(&rig);
}

/* --- contention --- */

#define LINES (MIB / 64)

/* Alone a sweep of dirty lines needs 32 ns a line and 8 ns of the path: four
 * sweeps fit side by side. A sweep of absent lines needs 4 of 8 ns: two do. */
static void two_sweeps_of_absent_lines_fill_the_path(void **state)
{
    (void)state;
    static const struct act sweep[] = {{clean, 0, MIB, 1, false}, {0}};
    static const struct act other[] = {{clean, 2 * MIB, MIB, 1, false}, {0}};
    static const struct act third[] = {{clean, 4 * MIB, MIB, 1, false}, {0}};
    const struct act *acts[] = {sweep, other, third};
    const ps_t alone = LINES * 8000 + 100000, path = LINES * 4000;
    for (uint32_t actors = 1; actors <= 3; actors++) {
        struct rig rig;
        rig_init(&rig, &plain);
        rig_play(&rig, acts, actors);
        ps_t end = rig.engine.now, ideal = actors < 3 ? alone : 3 * path;
        assert_true(end >= ideal && end <= ideal + 10);
        rig_free(&rig);
    }
}

/* Barriers use no part of the path: many short ranges are no heavier on it. */
static void barriers_do_not_use_the_path(void **state)
{
    (void)state;
    static const struct act one[] = {{clean, 0, MIB, 256, false}, {0}};
    static const struct act two[] = {{clean, MIB, MIB, 256, false}, {0}};
    static const struct act three[] = {{clean, 2 * MIB, MIB, 256, false}, {0}};
    const struct act *acts[] = {one, two, three};
    struct rig rig;
    const ps_t alone = LINES * 8000 + 256 * UINT64_C(100000), path = 3 * LINES * 4000;
    ps_t ideal = alone > path ? alone : path;
    rig_init(&rig, &plain);
    rig_play(&rig, acts, 3);
    assert_true(rig.engine.now >= ideal && rig.engine.now <= ideal + 10);
    rig_free(&rig);
}

static void write_back_limits_sweeps_of_dirty_lines(void **state)
{
    (void)state;
    static const struct act one[] = {{vmm, 0, MIB, 64, true}, {clean, 0, MIB, 1, false}, {0}};
    static const struct act two[] = {{vmm, MIB, MIB, 64, true}, {clean, MIB, MIB, 1, false}, {0}};
    const struct act *acts[] = {one, two};
    struct rig rig;
    rig_init(&rig, &plain);
    rig.value[COST_writeback_gbps] = 2.5; /* 25.6 ns a line, of 32 */
    rig_play(&rig, acts, 2);
    ps_t ideal = 2 * LINES * 25600;
    assert_true(rig.engine.now >= ideal && rig.engine.now <= ideal + 10);
    assert_true(ledger_waited(&rig.ledger, LEDGER_ALL, LEDGER_ALL, RESOURCE_CMO_PATH) > 0);
    rig_free(&rig);
}

/* --- TLBs and the I-cache --- */

static void invalidations_queue_at_one_server(void **state)
{
    (void)state;
    static const struct act one[] = {{tlbi, 0, 0, 10, false}, {0}};
    const struct act *acts[] = {one, one};
    struct rig rig;
    rig_init(&rig, &plain);
    rig_play(&rig, acts, 2);
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 20);
    assert_int_equal(rig_all(&rig, EV_hyp_calls), 0);
    assert_int_equal(rig.engine.now, 20 * 700000);
    assert_int_equal(ledger_waited(&rig.ledger, 1, LEDGER_ALL, RESOURCE_DVM), 10 * 700000);
    rig_free(&rig);
}

static void without_vhe_each_invalidation_calls_el2(void **state)
{
    (void)state;
    static const struct act acts[] = {{tlbi, 0, 0, 10, false}, {0}};
    struct rig rig;
    struct rig_setup setup = plain;
    setup.nvhe = true;
    rig_init(&rig, &setup);
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_hyp_calls), 10);
    assert_int_equal(rig.engine.now, 10 * (700000 + 90000));
    rig_free(&rig);
}

/* Only the invalidation keeps others waiting, not the way to EL2. */
static void cores_call_el2_at_the_same_time(void **state)
{
    (void)state;
    static const struct act one[] = {{tlbi, 0, 0, 1, false}, {0}};
    const struct act *acts[] = {one, one};
    struct rig rig;
    struct rig_setup setup = plain;
    setup.nvhe = true;
    rig_init(&rig, &setup);
    rig_play(&rig, acts, 2);
    assert_int_equal(rig.engine.now, 90000 + 2 * 700000);
    rig_free(&rig);
}

/* A call for a range has several instructions, which go one behind the other; an
 * invalidation of the own core has its call, too, and waits for nobody. */
static void ranges_and_the_own_core_call_el2_once_each(void **state)
{
    (void)state;
    static const struct act one[] = {{tlbi_ranges, 0, 0, 0, false}, {0}};
    static const struct act local[] = {{tlbi_local, 0, 0, 2, false}, {0}};
    const struct act *acts[] = {one, one, local};
    struct rig rig;
    struct rig_setup setup = plain;
    setup.nvhe = true;
    rig_init(&rig, &setup);
    rig_play(&rig, acts, 3);
    assert_int_equal(rig_all(&rig, EV_tlbi_range), 2 * 3);
    assert_int_equal(rig_all(&rig, EV_tlbi_calls), 2 * 2);
    assert_int_equal(rig_all(&rig, EV_hyp_calls), 2 + 2);
    ps_t each = 3 * rig.price[EV_tlbi_range] + 2 * (ps_t)700000;
    assert_int_equal(rig.engine.now, 90000 + 2 * each);
    assert_int_equal(rig.engine.actors[2].now, 2 * (90000 + rig.price[EV_tlbi_local]));
    assert_int_equal(rig.memory.invalidations, 2);
    rig_free(&rig);
}

static void dic_leaves_only_the_calls(void **state)
{
    (void)state;
    static const struct act acts[] = {
        {icache_range, 0, 8 * KIB, 2, false}, {icache_all, 0, 8 * KIB, 3, false}, {0}};
    for (int dic = 0; dic <= 1; dic++) {
        struct rig rig;
        struct rig_setup setup = plain;
        setup.dic = dic;
        rig_init(&rig, &setup);
        rig_alone(&rig, acts);
        assert_int_equal(rig_all(&rig, EV_icache_calls), 2);
        assert_int_equal(rig_all(&rig, EV_icache_lines), dic ? 0 : 128);
        assert_int_equal(rig_all(&rig, EV_ic_ialluis), dic ? 0 : 3);
        rig_free(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleaning_charges_lines_by_what_they_are),
        cmocka_unit_test(a_flushed_line_is_a_miss_afterwards),
        cmocka_unit_test(a_line_on_its_way_comes_no_sooner),
        cmocka_unit_test(accesses_past_the_caches_leave_them_alone),
        cmocka_unit_test(the_vmm_is_not_charged_for_misses),
        cmocka_unit_test(fresh_pages_are_dirty_lines),
        cmocka_unit_test(what_overflows_is_written_back),
        cmocka_unit_test(cleaning_for_an_access_meets_its_lines_alone),
        cmocka_unit_test(part_of_a_fresh_page_has_its_share),
        cmocka_unit_test(two_sweeps_of_absent_lines_fill_the_path),
        cmocka_unit_test(barriers_do_not_use_the_path),
        cmocka_unit_test(write_back_limits_sweeps_of_dirty_lines),
        cmocka_unit_test(invalidations_queue_at_one_server),
        cmocka_unit_test(without_vhe_each_invalidation_calls_el2),
        cmocka_unit_test(cores_call_el2_at_the_same_time),
        cmocka_unit_test(ranges_and_the_own_core_call_el2_once_each),
        cmocka_unit_test(dic_leaves_only_the_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

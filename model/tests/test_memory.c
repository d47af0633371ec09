#include "cache_seen.h"
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

/* Two sockets, actor 1 on the second one; a remote line takes half as long again. */
static void two_sockets(struct rig *rig, struct cache **other)
{
    rig_init(rig, &plain);
    rig->platform.sockets = 2;
    rig->value[COST_remote_ratio] = 1.5;
    price_events(&rig->platform, rig->value, (double[EVENT_KINDS]){0}, rig->price);
    *other = cache_new(true, 16 * MIB, 16, 64, 4096);
    memory_free(&rig->memory);
    memory_init(&rig->memory, &rig->platform, rig->value, (struct cache *[]){rig->cache, *other},
                &rig->pool, &rig->engine);
    rig->memory.socket[1] = 1;
}

/* Who clears a page has it in its memory; the other socket fetches its lines from there, one
 * after the other has, and then has them in its own cache. */
static void each_socket_fetches_and_the_far_one_takes_longer(void **state)
{
    (void)state;
    struct rig rig;
    struct cache *other;
    static const struct act first[] = {
        {zero, 0, 4 * KIB, 0, false}, {guest, 0, 8 * KIB, 10, false}, {0}};
    static const struct act second[] = {{do_wait, 0, 0, PS_PER_MS, false},
                                        {guest, 0, 8 * KIB, 10, false},
                                        {guest, 0, 8 * KIB, 10, false},
                                        {0}};
    const struct act *acts[] = {first, second};
    two_sockets(&rig, &other);
    rig_play(&rig, acts, 2);
    /* The first one's: 10 lines of a page that it cleared, 10 of one that it uses first. */
    assert_int_equal(rig_all(&rig, EV_guest_hits), 10 + 20);
    assert_int_equal(rig_all(&rig, EV_guest_misses), 10);
    assert_int_equal(rig_all(&rig, EV_guest_remote), 20);
    assert_int_equal(rig.engine.actors[1].now, PS_PER_MS + UINT64_C(20) * 150 * PS_PER_NS);
    cache_free(other);
    rig_free(&rig);
}

/* A line that is written is in the writer's cache alone. */
static void a_write_takes_lines_from_the_other_socket(void **state)
{
    (void)state;
    struct rig rig;
    struct cache *other;
    uint64_t lines, dirty;
    static const struct act first[] = {{vmm, 0, 4 * KIB, 64, true}, {0}};
    static const struct act second[] = {{do_wait, 0, 0, PS_PER_MS, false},
                                        {guest, 0, 4 * KIB, 10, false},
                                        {guest, 0, 4 * KIB, 10, true},
                                        {0}};
    const struct act *acts[] = {first, second};
    two_sockets(&rig, &other);
    rig_play(&rig, acts, 2);
    cache_resident(rig.cache, &lines, &dirty);
    assert_int_equal(lines, 0);
    cache_resident(other, &lines, &dirty);
    assert_int_equal(dirty, 10); /* those beside them are written back */
    cache_free(other);
    rig_free(&rig);
}

/* A clean reaches all caches and finds each line once, dirty where it is dirty in one. */
static void cleaning_reaches_all_sockets(void **state)
{
    (void)state;
    struct rig rig;
    struct cache *other;
    static const struct act first[] = {{vmm, 0, 4 * KIB, 16, true},
                                       {do_wait, 0, 0, PS_PER_MS, false},
                                       {clean, 0, 8 * KIB, 1, false},
                                       {clean, 0, 8 * KIB, 1, false},
                                       {0}};
    static const struct act second[] = {{do_wait, 0, 0, PS_PER_MS / 2, false},
                                        {guest, 0, 4 * KIB, 16, false},
                                        {guest, 4 * KIB, 4 * KIB, 8, true},
                                        {0}};
    const struct act *acts[] = {first, second};
    two_sockets(&rig, &other);
    rig_play(&rig, acts, 2);
    expect_lines(&rig, 128 - 16 - 8 - 16 + 128, 16, 16 + 8);
    cache_free(other);
    rig_free(&rig);
}

/* Past the caches a line takes as many accesses as fill it. */
static void accesses_past_the_caches_count_by_their_width(void **state)
{
    (void)state;
    static const struct act acts[] = {{guest_past, 0, 8 * KIB, 10, false}, {0}};
    static const struct {
        uint64_t bytes, accesses;
    } rows[] = {{64, 20}, {16, 80}, {8, 160}, {24, 60}, {1, 1280}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig rig;
        rig_init(&rig, &plain);
        rig.memory.past_bytes = rows[i].bytes;
        rig_alone(&rig, acts);
        assert_int_equal(rig_all(&rig, EV_uncached), rows[i].accesses);
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

/* Clears 32 KiB, of which the second 8 KiB pass through the cache. */
static void zero_passing(struct rig *rig, struct actor *actor, const struct act *act)
{
    uint64_t start = RIG_HVA + act->at;
    memory_zero(actor, &rig->memory, start, start + act->bytes, start + 8 * KIB, start + 16 * KIB);
}

/* What passes takes its time but no room; what lies before and behind it stays. */
static void what_passes_is_cleared_and_not_kept(void **state)
{
    (void)state;
    struct rig rig;
    static const struct act acts[] = {{zero_passing, 0, 32 * KIB, 0, false},
                                      {clean, 0, 8 * KIB, 1, false},
                                      {clean, 8 * KIB, 8 * KIB, 1, false},
                                      {clean, 16 * KIB, 16 * KIB, 1, false},
                                      {0}};
    rig_init(&rig, &plain);
    rig_alone(&rig, acts);
    assert_int_equal(rig_all(&rig, EV_zero_bytes), 32);
    expect_lines(&rig, 128, 0, 128 + 256);
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

static void maintain(struct rig *rig, struct actor *actor, const struct act *act)
{
    memory_maintain(actor, &rig->memory, RIG_HVA + act->at, RIG_HVA + act->at + act->bytes,
                    (enum maintenance)act->n, true);
    memory_maintain_end(actor, &rig->memory, (enum maintenance)act->n);
}

/* Of two pages of dirty lines, and as many that are not there: on all machines, what each kind of
 * maintenance does. */
static void each_maintenance_has_its_events(void **state)
{
    static const struct {
        enum maintenance maintenance;
        uint64_t absent, clean, dirty, calls, icache_lines, ialluis;
    } cases[] = {
        {CLEAN_POC, 128, 0, 128, 1, 0, 0},        {CLEAN_POU, 0, 256, 0, 1, 0, 0},
        {CLEAN_INVALIDATE, 128, 0, 128, 1, 0, 0}, {INVALIDATE, 128, 0, 128, 1, 0, 0},
        {GUEST_INVALIDATE, 128, 0, 128, 1, 0, 0}, {ICACHE_VA, 0, 0, 0, 0, 256, 0},
        {ICACHE_ALIAS, 0, 0, 0, 0, 256, 0},       {ICACHE_ALL, 0, 0, 0, 0, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < 8 * (sizeof cases / sizeof *cases); i++) {
        const struct act acts[] = {{vmm, 0, 8 * KIB, 64, true},
                                   {maintain, 0, 16 * KIB, cases[i / 8].maintenance, false},
                                   {0}};
        bool dic = i & 1, idc = i & 2, fwb = i & 4;
        struct rig rig;
        struct rig_setup setup = plain;
        setup.dic = dic;
        rig_init(&rig, &setup);
        rig.platform.idc = idc;
        rig.memory.oracle.traits.fwb = fwb;
        rig_alone(&rig, acts);
        bool none = cases[i / 8].maintenance == CLEAN_POU && (idc || fwb);
        assert_int_equal(rig_all(&rig, EV_line_absent), cases[i / 8].absent);
        assert_int_equal(rig_all(&rig, EV_line_clean), none ? 0 : cases[i / 8].clean);
        assert_int_equal(rig_all(&rig, EV_line_dirty), cases[i / 8].dirty);
        assert_int_equal(rig_all(&rig, EV_cmo_calls), none ? 0 : cases[i / 8].calls);
        assert_int_equal(rig_all(&rig, EV_icache_lines), dic ? 0 : cases[i / 8].icache_lines);
        assert_int_equal(rig_all(&rig, EV_ic_ialluis), dic ? 0 : cases[i / 8].ialluis);
        rig_free(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleaning_charges_lines_by_what_they_are),
        cmocka_unit_test(a_flushed_line_is_a_miss_afterwards),
        cmocka_unit_test(a_line_on_its_way_comes_no_sooner),
        cmocka_unit_test(each_socket_fetches_and_the_far_one_takes_longer),
        cmocka_unit_test(a_write_takes_lines_from_the_other_socket),
        cmocka_unit_test(cleaning_reaches_all_sockets),
        cmocka_unit_test(accesses_past_the_caches_count_by_their_width),
        cmocka_unit_test(accesses_past_the_caches_leave_them_alone),
        cmocka_unit_test(the_vmm_is_not_charged_for_misses),
        cmocka_unit_test(fresh_pages_are_dirty_lines),
        cmocka_unit_test(what_passes_is_cleared_and_not_kept),
        cmocka_unit_test(what_overflows_is_written_back),
        cmocka_unit_test(cleaning_for_an_access_meets_its_lines_alone),
        cmocka_unit_test(part_of_a_fresh_page_has_its_share),
        cmocka_unit_test(two_sweeps_of_absent_lines_fill_the_path),
        cmocka_unit_test(barriers_do_not_use_the_path),
        cmocka_unit_test(write_back_limits_sweeps_of_dirty_lines),
        cmocka_unit_test(each_maintenance_has_its_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "machine/platform.h"
#include "run/sim.h"

#ifndef S2FLUSH_NO_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

#define RAM (64 * MIB)
#define IPA GIB

/* What a simulation is made of; the platform's modes with an override or two. */
struct stand {
    struct platform platform;
    double value[COSTS];
    struct kernel kernel;
    struct timeline timeline;
    struct point point;
};

static void stand_init(struct stand *stand, const char *strategy, uint32_t vcpus, bool serial)
{
    struct error err = {0};
    memset(stand, 0, sizeof *stand);
    assert_true(platform_load("neoverse-n1", &stand->platform, &err));
    assert_true(platform_override(&stand->platform, "dc_clean_ratio", "1", NULL, &err));
    assert_true(platform_override(&stand->platform, "dc_dirty_ratio", "1", NULL, &err));
    platform_modes(&stand->platform, stand->value);
    assert_true(kernel_resolve("6.12", &stand->kernel, &err));
    timeline_init(&stand->timeline, "test", serial, vcpus);
    struct slot_shape ram = {.ipa = IPA, .bytes = RAM, .backing = BACKING_4K};
    struct slot_shape huge = {.ipa = 2 * IPA, .bytes = RAM, .backing = BACKING_THP};
    assert_true(vm_shape_slot(&stand->timeline.vm, ram, &err));
    assert_true(vm_shape_slot(&stand->timeline.vm, huge, &err));
    stand->point = (struct point){.timeline = &stand->timeline,
                                  .platform = &stand->platform,
                                  .value = stand->value,
                                  .kernel = &stand->kernel,
                                  .strategy = strategy_find(strategy, &err)};
    assert_non_null(stand->point.strategy);
}

static void stand_free(struct stand *stand)
{
    timeline_free(&stand->timeline);
}

static void add(struct stand *stand, uint32_t vcpu, struct op op)
{
    timeline_add(&stand->timeline, vcpu, op);
}

static void add_touch(struct stand *stand, struct dice *dice, uint32_t vcpu)
{
    uint64_t page = roll(dice, RAM / (4 * KIB) - 64), pages = 1 + roll(dice, 64);
    struct op op = {.kind = OP_TOUCH,
                    .access = (uint8_t)roll(dice, 3),
                    .density = (uint16_t)(1 + roll(dice, 16)),
                    .ipa = (chance(dice, 50) ? IPA : 2 * IPA) + page * 4 * KIB,
                    .bytes = pages * 4 * KIB,
                    .count = 1};
    add(stand, vcpu, op);
}

static void add_boot(struct stand *stand, struct dice *dice, uint32_t vcpu, int touches)
{
    add(stand, vcpu, (struct op){.kind = OP_ENTER});
    add(stand, vcpu, (struct op){.kind = OP_INSNS, .n = 10000});
    add(stand, vcpu, (struct op){.kind = OP_VMREGS, .n = 9});
    for (int i = 0; i < touches; i++) {
        if (i == touches / 4) {
            add(stand, vcpu, (struct op){.kind = OP_MMU, .on = true});
        }
        add_touch(stand, dice, vcpu);
    }
    add(stand, vcpu, (struct op){.kind = OP_SETWAY, .n = 20});
}

/* A boot, a reset with the memory rewritten, and another boot, one after
 * another. */
static void add_reboot(struct stand *stand, int touches, uint64_t seed)
{
    struct dice dice = dice_of(seed);
    timeline_phase(&stand->timeline, "boot1");
    add(stand, SCRIPT_VMM, (struct op){.kind = OP_FILL, .ipa = IPA, .bytes = 2 * MIB});
    add_boot(stand, &dice, 0, touches);
    timeline_phase(&stand->timeline, "reset1");
    add(stand, SCRIPT_VMM, (struct op){.kind = OP_REINIT, .n = 0});
    add(stand, SCRIPT_VMM, (struct op){.kind = OP_FILL, .ipa = IPA, .bytes = 2 * MIB});
    timeline_phase(&stand->timeline, "boot2");
    add_boot(stand, &dice, 0, touches);
    add(stand, SCRIPT_VMM, (struct op){.kind = OP_DROP, .n = 1});
}

/* vCPUs that boot at once, and again after a re-init of all. */
static void add_parallel(struct stand *stand, uint32_t vcpus, int touches, uint64_t seed)
{
    uint64_t go = timeline_signal(&stand->timeline);
    for (uint32_t i = 0; i < vcpus; i++) {
        struct dice dice = dice_of(seed + i);
        uint64_t done = timeline_signal(&stand->timeline);
        add_boot(stand, &dice, i, touches / 2);
        add(stand, i, (struct op){.kind = OP_SIGNAL, .n = done});
        add(stand, i, (struct op){.kind = OP_WAIT, .n = go});
        add_boot(stand, &dice, i, touches / 2);
        add(stand, SCRIPT_VMM, (struct op){.kind = OP_WAIT, .n = done});
    }
    for (uint32_t i = 0; i < vcpus; i++) {
        add(stand, SCRIPT_VMM, (struct op){.kind = OP_REINIT, .n = i});
    }
    add(stand, SCRIPT_VMM, (struct op){.kind = OP_SIGNAL, .n = go});
}

static struct sim *played(struct stand *stand, bool exact)
{
    struct sim *sim = calloc(1, sizeof *sim);
    struct error err = {0};
    assert_non_null(sim);
    stand->point.exact = exact;
    sim_init(sim, &stand->point);
    if (!sim_run(sim, &err)) {
        fail_msg("%s", err.text);
    }
    return sim;
}

static void discard(struct sim *sim)
{
    sim_free(sim);
    free(sim);
}

/* --- nothing is allocated on the way --- */

#ifndef S2FLUSH_NO_JEMALLOC
static uint64_t allocated(void)
{
    uint64_t bytes = 0;
    size_t size = sizeof bytes;
    assert_int_equal(mallctl("thread.allocated", &bytes, &size, NULL, 0), 0);
    return bytes;
}

static void expect_no_allocation(struct stand *stand, bool exact)
{
    struct sim *sim = calloc(1, sizeof *sim);
    struct error err;
    assert_non_null(sim);
    stand->point.exact = exact;
    uint64_t before = allocated();
    sim_init(sim, &stand->point);
    uint64_t ready = allocated();
    assert_true(ready > before);
    assert_true(sim_run(sim, &err));
    assert_int_equal(allocated() - ready, 0);
    discard(sim);
}
#endif

static void playing_allocates_nothing(void **state)
{
    (void)state;
#ifdef S2FLUSH_NO_JEMALLOC
    print_message("playing_allocates_nothing: built without jemalloc\n");
    skip();
#else
    for (size_t i = 0; i < 2 * strategy_count; i++) {
        struct stand stand;
        bool serial = i % 2 == 0;
        stand_init(&stand, strategy_rows[i / 2].name, serial ? 1 : 4, serial);
        if (serial) {
            add_reboot(&stand, 500, i);
        } else {
            add_parallel(&stand, 4, 300, i);
        }
        expect_no_allocation(&stand, true);
        expect_no_allocation(&stand, false);
        stand_free(&stand);
    }
#endif
}

/* --- accounts --- */

static void every_picosecond_is_accounted_for(void **state)
{
    (void)state;
    struct stand stand;
    stand_init(&stand, "unmap", 4, false);
    add_parallel(&stand, 4, 200, 11);
    struct sim *sim = played(&stand, true);
    ps_t latest = 0;
    for (uint32_t i = 0; i < sim->engine.actor_count; i++) {
        const struct actor *actor = &sim->engine.actors[i];
        const struct ledger_slice own = {i, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL};
        assert_int_equal(ledger_busy(&sim->ledger, own) +
                             ledger_waited(&sim->ledger, i, LEDGER_ALL, LEDGER_ALL) +
                             ledger_idled(&sim->ledger, i, LEDGER_ALL),
                         actor->now);
        latest = actor->now > latest ? actor->now : latest;
    }
    assert_int_equal(sim->end_ps, latest);
    discard(sim);
    stand_free(&stand);
}

/* The window begins with the first re-init: what came before is not in it. */
static void the_window_begins_with_the_first_reinit(void **state)
{
    (void)state;
    struct stand stand;
    stand_init(&stand, "unmap", 1, true);
    add_reboot(&stand, 100, 13);
    struct sim *sim = played(&stand, true);
    uint64_t boot1 = sim_count(sim, 0, LEDGER_ALL, EV_map_calls), inside = 0;
    uint64_t all = sim_count(sim, LEDGER_ALL, LEDGER_ALL, EV_map_calls);
    for (uint32_t site = 0; site < SITES; site++) {
        inside += sim->window[site * EVENT_KINDS + EV_map_calls];
    }
    assert_true(boot1 > 0 && boot1 < all);
    assert_int_equal(inside, all - boot1);
    assert_int_equal(sim_window_ps(sim), sim->end_ps - sim->reinit_ps);
    assert_true(sim->first_insn_ps > sim->reinit_ps && sim->first_insn_ps < sim->end_ps);
    assert_int_equal(sim->reinit_count, 1);
    assert_int_equal(sim->reinits[0].unmapped_bytes, sim->phases[1].mapped_start_bytes);
    assert_true(sim_cpu_ps(sim) <= sim_window_ps(sim));
    assert_int_equal(sim->phases[1].filled_bytes, 2 * MIB);
    discard(sim);
    stand_free(&stand);
}

/* Waiting for the lock before the re-init is no cost of the reboot. */
static void waiting_before_the_window_is_not_in_it(void **state)
{
    (void)state;
    struct stand stand;
    struct error err;
    stand_init(&stand, "none", 4, false);
    assert_true(kernel_override(&stand.kernel, "fault_lock=spin", NULL, &err));
    for (uint32_t i = 0; i < 4; i++) {
        struct dice dice = dice_of(i);
        uint64_t done = timeline_signal(&stand.timeline);
        add_boot(&stand, &dice, i, 50);
        add(&stand, i, (struct op){.kind = OP_SIGNAL, .n = done});
        add(&stand, SCRIPT_VMM, (struct op){.kind = OP_WAIT, .n = done});
    }
    add(&stand, SCRIPT_VMM, (struct op){.kind = OP_REINIT, .n = 0});
    struct sim *sim = played(&stand, true);
    assert_true(ledger_waited(&sim->ledger, LEDGER_ALL, LEDGER_ALL, RESOURCE_MMU_LOCK) > 0);
    assert_int_equal(sim_cpu_ps(sim),
                     sim->window[SITE_REINIT * EVENT_KINDS + EV_reinits] * sim->price[EV_reinits]);
    discard(sim);
    stand_free(&stand);
}

/* --- the same again --- */

static void expect_same_results(const struct sim *a, const struct sim *b)
{
    size_t counts = (size_t)a->ledger.shape.actors * a->ledger.shape.phases *
                    a->ledger.shape.sites * a->ledger.shape.kinds;
    size_t waits =
        (size_t)a->ledger.shape.actors * a->ledger.shape.phases * a->ledger.shape.resources;
    assert_memory_equal(a->ledger.counts, b->ledger.counts, counts * sizeof *a->ledger.counts);
    assert_memory_equal(a->ledger.waits, b->ledger.waits, waits * sizeof *a->ledger.waits);
    assert_memory_equal(a->window, b->window, sizeof *a->window * SITES * EVENT_KINDS);
    assert_memory_equal(a->memory.oracle.verdict, b->memory.oracle.verdict,
                        sizeof a->memory.oracle.verdict);
    assert_int_equal(a->end_ps, b->end_ps);
    assert_int_equal(a->engine.steps, b->engine.steps);
}

static void playing_twice_gives_the_same_bytes(void **state)
{
    (void)state;
    for (int exact = 0; exact <= 1; exact++) {
        struct stand stand;
        stand_init(&stand, "unmap", 4, false);
        add_parallel(&stand, 4, 300, 17);
        struct sim *a = played(&stand, exact), *b = played(&stand, exact);
        expect_same_results(a, b);
        discard(a);
        discard(b);
        stand_free(&stand);
    }
}

/* --- exact and fast --- */

/* Counts that depend on what sits in a cache: the two caches differ. */
static bool of_the_cache(uint32_t kind)
{
    return kind == EV_line_absent || kind == EV_line_clean || kind == EV_line_dirty ||
           kind == EV_writeback_bytes || kind == EV_guest_hits || kind == EV_guest_misses ||
           kind == EV_guest_remote;
}

static uint64_t lines(const struct sim *sim, uint32_t site)
{
    return sim_count(sim, LEDGER_ALL, site, EV_line_absent) +
           sim_count(sim, LEDGER_ALL, site, EV_line_clean) +
           sim_count(sim, LEDGER_ALL, site, EV_line_dirty);
}

static void expect_equal_counts(const struct sim *exact, const struct sim *fast)
{
    for (uint32_t site = 0; site < SITES; site++) {
        for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
            uint64_t a = sim_count(exact, LEDGER_ALL, site, kind);
            uint64_t b = sim_count(fast, LEDGER_ALL, site, kind);
            if (a != b && !of_the_cache(kind)) {
                fail_msg("%s at %s: exact %llu, fast %llu", event_name[kind], site_name[site],
                         (unsigned long long)a, (unsigned long long)b);
            }
        }
        assert_int_equal(lines(exact, site), lines(fast, site));
    }
}

static void exact_and_fast_agree_where_caches_do_not_matter(void **state)
{
    (void)state;
    for (size_t i = 0; i < strategy_count; i++) {
        struct stand stand;
        stand_init(&stand, strategy_rows[i].name, 1, true);
        stand.platform.cache_bytes = 0; /* every line a miss, in both caches */
        add_reboot(&stand, 200, i);
        struct sim *exact = played(&stand, true), *fast = played(&stand, false);
        expect_equal_counts(exact, fast);
        assert_int_equal(exact->end_ps, fast->end_ps);
        assert_memory_equal(exact->memory.oracle.verdict, fast->memory.oracle.verdict,
                            sizeof exact->memory.oracle.verdict);
        assert_true(fast->engine.steps < exact->engine.steps);
        discard(exact);
        discard(fast);
        stand_free(&stand);
    }
}

/* --- what cannot end --- */

static void waiting_for_ever_is_an_error(void **state)
{
    (void)state;
    struct stand stand;
    struct error err = {0};
    stand_init(&stand, "unmap", 1, false);
    add(&stand, 0, (struct op){.kind = OP_WAIT, .n = timeline_signal(&stand.timeline)});
    struct sim *sim = calloc(1, sizeof *sim);
    assert_non_null(sim);
    sim_init(sim, &stand.point);
    assert_false(sim_run(sim, &err));
    assert_int_equal(err.status, EXIT_RUN);
    assert_non_null(strstr(err.text, "waits for ever"));
    discard(sim);
    stand_free(&stand);
}

/* A private huge page of 1 GiB is cleared as a whole when it is first used. */
static void a_huge_page_of_1g_is_cleared_whole(void **state)
{
    (void)state;
    struct stand stand;
    struct error err;
    stand_init(&stand, "unmap", 1, true);
    struct slot_shape slot = {.ipa = 4 * IPA, .bytes = GIB, .backing = BACKING_HUGETLB_1G};
    assert_true(vm_shape_slot(&stand.timeline.vm, slot, &err));
    add(&stand, 0,
        (struct op){
            .kind = OP_TOUCH, .access = TOUCH_WRITE, .ipa = 4 * IPA, .bytes = 4 * KIB, .count = 1});
    struct sim *sim = played(&stand, false);
    assert_int_equal(sim_count(sim, LEDGER_ALL, LEDGER_ALL, EV_map_1g), 1);
    assert_int_equal(sim_count(sim, LEDGER_ALL, LEDGER_ALL, EV_zero_bytes), MIB);
    assert_int_equal(sim_count(sim, LEDGER_ALL, LEDGER_ALL, EV_host_alloc), 1);
    discard(sim);
    stand_free(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(playing_allocates_nothing),
        cmocka_unit_test(every_picosecond_is_accounted_for),
        cmocka_unit_test(the_window_begins_with_the_first_reinit),
        cmocka_unit_test(waiting_before_the_window_is_not_in_it),
        cmocka_unit_test(playing_twice_gives_the_same_bytes),
        cmocka_unit_test(exact_and_fast_agree_where_caches_do_not_matter),
        cmocka_unit_test(waiting_for_ever_is_an_error),
        cmocka_unit_test(a_huge_page_of_1g_is_cleared_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

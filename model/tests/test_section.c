/* What several actors do at once is timed again as playing it would come out, and not where they
 * would see another thing of each other. */
#include "core/error.h"
#include "core/section.h"
#include "study/trial_json.h"
#include "study_files.h"

#include "study/draws.h"

#include <string.h>

#define DRAWS 8

struct seen {
    size_t same, waited, declined;
};

/* As the store gives it back. */
static struct trial stored(const struct trial *trial)
{
    struct trial_json json;
    struct trial back = {.serial = trial->serial};
    static char none[] = "";
    trial_json_of(trial, &json);
    assert_non_null(json.sections);
    assert_null(json.tails);
    json.tails = none;
    assert_true(trial_json_read(&json, &back));
    json.tails = NULL;
    memcpy(back.price, trial->price, sizeof back.price);
    trial_json_free(&json);
    return back;
}

static void expect_draw(const struct setup *setup, const struct timeline *timeline,
                        const struct trial *base, const double value[COSTS], struct seen *seen)
{
    struct error err;
    ps_t price[EVENT_KINDS];
    struct trial again;
    struct times played, priced;
    trial_prices(setup, value, price);
    if (!trial_price(base, setup, value, price, NULL, &priced)) {
        seen->declined++;
        return;
    }
    assert_true(trial_play(setup, timeline, value, &again, &err));
    trial_times(&again, price, &played);
    assert_int_equal(played.window_ps, priced.window_ps);
    assert_int_equal(played.cpu_ps, priced.cpu_ps);
    assert_memory_equal(played.part, priced.part, sizeof played.part);
    ps_t busy = 0;
    for (int part = 0; part < PARTS; part++) {
        busy += priced.part[part];
    }
    seen->same++;
    seen->waited += priced.cpu_ps > busy;
    trial_free(&again);
}

static void expect_point(const struct study *study, size_t point, struct seen *seen)
{
    struct draw_plan plan = {.seed = 7, .draws = DRAWS, .shifts = 1};
    struct setup setup;
    struct timeline timeline;
    struct trial base;
    struct error err;
    double value[COSTS], drawn[DRAWS][COSTS];
    assert_true(study_setup(study, point, &setup, &err));
    assert_true(workload_build(setup.workload, &timeline, &err));
    platform_modes(&setup.platform, value);
    draw_costs(&plan, &setup.platform, drawn);
    if (!trial_play(&setup, &timeline, value, &base, &err)) {
        fail_msg("%s", err.text);
    }
    assert_false(base.serial);
    assert_true(base.section_count > 0);
    struct trial back = stored(&base);
    for (size_t draw = 0; draw < DRAWS; draw++) {
        expect_draw(&setup, &timeline, draw % 2 ? &back : &base, drawn[draw], seen);
    }
    trial_free(&back);
    trial_free(&base);
    timeline_free(&timeline);
    setup_free(&setup);
}

/* Of flushes by two to many threads, of small and large leaves, of some slots and of many, of all
 * and of what was recorded, by line and by range, leaf by leaf and in few steps. */
static void is_that_of_playing(void **state)
{
    static const char *const sets[][3] = {
        {"backing=4k", "workers=4", "footprint=4G"},
        {"backing=thp", "workers=4", "touched=10%"},
        {"backing=4k", "workers=2", "granule=64K"},
        {"backing=thp", "workers=7", "granule=16K"},
        {"backing=hugetlb-1g", "workers=3", "footprint=4G"},
        {"backing=4k", "workers=14", "touched=1%"},
        {"backing=thp", "workers=4", "flush_leaves=pages"},
        {"backing=thp", "workers=5", "flush_record=ranges"},
        {"backing=4k", "workers=4", "flush_by=range"},
        {"fidelity=exact", "workers=3", "footprint=32M"},
        {"workload=s12-locked-memory", "workers=4", "backing=4k"},
        {"workload=recorded-4k", "workers=4", "machine=kunpeng-920"},
        {"workload=s01-microvm", "workers=2", "machine=kunpeng-920"},
        {"kernel=5.10", "workers=4", "backing=4k"},
    };
    struct seen seen = {0};
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        struct study study;
        read_good_with(&study,
                       "[study]\ndraws = 0\n[set]\nworkload = generated-boot\n[axes]\n"
                       "machine = kunpeng-920, neoverse-n1, cortex-a72\nstrategy = eager\n",
                       sets[i], 3);
        for (size_t point = 0; point < study.points; point++) {
            expect_point(&study, point, &seen);
        }
        study_free(&study);
    }
    print_message("%zu draws are those of playing them, in %zu of which workers wait; "
                  "%zu must be played\n",
                  seen.same, seen.waited, seen.declined);
    assert_true(seen.same > 200);
    assert_true(seen.waited > 50);
}

/* Two actors of which the one that starts the other works for so long and then looks whether it is
 * alone. */
static bool replay(ps_t first_ps, ps_t other_ps, double weight, bool alone, ps_t *took_ps,
                   ps_t *waited_ps)
{
    struct section_step steps[] = {
        {.request = SECTION_FLOW},  {.request = SECTION_NONE, .asked = true, .alone = alone},
        {.request = SECTION_WAIT},  {.request = SECTION_FLOW},
        {.request = SECTION_RAISE},
    };
    struct section_turn turns[] = {{0, 2}, {1, 1}, {2, 1}, {3, 3}, {4, 1}};
    size_t own[] = {3, 2};
    struct section section = {
        .actors = 2, .steps = steps, .step_count = 5, .turns = turns, .turn_count = 5, .own = own};
    struct section_time time[5] = {[0] = {.alone_ps = first_ps, .weight = weight},
                                   [3] = {.alone_ps = other_ps, .weight = weight}};
    return section_replay(&section, time, took_ps, waited_ps);
}

static void what_they_see_of_each_other_counts(void **state)
{
    ps_t took, waited;
    (void)state;
    assert_true(replay(100, 100, 0.5, false, &took, &waited));
    assert_int_equal(took, 300);
    assert_int_equal(waited, 0);
    assert_false(replay(100, 50, 0.5, false, &took, &waited)); /* the other one has ended by then */
    assert_true(replay(100, 50, 0.5, true, &took, &waited));
    assert_int_equal(took, 200);
    assert_false(replay(100, 100, 0.5, true, &took, &waited));
    /* Both need the whole path: twice as long while both are there. */
    assert_true(replay(100, 100, 1, false, &took, &waited));
    assert_int_equal(took, 500);
    assert_int_equal(waited, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_that_of_playing),
        cmocka_unit_test(what_they_see_of_each_other_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Strategies that share a play: what each comes to by its own. */
#include "random_case.h"
#include "study_files.h"
#include "study_results.h"

#include "core/units.h"
#include "study/alike.h"

#include <string.h>

static void play_case(const struct random_case *of, const struct strategy *strategy,
                      struct trial *trial)
{
    struct error err = {0};
    struct setup setup = {.platform = of->platform,
                          .kernel = of->kernel,
                          .preemptible = of->preemptible,
                          .strategy = strategy};
    if (!trial_play(&setup, &of->timeline, of->value, trial, &err)) {
        fail_msg("%s", err.text);
    }
}

static bool same_counts(const struct trial *a, const struct trial *b)
{
    bool same = a->count == b->count && a->serial == b->serial &&
                a->section_count == b->section_count && a->tail_count == b->tail_count &&
                memcmp(a->seen, b->seen, sizeof a->seen) == 0 && a->notified == b->notified;
    for (size_t i = 0; same && i < a->count; i++) {
        same = a->counts[i].kind == b->counts[i].kind && a->counts[i].site == b->counts[i].site &&
               a->counts[i].n == b->counts[i].n;
    }
    return same;
}

/* Where one never came to what they differ in, the other comes to the same in all; where it did,
 * they do differ now and then. */
static void a_play_that_is_shared_is_its_own(void **state)
{
    (void)state;
    size_t shared = 0, apart = 0, differ = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct random_case of;
        struct strategy other;
        struct trial one, two;
        random_case_make(&of, (enum random_kind)(seed % (RANDOM_RACE + 1)), seed);
        if (alike_other(&of.strategy, &other)) {
            play_case(&of, &of.strategy, &one);
            play_case(&of, &other, &two);
            bool alike = alike_play(&one, &of.timeline);
            bool same = trial_same_outcome(&one, &two) && same_counts(&one, &two);
            if (alike && !same) {
                fail_msg("seed %llu, %s: the two differ", (unsigned long long)seed,
                         of.strategy.name);
            }
            assert_true(alike == alike_play(&two, &of.timeline));
            shared += alike;
            apart += !alike;
            differ += !same;
            trial_free(&one);
            trial_free(&two);
        }
        random_case_free(&of);
    }
    print_message("%zu plays are shared, %zu are not, %zu of these differ\n", shared, apart,
                  differ);
    assert_true(shared >= 40 && apart >= 40 && differ >= 20);
}

static void only_where_it_has_an_effect(void **state)
{
    (void)state;
    struct error err;
    struct strategy other;
    assert_true(alike_other(strategy_find("unmap-lazy", &err), &other));
    assert_true(other.notifier_unmap_cleans);
    assert_true(alike_other(&other, &other));
    assert_false(other.notifier_unmap_cleans);
    assert_false(alike_other(strategy_find("fwb", &err), &other));
    assert_false(alike_other(&strategy_ideal, &other));
}

/* --- vCPUs that enter behind the last re-init --- */

/* Two vCPUs that are re-inited and enter; `again`: vCPU 1 is re-inited once more, behind that
 * signal, `waits`: vCPU 1 waits for it. */
static void build_entry(struct timeline *timeline, bool waits, bool again)
{
    struct error err;
    timeline_init(timeline, "entry", false, 2);
    struct slot_shape slot = {.ipa = MIB, .bytes = MIB, .backing = BACKING_4K};
    assert_true(vm_shape_slot(&timeline->vm, slot, &err));
    timeline_phase(timeline, "entry");
    uint64_t entered = timeline_signal(timeline);
    timeline_add(timeline, SCRIPT_VMM, (struct op){.kind = OP_REINIT, .n = 0});
    timeline_add(timeline, SCRIPT_VMM, (struct op){.kind = OP_REINIT, .n = 1});
    timeline_add(timeline, SCRIPT_VMM, (struct op){.kind = OP_SIGNAL, .n = entered});
    for (uint32_t vcpu = 0; vcpu < 2; vcpu++) {
        if (waits || vcpu == 0) {
            timeline_add(timeline, vcpu, (struct op){.kind = OP_WAIT, .n = entered});
        }
        timeline_add(timeline, vcpu, (struct op){.kind = OP_ENTER});
        timeline_add(timeline, vcpu, (struct op){.kind = OP_MMU, .on = true});
        timeline_add(timeline, vcpu,
                     (struct op){.kind = OP_TOUCH,
                                 .access = TOUCH_WRITE,
                                 .ipa = MIB,
                                 .bytes = 64 * KIB,
                                 .stride = 64 * KIB,
                                 .count = 4});
    }
    if (again) {
        timeline_add(timeline, SCRIPT_VMM, (struct op){.kind = OP_COMPUTE, .n = 1000 * PS_PER_US});
        timeline_add(timeline, SCRIPT_VMM, (struct op){.kind = OP_REINIT, .n = 1});
    }
}

/* How many of the built-in strategies share the play of `none`, and do come to the same. */
static size_t shared_with_none(struct random_case *of, bool waits, bool again)
{
    struct error err;
    struct setup setup = {.platform = of->platform, .kernel = of->kernel};
    const struct strategy *none = strategy_find("none", &err);
    char hash[2][SETUP_HASH];
    struct trial own, its;
    size_t shared = 0;
    timeline_free(&of->timeline);
    build_entry(&of->timeline, waits, again);
    struct setup_hasher *begun = setup_play_begin(&setup, &of->timeline);
    setup_play_finish(begun, none, hash[0]);
    play_case(of, none, &its);
    for (size_t i = 0; i < strategy_count; i++) {
        setup_play_finish(begun, &strategy_rows[i], hash[1]);
        if (strcmp(hash[0], hash[1]) == 0) {
            play_case(of, &strategy_rows[i], &own);
            assert_true(trial_same_outcome(&own, &its) && same_counts(&own, &its));
            trial_free(&own);
            shared++;
        }
    }
    trial_free(&its);
    setup_hash_free(begun);
    return shared;
}

/* Of `eager` and `none`: all that they differ in is done at a re-init of a vCPU that has run. */
static void what_no_reinit_does_is_shared(void **state)
{
    (void)state;
    struct random_case of;
    random_case_make(&of, RANDOM_SERIAL, 1);
    assert_int_equal(shared_with_none(&of, true, false), 2);
    assert_int_equal(shared_with_none(&of, false, false), 1);
    assert_int_equal(shared_with_none(&of, true, true), 1);
    random_case_free(&of);
}

/* --- a study --- */

static const char text[] =
    "[study]\ndraws = 8\nshifts = 4\n[set]\nworkload = generated-boot\nfootprint = 8M\n"
    "vcpus = 3\nbacking = 4k\nsecondaries_after = 2M\n[axes]\n"
    "machine = kunpeng-920\ntouched = 0, 50%%\nstrategy = %s\n";

static void results_of(const char *strategies, struct study *study, struct study_results *results)
{
    char own[sizeof text + 64];
    struct error err = {0};
    snprintf(own, sizeof own, text, strategies);
    read_good(study, own);
    if (!study_results_of(study, 1, results, &err)) {
        fail_msg("%s", err.text);
    }
}

/* Both in one store, and the second one in a store of its own. */
static void rows_do_not_say_who_played(void **state)
{
    (void)state;
    struct study both, own;
    struct study_results together, alone;
    results_of("unmap-lazy, reinit-lazy", &both, &together);
    results_of("reinit-lazy", &own, &alone);
    assert_int_equal(together.count, 2 * alone.count);
    assert_int_equal(store_plays(together.store).kept - store_plays(together.store).alike,
                     store_plays(alone.store).kept);
    assert_int_equal(store_plays(alone.store).alike, 0);
    for (size_t i = 0; i < alone.count; i++) {
        const struct point_result *shared = &together.points[2 * i + 1], *is = &alone.points[i];
        assert_int_equal(shared->worst, is->worst);
        assert_string_equal(shared->condition, is->condition);
        for (int metric = 0; metric < METRICS; metric++) {
            assert_memory_equal(&shared->metric[metric], &is->metric[metric],
                                sizeof is->metric[metric]);
        }
    }
    study_results_free(&together);
    study_results_free(&alone);
    study_free(&both);
    study_free(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_play_that_is_shared_is_its_own),
        cmocka_unit_test(only_where_it_has_an_effect),
        cmocka_unit_test(what_no_reinit_does_is_shared),
        cmocka_unit_test(rows_do_not_say_who_played),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

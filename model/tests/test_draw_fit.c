/* Draws that are fitted to others: against what playing them comes to. */
#include "study_files.h"
#include "study_results.h"

#include "machine/price.h"
#include "study/draw_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- a fit --- */

enum { RUNS = 24 };

/* Runs of one count each of four kinds, whose prices are drawn. */
struct made {
    struct event_count count[4];
    struct trial trial;
    double costs[COSTS];
    ps_t price[RUNS][EVENT_KINDS];
    struct draw_fit_run run[RUNS];
};

static void make(struct made *made, uint64_t seed)
{
    static const enum event_kind kinds[4] = {EV_exits, EV_fault_path, EV_guest_insns,
                                             EV_tlbi_calls};
    struct dice dice = dice_of(seed);
    memset(made, 0, sizeof *made);
    for (size_t i = 0; i < 4; i++) {
        made->count[i] = (struct event_count){.kind = kinds[i], .site = SITE_FAULT, .n = 1000};
    }
    made->trial = (struct trial){.counts = made->count, .count = 4};
    for (size_t run = 0; run < RUNS; run++) {
        for (size_t i = 0; i < 4; i++) {
            made->price[run][kinds[i]] = 1000 + roll(&dice, 1000);
        }
        made->run[run] = (struct draw_fit_run){
            .trial = &made->trial, .costs = made->costs, .price = made->price[run]};
    }
}

/* Some events take all of their time, others a part of it, as where several go on at once. */
static double time_of(const struct made *made, size_t run, double others)
{
    const ps_t *price = made->price[run];
    return 1000 * ((double)price[EV_exits] + 0.4 * (double)price[EV_fault_path] +
                   others * (double)price[EV_guest_insns] + 2.5 * (double)price[EV_tlbi_calls]);
}

static void finds_weights_of_events(void **state)
{
    struct made made;
    struct draw_fit fit;
    double value[RUNS], miss[RUNS];
    bool known[RUNS];
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        make(&made, seed);
        draw_fit_open(&fit, made.run, RUNS);
        for (size_t run = 0; run < RUNS; run++) {
            known[run] = run < 12;
            value[run] = known[run] ? time_of(&made, run, 0.1) : 0;
        }
        draw_fit_values(&fit, known, value, miss);
        draw_fit_close(&fit);
        for (size_t run = 0; run < RUNS; run++) {
            double is = time_of(&made, run, 0.1);
            assert_true(fabs(value[run] - is) <= 1e-3 * is);
            assert_true(!known[run] || fabs(miss[run]) <= 1e-2 * is);
        }
    }
}

/* --- a study --- */

static const char contended[] =
    "[study]\ndraws = 32\nshifts = 8\nseed = 3\n"
    "metrics = added_boot_ns, cpu_ns, faults\n"
    "[set]\nbacking = 4k\nworkload = generated-boot\nfootprint = 4G\n[axes]\nmachine = "
    "kunpeng-920\nvcpus = 1, 8\n"
    "strategy = unmap, eager, unmap-vmall, reinit-lazy-vmall\n";

static void results_with(struct study *study, const char *first, const char *second, unsigned jobs,
                         struct study_results *results)
{
    const char *set[] = {first, second};
    struct error err = {0};
    bool wanted[METRICS];
    struct sweep sweep = {.jobs = jobs};
    struct store_about about;
    read_good_with(study, contended, set, second ? 2 : 1);
    assert_true(metric_select(study->metrics, wanted, NULL, &err));
    *results = (struct study_results){.count = study->points};
    assert_true(run_about(study, (struct shard){1, 1}, "csv", &about, &err));
    results->store = store_open(NULL, &about, false, &err);
    store_about_free(&about);
    assert_non_null(results->store);
    if (!study_execute(study, &sweep, results->store, wanted, &err)) {
        fail_msg("%s", err.text);
    }
    results->sum = store_sum(results->store);
    results->points = calloc(study->points, sizeof *results->points);
    assert_non_null(results->points);
    assert_true(store_each_point(results->store, take_result, results, &err));
}

/* Fewer plays, as many draws, and bands that are where playing all puts them. */
static void fitted_draws_are_what_playing_them_is(void **state)
{
    struct study all, some;
    struct study_results played, fitted;
    uint64_t count = 0;
    double worst = 0;
    (void)state;
    results_with(&all, "draws_min=0", NULL, 2, &played);
    results_with(&some, "draws_min=8", NULL, 2, &fitted);
    for (size_t i = 0; i < played.count; i++) {
        const struct spread *a = &played.points[i].metric[METRIC_added_boot_ns];
        const struct spread *b = &fitted.points[i].metric[METRIC_added_boot_ns];
        double band = a->p90 - a->p10;
        assert_true(a->fitted == 0 && a->n == 32 && b->n == 32);
        assert_true(b->fitted <= 29);
        assert_true(a->mode == b->mode);
        count += b->fitted;
        worst = fmax(worst, fabs(a->p10 - b->p10) / band);
        worst = fmax(worst, fabs(a->p50 - b->p50) / band);
        worst = fmax(worst, fabs(a->p90 - b->p90) / band);
        assert_true(fitted.points[i].metric[METRIC_faults].fitted == 0);
    }
    print_message("%llu of %llu plays; a quantile off by %.3f of the band at most\n",
                  (unsigned long long)fitted.sum.plays, (unsigned long long)played.sum.plays,
                  worst);
    assert_true(count > 0);
    assert_true(worst < 0.1);
    assert_true(fitted.sum.plays + count == played.sum.plays);
    study_results_free(&played);
    study_results_free(&fitted);
    study_free(&all);
    study_free(&some);
}

static void threads_do_not_matter(void **state)
{
    struct study one, four;
    struct study_results a, b;
    (void)state;
    results_with(&one, "draws_min=8", NULL, 1, &a);
    results_with(&four, "draws_min=8", NULL, 4, &b);
    for (size_t i = 0; i < a.count; i++) {
        assert_memory_equal(&a.points[i].metric[METRIC_added_boot_ns],
                            &b.points[i].metric[METRIC_added_boot_ns], sizeof(struct spread));
        assert_memory_equal(&a.points[i].metric[METRIC_cpu_ns], &b.points[i].metric[METRIC_cpu_ns],
                            sizeof(struct spread));
    }
    study_results_free(&a);
    study_results_free(&b);
    study_free(&one);
    study_free(&four);
}

/* A tail has no fit: who asks for one gets all draws played. */
static void tails_are_played(void **state)
{
    struct study study;
    struct study_results results;
    (void)state;
    results_with(&study, "draws_min=8", "metrics=added_boot_ns, pause_ns", 2, &results);
    for (size_t i = 0; i < results.count; i++) {
        const struct spread *added = &results.points[i].metric[METRIC_added_boot_ns];
        const struct spread *pause = &results.points[i].metric[METRIC_pause_ns];
        assert_true(added->fitted == 0 && pause->fitted == 0 && pause->n == 32);
    }
    study_results_free(&results);
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_weights_of_events),
        cmocka_unit_test(fitted_draws_are_what_playing_them_is),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(tails_are_played),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Studies whose draws are fitted to others that were played: in one go, stopped and gone on with,
 * and in shards they come to the same bytes. */
#include "core/error.h"
#include "store_files.h"

#include "study/evaluate.h"
#include "study/stats.h"

#include <math.h>

static const char text[] =
    "[study]\ndraws = 16\nshifts = 8\ndraws_min = 8\nmetrics = added_boot_ns, cpu_ns, "
    "faults\n[set]\n"
    "workload = generated-boot\nfootprint = 8M\ntouched = 100%\nvcpus = 3\nsecondaries_after = 2M\n"
    "[axes]\nmachine = neoverse-n1, kunpeng-920\nstrategy = unmap, eager\nbacking = 4k, thp\n";

/* Plays on for so many parts; SIZE_MAX: to the end. Returns whether it came there. */
static bool play(const struct study *study, const char *name, struct shard shard, size_t parts)
{
    struct sweep sweep = {.jobs = 1, .stopped = parts < SIZE_MAX ? stop_after : NULL};
    struct store *store = good_store(study, name, shard);
    struct error err = {0};
    bool wanted[METRICS];
    assert_true(metric_select(study->metrics, wanted, NULL, &err));
    parts_left = parts;
    bool good = study_execute(study, &sweep, store, wanted, &err);
    if (!good && !strstr(err.text, "interrupted")) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(store_plays(store).repeated, 0);
    close_good(store);
    return good;
}

static void count_fitted(void *context, const struct stored_point *point)
{
    *(uint64_t *)context += point->result.metric[METRIC_added_boot_ns].fitted;
}

/* The rows of a store; `fitted` gets how many draws are. The caller frees them. */
static char *rows_of(const struct study *study, const char *name, uint64_t *fitted)
{
    struct error err = {0};
    size_t size = 0;
    struct store *store = good_store(study, name, whole);
    *fitted = 0;
    assert_true(store_each_point(store, count_fitted, fitted, &err));
    assert_true(export_write(store, both_formats, folder(), &err));
    close_good(store);
    return bytes_of("rows.csv", &size);
}

static void expect_rows(const struct study *study, const char *name, const char *rows)
{
    uint64_t fitted = 0;
    char *own = rows_of(study, name, &fitted);
    assert_true(fitted > 0);
    assert_string_equal(own, rows);
    free(own);
    remove_file(name);
}

/* Stopped after some parts, which are cells and plays in them, as often as it takes. */
static void the_same_rows_however_it_is_played(void **state)
{
    static const char *const names[] = {"s1.db", "s2.db", "s3.db"};
    struct study study;
    struct error err = {0};
    uint64_t fitted = 0;
    (void)state;
    read_good(&study, text);
    remove_file("a.db");
    assert_true(play(&study, "a.db", whole, SIZE_MAX));
    char *rows = rows_of(&study, "a.db", &fitted);
    print_message("%llu of 128 draws are fitted\n", (unsigned long long)fitted);
    assert_in_range(fitted, 1, 104);
    remove_file("a.db");
    for (size_t first = 5; first <= 8; first += 3) {
        remove_file("b.db");
        size_t turns = 1;
        for (size_t parts = first; !play(&study, "b.db", whole, parts); parts += first) {
            turns++; /* what is there already counts as parts, too */
        }
        assert_true(turns > 3);
        expect_rows(&study, "b.db", rows);
    }
    /* In shards, of which one is stopped, too. */
    struct store *merged = good_store(&study, "c.db", whole);
    for (uint32_t number = 1; number <= 3; number++) {
        char path[512];
        remove_file(names[number - 1]);
        if (number == 2) {
            (void)play(&study, names[number - 1], (struct shard){number, 3}, 9);
        }
        assert_true(play(&study, names[number - 1], (struct shard){number, 3}, SIZE_MAX));
        path_of(names[number - 1], path, sizeof path);
        assert_true(store_merge(merged, path, &err));
        remove_file(names[number - 1]);
    }
    close_good(merged);
    expect_rows(&study, "c.db", rows);
    free(rows);
    study_free(&study);
}

/* Another order of strategies changes no fit: each is fitted to its own draws. */
static void the_order_of_strategies_is_none(void **state)
{
    static const char *const sets[] = {"strategy=unmap, eager", "strategy=eager, unmap"};
    struct spread found[2][2]; /* by study and strategy */
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *set[] = {sets[i], "machine=kunpeng-920", "backing=4k"};
        struct study study;
        struct error err = {0};
        bool wanted[METRICS];
        struct sweep sweep = {.jobs = 1};
        struct evaluator evaluator;
        struct scenario scenario;
        struct store *store = store_in_memory();
        read_good_with(&study, text, set, 3);
        assert_true(metric_select(study.metrics, wanted, NULL, &err));
        evaluator_open(&evaluator, &study, &sweep, store);
        assert_true(scenario_open(&scenario, &evaluator, 0, (struct scenario_key){0}, &err));
        for (size_t s = 0; s < 2; s++) {
            double values[17];
            size_t own = i == 0 ? s : 1 - s;
            assert_true(evaluate_metric(&scenario, METRIC_added_boot_ns, &study.strategies[s], 1,
                                        values, &err));
            memset(&found[i][own], 0, sizeof found[i][own]);
            spread_fill(&found[i][own], values + 1, 16, 8);
        }
        scenario_close(&scenario);
        evaluator_close(&evaluator);
        store_drop(store);
        study_free(&study);
    }
    assert_memory_equal(found[0], found[1], sizeof found[0]);
}

/* All runs of a strategy in a scenario; with how many draws to be played at least. */
static void times_of(const char *draws_min, size_t point, struct times times[2][17])
{
    struct study study;
    struct error err = {0};
    struct sweep sweep = {.jobs = 1};
    struct evaluator evaluator;
    struct scenario scenario;
    struct store *store = store_in_memory();
    read_good_with(&study, text, &draws_min, 1);
    evaluator_open(&evaluator, &study, &sweep, store);
    assert_true(scenario_open(&scenario, &evaluator, point, (struct scenario_key){0}, &err));
    for (size_t s = 0; s < 2; s++) {
        if (!evaluate_runs(&scenario, study.strategies[s], TAILS_NONE, times[s], &err)) {
            fail_msg("%s", err.text);
        }
    }
    scenario_close(&scenario);
    evaluator_close(&evaluator);
    store_drop(store);
    study_free(&study);
}

static double off(ps_t fitted, ps_t played)
{
    return (double)fitted / (double)played - 1;
}

/* Each run that is marked as fitted is near what playing it comes to, all of them together more so;
 * one that is not marked is that, to the last ps. */
static void each_fitted_run_is_near_its_play(void **state)
{
    (void)state;
    double squares = 0, n = 0;
    for (size_t point = 0; point < 8;
         point += 1 + (point % 2) * 2) { /* of both machines and sizes */
        struct times fitted[2][17], played[2][17];
        times_of("draws_min=8", point, fitted);
        times_of("draws_min=0", point, played);
        for (size_t s = 0; s < 2; s++) {
            size_t marked = 0;
            for (size_t run = 0; run < 17; run++) {
                const struct times *own = &fitted[s][run], *is = &played[s][run];
                assert_false(is->fitted);
                if (!own->fitted) {
                    assert_memory_equal(own->part, is->part, sizeof own->part);
                    assert_int_equal(own->window_ps, is->window_ps);
                    assert_int_equal(own->cpu_ps, is->cpu_ps);
                    assert_int_equal(own->priced, is->priced);
                    continue;
                }
                marked++;
                assert_true(run > 0 && !own->priced && !own->has_tail);
                double window = off(own->window_ps, is->window_ps);
                double cpu = off(own->cpu_ps, is->cpu_ps);
                if (fabs(window) > 0.05 || fabs(cpu) > 0.05) {
                    fail_msg("point %zu, strategy %zu, run %zu: off by %.3f, %.3f", point, s, run,
                             window, cpu);
                }
                for (int part = 0; part < PARTS; part++) { /* of the events of another draw's run */
                    double more = (double)own->part[part] - (double)is->part[part];
                    assert_true(fabs(more) < 0.05 * (double)is->cpu_ps);
                }
                squares += window * window + cpu * cpu;
                n += 2;
            }
            assert_true(marked <= 13);
        }
    }
    print_message("%.0f fitted times are off by %.2f %%\n", n, 100 * sqrt(squares / n));
    assert_true(n >= 16);
    assert_true(sqrt(squares / n) < 0.01);
}

/* A scenario of the first point with one more setting. */
struct bench {
    struct study study;
    struct sweep sweep;
    struct evaluator evaluator;
    struct scenario scenario;
    struct store *store;
};

static void open_bench(struct bench *bench, const char *const *set, size_t sets)
{
    struct error err = {0};
    *bench = (struct bench){.sweep = {.jobs = 1}, .store = store_in_memory()};
    read_good_with(&bench->study, text, set, sets);
    evaluator_open(&bench->evaluator, &bench->study, &bench->sweep, bench->store);
    assert_true(
        scenario_open(&bench->scenario, &bench->evaluator, 0, (struct scenario_key){0}, &err));
}

static void close_bench(struct bench *bench)
{
    scenario_close(&bench->scenario);
    evaluator_close(&bench->evaluator);
    store_drop(bench->store);
    study_free(&bench->study);
}

/* Fits are for studies that say how many draws are to be played, fewer than there are, of more than
 * eight, and that ask for no tail. */
static void which_studies_are_fitted(void **state)
{
    static const struct {
        const char *set[3];
        size_t sets;
        bool fits;
    } cases[] = {
        {{"draws_min=8"}, 1, true},
        {{"draws_min=0"}, 1, false},
        {{"draws_min=15"}, 1, true},
        {{"draws_min=16"}, 1, false},
        {{"draws=8", "draws_min=4"}, 2, false},
        {{"draws=16", "draws_min=1"}, 2, true},
        {{"metrics=added_boot_ns, pause_ns"}, 1, false},
        {{"metrics=added_boot_ns, lines"}, 1, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        open_bench(&bench, cases[i].set, cases[i].sets);
        if (evaluate_fits(&bench.scenario) != cases[i].fits) {
            fail_msg("%s", cases[i].set[0]);
        }
        close_bench(&bench);
    }
}

/* What a fit misses is said of a time that is fitted, in ns: of the processor time its own, of all
 * others the window's; of what is played, and of counts, nothing. */
static void what_a_fit_misses_is_said(void **state)
{
    static const enum metric metrics[] = {METRIC_added_boot_ns, METRIC_window_ns, METRIC_cpu_ns,
                                          METRIC_faults};
    const char *const set[] = {"draws_min=8"};
    struct bench bench;
    struct error err = {0};
    (void)state;
    open_bench(&bench, set, 1);
    struct times times[2][17];
    double off_ps[2][2] = {{0}};
    for (size_t s = 0; s < 2; s++) {
        assert_true(
            evaluate_runs(&bench.scenario, bench.study.strategies[s], TAILS_NONE, times[s], &err));
        for (size_t run = 0; run < 17; run++) {
            assert_true(times[s][run].fitted || times[s][run].window_off_ps == 0);
            off_ps[s][0] = fmax(off_ps[s][0], times[s][run].window_off_ps);
            off_ps[s][1] = fmax(off_ps[s][1], times[s][run].cpu_off_ps);
        }
    }
    assert_true(off_ps[0][0] > 0 && off_ps[0][1] > 0);
    for (size_t i = 0; i < 4; i++) {
        double value[2 * 17], off[2];
        assert_true(evaluate_metric_off(&bench.scenario, metrics[i], bench.study.strategies, 2,
                                        value, off, &err));
        for (size_t s = 0; s < 2; s++) {
            double expected = i == 3 ? 0 : off_ps[s][i == 2] / 1000;
            assert_true(fabs(off[s] - expected) <= 1e-9 * expected);
        }
    }
    close_bench(&bench);
}

/* What only plays tell, from the first four of them: those stay, the others come near, and the
 * median of all is nearer to the right one than that of the four. */
static void a_hold_is_fitted_to_the_plays_that_have_it(void **state)
{
    static const char *const set[] = {"machine=kunpeng-920", "backing=4k"};
    enum { RUNS = 17, KNOWN = 4 };
    double played[RUNS], fitted[RUNS];
    struct bench bench;
    struct error err = {0};
    (void)state;
    open_bench(&bench, set, 2);
    const struct strategy *unmap = bench.study.strategies[0];
    assert_true(evaluate_metric(&bench.scenario, METRIC_pause_ns, &unmap, 1, played, &err));
    for (size_t run = 0; run < RUNS; run++) {
        fitted[run] = run < KNOWN ? played[run] : NAN;
    }
    assert_true(evaluate_fit_rest(&bench.scenario, unmap, fitted, &err));
    for (size_t run = 0; run < RUNS; run++) {
        double miss = fitted[run] / played[run] - 1;
        if (run < KNOWN ? miss != 0 : !(fabs(miss) < 0.15)) {
            fail_msg("run %zu: %.0f ns for %.0f", run, fitted[run], played[run]);
        }
    }
    double few = stats_quantile(played + 1, KNOWN - 1, 0.5);
    double all = stats_quantile(played + 1, RUNS - 1, 0.5);
    double by_fit = stats_quantile(fitted + 1, RUNS - 1, 0.5);
    print_message("median of all %.0f ns, by the fit %.0f, of those known %.0f\n", all, by_fit,
                  few);
    assert_true(fabs(by_fit - all) < fabs(few - all));
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hold_is_fitted_to_the_plays_that_have_it),
        cmocka_unit_test(the_same_rows_however_it_is_played),
        cmocka_unit_test(each_fitted_run_is_near_its_play),
        cmocka_unit_test(which_studies_are_fitted),
        cmocka_unit_test(what_a_fit_misses_is_said),
        cmocka_unit_test(the_order_of_strategies_is_none),
    };
    return cmocka_run_group_tests(tests, at_the_epoch, NULL);
}

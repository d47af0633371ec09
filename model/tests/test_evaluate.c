/* What strategies come to in a scenario, against plays that are done one by one without it: serial
 * runs and contended ones, at the modes and in draws. */
#include "store_files.h"

#include "study/evaluate.h"
#include "study/verdict.h"

#include <math.h>
#include <sqlite3.h>

#define DRAWS 4
#define RUNS (1 + DRAWS)

static const char serial[] = "[study]\ndraws = 4\nshifts = 2\n[axes]\nworkload = %s\n"
                             "machine = neoverse-n1, kunpeng-920\nstrategy = unmap, eager\n";
static const char contended[] =
    "[study]\ndraws = 4\nshifts = 2\n[set]\nworkload = generated-boot\nfootprint = 32M\ntouched = "
    "100%\nvcpus = 3\n"
    "secondaries_after = 16M\nsecondaries_after_min = 4M\nsecondaries_after_max = 28M\n[axes]\n"
    "machine = neoverse-n1, kunpeng-920\nstrategy = unmap, eager\n";

struct bench {
    struct study study;
    struct sweep sweep;
    struct store *store;
    struct evaluator evaluator;
    struct scenario scenario;
};

static void open_bench(struct bench *bench, const char *text, size_t point,
                       struct scenario_key other)
{
    struct error err = {0};
    *bench = (struct bench){.sweep = {.jobs = 1}, .store = store_in_memory()};
    read_good(&bench->study, text);
    evaluator_open(&bench->evaluator, &bench->study, &bench->sweep, bench->store);
    if (!scenario_open(&bench->scenario, &bench->evaluator, point, other, &err)) {
        fail_msg("%s", err.text);
    }
}

static void close_bench(struct bench *bench)
{
    scenario_close(&bench->scenario);
    evaluator_close(&bench->evaluator);
    store_drop(bench->store);
    study_free(&bench->study);
}

static const struct scenario_key none;

/* --- runs, done one by one --- */

/* Costs of a run: the modes, or a draw of the machine. */
static void costs_of(const struct bench *bench, size_t run, double value[COSTS])
{
    const struct draw_plan plan = {.seed = 1, .draws = DRAWS, .shifts = 2};
    double drawn[DRAWS][COSTS];
    platform_modes(&bench->scenario.setup.platform, value);
    if (run > 0) {
        draw_costs(&plan, &bench->scenario.setup.platform, drawn);
        memcpy(value, drawn[run - 1], sizeof drawn[0]);
    }
}

/* Of draws the middle of their quarter of the range in which the other vCPUs come up. */
static struct workload *workload_of_run(const struct bench *bench, size_t run, double *late)
{
    const struct draw_plan plan = {.seed = 1, .draws = DRAWS, .shifts = 2};
    struct workload *workload = workload_copy(bench->scenario.setup.workload);
    unsigned strata[DRAWS];
    double low, mode, high;
    *late = 0;
    if (run > 0 && workload_range(workload, &low, &mode, &high)) {
        draw_strata(&plan, bench->scenario.setup.platform.name, strata);
        double bytes = draw_triangle(low, mode, high, (strata[run - 1] + 0.5) / DRAW_STRATA);
        workload_in_range(workload, bytes);
        *late = (bytes - mode) / (high - low);
    }
    return workload;
}

static void play_one(const struct bench *bench, const struct strategy *strategy, size_t run,
                     struct trial *trial, struct times *times)
{
    struct setup setup = bench->scenario.setup;
    struct timeline timeline;
    struct error err = {0};
    double value[COSTS], late;
    struct workload *workload = workload_of_run(bench, run, &late);
    costs_of(bench, run, value);
    assert_true(workload_build(workload, &timeline, &err));
    setup_use(&setup, strategy);
    assert_true(trial_play(&setup, &timeline, value, trial, &err));
    trial_times(trial, trial->price, times);
    timeline_free(&timeline);
    workload_free(workload);
}

/* A count is the one at the modes. */
static double metric_of(const struct bench *bench, const struct strategy *strategy, size_t run,
                        enum metric metric)
{
    struct trial trial, ideal;
    struct times times, less;
    run = metric_is_count(metric) ? 0 : run;
    play_one(bench, strategy, run, &trial, &times);
    play_one(bench, &strategy_ideal, run, &ideal, &less);
    double value = metric_value(metric, &trial, &times, &less);
    trial_free(&trial);
    trial_free(&ideal);
    return value;
}

static const enum metric looked_at[] = {
    METRIC_added_boot_ns, METRIC_cpu_ns,        METRIC_window_ns, METRIC_pause_ns,
    METRIC_stall_max_ns,  METRIC_first_insn_ns, METRIC_lines};
#define LOOKED_AT (sizeof looked_at / sizeof *looked_at)

static void same_value(const char *what, enum metric metric, size_t run, double found,
                       double expected)
{
    if (!(found == expected)) {
        fail_msg("%s of %s, run %zu: %.17g, expected %.17g", what, metric_name[metric], run, found,
                 expected);
    }
}

/* All ways to ask come to what a play of the run comes to. */
static void expect_values(const char *text, size_t point)
{
    struct bench bench;
    struct error err = {0};
    open_bench(&bench, text, point, none);
    const struct strategy *const *strategies = bench.study.strategies;
    for (size_t i = 0; i < LOOKED_AT; i++) {
        enum metric metric = looked_at[i];
        double all[2 * RUNS], one[2], alone[2], costs[COSTS];
        assert_true(evaluate_metric(&bench.scenario, metric, strategies, 2, all, &err));
        for (size_t run = 0; run < RUNS; run++) {
            assert_true(evaluate_run(&bench.scenario, metric, run, strategies, 2, one, &err));
            assert_true(
                evaluate_run_alone(&bench.scenario, metric, run, strategies, 2, alone, &err));
            for (size_t s = 0; s < 2; s++) {
                double expected = metric_of(&bench, strategies[s], run, metric);
                same_value("evaluate_metric", metric, run, all[s * RUNS + run], expected);
                same_value("evaluate_run", metric, run, one[s], expected);
                same_value("evaluate_run_alone", metric, run, alone[s], expected);
            }
            scenario_costs(&bench.scenario, run, costs);
            double own[COSTS];
            costs_of(&bench, run, own);
            assert_memory_equal(costs, own, sizeof own);
        }
        scenario_costs(&bench.scenario, 0, costs);
        assert_true(evaluate_at(&bench.scenario, metric, costs, strategies, 2, one, &err));
        same_value("evaluate_at", metric, 0, one[1], all[RUNS]);
        assert_true(evaluate_modes(&bench.scenario, metric, 0, strategies, 2, one, &err));
        same_value("evaluate_modes", metric, 0, one[1], all[RUNS]);
    }
    close_bench(&bench);
}

static void serial_runs_are_their_plays(void **state)
{
    (void)state;
    expect_values(serial, 0);
    expect_values(serial, 2);
}

static void contended_runs_are_their_plays(void **state)
{
    (void)state;
    expect_values(contended, 0);
    expect_values(contended, 2);
}

/* At costs that are another's, and with prices that do not follow from them. */
static void at_other_costs(void **state)
{
    struct bench bench;
    struct error err = {0};
    double costs[COSTS], one[2], modes[2];
    ps_t price[EVENT_KINDS];
    (void)state;
    open_bench(&bench, serial, 0, none);
    const struct strategy *const *strategies = bench.study.strategies;
    assert_true(evaluate_modes(&bench.scenario, METRIC_window_ns, 0, strategies, 2, modes, &err));
    scenario_costs(&bench.scenario, 0, costs);
    trial_prices(&bench.scenario.setup, costs, price);
    assert_true(
        evaluate_priced(&bench.scenario, METRIC_window_ns, costs, price, strategies, 2, one, &err));
    assert_true(one[0] == modes[0] && one[1] == modes[1]);
    const struct trial *trial = evaluate_trial(&bench.scenario, strategies[0], &err);
    uint64_t exits = 0;
    for (size_t i = 0; i < trial->count; i++) {
        exits += trial->counts[i].kind == EV_exits ? trial->counts[i].n : 0;
    }
    assert_true(exits > 0);
    price[EV_exits] += 7 * PS_PER_NS;
    assert_true(
        evaluate_priced(&bench.scenario, METRIC_window_ns, costs, price, strategies, 1, one, &err));
    assert_true(fabs(one[0] - modes[0] - 7.0 * (double)exits) < 1e-6 * modes[0]);
    close_bench(&bench);
}

/* --- timelines --- */

static void draws_have_timelines_of_their_own(void **state)
{
    struct bench bench;
    bool seen[1 + DRAW_STRATA] = {false};
    (void)state;
    open_bench(&bench, contended, 0, none);
    assert_true(bench.scenario.ranged);
    const struct draw_plan plan = {.seed = 1, .draws = DRAWS, .shifts = 2};
    unsigned strata[DRAWS];
    draw_strata(&plan, "neoverse-n1", strata);
    assert_true(bench.scenario.late[0] == 0);
    for (size_t run = 0; run < RUNS; run++) {
        double late;
        unsigned stratum = scenario_stratum(&bench.scenario, run);
        assert_int_equal(stratum, run == 0 ? 0 : 1 + strata[run - 1]);
        workload_free(workload_of_run(&bench, run, &late));
        assert_true(fabs(bench.scenario.late[stratum] - late) < 1e-12);
        seen[stratum] = true;
    }
    assert_true(seen[0] && bench.scenario.late[1] < 0 && bench.scenario.late[DRAW_STRATA] > 0);
    close_bench(&bench);
    open_bench(&bench, serial, 0, none);
    assert_false(bench.scenario.ranged);
    for (size_t run = 0; run < RUNS; run++) {
        assert_int_equal(scenario_stratum(&bench.scenario, run), 0);
    }
    close_bench(&bench);
}

/* --- what is played and kept --- */

/* A serial run is played once for all draws and kept after its scenario; a contended one in each
 * draw, and not kept. Asking again plays nothing. */
static void plays_are_as_few_as_can_be(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        struct bench bench;
        struct error err = {0};
        double all[2 * RUNS];
        open_bench(&bench, waits ? contended : serial, 0, none);
        assert_true(evaluate_metric(&bench.scenario, METRIC_window_ns, bench.study.strategies, 2,
                                    all, &err));
        size_t window = store_plays(bench.store).kept;
        assert_int_equal(window, waits ? 2 * RUNS : 2);
        for (int turn = 0; turn < 2; turn++) {
            assert_true(evaluate_metric(&bench.scenario, METRIC_added_boot_ns,
                                        bench.study.strategies, 2, all, &err));
            size_t kept = store_plays(bench.store).kept;
            assert_int_equal(kept, waits ? 3 * RUNS : 3);
        }
        assert_int_equal(store_plays(bench.store).repeated, 0);
        scenario_close(&bench.scenario);
        assert_int_equal(bench.evaluator.played_count, waits ? 0 : 3);
        assert_true(scenario_open(&bench.scenario, &bench.evaluator, 0, none, &err));
        assert_true(evaluate_metric(&bench.scenario, METRIC_added_boot_ns, bench.study.strategies,
                                    2, all, &err));
        assert_int_equal(store_plays(bench.store).kept, waits ? 3 * RUNS : 3);
        assert_int_equal(store_plays(bench.store).repeated, 0);
        close_bench(&bench);
    }
}

/* What is played at least, before it is: all draws where nothing is fitted, few where there is a
 * fit, half where threads share a flush; all of what others are fitted to, by the yardstick where
 * no strategy of the study is it. */
static void plays_are_foreseen(void **state)
{
#define FORESEEN                                                                          \
    "shifts = 8\nmetrics = added_boot_ns\n[set]\nworkload = generated-boot\nfootprint = " \
    "8M\nsecondaries_after = 2M\n"                                                        \
    "backing = 4k\ntouched = 100%\nvcpus = 3\n[axes]\nmachine = neoverse-n1\nstrategy = "
    static const struct {
        const char *text;
        size_t mine, fitted, shared, reference[2], ideal;
    } cases[] = {
        {"[study]\ndraws = 24\n" FORESEEN "eager-workers, unmap\n", 25, 25, 25, {25, 25}, 25},
        {"[study]\ndraws = 24\ndraws_min = 24\n" FORESEEN "unmap\n", 25, 25, 25, {25, 25}, 25},
        {"[study]\ndraws = 8\ndraws_min = 4\n" FORESEEN "unmap\n", 9, 9, 9, {9, 9}, 9},
        /* Nine draws are the first whole shifts with as many as eight; twelve with ten; eight of
         * two draws each, and no more. */
        {"[study]\ndraws = 16\ndraws_min = 2\n" FORESEEN "eager\n", 4, 4, 13, {17, 17}, 17},
        {"[study]\ndraws = 16\ndraws_min = 10\n" FORESEEN "eager\n", 4, 4, 14, {17, 17}, 17},
        {"[study]\ndraws = 24\ndraws_min = 2\n" FORESEEN "eager\n", 4, 4, 17, {25, 25}, 25},
        {"[study]\ndraws = 24\ndraws_min = 10\n" FORESEEN "unmap\n", 4, 4, 19, {25, 25}, 50},
        {"[study]\ndraws = 24\ndraws_min = 2\n" FORESEEN "unmap-toggle0, unmap\n",
         4,
         4,
         17,
         {25, 25},
         75},
        {"[study]\ndraws = 24\ndraws_min = 2\n" FORESEEN "reinit-lazy-vmall, unmap\n",
         25,
         4,
         17,
         {25, 25},
         25},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        struct error err = {0};
        open_bench(&bench, cases[i].text, 0, none);
        struct scenario *scenario = &bench.scenario;
        const struct strategy *mine = bench.study.strategies[0],
                              *fitted = strategy_find("eager", &err),
                              *shared = strategy_find("eager-workers", &err);
        const struct trial *trial = evaluate_trial(scenario, fitted, &err);
        assert_true(trial && !trial_is_for_all_costs(trial));
        assert_int_equal(evaluate_plays(scenario, mine, trial), cases[i].mine);
        assert_int_equal(evaluate_plays(scenario, fitted, trial), cases[i].fitted);
        assert_int_equal(evaluate_plays(scenario, shared, trial), cases[i].shared);
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(evaluate_plays(scenario, &scenario->reference[1 + k], trial),
                             cases[i].reference[k]);
        }
        assert_int_equal(evaluate_plays(scenario, &strategy_ideal, trial), cases[i].ideal);
        close_bench(&bench);
    }
}

/* A run that is asked for alone is played alone: not at the modes, nor its timeline's first draw.
 * That at the modes has verdicts, for others that ask. */
static void one_run_is_one_play(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        struct bench bench;
        struct error err = {0};
        double value[2];
        struct strategy_verdict verdict;
        const size_t runs[] = {3, 3, 0, 0}, kept[] = {2, 2, 4, 4};
        open_bench(&bench, waits ? contended : serial, 0, none);
        for (size_t i = 0; i < 4; i++) {
            assert_true(evaluate_run_alone(&bench.scenario, METRIC_window_ns, runs[i],
                                           bench.study.strategies, 2, value, &err));
            assert_int_equal(store_plays(bench.store).kept, kept[i]);
        }
        assert_true(evaluate_verdict(&bench.scenario, bench.study.strategies[0], &verdict, &err));
        assert_int_equal(store_plays(bench.store).repeated, 0);
        close_bench(&bench);
    }
}

static void draws_are_kept_once(void **state)
{
    char hash[3][SETUP_HASH];
    (void)state;
    for (size_t point = 0; point <= 2; point += 2) { /* of one machine, of the other */
        struct bench bench;
        struct error err = {0};
        bool has = true;
        open_bench(&bench, contended, point, none);
        assert_true(scenario_keep_draws(&bench.scenario, hash[point], &err));
        assert_true(store_has_draws(bench.store, hash[point], &has, &err) && has);
        assert_true(scenario_keep_draws(&bench.scenario, hash[1], &err));
        assert_string_equal(hash[point], hash[1]);
        close_bench(&bench);
    }
    assert_string_not_equal(hash[0], hash[2]);
}

/* Hashes tell strategies and timelines apart, and are those under which plays are kept. */
static void hashes_find_plays(void **state)
{
    struct bench bench;
    struct error err = {0};
    char hash[4][SETUP_HASH];
    (void)state;
    open_bench(&bench, contended, 0, none);
    assert_true(evaluate_hash(&bench.scenario, bench.study.strategies[0], 0, hash[0], &err));
    assert_true(evaluate_hash(&bench.scenario, bench.study.strategies[1], 0, hash[1], &err));
    assert_true(evaluate_hash(&bench.scenario, bench.study.strategies[0], 1, hash[2], &err));
    assert_true(
        evaluate_hash(&bench.scenario, bench.study.strategies[0], DRAW_STRATA, hash[3], &err));
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(hash[i], hash[k]);
        }
    }
    close_bench(&bench);
}

/* --- verdicts, and what is not known --- */

static void verdicts_say_what_a_strategy_is(void **state)
{
    static const struct {
        const char *name;
        enum outcome worst;
        bool conditions;
        const char *hypothetical;
    } cases[] = {
        {"unmap", COHERENT, false, NULL},
        {"unmap-lazy", ONLY_IF, true, NULL},
        {"none", STALE, false, NULL},
        {"fwb", COHERENT, false, "if it had FWB"},
    };
    struct bench bench;
    struct error err = {0};
    (void)state;
    open_bench(&bench,
               "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = cortex-a72\nbacking = shm\n"
               "strategy = unmap, unmap-lazy, none, fwb\n",
               0, none);
    for (size_t i = 0; i < 4; i++) {
        const struct strategy *strategy = bench.study.strategies[i];
        struct strategy_verdict verdict;
        assert_string_equal(strategy->name, cases[i].name);
        assert_true(evaluate_verdict(&bench.scenario, strategy, &verdict, &err));
        if (verdict.worst != cases[i].worst && strcmp(cases[i].name, "fwb") != 0) {
            fail_msg("%s: %d", cases[i].name, (int)verdict.worst);
        }
        unsigned conditions;
        const struct trial *trial = evaluate_trial(&bench.scenario, strategy, &err);
        assert_int_equal(verdict.worst, verdict_worst(trial->verdict, &conditions));
        assert_int_equal(verdict.conditions, conditions);
        assert_true(!cases[i].conditions || conditions != 0);
        if (cases[i].hypothetical) {
            assert_string_equal(verdict.hypothetical, cases[i].hypothetical);
        } else {
            assert_null(verdict.hypothetical);
        }
    }
    close_bench(&bench);
}

static const char *never_reinit(void)
{
    static char path[512];
    write_file("never.ini",
               "[vm]\nram = 4M\nbacking = 4k\n[timeline]\nvcpu0 = enter\nvcpu0 = write ram 1M\n",
               path, sizeof path);
    return path;
}

static void what_is_not_known_is_an_error(void **state)
{
    struct bench bench;
    struct error err = {0};
    double value[RUNS];
    char text[1024];
    (void)state;
    snprintf(text, sizeof text,
             "[study]\ndraws = 4\nshifts = 2\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
             "strategy = unmap\n",
             never_reinit());
    open_bench(&bench, text, 0, none);
    assert_false(evaluate_metric(&bench.scenario, METRIC_first_insn_ns, bench.study.strategies, 1,
                                 value, &err));
    assert_non_null(strstr(err.text, "first_insn_ns is not known of unmap on"));
    assert_false(err.simulation);
    close_bench(&bench);
}

/* Whether the study's rows or its memo ask for tails. */
static void who_asks_for_tails(void **state)
{
    static const struct {
        const char *metrics, *memo;
        bool tails;
    } cases[] = {
        {"metrics = added_boot_ns, lines\n", "", false},
        {"metrics = added_boot_ns, pause_ns\n", "", true},
        {"metrics = stall_p99_ns\n", "", true},
        {"metrics = first_insn_ns\n", "", true},
        {"", "", true}, /* all there are */
        {"metrics = cpu_ns\n", "[memo]\nmetric = window\n", false},
        {"metrics = cpu_ns\n", "[memo]\nmetric = pause\n", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        char text[1024];
        snprintf(text, sizeof text,
                 "[study]\nquestion = which\ndraws = 0\n%s%s[axes]\nworkload = %%s\nmachine = "
                 "neoverse-n1\nstrategy = unmap\n",
                 cases[i].metrics, cases[i].memo);
        open_bench(&bench, text, 0, none);
        if (bench.evaluator.tails != cases[i].tails) {
            fail_msg("%s%s", cases[i].metrics, cases[i].memo);
        }
        close_bench(&bench);
    }
    assert_int_equal(evaluate_difference(METRIC_added_boot_ns), METRIC_window_ns);
    assert_int_equal(evaluate_difference(METRIC_cpu_ns), METRIC_cpu_ns);
}

/* Threads that share a flush are timed again, but how long their holds are only plays tell: these
 * are played where all tails are asked for, and else for nothing. */
static void no_play_for_a_tail_that_is_not_asked_for(void **state)
{
    static const struct {
        enum tails_asked tails;
        uint64_t plays; /* at the modes, and of draws what is not priced */
        bool priced;
    } cases[] = {{TAILS_NONE, 1, true}, {TAILS_KNOWN, 1, true}, {TAILS_ALL, RUNS, false}};
    struct times times[sizeof cases / sizeof *cases][RUNS];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        struct error err = {0};
        open_bench(&bench,
                   "[study]\ndraws = 4\nshifts = 2\n[set]\nworkload = generated-boot\nvcpus = 1\n"
                   "footprint = 32M\ntouched = 100%\n[axes]\nmachine = neoverse-n1\n"
                   "strategy = eager-workers\n",
                   0, none);
        assert_true(evaluate_runs(&bench.scenario, bench.study.strategies[0], cases[i].tails,
                                  times[i], &err));
        const struct trial *trial =
            evaluate_trial(&bench.scenario, bench.study.strategies[0], &err);
        assert_true(trial && trial->section_count > 0 && !trial->has_tails);
        assert_int_equal(store_plays(bench.store).kept, cases[i].plays);
        for (size_t run = 1; run < RUNS; run++) {
            assert_int_equal(times[i][run].priced, cases[i].priced);
            assert_int_equal(times[i][run].has_tail, !cases[i].priced);
            assert_int_equal(times[i][run].window_ps, times[0][run].window_ps);
            assert_int_equal(times[i][run].cpu_ps, times[0][run].cpu_ps);
        }
        close_bench(&bench);
    }
}

/* --- simulations that fail --- */

/* The axes that have several values, what the scenario has otherwise, and the strategy. */
static void a_failure_says_what_failed(void **state)
{
    struct bench bench;
    struct error err = {0};
    char text[1024];
    (void)state;
    snprintf(text, sizeof text,
             "[study]\ndraws = 0\n[axes]\nworkload = %s\nkernel = 6.1\nmachine = neoverse-n1, "
             "kunpeng-920\nexit_ns = 100, 200\ntlbi_ns = 500, 600\nstrategy = unmap, eager\n",
             long_workload());
    open_bench(&bench, text, 2, (struct scenario_key){"exit_ns", "1000000"});
    assert_null(evaluate_trial(&bench.scenario, bench.study.strategies[0], &err));
    assert_true(err.simulation);
    static const char says[] =
        "machine=neoverse-n1, tlbi_ns=600, exit_ns=1000000, strategy=unmap: simulated time: ";
    if (strncmp(err.text, says, strlen(says)) != 0) {
        fail_msg("%s", err.text);
    }
    struct strategy_verdict verdict;
    assert_false(evaluate_verdict(&bench.scenario, bench.study.strategies[0], &verdict, &err));
    assert_int_equal(bench.evaluator.played_count, 0);
    close_bench(&bench);
    open_bench(&bench, text, 2, none);
    assert_non_null(evaluate_trial(&bench.scenario, bench.study.strategies[0], &err));
    close_bench(&bench);
}

static void a_key_that_is_none_opens_nothing(void **state)
{
    struct bench bench;
    struct error err = {0};
    struct scenario scenario;
    (void)state;
    open_bench(&bench, serial, 0, none);
    assert_false(scenario_open(&scenario, &bench.evaluator, 0,
                               (struct scenario_key){"exit_nss", "100"}, &err));
    assert_non_null(strstr(err.text, "exit_nss"));
    assert_false(
        scenario_open(&scenario, &bench.evaluator, 0, (struct scenario_key){"touched", "7"}, &err));
    close_bench(&bench);
}

/* --- cells --- */

struct kept {
    const struct study *study;
    struct evaluator *evaluator;
    size_t points;
};

static void same_spread(const struct spread *a, const struct spread *b)
{
    assert_true(a->known == b->known && a->n == b->n && a->fitted == b->fitted);
    assert_true(a->mode == b->mode && a->mean == b->mean && a->p10 == b->p10);
    assert_true(a->p50 == b->p50 && a->p90 == b->p90 && a->has_interval == b->has_interval);
    assert_true(a->interval_low == b->interval_low && a->interval_high == b->interval_high);
}

/* A point's results are what its strategy comes to in its scenario. */
static void expect_point(void *context, const struct stored_point *point)
{
    struct kept *kept = context;
    struct scenario scenario;
    struct error err = {0};
    size_t strategy = point->point % 2;
    kept->points++;
    assert_true(scenario_open(&scenario, kept->evaluator, point->point, none, &err));
    for (size_t i = 0; i < LOOKED_AT; i++) {
        double values[RUNS];
        struct spread expected = {0};
        assert_true(evaluate_metric(&scenario, looked_at[i], &kept->study->strategies[strategy], 1,
                                    values, &err));
        expected.known = true;
        expected.mode = values[0];
        spread_fill(&expected, values + 1, DRAWS, 2);
        same_spread(&point->result.metric[looked_at[i]], &expected);
    }
    struct strategy_verdict verdict;
    assert_true(evaluate_verdict(&scenario, kept->study->strategies[strategy], &verdict, &err));
    assert_int_equal(point->result.worst, verdict.worst);
    scenario_close(&scenario);
}

static int take_number(void *context, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    *(long *)context = strtol(values[0], NULL, 10);
    return 0;
}

static long number_of(const char *sql)
{
    char path[512];
    sqlite3 *file = NULL;
    long number = -1;
    path_of("a.db", path, sizeof path);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    assert_int_equal(sqlite3_exec(file, sql, take_number, &number, NULL), SQLITE_OK);
    sqlite3_close(file);
    return number;
}

/* Runs that were played and those that pricing again saved are counted, with the yardstick's; each
 * point says where its plays and its draws are. */
static void cells_are_kept_whole(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        struct study study;
        struct sweep sweep = {.jobs = 1};
        struct evaluator evaluator;
        struct error err = {0};
        read_good(&study, waits ? contended : serial);
        remove_file("a.db");
        struct store *store = good_store(&study, "a.db", whole);
        assert_true(study_execute(&study, &sweep, store, all_metrics(), &err));
        struct store_sum sum = store_sum(store);
        assert_int_equal(sum.have, 2);
        assert_int_equal(sum.failed, 0);
        assert_int_equal(sum.plays, waits ? 2 * 3 * RUNS : 2 * 3);
        assert_int_equal(sum.reprices, waits ? 0 : 2 * 3 * DRAWS);
        evaluator_open(&evaluator, &study, &sweep, store);
        struct kept kept = {&study, &evaluator, 0};
        assert_true(store_each_point(store, expect_point, &kept, &err));
        assert_int_equal(kept.points, 4);
        evaluator_close(&evaluator);
        close_good(store);
        static const char *const lost[] = {
            "SELECT count(*) FROM source WHERE play_hash NOT IN (SELECT play_hash FROM play)",
            "SELECT count(*) FROM source WHERE ideal_hash NOT IN (SELECT play_hash FROM play)",
            "SELECT count(*) FROM point WHERE point NOT IN (SELECT point FROM source)",
            "SELECT count(*) FROM point WHERE draws_hash NOT IN (SELECT draws_hash FROM draw)",
            "SELECT count(*) FROM draw WHERE costs_hash NOT IN (SELECT costs_hash FROM costs)",
            "SELECT count(*) FROM play WHERE costs_hash NOT IN (SELECT costs_hash FROM costs)",
            "SELECT count(*) FROM point JOIN draw USING (draws_hash) LEFT JOIN source USING "
            "(point, "
            "stratum) WHERE play_hash IS NULL",
        };
        for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
            if (number_of(lost[i]) != 0) {
                fail_msg("%s", lost[i]);
            }
        }
        assert_int_equal(number_of("SELECT count(*) FROM draw"), 2 * RUNS);
        if (!waits) {
            assert_int_equal(number_of("SELECT count(*) FROM source"), 4);
        }
        remove_file("a.db");
        study_free(&study);
    }
}

/* A shard plays its own cells; what is there is not played again; a cell that fails is noted. */
static void shards_play_their_own(void **state)
{
    struct study study;
    struct sweep sweep = {.jobs = 1};
    struct error err = {0};
    char text[1024];
    (void)state;
    read_three_axes(&study, "draws=0");
    remove_file("a.db");
    struct store *store = good_store(&study, "a.db", (struct shard){2, 3});
    for (int turn = 0; turn < 2; turn++) {
        assert_true(study_execute(&study, &sweep, store, all_metrics(), &err));
        assert_int_equal(store_sum(store).have, 4);
        assert_int_equal(store_sum(store).own, 4);
        assert_int_equal(store_sum(store).plays, 4 * 4);
        for (size_t cell = 0; cell < 12; cell++) {
            assert_int_equal(store_has_cell(store, cell), shard_of_cell(cell, 3) == 2);
        }
    }
    store_drop(store);
    study_free(&study);
    snprintf(text, sizeof text,
             "[study]\ndraws = 0\n[axes]\nworkload = %s\nkernel = 6.1\nmachine = neoverse-n1\n"
             "exit_ns = 100, 1ms\nstrategy = unmap\n",
             long_workload());
    read_good(&study, text);
    store = good_store(&study, "a.db", whole);
    assert_true(study_execute(&study, &sweep, store, all_metrics(), &err));
    assert_int_equal(store_sum(store).have, 2);
    assert_int_equal(store_sum(store).failed, 1);
    assert_false(store_none_failed(store, &err));
    assert_non_null(strstr(err.text, "exit_ns=1000000, strategy=unmap: simulated time"));
    store_drop(store);
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serial_runs_are_their_plays),
        cmocka_unit_test(contended_runs_are_their_plays),
        cmocka_unit_test(at_other_costs),
        cmocka_unit_test(draws_have_timelines_of_their_own),
        cmocka_unit_test(plays_are_as_few_as_can_be),
        cmocka_unit_test(plays_are_foreseen),
        cmocka_unit_test(draws_are_kept_once),
        cmocka_unit_test(one_run_is_one_play),
        cmocka_unit_test(hashes_find_plays),
        cmocka_unit_test(verdicts_say_what_a_strategy_is),
        cmocka_unit_test(what_is_not_known_is_an_error),
        cmocka_unit_test(who_asks_for_tails),
        cmocka_unit_test(no_play_for_a_tail_that_is_not_asked_for),
        cmocka_unit_test(a_failure_says_what_failed),
        cmocka_unit_test(a_key_that_is_none_opens_nothing),
        cmocka_unit_test(cells_are_kept_whole),
        cmocka_unit_test(shards_play_their_own),
    };
    return cmocka_run_group_tests(tests, at_the_epoch, NULL);
}

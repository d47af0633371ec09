/* Winner maps: who wins, how surely, and who must not. */
#include "core/error.h"
#include "study_files.h"

#include "report/analyses.h"
#include "study/winner_map.h"

#include <math.h>

/* --- choosing --- */

static void chooses(void **state)
{
    /* The modes, then four draws. */
    static const double values[3][5] = {{9, 4, 4, 4, 9}, {1, 2, 2, 8, 4}, {0, 0, 0, 0, 0}};
    const bool may[3] = {true, true, false};
    double scratch[5];
    struct winner_map_choice choice;
    (void)state;
    winner_map_choose(values[0], 3, 5, may, scratch, &choice);
    assert_int_equal(choice.winner, 1);
    assert_int_equal(choice.runner_up, 0);
    assert_true(choice.probability == 0.75);
    assert_true(choice.value == 3);
    /* log2 of 4/2, 4/2, 4/8, 9/4: the median of 1, 1, -1, 1.17. */
    assert_true(fabs(choice.margin - 1) < 1e-12);
}

static void chooses_without_draws(void **state)
{
    static const double values[2] = {3, 12};
    bool may[2] = {true, true};
    double scratch[1];
    struct winner_map_choice choice;
    (void)state;
    winner_map_choose(values, 2, 1, may, scratch, &choice);
    assert_int_equal(choice.winner, 0);
    assert_true(isnan(choice.probability) && choice.margin == 2);
    may[0] = false;
    winner_map_choose(values, 2, 1, may, scratch, &choice);
    assert_int_equal(choice.winner, 1);
    assert_int_equal(choice.runner_up, WINNER_NONE);
    may[1] = false;
    winner_map_choose(values, 2, 1, may, scratch, &choice);
    assert_int_equal(choice.winner, WINNER_NONE);
}

/* All of a choice, where what comes first, what is left out and what costs nothing matter. */
static void every_field_of_a_choice(void **state)
{
    static const struct {
        double values[3][6]; /* the modes, then five draws */
        bool may[3];
        struct winner_map_choice choice;
    } cases[] = {
        /* Medians 3, 3, 5: the first of equals; beaten in two draws of five. */
        {{{9, 1, 2, 3, 4, 5}, {9, 5, 4, 3, 2, 1}, {1, 5, 5, 5, 5, 5}},
         {true, true, true},
         {0, 1, 0.6, 0, 3, 1.4, 4.6}},
        /* The one that may not would beat it in all. */
        {{{9, 8, 8, 8, 8, 8}, {9, 4, 4, 2, 2, 2}, {0, 1, 1, 1, 1, 1}},
         {true, true, false},
         {1, 0, 1, 2, 2, 2, 4}},
        {{{9, 8, 8, 8, 8, 8}, {9, 4, 4, 2, 2, 2}, {9, 2, 4, 4, 4, 4}},
         {true, false, true},
         {2, 0, 1, 1, 4, 2.8, 4}},
        /* A factor of nothing is none: in the winner, in the other one. */
        {{{1, 0, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2}, {0}},
         {true, true, false},
         {0, 1, 1, NAN, 1, 0.4, 1}},
        {{{1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 0}, {0}},
         {true, true, false},
         {0, 1, 0.8, NAN, 1, 1, 1}},
        {{{1, 1, 1, 2, 2, 2}, {2, 2, 2, 2, 2, 0}, {0}},
         {false, true, false},
         {1, WINNER_NONE, 1, NAN, 2, 0.8, 2}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct winner_map_choice *expected = &cases[i].choice;
        struct winner_map_choice choice;
        double scratch[6];
        winner_map_choose(cases[i].values[0], 3, 6, cases[i].may, scratch, &choice);
        assert_int_equal(choice.winner, expected->winner);
        assert_int_equal(choice.runner_up, expected->runner_up);
        assert_true(fabs(choice.probability - expected->probability) < 1e-12);
        assert_true(isnan(expected->margin) ? isnan(choice.margin)
                                            : fabs(choice.margin - expected->margin) < 1e-12);
        assert_true(fabs(choice.value - expected->value) < 1e-12);
        assert_true(fabs(choice.p10 - expected->p10) < 1e-12);
        assert_true(fabs(choice.p90 - expected->p90) < 1e-12);
    }
}

/* Of the second group: one cell failed, one of the other three is undecided. */
static void the_share_that_is_undecided(void **state)
{
    struct winner_map_cell cell[12] = {
        [4] = {.decided = true}, [5] = {.failed = true}, [7] = {.decided = true},
        [8] = {.failed = true},  [9] = {.failed = true}, [10] = {.failed = true},
        [11] = {.failed = true}};
    const struct winner_map_results results = {.x_count = 2, .y_count = 2, .cell = cell};
    (void)state;
    assert_true(winner_map_undecided(&results, 0) == 1);
    assert_true(fabs(winner_map_undecided(&results, 1) - 1.0 / 3) < 1e-12);
    assert_true(winner_map_undecided(&results, 2) == 0);
}

static void who_may(void **state)
{
    struct strategy_verdict verdict = {.worst = COHERENT};
    (void)state;
    assert_true(winner_map_may_win(&verdict, false, true));
    verdict.worst = ONLY_IF;
    assert_true(winner_map_may_win(&verdict, false, false));
    assert_false(winner_map_may_win(&verdict, false, true));
    verdict.worst = STALE;
    assert_false(winner_map_may_win(&verdict, true, false));
    verdict = (struct strategy_verdict){.worst = COHERENT, .hypothetical = "if it had FWB"};
    assert_false(winner_map_may_win(&verdict, false, false));
    assert_true(winner_map_may_win(&verdict, true, false));
}

/* --- maps --- */

static void run(struct study *study, const char *text, const struct winner_map_request *request,
                unsigned jobs, struct winner_map_results *results)
{
    struct error err = {0};
    bool good =
        (!text || read_study(study, text, NULL, 0, &err)) &&
        winner_map_run(study, request, &(struct sweep){.jobs = jobs}, test_store(), results, &err);
    if (!good) {
        fail_msg("%s", err.text);
        abort(); /* for readers who do not know that the line above does not return */
    }
}

static size_t strategy_at(const struct study *study, const char *name)
{
    size_t i = 0;
    while (strcmp(study->strategies[i]->name, name) != 0) {
        i++;
    }
    return i;
}

static double value_at(const struct study *study, size_t point, size_t strategy)
{
    struct sweep sweep = {.jobs = 1};
    struct evaluator evaluator;
    struct scenario scenario;
    struct error err;
    double modes[COSTS], value;
    evaluator_open(&evaluator, study, &sweep, test_store());
    assert_true(scenario_open(&scenario, &evaluator, point, (struct scenario_key){0}, &err));
    scenario_costs(&scenario, 0, modes);
    assert_true(evaluate_at(&scenario, METRIC_added_boot_ns, modes, &study->strategies[strategy], 1,
                            &value, &err));
    scenario_close(&scenario);
    evaluator_close(&evaluator);
    return value;
}

static const struct winner_map_request request = {.x = "footprint", .y = "touched"};

#define AXES                                                                  \
    "[axes]\nworkload = %s\nmachine = neoverse-n1\nfootprint = 2M, 8M, 32M\n" \
    "touched = 0.1, 0.5, 1\n"

/* A strategy that cleans nothing is the cheapest of all, and wins nowhere. The
 * same row with its maintenance is coherent and may win. */
static void incoherent_never_wins(void **state)
{
    struct study study;
    struct winner_map_results results;
    (void)state;
    run(&study,
        "[study]\ndraws = 8\nshifts = 4\n" AXES
        "strategy = broken, whole, none, eager-naive, unmap\n"
        "[strategy broken]\nreinit_unmap = all\nreinit_unmap_cleans = no\nfault_cleans = no\n"
        "toggle = none\n"
        "[strategy whole]\nreinit_unmap = all\nreinit_unmap_cleans = no\nfault_cleans = yes\n",
        &request, 2, &results);
    size_t broken = strategy_at(&study, "broken"), whole = strategy_at(&study, "whole");
    assert_int_equal(results.x_count * results.y_count, 9);
    for (size_t i = 0; i < 9; i++) {
        const struct winner_map_cell *cell = &results.cell[i];
        size_t point = i % 3 * results.x->stride + i / 3 * results.y->stride;
        assert_int_equal(cell->best.winner, whole);
        assert_int_equal(results.verdict[i * 5 + broken].worst, STALE);
        /* It would have won. */
        assert_true(value_at(&study, point, broken) < value_at(&study, point, whole));
    }
    winner_map_free(&results);
    study_free(&study);
}

/* What the machine has not wins in a what-if only; a win that leans on a
 * condition says so, and who wins without one. */
static void conditions_and_what_ifs(void **state)
{
    struct study study;
    struct winner_map_results results;
    struct winner_map_request what_if = request;
    char *text = NULL;
    size_t size = 0;
    (void)state;
    run(&study,
        "[study]\ndraws = 0\n" AXES "strategy = unmap, unmap-lazy, fwb\n"
        "[set]\nbacking = shm\n",
        &request, 1, &results);
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(results.cell[i].best.winner, strategy_at(&study, "unmap-lazy"));
        assert_int_equal(results.cell[i].verdict.worst, ONLY_IF);
        assert_int_equal(results.cell[i].sound.winner, strategy_at(&study, "unmap"));
    }
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    map_report.print(out, &results);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "B*"));
    assert_non_null(strstr(text, "* only if no speculative data fill"));
    free(text);
    winner_map_free(&results);
    what_if.what_if = true;
    run(&study, NULL, &what_if, 1, &results);
    assert_int_equal(results.cell[0].best.winner, strategy_at(&study, "fwb"));
    assert_string_equal(results.cell[0].verdict.hypothetical, "if it had FWB");
    winner_map_free(&results);
    struct winner_map_request sound = request;
    sound.sound = true;
    run(&study, NULL, &sound, 1, &results);
    assert_int_equal(results.cell[0].best.winner, strategy_at(&study, "unmap"));
    winner_map_free(&results);
    study_free(&study);
}

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b;
}

static void same_choice(const struct winner_map_choice *a, const struct winner_map_choice *b)
{
    assert_int_equal(a->winner, b->winner);
    assert_int_equal(a->runner_up, b->runner_up);
    assert_true(same(a->probability, b->probability) && same(a->margin, b->margin));
    assert_true(same(a->value, b->value) && same(a->p10, b->p10) && same(a->p90, b->p90));
}

/* What a cell says is the choice among what strategies come to at its point. */
static void expect_cell(const struct study *study, const struct winner_map_request *asked,
                        size_t point, const struct winner_map_cell *cell,
                        const struct strategy_verdict *verdict)
{
    struct sweep sweep = {.jobs = 1};
    struct evaluator evaluator;
    struct scenario scenario;
    struct error err;
    double values[4 * 9], scratch[9];
    bool may[4];
    evaluator_open(&evaluator, study, &sweep, test_store());
    assert_true(scenario_open(&scenario, &evaluator, point, (struct scenario_key){0}, &err));
    assert_true(evaluate_metric(&scenario, asked->metric, study->strategies, 4, values, &err));
    for (int sound = 0; sound < 2; sound++) {
        struct winner_map_choice choice;
        for (size_t s = 0; s < 4; s++) {
            struct strategy_verdict own;
            assert_true(evaluate_verdict(&scenario, study->strategies[s], &own, &err));
            assert_int_equal(own.worst, verdict[s].worst);
            assert_int_equal(own.conditions, verdict[s].conditions);
            may[s] = winner_map_may_win(&own, asked->what_if, sound || asked->sound);
        }
        winner_map_choose(values, 4, scenario.runs, may, scratch, &choice);
        same_choice(&choice, sound ? &cell->sound : &cell->best);
    }
    assert_int_equal(cell->verdict.worst, verdict[cell->best.winner].worst);
    assert_int_equal(cell->decided, scenario.runs == 1 || cell->best.probability >= 0.8);
    assert_false(cell->failed);
    scenario_close(&scenario);
    evaluator_close(&evaluator);
}

/* Each cell of each group, along two axes, one of them, and none. */
static void each_cell_is_of_its_point(void **state)
{
    static const struct winner_map_request asked[] = {
        {.x = "machine", .y = "touched", .metric = METRIC_cpu_ns},
        {.y = "touched", .metric = METRIC_added_boot_ns, .sound = true},
        {.x = "touched", .metric = METRIC_window_ns, .what_if = true},
        {.metric = METRIC_added_boot_ns},
    };
    struct study study;
    struct error err = {0};
    size_t undecided = 0;
    (void)state;
    assert_true(read_study(&study,
                           "[study]\ndraws = 8\nshifts = 4\n[axes]\nworkload = %s\n"
                           "machine = neoverse-n1, kunpeng-920\nbacking = thp, shm\n"
                           "strategy = unmap, unmap-lazy, eager, none\ntouched = 0.3, 0.8, "
                           "1\n[set]\nfootprint = 48M\n",
                           NULL, 0, &err));
    const size_t machine = groups_axis(&study, "machine")->stride,
                 touched = groups_axis(&study, "touched")->stride;
    for (size_t i = 0; i < 4; i++) {
        struct winner_map_results results;
        run(&study, NULL, &asked[i], 1, &results);
        size_t cells = results.groups.count * results.x_count * results.y_count;
        assert_int_equal(cells, 12);
        for (size_t k = 0; k < cells; k++) {
            size_t x = k % results.x_count, y = k / results.x_count % results.y_count;
            size_t point = groups_point(&results.groups, k / results.x_count / results.y_count);
            point += i == 0   ? x * machine + y * touched
                     : i == 1 ? y * touched
                     : i == 2 ? x * touched
                              : 0;
            expect_cell(&study, &asked[i], point, &results.cell[k], results.verdict + 4 * k);
            undecided += !results.cell[k].decided;
        }
        winner_map_free(&results);
    }
    assert_true(undecided > 0);
    study_free(&study);
}

static const char *long_study(void)
{
    static char text[2048];
    snprintf(text, sizeof text,
             "[study]\ndraws = 0\n[set]\nkernel = 6.1\n[axes]\nworkload = %s\n"
             "machine = neoverse-n1\nexit_ns = 100, 1ms\nstrategy = unmap, eager\n",
             long_workload());
    return text;
}

/* Of a cell one of whose simulations fails nothing is known; the other is as it is. */
static void a_cell_that_fails(void **state)
{
    const struct winner_map_request along = {.x = "exit_ns", .metric = METRIC_window_ns};
    struct study study;
    struct winner_map_results results;
    (void)state;
    run(&study, long_study(), &along, 1, &results);
    assert_int_equal(results.failed.count, 1);
    assert_int_equal(results.failed.of, 2);
    assert_false(results.cell[0].failed);
    assert_true(results.cell[0].best.winner < 2 && results.cell[0].decided);
    assert_true(results.cell[1].failed && !results.cell[1].decided);
    assert_int_equal(results.cell[1].best.winner, WINNER_NONE);
    assert_int_equal(results.cell[1].sound.winner, WINNER_NONE);
    assert_true(isnan(results.cell[1].best.value) && isnan(results.cell[1].sound.margin));
    assert_int_equal(results.verdict[2].worst, NOT_READ);
    assert_true(winner_map_undecided(&results, 0) == 0);
    winner_map_free(&results);
    study_free(&study);
}

/* Nobody can win where nobody is coherent. */
static void nobody(void **state)
{
    struct study study;
    struct winner_map_results results;
    (void)state;
    run(&study, "[study]\ndraws = 0\n" AXES "strategy = none, fwb\n", &request, 1, &results);
    assert_int_equal(results.cell[0].best.winner, WINNER_NONE);
    assert_false(results.cell[0].decided);
    assert_true(winner_map_undecided(&results, 0) == 1);
    winner_map_free(&results);
    study_free(&study);
}

static char *rows_of(struct study *study, unsigned jobs)
{
    struct winner_map_results results;
    char *text = NULL;
    size_t size = 0;
    run(study, NULL, &request, jobs, &results);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    map_report.table[0].write(out, &results);
    map_report.print(out, &results);
    assert_int_equal(fclose(out), 0);
    winner_map_free(&results);
    return text;
}

static void threads_change_nothing(void **state)
{
    struct study study;
    struct error err;
    (void)state;
    assert_true(read_study(&study, "[study]\ndraws = 8\nshifts = 4\n" AXES "backing = 4k, thp\n",
                           NULL, 0, &err));
    char *one = rows_of(&study, 1), *four = rows_of(&study, 4);
    assert_string_equal(one, four);
    free(one);
    free(four);
    study_free(&study);
}

static void bad_requests(void **state)
{
    struct study study;
    struct winner_map_results results;
    struct error err;
    struct winner_map_request same = {.x = "touched", .y = "touched"};
    struct winner_map_request unknown = {.x = "touched", .y = "footprnt"};
    struct winner_map_request strategies = {.x = "touched", .y = "strategy"};
    (void)state;
    assert_true(read_study(&study, "[study]\ndraws = 0\n" AXES, NULL, 0, &err));
    assert_false(
        winner_map_run(&study, &same, &(struct sweep){.jobs = 1}, test_store(), &results, &err));
    assert_non_null(strstr(err.text, "two axes"));
    assert_false(
        winner_map_run(&study, &unknown, &(struct sweep){.jobs = 1}, test_store(), &results, &err));
    assert_non_null(strstr(err.text, "did you mean footprint?"));
    assert_false(winner_map_run(&study, &strategies, &(struct sweep){.jobs = 1}, test_store(),
                                &results, &err));
    assert_non_null(strstr(err.text, "what is compared"));
    assert_int_equal(err.status, EXIT_INPUT);
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses),
        cmocka_unit_test(chooses_without_draws),
        cmocka_unit_test(every_field_of_a_choice),
        cmocka_unit_test(the_share_that_is_undecided),
        cmocka_unit_test(who_may),
        cmocka_unit_test(incoherent_never_wins),
        cmocka_unit_test(conditions_and_what_ifs),
        cmocka_unit_test(each_cell_is_of_its_point),
        cmocka_unit_test(a_cell_that_fails),
        cmocka_unit_test(nobody),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(bad_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

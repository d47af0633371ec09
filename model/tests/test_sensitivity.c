/* Sobol' indices of functions whose indices are known, and what they say of the
 * model. */
#include "core/error.h"
#include "study_files.h"

#include "report/analyses.h"
#include "study/information.h"
#include "study/sensitivity.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>

/* Plays a function of numbers from 0 to 1 through the estimator. */
static void indices_of(double (*f)(const double *u), size_t inputs, size_t points,
                       struct sobol_result *result)
{
    struct sobol_plan plan = {.seed = 1, .inputs = inputs, .points = points, .bootstrap = 200};
    double u[SOBOL_INPUTS];
    double *base = sobol_base(&plan), *output = malloc(sobol_count(&plan) * sizeof *output);
    assert_non_null(output);
    for (size_t i = 0; i < sobol_count(&plan); i++) {
        sobol_point(&plan, base, i, u);
        output[i] = f(u);
    }
    sobol_indices(&plan, output, result);
    free(output);
    free(base);
}

static void expect(const struct sobol_index *index, double first, double total, double off)
{
    if (fabs(index->first - first) > off || fabs(index->total - total) > off) {
        print_error("found %g and %g, expected %g and %g\n", index->first, index->total, first,
                    total);
    }
    assert_true(fabs(index->first - first) <= off);
    assert_true(fabs(index->total - total) <= off);
    assert_true(index->first_low <= index->first && index->first <= index->first_high);
    assert_true(index->total_low <= index->total && index->total <= index->total_high);
    assert_true(index->first_low <= first && first <= index->first_high);
    assert_true(index->total_low <= total && total <= index->total_high);
}

/* Ishigami and Homma 1990, a = 7, b = 0.1. */
static double ishigami(const double *u)
{
    double x[3];
    for (int i = 0; i < 3; i++) {
        x[i] = M_PI * (2 * u[i] - 1);
    }
    return sin(x[0]) + 7 * pow(sin(x[1]), 2) + 0.1 * pow(x[2], 4) * sin(x[0]);
}

static void ishigami_indices(void **state)
{
    struct sobol_result result;
    const double a = 7, b = 0.1;
    double v1 = 0.5 * pow(1 + b * pow(M_PI, 4) / 5, 2);
    double v2 = a * a / 8;
    double v13 = b * b * pow(M_PI, 8) * (1 / 18.0 - 1 / 50.0);
    double v = v1 + v2 + v13;
    (void)state;
    indices_of(ishigami, 3, 8192, &result);
    assert_true(fabs(result.variance / v - 1) < 0.01);
    assert_true(fabs(result.mean - a / 2) < 0.02);
    expect(&result.index[0], v1 / v, (v1 + v13) / v, 0.015);
    expect(&result.index[1], v2 / v, v2 / v, 0.015);
    expect(&result.index[2], 0, v13 / v, 0.015);
}

/* Without interactions the first order is all there is, also beyond the
 * coordinates that the sequence has. */
static double sum_of_25(const double *u)
{
    double sum = 0;
    for (int i = 0; i < 25; i++) {
        sum += (i % 5 == 0 ? 3 : 1) * u[i];
    }
    return sum;
}

static void many_inputs(void **state)
{
    struct sobol_result result;
    double v = 5 * 9 + 20 * 1;
    (void)state;
    indices_of(sum_of_25, 25, 4096, &result);
    for (int i = 0; i < 25; i++) {
        double share = (i % 5 == 0 ? 9 : 1) / v;
        assert_true(fabs(result.index[i].first - share) < 0.03);
        assert_true(fabs(result.index[i].total - share) < 0.02);
    }
}

static double constant(const double *u)
{
    (void)u;
    return 5;
}

static void nothing_varies(void **state)
{
    struct sobol_result result;
    (void)state;
    indices_of(constant, 2, 64, &result);
    assert_true(result.variance == 0 && result.index[0].first == 0 && result.index[1].total == 0);
}

/* A decision that one number settles: known, it leaves nothing open. */
static void information_of_a_decision(void **state)
{
    enum { N = 512 };
    static double values[2][N], decides[N], idle[N];
    const bool may[2] = {true, true};
    struct dice dice = dice_of(7);
    (void)state;
    for (int i = 0; i < N; i++) {
        decides[i] = (double)i / N;
        idle[i] = (double)roll(&dice, 1000000);
        values[0][i] = decides[i];
        values[1][i] = 0.5;
    }
    struct decision decision = {values[0], 2, N, may};
    assert_true(information_undecided(&decision));
    assert_true(information_known(&decision, decides) == 0);
    assert_true(information_known(&decision, idle) == 1);
    double chance[INFORMATION_ORDERS];
    information_chance(&decision, 1, chance);
    for (size_t i = 0; i < INFORMATION_ORDERS; i++) {
        assert_true(chance[i] == 1);
    }
}

/* --- the model --- */

static void run(const struct study *study, const struct sensitivity_request *request, unsigned jobs,
                struct sensitivity_results *results)
{
    struct error err = {0};
    bool good =
        sensitivity_run(study, request, &(struct sweep){.jobs = jobs}, test_store(), results, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
}

#define STUDY                                                                               \
    "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\nbacking = 4k, thp\n" \
    "strategy = unmap, unmap-lazy, eager\n"

/* A run on one actor is a sum of count times price, so what a cost does over
 * its range is known from two runs, and costs of nothing have no index. */
static void of_the_model(void **state)
{
    struct study study;
    struct sensitivity_results results;
    struct error err;
    struct sensitivity_request request = {.points = 256, .of = "unmap,unmap-lazy"};
    (void)state;
    assert_true(read_study(&study, STUDY, NULL, 0, &err));
    run(&study, &request, 1, &results);
    for (size_t i = 0; i < results.groups.count; i++) {
        const struct sensitivity_cell *cell = &results.cell[i];
        double sum = 0;
        /* They differ in lines at the unmap only: what that costs is lines and
         * barriers, and neither walks nor invalidations. */
        assert_true(cell->cost[COST_dc_absent_ns].live && cell->cost[COST_dsb_ns].live);
        assert_false(cell->cost[COST_tlbi_ns].live || cell->cost[COST_exit_ns].live);
        assert_true(cell->cost[COST_tlbi_ns].index.total == 0);
        assert_true(cell->cost[COST_dc_absent_ns].at_high > cell->at_modes);
        assert_true(cell->at_modes > cell->cost[COST_dc_absent_ns].at_low);
        for (int id = 0; id < COSTS; id++) {
            sum += cell->cost[id].index.first;
            assert_true(cell->cost[id].index.total >= 0);
        }
        assert_true(sum > 0.7 && sum < 1.3);
    }
    sensitivity_free(&results);
    study_free(&study);
}

static char *rows_of(const struct study *study, unsigned jobs)
{
    struct sensitivity_results results;
    struct sensitivity_request request = {.points = 64};
    char *text = NULL;
    size_t size = 0;
    run(study, &request, jobs, &results);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    sensitivity_report.table[0].write(out, &results);
    sensitivity_report.table[1].write(out, &results);
    sensitivity_report.print(out, &results);
    assert_int_equal(fclose(out), 0);
    sensitivity_free(&results);
    return text;
}

/* The model's own error moves the answer, but nobody can measure it on a board. */
static void misfits_are_not_measured(void **state)
{
    struct study study;
    struct sensitivity_results results;
    struct sensitivity_request request = {.points = 64, .of = "unmap"};
    struct error err;
    char *text = NULL;
    size_t size = 0;
    (void)state;
    assert_true(read_study(&study, STUDY, NULL, 0, &err));
    run(&study, &request, 1, &results);
    assert_true(results.cell[0].cost[COST_path_misfit].live);
    assert_true(results.information[0][COST_path_misfit].gain == 0);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    sensitivity_report.table[1].write(out, &results);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, ",kernel_cpi,"));
    assert_null(strstr(text, "misfit"));
    free(text);
    sensitivity_free(&results);
    study_free(&study);
}

/* What numbers that decide nothing gain by chance is no reason to measure a cost. */
static void chance_is_no_reason(void **state)
{
    struct study study;
    struct sensitivity_results results;
    struct sensitivity_request request = {.points = 64};
    struct error err;
    (void)state;
    assert_true(read_study(&study, STUDY, NULL, 0, &err));
    run(&study, &request, 1, &results);
    results.undecided[0] = 0.5;
    for (int lucky = 0; lucky < 2; lucky++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        for (int id = 0; id < COSTS; id++) {
            results.information[0][id].gain = id == COST_tlbi_ns ? 0.02 : 0;
            results.information[0][id].noise = lucky ? 0.01 : 0.005;
        }
        sensitivity_report.print(out, &results);
        assert_int_equal(fclose(out), 0);
        assert_true((strstr(text, "measure first:\n    tlbi_ns") != NULL) == !lucky);
        assert_true((strstr(text, "no single cost would change that") != NULL) == lucky);
        free(text);
    }
    sensitivity_free(&results);
    study_free(&study);
}

/* Where some bins are decided and some are not, random orders differ, and by as much
 * as gains are not to be believed. */
static void chance_scatters(void **state)
{
    enum { N = 256 };
    static double values[2][N];
    const bool may[2] = {true, true};
    struct decision decision = {values[0], 2, N, may};
    struct dice dice = dice_of(3);
    double chance[INFORMATION_ORDERS];
    (void)state;
    for (int i = 0; i < N; i++) {
        values[0][i] = roll(&dice, 100) < 80 ? 1 : 3;
        values[1][i] = 2;
    }
    information_chance(&decision, 1, chance);
    double mean = gsl_stats_mean(chance, 1, INFORMATION_ORDERS);
    double sd = gsl_stats_sd(chance, 1, INFORMATION_ORDERS);
    assert_true(mean > 0.1 && mean < 0.9);
    assert_true(sd > 0.05 && sd < 0.3); /* eight bins, each about even */
    assert_true(information_least_gain(sd) >= 3 * sd);
    assert_true(information_least_gain(0) > 0 && information_least_gain(NAN) > 0);
}

static void threads_change_nothing(void **state)
{
    struct study study;
    struct error err;
    (void)state;
    assert_true(read_study(&study, STUDY, NULL, 0, &err));
    char *one = rows_of(&study, 1), *four = rows_of(&study, 4);
    assert_true(strlen(one) > 1000);
    assert_string_equal(one, four);
    free(one);
    free(four);
    study_free(&study);
}

/* A strategy that may not win can be looked at; where none may, nothing is undecided. */
static void nobody_to_choose(void **state)
{
    struct study study;
    struct sensitivity_results results;
    struct sensitivity_request request = {.points = 16, .of = "none"};
    static const char *const set[] = {"strategy=none"};
    struct error err;
    (void)state;
    assert_true(read_study(&study, STUDY, set, 1, &err));
    run(&study, &request, 1, &results);
    assert_int_equal(results.cell[0].a, 0);
    assert_true(results.undecided[0] == 0);
    assert_true(results.information[0][0].gain == 0 && results.information[0][0].noise == 0);
    sensitivity_free(&results);
    study_free(&study);
}

/* Where none may win there is nothing to look at, which is no failure. */
static void nothing_to_look_at(void **state)
{
    struct study study;
    struct sensitivity_results results;
    struct sensitivity_request request = {.points = 16};
    static const char *const set[] = {"strategy=none"};
    struct error err;
    (void)state;
    assert_true(read_study(&study, STUDY, set, 1, &err));
    run(&study, &request, 1, &results);
    for (size_t i = 0; i < results.groups.count; i++) {
        const struct sensitivity_cell *cell = &results.cell[i];
        assert_true(cell->a == WINNER_NONE && cell->b == WINNER_NONE && !cell->failed);
        assert_true(cell->at_modes == 0 && cell->variance == 0 && !cell->cost[0].live);
    }
    assert_int_equal(results.failed.count, 0);
    assert_true(results.undecided[0] == 0);
    sensitivity_free(&results);
    study_free(&study);
}

static void bad_requests(void **state)
{
    struct study study;
    struct sensitivity_results results;
    struct error err;
    struct sensitivity_request unknown = {.points = 16, .of = "unmapp"};
    (void)state;
    assert_true(read_study(&study, STUDY, NULL, 0, &err));
    assert_false(sensitivity_run(&study, &unknown, &(struct sweep){.jobs = 1}, test_store(),
                                 &results, &err));
    assert_non_null(strstr(err.text, "--of: "));
    assert_non_null(strstr(err.text, "did you mean unmap?"));
    unknown.of = "unmap,unmap";
    assert_false(sensitivity_run(&study, &unknown, &(struct sweep){.jobs = 1}, test_store(),
                                 &results, &err));
    assert_non_null(strstr(err.text, "--of: found 'unmap,unmap'"));
    assert_int_equal(err.status, EXIT_INPUT);
    study_free(&study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ishigami_indices),
        cmocka_unit_test(many_inputs),
        cmocka_unit_test(nothing_varies),
        cmocka_unit_test(information_of_a_decision),
        cmocka_unit_test(of_the_model),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(misfits_are_not_measured),
        cmocka_unit_test(bad_requests),
        cmocka_unit_test(chance_is_no_reason),
        cmocka_unit_test(chance_scatters),
        cmocka_unit_test(nobody_to_choose),
        cmocka_unit_test(nothing_to_look_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

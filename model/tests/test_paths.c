#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check/paths/paths.h"
#include "core/error.h"
#include "core/rng.h"
#include "kvm/kvm.h"

#define TABLE "bench/kvm/counts.csv"

static struct counts counts;

static int play_table(void **state)
{
    struct error err = {0};
    (void)state;
    return counts_read(TABLE, &counts, &err) && counts_play(&counts, 0, &err) ? 0 : -1;
}

static int free_table(void **state)
{
    (void)state;
    counts_free(&counts);
    return 0;
}

static struct path_rows rows_of(enum path_world world)
{
    struct path_rows rows;
    struct error err = {0};
    if (!path_rows_collect(&counts, world, &rows, &err)) {
        fail_msg("%s", err.text);
    }
    return rows;
}

static struct path_fit fitted(const struct path_rows *rows)
{
    struct path_fit fit;
    struct error err = {0};
    if (!path_fit(rows, &fit, &err)) {
        fail_msg("%s", err.text);
    }
    return fit;
}

static struct path_fit fit_of(enum path_world world)
{
    struct path_rows rows = rows_of(world);
    struct path_fit fit = fitted(&rows);
    path_rows_free(&rows);
    return fit;
}

static void expect_near(double got, double expected, double within)
{
    if (!(fabs(got - expected) <= within)) {
        fail_msg("%g, expected %g", got, expected);
    }
}

/* --- the recorded instructions --- */

static void what_stands_is_what_the_rows_say(void **state)
{
    (void)state;
    for (enum path_world world = WORLD_VHE; world <= WORLD_NVHE; world++) {
        struct path_fit fit = fit_of(world);
        size_t compared = 0;
        for (int term = 0; term < PATH_TERMS; term++) {
            const struct path_estimate *estimate = &fit.term[term];
            double stands;
            if (path_stands(&fit, world, term, &stands)) {
                compared++;
                if (!(fabs(stands - estimate->insns) <= 2 * estimate->standard_error)) {
                    fail_msg("%s %s: %.1f stands, %.1f [%.2f] fitted", world_name[world],
                             path_terms[term].name, stands, estimate->insns,
                             estimate->standard_error);
                }
            }
        }
        assert_int_equal(compared, world == WORLD_VHE ? 16 : 8);
    }
}

/* What is taken out of the paths because it is charged in ns. */
static void what_is_charged_in_time_is_what_the_rows_say(void **state)
{
    (void)state;
    struct path_fit vhe = fit_of(WORLD_VHE), nvhe = fit_of(WORLD_NVHE);
    const struct path_estimate *with = &vhe.term[TERM_UNMAP_LEAF],
                               *without = &nvhe.term[TERM_UNMAP_LEAF],
                               *trap = &vhe.term[TERM_SETWAY_TRAP];
    double error = hypot(with->standard_error, without->standard_error);
    assert_true(fabs(with->insns - without->insns - PATH_TLBI_INSNS) < 2 * error);
    assert_true(fabs(trap->insns - PATH_SWITCH_INSNS) < 2 * trap->standard_error);
    assert_true(fabs(vhe.term[TERM_LINE].insns - 4) < 0.05);
    assert_true(fabs(vhe.term[TERM_IC_LINE].insns - 4) < 0.2);
}

/* A table page is charged by what a first touch holds once: at most that. */
static void a_table_page_is_charged_no_more_than_the_lump_allows(void **state)
{
    double insns[EVENT_KINDS];
    double weight[PATH_TERMS] = {[TERM_FIRST_TOUCH] = 1.0 / 40, [TERM_FIRST_RUN] = -1.0 / 40};
    double most, error;
    (void)state;
    struct path_fit vhe = fit_of(WORLD_VHE), nvhe = fit_of(WORLD_NVHE);
    kvm_path_lengths(true, insns);
    assert_true(path_sum(&vhe, weight, &most, &error));
    assert_true(insns[EV_s2_tables_alloc] > 0);
    assert_true(insns[EV_s2_tables_alloc] < most + 2 * error);
    assert_false(path_sum(&nvhe, weight, &most, &error)); /* no row with a first run alone */
}

static void rows_that_hold_no_tick_are_explained(void **state)
{
    (void)state;
    struct path_rows rows = rows_of(WORLD_VHE);
    struct path_fit fit = fitted(&rows);
    assert_int_equal(rows.count, 288);
    assert_int_equal(rows.copying, 4);
    assert_int_equal(rows.filled, 4);
    assert_true(fit.disturbed < 40);
    assert_true(fit.max_clean_pct < 5);
    assert_true(fit.max_pct > fit.max_clean_pct);
    path_rows_free(&rows);
}

/* --- known lengths --- */

/* Rows as recorded, of other lengths, with noise and a tick in every eighth. */
static struct path_rows synthetic(double length[PATH_TERMS], double tick)
{
    struct path_rows rows = rows_of(WORLD_VHE);
    gsl_rng *rng = gsl_rng_alloc(rng_xoshiro256ss);
    rng_stream(rng, 7, 0, 0, 0);
    for (int term = 0; term < PATH_TERMS; term++) {
        length[term] = path_terms[term].standing == STANDS_WITHIN ? 0 : 100 + 50 * term;
    }
    for (size_t row = 0; row < rows.count; row++) {
        rows.y[row] = row % 8 == 3 ? tick : 0;
        for (int i = 0; i < 12; i++) {
            rows.y[row] += rows.sigma[row] * (gsl_rng_uniform(rng) - 0.5);
        }
        for (int term = 0; term < PATH_TERMS; term++) {
            rows.y[row] += rows.x[row][term] * length[term];
        }
    }
    gsl_rng_free(rng);
    return rows;
}

static void known_lengths_come_back(void **state)
{
    double length[PATH_TERMS];
    (void)state;
    struct path_rows rows = synthetic(length, 4000);
    struct path_fit fit = fitted(&rows);
    for (int term = 0; term < PATH_TERMS; term++) {
        const struct path_estimate *estimate = &fit.term[term];
        if (estimate->fitted &&
            !(fabs(estimate->insns - length[term]) < 3 * estimate->standard_error)) {
            fail_msg("%s: %.1f, fitted %.1f [%.2f]", path_terms[term].name, length[term],
                     estimate->insns, estimate->standard_error);
        }
    }
    assert_int_equal(fit.terms, 22);
    path_rows_free(&rows);
}

/* The errors are those of the noise, whether rows hold ticks or not. */
static void ticks_do_not_widen_the_errors(void **state)
{
    double length[PATH_TERMS];
    (void)state;
    struct path_rows calm = synthetic(length, 0), ticking = synthetic(length, 40000);
    struct path_fit a = fitted(&calm), b = fitted(&ticking);
    double ratio = b.term[TERM_UNMAP_LEAF].standard_error / a.term[TERM_UNMAP_LEAF].standard_error;
    assert_true(ratio > 0.9 && ratio < 2);
    assert_true(b.disturbed >= calm.count / 16);
    path_rows_free(&calm);
    path_rows_free(&ticking);
}

/* --- what cannot be told apart --- */

static char *told(enum path_world world)
{
    char *text = NULL;
    size_t size = 0;
    struct path_rows rows = rows_of(world);
    struct path_fit fit = fitted(&rows);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    path_print(&counts, &rows, &fit, world, out);
    assert_int_equal(fclose(out), 0);
    path_rows_free(&rows);
    return text;
}

static void what_is_the_same_in_every_row_is_named(void **state)
{
    (void)state;
    struct path_fit fit = fit_of(WORLD_VHE);
    assert_false(fit.term[TERM_WALK_MAP].fitted);
    expect_near(fit.term[TERM_WALK_MAP].carried_by[TERM_FAULT_4K], 5, 1e-3);
    expect_near(fit.term[TERM_WALK_MAP].carried_by[TERM_FAULT_2M], 3, 1e-3);
    char *vhe = told(WORLD_VHE), *nvhe = told(WORLD_NVHE);
    assert_non_null(strstr(vhe, "walk_map: in every row it is 5 fault_4k + 3 fault_2m + 5 fault_"));
    assert_non_null(strstr(vhe, "fault_code and table_alloc: hardly"));
    assert_non_null(strstr(vhe, "ic_all: no row holds it"));
    assert_non_null(strstr(nvhe, "reinit_unmap: in every row it is 1 reinit"));
    assert_non_null(strstr(nvhe, "instructions at EL2 were not counted"));
    free(vhe);
    free(nvhe);
}

/* What a term carries counts in what stands for it. */
static void what_is_carried_stands_with_its_carrier(void **state)
{
    double insns[EVENT_KINDS], stands;
    (void)state;
    struct path_fit fit = fit_of(WORLD_NVHE);
    kvm_path_lengths(false, insns);
    assert_true(path_stands(&fit, WORLD_NVHE, TERM_REINIT, &stands));
    expect_near(stands, insns[EV_reinits] + insns[EV_unmap_vm_calls] + 2 * insns[EV_walk_unmap],
                1e-3);
    assert_false(path_stands(&fit, WORLD_NVHE, TERM_HOST_CLEAR, &stands));
    assert_false(path_stands(&fit, WORLD_NVHE, TERM_REINIT_UNMAP, &stands));
}

static void too_few_rows_are_refused(void **state)
{
    struct path_fit fit;
    struct error err = {0};
    (void)state;
    struct path_rows rows = rows_of(WORLD_VHE);
    rows.count = 3;
    assert_false(path_fit(&rows, &fit, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    rows.count = 0;
    assert_false(path_fit(&rows, &fit, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    path_rows_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_is_what_the_rows_say),
        cmocka_unit_test(what_is_charged_in_time_is_what_the_rows_say),
        cmocka_unit_test(a_table_page_is_charged_no_more_than_the_lump_allows),
        cmocka_unit_test(rows_that_hold_no_tick_are_explained),
        cmocka_unit_test(known_lengths_come_back),
        cmocka_unit_test(ticks_do_not_widen_the_errors),
        cmocka_unit_test(what_is_the_same_in_every_row_is_named),
        cmocka_unit_test(what_is_carried_stands_with_its_carrier),
        cmocka_unit_test(too_few_rows_are_refused),
    };
    return cmocka_run_group_tests(tests, play_table, free_table);
}

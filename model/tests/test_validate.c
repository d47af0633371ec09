#include "check.h"

#include "check/published/baseline.h"
#include "check/published/host_fit.h"
#include "check/published/predict.h"
#include "check/published/predict_draws.h"
#include "check/published/validate.h"
#include "core/error.h"
#include "machine/misfit.h"
#include "study/draws.h"
#include "study/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEAD                                                                                       \
    "table,row,benchmark,phase,host,kernel,overrides,backing,bytes,vcpus,stride,split,value,unit," \
    "role,source\n"

/* A file of published rows in the test's own folder. */
static const char *file_of(const char *rows)
{
    static char path[512];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%.400s/published.csv", folder ? folder : "/tmp");
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, HEAD "%s", rows);
    assert_int_equal(fclose(out), 0);
    return path;
}

static struct published_set read_rows(const char *rows)
{
    struct published_set set = {0};
    struct error err;
    bool ok = published_read(file_of(rows), &set, &err);
    if (!ok) {
        print_error("%s\n", err.text);
    }
    assert_true(ok);
    return set;
}

static void refused(const char *rows, const char *part)
{
    struct published_set set = {0};
    struct error err;
    assert_false(published_read(file_of(rows), &set, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, part));
    published_free(&set);
}

static double at_medians(const struct published *row)
{
    double value[COSTS], ps;
    struct error err;
    assert_string_equal(row->refusal, "");
    for (int id = 0; id < COSTS; id++) {
        value[id] = draw_quantile(&row->platform->cost[id], 0.5);
    }
    assert_true(predict_ps(row, value, &ps, &err));
    return ps;
}

static void bad_input_is_one_line(void **state)
{
    (void)state;
    refused("t,a,page_table,create,kunpeng-920,5.11,,4k,1G,1,,,1,s,fitted,x\n", "role");
    refused("t,a,page_table,create,kunpeng-920,5.11,,4k,1G,1,,,zero,s,fit,x\n", "value");
    refused("t,a,page_table,create,kunpeng-920,5.11,,4k,1G,1,,,>,s,predict,x\n", "value");
    refused("t,a,page_table,create,kunpeng-920,5.11,,4k,1G,1,,,>1,s,fit,x\n", "found fit beside");
    refused("t,a,page_table,create,kunpeng-920,5.11,,4k,1G,1,,,1,hours,fit,x\n", "unit");
    refused("t,a,page_table,create,kunpeng-920,5.11,,4k,many,1,,,1,s,fit,x\n", "bytes");
    refused("t,a,page_table,create,kunpeng-920,5.11,,4k,1G,1,,sometimes,1,s,fit,x\n", "split");
    refused("t,a,page_table,create,kunpeng-920,5.11,,4k,1G,1,,,1,s,fit,x\n"
            "t,a,page_table,create,kunpeng-920,5.11,,4k,1G,1,,,1,s,fit,x\n",
            "already");
}

static void what_the_model_cannot_express_is_said(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "no benchmark", "no benchmark phase", "no backing", "no platform",
        "no value",     "5.10 or later",      "4096 vCPUs", "no phase"};
    struct published_set set = read_rows(
        "t,1,traverse,create,kunpeng-920,5.11,,4k,1G,1,,,1,s,predict,x\n"
        "t,2,page_table,dance,kunpeng-920,5.11,,4k,1G,1,,,1,s,predict,x\n"
        "t,3,page_table,create,kunpeng-920,5.11,,16k,1G,1,,,1,s,predict,x\n"
        "t,4,page_table,create,my-host,5.11,,4k,1G,1,,,1,s,predict,x\n"
        "t,5,page_table,create,kunpeng-920,5.11,cmo_place=nobody,4k,1G,1,,,1,s,predict,x\n"
        "t,6,page_table,create,kunpeng-920,4.19,,4k,1G,1,,,1,s,predict,x\n"
        "t,7,page_table,create,kunpeng-920,5.11,,4k,1G,4096,,,1,s,predict,x\n"
        "t,8,page_table,dirty,kunpeng-920,5.11,,4k,1G,1,,,1,s,predict,x\n");
    for (size_t i = 0; i < set.count; i++) {
        assert_non_null(strstr(set.rows[i].refusal, parts[i]));
    }
    struct validation validation;
    struct error err;
    assert_true(validate(&set, &set, 8, &(struct sweep){.jobs = 2}, &validation, &err));
    struct score score = validation_score(&validation, NULL);
    assert_int_equal(score.refused, 8);
    assert_int_equal(score.rows, 0);
    validation_free(&validation);
    published_free(&set);
}

#define CREATE(row, kernel, overrides, vcpus)                                                \
    "t," row ",page_table,create,kunpeng-920," kernel "," overrides ",hugetlb-1g,20G," vcpus \
    ",,,1,s,predict,x\n"

/* Until 5.13 each of v racers cleans each page under the lock; with the
 * installer alone nobody waits for more than one cleaning. */
static void racers_clean_one_after_another(void **state)
{
    (void)state;
    struct published_set set = read_rows(
        CREATE("1", "5.11", "", "1") CREATE("2", "5.11", "", "20") CREATE("3", "5.11", "", "40")
            CREATE("4", "5.11", "cmo_place=installer", "40") CREATE("5", "5.14", "", "40"));
    double one = at_medians(&set.rows[0]), twenty = at_medians(&set.rows[1]);
    double forty = at_medians(&set.rows[2]), patched = at_medians(&set.rows[3]);
    double each = (forty - twenty) / 20;
    double lines = 20.0 * GIB / 64;
    const struct cost *absent = &set.rows[0].platform->cost[COST_dc_absent_ns];
    double sweep = lines * 1000 * draw_quantile(absent, 0.5);
    assert_true(fabs(each / sweep - 1) < 0.01);
    assert_true(fabs(patched / one - 1) < 0.05);
    assert_true(fabs(at_medians(&set.rows[4]) / patched - 1) < 0.001);
    published_free(&set);
}

static void a_slice_stands_for_the_whole(void **state)
{
    (void)state;
    struct published_set set =
        read_rows("t,1,page_table,create,kunpeng-920,5.11,,4k,16M,4,,,1,s,predict,x\n"
                  "t,2,dirty_log,dirty,unnamed-2022,6.1,,thp,256M,4,4K,,1,s,predict,x\n"
                  "t,3,dirty_log,dirty,ampereone,6.1,,hugetlb,1G,8,2M,lazy,1,s,predict,x\n");
    for (size_t i = 0; i < set.count; i++) {
        struct published *row = &set.rows[i];
        struct slices slices = predict_slices(&row->benchmarked);
        assert_true(slices.first < slices.second && slices.second < row->bytes);
        double sliced = at_medians(row);
        /* A region of twice the size takes twice as long but for the start. */
        row->benchmarked.bytes *= 2;
        double twice = at_medians(row);
        assert_true(fabs(twice / (2 * sliced) - 1) < 0.05);
    }
    published_free(&set);
}

/* Without the leaves' invalidations and cleaning, a VM that ends takes what its pages and
 * tables take; the memory was never cleaned by the host. */
static void a_vm_that_ends_frees_its_tables_as_they_are(void **state)
{
    (void)state;
    struct published_set set =
        read_rows("t,1,teardown,exit,kunpeng-920,6.1,,4k,4G,1,,,1,s,predict,x\n"
                  "t,2,teardown,exit,kunpeng-920,6.1,,4k,8G,1,,,1,s,predict,x\n"
                  "t,3,page_table,unmap,kunpeng-920,6.1,,4k,4G,1,,,1,s,predict,x\n"
                  "t,4,teardown,exit,kunpeng-920,6.1,,hugetlb,4G,1,,,1,s,predict,x\n"
                  "t,5,teardown,unmap,kunpeng-920,6.1,,hugetlb,4G,1,,,1,s,predict,x\n"
                  "t,6,teardown,walk,kunpeng-920,6.1,,4k,4G,1,,,1,s,predict,x\n");
    double ends = at_medians(&set.rows[0]), twice = at_medians(&set.rows[1]);
    double dropped = at_medians(&set.rows[2]), huge = at_medians(&set.rows[3]);
    const struct platform *platform = set.rows[0].platform;
    double insn_ps =
        1000 * draw_quantile(&platform->cost[COST_kernel_cpi], 0.5) / platform->clock_ghz;
    double pages = 4.0 * GIB / 4096;
    /* A page's own 1050 instructions, the leaf's 40 and its visit's 17; a table for each 512. */
    assert_true(fabs(ends / (pages * (1050 + 40 + 17) * insn_ps) - 1) < 0.01);
    assert_true(fabs(twice / ends - 2) < 0.01);
    assert_true(dropped > 4 * ends);
    /* Huge pages of a pool: 820 instructions and four cold lines, and a page of the guest's tables
     * each. The VM's own end is a part. */
    double cpus = (double)platform->cores, blocks = 4.0 * GIB / (2 * MIB);
    double memory_ps = 1000 * draw_quantile(&platform->cost[COST_memory_ns], 0.5);
    double freed_ps = blocks * ((820 + 1050 + 2 * (40 + 17)) * insn_ps + 4 * memory_ps);
    double closed_ps =
        (149000 + 3200 * cpus + 26300) * insn_ps + (41 * cpus + 84 + 1282 + 2407) * memory_ps;
    assert_true(fabs(huge / (freed_ps + closed_ps) - 1) < 0.02);
    /* The tables' part of it alone. */
    assert_true(fabs(at_medians(&set.rows[5]) / (pages * (40 + 17) * insn_ps) - 1) < 0.05);
    assert_non_null(strstr(set.rows[4].refusal, "no phase"));
    published_free(&set);
}

/* A pass writes what was read-only, so that clearing takes a leaf as long as protecting it did at
 * the start; taking the log copies a bit a page. */
static void the_log_is_taken_and_cleared(void **state)
{
    (void)state;
#define LOG(row, phase, bytes)                        \
    "t," row ",dirty_log," phase ",kunpeng-920,6.5,," \
    "4k," bytes ",2,4K,lazy,1,s,predict,x\n"
    struct published_set set =
        read_rows(LOG("1", "populate", "16M") LOG("2", "get", "16M") LOG("3", "get", "64M")
                      LOG("4", "clear", "16M") LOG("5", "protect", "16M") LOG("6", "dirty", "16M"));
    double time[6];
    for (size_t i = 0; i < 6; i++) {
        time[i] = at_medians(&set.rows[i]);
    }
    assert_true(time[0] > time[5]); /* a first touch does more than a permission fault, whose
                                       invalidation is local from 6.5 on */
    assert_true(time[2] > time[1] && time[1] > 0 && time[1] < time[3] / 10);
    assert_true(time[3] > 0.5 * time[4] && time[3] < 1.1 * time[4]);
    published_free(&set);
}

/* Against a time of about 1 s. */
static void bounds_are_kept_or_broken(void **state)
{
    (void)state;
    static const bool kept[] = {true, false, false, true};
    struct published_set set =
        read_rows("t,1,page_table,unmap,unnamed-2023,6.5,,4k,2G,1,,,>0.1,s,predict,x\n"
                  "t,2,page_table,unmap,unnamed-2023,6.5,,4k,2G,1,,,>100,s,predict,x\n"
                  "t,3,page_table,unmap,unnamed-2023,6.5,,4k,2G,1,,,<0.1,s,predict,x\n"
                  "t,4,page_table,unmap,unnamed-2023,6.5,,4k,2G,1,,,<100,s,predict,x\n");
    struct validation validation;
    struct error err;
    char *text = NULL;
    size_t size;
    assert_true(validate(&set, &set, 16, &(struct sweep){.jobs = 2}, &validation, &err));
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(validation.rows[i].inside, kept[i]);
    }
    struct score score = validation_score(&validation, NULL);
    assert_int_equal(score.rows, 0);
    assert_int_equal(score.bounds, 4);
    assert_int_equal(score.bounds_kept, 2);
    assert_int_equal(validation.misfits.count, 0); /* they say nothing of the model's error */
    FILE *out = open_memstream(&text, &size);
    validation_csv(&validation, out);
    fclose(out);
    assert_non_null(strstr(text, "\nt,1,bound,s,>0.1,"));
    assert_non_null(strstr(text, ",,yes\n"));
    free(text);
    validation_free(&validation);
    published_free(&set);
}

/* A table that is missed and of which nothing is said, or a note of a table that there is not. */
static void notes_are_of_tables(void **state)
{
    (void)state;
    static const char *const files[] = {"kunpeng-4k", "unmap-2m"};
    struct published_notes notes;
    struct error err;
    bool named[2] = {false};
    assert_true(published_notes_read(&notes, &err));
    for (size_t i = 0; i < notes.missing.rows; i++) {
        const char *table = csv_cell(&notes.missing, i, csv_column(&notes.missing, "table"));
        size_t k = 0;
        while (k < 2 && strcmp(files[k], table) != 0) {
            k++;
        }
        assert_true(k < 2);
        named[k] = true;
    }
    assert_true(named[0] && named[1]);
    assert_true(notes.unused.rows > 0);
    published_notes_free(&notes);
}

static void the_line_goes_through_the_fit_rows(void **state)
{
    (void)state;
    struct published_set set =
        read_rows("t,1,page_table,unmap,unnamed-2023,6.5,,4k,2G,1,,,3,s,fit,x\n"
                  "t,2,page_table,unmap,unnamed-2023,6.5,,4k,4G,1,,,5,s,fit,x\n"
                  "t,3,page_table,unmap,unnamed-2023,6.5,,4k,16G,1,,,17,s,predict,x\n"
                  "u,1,page_table,unmap,unnamed-2023,6.5,,4k,2G,1,,,3,s,fit,x\n"
                  "u,2,page_table,unmap,unnamed-2023,6.5,,4k,16G,1,,,17,s,predict,x\n"
                  "v,1,page_table,unmap,unnamed-2023,6.5,,4k,16G,1,,,17,s,predict,x\n");
    double line;
    assert_true(baseline_predict(&set, &set.rows[2], &line));
    assert_true(fabs(line - 17) < 1e-9);
    assert_true(baseline_predict(&set, &set.rows[4], &line));
    assert_true(fabs(line - 24) < 1e-9); /* one point and the origin */
    assert_false(baseline_predict(&set, &set.rows[5], &line));
    published_free(&set);
}

static void the_csv_is_as_documented(void **state)
{
    (void)state;
    struct published_set set =
        read_rows("t,1,page_table,unmap,unnamed-2023,6.5,,4k,2G,1,,,1.07,s,predict,x\n"
                  "t,2,traverse,,unnamed-2023,6.5,,4k,2G,1,,,1,s,predict,x\n");
    struct validation validation;
    struct error err;
    char *text = NULL;
    size_t size;
    assert_true(validate(&set, &set, 16, &(struct sweep){.jobs = 2}, &validation, &err));
    const struct prediction *made = &validation.rows[0];
    assert_true(made->p10 < made->p50 && made->p50 < made->p90);
    assert_int_equal(made->inside, made->p10 <= 1.07 && 1.07 <= made->p90);
    FILE *out = open_memstream(&text, &size);
    validation_csv(&validation, out);
    fclose(out);
    static const char head[] = "table,row,role,unit,measured,p10,p50,p90,error_pct,inside\n";
    assert_memory_equal(text, head, sizeof head - 1);
    assert_non_null(strstr(text, "\nt,1,predict,s,1.07,"));
    assert_non_null(strstr(text, "\nt,2,predict,s,1,,,,,\n"));
    free(text);
    validation_free(&validation);
    published_free(&set);
}

static void a_figure_is_as_exact_as_it_is_printed(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        double half; /* of the last digit */
    } cases[] = {{"0.005", 0.0005}, {"10.06", 0.005}, {"19", 0.5},
                 {"1200", 0.5},     {"1.5e3", 50},    {"2e-3", 5e-4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256];
        snprintf(line, sizeof line,
                 "t,1,page_table,unmap,unnamed-2023,6.5,,4k,2G,1,,,%s,s,predict,x\n",
                 cases[i].value);
        struct published_set set = read_rows(line);
        double half = set.rows[0].error * set.rows[0].value * sqrt(3); /* evenly spread */
        assert_true(fabs(half / cases[i].half - 1) < 1e-9);
        published_free(&set);
    }
}

/* Their mean is the value, their standard error and the rounding of each its error. */
static void repetitions_are_one_row(void **state)
{
    (void)state;
    struct published_set set =
        read_rows("t,1,page_table,unmap,unnamed-2023,6.5,,4k,2G,1,,,7 7 10,ms,predict,x\n"
                  "t,2,page_table,unmap,unnamed-2023,6.5,,4k,2G,1,,,8 8 8,ms,predict,x\n");
    assert_true(fabs(set.rows[0].value - 8) < 1e-9);
    assert_true(fabs(set.rows[0].error - sqrt(1 + 0.25 / 3) / 8) < 1e-9);
    assert_true(fabs(set.rows[1].error - sqrt(0.25 / 3) / 8) < 1e-9);
    published_free(&set);
}

/* --- draws --- */

#define SOME_DRAWS 24

/* How far a row's draws are off those that are played. */
struct off {
    double rms, worst, median;
};

/* `other`: another row's draws to fit to, or NULL. */
static struct off off_played(const struct published *row, const struct drawn_times *other,
                             struct drawn_times *times)
{
    double value[SOME_DRAWS][COSTS], played[SOME_DRAWS], sorted[SOME_DRAWS];
    const double *ps;
    struct draw_plan plan = {.seed = 1, .draws = SOME_DRAWS, .shifts = 4};
    struct off off = {0};
    struct error err;
    assert_string_equal(row->refusal, "");
    draw_costs(&plan, row->platform, value);
    drawn_times_alloc(times, SOME_DRAWS);
    assert_true(predict_draws(row, (const double(*)[COSTS])value, SOME_DRAWS, other, times, &err));
    ps = times->ps;
    for (size_t i = 0; i < SOME_DRAWS; i++) {
        assert_true(predict_ps(row, value[i], &played[i], &err));
        double own = fabs(ps[i] / played[i] - 1);
        off.rms += own * own / SOME_DRAWS;
        off.worst = fmax(off.worst, own);
    }
    off.rms = sqrt(off.rms);
    memcpy(sorted, ps, sizeof sorted);
    off.median =
        fabs(stats_quantile(sorted, SOME_DRAWS, 0.5) / stats_quantile(played, SOME_DRAWS, 0.5) - 1);
    print_message("%s %s: draws are off those played by %.3f %%, the worst by %.3f %%, the median "
                  "by %.3f %%\n",
                  row->table, row->row, 100 * off.rms, 100 * off.worst, 100 * off.median);
    return off;
}

/* Where one actor is at work a time is that of its events. */
static void draws_of_one_actor_are_those_that_are_played(void **state)
{
    (void)state;
    struct published_set set =
        read_rows("t,1,page_table,create,kunpeng-920,5.11,,4k,1G,1,,,1,s,predict,x\n"
                  "t,2,page_table,adjust,kunpeng-920,5.11,,hugetlb-1g,20G,1,,,1,s,predict,x\n"
                  "t,3,page_table,unmap,unnamed-2023,6.5,,hugetlb,1G,128,,,1,s,predict,x\n"
                  "t,4,dirty_log,dirty,ampereone,6.1,,hugetlb,1G,1,2M,lazy,1,s,predict,x\n"
                  "t,5,dirty_log,clear,kunpeng-920,6.5,,4k,16M,2,4K,lazy,1,s,predict,x\n"
                  "t,6,teardown,exit,kunpeng-920,6.1,,4k,4G,1,,,1,s,predict,x\n");
    for (size_t i = 0; i < set.count; i++) {
        struct drawn_times times;
        assert_true(off_played(&set.rows[i], NULL, &times).worst < 1e-6);
        drawn_times_free(&times);
    }
    published_free(&set);
}

/* Where many wait for one thing, a time is near what is fitted to a few draws, and those of more
 * vCPUs are a multiple. */
static void draws_of_many_are_near_those_that_are_played(void **state)
{
    (void)state;
    struct published_set set =
        read_rows("t,1,dirty_log,dirty,unnamed-2022,6.1,fault_lock=read,thp,4G,4,4K,lazy,1,s,"
                  "predict,x\n"
                  "t,2,dirty_log,dirty,unnamed-2022,6.1,fault_lock=write,thp,4G,4,4K,lazy,1,s,"
                  "predict,x\n"
                  "t,3,dirty_log,dirty,unnamed-2022,6.1,fault_lock=write,thp,4G,8,4K,lazy,1,s,"
                  "predict,x\n");
    struct drawn_times times[3];
    for (size_t i = 0; i < set.count; i++) {
        struct off off = off_played(&set.rows[i], i == 2 ? &times[1] : NULL, &times[i]);
        assert_true(times[i].off <= PREDICT_OFF);
        assert_true(off.rms < 2 * PREDICT_OFF && off.median < PREDICT_OFF);
    }
    for (size_t i = 0; i < set.count; i++) {
        drawn_times_free(&times[i]);
    }
    published_free(&set);
}

/* Where races decide, no fit foresees a draw: all are played, those that are known not again. */
static void draws_that_races_decide_are_played(void **state)
{
    (void)state;
    struct published_set set =
        read_rows("t,1,page_table,create,kunpeng-920,5.11,,4k,1G,20,,,1,s,predict,x\n");
    double value[SOME_DRAWS][COSTS];
    struct draw_plan plan = {.seed = 1, .draws = SOME_DRAWS, .shifts = 4};
    struct drawn_times times;
    struct error err;
    assert_true(off_played(&set.rows[0], NULL, &times).worst == 0);
    assert_true(times.off == 0);
    draw_costs(&plan, set.rows[0].platform, value);
    times.ps[1] = 1;
    assert_true(
        predict_draws(&set.rows[0], (const double(*)[COSTS])value, SOME_DRAWS, NULL, &times, &err));
    assert_true(times.ps[1] == 1);
    drawn_times_free(&times);
    published_free(&set);
}

/* A row under another version that does the same is the same row; one with more vCPUs is not, nor
 * one of a kernel that cleans elsewhere. */
static void the_same_row_is_the_same_prediction(void **state)
{
    (void)state;
    struct published_set set = read_rows(
        "t,1,page_table,create,kunpeng-920,5.11,,hugetlb-1g,20G,20,,,1,s,predict,x\n"
        "t,2,page_table,create,kunpeng-920,5.12,,hugetlb-1g,20G,20,,,1,s,predict,x\n"
        "t,3,page_table,create,kunpeng-920,5.12,,hugetlb-1g,20G,40,,,1,s,predict,x\n"
        "t,4,page_table,create,kunpeng-920,5.12,cmo_place=installer,hugetlb-1g,20G,40,,,1,s,"
        "predict,x\n");
    struct validation validation;
    struct error err;
    assert_true(validate(&set, &set, 8, &(struct sweep){.jobs = 2}, &validation, &err));
    const struct prediction *made = validation.rows;
    assert_true(made[0].p50 == made[1].p50);
    assert_true(made[2].p50 > 1.8 * made[1].p50);
    assert_true(made[3].p50 < made[2].p50 / 8);
    validation_free(&validation);
    published_free(&set);
}

/* The median of eight times as many draws, the first of which had been predicted already. */
static void wide_rows_have_more_draws(void **state)
{
    (void)state;
    enum { DRAWS = 64 };
    struct published_set fitted = {0};
    struct published_set set =
        read_rows("t,1,dirty_log,protect,neoverse-n1,6.5,,4k,1G,1,4K,lazy,1,s,predict,x\n");
    double point[DRAWS][COSTS], value[DRAWS][COSTS], played[DRAWS];
    struct draw_plan plan = {.seed = 1, .draws = DRAWS, .shifts = 4};
    struct validation validation;
    struct host_fit fit;
    struct error err;
    assert_true(published_read("bench/published/altra.csv", &fitted, &err));
    assert_true(validate(&set, &fitted, DRAWS / 8, &(struct sweep){.jobs = 2}, &validation, &err));
    draw_points(&plan, set.rows[0].platform->name, point);
    draw_costs(&plan, set.rows[0].platform, value);
    for (size_t i = 0; i < DRAWS; i++) {
        for (size_t kind = 0; kind < MISFITS; kind++) {
            value[i][misfit_cost[kind]] = 1;
        }
    }
    assert_true(host_fit_standing(&fitted, "neoverse-n1", &fit, &err));
    assert_true(host_fit_draws(&fit, DRAWS, (const double(*)[COSTS])point, value, &err));
    for (size_t i = 0; i < DRAWS; i++) {
        assert_true(predict_ps(&set.rows[0], value[i], &played[i], &err));
    }
    double p50 = stats_quantile(played, DRAWS, 0.5) / set.rows[0].unit_ps;
    print_message("spread %.2f: median %.6f, of all that are played %.6f\n",
                  validation.rows[0].spread, validation.rows[0].p50, p50);
    assert_true(validation.rows[0].spread > 0.25);
    assert_true(fabs(validation.rows[0].p50 / p50 - 1) < 0.002);
    validation_free(&validation);
    published_free(&set);
    published_free(&fitted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_of_one_actor_are_those_that_are_played),
        cmocka_unit_test(draws_of_many_are_near_those_that_are_played),
        cmocka_unit_test(draws_that_races_decide_are_played),
        cmocka_unit_test(the_same_row_is_the_same_prediction),
        cmocka_unit_test(wide_rows_have_more_draws),
        cmocka_unit_test(repetitions_are_one_row),
        cmocka_unit_test(bad_input_is_one_line),
        cmocka_unit_test(what_the_model_cannot_express_is_said),
        cmocka_unit_test(racers_clean_one_after_another),
        cmocka_unit_test(a_slice_stands_for_the_whole),
        cmocka_unit_test(a_vm_that_ends_frees_its_tables_as_they_are),
        cmocka_unit_test(the_log_is_taken_and_cleared),
        cmocka_unit_test(bounds_are_kept_or_broken),
        cmocka_unit_test(notes_are_of_tables),
        cmocka_unit_test(the_line_goes_through_the_fit_rows),
        cmocka_unit_test(the_csv_is_as_documented),
        cmocka_unit_test(a_figure_is_as_exact_as_it_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

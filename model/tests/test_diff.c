/* Two folders of results, row by row. */
#include "core/error.h"
#include "study_files.h"

#include "report/diff.h"

#include <math.h>
#include <sys/stat.h>

#define HEADER                                                                               \
    "study,machine,strategy,metric,unit,n,mode,mean,p10,p50,p90,interval_low,interval_high," \
    "verdict\n"

static const char *folder_of(const char *name, const char *text)
{
    static char path[2][512];
    static int turn;
    char file[600];
    const char *base = getenv("TMPDIR");
    turn = 1 - turn;
    snprintf(path[turn], sizeof path[turn], "%s/diff-%s-%d", base ? base : "/tmp", name,
             (int)getpid());
    mkdir(path[turn], 0777);
    snprintf(file, sizeof file, "%s/rows.csv", path[turn]);
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    assert_int_equal(fputs(text, out) < 0, 0);
    assert_int_equal(fclose(out), 0);
    return path[turn];
}

static bool compare(const char *a, const char *b, struct diff *diff, struct error *err)
{
    const char *first = folder_of("a", a), *second = folder_of("b", b);
    return diff_read(diff, first, second, NULL, err);
}

static const struct diff_row *row_of(const struct diff *diff, const char *strategy)
{
    size_t i = 0;
    while (strcmp(csv_cell(&diff->a, diff->row[i].a, csv_column(&diff->a, "strategy")), strategy) !=
           0) {
        i++;
        assert_true(i < diff->count);
    }
    return &diff->row[i];
}

static void marks(void **state)
{
    struct diff diff;
    struct error err = {0};
    (void)state;
    bool good = compare(HEADER "s,m,same,t,ns,8,10,10,8,10,12,9,11,coherent\n"
                               "s,m,near,t,ns,8,10,10,8,10,12,9,11,coherent\n"
                               "s,m,less,t,ns,8,10,10,8,10,12,7,13,coherent\n"
                               "s,m,more,t,ns,0,10,,,,,,,coherent\n"
                               "s,m,judged,t,ns,8,10,10,8,10,12,9,11,coherent\n"
                               "s,m,alone,t,ns,8,10,10,8,10,12,9,11,coherent\n",
                        HEADER "s,m,more,t,ns,0,11,,,,,,,coherent\n"
                               "s,m,same,t,ns,8,10,10,8,10,12,9,11,coherent\n"
                               "s,m,near,t,ns,8,11,11,9,11,13,10,12,coherent\n"
                               "s,m,less,t,ns,8,5,5,4,5,6,1,9,coherent\n"
                               "s,m,judged,t,ns,8,10,10,8,10,12,9,11,stale\n"
                               "s,m,other,t,ns,8,10,10,8,10,12,9,11,coherent\n",
                        &diff, &err);
    if (!good) {
        print_error("%s\n", err.text);
    }
    assert_true(good);
    assert_non_null(diff.a.path);
    assert_non_null(diff.b.path);
    assert_string_not_equal(diff.a.path, diff.b.path);
    assert_int_equal(row_of(&diff, "same")->mark, '=');
    assert_int_equal(row_of(&diff, "near")->mark, '~');
    assert_int_equal(row_of(&diff, "less")->mark, '-');
    assert_int_equal(row_of(&diff, "more")->mark, '+');
    assert_int_equal(row_of(&diff, "judged")->mark, '!');
    assert_int_equal(row_of(&diff, "alone")->mark, ' ');
    /* Half widths of 3 and 4 make 5. */
    const struct diff_row *less = row_of(&diff, "less");
    assert_true(less->difference == -5 && less->low == -10 && less->high == 0);
    assert_true(row_of(&diff, "more")->difference == 1 && isnan(row_of(&diff, "more")->low));
    assert_int_equal(diff.count, 7);
    assert_int_equal(diff.alone, 2);
    assert_int_equal(diff.row[6].a, SIZE_MAX);
    diff_free(&diff);
}

/* A mean and a value at the modes are two different things; so are a number and
 * none, which is no other verdict. */
static void only_like_with_like(void **state)
{
    struct diff diff;
    struct error err = {0};
    char *text = NULL;
    size_t size = 0;
    (void)state;
    assert_true(compare(HEADER "s,m,same,t,ns,8,10,14,8,13,20,12,16,coherent\n"
                               "s,m,more,t,ns,8,10,14,8,13,20,12,16,coherent\n"
                               "s,m,never,t,ns,0,,,,,,,,coherent\n",
                        HEADER "s,m,same,t,ns,0,10,,,,,,,coherent\n"
                               "s,m,more,t,ns,0,12,,,,,,,coherent\n"
                               "s,m,never,t,ns,0,7,,,,,,,coherent\n",
                        &diff, &err));
    assert_int_equal(row_of(&diff, "same")->mark, '=');
    assert_int_equal(row_of(&diff, "more")->mark, '+');
    assert_true(row_of(&diff, "more")->difference == 2 && isnan(row_of(&diff, "more")->low));
    assert_int_equal(row_of(&diff, "never")->mark, '?');
    assert_int_equal(diff.changed, 2);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    diff_print(out, &diff);
    diff_write(out, &diff);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "never t: nothing to 7 ns\n"));
    assert_non_null(strstr(text, ",known,coherent,coherent,"));
    free(text);
    diff_free(&diff);
}

static void refused(const char *a, const char *b, const char *says)
{
    struct diff diff;
    struct error err = {0};
    assert_false(compare(a, b, &diff, &err));
    if (!strstr(err.text, says)) {
        print_error("'%s' does not say '%s'\n", err.text, says);
    }
    assert_non_null(strstr(err.text, says));
    assert_int_equal(err.status, EXIT_INPUT);
}

static void bad_folders(void **state)
{
    static const char good[] = HEADER "s,m,x,t,ns,0,10,,,,,,,coherent\n";
    (void)state;
    refused(good, HEADER "s,m,x,u,ns,0,10,,,,,,,coherent\n", "no row in common");
    refused(good, "study,metric\ns,t\n", "expected a column of that name");
    refused("study,machine,size,strategy,metric,unit,n,mode,mean,p10,p50,p90,interval_low,"
            "interval_high,verdict\ns,m,1,x,t,ns,0,10,,,,,,,coherent\n"
            "s,m,2,x,t,ns,0,10,,,,,,,coherent\n",
            good, "axis size");
    refused(good, HEADER, "no row in common");
}

/* An axis that one has and the other not is none where it has one value. */
static void an_axis_more(void **state)
{
    struct diff diff;
    struct error err = {0};
    (void)state;
    assert_true(compare("study,machine,size,strategy,metric,unit,n,mode,mean,p10,p50,p90,"
                        "interval_low,interval_high,verdict\ns,m,1,x,t,ns,0,10,,,,,,,coherent\n",
                        HEADER "s,m,x,t,ns,0,10,,,,,,,coherent\n", &diff, &err));
    assert_int_equal(diff.same, 1);
    diff_free(&diff);
}

/* What has one value in each folder, and not the same, is what people compare. */
static void what_is_apart(void **state)
{
    struct diff diff;
    struct error err = {0};
    char *text = NULL;
    size_t size = 0;
    (void)state;
    assert_true(compare("study,machine,kernel,footprint,metric,unit,n,mode,mean,p10,p50,p90,"
                        "interval_low,interval_high,verdict\n"
                        "s,m,6.1,1073741824,t,ns,0,10,,,,,,,coherent\n"
                        "s,m,6.1,2147483648,t,ns,0,20,,,,,,,coherent\n"
                        "s,m,6.1,4294967296,t,ns,8,20,20,10,20,30,18,22,coherent\n",
                        "study,machine,kernel,footprint,metric,unit,n,mode,mean,p10,p50,p90,"
                        "interval_low,interval_high,verdict\n"
                        "s,m,6.6,1073741824,t,ns,0,10,,,,,,,coherent\n"
                        "s,m,6.6,2147483648,t,ns,0,25,,,,,,,coherent\n"
                        "s,m,6.6,4294967296,t,ns,8,21,21,11,21,31,19,23,coherent\n",
                        &diff, &err));
    assert_int_equal(diff.same, 1);
    assert_int_equal(diff.changed, 1);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    diff_print(out, &diff);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "first: kernel=6.1; second: kernel=6.6\n"));
    assert_non_null(strstr(text, "+ footprint=2G t: 20 ns to 25 ns\n"));
    assert_non_null(strstr(text, "~ footprint=4G t: 20 ns to 21 ns, difference "));
    free(text);
    diff_free(&diff);
}

/* Axes that were left out would have rows matched that are not the same. */
static void more_axes_than_it_has_room_for(void **state)
{
    char text[2000] = "study", cells[400] = "s";
    struct diff diff;
    struct error err = {0};
    (void)state;
    for (int i = 0; i < 70; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), ",axis%d", i);
        snprintf(cells + strlen(cells), sizeof cells - strlen(cells), ",1");
    }
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s,t,ns%s,coherent\n",
             strstr(HEADER, ",metric"), cells, ",8,10,10,8,10,12,9,11");
    assert_false(compare(text, text, &diff, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, "rows.csv: found over 63 axes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks),         cmocka_unit_test(only_like_with_like),
        cmocka_unit_test(bad_folders),   cmocka_unit_test(an_axis_more),
        cmocka_unit_test(what_is_apart), cmocka_unit_test(more_axes_than_it_has_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

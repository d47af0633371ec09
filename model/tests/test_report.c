/* What is written: JSON, rows, and files that are whole or not there. */
#include "core/error.h"
#include "study_files.h"
#include "study_results.h"

#include "core/csv.h"
#include "core/tojson.h"
#include "report/cells.h"
#include "report/export.h"
#include "report/output.h"
#include "report/run_json.h"
#include "study/verdict.h"

#include <math.h>
#include <sys/stat.h>

/* --- JSON --- */

static void expect_json(json_t *value, const char *expected)
{
    char *text = tojson_dump(value, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(text, expected);
    json_t *back = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(back);
    json_decref(back);
    free(text);
}

/* Also what is cut in the middle of a character, too long for it, or a surrogate. */
static void json_of_any_bytes(void **state)
{
    (void)state;
    expect_json(tojson_text("q\" b\\ \n \x01 \xc3\xa9"), "\"q\\\" b\\\\ \\n \\u0001 \xc3\xa9\"");
    expect_json(tojson_text("a\xff"
                            "b\xc3"),
                "\"a\xef\xbf\xbd"
                "b\xef\xbf\xbd\"");
    expect_json(tojson_text("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_json(tojson_text("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_json(tojson_text("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"");
    expect_json(tojson_text(NULL), "null");
    json_t *object = json_object();
    tojson_set(object, "\xfe", tojson_text(""));
    expect_json(object, "{\"\xef\xbf\xbd\":\"\"}");
}

static void json_of_unsigned_numbers(void **state)
{
    (void)state;
    expect_json(tojson_whole(0), "0");
    expect_json(tojson_whole(INT64_MAX), "9223372036854775807");
    expect_json(tojson_whole(UINT64_MAX), "1.8446744073709552e19");
}

/* --- metrics --- */

/* The list begins behind the x: nothing before it is looked at. */
static void metrics_are_chosen_by_name(void **state)
{
    static const char text[] = "x lines, added_boot_ns ";
    bool wanted[METRICS];
    struct error err;
    (void)state;
    assert_true(metric_select(text + 1, wanted, NULL, &err));
    for (int i = 0; i < METRICS; i++) {
        assert_int_equal(wanted[i], i == METRIC_lines || i == METRIC_added_boot_ns);
    }
}

/* --- verdicts --- */

static void conditions(void **state)
{
    struct verdict verdict[READERS] = {{0}};
    char text[512];
    (void)state;
    verdict_text(verdict, text, sizeof text);
    assert_string_equal(text, "");
    verdict[READER_GUEST_ON] =
        (struct verdict){.outcome = ONLY_IF, .conditions = CONDITION_NO_FILL};
    verdict[READER_HOST] = (struct verdict){.outcome = ONLY_IF, .conditions = CONDITION_STILL};
    verdict_text(verdict, text, sizeof text);
    assert_non_null(strstr(text, "no speculative data fill"));
    assert_non_null(strstr(text, "all vCPUs stand still"));
    verdict[READER_FETCH] = (struct verdict){.outcome = STALE, .lines_stale = 12};
    verdict_text(verdict, text, sizeof text);
    assert_string_equal(text, "guest fetch: 12 lines");
}

/* --- rows --- */

static void write_rows(const struct study *study, char *path, size_t size)
{
    static const bool csv[ROWS_FORMATS] = {[ROWS_CSV] = true};
    const char *folder = getenv("TMPDIR");
    struct store_about about;
    struct sweep sweep = {.jobs = 1};
    struct error err;
    bool wanted[METRICS];
    assert_true(metric_select("added_boot_ns, lines", wanted, NULL, &err));
    assert_true(run_about(study, (struct shard){1, 1}, "csv", &about, &err));
    struct store *store = store_open(NULL, &about, false, &err);
    assert_non_null(store);
    assert_true(study_execute(study, &sweep, store, wanted, &err));
    assert_true(export_write(store, csv, folder ? folder : "/tmp", &err));
    snprintf(path, size, "%s/rows.csv", folder ? folder : "/tmp");
    store_about_free(&about);
    store_drop(store);
}

static void rows_read_back(void **state)
{
    struct study study;
    struct csv rows;
    struct error err;
    char path[512];
    (void)state;
    assert_true(read_study(&study,
                           "[study]\ndraws = 4\nshifts = 2\n[axes]\nworkload = %s\n"
                           "machine = neoverse-n1\nram = 64M, 128M\nstrategy = unmap, fwb, none\n",
                           NULL, 0, &err));
    write_rows(&study, path, sizeof path);
    assert_true(csv_read(path, &rows, &err));
    assert_int_equal(rows.rows, 2 * 6);
    assert_string_equal(csv_cell(&rows, 0, csv_column(&rows, "ram")), "67108864");
    assert_string_equal(csv_cell(&rows, 0, csv_column(&rows, "metric")), "added_boot_ns");
    assert_string_equal(csv_cell(&rows, 1, csv_column(&rows, "metric")), "lines");
    assert_string_equal(csv_cell(&rows, 0, csv_column(&rows, "n")), "4");
    assert_string_equal(csv_cell(&rows, 0, csv_column(&rows, "hypothetical")), "no");
    assert_string_equal(csv_cell(&rows, 2, csv_column(&rows, "hypothetical")), "if it had FWB");
    assert_string_equal(csv_cell(&rows, 4, csv_column(&rows, "verdict")), "stale");
    assert_true(csv_column(&rows, "schema_version") > 0);
    csv_free(&rows);
    study_free(&study);
}

static char *run_json(const struct study *study, struct error *err)
{
    struct study_results results;
    char *text = NULL;
    size_t size = 0;
    assert_true(study_results_of(study, 1, &results, err));
    FILE *out = open_memstream(&text, &size);
    bool good = run_json_write(out, results.store, err);
    assert_int_equal(fclose(out), 0);
    study_results_free(&results);
    if (!good) {
        free(text);
        return NULL;
    }
    return text;
}

static void run_is_told(void **state)
{
    struct study study;
    struct error err;
    (void)state;
    read_good_study(&study, "neoverse-n1", 0);
    assert_int_equal(setenv("SOURCE_DATE_EPOCH", "86400", 1), 0);
    char *text = run_json(&study, &err);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"date\": \"1970-01-02T00:00:00Z\""));
    assert_non_null(strstr(text, "\"tlbi_ns\": {"));
    assert_non_null(strstr(text, "\"footprint\": \"4M\""));
    assert_non_null(strstr(text, "\"flush_at\": \"first_run\""));
    assert_non_null(strstr(text, "\"fault_lock source\""));
    free(text);
    assert_int_equal(setenv("SOURCE_DATE_EPOCH", "soon", 1), 0);
    assert_null(run_json(&study, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
    study_free(&study);
}

/* --- files --- */

static void whole_files_only(void **state)
{
    struct output output;
    struct error err;
    char folder[512];
    (void)state;
    write_file("marker", "", folder, sizeof folder);
    snprintf(strrchr(folder, '/'), 16, "/a/b/c");
    assert_true(output_folder_check(folder, &err));
    assert_true(output_folder_make(folder, &err));
    assert_true(output_open(&output, folder, "x.csv", &err));
    assert_true(fputs("x", output.file) >= 0);
    assert_int_not_equal(access(output.path, F_OK), 0);
    assert_true(output_close(&output, &err));
    assert_int_not_equal(access(output.path, F_OK), 0);
    assert_true(output_keep(&output, &err));
    assert_int_equal(access(output.path, F_OK), 0);
    output_drop(&output);
    assert_int_equal(access(output.path, F_OK), 0);
    assert_int_equal(unlink(output.path), 0);

    assert_true(output_open(&output, folder, "y.csv", &err));
    char temporary[OUTPUT_PATH];
    memcpy(temporary, output.temporary, sizeof temporary);
    assert_int_equal(access(temporary, F_OK), 0);
    output_drop(&output);
    assert_int_not_equal(access(temporary, F_OK), 0);
}

static void paths_in_two(void **state)
{
    char folder[OUTPUT_PATH], long_name[OUTPUT_PATH], path[OUTPUT_PATH];
    struct error err;
    (void)state;
    assert_string_equal(output_split("a/b/c.csv", folder), "c.csv");
    assert_string_equal(folder, "a/b");
    assert_string_equal(output_split("c.csv", folder), "c.csv");
    assert_string_equal(folder, ".");
    assert_string_equal(output_split("/c.csv", folder), "c.csv");
    assert_string_equal(folder, "/");
    assert_true(output_path(path, "a/b", "c.csv", &err));
    assert_string_equal(path, "a/b/c.csv");
    memset(long_name, 'x', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    assert_false(output_path(path, long_name, "c.csv", &err));
    assert_int_equal(err.status, EXIT_INPUT);
}

/* A folder has the second one's name: the first is not left alone. */
static void files_that_belong_together(void **state)
{
    struct outputs *files = calloc(1, sizeof *files);
    struct error err;
    char folder[512], path[600];
    (void)state;
    assert_non_null(files);
    write_file("marker", "", folder, sizeof folder);
    *strrchr(folder, '/') = '\0';
    snprintf(path, sizeof path, "%s/second", folder);
    assert_true(output_folder_make(path, &err));
    assert_non_null(outputs_add(files, folder, "first", &err));
    assert_non_null(outputs_add(files, folder, "second", &err));
    assert_false(outputs_end(files, true, &err));
    snprintf(path, sizeof path, "%s/first", folder);
    assert_int_not_equal(access(path, F_OK), 0);

    memset(files, 0, sizeof *files);
    assert_non_null(outputs_add(files, folder, "first", &err));
    assert_false(outputs_end(files, false, &err));
    assert_int_not_equal(access(path, F_OK), 0);

    memset(files, 0, sizeof *files);
    assert_non_null(outputs_add(files, folder, "first", &err));
    assert_true(outputs_end(files, true, &err));
    assert_int_equal(unlink(path), 0);
    free(files);
}

static void folders_that_cannot_be(void **state)
{
    struct error err;
    char file[512];
    (void)state;
    write_file("marker", "", file, sizeof file);
    assert_false(output_folder_check(file, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    snprintf(file + strlen(file), 16, "/below");
    assert_false(output_folder_make(file, &err));
    assert_int_equal(err.status, EXIT_RUN);
    assert_false(output_folder_check("", &err));
}

static void expect_human(double value, enum unit unit, const char *expected)
{
    char text[40];
    assert_string_equal(cells_human(value, unit, text, sizeof text), expected);
}

/* Added times may be below 0. */
static void values_for_people(void **state)
{
    (void)state;
    expect_human(1234567, UNIT_NS, "1.235 ms");
    expect_human(-1234567, UNIT_NS, "-1.235 ms");
    expect_human(1.5 * 1024 * 1024, UNIT_BYTES, "1.5 MiB");
    expect_human(0.345, UNIT_RATIO, "34.5 %");
    expect_human(1e300, UNIT_NS, "1e+300");
    expect_human(NAN, UNIT_NS, "nan");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_are_chosen_by_name),
        cmocka_unit_test(json_of_any_bytes),
        cmocka_unit_test(json_of_unsigned_numbers),
        cmocka_unit_test(conditions),
        cmocka_unit_test(values_for_people),
        cmocka_unit_test(rows_read_back),
        cmocka_unit_test(run_is_told),
        cmocka_unit_test(whole_files_only),
        cmocka_unit_test(paths_in_two),
        cmocka_unit_test(files_that_belong_together),
        cmocka_unit_test(folders_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

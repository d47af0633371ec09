/* Reading a folder of results: run.json. */
#include "core/error.h"
#include "report/memo/memo_parts.h"

#include "core/alloc.h"
#include "core/file.h"
#include "report/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *memo_text_at(const json_t *object, const char *const *names)
{
    for (; *names; names++) {
        object = json_object_get(object, *names);
    }
    const char *text = json_string_value(object);
    return text ? text : "";
}

const char *memo_value(const struct memo_axis *axis, size_t digit)
{
    const char *text = json_string_value(json_array_get(axis->values, digit));
    return text ? text : "";
}

/* --- axes --- */

static bool find_unit(const char *name, enum unit *unit)
{
    for (int i = UNIT_NONE; i <= UNIT_INSNS; i++) {
        if (strcmp(unit_name((enum unit)i), name) == 0) {
            *unit = (enum unit)i;
            return true;
        }
    }
    return false;
}

static bool read_axis(struct memo *memo, const json_t *from, struct memo_axis *axis)
{
    const json_t *unit = json_object_get(from, "unit");
    axis->name = memo_text(from, "name");
    axis->values = json_object_get(from, "values");
    axis->count = json_array_size(axis->values);
    axis->number = json_is_string(unit) && find_unit(json_string_value(unit), &axis->unit);
    axis->numbers = alloc_zeroed(axis->count, sizeof *axis->numbers, "parts of a memo");
    for (size_t i = 0; i < axis->count; i++) {
        const char *text = memo_value(axis, i);
        if (text[0] == '\0' || (axis->number && !unit_parse(text, UNIT_NONE, &axis->numbers[i]))) {
            return false;
        }
    }
    const char *named = memo_text(memo->run, "study", "memo", "case", axis->name);
    axis->fixed = SIZE_MAX;
    for (size_t i = 0; i < axis->count; i++) {
        axis->fixed = strcmp(memo_value(axis, i), named) == 0 ? i : axis->fixed;
    }
    return axis->name[0] && axis->count > 0;
}

static bool read_axes(struct memo *memo, const struct source_location *at, struct error *err)
{
    const json_t *axes = json_object_get(json_object_get(memo->run, "study"), "axes");
    size_t stride = 1;
    memo->axes = json_array_size(axes);
    memo->strategy = SIZE_MAX;
    if (memo->axes == 0 || memo->axes > STUDY_AXES) {
        memo->axes = 0;
        return error_input(err, at, "expected the axes of a study in study.axes");
    }
    for (size_t i = 0; i < memo->axes; i++) {
        if (!read_axis(memo, json_array_get(axes, i), &memo->axis[i])) {
            return error_input(err, at, "study.axes: axis %zu has no name or a value that is none",
                               i + 1);
        }
        if (strcmp(memo->axis[i].name, "strategy") == 0) {
            memo->strategy = i;
        }
    }
    for (size_t i = memo->axes; i-- > 0;) {
        memo->axis[i].stride = stride;
        stride *= memo->axis[i].count;
        if (stride > STUDY_POINTS) {
            return error_input(err, at, "study.axes make more than %d points", STUDY_POINTS);
        }
    }
    memo->points = stride;
    return memo->strategy != SIZE_MAX ||
           error_input(err, at, "study.axes: expected an axis strategy");
}

/* --- the settings --- */

static const char *text_or_null(const json_t *object, const char *name)
{
    const char *text = memo_text(object, name);
    return text[0] ? text : NULL;
}

static bool read_settings(struct memo *memo, const struct source_location *at, struct error *err)
{
    const json_t *settings = json_object_get(json_object_get(memo->run, "study"), "memo");
    const json_t *compare = json_object_get(settings, "compare");
    struct source_location key = {at->file, 0, "study.memo.metric"};
    enum metric metric;
    if (!json_is_object(settings)) {
        return error_input(err, at,
                           "has no study.memo: it is of an older program; play the study "
                           "again");
    }
    if (!metric_one(memo_text(settings, "metric"), &key, &metric, err)) {
        return false;
    }
    snprintf(memo->metric, sizeof memo->metric, "%s", metric_name[metric]);
    memo->given = json_is_true(json_object_get(settings, "given"));
    memo->what_if = json_is_true(json_object_get(settings, "what_if"));
    memo->breakeven = text_or_null(settings, "breakeven");
    for (size_t i = 0; i < 2; i++) {
        memo->compare[i] = json_string_value(json_array_get(compare, i));
        if (memo->compare[i] && memo_find_strategy(memo, memo->compare[i]) == SIZE_MAX) {
            memo->compare[0] = NULL;
        }
    }
    return true;
}

/* Reads run.json and takes apart what the memo needs of it. */
static bool read_run(struct memo *memo, struct error *err)
{
    char path[4096];
    struct source_location at = {.file = path};
    json_error_t why;
    char *text = NULL;
    size_t length = 0;
    int used = snprintf(path, sizeof path, "%s/run.json", memo->folder);
    if (used < 0 || (size_t)used >= sizeof path) {
        return error_input(err, NULL, "the folder's name is too long");
    }
    if (!file_slurp(path, (size_t)256 << 20, &text, &length, err)) {
        return false;
    }
    memo->run = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (!memo->run) {
        at.line = why.line > 0 ? (unsigned)why.line : 0;
        return error_input(err, &at, "%s", why.text);
    }
    if (json_integer_value(json_object_get(memo->run, "schema_version")) != ROWS_SCHEMA) {
        return error_input(err, &at, "schema_version: expected %d, as this program writes it",
                           ROWS_SCHEMA);
    }
    return read_axes(memo, &at, err) && read_settings(memo, &at, err);
}

/* --- memory --- */

/* JSON takes some twenty times its text where it is made of short arrays; a table
 * its text and a pointer for each cell. */
#define JSON_FACTOR 24
#define TABLE_FACTOR 4

static uint64_t bytes_in(const char *folder, const char *name)
{
    char path[4096];
    struct stat info;
    int used = snprintf(path, sizeof path, "%s/%s", folder, name);
    bool there = used > 0 && (size_t)used < sizeof path && stat(path, &info) == 0;
    return there ? (uint64_t)info.st_size : 0;
}

static bool fits(const char *folder, struct error *err)
{
    uint64_t bytes = JSON_FACTOR * bytes_in(folder, "run.json");
    for (int id = MEMO_ROWS; id < MEMO_VALIDATION; id++) {
        bytes += TABLE_FACTOR * bytes_in(folder, memo_table_name((enum memo_table_id)id));
    }
    return alloc_allowed(bytes, folder, "a study of fewer points or metrics takes less", err);
}

/* --- all --- */

struct memo *memo_read(const char *folder, const char *validation, struct error *err)
{
    struct memo *memo = alloc_zeroed(1, sizeof *memo, "parts of a memo");
    memo->folder = folder;
    if (validation) {
        snprintf(memo->table[MEMO_VALIDATION].path, sizeof memo->table[0].path, "%.4000s",
                 validation);
    }
    if (!fits(folder, err) || !read_run(memo, err) || !memo_read_tables(memo, err)) {
        memo_free(memo);
        return NULL;
    }
    memo_find_places(memo);
    return memo;
}

void memo_free(struct memo *memo)
{
    for (size_t i = 0; i < memo->axes; i++) {
        free(memo->axis[i].numbers);
    }
    for (int i = 0; i < MEMO_TABLES; i++) {
        if (memo->table[i].there) {
            csv_free(&memo->table[i].csv);
        }
    }
    json_decref(memo->run);
    free(memo->row);
    free(memo);
}

#include "core/error.h"
#include "report/diff_parts.h"

#include "core/alloc.h"
#include "core/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHANGED "-+?!" /* marks */

/* --- reading --- */

static bool read_rows(const char *folder, char *path, size_t size, struct csv *rows,
                      struct error *err)
{
    static const char *const needed[] = {"study", "metric",       "unit",          "n",
                                         "mode",  "mean",         "p10",           "p50",
                                         "p90",   "interval_low", "interval_high", "verdict"};
    int length = snprintf(path, size, "%s/rows.csv", folder);
    if (length < 0 || (size_t)length >= size) {
        return error_input(err, NULL, "the folder's name is too long");
    }
    if (!csv_read(path, rows, err)) {
        return false;
    }
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (csv_column(rows, needed[i]) < 0) {
            return error_input(err, NULL, "%s: has no column %s", path, needed[i]);
        }
    }
    return true;
}

bool diff_constant(const struct csv *rows, int column)
{
    for (size_t row = 1; row < rows->rows; row++) {
        if (strcmp(csv_cell(rows, row, column), csv_cell(rows, 0, column)) != 0) {
            return false;
        }
    }
    return true;
}

/* Whether each table has one value in a column, and not the same. */
static bool apart(const struct csv *a, int column_a, const struct csv *b, int column_b)
{
    return a->rows > 0 && b->rows > 0 && diff_constant(a, column_a) && diff_constant(b, column_b) &&
           strcmp(csv_cell(a, 0, column_a), csv_cell(b, 0, column_b)) != 0;
}

/* The axes stand between the study and the metric. */
static bool find_axes(const struct csv *from, const struct csv *other, struct diff *diff, bool keep,
                      struct error *err)
{
    int metric = csv_column(from, "metric");
    for (int column = csv_column(from, "study") + 1; column < metric; column++) {
        bool both = csv_column(other, from->header[column]) >= 0;
        if (!both && !diff_constant(from, column)) {
            return error_input(err, NULL, "%s: axis %s is not in %s", from->path,
                               from->header[column], other->path);
        }
        if (!both || !keep) {
            continue;
        }
        if (apart(from, column, other, csv_column(other, from->header[column])) &&
            diff->apart_count < sizeof diff->apart / sizeof *diff->apart) {
            diff->apart[diff->apart_count++] = column;
        } else if (diff->axis_count + 1 < sizeof diff->axes / sizeof *diff->axes) {
            diff->axes[diff->axis_count++] = column;
        } else {
            return error_input(err, NULL, "%s: found over %zu axes, expected at most so many",
                               from->path, diff->axis_count);
        }
    }
    if (keep) {
        diff->axes[diff->axis_count++] = metric;
    }
    return true;
}

/* --- matching --- */

/* A row of the second table by what identifies it. */
struct key {
    char *text;
    size_t row;
    bool taken;
};

static char *key_of(const struct diff *diff, const struct csv *rows, size_t row)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        error_fatal("out of memory for a comparison");
    }
    for (size_t i = 0; i < diff->axis_count; i++) {
        int column = csv_column(rows, diff->a.header[diff->axes[i]]);
        csv_put(out, csv_cell(rows, row, column));
        fputc(',', out);
    }
    if (fclose(out) != 0) {
        error_fatal("out of memory for a comparison");
    }
    return text;
}

static int by_text(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    int order = strcmp(a->text, b->text);
    return order ? order : (a->row > b->row) - (a->row < b->row);
}

static int text_only(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    return strcmp(a->text, b->text);
}

static double number(const struct csv *rows, size_t row, const char *name)
{
    double value;
    const char *text = csv_cell(rows, row, csv_column(rows, name));
    return unit_parse(text, UNIT_NONE, &value) ? value : NAN;
}

static bool drawn(const struct csv *rows, size_t row)
{
    return isfinite(number(rows, row, "mean"));
}

static double value_of(const struct csv *rows, size_t row, bool means)
{
    return number(rows, row, means ? "mean" : "mode");
}

static bool within(const struct csv *rows, size_t row, double value)
{
    return value >= number(rows, row, "p10") && value <= number(rows, row, "p90");
}

static char mark_of(const struct diff *diff, const struct diff_row *row)
{
    const char *verdict_a = csv_cell(&diff->a, row->a, csv_column(&diff->a, "verdict"));
    const char *verdict_b = csv_cell(&diff->b, row->b, csv_column(&diff->b, "verdict"));
    if (strcmp(verdict_a, verdict_b) != 0) {
        return '!';
    }
    if (row->value_a == row->value_b || (isnan(row->value_a) && isnan(row->value_b))) {
        return '=';
    }
    if (within(&diff->a, row->a, number(&diff->b, row->b, "p50")) &&
        within(&diff->b, row->b, number(&diff->a, row->a, "p50"))) {
        return '~';
    }
    return row->difference < 0 ? '-' : row->difference > 0 ? '+' : '?';
}

static void fill_pair(const struct diff *diff, struct diff_row *row)
{
    double half_a =
        (number(&diff->a, row->a, "interval_high") - number(&diff->a, row->a, "interval_low")) / 2;
    double half_b =
        (number(&diff->b, row->b, "interval_high") - number(&diff->b, row->b, "interval_low")) / 2;
    double half = sqrt(half_a * half_a + half_b * half_b);
    bool means = drawn(&diff->a, row->a) && drawn(&diff->b, row->b);
    row->value_a = value_of(&diff->a, row->a, means);
    row->value_b = value_of(&diff->b, row->b, means);
    row->difference = row->value_b - row->value_a;
    row->low = row->difference - half;
    row->high = row->difference + half;
    row->mark = mark_of(diff, row);
}

static void add_row(struct diff *diff, size_t a, size_t b)
{
    struct diff_row *row = &diff->row[diff->count++];
    *row = (struct diff_row){a, b, NAN, NAN, NAN, NAN, NAN, ' '};
    if (a == SIZE_MAX) {
        row->value_b = value_of(&diff->b, b, drawn(&diff->b, b));
    } else if (b == SIZE_MAX) {
        row->value_a = value_of(&diff->a, a, drawn(&diff->a, a));
    } else {
        fill_pair(diff, row);
    }
    diff->alone += row->mark == ' ';
    diff->same += row->mark == '=';
    diff->within += row->mark == '~';
    diff->changed += strchr(CHANGED, row->mark) != NULL;
}

static bool wanted(const struct csv *rows, size_t row, const char *metric)
{
    return !metric || strcmp(csv_cell(rows, row, csv_column(rows, "metric")), metric) == 0;
}

/* Rows in the order of the first table, then what only the second has. */
static void match(struct diff *diff, const char *metric)
{
    struct key *keys = alloc_zeroed(diff->b.rows, sizeof *keys, "rows of a comparison");
    diff->row =
        alloc_zeroed(diff->a.rows + diff->b.rows, sizeof *diff->row, "rows of a comparison");
    for (size_t row = 0; row < diff->b.rows; row++) {
        keys[row] = (struct key){key_of(diff, &diff->b, row), row, false};
    }
    qsort(keys, diff->b.rows, sizeof *keys, by_text);
    for (size_t row = 0; row < diff->a.rows; row++) {
        struct key sought = {.text = key_of(diff, &diff->a, row)};
        struct key *found = bsearch(&sought, keys, diff->b.rows, sizeof *keys, text_only);
        free(sought.text);
        if (wanted(&diff->a, row, metric)) {
            add_row(diff, row, found ? found->row : SIZE_MAX);
        }
        if (found) {
            found->taken = true;
        }
    }
    bool *taken = alloc_zeroed(diff->b.rows, sizeof *taken, "rows of a comparison");
    for (size_t i = 0; i < diff->b.rows; i++) {
        taken[keys[i].row] = keys[i].taken;
        free(keys[i].text);
    }
    for (size_t row = 0; row < diff->b.rows; row++) {
        if (!taken[row] && wanted(&diff->b, row, metric)) {
            add_row(diff, SIZE_MAX, row);
        }
    }
    free(taken);
    free(keys);
}

bool diff_read(struct diff *diff, const char *folder_a, const char *folder_b, const char *metric,
               struct error *err)
{
    char path_a[4096], path_b[4096];
    *diff = (struct diff){0};
    bool good = read_rows(folder_a, path_a, sizeof path_a, &diff->a, err) &&
                read_rows(folder_b, path_b, sizeof path_b, &diff->b, err) &&
                find_axes(&diff->a, &diff->b, diff, true, err) &&
                find_axes(&diff->b, &diff->a, diff, false, err);
    if (good) {
        match(diff, metric);
        good = diff->alone < diff->count ||
               error_input(err, NULL, "%.200s and %.200s have no row in common%s%.80s", folder_a,
                           folder_b, metric ? " for " : "", metric ? metric : "");
    }
    diff->a.path = diff->b.path = NULL; /* they were on the stack */
    if (!good) {
        diff_free(diff);
    }
    return good;
}

void diff_free(struct diff *diff)
{
    csv_free(&diff->a);
    csv_free(&diff->b);
    free(diff->row);
    diff->row = NULL;
    diff->count = 0;
}

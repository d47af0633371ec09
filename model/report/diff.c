#include "report/diff.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/units.h"
#include "report/cells.h"
#include "report/output.h"
#include "study/setup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHANGED "-+?!" /* marks */
#define DIFF_SCHEMA 1
#define PRINT_ROWS 200

/* --- reading --- */

static bool read_rows(const char *folder, char path[OUTPUT_PATH], struct csv *rows,
                      struct error *err)
{
    static const char *const needed[] = {"study",         "metric",  "unit", "n",   "mode",
                                         "mean",          "p10",     "p50",  "p90", "interval_low",
                                         "interval_high", "verdict", NULL};
    return output_path(path, folder, "rows.csv", err) && csv_read(path, rows, err) &&
           csv_needs(rows, needed, err);
}

static bool is_constant(const struct csv *rows, int column)
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
    return a->rows > 0 && b->rows > 0 && is_constant(a, column_a) && is_constant(b, column_b) &&
           strcmp(csv_cell(a, 0, column_a), csv_cell(b, 0, column_b)) != 0;
}

/* The axes stand between the study and the metric. */
static bool find_axes(const struct csv *from, const struct csv *other, struct diff *diff, bool keep,
                      struct error *err)
{
    int metric = csv_column(from, "metric");
    for (int column = csv_column(from, "study") + 1; column < metric; column++) {
        bool both = csv_column(other, from->header[column]) >= 0;
        if (!both && !is_constant(from, column)) {
            return error_input(err, NULL,
                               "%s: axis %s is not in %s, expected two folders of one study",
                               from->path, from->header[column], other->path);
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
    FILE *out = alloc_checked(open_memstream(&text, &size), "a comparison");
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
    char path_a[OUTPUT_PATH], path_b[OUTPUT_PATH];
    *diff = (struct diff){0};
    bool good = read_rows(folder_a, path_a, &diff->a, err) &&
                read_rows(folder_b, path_b, &diff->b, err) &&
                find_axes(&diff->a, &diff->b, diff, true, err) &&
                find_axes(&diff->b, &diff->a, diff, false, err);
    if (good) {
        match(diff, metric);
        good = diff->alone < diff->count ||
               error_input(err, NULL, "%.200s and %.200s have no row in common%s%.80s", folder_a,
                           folder_b, metric ? " for " : "", metric ? metric : "");
    }
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

/* --- as a table and in words --- */

/* Where a row's own columns are read from. */
static const char *cell_of(const struct diff *diff, const struct diff_row *row, const char *name)
{
    const struct csv *rows = row->a != SIZE_MAX ? &diff->a : &diff->b;
    return csv_cell(rows, row->a != SIZE_MAX ? row->a : row->b, csv_column(rows, name));
}

/* Signs alone would look like formulas to a spreadsheet. */
static const char *word_of(char mark)
{
    switch (mark) {
    case '=':
        return "same";
    case '~':
        return "~";
    case '-':
        return "less";
    case '+':
        return "more";
    case '?':
        return "known";
    case '!':
        return "verdict";
    default:
        return "";
    }
}

static void put_row(struct cells *cells, const struct diff *diff, const struct diff_row *row)
{
    for (size_t i = 0; i < diff->axis_count; i++) {
        const char *name = diff->a.header[diff->axes[i]];
        cells_text(cells, name, cell_of(diff, row, name));
    }
    cells_text(cells, "unit", cell_of(diff, row, "unit"));
    cells_real(cells, "first", row->value_a);
    cells_real(cells, "second", row->value_b);
    cells_real(cells, "difference", row->difference);
    cells_real(cells, "low", row->low);
    cells_real(cells, "high", row->high);
    cells_real(cells, "ratio", row->value_a != 0 ? row->value_b / row->value_a : NAN);
    cells_text(cells, "mark", word_of(row->mark));
    cells_text(cells, "verdict_first",
               row->a == SIZE_MAX ? ""
                                  : csv_cell(&diff->a, row->a, csv_column(&diff->a, "verdict")));
    cells_text(cells, "verdict_second",
               row->b == SIZE_MAX ? ""
                                  : csv_cell(&diff->b, row->b, csv_column(&diff->b, "verdict")));
    cells_text(cells, "only_in", row->a == SIZE_MAX ? "second" : row->b == SIZE_MAX ? "first" : "");
    cells_whole(cells, "schema_version", DIFF_SCHEMA);
    cells_end(cells);
}

void diff_write(FILE *out, const struct diff *diff)
{
    struct cells cells = {.out = out, .header = true};
    put_row(&cells, diff, &diff->row[0]);
    cells.header = false;
    for (size_t i = 0; i < diff->count; i++) {
        put_row(&cells, diff, &diff->row[i]);
    }
}

static void print_value(FILE *out, double value, bool ns)
{
    char text[40];
    if (isnan(value)) {
        fprintf(out, "nothing");
    } else if (ns) {
        fprintf(out, "%s", cells_human(value, UNIT_NS, text, sizeof text));
    } else {
        fprintf(out, "%.6g", value);
    }
}

/* An axis's value as people write it: 2G and not 2147483648. */
static void print_axis(FILE *out, const char *name, const char *text)
{
    double value;
    char spelled[64];
    struct value_kind kind = setup_key_kind(name);
    if (kind.number && unit_parse(text, UNIT_NONE, &value)) {
        text = unit_format(value, kind.unit, spelled, sizeof spelled);
    }
    fprintf(out, "%s=%s", name, text);
}

/* Without the axes that have one value in both tables. */
static void print_row(FILE *out, const struct diff *diff, const struct diff_row *row)
{
    bool ns = strcmp(cell_of(diff, row, "unit"), "ns") == 0;
    fprintf(out, "%c", row->mark);
    for (size_t i = 0; i + 1 < diff->axis_count; i++) {
        const char *name = diff->a.header[diff->axes[i]];
        if (!is_constant(&diff->a, diff->axes[i]) ||
            !is_constant(&diff->b, csv_column(&diff->b, name))) {
            fputc(' ', out);
            print_axis(out, name, cell_of(diff, row, name));
        }
    }
    fprintf(out, " %s", cell_of(diff, row, "metric"));
    fprintf(out, ": ");
    print_value(out, row->value_a, ns);
    fprintf(out, " to ");
    print_value(out, row->value_b, ns);
    if (isfinite(row->low)) {
        fprintf(out, ", difference ");
        print_value(out, row->low, ns);
        fprintf(out, " to ");
        print_value(out, row->high, ns);
    }
    if (row->mark == '!') {
        fprintf(out, ", verdict %s to %s",
                csv_cell(&diff->a, row->a, csv_column(&diff->a, "verdict")),
                csv_cell(&diff->b, row->b, csv_column(&diff->b, "verdict")));
    }
    fprintf(out, "\n");
}

/* What each table has alone of an axis. */
static void print_apart(FILE *out, const struct diff *diff)
{
    for (size_t i = 0; i < diff->apart_count; i++) {
        const char *name = diff->a.header[diff->apart[i]];
        fprintf(out, "first: ");
        print_axis(out, name, csv_cell(&diff->a, 0, diff->apart[i]));
        fprintf(out, "; second: ");
        print_axis(out, name, csv_cell(&diff->b, 0, csv_column(&diff->b, name)));
        fputc('\n', out);
    }
}

void diff_print(FILE *out, const struct diff *diff)
{
    size_t shown = 0;
    print_apart(out, diff);
    for (size_t i = 0; i < diff->count; i++) {
        const struct diff_row *row = &diff->row[i];
        if (row->mark == '=' || row->mark == ' ') {
            continue;
        }
        if (shown == 0) {
            fprintf(out, "means over the draws, and the 95 %% interval of their difference\n");
        }
        if (shown++ < PRINT_ROWS) {
            print_row(out, diff, row);
        }
    }
    if (shown > PRINT_ROWS) {
        fprintf(out, "and %zu more; --format csv has all\n", shown - PRINT_ROWS);
    }
    fprintf(out, "%zu rows the same (=), %zu within the band (~), %zu changed, %zu in one only\n",
            diff->same, diff->within, diff->changed, diff->alone);
}

/* What two result folders differ in, as a table and in words. */
#include "core/units.h"
#include "report/cells.h"
#include "report/diff_parts.h"
#include "study/setup.h"

#include <math.h>
#include <string.h>

#define DIFF_SCHEMA 1
#define TELL_ROWS 200

/* Where a row's own columns are read from. */
static const char *told(const struct diff *diff, const struct diff_row *row, const char *name)
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
        cells_text(cells, name, told(diff, row, name));
    }
    cells_text(cells, "unit", told(diff, row, "unit"));
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

static void tell_value(FILE *out, double value, bool ns)
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
static void tell_axis(FILE *out, const char *name, const char *text)
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
static void tell_row(FILE *out, const struct diff *diff, const struct diff_row *row)
{
    bool ns = strcmp(told(diff, row, "unit"), "ns") == 0;
    fprintf(out, "%c", row->mark);
    for (size_t i = 0; i + 1 < diff->axis_count; i++) {
        const char *name = diff->a.header[diff->axes[i]];
        if (!diff_constant(&diff->a, diff->axes[i]) ||
            !diff_constant(&diff->b, csv_column(&diff->b, name))) {
            fputc(' ', out);
            tell_axis(out, name, told(diff, row, name));
        }
    }
    fprintf(out, " %s", told(diff, row, "metric"));
    fprintf(out, ": ");
    tell_value(out, row->value_a, ns);
    fprintf(out, " to ");
    tell_value(out, row->value_b, ns);
    if (isfinite(row->low)) {
        fprintf(out, ", difference ");
        tell_value(out, row->low, ns);
        fprintf(out, " to ");
        tell_value(out, row->high, ns);
    }
    if (row->mark == '!') {
        fprintf(out, ", verdict %s to %s",
                csv_cell(&diff->a, row->a, csv_column(&diff->a, "verdict")),
                csv_cell(&diff->b, row->b, csv_column(&diff->b, "verdict")));
    }
    fprintf(out, "\n");
}

/* What each table has alone of an axis. */
static void tell_apart(FILE *out, const struct diff *diff)
{
    for (size_t i = 0; i < diff->apart_count; i++) {
        const char *name = diff->a.header[diff->apart[i]];
        fprintf(out, "first: ");
        tell_axis(out, name, csv_cell(&diff->a, 0, diff->apart[i]));
        fprintf(out, "; second: ");
        tell_axis(out, name, csv_cell(&diff->b, 0, csv_column(&diff->b, name)));
        fputc('\n', out);
    }
}

void diff_tell(FILE *out, const struct diff *diff)
{
    size_t shown = 0;
    tell_apart(out, diff);
    for (size_t i = 0; i < diff->count; i++) {
        const struct diff_row *row = &diff->row[i];
        if (row->mark == '=' || row->mark == ' ') {
            continue;
        }
        if (shown == 0) {
            fprintf(out, "means over the draws, and the 95 %% interval of their difference\n");
        }
        if (shown++ < TELL_ROWS) {
            tell_row(out, diff, row);
        }
    }
    if (shown > TELL_ROWS) {
        fprintf(out, "and %zu more; --format csv has all\n", shown - TELL_ROWS);
    }
    fprintf(out, "%zu rows the same (=), %zu within the band (~), %zu changed, %zu in one only\n",
            diff->same, diff->within, diff->changed, diff->alone);
}

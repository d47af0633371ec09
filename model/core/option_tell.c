/* What is said of a row of options: what it takes, its range, its value; and all rows in a
 * table for people. */
#include "core/option_parts.h"

#include <math.h>
#include <string.h>

enum {
    VALUE_BYTES_MAX = 128, /* a value in the help table; longer texts are cut */
    HELP_COLUMNS = 4 /* key, unit, range, default; the help itself follows */
};

const char *option_wanted(const struct option_row *row)
{
    static const char *const wanted[] = {
        [UNIT_BYTES] = "bytes such as 128M",
        [UNIT_ADDRESS] = "an address such as 0x40000000 or 1G",
        [UNIT_NS] = "a time such as 7.7ns or 2ms",
        [UNIT_RATIO] = "a ratio such as 0.3 or 30%",
        [UNIT_GBPS] = "a bandwidth such as 19GB/s",
        [UNIT_GHZ] = "a frequency such as 2.6GHz",
        [UNIT_INSNS] = "a number of instructions such as 4000 or 4e3",
    };

    if (row->unit != UNIT_NONE) {
        return wanted[row->unit];
    }
    return row->kind == OPTION_WHOLE ? "a whole number such as 3" : "a number such as 0.25";
}

struct range option_range(const struct option_row *row)
{
    struct range range = {"", ""};

    if (isfinite(row->low)) {
        unit_format(row->low, row->unit, range.low, sizeof range.low);
    }
    if (isfinite(row->high)) {
        unit_format(row->high, row->unit, range.high, sizeof range.high);
    }
    return range;
}

char *option_format(const struct option_row *row, const void *target, char *buf, size_t size)
{
    const void *value = (const char *)target + row->offset;
    const char *text = value;

    if (row->kind == OPTION_REAL) {
        return unit_format(*(const double *)value, row->unit, buf, size);
    }
    if (row->kind == OPTION_WHOLE) {
        return unit_format_whole(*(const uint64_t *)value, row->unit, buf, size);
    }
    if (row->kind == OPTION_FLAG) {
        text = *(const bool *)value ? "yes" : "no";
    } else if (row->kind == OPTION_CHOICE) {
        int chosen;
        memcpy(&chosen, value, sizeof chosen);
        text = choice_word(row->choices, chosen);
    }
    snprintf(buf, size, "%s", text);
    return buf;
}

static bool is_number(const struct option_row *row)
{
    return row->kind == OPTION_REAL || row->kind == OPTION_WHOLE;
}

static const char *kind_name(const struct option_row *row)
{
    static const char *const names[] = {"number", "count", "yes|no", "choice", "text"};

    return is_number(row) && row->unit != UNIT_NONE ? unit_name(row->unit) : names[row->kind];
}

static void range_cell(const struct option_row *row, char *buf, size_t size)
{
    struct range range = is_number(row) ? option_range(row) : (struct range){"", ""};

    if (range.low[0] != '\0' && range.high[0] != '\0') {
        snprintf(buf, size, "%s..%s", range.low, range.high);
    } else if (range.low[0] != '\0') {
        snprintf(buf, size, ">= %s", range.low);
    } else {
        snprintf(buf, size, "%s%s", range.high[0] != '\0' ? "<= " : "-", range.high);
    }
}

static const char *default_cell(const struct option_row *row)
{
    if (row->fallback == NULL) {
        return "required";
    }
    return row->fallback[0] == '\0' ? "-" : row->fallback;
}

static void help_cell(const struct option_row *row, int column, char *buf, size_t size)
{
    if (column == 2) {
        range_cell(row, buf, size);
        return;
    }
    const char *text = column == 0 ? row->name : column == 1 ? kind_name(row) : default_cell(row);
    snprintf(buf, size, "%s", text);
}

static void measure_columns(const struct option_row *table, size_t count, int *widths)
{
    for (size_t i = 0; i < count; i++) {
        for (int column = 0; column < HELP_COLUMNS; column++) {
            char cell[VALUE_BYTES_MAX];
            help_cell(&table[i], column, cell, sizeof cell);
            int width = (int)strlen(cell);
            widths[column] = width > widths[column] ? width : widths[column];
        }
    }
}

/* Each choice stands on a line of its own, below the help that it belongs to. */
static void print_choices(const struct option_row *row, int indent, FILE *out)
{
    for (const struct choice *choice = row->choices; choice->word != NULL; choice++) {
        fprintf(out, "%*s%s: %s\n", indent + 2, "", choice->word, choice->help);
    }
}

static void print_row(const struct option_row *row, const int *widths, FILE *out)
{
    int indent = 2;

    fprintf(out, "%*s", indent, "");
    for (int column = 0; column < HELP_COLUMNS; column++) {
        char cell[VALUE_BYTES_MAX];
        help_cell(row, column, cell, sizeof cell);
        fprintf(out, "%-*s  ", widths[column], cell);
        indent += widths[column] + 2;
    }
    fprintf(out, "%s\n", row->help);
    if (row->kind == OPTION_CHOICE) {
        print_choices(row, indent, out);
    }
}

void option_print_help(const struct option_row *table, size_t count, FILE *out)
{
    int widths[HELP_COLUMNS] = {0};
    const char *section = "";

    measure_columns(table, count, widths);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].section, section) != 0) {
            section = table[i].section;
            fprintf(out, "%s[%s]\n", i > 0 ? "\n" : "",
                    section[0] != '\0' ? section : "any section");
        }
        print_row(&table[i], widths, out);
    }
}

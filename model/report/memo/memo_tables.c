/* Reading a folder of results: its tables, and which rows of them a place has. */
#include "core/error.h"
#include "report/memo/memo_parts.h"

#include "core/datadir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALIDATION "results/validate/validate.csv"

/* What a table must have: texts, then numbers, which may be empty. */
struct shape {
    const char *name;
    const char *texts[12], *numbers[12];
    bool axes; /* some of its columns are axes of the study */
};

static const struct shape shapes[MEMO_TABLES] = {
    [MEMO_ROWS] = {"rows.csv",
                   {"study", "metric", "unit", "hypothetical", "verdict", "condition",
                    "config_hash"},
                   {"n", "mode", "p10", "p50", "p90"},
                   true},
    [MEMO_MAP] = {"map.csv",
                  {"study", "metric", "x_key", "x", "y_key", "y", "winner", "runner_up", "decided",
                   "verdict", "sound_winner"},
                  {"n", "probability", "value", "p10", "p90", "sound_probability", "sound_value"},
                  true},
    [MEMO_BREAKEVEN] = {"breakeven.csv",
                        {"study", "metric", "axis", "unit", "a", "b", "status", "wins_below",
                         "wins_above", "condition", "left_out", "low_winner"},
                        {"crossing", "at", "n", "p10", "p50", "p90", "share_crossing", "share_a",
                         "share_b", "low_factor", "high_factor"},
                        true},
    [MEMO_CURVES] = {"breakeven-curves.csv",
                     {"study", "metric", "axis", "unit", "strategy"},
                     {"x", "mode", "p10", "p50", "p90"},
                     true},
    [MEMO_SENSITIVITY] = {"sensitivity.csv",
                          {"study", "metric", "a", "b", "cost", "cost_unit", "source"},
                          {"rank", "low", "mode", "high", "at_modes", "at_low", "at_high", "first",
                           "total"},
                          true},
    [MEMO_INFORMATION] = {"information.csv",
                          {"study", "metric", "machine", "cost", "cost_unit", "source"},
                          {"rank", "low", "high", "undecided", "gain"},
                          true},
    [MEMO_TARGET] = {"target.csv",
                     {"study", "metric", "axis", "unit", "strategy", "status"},
                     {"limit", "at", "sure", "share", "best_mode"},
                     true},
    [MEMO_VALIDATION] = {VALIDATION,
                         {"table", "row", "role", "unit", "inside"},
                         {"measured", "p10", "p50", "p90", "error_pct"},
                         false},
};

const char *memo_table_name(enum memo_table_id id)
{
    return shapes[id].name;
}

/* --- one table --- */

static bool has_columns(const struct memo_table *table, const struct shape *shape,
                        struct error *err)
{
    for (size_t i = 0; i < 24; i++) {
        const char *name = i < 12 ? shape->texts[i] : shape->numbers[i - 12];
        if (name && csv_column(&table->csv, name) < 0) {
            return error_input(err, NULL, "%s: has no column %s", table->path, name);
        }
    }
    return true;
}

static bool has_numbers(const struct memo_table *table, const struct shape *shape,
                        struct error *err)
{
    for (size_t i = 0; i < 12 && shape->numbers[i]; i++) {
        int column = csv_column(&table->csv, shape->numbers[i]);
        for (size_t row = 0; row < table->csv.rows; row++) {
            const char *text = csv_cell(&table->csv, row, column);
            double value;
            struct source_location at = {table->path, table->csv.lines[row], shape->numbers[i]};
            if (text[0] && !unit_parse(text, UNIT_NONE, &value)) {
                return error_input(err, &at, "found '%.80s', expected a number", text);
            }
        }
    }
    return true;
}

size_t memo_digit(const struct memo_axis *axis, const char *text)
{
    double number;
    bool is_number = axis->number && unit_parse(text, UNIT_NONE, &number);
    for (size_t i = 0; i < axis->count; i++) {
        if (is_number ? number == axis->numbers[i] : strcmp(text, memo_value(axis, i)) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

const char *memo_axis_cell(const struct csv *csv, size_t row, const char *name)
{
    static const char *const keys[][2] = {{"x_key", "x"}, {"y_key", "y"}};
    int column = csv_column(csv, name);
    if (column >= 0) {
        return csv_cell(csv, row, column);
    }
    for (size_t i = 0; i < 2; i++) {
        if (strcmp(csv_cell(csv, row, csv_column(csv, keys[i][0])), name) == 0) {
            return csv_cell(csv, row, csv_column(csv, keys[i][1]));
        }
    }
    return NULL;
}

/* Whether the rows are of this study and of values that it has. */
static bool is_ours(const struct memo *memo, const struct memo_table *table, struct error *err)
{
    const char *study = memo_text(memo->run, "study", "name");
    int name = csv_column(&table->csv, "study");
    for (size_t row = 0; row < table->csv.rows; row++) {
        struct source_location at = {table->path, table->csv.lines[row], "study"};
        if (strcmp(csv_cell(&table->csv, row, name), study) != 0) {
            return error_input(err, &at, "found '%.80s', expected '%.80s' as in run.json",
                               csv_cell(&table->csv, row, name), study);
        }
        for (size_t i = 0; i < memo->axes; i++) {
            const char *text = memo_axis_cell(&table->csv, row, memo->axis[i].name);
            at.key = memo->axis[i].name;
            if (text && memo_digit(&memo->axis[i], text) == SIZE_MAX) {
                return error_input(err, &at, "found '%.80s', which run.json has not", text);
            }
        }
    }
    return true;
}

static bool read_table(struct memo *memo, enum memo_table_id id, struct error *err)
{
    const struct shape *shape = &shapes[id];
    struct memo_table *table = &memo->table[id];
    table->name = shape->name;
    if (table->path[0] == '\0') {
        snprintf(table->path, sizeof table->path, "%.4000s/%s", memo->folder, shape->name);
        if (id != MEMO_ROWS && access(table->path, F_OK) != 0) {
            return true;
        }
    }
    if (!csv_read(table->path, &table->csv, err)) {
        return false;
    }
    table->there = true;
    return has_columns(table, shape, err) && has_numbers(table, shape, err) &&
           (!shape->axes || is_ours(memo, table, err));
}

/* --- cells --- */

const char *memo_cell(const struct memo *memo, enum memo_table_id table, size_t row,
                      const char *column)
{
    const struct csv *csv = &memo->table[table].csv;
    return csv_cell(csv, row, csv_column(csv, column));
}

double memo_number(const struct memo *memo, enum memo_table_id table, size_t row,
                   const char *column)
{
    double value;
    return unit_parse(memo_cell(memo, table, row, column), UNIT_NONE, &value) ? value : NAN;
}

static bool matches(const struct memo *memo, const struct csv *csv, size_t row,
                    const struct memo_place *place, bool own_columns_only)
{
    for (size_t i = 0; i < memo->axes; i++) {
        const char *name = memo->axis[i].name;
        bool counts = i != memo->strategy && (!own_columns_only || csv_column(csv, name) >= 0);
        const char *text = counts ? memo_axis_cell(csv, row, name) : NULL;
        if (text && memo_digit(&memo->axis[i], text) != place->digit[i]) {
            return false;
        }
    }
    return true;
}

bool memo_matches(const struct memo *memo, enum memo_table_id table, size_t row,
                  const struct memo_place *place)
{
    return matches(memo, &memo->table[table].csv, row, place, false);
}

bool memo_in_panel(const struct memo *memo, enum memo_table_id table, size_t row,
                   const struct memo_place *place)
{
    return matches(memo, &memo->table[table].csv, row, place, true);
}

/* --- rows.csv --- */

static bool index_rows(struct memo *memo, struct error *err)
{
    const struct memo_table *table = &memo->table[MEMO_ROWS];
    int metric = csv_column(&table->csv, "metric");
    size_t found = 0;
    memo->row = malloc(memo->points * sizeof *memo->row);
    if (!memo->row) {
        error_fatal("out of memory for a memo");
    }
    memset(memo->row, 0xff, memo->points * sizeof *memo->row);
    for (size_t row = 0; row < table->csv.rows; row++) {
        size_t point = 0;
        if (strcmp(csv_cell(&table->csv, row, metric), memo->metric) != 0) {
            continue;
        }
        for (size_t i = 0; i < memo->axes; i++) {
            int column = csv_column(&table->csv, memo->axis[i].name);
            if (column < 0) {
                return error_input(err, NULL, "%s: has no column %s, an axis in run.json",
                                   table->path, memo->axis[i].name);
            }
            point += memo->axis[i].stride *
                     memo_digit(&memo->axis[i], csv_cell(&table->csv, row, column));
        }
        found += memo->row[point] == SIZE_MAX;
        memo->row[point] = row;
    }
    return found == memo->points ||
           error_input(err, NULL, "%s: has %zu of the %zu rows of %s that run.json tells of",
                       table->path, found, memo->points, memo->metric);
}

bool memo_read_tables(struct memo *memo, struct error *err)
{
    for (int id = 0; id < MEMO_VALIDATION; id++) {
        if (!read_table(memo, (enum memo_table_id)id, err)) {
            return false;
        }
    }
    struct memo_table *validation = &memo->table[MEMO_VALIDATION];
    if (validation->path[0] == '\0' &&
        !datadir_find(VALIDATION, validation->path, sizeof validation->path)) {
        return index_rows(memo, err) && memo_check_tables(memo, err);
    }
    return read_table(memo, MEMO_VALIDATION, err) && index_rows(memo, err) &&
           memo_check_tables(memo, err);
}

/* Reading a folder of results: the tables, and whether they belong together. */
#include "report/memo_parts.h"

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
            struct place at = {table->path, table->csv.lines[row], shape->numbers[i]};
            if (text[0] && !unit_parse(text, UNIT_NONE, &value)) {
                return error_input(err, &at, "found '%.80s', expected a number", text);
            }
        }
    }
    return true;
}

static size_t digit_of(const struct memo_axis *axis, const char *text)
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

/* The value that a row has on an axis: in the axis's own column, or as the x or y
 * of a map. NULL: the table has it not. */
static const char *axis_cell(const struct csv *csv, size_t row, const char *name)
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
        struct place at = {table->path, table->csv.lines[row], "study"};
        if (strcmp(csv_cell(&table->csv, row, name), study) != 0) {
            return error_input(err, &at, "found '%.80s', expected '%.80s' as in run.json",
                               csv_cell(&table->csv, row, name), study);
        }
        for (size_t i = 0; i < memo->axes; i++) {
            const char *text = axis_cell(&table->csv, row, memo->axis[i].name);
            at.key = memo->axis[i].name;
            if (text && digit_of(&memo->axis[i], text) == SIZE_MAX) {
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
        const char *text = counts ? axis_cell(csv, row, name) : NULL;
        if (text && digit_of(&memo->axis[i], text) != place->digit[i]) {
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
        die("out of memory for a memo");
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
            point +=
                memo->axis[i].stride * digit_of(&memo->axis[i], csv_cell(&table->csv, row, column));
        }
        found += memo->row[point] == SIZE_MAX;
        memo->row[point] = row;
    }
    return found == memo->points ||
           error_input(err, NULL, "%s: has %zu of the %zu rows of %s that run.json tells of",
                       table->path, found, memo->points, memo->metric);
}

/* --- the other tables against rows.csv --- */

/* Numbers that came to the tables on different ways. */
static bool same(double a, double b)
{
    return a == b || fabs(a - b) <= 1e-6 * fmax(fabs(a), fabs(b)) + 1e-2;
}

static bool check_metric(const struct memo *memo, enum memo_table_id id, struct error *err)
{
    const struct memo_table *table = &memo->table[id];
    for (size_t row = 0; row < table->csv.rows; row++) {
        struct place at = {table->path, table->csv.lines[row], "metric"};
        if (strcmp(memo_cell(memo, id, row, "metric"), memo->metric) != 0) {
            return error_input(err, &at, "found %.40s, expected %s as in run.json",
                               memo_cell(memo, id, row, "metric"), memo->metric);
        }
    }
    return true;
}

static bool differs(const struct memo *memo, enum memo_table_id id, size_t row, const char *key,
                    double expected, struct error *err)
{
    struct place at = {memo->table[id].path, memo->table[id].csv.lines[row], key};
    return error_input(err, &at,
                       "found '%.40s', expected %.10g as in rows.csv: the table is of another run",
                       memo_cell(memo, id, row, key), expected);
}

/* The place of a row of a table that has all axes. */
static bool place_of(const struct memo *memo, enum memo_table_id id, size_t row,
                     struct memo_place *place)
{
    for (size_t i = 0; i < memo->axes; i++) {
        const char *text = axis_cell(&memo->table[id].csv, row, memo->axis[i].name);
        place->digit[i] = i == memo->strategy ? 0
                          : text              ? digit_of(&memo->axis[i], text)
                                              : SIZE_MAX;
        if (place->digit[i] == SIZE_MAX) {
            return false;
        }
    }
    return true;
}

static bool known(const struct memo *memo, enum memo_table_id id, size_t row, const char *column,
                  size_t *strategy, struct error *err)
{
    const char *name = memo_cell(memo, id, row, column);
    struct place at = {memo->table[id].path, memo->table[id].csv.lines[row], column};
    *strategy = name[0] ? memo_find_strategy(memo, name) : SIZE_MAX;
    return !name[0] || *strategy != SIZE_MAX ||
           error_input(err, &at, "found '%.80s', which run.json has not", name);
}

static bool check_map(const struct memo *memo, struct error *err)
{
    for (size_t row = 0; row < memo->table[MEMO_MAP].csv.rows; row++) {
        struct memo_place place;
        size_t winner, sound;
        if (!known(memo, MEMO_MAP, row, "winner", &winner, err) ||
            !known(memo, MEMO_MAP, row, "sound_winner", &sound, err) ||
            !known(memo, MEMO_MAP, row, "runner_up", &sound, err)) {
            return false;
        }
        if (winner == SIZE_MAX || !place_of(memo, MEMO_MAP, row, &place)) {
            continue;
        }
        if (memo_stale(memo, &place, winner)) {
            struct place at = {memo->table[MEMO_MAP].path, memo->table[MEMO_MAP].csv.lines[row],
                               "winner"};
            return error_input(err, &at, "found %.80s, which is incoherent there by rows.csv",
                               memo_cell(memo, MEMO_MAP, row, "winner"));
        }
        double mid = memo_band(memo, &place, winner).mid;
        if (!same(mid, memo_number(memo, MEMO_MAP, row, "value"))) {
            return differs(memo, MEMO_MAP, row, "value", mid, err);
        }
    }
    return true;
}

static bool check_curves(const struct memo *memo, struct error *err)
{
    for (size_t row = 0; row < memo->table[MEMO_CURVES].csv.rows; row++) {
        struct memo_place place;
        size_t strategy, along = 0;
        const char *axis = memo_cell(memo, MEMO_CURVES, row, "axis");
        if (!known(memo, MEMO_CURVES, row, "strategy", &strategy, err)) {
            return false;
        }
        while (along < memo->axes && strcmp(memo->axis[along].name, axis) != 0) {
            along++;
        }
        place_of(memo, MEMO_CURVES, row, &place);
        if (along == memo->axes || strategy == SIZE_MAX) {
            continue;
        }
        for (size_t i = 0; i < memo->axes; i++) {
            const char *text = axis_cell(&memo->table[MEMO_CURVES].csv, row, memo->axis[i].name);
            place.digit[i] = i == memo->strategy ? 0 : text ? digit_of(&memo->axis[i], text) : 0;
        }
        place.digit[along] = digit_of(&memo->axis[along], memo_cell(memo, MEMO_CURVES, row, "x"));
        if (place.digit[along] == SIZE_MAX) {
            continue;
        }
        double mode = memo_number(memo, MEMO_ROWS, memo_row(memo, &place, strategy), "mode");
        if (!same(mode, memo_number(memo, MEMO_CURVES, row, "mode"))) {
            return differs(memo, MEMO_CURVES, row, "mode", mode, err);
        }
    }
    return true;
}

static bool check_sensitivity(const struct memo *memo, struct error *err)
{
    for (size_t row = 0; row < memo->table[MEMO_SENSITIVITY].csv.rows; row++) {
        struct memo_place place;
        size_t a, b;
        if (!known(memo, MEMO_SENSITIVITY, row, "a", &a, err) ||
            !known(memo, MEMO_SENSITIVITY, row, "b", &b, err)) {
            return false;
        }
        if (a == SIZE_MAX || b == SIZE_MAX || !place_of(memo, MEMO_SENSITIVITY, row, &place)) {
            continue;
        }
        double modes = memo_number(memo, MEMO_ROWS, memo_row(memo, &place, a), "mode") -
                       memo_number(memo, MEMO_ROWS, memo_row(memo, &place, b), "mode");
        if (!same(modes, memo_number(memo, MEMO_SENSITIVITY, row, "at_modes"))) {
            return differs(memo, MEMO_SENSITIVITY, row, "at_modes", modes, err);
        }
    }
    return true;
}

static bool check_breakeven(const struct memo *memo, struct error *err)
{
    size_t unused;
    for (size_t row = 0; row < memo->table[MEMO_BREAKEVEN].csv.rows; row++) {
        if (!known(memo, MEMO_BREAKEVEN, row, "a", &unused, err) ||
            !known(memo, MEMO_BREAKEVEN, row, "b", &unused, err)) {
            return false;
        }
    }
    return true;
}

static bool check_target(const struct memo *memo, struct error *err)
{
    size_t unused;
    for (size_t row = 0; row < memo->table[MEMO_TARGET].csv.rows; row++) {
        if (!known(memo, MEMO_TARGET, row, "strategy", &unused, err)) {
            return false;
        }
    }
    return true;
}

static bool check_tables(const struct memo *memo, struct error *err)
{
    static bool (*const checks[MEMO_TABLES])(const struct memo *, struct error *) = {
        [MEMO_MAP] = check_map,       [MEMO_BREAKEVEN] = check_breakeven,
        [MEMO_CURVES] = check_curves, [MEMO_SENSITIVITY] = check_sensitivity,
        [MEMO_TARGET] = check_target,
    };
    for (int id = MEMO_MAP; id < MEMO_VALIDATION; id++) {
        if (memo->table[id].there && (!check_metric(memo, (enum memo_table_id)id, err) ||
                                      (checks[id] && !checks[id](memo, err)))) {
            return false;
        }
    }
    return true;
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
        return index_rows(memo, err) && check_tables(memo, err);
    }
    return read_table(memo, MEMO_VALIDATION, err) && index_rows(memo, err) &&
           check_tables(memo, err);
}

/* Whether the other tables of a folder of results are of the run that rows.csv is of. */
#include "core/error.h"
#include "report/memo/memo_parts.h"

#include <math.h>
#include <string.h>

/* Numbers that came to the tables on different ways. */
static bool same(double a, double b)
{
    return a == b || fabs(a - b) <= 1e-6 * fmax(fabs(a), fabs(b)) + 1e-2;
}

static bool check_metric(const struct memo *memo, enum memo_table_id id, struct error *err)
{
    const struct memo_table *table = &memo->table[id];
    for (size_t row = 0; row < table->csv.rows; row++) {
        struct source_location at = {table->path, table->csv.lines[row], "metric"};
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
    struct source_location at = {memo->table[id].path, memo->table[id].csv.lines[row], key};
    return error_input(err, &at,
                       "found '%.40s', expected %.10g as in rows.csv: the table is of another run",
                       memo_cell(memo, id, row, key), expected);
}

/* The place of a row of a table that has all axes. */
static bool place_of(const struct memo *memo, enum memo_table_id id, size_t row,
                     struct memo_place *place)
{
    for (size_t i = 0; i < memo->axes; i++) {
        const char *text = memo_axis_cell(&memo->table[id].csv, row, memo->axis[i].name);
        place->digit[i] = i == memo->strategy ? 0
                          : text              ? memo_digit(&memo->axis[i], text)
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
    struct source_location at = {memo->table[id].path, memo->table[id].csv.lines[row], column};
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
            struct source_location at = {memo->table[MEMO_MAP].path,
                                         memo->table[MEMO_MAP].csv.lines[row], "winner"};
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
        if (along == memo->axes || strategy == SIZE_MAX) {
            continue;
        }
        for (size_t i = 0; i < memo->axes; i++) {
            const char *text =
                memo_axis_cell(&memo->table[MEMO_CURVES].csv, row, memo->axis[i].name);
            place.digit[i] = i == memo->strategy ? 0 : text ? memo_digit(&memo->axis[i], text) : 0;
        }
        place.digit[along] = memo_digit(&memo->axis[along], memo_cell(memo, MEMO_CURVES, row, "x"));
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

bool memo_check_tables(const struct memo *memo, struct error *err)
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

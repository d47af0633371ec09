#include "report/analyses.h"

#include "report/cells.h"
#include "study/verdict.h"
#include "study/winner_map.h"

#include <ctype.h>
#include <string.h>

#define MAP_SCHEMA 1

static const char *name_of(const struct winner_map_results *results, size_t strategy)
{
    return strategy == WINNER_NONE ? NULL : results->groups.study->strategies[strategy]->name;
}

static char letter_of(size_t strategy)
{
    return strategy == WINNER_NONE ? '-' : (char)('A' + strategy % 26);
}

static char cell_letter(const struct winner_map_cell *cell)
{
    return cell->failed ? '!' : letter_of(cell->best.winner);
}

/* --- the table --- */

/* Which strategies could not win here, and why. */
static void left_out(const struct winner_map_results *results, size_t index, char *text,
                     size_t size)
{
    size_t strategies = results->groups.study->role[AXIS_STRATEGY]->values.count, used = 0;
    snprintf(text, size, "%s", results->cell[index].failed ? "all: a simulation failed" : "");
    for (size_t s = 0; s < strategies && used < size; s++) {
        const struct strategy_verdict *verdict = &results->verdict[index * strategies + s];
        const char *why = verdict->worst == STALE ? "incoherent" : verdict->hypothetical;
        if (why) {
            used += (size_t)snprintf(text + used, size - used, "%s%s: %s", used ? "; " : "",
                                     name_of(results, s), why);
        }
    }
}

static void put_axis(struct cells *cells, const char *key, const char *value,
                     const struct axis *axis, size_t digit)
{
    cells_text(cells, key, axis ? axis->name : NULL);
    cells_text(cells, value, axis ? axis->values.text[digit] : NULL);
}

static void put_choices(struct cells *cells, const struct winner_map_results *results,
                        const struct winner_map_cell *cell)
{
    char letter[2] = {cell_letter(cell), '\0'};
    cells_text(cells, "winner", name_of(results, cell->best.winner));
    cells_text(cells, "letter", letter);
    cells_real(cells, "probability", cell->best.probability);
    cells_flag(cells, "decided", cell->decided);
    cells_estimate(cells, "margin_log2", cell->best.margin);
    cells_text(cells, "runner_up", name_of(results, cell->best.runner_up));
    cells_real(cells, "value", cell->best.value);
    cells_real(cells, "p10", cell->best.p10);
    cells_real(cells, "p90", cell->best.p90);
    cells_text(cells, "verdict", outcome_name[cell->verdict.worst]);
    cells_text(cells, "condition", verdict_conditions(cell->verdict.conditions));
    char caveat[STRATEGY_CAVEAT_BYTES];
    cells_text(cells, "caveat",
               cell->best.winner == WINNER_NONE
                   ? NULL
                   : strategy_caveat(results->groups.study->strategies[cell->best.winner], caveat,
                                     sizeof caveat));
    cells_text(cells, "hypothetical",
               cell->verdict.hypothetical ? cell->verdict.hypothetical : "no");
    cells_text(cells, "sound_winner", name_of(results, cell->sound.winner));
    cells_real(cells, "sound_probability", cell->sound.probability);
    cells_real(cells, "sound_value", cell->sound.value);
}

static void put_row(struct cells *cells, const struct winner_map_results *results, size_t index)
{
    size_t x = index % results->x_count, y = index / results->x_count % results->y_count;
    char text[1024];
    left_out(results, index, text, sizeof text);
    cells_text(cells, "study", results->groups.study->name);
    cells_text(cells, "metric", metric_name[results->metric]);
    cells_group(cells, &results->groups, index / results->x_count / results->y_count);
    put_axis(cells, "x_key", "x", results->x, x);
    put_axis(cells, "y_key", "y", results->y, y);
    cells_text(cells, "unit", metric_unit[results->metric]);
    cells_whole(cells, "n", results->groups.study->draws);
    put_choices(cells, results, &results->cell[index]);
    cells_text(cells, "left_out", text);
    cells_whole(cells, "schema_version", MAP_SCHEMA);
    cells_end(cells);
}

static void write_rows(FILE *out, const void *found)
{
    const struct winner_map_results *results = found;
    struct cells cells = {.out = out, .header = true};
    put_row(&cells, results, 0);
    cells.header = false;
    for (size_t i = 0; i < results->groups.count * results->x_count * results->y_count; i++) {
        put_row(&cells, results, i);
    }
}

/* --- in letters --- */

/* Wide enough for every value and a blank. */
static int width_of(const struct axis *axis, int min)
{
    for (size_t i = 0; axis && i < axis->values.count; i++) {
        char text[64];
        groups_spell(axis, axis->values.text[i], text, sizeof text);
        int length = (int)strlen(text) + 1;
        min = length > min ? length : min;
    }
    return min;
}

static void print_value(FILE *out, const struct axis *axis, size_t digit, int width)
{
    char text[64] = "";
    if (axis) {
        groups_spell(axis, axis->values.text[digit], text, sizeof text);
    }
    fprintf(out, "%*s", width, text);
}

static void print_group(FILE *out, const struct winner_map_results *results, size_t group)
{
    int side = width_of(results->y, 10), width = width_of(results->x, 7);
    for (size_t y = results->y_count; y-- > 0;) {
        print_value(out, results->y, y, side);
        for (size_t x = 0; x < results->x_count; x++) {
            const struct winner_map_cell *cell =
                &results->cell[(group * results->y_count + y) * results->x_count + x];
            char letter = cell_letter(cell);
            bool conditional = cell->best.winner != WINNER_NONE && cell->verdict.worst == ONLY_IF;
            fprintf(out, "%*c%c", width - 1,
                    cell->decided ? letter : (char)tolower((unsigned char)letter),
                    conditional ? '*' : ' ');
        }
        fprintf(out, "\n");
    }
    fprintf(out, "%*s", side, results->y ? results->y->name : "");
    for (size_t x = 0; x < results->x_count; x++) {
        print_value(out, results->x, x, width);
    }
    fprintf(out, "  %s\n", results->x ? results->x->name : "");
}

/* The strategies that win somewhere, and under which conditions. */
static void print_key(FILE *out, const struct winner_map_results *results)
{
    const struct study *study = results->groups.study;
    size_t cells = results->groups.count * results->x_count * results->y_count;
    for (size_t s = 0; s < study->role[AXIS_STRATEGY]->values.count; s++) {
        size_t won = 0;
        unsigned conditions = 0;
        for (size_t i = 0; i < cells; i++) {
            won += results->cell[i].best.winner == s;
            conditions |=
                results->cell[i].best.winner == s ? results->cell[i].verdict.conditions : 0;
        }
        if (won > 0) {
            fprintf(out, "%c  %s: cheapest in %zu of %zu cells%s%s\n", letter_of(s),
                    study->strategies[s]->name, won, cells,
                    conditions & ~CONDITION_STILL ? "; * only if "
                    : conditions                  ? "; given that "
                                                  : "",
                    oracle_conditions_text(conditions));
            char caveat[STRATEGY_CAVEAT_BYTES];
            if (strategy_caveat(study->strategies[s], caveat, sizeof caveat)[0]) {
                fprintf(out, "   (%s)\n", caveat);
            }
        }
    }
}

static void print(FILE *out, const void *found)
{
    const struct winner_map_results *results = found;
    fprintf(out, "%s: the cheapest coherent strategy; lower case: in under %.0f %% of the draws\n",
            metric_name[results->metric], 100 * WINNER_DECIDED);
    for (size_t group = 0; group < results->groups.count; group++) {
        char text[512];
        groups_text(&results->groups, group, text, sizeof text);
        fprintf(out, "%s%s%.0f %% of the cells undecided\n", text, text[0] ? ": " : "",
                100 * winner_map_undecided(results, group));
        print_group(out, results, group);
    }
    print_key(out, results);
}

const struct analysis_report map_report = {.table = {{"map.csv", write_rows}}, .print = print};

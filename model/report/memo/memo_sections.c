/* The sections of a memo on what decides: the map and the curves. */
#include "core/error.h"
#include "report/memo/memo_parts.h"

#include "study/winner_map.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 512

void memo_missing(const struct memo *memo, struct doc_node *doc, const char *what,
                  const char *command, const char *more)
{
    char line[4096];
    struct doc_node *block = doc_add(doc, DOC_PARAGRAPH, NULL);
    memo_say_command(memo, command, more, line, sizeof line);
    doc_text(block, "%s is not in this folder; ", what);
    doc_code(block, line);
    doc_text(block, " makes it.");
}

/* --- map --- */

/* How many situations have nobody to win, and in how many of the others it is not
 * clear who does. */
static void say_open(const struct memo *memo, bool more, struct doc_node *block)
{
    size_t nobody = 0, undecided = 0, rows = memo->table[MEMO_MAP].csv.rows;
    for (size_t row = 0; row < rows; row++) {
        bool won = memo_cell(memo, MEMO_MAP, row, "winner")[0];
        nobody += !won;
        undecided += won && strcmp(memo_cell(memo, MEMO_MAP, row, "decided"), "no") == 0;
    }
    if (nobody > 0) {
        doc_text(block, "%sin %zu nothing is coherent and exists", more ? ", " : "", nobody);
    }
    if (undecided > 0) {
        doc_text(block,
                 "; %zu undecided: the cheapest by the median is so in under %.0f %% of the draws.",
                 undecided, 100 * MAP_DECIDED);
    } else {
        doc_text(block, "%s", nobody < rows ? "; none is undecided." : ".");
    }
}

static void count_winners(const struct memo *memo, struct doc_node *doc)
{
    const struct csv *csv = &memo->table[MEMO_MAP].csv;
    struct doc_node *block = doc_add(doc, DOC_PARAGRAPH, NULL);
    size_t said = 0;
    doc_text(block, "Of all %zu situations of the study: ", csv->rows);
    for (size_t s = 0; s < memo->axis[memo->strategy].count; s++) {
        size_t won = 0, leaning = 0;
        for (size_t row = 0; row < csv->rows; row++) {
            bool ours = memo_find_strategy(memo, memo_cell(memo, MEMO_MAP, row, "winner")) == s;
            won += ours;
            leaning += ours && strcmp(memo_cell(memo, MEMO_MAP, row, "verdict"), "only-if") == 0;
        }
        if (won > 0) {
            doc_text(block, "%s", said++ ? ", " : "");
            doc_code(block, memo_strategy(memo, s));
            doc_text(block, " %s in %zu", memo_verb(memo), won);
            if (leaning > 0) {
                doc_text(block,
                         leaning == won ? " (under a condition)"
                                        : " (in %zu of them under a condition)",
                         leaning);
            }
        }
    }
    say_open(memo, said > 0, block);
}

static void map_cell(const struct memo *memo, size_t row, struct doc_node *line)
{
    struct doc_node *cell = doc_add(line, DOC_CELL, NULL);
    const char *winner = memo_cell(memo, MEMO_MAP, row, "winner");
    double probability = memo_number(memo, MEMO_MAP, row, "probability");
    bool leans = strcmp(memo_cell(memo, MEMO_MAP, row, "verdict"), "only-if") == 0;
    bool decided = strcmp(memo_cell(memo, MEMO_MAP, row, "decided"), "yes") == 0;
    doc_code(cell, winner[0] ? winner : "-");
    doc_text(cell, "%s", winner[0] && leans ? "*" : "");
    if (isfinite(probability)) {
        doc_text(cell, " %s%.0f %%", decided ? "" : "only ", 100 * probability);
    }
}

/* The row of the map at these values of its axes in a place's panel. */
static size_t map_row_at(const struct memo *memo, const struct memo_place *place, size_t x,
                         size_t x_digit, size_t y, size_t y_digit)
{
    struct memo_place there = *place;
    there.digit[x] = x_digit;
    there.digit[y] = y_digit;
    for (size_t row = 0; row < memo->table[MEMO_MAP].csv.rows; row++) {
        if (memo_matches(memo, MEMO_MAP, row, &there)) {
            return row;
        }
    }
    return SIZE_MAX;
}

static size_t find_axis(const struct memo *memo, const char *name)
{
    size_t i = 0;
    while (i < memo->axes && strcmp(memo->axis[i].name, name) != 0) {
        i++;
    }
    return i;
}

static void map_table(const struct memo *memo, const struct memo_place *place, size_t x, size_t y,
                      struct doc_node *doc)
{
    const struct memo_axis *across = &memo->axis[x], *down = y < memo->axes ? &memo->axis[y] : NULL;
    struct doc_node *table = doc_add(doc, DOC_TABLE, NULL);
    struct doc_node *header = doc_add(table, DOC_ROW, NULL);
    char text[160];
    doc_cell(header, "%s%s%s", down ? down->name : "", down ? " \\ " : "", across->name);
    for (size_t i = 0; i < across->count; i++) {
        memo_say_value(across, memo_value(across, i), text, sizeof text);
        doc_cell(header, "%s", text);
    }
    for (size_t j = down ? down->count : 1; j-- > 0;) {
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        text[0] = '\0';
        if (down) {
            memo_say_value(down, memo_value(down, j), text, sizeof text);
        }
        doc_cell(line, "%s", text);
        for (size_t i = 0; i < across->count; i++) {
            size_t row = map_row_at(memo, place, x, i, down ? y : x, down ? j : i);
            if (row == SIZE_MAX) {
                doc_cell(line, "%s", "");
            } else {
                map_cell(memo, row, line);
            }
        }
    }
}

/* Whether an earlier place has the same panel: they differ along the map's axes
 * only. */
static bool panel_seen(const struct memo *memo, size_t p, size_t x, size_t y)
{
    for (size_t q = 0; q < p; q++) {
        bool same = true;
        for (size_t i = 0; i < memo->axes; i++) {
            same &= i == x || i == y || i == memo->strategy ||
                    memo->place[p].digit[i] == memo->place[q].digit[i];
        }
        if (same) {
            return true;
        }
    }
    return false;
}

static void map_tables(const struct memo *memo, struct doc_node *doc)
{
    size_t x = find_axis(memo, memo_cell(memo, MEMO_MAP, 0, "x_key"));
    size_t y = find_axis(memo, memo_cell(memo, MEMO_MAP, 0, "y_key"));
    struct doc_node *details = doc_add(doc, DOC_DETAILS, "The map as a table");
    size_t panels = 0;
    for (size_t p = 0; p < memo->places; p++) {
        panels += !panel_seen(memo, p, x, y);
    }
    for (size_t p = 0; p < memo->places; p++) {
        char words[WORDS];
        if (panel_seen(memo, p, x, y)) {
            continue;
        }
        if (panels > 1) {
            memo_say_place(memo, &memo->place[p], true, words, sizeof words);
            doc_strong(doc_add(details, DOC_PARAGRAPH, NULL), "%s", words);
        }
        map_table(memo, &memo->place[p], x, y, details);
    }
    doc_text(doc_add(details, DOC_PARAGRAPH, NULL),
             "The cheapest and its share of the draws; * under a condition (section 7).");
}

void memo_map_section(const struct memo *memo, struct doc_node *doc)
{
    static const struct memo_figure figure = {
        .script = "map",
        .name = "memo-map.svg",
        .note = "Decision map: the cheapest coherent strategy over two axes, hatched where the "
                "draws do not agree; the table below has the same.",
        .table = {MEMO_MAP},
        .tables = 1,
    };
    doc_heading(doc, "3 Decision map");
    if (!memo->table[MEMO_MAP].there || memo->table[MEMO_MAP].csv.rows == 0) {
        memo_missing(memo, doc, "The map", "map", "");
        return;
    }
    count_winners(memo, doc);
    if (memo_cell(memo, MEMO_MAP, 0, "x_key")[0]) {
        memo_figure(memo, doc, &figure);
        map_tables(memo, doc);
    }
}

/* --- curve --- */

static void cost_order(const struct memo *memo, const struct memo_place *place, size_t *order,
                       size_t count)
{
    double *mid = malloc(count * sizeof *mid);
    if (!mid) {
        error_fatal("out of memory for a memo");
    }
    for (size_t s = 0; s < count; s++) {
        mid[s] = memo_band(memo, place, s).mid;
        mid[s] = isfinite(mid[s]) ? mid[s] : INFINITY;
    }
    gsl_sort_index(order, mid, 1, count);
    free(mid);
}

/* Coherent, or why it cannot win. */
static const char *standing(const struct memo *memo, const struct memo_place *place,
                            size_t strategy)
{
    const char *paper = memo_paper(memo, place, strategy);
    return memo_stale(memo, place, strategy)       ? "incoherent, cannot win"
           : paper                                 ? paper
           : memo_condition(memo, place, strategy) ? "under a condition"
                                                   : "coherent";
}

static void strategies_table(const struct memo *memo, const struct memo_place *place,
                             struct doc_node *doc)
{
    static const char *const names[] = {"strategy", ">median (p10 to p90)", ">times the cheapest",
                                        "verdict"};
    struct memo_choice choice = memo_choose(memo, place);
    size_t count = memo->axis[memo->strategy].count, *order = malloc(count * sizeof *order);
    struct doc_node *table = doc_table(doc, names, 4);
    double least = choice.winner == SIZE_MAX ? NAN : memo_band(memo, place, choice.winner).mid;
    if (!order) {
        error_fatal("out of memory for a memo");
    }
    cost_order(memo, place, order, count);
    for (size_t i = 0; i < count; i++) {
        struct doc_node *line = doc_add(table, DOC_ROW, NULL);
        struct memo_band band = memo_band(memo, place, order[i]);
        char text[160];
        memo_say_band(band, text, sizeof text);
        doc_code(doc_add(line, DOC_CELL, NULL), memo_strategy(memo, order[i]));
        doc_number(line, "%s", text);
        if (isfinite(band.mid / least)) {
            bool little = band.mid / least < 0.01;
            doc_number(line, little ? "under 0.01" : "%.3g", band.mid / least);
        } else {
            doc_number(line, "%s", "");
        }
        doc_cell(line, "%s", standing(memo, place, order[i]));
    }
    free(order);
}

static void curve_table(const struct memo *memo, const struct memo_place *place,
                        struct doc_node *doc)
{
    struct doc_node *table = doc_add(doc, DOC_TABLE, NULL), *line = doc_add(table, DOC_ROW, NULL);
    const char *unit = memo_cell(memo, MEMO_CURVES, 0, "unit"), *before = NULL;
    const struct csv *csv = &memo->table[MEMO_CURVES].csv;
    char text[160];
    doc_cell(line, "%s", memo_cell(memo, MEMO_CURVES, 0, "axis"));
    for (size_t row = 0; row < csv->rows; row++) { /* the first strategy's values of the axis */
        const char *strategy = memo_cell(memo, MEMO_CURVES, row, "strategy");
        if (memo_matches(memo, MEMO_CURVES, row, place) &&
            (!before || strcmp(strategy, before) == 0)) {
            before = strategy;
            memo_say_number(unit, memo_number(memo, MEMO_CURVES, row, "x"), text, sizeof text);
            doc_number(line, "%s", text);
        }
    }
    before = NULL;
    for (size_t row = 0; row < csv->rows; row++) {
        const char *strategy = memo_cell(memo, MEMO_CURVES, row, "strategy");
        if (!memo_matches(memo, MEMO_CURVES, row, place)) {
            continue;
        }
        if (!before || strcmp(strategy, before) != 0) {
            line = doc_add(table, DOC_ROW, NULL);
            doc_code(doc_add(line, DOC_CELL, NULL), strategy);
            before = strategy;
        }
        struct memo_band band = {memo_curve_mid(memo, row),
                                 memo_number(memo, MEMO_CURVES, row, "p10"),
                                 memo_number(memo, MEMO_CURVES, row, "p90")};
        memo_say_band(band, text, sizeof text);
        doc_number(line, "%s", text);
    }
}

static void curves(const struct memo *memo, struct doc_node *doc)
{
    static const struct memo_figure figure = {
        .script = "breakeven",
        .name = "memo-curve.svg",
        .note = "What each strategy costs along the axis, with bands from p10 to p90, and where "
                "two cross; the table below has the same.",
        .table = {MEMO_CURVES, MEMO_BREAKEVEN},
        .tables = 2,
    };
    memo_figure(memo, doc, &figure);
    struct doc_node *details = doc_add(doc, DOC_DETAILS, "The curves as tables");
    for (size_t p = 0; p < memo->places; p++) {
        char words[WORDS];
        if (memo->places > 1) {
            memo_say_place(memo, &memo->place[p], true, words, sizeof words);
            doc_strong(doc_add(details, DOC_PARAGRAPH, NULL), "%s", words);
        }
        curve_table(memo, &memo->place[p], details);
    }
}

void memo_curve_section(const struct memo *memo, struct doc_node *doc)
{
    doc_heading(doc, "4 What it costs");
    doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "%s",
             memo_choose(memo, &memo->place[0]).draws > 0
                 ? "Medians, with p10 to p90, over draws of the machines' costs within their "
                   "ranges: what is not known of the machines, not noise from run to run. All "
                   "strategies have the same draws."
                 : "With every cost at its mode.");
    for (size_t p = 0; p < memo->places; p++) {
        char words[2 * WORDS];
        memo_say_place(memo, &memo->place[p], false, words, sizeof words);
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "%s, %s:", words, memo->metric);
        strategies_table(memo, &memo->place[p], doc);
    }
    memo_limits_table(memo, doc);
    bool there = memo->table[MEMO_CURVES].there && memo->table[MEMO_BREAKEVEN].there;
    if (there && memo->table[MEMO_CURVES].csv.rows > 0 &&
        memo->table[MEMO_BREAKEVEN].csv.rows > 0) {
        curves(memo, doc);
    } else if (!there && (memo->breakeven || !memo->given)) {
        memo_missing(memo, doc, "The curve", "breakeven", memo->breakeven ? "" : " --axis AXIS");
    }
}

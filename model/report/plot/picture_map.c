/* Which strategy costs least over two axes: a panel a case. */
#include "core/alloc.h"
#include "report/chart/chart.h"
#include "report/plot/picture.h"
#include "report/plot/plot_table.h"
#include "report/words.h"
#include "study/setup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct drawing {
    struct plot *plot;
    const struct csv *table;
    struct plot_values cases, x, y, winners;
    struct chart_map chart;
    struct chart_cells panel[CHART_PANELS];
    struct chart_key key[CHART_STYLES];
    const char *x_text[PLOT_VALUES], *y_text[PLOT_VALUES];
    size_t won[PLOT_VALUES], clear, cells;
    bool conditions;
};

static const char *axis_text(struct drawing *drawing, const char *key, const char *value)
{
    struct value_kind kind = setup_key_kind(key);
    char text[QUANTITY_TEXT];
    return kind.number ? plot_text(drawing->plot, "%s",
                                   quantity_value(strtod(value, NULL), kind.unit, text))
                       : plot_value(drawing->plot, key, value);
}

static size_t winner_of(const struct drawing *drawing, size_t row)
{
    const char *name = plot_cell(drawing->table, row, "winner");
    size_t i = 0;
    while (i < drawing->winners.count && strcmp(drawing->winners.text[i], name) != 0) {
        i++;
    }
    return i;
}

static void take_panel(struct drawing *drawing, size_t panel)
{
    struct chart_cells *into = &drawing->panel[panel];
    size_t count = drawing->x.count * drawing->y.count;
    struct chart_cell *cell = plot_room(drawing->plot, count, sizeof *cell);
    into->title =
        drawing->chart.panels > 1 ? plot_case(drawing->plot, drawing->cases.text[panel]) : NULL;
    into->cell = cell;
    for (size_t i = 0; i < count; i++) {
        const struct plot_match match[] = {{"case", drawing->cases.text[panel]},
                                           {"x", drawing->x.text[i % drawing->x.count]},
                                           {"y", drawing->y.text[i / drawing->x.count]}};
        size_t row = plot_row(drawing->table, match, sizeof match / sizeof *match);
        size_t winner = winner_of(drawing, row);
        bool any = row != PLOT_NO_ROW && plot_cell(drawing->table, row, "winner")[0] != '\0';
        bool clear = strcmp(plot_cell(drawing->table, row, "decided"), "yes") == 0;
        drawing->cells += row != PLOT_NO_ROW;
        drawing->clear += any && clear;
        drawing->conditions |= any && plot_conditional(drawing->table, row);
        if (any && winner < drawing->winners.count) {
            drawing->won[winner]++;
            cell[i] = (struct chart_cell){
                plot_text(drawing->plot, "%s%s%s", plot_cell(drawing->table, row, "letter"),
                          plot_conditional(drawing->table, row) ? "*" : "", clear ? "" : "?"),
                1 + (unsigned)(winner % (CHART_STYLES - 1)), clear};
        }
    }
}

/* What each letter stands for, and how often. */
static void take_keys(struct drawing *drawing)
{
    for (size_t i = 0; i < drawing->winners.count && drawing->chart.keys < CHART_STYLES; i++) {
        const struct plot_match match = {"winner", drawing->winners.text[i]};
        size_t row = plot_row(drawing->table, &match, 1);
        if (drawing->winners.text[i][0] && drawing->won[i]) {
            drawing->key[drawing->chart.keys++] = (struct chart_key){
                plot_cell(drawing->table, row, "letter"),
                plot_text(drawing->plot, "%s in %zu", drawing->winners.text[i], drawing->won[i]),
                1 + (unsigned)(i % (CHART_STYLES - 1))};
        }
    }
    drawing->chart.key = drawing->key;
}

static const char *title_of(struct drawing *drawing)
{
    size_t best = 0;
    for (size_t i = 0; i < drawing->winners.count; i++) {
        best = drawing->won[i] > drawing->won[best] ? i : best;
    }
    if (drawing->cells == 0 || drawing->won[best] == 0) {
        return "No coherent strategy exists on these machines";
    }
    const char *who = plot_text(drawing->plot, "%s costs least in %zu of %zu cells",
                                drawing->winners.text[best], drawing->won[best], drawing->cells);
    return drawing->clear < drawing->cells ? plot_text(drawing->plot, "%s; no clear winner in %zu",
                                                       who, drawing->cells - drawing->clear)
                                           : who;
}

void picture_map(struct plot *plot, FILE *out)
{
    struct drawing *drawing = plot_room(plot, 1, sizeof *drawing);
    const struct csv *table = plot->table;
    const char *x_key = table->rows ? plot_cell(table, 0, "x_key") : "";
    const char *y_key = table->rows ? plot_cell(table, 0, "y_key") : "";
    drawing->plot = plot;
    drawing->table = table;
    drawing->cases = plot_values(table, "case");
    drawing->winners = plot_values(table, "winner");
    drawing->x = plot_values(table, "x");
    drawing->y = plot_values(table, "y");
    size_t panels = drawing->cases.count;
    drawing->chart.panels = panels < CHART_PANELS ? panels : CHART_PANELS;
    for (size_t i = 0; i < drawing->x.count; i++) {
        drawing->x_text[i] = axis_text(drawing, x_key, drawing->x.text[i]);
    }
    for (size_t i = 0; i < drawing->y.count; i++) {
        drawing->y_text[i] = axis_text(drawing, y_key, drawing->y.text[i]);
    }
    for (size_t p = 0; p < drawing->chart.panels; p++) {
        take_panel(drawing, p);
    }
    take_keys(drawing);
    drawing->chart.title = title_of(drawing);
    drawing->chart.subtitle = plot_text(
        drawing->plot, "%s%s%s%s", plot_common(drawing->plot, ""),
        table->rows && plot_number(table, 0, "n") > 0
            ? plot_text(drawing->plot, ". Pale and ?: cheapest in under 80 %% of %.0f draws.",
                        plot_number(table, 0, "n"))
            : ". Every cost at its mode.",
        drawing->conditions ? " * safe under a condition." : "",
        plot_first_of(drawing->plot, drawing->chart.panels, panels));
    drawing->chart.x_title = words_axis(x_key);
    drawing->chart.y_title = words_axis(y_key);
    drawing->chart.x = drawing->x_text;
    drawing->chart.xs = drawing->x.count;
    drawing->chart.y = drawing->y_text;
    drawing->chart.ys = drawing->y.count;
    drawing->chart.panel = drawing->panel;
    if (panels > 0) {
        chart_map(out, &drawing->chart);
    } else {
        chart_nothing(out, drawing->chart.title);
    }
}

/* What strategies cost along an axis, and where two of them cost the same: a panel a case. */
#include "core/alloc.h"
#include "core/error.h"
#include "report/chart/chart.h"
#include "report/output.h"
#include "report/plot/picture.h"
#include "report/plot/plot_table.h"
#include "report/words.h"
#include "study/setup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct drawing {
    struct plot *plot;
    const struct csv *table, *crossings;
    struct plot_values cases, strategies, along;
    const char *axis;
    enum unit unit;
    struct chart_lines chart;
    struct chart_panel panel[CHART_PANELS];
    struct chart_line line[CHART_PANELS][CHART_LINES];
    struct chart_crossing crossing[CHART_PANELS][CHART_CROSSINGS];
    struct chart_tick tick[PLOT_VALUES];
    struct chart_point point[CHART_PANELS][CHART_LINES][PLOT_VALUES];
    size_t pairs, found, undecided;
};

/* A row of breakeven.csv, where it is about a line that the panel has: `at` is that of the modes,
 * the median one of the draws. */
static void take_crossing(struct drawing *drawing, size_t panel, size_t row)
{
    struct chart_panel *into = &drawing->panel[panel];
    double median = plot_number(drawing->crossings, row, "p50");
    struct band at = {plot_number(drawing->crossings, row, "at"), NAN, NAN};
    char text[QUANTITY_TEXT];
    if (isfinite(median)) {
        at = (struct band){median, plot_number(drawing->crossings, row, "p10"),
                           plot_number(drawing->crossings, row, "p90")};
    }
    const char *a = plot_cell(drawing->crossings, row, "a");
    const char *b = plot_cell(drawing->crossings, row, "b");
    const struct chart_line *one = NULL, *other = NULL;
    for (size_t i = 0; i < into->lines; i++) {
        one = strcmp(into->line[i].name, a) == 0 ? &into->line[i] : one;
        other = strcmp(into->line[i].name, b) == 0 ? &into->line[i] : other;
    }
    if (!one || !other || !isfinite(at.mid) || !isfinite(chart_value_at(one, at.mid)) ||
        into->crossings == CHART_CROSSINGS) {
        return;
    }
    drawing->crossing[panel][into->crossings++] = (struct chart_crossing){
        plot_text(drawing->plot, "%s",
                  drawing->chart.panels > 2 ? quantity_mid(at, drawing->unit, text)
                                            : quantity_band(at, drawing->unit, text)),
        at.mid, chart_value_at(one, at.mid), at.p10, at.p90};
}

static void take_crossings(struct drawing *drawing, size_t panel)
{
    for (size_t row = 0; row < drawing->crossings->rows; row++) {
        const char *status = plot_cell(drawing->crossings, row, "status");
        if (strcmp(plot_cell(drawing->crossings, row, "case"), drawing->cases.text[panel]) != 0) {
            continue;
        }
        drawing->pairs++;
        drawing->undecided += strcmp(status, "undecided") == 0;
        if (strcmp(status, "crossing") == 0) {
            drawing->found++;
            take_crossing(drawing, panel, row);
        }
    }
    drawing->panel[panel].crossing = drawing->crossing[panel];
}

static void take_panel(struct drawing *drawing, size_t panel)
{
    struct chart_panel *into = &drawing->panel[panel];
    const char *name = drawing->cases.text[panel];
    into->title = drawing->chart.panels > 1 ? plot_case(drawing->plot, name) : NULL;
    into->line = drawing->line[panel];
    for (size_t s = 0; s < drawing->strategies.count && into->lines < CHART_LINES; s++) {
        struct chart_point *point = drawing->point[panel][into->lines];
        bool any = false;
        for (size_t k = 0; k < drawing->along.count; k++) {
            const struct plot_match match[] = {{"case", name},
                                               {"strategy", drawing->strategies.text[s]},
                                               {"x", drawing->along.text[k]}};
            struct band band = plot_band(
                drawing->table, plot_row(drawing->table, match, sizeof match / sizeof *match));
            point[k] = (struct chart_point){drawing->tick[k].at, band.mid, band.p10, band.p90};
            any |= isfinite(band.mid);
        }
        if (any) {
            drawing->line[panel][into->lines++] = (struct chart_line){
                drawing->strategies.text[s], plot_style(&drawing->strategies, s), point,
                drawing->along.count};
        }
    }
    take_crossings(drawing, panel);
}

static const char *title_of(struct drawing *drawing)
{
    const char *undecided =
        drawing->undecided ? plot_text(drawing->plot, "; %zu undecided", drawing->undecided) : "";
    return drawing->cases.count == 0 ? "No two strategies are coherent and exist on this machine"
           : drawing->found == 0
               ? plot_text(drawing->plot, "None of %zu pairs of strategies cross%s", drawing->pairs,
                           undecided)
               : plot_text(drawing->plot, "%zu of %zu pairs of strategies cross%s", drawing->found,
                           drawing->pairs, undecided);
}

void picture_breakeven(struct plot *plot, FILE *out)
{
    struct drawing *drawing = plot_room(plot, 1, sizeof *drawing);
    const struct csv *table = plot->table;
    enum metric which = plot_metric(table);
    drawing->plot = plot;
    drawing->table = table;
    drawing->crossings = plot->also;
    drawing->axis = table->rows ? plot_cell(table, 0, "axis") : "";
    drawing->unit = setup_key_kind(drawing->axis).unit;
    drawing->cases = plot_values(table, "case");
    drawing->strategies = plot_values(table, "strategy");
    drawing->along = plot_values(table, "x");
    size_t panels = drawing->cases.count;
    drawing->chart.panels = panels < CHART_PANELS ? panels : CHART_PANELS;
    plot_ticks(plot, &drawing->along, drawing->unit, drawing->tick, &drawing->chart);
    for (size_t p = 0; p < drawing->chart.panels; p++) {
        take_panel(drawing, p);
    }
    drawing->chart.title = title_of(drawing);
    drawing->chart.subtitle = plot_text(
        drawing->plot, "%s. %s%s", plot_common(drawing->plot, ""),
        table->rows && isfinite(plot_number(table, 0, "p50"))
            ? "Median, band p10 to p90. Draws are shared: a crossing is surer than bands look."
            : "Every cost at its mode.",
        plot_first_of(drawing->plot, drawing->chart.panels, panels));
    drawing->chart.x_title = words_axis(drawing->axis);
    drawing->chart.y_title = words_metric(which);
    drawing->chart.y_unit = metric_quantity(which);
    drawing->chart.panel = drawing->panel;
    if (panels > 0) {
        chart_lines(out, &drawing->chart);
    } else {
        chart_nothing(out, drawing->chart.title);
    }
}

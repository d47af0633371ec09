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
    const struct csv *table, *crossings;
    struct plot_pool pool;
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

/* Of a line between its points. */
static double value_at(const struct chart_line *line, double x)
{
    for (size_t i = 1; i < line->count; i++) {
        const struct chart_point *a = &line->point[i - 1], *b = &line->point[i];
        if (x >= a->x && x <= b->x && b->x > a->x) {
            return a->y + (b->y - a->y) * (x - a->x) / (b->x - a->x);
        }
    }
    return NAN;
}

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
    if (!one || !other || !isfinite(at.mid) || !isfinite(value_at(one, at.mid)) ||
        into->crossings == CHART_CROSSINGS) {
        return;
    }
    drawing->crossing[panel][into->crossings++] = (struct chart_crossing){
        plot_text(&drawing->pool, "%s",
                  drawing->chart.panels > 2 ? quantity_mid(at, drawing->unit, text)
                                            : quantity_band(at, drawing->unit, text)),
        at.mid, value_at(one, at.mid), at.p10, at.p90};
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
    into->title =
        drawing->chart.panels > 1 ? plot_case(&drawing->pool, drawing->table, name) : NULL;
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

static int by_value(const void *a, const void *b)
{
    double x = strtod(*(const char *const *)a, NULL), y = strtod(*(const char *const *)b, NULL);
    return (x > y) - (x < y);
}

static void take_ticks(struct drawing *drawing)
{
    struct plot_values *along = &drawing->along;
    double low = INFINITY, high = 0;
    qsort(along->text, along->count, sizeof *along->text, by_value);
    for (size_t k = 0; k < along->count; k++) {
        double at = strtod(along->text[k], NULL);
        char text[QUANTITY_TEXT];
        quantity_value(at, drawing->unit, text);
        drawing->tick[k] = (struct chart_tick){at, plot_text(&drawing->pool, "%s", text)};
        low = at > 0 ? fmin(low, at) : low;
        high = fmax(high, at);
    }
    drawing->chart.tick = drawing->tick;
    drawing->chart.ticks = along->count;
    drawing->chart.x_log = drawing->unit != UNIT_RATIO && high / low >= 8;
}

static const char *title_of(struct drawing *drawing)
{
    const char *undecided =
        drawing->undecided ? plot_text(&drawing->pool, "; %zu undecided", drawing->undecided) : "";
    return drawing->cases.count == 0 ? "No two strategies are coherent and exist on this machine"
           : drawing->found == 0
               ? plot_text(&drawing->pool, "None of %zu pairs of strategies cross%s",
                           drawing->pairs, undecided)
               : plot_text(&drawing->pool, "%zu of %zu pairs of strategies cross%s", drawing->found,
                           drawing->pairs, undecided);
}

static void draw(struct drawing *drawing, FILE *out)
{
    const struct csv *table = drawing->table;
    enum metric which = plot_metric(table);
    drawing->axis = table->rows ? plot_cell(table, 0, "axis") : "";
    drawing->unit = setup_key_kind(drawing->axis).unit;
    drawing->cases = plot_values(table, "case");
    drawing->strategies = plot_values(table, "strategy");
    drawing->along = plot_values(table, "x");
    size_t panels = drawing->cases.count;
    drawing->chart.panels = panels < CHART_PANELS ? panels : CHART_PANELS;
    take_ticks(drawing);
    for (size_t p = 0; p < drawing->chart.panels; p++) {
        take_panel(drawing, p);
    }
    drawing->chart.title = title_of(drawing);
    drawing->chart.subtitle = plot_text(
        &drawing->pool, "%s. %s%s", plot_common(&drawing->pool, table, ""),
        table->rows && isfinite(plot_number(table, 0, "p50"))
            ? "Median, band p10 to p90. Draws are shared: a crossing is surer than bands look."
            : "Every cost at its mode.",
        plot_first_of(&drawing->pool, drawing->chart.panels, panels));
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

bool picture_breakeven(const struct csv *table, const char *folder, FILE *out, struct error *err)
{
    char path[OUTPUT_PATH];
    struct csv crossings;
    snprintf(path, sizeof path, "%.4000s/breakeven.csv", folder);
    if (!csv_read(path, &crossings, err)) {
        return false;
    }
    struct drawing *drawing = alloc_zeroed(1, sizeof *drawing, "a figure");
    drawing->table = table;
    drawing->crossings = &crossings;
    draw(drawing, out);
    plot_pool_free(&drawing->pool);
    free(drawing);
    csv_free(&crossings);
    return true;
}

/* Many workloads under each other: what Linux adds, and the cheapest strategy that may be had. */
#include "core/alloc.h"
#include "report/chart/chart.h"
#include "report/plot/picture.h"
#include "report/plot/plot_table.h"
#include "report/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS 3
#define BARS 40
#define TIE 1.005 /* what costs no more than this times as much costs the same */

struct drawing {
    struct plot *plot;
    const struct csv *table;
    struct plot_values machines, workloads, backings, strategies;
    struct chart_group group[GROUPS];
    struct chart_bar bar[GROUPS][BARS];
    size_t won[PLOT_VALUES], cases;
    double min, max;
    bool conditions;
};

static size_t row_of(const struct drawing *drawing, size_t machine, size_t workload, size_t backing,
                     const char *strategy)
{
    const struct plot_match match[] = {
        {"metric", metric_name[METRIC_added_boot_ns]},
        {"machine", drawing->machines.text[machine]},
        {"workload", drawing->workloads.text[workload]},
        {"backing", drawing->backings.count ? drawing->backings.text[backing] : NULL},
        {"strategy", strategy}};
    return plot_row(drawing->table, match, sizeof match / sizeof *match);
}

/* A recorded boot on large pages is the same on large pages: such a case is drawn once. */
static bool same_as_first(const struct drawing *drawing, size_t machine, size_t workload,
                          size_t backing)
{
    bool same = backing > 0;
    for (size_t s = 0; s < drawing->strategies.count && same; s++) {
        const char *name = drawing->strategies.text[s];
        size_t one = row_of(drawing, machine, workload, 0, name);
        size_t other = row_of(drawing, machine, workload, backing, name);
        same = strcmp(plot_cell(drawing->table, one, "p50"),
                      plot_cell(drawing->table, other, "p50")) == 0 &&
               strcmp(plot_cell(drawing->table, one, "mode"),
                      plot_cell(drawing->table, other, "mode")) == 0;
    }
    return same;
}

static void take_case(struct drawing *drawing, size_t machine, size_t workload, size_t backing)
{
    struct chart_group *into = &drawing->group[machine];
    const struct csv *table = drawing->table;
    size_t shipped = row_of(drawing, machine, workload, backing, PLOT_LINUX);
    size_t best = PLOT_NO_ROW, winner = 0; /* of equal ones the first */
    char note[QUANTITY_TEXT];
    for (size_t s = 0; s < drawing->strategies.count; s++) {
        size_t row = row_of(drawing, machine, workload, backing, drawing->strategies.text[s]);
        if (plot_sound(table, row) &&
            (best == PLOT_NO_ROW || TIE * plot_band(table, row).mid < plot_band(table, best).mid)) {
            best = row;
            winner = s;
        }
    }
    if (best == PLOT_NO_ROW || into->bars == BARS) {
        return;
    }
    struct band band = plot_band(table, shipped), lowest = plot_band(table, best);
    const char *words =
        drawing->backings.count && strcmp(drawing->backings.text[backing], "as-recorded") != 0
            ? plot_value(drawing->plot, "backing", drawing->backings.text[backing])
            : "";
    drawing->won[winner]++;
    drawing->cases++;
    drawing->conditions |= plot_conditional(table, best);
    drawing->min = fmin(drawing->min, band.mid / lowest.mid);
    drawing->max = fmax(drawing->max, band.mid / lowest.mid);
    quantity_mid(lowest, UNIT_NS, note);
    drawing->bar[machine][into->bars++] = (struct chart_bar){
        .label = plot_text(drawing->plot, "%s%s%s", drawing->workloads.text[workload],
                           words[0] ? ", " : "", words),
        .note = plot_text(drawing->plot, "%s%s", drawing->strategies.text[winner],
                          plot_conditional(table, best) ? " *" : ""),
        .style = 0,
        .at = band.mid,
        .low = band.p10,
        .high = band.p90,
        .measured = lowest.mid,
        .measured_low = lowest.p10,
        .measured_high = lowest.p90};
}

static const char *title_of(struct drawing *drawing)
{
    const char *wins = "";
    char low[QUANTITY_TEXT], high[QUANTITY_TEXT];
    for (size_t count = drawing->cases; count > 0; count--) {
        for (size_t s = 0; s < drawing->strategies.count; s++) {
            if (drawing->won[s] == count) {
                wins = plot_text(drawing->plot, "%s%s%s in %zu", wins, wins[0] ? ", " : "",
                                 drawing->strategies.text[s], count);
            }
        }
    }
    return drawing->cases == 0 ? "No strategy that exists there is sound"
           : !isfinite(drawing->min + drawing->max)
               ? plot_text(drawing->plot, "Cheapest of these %zu: %s of %zu cases",
                           drawing->strategies.count, wins, drawing->cases)
               : plot_text(drawing->plot,
                           "Linux adds %s to %s times what the cheapest of these %zu does: %s of "
                           "%zu cases",
                           quantity_times(drawing->min, 1, low),
                           quantity_times(drawing->max, 1, high), drawing->strategies.count, wins,
                           drawing->cases);
}

void picture_cases(struct plot *plot, FILE *out)
{
    const struct csv *table = plot->table;
    struct drawing *drawing = plot_room(plot, 1, sizeof *drawing);
    drawing->plot = plot;
    drawing->table = table;
    drawing->machines = plot_values(table, "machine");
    drawing->workloads = plot_values(table, "workload");
    drawing->backings = plot_values(table, "backing");
    drawing->strategies = plot_values(table, "strategy");
    drawing->min = INFINITY;
    size_t backings = drawing->backings.count ? drawing->backings.count : 1;
    for (size_t m = 0; m < drawing->machines.count && m < GROUPS; m++) {
        drawing->group[m] =
            (struct chart_group){drawing->machines.count > 1 ? drawing->machines.text[m] : NULL,
                                 drawing->bar[m], 0, NAN};
        for (size_t w = 0; w < drawing->workloads.count; w++) {
            for (size_t b = 0; b < backings; b++) {
                if (!same_as_first(drawing, m, w, b)) {
                    take_case(drawing, m, w, b);
                }
            }
        }
    }
    struct chart_bars chart = {
        .kind = CHART_DOTS,
        .title = title_of(drawing),
        .subtitle = plot_text(drawing->plot, "%s. %s%s", plot_common(drawing->plot, ""),
                              isfinite(plot_number(table, 0, "p50")) ? "Medians, bands p10 to p90."
                                                                     : "Every cost at its mode.",
                              drawing->conditions ? " * safe under a condition." : ""),
        .x_title = words_metric(METRIC_added_boot_ns),
        .unit = UNIT_NS,
        .at_text = PLOT_LINUX " (Linux)",
        .measured_text = "the cheapest, named at the right",
        .group = drawing->group,
        .groups = drawing->machines.count < GROUPS ? drawing->machines.count : GROUPS};
    chart_bars(out, &chart);
}

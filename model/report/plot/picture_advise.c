/* Ladders of kernel changes: what Linux does, then the cheapest coherent strategy with each number
 * of changes: a group a case. */
#include "core/alloc.h"
#include "report/chart/chart.h"
#include "report/plot/picture.h"
#include "report/plot/plot_table.h"
#include "report/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS 8
#define SHOWN 10

struct drawing {
    struct plot *plot;
    const struct csv *table;
    struct plot_values cases;
    struct chart_group group[GROUPS];
    struct chart_bar bar[GROUPS][SHOWN];
    double min, max, fewest, steps; /* by how much less the last rung costs, in how many changes */
    bool conditions;
};

/* What a rung is called: the strategy that it comes to, or its keys. */
static const char *rung_label(struct drawing *drawing, size_t row)
{
    const char *name = plot_cell(drawing->table, row, "strategy");
    double changes = plot_number(drawing->table, row, "changes");
    bool condition = strcmp(plot_cell(drawing->table, row, "rung"), "only-if") == 0;
    drawing->conditions |= condition;
    return changes == 0 ? "today (Linux)"
                        : plot_text(drawing->plot, "%.0f: %s%s", changes,
                                    name[0] ? name : plot_cell(drawing->table, row, "keys"),
                                    condition ? " *" : "");
}

static void take_group(struct drawing *drawing, size_t group)
{
    struct chart_group *into = &drawing->group[group];
    const char *name = drawing->cases.text[group];
    double today = NAN, best = NAN, changes = 0;
    into->bar = drawing->bar[group];
    for (size_t row = 0; row < drawing->table->rows && into->bars < SHOWN; row++) {
        struct band band = plot_band(drawing->table, row);
        char note[QUANTITY_TEXT];
        if (strcmp(plot_cell(drawing->table, row, "case"), name) != 0 ||
            plot_cell(drawing->table, row, "hardware")[0]) {
            continue;
        }
        const char *rung = plot_cell(drawing->table, row, "rung");
        bool coherent = strcmp(rung, "coherent") == 0, upstream = strcmp(rung, "upstream") == 0;
        into->title = plot_cell(drawing->table, row, "situation");
        today = upstream ? band.mid : today;
        best = coherent ? band.mid : best;
        changes = coherent ? plot_number(drawing->table, row, "changes") : changes;
        quantity_mid(band, UNIT_NS, note);
        drawing->bar[group][into->bars++] =
            (struct chart_bar){.label = rung_label(drawing, row),
                               .note = plot_text(drawing->plot, "%s", note),
                               .style = upstream   ? 0
                                        : coherent ? 3
                                                   : 7,
                               .strong = coherent,
                               .at = band.mid,
                               .low = band.p10,
                               .high = band.p90,
                               .measured = NAN};
    }
    if (isfinite(today / best)) {
        drawing->min = fmin(drawing->min, today / best);
        drawing->max = fmax(drawing->max, today / best);
        drawing->fewest = fmin(drawing->fewest, changes);
        drawing->steps = fmax(drawing->steps, changes);
    }
}

static const char *title_of(struct drawing *drawing)
{
    char low[QUANTITY_TEXT], high[QUANTITY_TEXT];
    if (drawing->max == 0) {
        return "No change of the kernel gains anything";
    }
    quantity_times(drawing->min, 1, low);
    quantity_times(drawing->max, 1, high);
    const char *steps =
        drawing->fewest < drawing->steps
            ? plot_text(drawing->plot, "%.0f to %.0f", drawing->fewest, drawing->steps)
            : plot_text(drawing->plot, "%.0f", drawing->steps);
    return plot_text(drawing->plot, "%s change%s of the kernel: %s%s%s times cheaper than today",
                     steps, drawing->steps > 1 ? "s" : "", low,
                     strcmp(low, high) == 0 ? "" : " to ", strcmp(low, high) == 0 ? "" : high);
}

void picture_advise(struct plot *plot, FILE *out)
{
    const struct csv *table = plot->table;
    struct drawing *drawing = plot_room(plot, 1, sizeof *drawing);
    enum metric which = plot_metric(table);
    drawing->plot = plot;
    drawing->table = table;
    drawing->min = drawing->fewest = INFINITY;
    drawing->cases = plot_values(table, "case");
    size_t cases = drawing->cases.count, groups = cases < GROUPS ? cases : GROUPS;
    for (size_t g = 0; g < groups; g++) {
        take_group(drawing, g);
    }
    if (groups == 0) {
        chart_nothing(out, title_of(drawing));
    } else {
        struct chart_bars chart = {
            .kind = CHART_DOTS,
            .title = title_of(drawing),
            .subtitle = plot_text(drawing->plot, "%s%s%s",
                                  isfinite(plot_number(table, 0, "p50"))
                                      ? "Medians, bands p10 to p90, the same draws for all."
                                      : "Every cost at its mode.",
                                  drawing->conditions ? " * safe under a condition." : "",
                                  plot_first_of(drawing->plot, groups, cases)),
            .x_title = words_metric(which),
            .unit = metric_quantity(which),
            .group = drawing->group,
            .groups = groups};
        chart_bars(out, &chart);
    }
}

/* What each cost does between its low and its high, with its share of the variance: a group a
 * case. */
#include "core/alloc.h"
#include "report/chart/chart.h"
#include "report/plot/picture.h"
#include "report/plot/plot_table.h"
#include "report/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS 6
#define SHOWN 6

struct drawing {
    struct plot *plot;
    const struct csv *table;
    struct plot_values cases;
    struct chart_group group[GROUPS];
    struct chart_bar bar[GROUPS][SHOWN];
};

static void take_bar(struct drawing *drawing, size_t group, size_t row)
{
    struct chart_group *into = &drawing->group[group];
    double total = plot_number(drawing->table, row, "total");
    char share[QUANTITY_TEXT];
    if (into->bars == SHOWN) {
        return;
    }
    into->centre = plot_number(drawing->table, row, "at_modes");
    drawing->bar[group][into->bars++] = (struct chart_bar){
        .label = plot_cell(drawing->table, row, "cost"),
        .note = isfinite(total)
                    ? plot_text(drawing->plot, "%s",
                                quantity_value(fmin(fmax(round(100 * total) / 100, 0), 1),
                                               UNIT_RATIO, share))
                    : NULL,
        .style = 1,
        .strong = into->bars == 0,
        .at = NAN,
        .low = plot_number(drawing->table, row, "at_low"),
        .high = plot_number(drawing->table, row, "at_high"),
        .measured = NAN};
}

/* Which strategy's cost less which other's a row is about. */
static const char *pair_of(struct drawing *drawing, size_t row)
{
    const char *a = plot_cell(drawing->table, row, "a");
    const char *b = plot_cell(drawing->table, row, "b");
    return plot_text(drawing->plot, "%s%s%s", a, b[0] ? " less " : "", b);
}

/* All rows are about one pair: the figure says it once, so that a case's title stands whole. */
static bool is_one_pair(const struct csv *table)
{
    bool one = true;
    for (size_t row = 1; row < table->rows; row++) {
        one = one && strcmp(plot_cell(table, row, "a"), plot_cell(table, 0, "a")) == 0 &&
              strcmp(plot_cell(table, row, "b"), plot_cell(table, 0, "b")) == 0;
    }
    return one;
}

/* Of each case the costs by their share, as the table has them. */
static void take_group(struct drawing *drawing, size_t group)
{
    const char *name = drawing->cases.text[group];
    size_t first = PLOT_NO_ROW;
    drawing->group[group].bar = drawing->bar[group];
    for (size_t row = 0; row < drawing->table->rows; row++) {
        if (strcmp(plot_cell(drawing->table, row, "case"), name) == 0) {
            first = first == PLOT_NO_ROW ? row : first;
            take_bar(drawing, group, row);
        }
    }
    const char *words = plot_case(drawing->plot, name);
    drawing->group[group].title = is_one_pair(drawing->table)
                                      ? (name[0] ? words : NULL)
                                      : plot_text(drawing->plot, "%s%s%s", pair_of(drawing, first),
                                                  name[0] ? ": " : "", words);
}

/* The costs that lead, and in how many cases. */
static const char *title_of(struct drawing *drawing)
{
    const char *said = "", *name[GROUPS];
    size_t often[GROUPS] = {0}, names = 0, groups = drawing->cases.count;
    groups = groups < GROUPS ? groups : GROUPS;
    for (size_t g = 0; g < groups; g++) {
        size_t i = 0;
        while (i < names && strcmp(name[i], drawing->bar[g][0].label) != 0) {
            i++;
        }
        name[i] = drawing->bar[g][0].label;
        often[i]++;
        names += i == names;
    }
    for (size_t i = 0; i < names; i++) {
        said = groups > 1 ? plot_text(drawing->plot, "%s%s%s (in %zu of %zu)", said,
                                      said[0] ? ", " : "", name[i], often[i], groups)
                          : name[i];
    }
    return plot_text(drawing->plot, "Most of the uncertainty comes from %s", said);
}

void picture_tornado(struct plot *plot, FILE *out)
{
    const struct csv *table = plot->table;
    struct drawing *drawing = plot_room(plot, 1, sizeof *drawing);
    enum metric which = plot_metric(table);
    drawing->plot = plot;
    drawing->table = table;
    drawing->cases = plot_values(table, "case");
    size_t cases = drawing->cases.count, groups = cases < GROUPS ? cases : GROUPS;
    for (size_t g = 0; g < groups; g++) {
        take_group(drawing, g);
    }
    if (groups == 0) {
        chart_nothing(out, "No cost decides: the strategies compared never differ");
    } else {
        struct chart_bars chart = {
            .kind = CHART_SWINGS,
            .title = title_of(drawing),
            .subtitle = plot_text(
                drawing->plot,
                "%s%s%s. All other costs at their modes (dotted). To the right: share of "
                "the variance, with what it does together with others.%s",
                is_one_pair(table) ? pair_of(drawing, 0) : "", is_one_pair(table) ? "; " : "",
                plot_common(drawing->plot, ""), plot_first_of(drawing->plot, groups, cases)),
            .x_title =
                plot_text(drawing->plot, "%s%s", words_metric(which),
                          plot_cell(table, 0, "b")[0] ? "; below 0 the first costs less" : ""),
            .unit = metric_quantity(which),
            .group = drawing->group,
            .groups = groups};
        chart_bars(out, &chart);
    }
}

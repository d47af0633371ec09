/* Costs along an axis, a panel for each machine and leaf size: by memory in use, or by what is
 * touched again. */
#include "core/alloc.h"
#include "report/chart/chart.h"
#include "report/plot/picture.h"
#include "report/plot/plot_table.h"
#include "report/words.h"
#include "study/setup.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TIE 1.005 /* what costs no more than this times as much costs the same */
#define NONE SIZE_MAX

/* A figure: what is drawn along which axis, where the other one is held, and the words of its
 * title. */
struct kind {
    enum metric metric;
    const char *axis, *held;
    double held_at;
    const char *wins, *every, *as;
};

struct drawing {
    const struct kind *kind;
    struct plot *plot;
    const struct csv *table;
    struct plot_values machines, backings, strategies, along;
    const char *held; /* the other axis's value; NULL: there is none */
    struct chart_lines chart;
    struct chart_panel panel[CHART_PANELS];
    struct chart_line line[CHART_PANELS][CHART_LINES];
    struct chart_crossing crossing[CHART_PANELS][CHART_CROSSINGS];
    struct chart_tick tick[PLOT_VALUES];
    struct chart_point *point; /* [panel][strategy][tick] */
    size_t *row; /* the same */
    bool shown[PLOT_VALUES]; /* strategies */
    bool conditions;
};

/* --- what the table has --- */

static size_t index_of(const struct drawing *drawing, size_t panel, size_t strategy, size_t tick)
{
    return (panel * drawing->strategies.count + strategy) * drawing->along.count + tick;
}

static void find_rows(struct drawing *drawing)
{
    const struct csv *table = drawing->table;
    const struct kind *kind = drawing->kind;
    for (size_t p = 0; p < drawing->chart.panels; p++) {
        size_t leaf = p / drawing->machines.count, machine = p % drawing->machines.count;
        for (size_t s = 0; s < drawing->strategies.count; s++) {
            for (size_t k = 0; k < drawing->along.count; k++) {
                const struct plot_match match[] = {
                    {"metric", metric_name[kind->metric]},
                    {"machine", drawing->machines.text[machine]},
                    {"backing", drawing->backings.count ? drawing->backings.text[leaf] : NULL},
                    {kind->held, drawing->held},
                    {kind->axis, drawing->along.text[k]},
                    {"strategy", drawing->strategies.text[s]}};
                size_t at = index_of(drawing, p, s, k);
                size_t row = plot_row(table, match, sizeof match / sizeof *match);
                struct band band = plot_band(table, plot_sound(table, row) ? row : PLOT_NO_ROW);
                drawing->row[at] = row;
                drawing->point[at] =
                    (struct chart_point){drawing->tick[k].at, band.mid, band.p10, band.p90};
                drawing->shown[s] |= isfinite(band.mid);
                drawing->conditions |= isfinite(band.mid) && plot_conditional(table, row);
            }
        }
    }
}

/* The cheapest that may be had; of two that are equal the one without a condition. */
static size_t best_at(const struct drawing *drawing, size_t panel, size_t tick)
{
    size_t best = NONE;
    for (size_t s = 0; s < drawing->strategies.count; s++) {
        size_t at = index_of(drawing, panel, s, tick);
        double here = drawing->point[at].y;
        double min =
            best == NONE ? INFINITY : drawing->point[index_of(drawing, panel, best, tick)].y;
        bool tied = best != NONE && fabs(here - min) < (TIE - 1) * min;
        if (isfinite(here) &&
            (tied ? !plot_conditional(drawing->table, drawing->row[at]) &&
                        plot_conditional(drawing->table,
                                         drawing->row[index_of(drawing, panel, best, tick)])
                  : here < min)) {
            best = s;
        }
    }
    return best;
}

/* --- panels --- */

static const char *panel_title(struct drawing *drawing, size_t panel)
{
    size_t leaf = panel / drawing->machines.count, machine = panel % drawing->machines.count;
    const char *backing = drawing->backings.count ? drawing->backings.text[leaf] : NULL;
    const char *words = backing ? plot_value(drawing->plot, "backing", backing) : "";
    return drawing->chart.panels == 1 ? NULL
           : drawing->machines.count == 1
               ? words
               : plot_text(drawing->plot, "%s%s%s", words, words[0] ? ", " : "",
                           drawing->machines.text[machine]);
}

/* Where the cheapest changes, and the lines of the two meet in between. */
static void take_crossings(struct drawing *drawing, size_t panel)
{
    struct chart_panel *into = &drawing->panel[panel];
    enum unit unit = setup_key_kind(drawing->kind->axis).unit;
    for (size_t k = 1; k < drawing->along.count && into->crossings < CHART_CROSSINGS; k++) {
        size_t a = best_at(drawing, panel, k - 1), b = best_at(drawing, panel, k);
        if (a == b || a == NONE || b == NONE) {
            continue;
        }
        const struct chart_point *a1 = &drawing->point[index_of(drawing, panel, a, k - 1)];
        const struct chart_point *b1 = &drawing->point[index_of(drawing, panel, b, k - 1)];
        double before = b1[0].y - a1[0].y, after = b1[1].y - a1[1].y;
        double share = before / (before - after);
        if (!(share >= 0 && share <= 1)) {
            continue;
        }
        double x = a1[0].x + share * (a1[1].x - a1[0].x);
        char text[QUANTITY_TEXT];
        quantity_value(x, unit, text);
        drawing->crossing[panel][into->crossings++] =
            (struct chart_crossing){plot_text(drawing->plot, "%s", text), x,
                                    a1[0].y + share * (a1[1].y - a1[0].y), NAN, NAN};
    }
    into->crossing = drawing->crossing[panel];
}

static void take_panel(struct drawing *drawing, size_t panel)
{
    struct chart_panel *into = &drawing->panel[panel];
    into->title = panel_title(drawing, panel);
    into->line = drawing->line[panel];
    for (size_t s = 0; s < drawing->strategies.count && into->lines < CHART_LINES; s++) {
        if (drawing->shown[s]) {
            size_t first = index_of(drawing, panel, s, 0);
            drawing->line[panel][into->lines++] = (struct chart_line){
                plot_strategy(drawing->plot, drawing->row[first]),
                plot_style(&drawing->strategies, s), &drawing->point[first], drawing->along.count};
        }
    }
    take_crossings(drawing, panel);
}

/* --- words --- */

/* For a leaf size: who wins, in how many of how many cases, and by how much Linux is dearer. */
struct finding {
    size_t winner, won, cases; /* NONE: no strategy is sound */
    double min, max; /* Linux over the winner */
};

static struct finding find(const struct drawing *drawing, size_t leaf, size_t linux_at)
{
    struct finding found = {.winner = NONE, .min = INFINITY};
    size_t won[PLOT_VALUES] = {0};
    for (size_t m = 0; m < drawing->machines.count; m++) {
        size_t panel = leaf * drawing->machines.count + m;
        for (size_t k = 0; k < drawing->along.count; k++) {
            size_t here = best_at(drawing, panel, k);
            if (here == NONE) {
                continue;
            }
            found.cases++;
            won[here]++;
            double times = linux_at == NONE
                               ? 1
                               : drawing->point[index_of(drawing, panel, linux_at, k)].y /
                                     drawing->point[index_of(drawing, panel, here, k)].y;
            found.min = fmin(found.min, times);
            found.max = fmax(found.max, times);
        }
    }
    for (size_t s = 0; s < drawing->strategies.count && found.cases; s++) {
        bool more = found.winner == NONE || won[s] > found.won;
        found.winner = more ? s : found.winner;
        found.won = more ? won[s] : found.won;
    }
    return found;
}

/* "in 8 of 10 cases"; of all of them what `every` says. */
static const char *cases_of(struct drawing *drawing, const struct finding *found, const char *every)
{
    return found->won == found->cases
               ? every
               : plot_text(drawing->plot, " in %zu of %zu cases", found->won, found->cases);
}

static const char *say_finding(struct drawing *drawing, const struct finding *found,
                               size_t linux_at)
{
    struct plot *plot = drawing->plot;
    char min[QUANTITY_TEXT], max[QUANTITY_TEXT];
    if (found->winner == NONE) {
        return "no strategy is sound";
    }
    const char *words =
        plot_text(plot, "%s %s%s", drawing->strategies.text[found->winner], drawing->kind->wins,
                  cases_of(drawing, found, plot_text(plot, " at every %s", drawing->kind->every)));
    quantity_times(found->min, 1, min);
    quantity_times(found->max, 1, max);
    bool same = strcmp(min, max) == 0;
    return linux_at == NONE || linux_at == found->winner
               ? words
               : plot_text(plot, "%s (Linux: %s%s%s times as %s)", words, min, same ? "" : " to ",
                           same ? "" : max, drawing->kind->as);
}

#define TITLE_LINES 3

/* Where all of it is too long a title, who wins alone. */
static const char *title_of(struct drawing *drawing)
{
    struct plot *plot = drawing->plot;
    size_t leaves = drawing->backings.count ? drawing->backings.count : 1, shown = 0,
           linux_at = NONE;
    for (size_t s = 0; s < drawing->strategies.count; s++) {
        shown += drawing->shown[s];
        linux_at = strcmp(drawing->strategies.text[s], PLOT_LINUX) == 0 ? s : linux_at;
    }
    const char *whole = plot_text(plot, "Of these %zu: ", shown);
    const char *brief = plot_text(plot, "Of these %zu, ", shown);
    for (size_t leaf = 0; leaf < leaves; leaf++) {
        struct finding found = find(drawing, leaf, linux_at);
        const char *size = drawing->backings.count > 1
                               ? plot_value(plot, "backing", drawing->backings.text[leaf])
                               : "";
        whole = plot_text(plot, "%s%s%s%s%s", whole, leaf ? "; " : "", size, size[0] ? ": " : "",
                          say_finding(drawing, &found, linux_at));
        brief = plot_text(plot, "%s%s%s%s%s%s%s%s", brief, leaf ? ", " : "",
                          found.winner == NONE ? "none" : drawing->strategies.text[found.winner],
                          leaf ? "" : " ", leaf ? "" : drawing->kind->wins, size[0] ? " with " : "",
                          size, cases_of(drawing, &found, ""));
    }
    return chart_title_lines(whole) > TITLE_LINES ? brief : whole;
}

/* What hardware would come to, which lies far below all lines. */
static const char *hardware(struct drawing *drawing)
{
    double low = INFINITY, high = 0;
    const char *name = NULL;
    char text[QUANTITY_TEXT];
    size_t count = drawing->chart.panels * drawing->strategies.count * drawing->along.count;
    for (size_t i = 0; i < count; i++) {
        size_t row = drawing->row[i];
        if (row != PLOT_NO_ROW && plot_hypothetical(drawing->table, row) &&
            !plot_stale(drawing->table, row)) {
            low = fmin(low, plot_band(drawing->table, row).mid);
            high = fmax(high, plot_band(drawing->table, row).mid);
            name = plot_cell(drawing->table, row, "strategy");
        }
    }
    return name && isfinite(low + high)
               ? plot_text(drawing->plot, " With hardware that these machines lack, %s: %s.", name,
                           quantity_range(low, high, UNIT_NS, text))
               : "";
}

static const char *subtitle_of(struct drawing *drawing)
{
    struct plot *plot = drawing->plot;
    const struct csv *table = drawing->table;
    struct plot_values held = plot_values(table, drawing->kind->held);
    const char *also = held.count > 1 ? plot_value(plot, drawing->kind->held, drawing->held) : "";
    bool draws = isfinite(plot_number(table, 0, "p50"));
    return plot_text(plot, "%s. %s%s%s", plot_common(plot, also),
                     draws ? "Median, band p10 to p90." : "Every cost at its mode.",
                     drawing->conditions ? " * safe under a condition." : "", hardware(drawing));
}

static void draw(struct plot *plot, const struct kind *kind, FILE *out)
{
    struct drawing *drawing = plot_room(plot, 1, sizeof *drawing);
    const struct csv *table = plot->table;
    struct plot_values held = plot_values(table, kind->held);
    drawing->kind = kind;
    drawing->plot = plot;
    drawing->table = table;
    drawing->machines = plot_values(table, "machine");
    drawing->backings = plot_values(table, "backing");
    drawing->strategies = plot_values(table, "strategy");
    drawing->along = plot_values(table, kind->axis);
    drawing->held = plot_nearest(&held, kind->held_at);
    size_t panels =
        drawing->machines.count * (drawing->backings.count ? drawing->backings.count : 1);
    drawing->chart.panels = panels < CHART_PANELS ? panels : CHART_PANELS;
    size_t count = panels * drawing->strategies.count * drawing->along.count;
    drawing->point = plot_room(plot, count, sizeof *drawing->point);
    drawing->row = plot_room(plot, count, sizeof *drawing->row);
    plot_ticks(plot, &drawing->along, setup_key_kind(kind->axis).unit, drawing->tick,
               &drawing->chart);
    find_rows(drawing);
    for (size_t p = 0; p < drawing->chart.panels; p++) {
        take_panel(drawing, p);
    }
    drawing->chart.title = title_of(drawing);
    drawing->chart.subtitle = subtitle_of(drawing);
    drawing->chart.x_title = words_axis(kind->axis);
    drawing->chart.y_title = words_metric(kind->metric);
    drawing->chart.y_unit = metric_quantity(kind->metric);
    drawing->chart.panel = drawing->panel;
    chart_lines(out, &drawing->chart);
}

void picture_curves(struct plot *plot, FILE *out)
{
    static const struct kind kind = {METRIC_added_boot_ns, "footprint", "touched", 0.1,
                                     "adds least",         "size",      "much"};
    draw(plot, &kind, out);
}

void picture_pause(struct plot *plot, FILE *out)
{
    static const struct kind kind = {METRIC_pause_ns,           "footprint", "touched", 0.1,
                                     "holds mmu_lock shortest", "size",      "long"};
    draw(plot, &kind, out);
}

void picture_touched(struct plot *plot, FILE *out)
{
    static const struct kind kind = {
        METRIC_added_boot_ns, "touched", "footprint", 16.0 * 1024 * 1024 * 1024,
        "adds least",         "share",   "much"};
    draw(plot, &kind, out);
}

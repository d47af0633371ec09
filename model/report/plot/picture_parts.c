/* Where the added time goes: parts of it one behind the other, strategies under each other. */
#include "core/alloc.h"
#include "report/chart/chart.h"
#include "report/plot/picture.h"
#include "report/plot/plot_table.h"
#include "report/words.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS 9
#define BARS 12
#define GIB16 (16.0 * 1024 * 1024 * 1024)

enum part { LINES_UNMAP, LINES_FAULT, LINES_FLUSH, SOFTWARE, TLBI, ICACHE, GUEST, SHOWN_PARTS };

static const char *const part_names[SHOWN_PARTS] = {[LINES_UNMAP] = "lines at unmap",
                                                    [LINES_FAULT] = "lines at the fault",
                                                    [LINES_FLUSH] = "lines flushed",
                                                    [SOFTWARE] = "software of faults and unmaps",
                                                    [TLBI] = "TLB invalidation",
                                                    [ICACHE] = "I-cache",
                                                    [GUEST] =
                                                        "guest: fetching again, uncached, walks"};

static const struct {
    enum metric metric;
    enum part part;
} parts[] = {{METRIC_part_lines_unmap_ns, LINES_UNMAP},
             {METRIC_part_lines_fault_ns, LINES_FAULT},
             {METRIC_part_lines_flush_ns, LINES_FLUSH},
             {METRIC_part_lines_toggle_ns, LINES_FLUSH},
             {METRIC_part_fault_path_ns, SOFTWARE},
             {METRIC_part_unmap_path_ns, SOFTWARE},
             {METRIC_part_flush_path_ns, SOFTWARE},
             {METRIC_part_traps_ns, SOFTWARE},
             {METRIC_part_waits_ns, SOFTWARE},
             {METRIC_part_tlbi_ns, TLBI},
             {METRIC_part_icache_ns, ICACHE},
             {METRIC_part_refetch_ns, GUEST},
             {METRIC_part_uncached_ns, GUEST},
             {METRIC_part_walks_ns, GUEST},
             {METRIC_part_other_ns, GUEST}};

struct drawing {
    struct plot *plot;
    const struct csv *table;
    struct plot_values machines, outer, strategies; /* outer: workloads or backings */
    const char *outer_key, *touched, *footprint;
    struct chart_group group[GROUPS];
    struct chart_bar bar[GROUPS][BARS];
    double part[GROUPS][BARS][SHOWN_PARTS];
    size_t row[GROUPS][BARS];
    size_t groups;
    bool sound_only, conditions, stale;
};

static size_t row_of(const struct drawing *drawing, size_t group, size_t strategy,
                     enum metric metric)
{
    size_t outer = group / drawing->machines.count, machine = group % drawing->machines.count;
    const struct plot_match match[] = {
        {"metric", metric_name[metric]},
        {"machine", drawing->machines.text[machine]},
        {drawing->outer_key, drawing->outer.count ? drawing->outer.text[outer] : NULL},
        {"touched", drawing->touched},
        {"footprint", drawing->footprint},
        {"strategy", drawing->strategies.text[strategy]}};
    return plot_row(drawing->table, match, sizeof match / sizeof *match);
}

/* The median, cut in the proportions of the means of its parts, which add up. */
static void take_parts(struct drawing *drawing, size_t group, size_t bar, size_t strategy,
                       double median)
{
    double *part = drawing->part[group][bar], sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t row = row_of(drawing, group, strategy, parts[i].metric);
        double mean = plot_number(drawing->table, row, "mean");
        double value = isfinite(mean) ? mean : plot_number(drawing->table, row, "mode");
        part[parts[i].part] += isfinite(value) ? fmax(value, 0) : 0;
    }
    for (size_t i = 0; i < SHOWN_PARTS; i++) {
        sum += part[i];
    }
    for (size_t i = 0; i < SHOWN_PARTS && sum > 0; i++) {
        part[i] *= fmax(median, 0) / sum;
    }
}

/* What may read stale bytes has a name and no bar: what it costs is nothing to choose by. */
static void take_bar(struct drawing *drawing, size_t group, size_t strategy)
{
    struct chart_group *into = &drawing->group[group];
    size_t row = row_of(drawing, group, strategy, METRIC_added_boot_ns), bar = into->bars;
    bool stale = plot_stale(drawing->table, row);
    struct band band = plot_band(drawing->table, row);
    char note[QUANTITY_TEXT];
    bool skipped = drawing->sound_only && !plot_sound(drawing->table, row);
    if (row == PLOT_NO_ROW || bar == BARS || skipped) {
        return;
    }
    quantity_mid(band, UNIT_NS, note);
    drawing->bar[group][bar] =
        (struct chart_bar){.label = plot_strategy(drawing->plot, row),
                           .note = stale ? "stale bytes" : plot_text(drawing->plot, "%s", note),
                           .at = NAN,
                           .low = stale ? NAN : band.p10,
                           .high = stale ? NAN : band.p90,
                           .measured = NAN,
                           .part = drawing->part[group][bar]};
    drawing->row[group][bar] = row;
    drawing->stale |= stale;
    drawing->conditions |= plot_conditional(drawing->table, row);
    if (!stale) {
        take_parts(drawing, group, bar, strategy, band.mid);
    }
    into->bars++;
}

static void take_group(struct drawing *drawing, size_t group)
{
    struct chart_group *into = &drawing->group[group];
    size_t outer = group / drawing->machines.count, machine = group % drawing->machines.count;
    const char *words = drawing->outer.count ? drawing->outer.text[outer] : "";
    if (words[0] && strcmp(drawing->outer_key, "backing") == 0) {
        words = plot_value(drawing->plot, "backing", words);
    }
    *into = (struct chart_group){plot_text(drawing->plot, "%s%s%s", words, words[0] ? ", " : "",
                                           drawing->machines.text[machine]),
                                 drawing->bar[group], 0, NAN};
    for (size_t s = 0; s < drawing->strategies.count; s++) {
        take_bar(drawing, group, s);
    }
    bool sound = false;
    size_t best = 0;
    for (size_t i = 0; i < into->bars; i++) {
        bool here = plot_sound(drawing->table, drawing->row[group][i]);
        if (here && (!sound || plot_band(drawing->table, drawing->row[group][i]).mid <
                                   plot_band(drawing->table, drawing->row[group][best]).mid)) {
            best = i;
            sound = true;
        }
    }
    drawing->bar[group][best].strong = sound;
}

/* --- what it comes to --- */

/* How many times the cheapest one's cost Linux's is, over all groups. */
static const char *cheapest_title(struct drawing *drawing)
{
    double min = INFINITY, max = 0;
    size_t won[PLOT_VALUES] = {0};
    const char *wins = "";
    char low[QUANTITY_TEXT], high[QUANTITY_TEXT];
    for (size_t g = 0; g < drawing->groups; g++) {
        double best = NAN, shipped = NAN;
        for (size_t i = 0; i < drawing->group[g].bars; i++) {
            const char *name = plot_cell(drawing->table, drawing->row[g][i], "strategy");
            double here = plot_band(drawing->table, drawing->row[g][i]).mid;
            shipped = strcmp(name, PLOT_LINUX) == 0 ? here : shipped;
            best = drawing->bar[g][i].strong ? here : best;
            for (size_t s = 0; s < drawing->strategies.count && drawing->bar[g][i].strong; s++) {
                won[s] += strcmp(name, drawing->strategies.text[s]) == 0;
            }
        }
        min = fmin(min, shipped / best);
        max = fmax(max, shipped / best);
    }
    for (size_t count = drawing->groups; count > 0; count--) {
        for (size_t s = 0; s < drawing->strategies.count; s++) {
            if (won[s] == count) {
                wins = plot_text(drawing->plot, "%s%s%s in %zu of %zu", wins, wins[0] ? ", " : "",
                                 drawing->strategies.text[s], count, drawing->groups);
            }
        }
    }
    return !wins[0] ? "No strategy that exists on these machines is sound"
           : !isfinite(min + max) || max == 0
               ? plot_text(drawing->plot, "Cheapest of these %zu: %s", drawing->strategies.count,
                           wins)
               : plot_text(drawing->plot,
                           "Linux adds %s to %s times what the cheapest of these %zu does: %s",
                           quantity_times(min, 1, low), quantity_times(max, 1, high),
                           drawing->strategies.count, wins);
}

/* The largest part of what Linux adds, or of the first strategy, by leaf size. */
static const char *largest_title(struct drawing *drawing)
{
    const char *title = "";
    size_t leaves = drawing->groups / drawing->machines.count;
    for (size_t leaf = 0; leaf < leaves; leaf++) {
        double low = INFINITY, high = 0;
        size_t largest = 0;
        char text[QUANTITY_TEXT];
        for (size_t m = 0; m < drawing->machines.count; m++) {
            const double *part = drawing->part[leaf * drawing->machines.count + m][0];
            double sum = 0;
            for (size_t i = 0; i < SHOWN_PARTS; i++) {
                sum += part[i];
                largest = m == 0 && part[i] > part[largest] ? i : largest;
            }
            low = fmin(low, part[largest] / sum);
            high = fmax(high, part[largest] / sum);
        }
        title = plot_text(
            drawing->plot, "%s%s%s%s of it is %s", title, title[0] ? ", " : "",
            drawing->outer.count > 1
                ? plot_text(drawing->plot, "with %s ",
                            plot_value(drawing->plot, "backing", drawing->outer.text[leaf]))
                : "",
            quantity_percents(low, high, text), part_names[largest]);
    }
    return plot_text(drawing->plot, "What %s adds: %s",
                     strcmp(drawing->strategies.text[0], PLOT_LINUX) == 0
                         ? "Linux"
                         : drawing->strategies.text[0],
                     title);
}

static const char *subtitle_of(struct drawing *drawing)
{
    struct plot *plot = drawing->plot;
    const struct csv *table = drawing->table;
    const char *also = "";
    bool draws = isfinite(plot_number(table, 0, "p50"));
    if (drawing->footprint && plot_values(table, "footprint").count > 1) {
        also = plot_value(plot, "footprint", drawing->footprint);
    }
    if (drawing->touched && plot_values(table, "touched").count > 1) {
        also = plot_text(plot, "%s%s%s", also, also[0] ? ", " : "",
                         plot_value(plot, "touched", drawing->touched));
    }
    return plot_text(plot, "%s. %s%s%s Bold: the cheapest.", plot_common(plot, also),
                     draws ? "Bars: medians, cut as the means of their parts; whiskers: p10 to p90."
                           : "Every cost at its mode.",
                     drawing->stale ? " Stale bytes: a reader may get them." : "",
                     drawing->conditions ? " * safe under a condition." : "");
}

static void draw(struct plot *plot, const char *outer_key, FILE *out)
{
    const struct csv *table = plot->table;
    struct drawing *drawing = plot_room(plot, 1, sizeof *drawing);
    struct plot_values touched = plot_values(table, "touched");
    struct plot_values footprints = plot_values(table, "footprint");
    bool by_leaf = strcmp(outer_key, "backing") == 0;
    drawing->plot = plot;
    drawing->table = table;
    drawing->outer_key = outer_key;
    drawing->sound_only = by_leaf;
    drawing->machines = plot_values(table, "machine");
    drawing->outer = plot_values(table, drawing->outer_key);
    drawing->strategies = plot_values(table, "strategy");
    drawing->touched = plot_nearest(&touched, 0.1);
    drawing->footprint = plot_nearest(&footprints, GIB16);
    size_t groups = drawing->machines.count * (drawing->outer.count ? drawing->outer.count : 1);
    drawing->groups = groups < GROUPS ? groups : GROUPS;
    for (size_t g = 0; g < drawing->groups; g++) {
        take_group(drawing, g);
    }
    struct chart_bars chart = {.kind = CHART_STACKS,
                               .title = by_leaf ? largest_title(drawing) : cheapest_title(drawing),
                               .subtitle = subtitle_of(drawing),
                               .x_title = words_metric(METRIC_added_boot_ns),
                               .unit = UNIT_NS,
                               .part = part_names,
                               .parts = SHOWN_PARTS,
                               .group = drawing->group,
                               .groups = drawing->groups};
    chart_bars(out, &chart);
}

void picture_where(struct plot *plot, FILE *out)
{
    draw(plot, "backing", out);
}

void picture_added_boot(struct plot *plot, FILE *out)
{
    draw(plot, "workload", out);
}

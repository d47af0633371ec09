/* The figures of a memo: what they are to show, as numbers for report/chart. */
#include "report/memo/memo_input.h"

#include "core/alloc.h"
#include "core/error.h"
#include "report/chart/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 6 /* lines in a panel */
#define BARS 12 /* in a group */

/* Draws what was laid out, or says why there is no picture. Closes the data. */
static void put_figure(struct doc_node *doc, FILE *out, char **data, const char *name,
                       const char *note)
{
    char *svg = NULL, file[96];
    struct error err;
    if (fclose(out) != 0) {
        error_fatal("out of memory for a figure");
    }
    snprintf(file, sizeof file, "memo-%.64s.svg", name);
    if (chart_svg(*data, name, &svg, &err)) {
        doc_figure(doc, svg, note, file);
    } else {
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "No picture: %s.", err.text);
    }
    free(svg);
    free(*data);
}

static FILE *open_data(char **data, size_t *size)
{
    FILE *out = alloc_checked(open_memstream(data, size), "a figure");
    return out;
}

/* Black is Linux; what figures draw as lines has a style of its own, in the study's order, and
 * then come the others. */
static unsigned style_of(const struct memo *memo, size_t strategy)
{
    bool shown[STUDY_STRATEGIES * 2];
    size_t rank = 0;
    memo_lines(memo, shown);
    for (size_t s = 0; s < memo->strategies; s++) {
        bool before = shown[s] != shown[strategy] ? shown[s] : s < strategy;
        rank += before && s != memo->upstream;
    }
    return strategy == memo->upstream ? 0 : 1 + (unsigned)(rank % (CHART_STYLES - 1));
}

static char *label_of(const struct memo *memo, const struct memo_scenario *there, size_t strategy,
                      char buf[MEMO_TEXT])
{
    const char *hypothetical = there->verdict[strategy].hypothetical;
    bool condition = there->verdict[strategy].worst == ONLY_IF;
    snprintf(buf, MEMO_TEXT, "%s%s%s", memo_name(memo, strategy), condition ? " *" : "",
             strategy == memo->upstream ? " (Linux)"
             : hypothetical             ? " (hypothetical)"
                                        : "");
    return buf;
}

/* What the figure says of the scenario below its title. */
static void subtitle_of(const struct memo *memo, bool along, char *buf, size_t size)
{
    char scenario[2 * MEMO_TEXT];
    bool conditions = false, shown[STUDY_STRATEGIES * 2];
    memo_lines(memo, shown);
    for (size_t p = 0; p < memo->places; p++) {
        for (size_t s = 0; s < memo->strategies; s++) {
            conditions |= shown[s] && memo_place(memo, p)->verdict[s].worst == ONLY_IF;
        }
    }
    snprintf(buf, size, "%s. %s%s%s", memo_scenario_words(memo, along, scenario),
             memo->runs > 1 ? "Median, band p10 to p90." : "Every cost at its mode.",
             conditions ? " * safe under a condition." : "",
             memo->study->memo.about == MEMO_ABOUT_LIMITS ? " Dotted: the limits." : "");
}

/* --- lines along an axis --- */

/* Which strategies are drawn: Linux, the best ones, those that are compared, and then the
 * cheapest, all of them such as no reader finds stale. */
void memo_lines(const struct memo *memo, bool shown[])
{
    size_t order[STUDY_STRATEGIES * 2], count = 0, a, b;
    bool any[STUDY_STRATEGIES * 2] = {false};
    for (size_t p = 0; p < memo->places; p++) {
        for (size_t s = 0; s < memo->strategies; s++) {
            any[s] |= !memo_stale(memo_place(memo, p), s);
        }
    }
    memset(shown, 0, memo->strategies * sizeof *shown);
    if (memo->upstream != SIZE_MAX) {
        shown[memo->upstream] = any[memo->upstream];
    }
    if (memo_pair(memo, &a, &b)) {
        shown[a] = any[a];
        shown[b] = any[b];
    }
    for (size_t i = 0; i < memo->scenarios; i++) {
        size_t winner = memo->scenario[i].best.winner;
        if (winner != WINNER_NONE) {
            shown[winner] = true;
        }
    }
    for (size_t s = 0; s < memo->strategies; s++) {
        count += shown[s];
    }
    memo_order(memo, memo_place(memo, 0), order);
    for (size_t i = 0; i < memo->strategies && count < SHOWN; i++) {
        if (any[order[i]] && !shown[order[i]]) {
            shown[order[i]] = true;
            count++;
        }
    }
}

struct curves {
    struct chart_lines chart;
    struct chart_panel panel[CHART_PANELS];
    struct chart_line line[CHART_PANELS][CHART_LINES];
    struct chart_crossing crossing[CHART_PANELS][CHART_CROSSINGS];
    char panel_text[CHART_PANELS][MEMO_TEXT], name[CHART_LINES][MEMO_TEXT];
    char crossing_text[CHART_PANELS][CHART_CROSSINGS][QUANTITY_TEXT];
    struct chart_level level[STUDY_MEMO_LIST];
    char level_text[STUDY_MEMO_LIST][QUANTITY_TEXT];
    struct chart_tick *tick;
    char (*tick_text)[QUANTITY_TEXT];
    struct chart_point *point; /* [panel][line][tick] */
    char title[MEMO_TEXT], subtitle[4 * MEMO_TEXT];
};

/* What tells panels apart: the facets but for the axis along which they go. */
static void panel_words(const struct memo *memo, size_t place, char buf[MEMO_TEXT])
{
    buf[0] = '\0';
    for (size_t i = 0; i < memo->study->axis_count; i++) {
        const struct axis *axis = &memo->study->axes[i];
        char words[MEMO_TEXT];
        size_t used = strlen(buf);
        if (memo->facet[i] && axis != memo->axis) {
            snprintf(
                buf + used, MEMO_TEXT - used, "%s%s", used ? ", " : "",
                words_shorten(axis->name, memo_axis_words(memo, axis, memo->place[place], words)));
        }
    }
}

static void take_ticks(const struct memo *memo, struct curves *curves)
{
    const struct values *values = &memo->axis->values;
    double low = INFINITY, high = 0;
    curves->tick = alloc_zeroed(values->count, sizeof *curves->tick, "a figure");
    curves->tick_text = alloc_zeroed(values->count, sizeof *curves->tick_text, "a figure");
    for (size_t i = 0; i < values->count; i++) {
        double at = strtod(values->text[i], NULL);
        quantity_value(at, memo->axis->kind.unit, curves->tick_text[i]);
        curves->tick[i] = (struct chart_tick){at, at == 0 ? "0" : curves->tick_text[i]};
        low = at > 0 ? fmin(low, at) : low;
        high = fmax(high, at);
    }
    curves->chart.tick = curves->tick;
    curves->chart.ticks = values->count;
    curves->chart.x_log = memo->axis->kind.unit != UNIT_RATIO && high / low >= 8;
}

static void take_line(const struct memo *memo, struct curves *curves, size_t panel, size_t place,
                      size_t strategy)
{
    struct chart_panel *into = &curves->panel[panel];
    size_t count = curves->chart.ticks, index = into->lines++;
    struct chart_point *point = curves->point + (panel * CHART_LINES + index) * count;
    for (size_t i = 0; i < count; i++) {
        const struct memo_scenario *there =
            memo_at(memo, memo_with(memo->axis, memo->place[place], i));
        struct band band = memo_band(memo, there, 0, strategy);
        bool stale = memo_stale(there, strategy);
        point[i] = (struct chart_point){curves->tick[i].at, stale ? NAN : band.mid,
                                        stale ? NAN : band.p10, stale ? NAN : band.p90};
    }
    label_of(memo, memo_place(memo, place), strategy, curves->name[index]);
    curves->line[panel][index] =
        (struct chart_line){curves->name[index], style_of(memo, strategy), point, count};
    into->line = curves->line[panel];
}

/* The crossings of lines that are drawn; each at the height at which the lines are. */
static void take_crossings(const struct memo *memo, struct curves *curves, size_t panel,
                           size_t place, bool few)
{
    struct chart_panel *into = &curves->panel[panel];
    for (size_t i = 0; i < memo->crossings && into->crossings < CHART_CROSSINGS; i++) {
        const struct memo_crossing *one = &memo->crossing[i];
        const struct chart_line *line = NULL;
        unsigned style = style_of(memo, one->a);
        for (size_t k = 0; k < into->lines; k++) {
            line = into->line[k].style == style ? &into->line[k] : line;
        }
        bool near = false; /* as good as one that is marked already */
        for (size_t k = 0; k < into->crossings; k++) {
            near |= fabs(curves->crossing[panel][k].x - one->at.mid) < 0.02 * one->at.mid;
        }
        if (one->place != place || one->status != BREAKEVEN_CROSSING || !line || near ||
            !isfinite(chart_value_at(line, one->at.mid))) {
            continue;
        }
        char *text = curves->crossing_text[panel][into->crossings];
        enum unit unit = memo->axis->kind.unit;
        if (few) {
            quantity_band(one->at, unit, text);
        } else {
            quantity_mid(one->at, unit, text);
        }
        curves->crossing[panel][into->crossings++] = (struct chart_crossing){
            text, one->at.mid, chart_value_at(line, one->at.mid), one->at.p10, one->at.p90};
    }
    into->crossing = curves->crossing[panel];
}

static void take_levels(const struct memo *memo, struct curves *curves)
{
    double limit[STUDY_MEMO_LIST];
    size_t count = study_memo_targets(&memo->study->memo, limit);
    for (size_t i = 0; i < count; i++) {
        char text[QUANTITY_TEXT];
        snprintf(curves->level_text[i], QUANTITY_TEXT, "limit %.80s",
                 quantity_value(limit[i], UNIT_NS, text));
        curves->level[i] = (struct chart_level){curves->level_text[i], limit[i]};
    }
    for (size_t p = 0; p < curves->chart.panels; p++) {
        curves->panel[p].level = curves->level;
        curves->panel[p].levels = count;
    }
}

/* What the lines come to: who costs least, and where that changes. */
static void title_of(const struct memo *memo, char buf[MEMO_TEXT])
{
    struct memo_pick pick[MEMO_PLACES];
    size_t picks = memo_picks(memo, false, pick);
    const char *winner = pick[0].strategy ? pick[0].strategy->name : NULL;
    char where[MEMO_TEXT];
    if (memo->study->memo.about == MEMO_ABOUT_LIMITS) {
        snprintf(buf, MEMO_TEXT, "Which %s keeps the limits", memo->axis->name);
    } else if (!winner) {
        snprintf(buf, MEMO_TEXT, "No coherent strategy exists here");
    } else if (picks == 1) {
        snprintf(buf, MEMO_TEXT, "%s costs least of these %zu", winner, memo->strategies);
    } else {
        snprintf(buf, MEMO_TEXT, "%.60s costs least with %.160s", winner,
                 memo_where(memo, pick[0].in, where));
        if (chart_title_lines(buf) > 2) {
            size_t cases = 0;
            for (size_t p = 0; p < memo->places; p++) {
                cases += pick[0].in[p];
            }
            snprintf(buf, MEMO_TEXT, "%.60s costs least in %zu of %zu cases", winner, cases,
                     memo->places);
        }
    }
}

static void put_curves(const struct memo *memo, struct doc_node *doc)
{
    struct curves *curves = alloc_zeroed(1, sizeof *curves, "a figure");
    bool shown[STUDY_STRATEGIES * 2];
    char *data;
    size_t size, panels = 0;
    take_ticks(memo, curves);
    curves->point = alloc_zeroed((size_t)CHART_PANELS * CHART_LINES * curves->chart.ticks,
                                 sizeof *curves->point, "a figure");
    memo_lines(memo, shown);
    for (size_t p = 0; p < memo->places; p++) {
        panels += memo_is_panel(memo, p);
    }
    for (size_t p = 0; p < memo->places; p++) {
        if (!memo_is_panel(memo, p)) {
            continue;
        }
        size_t panel = curves->chart.panels++;
        panel_words(memo, p, curves->panel_text[panel]);
        curves->panel[panel].title = panels > 1 ? curves->panel_text[panel] : NULL;
        for (size_t s = 0; s < memo->strategies; s++) {
            if (shown[s] && curves->panel[panel].lines < CHART_LINES) {
                take_line(memo, curves, panel, p, s);
            }
        }
        if (memo->study->memo.about != MEMO_ABOUT_LIMITS) {
            take_crossings(memo, curves, panel, p, panels <= 2);
        }
    }
    take_levels(memo, curves);
    title_of(memo, curves->title);
    subtitle_of(memo, true, curves->subtitle, sizeof curves->subtitle);
    curves->chart.title = curves->title;
    curves->chart.subtitle = curves->subtitle;
    curves->chart.x_title = words_axis(memo->axis->name);
    curves->chart.y_title = words_metric(memo->metric[0]);
    curves->chart.y_unit = metric_quantity(memo->metric[0]);
    curves->chart.panel = curves->panel;
    FILE *out = open_data(&data, &size);
    chart_lines(out, &curves->chart);
    put_figure(doc, out, &data, "curve",
               "Cost of each strategy along the axis; section 3 has the figures as a table.");
    free(curves->point);
    free(curves->tick);
    free(curves->tick_text);
    free(curves);
}

/* --- strategies under each other --- */

struct dots {
    struct chart_bars chart;
    struct chart_group group[MEMO_PLACES];
    struct chart_bar bar[MEMO_PLACES][BARS];
    char label[MEMO_PLACES][BARS][MEMO_TEXT], note[MEMO_PLACES][BARS][QUANTITY_TEXT];
    char group_text[MEMO_PLACES][MEMO_TEXT];
    char title[MEMO_TEXT], subtitle[4 * MEMO_TEXT];
    double part[MEMO_PLACES][BARS][MEMO_SHARES];
};

static void take_dots(const struct memo *memo, struct dots *dots, size_t place)
{
    const struct memo_scenario *there = memo_place(memo, place);
    size_t order[STUDY_STRATEGIES * 2], count = memo_order(memo, there, order), bars = 0;
    enum unit unit = metric_quantity(memo->metric[0]);
    for (size_t i = 0; i < count && bars < BARS; i++) {
        size_t s = order[i];
        struct band band = memo_band(memo, there, 0, s);
        if (memo_stale(there, s)) {
            continue;
        }
        quantity_mid(band, unit, dots->note[place][bars]);
        dots->bar[place][bars] =
            (struct chart_bar){.label = label_of(memo, there, s, dots->label[place][bars]),
                               .note = dots->note[place][bars],
                               .style = style_of(memo, s),
                               .strong = s == there->best.winner,
                               .at = band.mid,
                               .low = band.p10,
                               .high = band.p90,
                               .measured = NAN};
        bars++;
    }
    memo_place_words(memo, memo->place[place], dots->group_text[place]);
    dots->group[place] = (struct chart_group){memo->places > 1 ? dots->group_text[place] : NULL,
                                              dots->bar[place], bars, NAN};
}

static void put_dots(const struct memo *memo, struct doc_node *doc)
{
    struct dots *dots = alloc_zeroed(1, sizeof *dots, "a figure");
    char *data;
    size_t size;
    for (size_t p = 0; p < memo->places; p++) {
        take_dots(memo, dots, p);
    }
    title_of(memo, dots->title);
    subtitle_of(memo, false, dots->subtitle, sizeof dots->subtitle);
    dots->chart = (struct chart_bars){.kind = CHART_DOTS,
                                      .title = dots->title,
                                      .subtitle = dots->subtitle,
                                      .x_title = words_metric(memo->metric[0]),
                                      .unit = metric_quantity(memo->metric[0]),
                                      .group = dots->group,
                                      .groups = memo->places};
    FILE *out = open_data(&data, &size);
    chart_bars(out, &dots->chart);
    put_figure(doc, out, &data, "strategies",
               "Cost of each strategy with its band; section 3 has the figures as a table.");
    free(dots);
}

/* --- shares --- */

static void put_stacks(const struct memo *memo, struct doc_node *doc)
{
    struct dots *dots = alloc_zeroed(1, sizeof *dots, "a figure");
    size_t strategy = memo->upstream != SIZE_MAX ? memo->upstream : 0, size;
    char *data;
    for (size_t p = 0; p < memo->places; p++) {
        const struct memo_scenario *there = memo_place(memo, p);
        struct band band = memo_band(memo, there, 0, strategy);
        memo_share_parts(memo, there, strategy, dots->part[p][0]);
        memo_place_words(memo, memo->place[p], dots->label[p][0]);
        quantity_mid(band, metric_quantity(memo->metric[0]), dots->note[p][0]);
        dots->bar[0][p % BARS] = (struct chart_bar){.label = dots->label[p][0],
                                                    .note = dots->note[p][0],
                                                    .at = NAN,
                                                    .low = NAN,
                                                    .high = NAN,
                                                    .measured = NAN,
                                                    .part = dots->part[p][0]};
    }
    subtitle_of(memo, false, dots->subtitle, sizeof dots->subtitle);
    snprintf(dots->title, sizeof dots->title, "What threads do with %s", memo_name(memo, strategy));
    dots->group[0] =
        (struct chart_group){NULL, dots->bar[0], memo->places < BARS ? memo->places : BARS, NAN};
    dots->chart = (struct chart_bars){.kind = CHART_STACKS,
                                      .title = dots->title,
                                      .subtitle = dots->subtitle,
                                      .x_title = "share of the busy time",
                                      .unit = UNIT_RATIO,
                                      .part = memo_share_name,
                                      .parts = MEMO_SHARES,
                                      .group = dots->group,
                                      .groups = 1};
    FILE *out = open_data(&data, &size);
    chart_bars(out, &dots->chart);
    put_figure(doc, out, &data, "shares",
               "What takes which share of the time; section 3 has the figures as a table.");
    free(dots);
}

void memo_figures(const struct memo *memo, struct doc_node *doc)
{
    doc_heading(doc, "2 Figure");
    if (memo->study->memo.about == MEMO_ABOUT_SHARES) {
        put_stacks(memo, doc);
    } else if (memo->axis && memo->axis->values.count > 1) {
        put_curves(memo, doc);
    } else {
        put_dots(memo, doc);
    }
}

/* --- what would change the answer --- */

#define SWINGS 10

void memo_swing_figure(const struct memo *memo, size_t place, struct doc_node *doc)
{
    struct chart_bar bar[SWINGS];
    char note[SWINGS][2 * QUANTITY_TEXT], name[32], *data;
    char title[MEMO_TEXT], subtitle[4 * MEMO_TEXT], where[MEMO_TEXT], alt[2 * MEMO_TEXT];
    const struct memo_scenario *there = memo_place(memo, place);
    size_t bars = 0, size;
    bool turns = false;
    for (size_t i = 0; i < memo->swings && bars < SWINGS; i++) {
        const struct memo_swing *swing = &memo->swing[i];
        if (swing->place != place) {
            continue;
        }
        snprintf(note[bars], sizeof note[bars], "%s to %s", swing->low_text, swing->high_text);
        bar[bars] = (struct chart_bar){.label = swing->model ? swing->model : swing->key,
                                       .note = note[bars],
                                       .style = 1,
                                       .strong = swing->turns,
                                       .at = NAN,
                                       .low = swing->at_low,
                                       .high = swing->at_high,
                                       .measured = NAN};
        bars++;
        turns |= swing->turns;
    }
    if (bars == 0) {
        return;
    }
    const double *value = there->value[0];
    size_t next = memo_next(memo, there);
    struct chart_group group = {NULL, bar, bars,
                                value[next * memo->runs] - value[there->best.winner * memo->runs]};
    snprintf(title, sizeof title, "%s over %s: what moves it", memo_name(memo, there->best.winner),
             memo_name(memo, next));
    memo_place_words(memo, memo->place[place], where);
    snprintf(subtitle, sizeof subtitle, "%s%s", where, where[0] ? ", " : "");
    size_t used = strlen(subtitle);
    memo_scenario_words(memo, false, subtitle + used);
    used = strlen(subtitle);
    snprintf(subtitle + used, sizeof subtitle - used, ".%s",
             turns ? " Bold: changes the best strategy." : "");
    snprintf(alt, sizeof alt,
             "%s%s each assumption, at either end of its range, does to the lead; the table below "
             "has the figures.",
             where, where[0] ? ": what" : "What");
    struct chart_bars chart = {.kind = CHART_SWINGS,
                               .title = title,
                               .subtitle = subtitle,
                               .x_title = "by how much the next strategy costs more",
                               .unit = metric_quantity(memo->metric[0]),
                               .group = &group,
                               .groups = 1};
    FILE *out = open_data(&data, &size);
    chart_bars(out, &chart);
    snprintf(name, sizeof name, place ? "swings-%zu" : "swings", place + 1);
    put_figure(doc, out, &data, name, alt);
}

/* --- published measurements --- */

#define MEASURED 24

void memo_published_figure(const struct memo *memo, const char *machine, size_t nth,
                           struct doc_node *doc)
{
    struct chart_bar bar[MEASURED];
    char label[MEASURED][MEMO_TEXT], note[MEASURED][QUANTITY_TEXT], *data;
    char where[MEMO_TEXT], title[2 * MEMO_TEXT], alt[2 * MEMO_TEXT], name[32];
    size_t bars = 0, inside = 0, all = 0, size;
    const struct axis *machines = memo->study->role[AXIS_MACHINE];
    bool several = machines->values.count > 1;
    words_value(machines->name, machine, machines->kind, where);
    for (size_t i = 0; i < memo->publisheds; i++) {
        const struct memo_published *one = &memo->published[i];
        if (!memo_measured_on(memo, one, machine) || !one->predicted) {
            continue;
        }
        all++;
        inside += one->inside;
        if (bars < MEASURED) {
            snprintf(label[bars], MEMO_TEXT, "%s %s", one->table, one->row);
            quantity_change(one->error, note[bars]);
            bar[bars] = (struct chart_bar){.label = label[bars],
                                           .note = note[bars],
                                           .style = 0,
                                           .strong = !one->inside,
                                           .at = one->band.mid,
                                           .low = one->band.p10,
                                           .high = one->band.p90,
                                           .measured = one->measured};
            bars++;
        }
    }
    if (bars == 0) {
        return;
    }
    struct chart_group group = {NULL, bar, bars, NAN};
    snprintf(title, sizeof title, "%s%s%zu of %zu measurements lie within the band of the model",
             several ? where : "", several ? ": " : "", inside, all);
    snprintf(alt, sizeof alt,
             "%s%sublished measurements and what the model says of them; the table below has the "
             "figures.",
             several ? where : "", several ? ": p" : "P");
    snprintf(name, sizeof name, nth > 1 ? "published-%zu" : "published", nth);
    struct chart_bars chart = {.kind = CHART_DOTS,
                               .title = title,
                               .subtitle = "Bold: outside. To the right: model over measured.",
                               .x_title = "time",
                               .unit = UNIT_NS,
                               .at_text = "model, p10 to p90",
                               .measured_text = "measured",
                               .group = &group,
                               .groups = 1};
    FILE *out = open_data(&data, &size);
    chart_bars(out, &chart);
    put_figure(doc, out, &data, name, alt);
}

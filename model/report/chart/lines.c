/* Lines over an axis, in one to twelve panels that share their scales. */
#include "core/invariant.h"
#include "report/chart/canvas.h"
#include "report/chart/chart.h"
#include "report/chart/merge.h"
#include "report/quantity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GAP 18.0 /* between panels */
#define BEND 0.2 /* by how much a line may miss where it should be */
#define HALVINGS 12
#define TITLE_LINES 5 /* of a panel */
#define NAME_SHARE 0.36 /* the most that names beside lines take of the width */
#define APART 8.0 /* texts side by side, at least */
#define NEXT_LINE (CANVAS_LINE - 2) /* of a panel's title, and of what crossings come to */
#define BEYOND 10.0 /* of a title, to the right of its panel */

struct layout {
    const struct chart_lines *chart;
    struct scale x, y;
    size_t columns, rows;
    double left, right; /* margins */
    double width, height; /* of a panel's area */
    double row[CHART_PANELS + 1]; /* where a row of panels begins; the last one's end */
    double head[CHART_PANELS]; /* of a row: titles, and what crossings come to */
    bool keyed; /* names stand above all panels, not beside lines */
};

/* --- where things go --- */

static struct scale y_scale(const struct chart_lines *chart)
{
    struct scale scale = scale_of(chart->y_unit);
    for (size_t p = 0; p < chart->panels; p++) {
        const struct chart_panel *panel = &chart->panel[p];
        for (size_t i = 0; i < panel->lines; i++) {
            for (size_t k = 0; k < panel->line[i].count; k++) {
                const struct chart_point *point = &panel->line[i].point[k];
                scale_take(&scale, point->y);
                scale_take(&scale, point->low > 0 ? point->low : NAN);
                scale_take(&scale, point->high);
            }
        }
        for (size_t i = 0; i < panel->levels; i++) {
            scale_take(&scale, panel->level[i].y);
        }
    }
    scale_settle(&scale, false);
    return scale;
}

/* From the first to the last place where it was played. */
static struct scale x_scale(const struct chart_lines *chart)
{
    struct scale scale = scale_of(UNIT_NONE);
    for (size_t i = 0; i < chart->ticks; i++) {
        scale.low = fmin(scale.low, chart->tick[i].at);
        scale.high = fmax(scale.high, chart->tick[i].at);
        scale.zero |= chart->tick[i].at == 0;
    }
    scale.log = chart->x_log && scale.high > 0 && scale.low < scale.high;
    for (size_t i = 0; scale.log && scale.zero && i < chart->ticks; i++) {
        bool first = chart->tick[i].at > 0 && !(scale.low > 0);
        scale.low = first || (chart->tick[i].at > 0 && chart->tick[i].at < scale.low)
                        ? chart->tick[i].at
                        : scale.low;
    }
    if (!(scale.low < scale.high)) {
        scale = (struct scale){.low = scale.low - 1, .high = scale.low + 1};
    }
    return scale;
}

/* The widest of the ticks beside the panels. */
static double ticks_width(const struct scale *scale)
{
    double tick[SCALE_TICKS], widest = 0;
    size_t count = scale_ticks(scale, tick);
    for (size_t i = 0; i < count; i++) {
        char text[QUANTITY_TEXT];
        widest = fmax(widest, canvas_width(scale_tick_text(scale, tick[i], text), CANVAS_TEXT));
    }
    return widest;
}

static double names_width(const struct chart_lines *chart)
{
    double widest = 0;
    for (size_t p = 0; p < chart->panels; p++) {
        for (size_t i = 0; i < chart->panel[p].lines; i++) {
            widest = fmax(widest, canvas_width(chart->panel[p].line[i].name, CANVAS_TEXT));
        }
    }
    return fmin(widest, NAME_SHARE * CANVAS_WIDTH);
}

/* How much of a panel's title stands in a line: up to a blank, and not between a number and its
 * unit; all of a word that is too long. */
static size_t title_length(const char *title, double width)
{
    size_t fits = 0;
    for (size_t i = 1;; i++) {
        if (title[i - 1] == '\0') {
            return i - 1;
        }
        bool after_number = title[i - 1] >= '0' && title[i - 1] <= '9';
        if (title[i] != '\0' && (title[i] != ' ' || after_number)) {
            continue;
        }
        char *line = strndup(title, i);
        bool wide = canvas_width(line, CANVAS_TEXT * CANVAS_BOLD) > width;
        free(line);
        if (wide) {
            return fits ? fits : i;
        }
        fits = i;
    }
}

/* How many lines a panel's title takes. */
static size_t title_lines(const char *title, double width)
{
    size_t lines = 0;
    for (; title && *title && lines < TITLE_LINES; lines++) {
        title += title_length(title, width);
        title += strspn(title, " ");
    }
    return lines;
}

/* What crossings come to: one line where all fit side by side, else one each. */
static size_t crossing_lines(const struct chart_panel *panel, double width)
{
    double sum = 0;
    for (size_t i = 0; i < panel->crossings; i++) {
        sum += canvas_width(panel->crossing[i].text, CANVAS_TEXT) + APART;
    }
    return sum <= width + APART ? panel->crossings > 0 : panel->crossings;
}

/* Between these and the area, into which the text of a level may come up. */
static double gap_above(const struct chart_panel *panel)
{
    return panel->levels ? 20 : 8;
}

/* Whether the ticks of a panel have their texts: no panel is below it. */
static bool has_tick_texts(const struct layout *layout, size_t index)
{
    return index + layout->columns >= layout->chart->panels;
}

/* Each row is as high as what stands above and below its panels. */
static void place_rows(struct layout *layout)
{
    for (size_t r = 0; r < layout->rows; r++) {
        double foot = 0;
        for (size_t i = r * layout->columns; i / layout->columns == r && i < layout->chart->panels;
             i++) {
            const struct chart_panel *panel = &layout->chart->panel[i];
            size_t lines = title_lines(panel->title, layout->width + BEYOND) +
                           crossing_lines(panel, layout->width);
            layout->head[r] = fmax(layout->head[r], NEXT_LINE * (double)lines + gap_above(panel));
            foot = has_tick_texts(layout, i) ? CANVAS_LINE : foot;
        }
        layout->row[r + 1] = layout->row[r] + layout->head[r] + layout->height + foot + 10;
    }
}

static struct layout lay_out(const struct chart_lines *chart)
{
    struct layout layout = {.chart = chart, .x = x_scale(chart), .y = y_scale(chart)};
    size_t panels = chart->panels;
    layout.columns = panels == 1 ? 1 : panels <= 6 ? 2 : 3;
    layout.rows = (panels + layout.columns - 1) / layout.columns;
    layout.keyed = panels > 1;
    layout.left = CANVAS_MARGIN + ticks_width(&layout.y) + 8;
    layout.right = layout.keyed ? CANVAS_MARGIN + 10 : names_width(chart) + CANVAS_MARGIN + 16;
    layout.width =
        (CANVAS_WIDTH - layout.left - layout.right - (double)(layout.columns - 1) * GAP) /
        (double)layout.columns;
    layout.height = layout.columns == 1 ? 233 : layout.columns == 2 ? 140 : 113;
    return layout;
}

/* --- a key above the panels --- */

/* Each name once. */
static bool first_of_name(const struct chart_lines *chart, size_t p, size_t i)
{
    for (size_t q = 0; q <= p; q++) {
        for (size_t k = 0; k < chart->panel[q].lines && (q < p || k < i); k++) {
            if (strcmp(chart->panel[q].line[k].name, chart->panel[p].line[i].name) == 0) {
                return false;
            }
        }
    }
    return true;
}

/* Returns how high it is; `canvas` NULL: only that. */
static double put_key(struct canvas *canvas, const struct chart_lines *chart, double y)
{
    double x = CANVAS_MARGIN, height = CANVAS_LINE;
    for (size_t p = 0; p < chart->panels; p++) {
        for (size_t i = 0; i < chart->panel[p].lines; i++) {
            const struct chart_line *line = &chart->panel[p].line[i];
            if (!first_of_name(chart, p, i)) {
                continue;
            }
            char *name = canvas_cut(line->name, CANVAS_TEXT, CANVAS_WIDTH - 2 * CANVAS_MARGIN - 34);
            double width = 34 + canvas_width(name, CANVAS_TEXT);
            if (x + width > CANVAS_WIDTH - CANVAS_MARGIN && x > CANVAS_MARGIN) {
                x = CANVAS_MARGIN;
                height += CANVAS_LINE;
            }
            if (canvas) {
                double base = y + height - 5;
                canvas_point(canvas, line->style, x, base - 4);
                canvas_point(canvas, line->style, x + 26, base - 4);
                canvas_end(canvas);
                canvas_mark(canvas, line->style, x + 13, base - 4);
                canvas_text(canvas, x + 30, base, CANVAS_LEFT, CANVAS_INK, name);
            }
            x += width + 14;
            free(name);
        }
    }
    return height + 4;
}

/* --- lines --- */

double chart_value_at(const struct chart_line *line, double x)
{
    for (size_t i = 1; i < line->count; i++) {
        const struct chart_point *a = &line->point[i - 1], *b = &line->point[i];
        if (x >= a->x && x <= b->x && b->x > a->x) {
            return a->y + (b->y - a->y) * (x - a->x) / (b->x - a->x);
        }
    }
    return NAN;
}

static double middle(double a, double b)
{
    return (a + b) / 2;
}

/* How far the middle of a stretch is from straight, in points of the picture. */
static double bend(const struct layout *layout, const struct chart_point *from,
                   const struct chart_point *to)
{
    double x1 = scale_at(&layout->x, from->x), y1 = scale_at(&layout->y, from->y);
    double x2 = scale_at(&layout->x, to->x), y2 = scale_at(&layout->y, to->y);
    double x = scale_at(&layout->x, middle(from->x, to->x));
    double y = scale_at(&layout->y, middle(from->y, to->y));
    return fabs((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)) / fmax(hypot(x2 - x1, y2 - y1), 1);
}

static void put_point(struct canvas *canvas, const struct layout *layout, unsigned style,
                      const struct chart_point *point, bool band)
{
    double x = scale_value(&layout->x, point->x);
    if (band) {
        canvas_band(canvas, style, x, scale_value(&layout->y, point->low),
                    scale_value(&layout->y, point->high));
    } else {
        canvas_point(canvas, style, x, scale_value(&layout->y, point->y));
    }
}

/* A stretch between two points is straight in their values, so bent where a scale is
 * logarithmic: it is halved until its pieces are as good as straight on the picture. */
static void put_stretch(struct canvas *canvas, const struct layout *layout, unsigned style,
                        const struct chart_point *from, const struct chart_point *to, bool band,
                        unsigned halvings)
{
    struct chart_point half = {middle(from->x, to->x), middle(from->y, to->y),
                               middle(from->low, to->low), middle(from->high, to->high)};
    if (halvings > 0 && bend(layout, from, to) > BEND) {
        put_stretch(canvas, layout, style, from, &half, band, halvings - 1);
        put_stretch(canvas, layout, style, &half, to, band, halvings - 1);
    } else {
        put_point(canvas, layout, style, to, band);
    }
}

static bool is_there(const struct chart_point *point, bool band)
{
    return isfinite(band ? point->low + point->high : point->y);
}

static void put_line(struct canvas *canvas, const struct layout *layout,
                     const struct chart_line *line, bool band)
{
    const struct chart_point *before = NULL;
    for (size_t i = 0; i < line->count; i++) {
        const struct chart_point *point = &line->point[i];
        if (!is_there(point, band)) {
            canvas_end(canvas);
            before = NULL;
            continue;
        }
        if (before) {
            put_stretch(canvas, layout, line->style, before, point, band, HALVINGS);
        } else {
            put_point(canvas, layout, line->style, point, band);
        }
        before = point;
    }
    canvas_end(canvas);
}

static void put_marks(struct canvas *canvas, const struct layout *layout,
                      const struct chart_line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        if (is_there(&line->point[i], false)) {
            canvas_mark(canvas, line->style, scale_value(&layout->x, line->point[i].x),
                        scale_value(&layout->y, line->point[i].y));
        }
    }
}

/* --- names beside lines --- */

struct label {
    const struct chart_line *line;
    double x, y; /* where the line ends, then where the name stands */
};

static int by_height(const void *a, const void *b)
{
    const struct label *x = a, *y = b;
    return x->y != y->y ? (x->y > y->y) - (x->y < y->y) : (x->line > y->line) - (x->line < y->line);
}

/* Names stand apart by a line of text each, from the top down and then, where they would
 * leave the panel, pushed up again. */
static void put_names(struct canvas *canvas, const struct layout *layout,
                      const struct chart_panel *panel)
{
    struct label label[CHART_LINES];
    size_t count = 0;
    double bottom = layout->y.from + 4;
    for (size_t i = 0; i < panel->lines; i++) {
        const struct chart_line *line = &panel->line[i];
        for (size_t k = line->count; k-- > 0;) {
            if (isfinite(line->point[k].y)) {
                label[count++] = (struct label){line, scale_at(&layout->x, line->point[k].x),
                                                scale_at(&layout->y, line->point[k].y) + 4};
                break;
            }
        }
    }
    qsort(label, count, sizeof *label, by_height);
    for (size_t i = 1; i < count; i++) {
        label[i].y = fmax(label[i].y, label[i - 1].y + CANVAS_LINE - 2);
    }
    for (size_t i = count; i-- > 0;) {
        label[i].y = fmin(label[i].y, bottom);
        bottom = label[i].y - CANVAS_LINE + 2;
    }
    for (size_t i = 0; i < count; i++) {
        double x = layout->x.to + 10;
        canvas_text_in(canvas, x, label[i].y, CANVAS_LEFT, CANVAS_INK,
                       CANVAS_WIDTH - CANVAS_MARGIN - x, label[i].line->name);
    }
}

/* --- what else stands in a panel --- */

static void put_y_axis(struct canvas *canvas, const struct layout *layout, bool with_text)
{
    double tick[SCALE_TICKS], taken = 1e9;
    size_t count = scale_ticks(&layout->y, tick);
    for (size_t i = 0; i < count; i++) {
        char text[QUANTITY_TEXT];
        double y = scale_at(&layout->y, tick[i]);
        canvas_rule(canvas, CANVAS_GRID, layout->x.from, y, layout->x.to, y);
        if (with_text && y < taken - CANVAS_TEXT) {
            canvas_text(canvas, layout->x.from - 5, y + 4, CANVAS_RIGHT, CANVAS_FAINT,
                        scale_tick_text(&layout->y, tick[i], text));
            taken = y;
        }
    }
}

/* A tick for each place where it was played; the first and the last with their text, and
 * those between for whose there is room. */
static void put_x_axis(struct canvas *canvas, const struct layout *layout, bool with_text)
{
    const struct chart_lines *chart = layout->chart;
    double bottom = layout->y.from, last = -1e9;
    double low = layout->x.from - GAP / 2 + 2, high = layout->x.to + GAP / 2 - 2;
    double ending = canvas_width(chart->tick[chart->ticks - 1].text, CANVAS_TEXT);
    double before_ending = fmin(layout->x.to - ending / 2, high - ending) - 5;
    canvas_rule(canvas, CANVAS_AXIS, layout->x.from, bottom, layout->x.to, bottom);
    for (size_t i = 0; i < chart->ticks; i++) {
        const struct chart_tick *tick = &chart->tick[i];
        double x = scale_at(&layout->x, tick->at), half = canvas_width(tick->text, CANVAS_TEXT) / 2;
        double centre = fmin(fmax(x, low + half), high - half);
        bool fits = i + 1 == chart->ticks || centre + half < before_ending;
        canvas_rule(canvas, CANVAS_AXIS, x, bottom, x, bottom + 4);
        if (with_text && fits && centre - half > last + 5) {
            canvas_text(canvas, centre, bottom + 17, CANVAS_MIDDLE, CANVAS_FAINT, tick->text);
            last = centre + half;
        }
    }
}

/* Whether a line of the panel goes through a text's box, by its points and the stretches
 * between. */
static bool is_crossed(const struct layout *layout, const struct chart_panel *panel, double left,
                       double right, double top, double bottom)
{
    for (size_t i = 0; i < panel->lines; i++) {
        const struct chart_line *line = &panel->line[i];
        for (size_t k = 0; k + 1 < line->count; k++) {
            double x = scale_at(&layout->x, line->point[k].x);
            double y = scale_at(&layout->y, line->point[k].y);
            double dx = scale_at(&layout->x, line->point[k + 1].x) - x;
            double dy = scale_at(&layout->y, line->point[k + 1].y) - y;
            for (int eighth = 0; eighth <= 8; eighth++) {
                double at = x + eighth / 8.0 * dx, height = y + eighth / 8.0 * dy;
                if (at > left - 6 && at < right + 6 && height > top - 6 && height < bottom + 6) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* To the left, the right or in the middle, where no line goes through; else the rule has no
 * text. */
static void put_level_texts(struct canvas *canvas, const struct layout *layout,
                            const struct chart_panel *panel)
{
    double taken = 1e9;
    for (size_t i = 0; i < panel->levels; i++) {
        double y = scale_at(&layout->y, panel->level[i].y);
        char *text = canvas_cut(panel->level[i].text, CANVAS_TEXT, layout->width);
        double width = canvas_width(text, CANVAS_TEXT),
               room = layout->x.to - layout->x.from - width;
        for (int place = 0; place < 3 && y < taken - CANVAS_TEXT; place++) {
            double left = layout->x.from + (place == 0 ? 3 : place == 1 ? room - 3 : room / 2);
            if (!is_crossed(layout, panel, left, left + width, y - CANVAS_TEXT, y)) {
                canvas_text(canvas, left, y - 4, CANVAS_LEFT, CANVAS_FAINT, text);
                taken = y;
            }
        }
        free(text);
    }
}

static int from_left(const void *a, const void *b)
{
    double x = ((const struct chart_crossing *)a)->x, y = ((const struct chart_crossing *)b)->x;
    return (x > y) - (x < y);
}

/* What crossings come to, above the lines and as these from the left to the right: each over its
 * crossing as far as its neighbours let it, or under each other. */
static void put_crossing_texts(struct canvas *canvas, const struct layout *layout,
                               const struct chart_panel *panel)
{
    struct chart_crossing sorted[CHART_CROSSINGS];
    char *text[CHART_CROSSINGS];
    double left[CHART_CROSSINGS], width[CHART_CROSSINGS];
    size_t count = panel->crossings, lines = crossing_lines(panel, layout->width);
    double min = layout->x.from, max = layout->x.to;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = panel->crossing[i];
    }
    qsort(sorted, count, sizeof *sorted, from_left);
    for (size_t i = 0; i < count; i++) {
        text[i] = canvas_cut(sorted[i].text, CANVAS_TEXT, layout->width);
        width[i] = canvas_width(text[i], CANVAS_TEXT);
        left[i] = fmax(scale_at(&layout->x, sorted[i].x) - width[i] / 2, min);
        min = lines == 1 ? left[i] + width[i] + APART : min;
    }
    for (size_t i = count; i-- > 0;) {
        double line = lines == 1 ? 0 : (double)(lines - 1 - i);
        left[i] = fmin(left[i], max - width[i]);
        max = lines == 1 ? left[i] - APART : max;
        canvas_text(canvas, left[i], layout->y.to + 3 - gap_above(panel) - line * NEXT_LINE,
                    CANVAS_LEFT, CANVAS_INK, text[i]);
        free(text[i]);
    }
}

/* A ring where the lines cross, its band, and a hair down to the axis. */
static void put_crossing(struct canvas *canvas, const struct layout *layout,
                         const struct chart_crossing *crossing)
{
    double x = scale_value(&layout->x, crossing->x), y = scale_value(&layout->y, crossing->y);
    canvas_rule(canvas, CANVAS_HAIR, x, y, x, scale_bottom(&layout->y));
    if (isfinite(crossing->low + crossing->high)) {
        canvas_rule(canvas, CANVAS_HAIR, scale_value(&layout->x, crossing->low), y,
                    scale_value(&layout->x, crossing->high), y);
    }
    canvas_mark(canvas, CANVAS_RING, x, y);
}

/* --- panels --- */

static void place_panel(struct layout *layout, size_t index)
{
    size_t column = index % layout->columns, row = index / layout->columns;
    layout->x.from = layout->left + (double)column * (layout->width + GAP);
    layout->x.to = layout->x.from + layout->width;
    layout->y.to = layout->row[row] + layout->head[row];
    layout->y.from = layout->y.to + layout->height;
}

static void put_title(struct canvas *canvas, const struct layout *layout, double y,
                      const char *title)
{
    for (size_t i = 0; *title; i++) {
        size_t length =
            i + 1 < TITLE_LINES ? title_length(title, layout->width + BEYOND) : strlen(title);
        char *line = strndup(title, length);
        canvas_text_in(canvas, layout->x.from, y, CANVAS_LEFT, CANVAS_STRONG,
                       layout->width + BEYOND, line);
        free(line);
        title += length;
        title += strspn(title, " ");
        y += NEXT_LINE;
    }
}

/* All but the lines. */
static void put_frame(struct canvas *canvas, struct layout *layout, size_t index)
{
    const struct chart_panel *panel = &layout->chart->panel[index];
    place_panel(layout, index);
    if (panel->title) {
        put_title(canvas, layout, layout->row[index / layout->columns] + NEXT_LINE, panel->title);
    }
    put_y_axis(canvas, layout, index % layout->columns == 0);
    put_x_axis(canvas, layout, has_tick_texts(layout, index));
    put_level_texts(canvas, layout, panel);
    put_crossing_texts(canvas, layout, panel);
    if (!layout->keyed) {
        put_names(canvas, layout, panel);
    }
    if (panel->lines == 0) {
        canvas_text(canvas, (layout->x.from + layout->x.to) / 2,
                    (layout->y.from + layout->y.to) / 2, CANVAS_MIDDLE, CANVAS_FAINT, "none");
    }
}

static void put_lines(struct canvas *canvas, struct layout *layout, size_t index)
{
    const struct chart_panel *panel = &layout->chart->panel[index];
    place_panel(layout, index);
    canvas_panel(canvas, &layout->x, &layout->y);
    for (size_t i = 0; i < panel->lines; i++) {
        put_line(canvas, layout, &panel->line[i], true);
    }
    for (size_t i = 0; i < panel->levels; i++) {
        canvas_rule(canvas, CANVAS_LEVEL, scale_bottom(&layout->x), panel->level[i].y,
                    layout->x.high, panel->level[i].y);
    }
    for (size_t i = 0; i < panel->lines; i++) {
        put_line(canvas, layout, &panel->line[i], false);
        put_marks(canvas, layout, &panel->line[i]);
    }
    for (size_t i = 0; i < panel->crossings; i++) {
        put_crossing(canvas, layout, &panel->crossing[i]);
    }
}

/* Titles of the axes, y with the unit of a linear scale. */
static void put_axis_titles(struct canvas *canvas, const struct layout *layout, double bottom)
{
    char title[256];
    const char *unit = scale_unit(&layout->y);
    snprintf(title, sizeof title, "%s%s%s", layout->chart->y_title, unit[0] ? ", " : "", unit);
    double room = CANVAS_WIDTH - 2 * CANVAS_MARGIN;
    canvas_text_in(canvas, CANVAS_MARGIN, layout->row[0] - 2, CANVAS_LEFT, CANVAS_FAINT, room,
                   title);
    canvas_text_in(canvas, CANVAS_WIDTH / 2, bottom + CANVAS_LINE - 8, CANVAS_MIDDLE, CANVAS_FAINT,
                   room, layout->chart->x_title);
}

static void check(const struct chart_lines *chart)
{
    INVARIANT(chart->panels > 0 && chart->panels <= CHART_PANELS, "a figure of %zu panels",
              chart->panels);
    for (size_t i = 0; i < chart->panels; i++) {
        INVARIANT(chart->panel[i].lines <= CHART_LINES &&
                      chart->panel[i].crossings <= CHART_CROSSINGS,
                  "a panel of %zu lines and %zu crossings", chart->panel[i].lines,
                  chart->panel[i].crossings);
    }
}

void chart_lines(FILE *out, const struct chart_lines *given)
{
    struct chart_merged merged;
    struct canvas canvas;
    check(given);
    chart_merge(given, &merged);
    const struct chart_lines *chart = &merged.chart;
    struct layout layout = lay_out(chart);
    double head = canvas_heading(NULL, chart->title, chart->subtitle);
    double key = layout.keyed ? put_key(NULL, chart, 0) : 0;
    layout.row[0] = head + key + CANVAS_LINE;
    place_rows(&layout);
    double bottom = layout.row[layout.rows];
    canvas_open(&canvas, out, bottom + CANVAS_LINE + 4);
    canvas_whole(&canvas);
    canvas_heading(&canvas, chart->title, chart->subtitle);
    if (layout.keyed) {
        put_key(&canvas, chart, head);
    }
    put_axis_titles(&canvas, &layout, bottom);
    for (size_t i = 0; i < chart->panels; i++) {
        put_frame(&canvas, &layout, i);
    }
    for (size_t i = 0; i < chart->panels; i++) {
        put_lines(&canvas, &layout, i);
    }
    canvas_close(&canvas);
}

/* Bars, or marks with their bands, under each other. */
#include "report/chart/canvas.h"
#include "report/chart/chart.h"
#include "report/quantity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROW 22.0
#define PITCH 1.7 /* from one to the next, in rows, where texts stand above bars */
#define BESIDE_SHARE 0.66 /* the most that texts beside bars take of the width */

struct layout {
    const struct chart_bars *chart;
    struct scale x, y;
    double left, right; /* of the area */
    double note; /* where notes begin; above bars they end at the margin */
    double pitch; /* from one bar to the next, in rows: 1 where texts stand beside them */
    double top; /* where the next group begins */
};

static struct scale x_scale(const struct chart_bars *chart)
{
    struct scale scale = scale_of(chart->unit);
    for (size_t g = 0; g < chart->groups; g++) {
        const struct chart_group *group = &chart->group[g];
        for (size_t i = 0; i < group->bars; i++) {
            const struct chart_bar *bar = &group->bar[i];
            double sum = 0;
            for (size_t k = 0; k < chart->parts; k++) {
                sum += bar->part[k];
            }
            scale_take(&scale, chart->kind == CHART_STACKS ? sum : NAN);
            scale_take(&scale, chart->kind == CHART_DOTS ? bar->at : NAN);
            scale_take(&scale, bar->low);
            scale_take(&scale, bar->high);
            scale_take(&scale, bar->measured);
            scale_take(&scale, bar->measured_low > 0 ? bar->measured_low : NAN);
            scale_take(&scale, bar->measured_high > 0 ? bar->measured_high : NAN);
        }
        scale_take(&scale, chart->kind == CHART_SWINGS ? group->centre : NAN);
    }
    return scale;
}

/* Swings may be far from 0, on either side. */
static void settle(const struct chart_bars *chart, struct scale *scale)
{
    if (chart->kind != CHART_SWINGS) {
        scale_settle(scale, chart->kind == CHART_STACKS);
        return;
    }
    struct scale whole = *scale;
    scale_settle(scale, true);
    if (whole.low < whole.high) {
        double room = 0.05 * (whole.high - whole.low);
        scale->low = whole.low - room;
        scale->high = whole.high + room;
    }
}

static double widest(const struct chart_bars *chart, bool notes)
{
    double max = 0;
    for (size_t g = 0; g < chart->groups; g++) {
        for (size_t i = 0; i < chart->group[g].bars; i++) {
            const struct chart_bar *bar = &chart->group[g].bar[i];
            const char *text = notes ? bar->note : bar->label;
            max = fmax(max, text ? canvas_width(text, CANVAS_TEXT * 1.12) : 0);
        }
    }
    return max;
}

/* --- keys --- */

static void put_key(struct canvas *canvas, const char *text, double *x, double *y, double *width)
{
    char *cut = canvas_cut(text, CANVAS_TEXT, CANVAS_WIDTH / 2);
    *width = 22 + canvas_width(cut, CANVAS_TEXT);
    if (*x + *width > CANVAS_WIDTH - CANVAS_MARGIN && *x > CANVAS_MARGIN) {
        *x = CANVAS_MARGIN;
        *y += CANVAS_LINE;
    }
    if (canvas) {
        canvas_text(canvas, *x + 18, *y, CANVAS_LEFT, CANVAS_INK, cut);
    }
    free(cut);
}

static const char *const swing_keys[] = {"the cost at its low end", "at its high end"};

/* Returns how high it is; `canvas` NULL: only that. */
static double put_keys(struct canvas *canvas, const struct chart_bars *chart, double top)
{
    double x = CANVAS_MARGIN, y = top + CANVAS_LINE - 4, width;
    const char *marks[] = {chart->at_text, chart->measured_text};
    for (size_t i = 0; i < chart->parts; i++) {
        char text[96];
        snprintf(text, sizeof text, "%c %.90s", (char)('A' + (int)i), chart->part[i]);
        put_key(canvas, text, &x, &y, &width);
        if (canvas) {
            canvas_box(canvas, CANVAS_PART, (unsigned)(i + 1) % CHART_STYLES, x, y - 10, x + 12, y);
        }
        x += width + 12;
    }
    for (size_t i = 0; i < 2 && chart->kind != CHART_STACKS; i++) {
        const char *text = chart->kind == CHART_SWINGS ? swing_keys[i] : marks[i];
        if (!text) {
            continue;
        }
        put_key(canvas, text, &x, &y, &width);
        if (canvas && i == 1 && chart->kind == CHART_DOTS) {
            canvas_mark(canvas, CANVAS_MEASURED, x + 8, y - 4);
        } else if (canvas) {
            canvas_mark(canvas, chart->kind == CHART_SWINGS && i == 0 ? CANVAS_HOLLOW : 0, x + 8,
                        y - 4);
        }
        x += width + 12;
    }
    return x > CANVAS_MARGIN || y > top + CANVAS_LINE ? y - top + 6 : 0;
}

/* --- rows --- */

static void put_whisker(struct canvas *canvas, double low, double high, double y, double size)
{
    canvas_rule(canvas, CANVAS_HAIR, low, y, high, y);
    canvas_rule(canvas, CANVAS_HAIR, low, y - size, low, y + size);
    canvas_rule(canvas, CANVAS_HAIR, high, y - size, high, y + size);
}

static void put_dot(struct canvas *canvas, const struct layout *layout, const struct chart_bar *bar,
                    double y)
{
    const struct scale *x = &layout->x;
    if (isfinite(bar->low + bar->high)) {
        double low = scale_value(x, bar->low), high = scale_value(x, bar->high);
        canvas_box(canvas, CANVAS_BAND, bar->style, low, y - 0.2, high, y + 0.2);
        canvas_rule(canvas, CANVAS_HAIR, low, y - 0.2, low, y + 0.2);
        canvas_rule(canvas, CANVAS_HAIR, high, y - 0.2, high, y + 0.2);
    }
    if (isfinite(bar->at)) {
        canvas_mark(canvas, bar->style, scale_value(x, bar->at), y);
    }
    if (bar->measured_low > 0) {
        put_whisker(canvas, scale_value(x, bar->measured_low), scale_value(x, bar->measured_high),
                    y, 0.12);
    }
    if (isfinite(bar->measured)) {
        canvas_mark(canvas, CANVAS_MEASURED, scale_value(x, bar->measured), y);
    }
}

/* Parts have letters, for grey paper. */
static void put_stack(struct canvas *canvas, const struct layout *layout,
                      const struct chart_bar *bar, double y)
{
    double sum = 0;
    for (size_t i = 0; i < layout->chart->parts; i++) {
        double from = scale_at(&layout->x, sum), to = scale_at(&layout->x, sum + bar->part[i]);
        if (to > from) {
            canvas_box(canvas, CANVAS_PART, (unsigned)(i + 1) % CHART_STYLES, sum, y - 0.3,
                       sum + bar->part[i], y + 0.3);
        }
        if (to - from > 16) {
            char letter[2] = {(char)('A' + (int)i), '\0'};
            canvas_text(canvas, (from + to) / 2, scale_at(&layout->y, y) + 4, CANVAS_MIDDLE,
                        CANVAS_LETTER, letter);
        }
        sum += bar->part[i];
    }
    if (isfinite(bar->low + bar->high)) {
        put_whisker(canvas, bar->low, bar->high, y + 0.36, 0.08);
    }
}

static void put_swing(struct canvas *canvas, const struct chart_bar *bar, double y)
{
    canvas_box(canvas, CANVAS_BAND, bar->style, fmin(bar->low, bar->high), y - 0.22,
               fmax(bar->low, bar->high), y + 0.22);
    canvas_mark(canvas, CANVAS_HOLLOW, bar->low, y);
    canvas_mark(canvas, 0, bar->high, y);
}

static void put_bar(struct canvas *canvas, const struct layout *layout, const struct chart_bar *bar,
                    double y)
{
    switch (layout->chart->kind) {
    case CHART_DOTS:
        put_dot(canvas, layout, bar, y);
        break;
    case CHART_STACKS:
        put_stack(canvas, layout, bar, y);
        break;
    case CHART_SWINGS:
        put_swing(canvas, bar, y);
        break;
    }
}

/* Beside the bar, or above it: the label from the left, the note up to the right. */
static void put_texts(struct canvas *canvas, const struct layout *layout,
                      const struct chart_bar *bar, double y)
{
    enum canvas_kind kind = bar->strong ? CANVAS_STRONG : CANVAS_INK;
    bool above = layout->pitch > 1;
    double wide = CANVAS_TEXT * CANVAS_BOLD, end = CANVAS_WIDTH - CANVAS_MARGIN;
    double base = y + (above ? 4 - 0.8 * ROW : 4);
    char *note = canvas_cut(bar->note ? bar->note : "", wide, above ? end / 2 : end - layout->note);
    double room = above ? end - canvas_width(note, wide) - 10 : layout->left - 10;
    char *label = canvas_cut(bar->label, wide, room - CANVAS_MARGIN);
    canvas_text(canvas, above ? CANVAS_MARGIN : room, base, above ? CANVAS_LEFT : CANVAS_RIGHT,
                kind, label);
    if (note[0]) {
        canvas_text(canvas, above ? end : layout->note, base, above ? CANVAS_RIGHT : CANVAS_LEFT,
                    kind, note);
    }
    free(label);
    free(note);
}

/* --- groups --- */

/* Where a bar of a group is, in rows downward. */
static double row_of(const struct layout *layout, size_t bar)
{
    return layout->pitch * (double)(bar + 1) - 1;
}

/* Puts the scales where the next group is, and goes on to the one behind it. */
static void place_group(struct layout *layout, const struct chart_group *group)
{
    double rows = layout->pitch * (double)group->bars;
    layout->top += group->title ? ROW : 0;
    layout->y = (struct scale){
        .low = rows - 0.5, .high = -0.5, .from = layout->top + rows * ROW, .to = layout->top};
    layout->top = layout->y.from + 4;
}

static void put_frame(struct canvas *canvas, struct layout *layout, const struct chart_group *group)
{
    double tick[SCALE_TICKS];
    size_t count = scale_ticks(&layout->x, tick);
    if (group->title) {
        canvas_text_in(canvas, CANVAS_MARGIN, layout->top + ROW - 7, CANVAS_LEFT, CANVAS_STRONG,
                       CANVAS_WIDTH - 2 * CANVAS_MARGIN, group->title);
    }
    place_group(layout, group);
    for (size_t i = 0; i < count; i++) {
        double x = scale_at(&layout->x, tick[i]);
        if (x >= layout->left && x <= layout->right) {
            canvas_rule(canvas, CANVAS_GRID, x, layout->y.to, x, layout->y.from);
        }
    }
    for (size_t i = 0; i < group->bars; i++) {
        put_texts(canvas, layout, &group->bar[i], scale_at(&layout->y, row_of(layout, i)));
    }
}

static void put_group(struct canvas *canvas, struct layout *layout, const struct chart_group *group)
{
    place_group(layout, group);
    canvas_panel(canvas, &layout->x, &layout->y);
    if (layout->chart->kind == CHART_SWINGS && isfinite(group->centre)) {
        canvas_rule(canvas, CANVAS_LEVEL, group->centre, layout->y.low, group->centre,
                    layout->y.high);
    }
    for (size_t i = 0; i < group->bars; i++) {
        put_bar(canvas, layout, &group->bar[i], row_of(layout, i));
    }
}

static void put_axis(struct canvas *canvas, const struct layout *layout, double y)
{
    double tick[SCALE_TICKS], last = -1e9;
    char text[QUANTITY_TEXT], title[256];
    const char *unit = scale_unit(&layout->x);
    size_t count = scale_ticks(&layout->x, tick);
    canvas_rule(canvas, CANVAS_AXIS, layout->left, y, layout->right, y);
    for (size_t i = 0; i < count; i++) {
        double x = scale_at(&layout->x, tick[i]);
        double half = canvas_width(scale_tick_text(&layout->x, tick[i], text), CANVAS_TEXT) / 2;
        if (x < layout->left - 1 || x > layout->right + 1 || x + half > CANVAS_WIDTH - 2 ||
            x - half < last + 5) {
            continue;
        }
        canvas_rule(canvas, CANVAS_AXIS, x, y, x, y + 4);
        canvas_text(canvas, x, y + 17, CANVAS_MIDDLE, CANVAS_FAINT, text);
        last = x + half;
    }
    snprintf(title, sizeof title, "%s%s%s", layout->chart->x_title, unit[0] ? ", " : "", unit);
    char *cut = canvas_cut(title, CANVAS_TEXT, CANVAS_WIDTH - 2 * CANVAS_MARGIN);
    double half = canvas_width(cut, CANVAS_TEXT) / 2;
    double centre = fmin((layout->left + layout->right) / 2, CANVAS_WIDTH - CANVAS_MARGIN - half);
    canvas_text(canvas, fmax(centre, CANVAS_MARGIN + half), y + 36, CANVAS_MIDDLE, CANVAS_FAINT,
                cut);
    free(cut);
}

void chart_bars(FILE *out, const struct chart_bars *chart)
{
    struct canvas canvas;
    struct layout layout = {.chart = chart, .x = x_scale(chart)};
    double head = canvas_heading(NULL, chart->title, chart->subtitle);
    double key = put_keys(NULL, chart, 0), height = head + key + 48;
    double labels = widest(chart, false) + 1, notes = widest(chart, true) + 1;
    bool above = labels + notes > BESIDE_SHARE * CANVAS_WIDTH;
    settle(chart, &layout.x);
    layout.pitch = above ? PITCH : 1;
    layout.left = CANVAS_MARGIN + (above ? 10 : labels + 14);
    layout.note = CANVAS_WIDTH - CANVAS_MARGIN - notes;
    layout.right = above ? CANVAS_WIDTH - CANVAS_MARGIN - 10 : layout.note - 14;
    layout.x.from = layout.left;
    layout.x.to = layout.right;
    for (size_t g = 0; g < chart->groups; g++) {
        height += layout.pitch * (double)chart->group[g].bars * ROW +
                  (chart->group[g].title ? ROW : 0) + 4;
    }
    canvas_open(&canvas, out, height);
    canvas_whole(&canvas);
    canvas_heading(&canvas, chart->title, chart->subtitle);
    put_keys(&canvas, chart, head);
    layout.top = head + key;
    for (size_t g = 0; g < chart->groups; g++) {
        put_frame(&canvas, &layout, &chart->group[g]);
    }
    put_axis(&canvas, &layout, layout.top);
    layout.top = head + key;
    for (size_t g = 0; g < chart->groups; g++) {
        put_group(&canvas, &layout, &chart->group[g]);
    }
    canvas_close(&canvas);
}

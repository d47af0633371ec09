/* What holds over two axes: a letter and a colour for each cell, in panels under or beside each
 * other. */
#include "core/invariant.h"
#include "report/chart/canvas.h"
#include "report/chart/chart.h"

#include <math.h>
#include <stdlib.h>

#define CELL_WIDTH 44.0 /* where there is room, and more for wide texts below */
#define CELL_HEIGHT 22.0
#define GAP 24.0 /* between panels */
#define LABEL_SHARE 0.3 /* the most that texts beside cells take of the width */

struct layout {
    const struct chart_map *chart;
    size_t columns;
    double left, top; /* of the first panel's cells */
    double cell; /* width */
    double width, height; /* from one panel to the next */
    size_t lines; /* of the texts below, which take turns where one line has no room for all */
};

#define TURNS_MAX 6 /* texts that take turns: of more, numbers all, some are left out */

static double widest(const char *const *text, size_t count)
{
    double max = 0;
    for (size_t i = 0; i < count; i++) {
        max = fmax(max, canvas_width(text[i], CANVAS_TEXT));
    }
    return max;
}

/* As many panels side by side as there is room for, each with its texts at the left. */
static struct layout lay_out(const struct chart_map *chart)
{
    struct layout layout = {.chart = chart, .columns = 1};
    double labels = fmin(widest(chart->y, chart->ys), LABEL_SHARE * CANVAS_WIDTH) + 8;
    double room = CANVAS_WIDTH - 2 * CANVAS_MARGIN;
    layout.left = CANVAS_MARGIN + labels;
    double cell = fmax(CELL_WIDTH, widest(chart->x, chart->xs) + 8);
    layout.cell = fmin(cell, (room - labels) / (double)chart->xs);
    double panel = labels + layout.cell * (double)chart->xs;
    while (layout.columns < chart->panels && layout.columns < 3 &&
           (double)(layout.columns + 1) * (panel + GAP) - GAP <= room &&
           (double)(layout.columns + 1) * (170 + GAP) - GAP <= room) {
        layout.columns++;
    }
    bool turns = cell > layout.cell && cell <= 2 * layout.cell && chart->xs <= TURNS_MAX;
    layout.lines = turns ? 2 : 1;
    layout.width = (room + GAP) / (double)layout.columns;
    layout.height = (chart->panels > 1 ? CANVAS_LINE + 4 : 4) + CELL_HEIGHT * (double)chart->ys +
                    CANVAS_LINE * (double)layout.lines + 14;
    return layout;
}

/* Returns how high it is; `canvas` NULL: only that. */
static double put_key(struct canvas *canvas, const struct chart_map *chart, double top)
{
    double x = CANVAS_MARGIN, y = top + CANVAS_LINE;
    for (size_t i = 0; i < chart->keys; i++) {
        char *text = canvas_cut(chart->key[i].text, CANVAS_TEXT, CANVAS_WIDTH / 2);
        double width = 26 + canvas_width(text, CANVAS_TEXT);
        if (x + width > CANVAS_WIDTH - CANVAS_MARGIN && x > CANVAS_MARGIN) {
            x = CANVAS_MARGIN;
            y += CANVAS_LINE + 4;
        }
        if (canvas) {
            canvas_box(canvas, CANVAS_PART, chart->key[i].style, x, y - 13, x + 20, y + 3);
            canvas_text(canvas, x + 10, y - 1, CANVAS_MIDDLE, CANVAS_LETTER, chart->key[i].letter);
            canvas_text(canvas, x + 25, y - 1, CANVAS_LEFT, CANVAS_INK, text);
        }
        x += width + 14;
        free(text);
    }
    return chart->keys ? y - top + 12 : 0;
}

static void put_cells(struct canvas *canvas, const struct layout *layout, size_t panel)
{
    const struct chart_map *chart = layout->chart;
    double left = layout->left + (double)(panel % layout->columns) * layout->width;
    const size_t row = panel / layout->columns;
    double top =
        layout->top + (double)row * layout->height + (chart->panels > 1 ? CANVAS_LINE + 4 : 4);
    double bottom = top + CELL_HEIGHT * (double)chart->ys;
    for (size_t i = 0; i < chart->xs * chart->ys; i++) {
        const struct chart_cell *cell = &chart->panel[panel].cell[i];
        const size_t above = i / chart->xs;
        double x = left + layout->cell * (double)(i % chart->xs);
        double y = bottom - CELL_HEIGHT * (double)above;
        canvas_rule(canvas, CANVAS_GRID, x, y, x + layout->cell, y);
        if (cell->text) {
            canvas_box(canvas, cell->full ? CANVAS_PART : CANVAS_BAND, cell->style, x + 0.5,
                       y - CELL_HEIGHT + 0.5, x + layout->cell - 0.5, y - 0.5);
            if (canvas_width(cell->text, CANVAS_TEXT) < layout->cell) {
                canvas_text(canvas, x + layout->cell / 2, y - 7, CANVAS_MIDDLE, CANVAS_LETTER,
                            cell->text);
            }
        }
    }
}

/* Title, and the values beside and below the cells, as far as there is room. */
static void put_texts(struct canvas *canvas, const struct layout *layout, size_t panel)
{
    const struct chart_map *chart = layout->chart;
    double from = CANVAS_MARGIN + (double)(panel % layout->columns) * layout->width;
    double left = layout->left + (double)(panel % layout->columns) * layout->width;
    const size_t row = panel / layout->columns;
    double top = layout->top + (double)row * layout->height;
    double bottom = top + layout->height - CANVAS_LINE * (double)layout->lines - 14;
    double last[2] = {from - 5, from - 5};
    double end = fmin(from + layout->width - 4, CANVAS_WIDTH - 2);
    if (chart->panel[panel].title) {
        canvas_text_in(canvas, from, top + CANVAS_LINE - 4, CANVAS_LEFT, CANVAS_STRONG,
                       fmin(layout->width - GAP / 2, CANVAS_WIDTH - from - 2),
                       chart->panel[panel].title);
    }
    for (size_t i = 0; i < chart->ys; i++) {
        canvas_text_in(canvas, left - 6, bottom - CELL_HEIGHT * ((double)i + 0.5) + 4, CANVAS_RIGHT,
                       CANVAS_FAINT, layout->left - CANVAS_MARGIN - 8, chart->y[i]);
    }
    for (size_t i = 0; i < chart->xs; i++) {
        double half = canvas_width(chart->x[i], CANVAS_TEXT) / 2;
        double x = fmin(left + layout->cell * ((double)i + 0.5), end - half);
        size_t line = i % layout->lines;
        x = layout->lines > 1 ? fmax(x, from + half) : x;
        if (x - half > last[line] + 5) {
            canvas_text(canvas, x, bottom + 15 + CANVAS_LINE * (double)line, CANVAS_MIDDLE,
                        CANVAS_FAINT, chart->x[i]);
            last[line] = x + half;
        }
    }
}

void chart_map(FILE *out, const struct chart_map *chart)
{
    struct canvas canvas;
    struct layout layout = lay_out(chart);
    INVARIANT(chart->panels > 0 && chart->panels <= CHART_PANELS && chart->xs > 0 && chart->ys > 0,
              "a map of %zu panels", chart->panels);
    double head = canvas_heading(NULL, chart->title, chart->subtitle);
    double key = put_key(NULL, chart, 0);
    size_t rows = (chart->panels + layout.columns - 1) / layout.columns;
    layout.top = head + key + CANVAS_LINE;
    double bottom = layout.top + (double)rows * layout.height;
    canvas_open(&canvas, out, bottom + CANVAS_LINE);
    canvas_whole(&canvas);
    canvas_heading(&canvas, chart->title, chart->subtitle);
    put_key(&canvas, chart, head);
    double room = CANVAS_WIDTH - 2 * CANVAS_MARGIN;
    canvas_text_in(&canvas, CANVAS_MARGIN, layout.top - 2, CANVAS_LEFT, CANVAS_FAINT, room,
                   chart->y_title);
    canvas_text_in(&canvas, CANVAS_WIDTH / 2, bottom + 6, CANVAS_MIDDLE, CANVAS_FAINT, room,
                   chart->x_title);
    for (size_t i = 0; i < chart->panels; i++) {
        put_cells(&canvas, &layout, i);
        put_texts(&canvas, &layout, i);
    }
    canvas_close(&canvas);
}

void chart_nothing(FILE *out, const char *title)
{
    struct canvas canvas;
    canvas_open(&canvas, out, canvas_heading(NULL, title, "") + CANVAS_MARGIN);
    canvas_whole(&canvas);
    canvas_heading(&canvas, title, "");
    canvas_close(&canvas);
}

#include "report/chart/canvas.h"

#include "core/alloc.h"
#include "core/tojson.h"
#include "report/chart/chart.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of the file, by their first column. */
enum row { ROW_LINE = 1, ROW_BAND, ROW_MARK, ROW_RULE, ROW_BOX, ROW_TEXT };

/* --- text --- */

/* Hundredths of the size, from the blank to the tilde. */
static const unsigned char widths[] = {
    32, 41, 46, 84, 64, 96, 78, 28, 40,  40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 54, 100, 69, 69, 70, 77, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79,
    61, 79, 70, 64, 62, 74, 69, 99, 69,  62, 69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64,
    64, 28, 28, 58, 28, 98, 64, 62, 64,  64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84};

#define WIDTH_OTHER 100 /* of all that is not ASCII */

static double character_width(unsigned char c)
{
    return c < ' '    ? widths[0]
           : c < 0x7f ? widths[c - ' ']
           : c < 0xc0 ? 0 /* goes on with a character */
                      : WIDTH_OTHER;
}

double canvas_width(const char *text, double size)
{
    double sum = 0;
    for (; *text; text++) {
        sum += character_width((unsigned char)*text);
    }
    return sum * size / 100;
}

char *canvas_cut(const char *text, double size, double width)
{
    static const char dots[] = "...";
    size_t length = strlen(text);
    char *cut = alloc_raw(length + sizeof dots, 1, "a figure");
    memcpy(cut, text, length + 1);
    if (canvas_width(text, size) <= width) {
        return cut;
    }
    do {
        while (length > 0 && ((unsigned char)cut[--length] & 0xc0) == 0x80) {}
        memcpy(cut + length, dots, sizeof dots);
    } while (length > 0 && canvas_width(cut, size) > width);
    return cut;
}

struct text_list {
    struct text_list *next;
    double x, y;
    int style;
    char *text;
};

/* No tab, quote or control character, which would mean something in the file, and no byte
 * that is no UTF-8. */
void canvas_text(struct canvas *canvas, double x, double y, enum canvas_anchor anchor,
                 enum canvas_kind kind, const char *text)
{
    struct text_list **end = &canvas->texts;
    struct text_list *one = alloc_zeroed(1, sizeof *one, "a figure");
    json_t *clean = tojson_text(text);
    one->text = strdup(json_string_value(clean));
    json_decref(clean);
    for (char *at = one->text; at && *at; at++) {
        unsigned char c = (unsigned char)*at;
        *at = (char)(c == '"' ? '\'' : c < ' ' || c == 0x7f ? ' ' : c);
    }
    one->x = x;
    one->y = y;
    one->style = (int)anchor + 3 * (int)kind;
    while (*end) {
        end = &(*end)->next;
    }
    *end = one;
}

void canvas_text_in(struct canvas *canvas, double x, double y, enum canvas_anchor anchor,
                    enum canvas_kind kind, double room, const char *text)
{
    char *cut = canvas_cut(text, CANVAS_TEXT * (kind == CANVAS_STRONG ? CANVAS_BOLD : 1), room);
    canvas_text(canvas, x, y, anchor, kind, cut);
    free(cut);
}

/* How much of a text stands in one line: up to a blank, or where no word ends in it, all
 * of the first one. */
static size_t line_length(const char *text, double size)
{
    size_t length = 0, room = 0;
    double used = 0;
    for (; text[length]; length++) {
        used += character_width((unsigned char)text[length]) * size / 100;
        bool unit = length > 0 && isdigit((unsigned char)text[length - 1]); /* stays with it */
        if (text[length] == ' ' && !unit && used <= CANVAS_WIDTH - 2 * CANVAS_MARGIN) {
            room = length;
        }
    }
    return used <= CANVAS_WIDTH - 2 * CANVAS_MARGIN || room == 0 ? length : room;
}

size_t chart_title_lines(const char *title)
{
    size_t lines = 0;
    while (*title) {
        title += line_length(title, CANVAS_TITLE * CANVAS_BOLD);
        title += strspn(title, " ");
        lines++;
    }
    return lines;
}

#define LINES_MAX 4

static double put_lines(struct canvas *canvas, const char *text, double y, enum canvas_kind kind)
{
    double size = kind == CANVAS_HEAD ? CANVAS_TITLE : CANVAS_TEXT, height = 0;
    double wide = kind == CANVAS_HEAD ? size * CANVAS_BOLD : size;
    for (int i = 0; *text && i < LINES_MAX; i++) {
        size_t length = i + 1 < LINES_MAX ? line_length(text, wide) : strlen(text);
        char *line = strndup(text, length);
        char *cut = canvas_cut(line, wide, CANVAS_WIDTH - 2 * CANVAS_MARGIN);
        height += size * 1.3;
        if (canvas) {
            canvas_text(canvas, CANVAS_MARGIN, y + height, CANVAS_LEFT, kind, cut);
        }
        free(line);
        free(cut);
        text += length;
        text += strspn(text, " ");
    }
    return height;
}

double canvas_heading(struct canvas *canvas, const char *title, const char *subtitle)
{
    double height = put_lines(canvas, title, CANVAS_MARGIN / 2, CANVAS_HEAD);
    height += put_lines(canvas, subtitle, height + CANVAS_MARGIN / 2, CANVAS_FAINT);
    return height + CANVAS_MARGIN;
}

/* --- the file --- */

static void put_row(struct canvas *canvas, enum row row, int style, const double value[4],
                    const char *text)
{
    fprintf(canvas->out, "%d\t%d", (int)row, style);
    for (size_t i = 0; i < 4; i++) {
        if (isfinite(value[i])) {
            fprintf(canvas->out, "\t%.10g", value[i]);
        } else {
            fputs("\tNaN", canvas->out);
        }
    }
    fprintf(canvas->out, "\t%s\n", text);
}

#define VALUES(...) ((const double[4]){__VA_ARGS__})

void canvas_open(struct canvas *canvas, FILE *out, double height)
{
    *canvas = (struct canvas){.out = out, .height = height};
    fprintf(out,
            "# %.0f by %.0f points\n"
            "# kind (1 line, 2 band, 3 mark, 4 rule, 5 box, 6 text), "
            "style, x, y, x2, y2, text\n"
            "0\t0\t%.0f\t%.0f\tNaN\tNaN\t\n",
            CANVAS_WIDTH, height, CANVAS_WIDTH, height);
}

/* Two blank lines end a panel. */
void canvas_panel(struct canvas *canvas, const struct scale *x, const struct scale *y)
{
    fprintf(canvas->out, "\n\n0\t%d\t%.10g\t%.10g\t%.10g\t%.10g\t\n", 1 + x->log + 2 * y->log,
            scale_bottom(x), scale_bottom(y), x->high, y->high);
    put_row(canvas, 0, 0,
            VALUES(x->from / CANVAS_WIDTH, 1 - y->from / canvas->height, x->to / CANVAS_WIDTH,
                   1 - y->to / canvas->height),
            "");
}

void canvas_whole(struct canvas *canvas)
{
    struct scale x = {.high = CANVAS_WIDTH, .to = CANVAS_WIDTH};
    struct scale y = {.low = canvas->height, .high = 0, .from = canvas->height};
    canvas_panel(canvas, &x, &y);
}

void canvas_close(struct canvas *canvas)
{
    canvas_whole(canvas);
    while (canvas->texts) {
        struct text_list *one = canvas->texts;
        put_row(canvas, ROW_TEXT, one->style, VALUES(one->x, one->y, NAN, NAN), one->text);
        canvas->texts = one->next;
        free(one->text);
        free(one);
    }
}

void canvas_point(struct canvas *canvas, unsigned style, double x, double y)
{
    put_row(canvas, ROW_LINE, (int)style, VALUES(x, y, NAN, NAN), "");
}

void canvas_band(struct canvas *canvas, unsigned style, double x, double low, double high)
{
    put_row(canvas, ROW_BAND, (int)style, VALUES(x, low, NAN, high), "");
}

void canvas_end(struct canvas *canvas)
{
    put_row(canvas, ROW_LINE, -1, VALUES(NAN, NAN, NAN, NAN), "");
}

void canvas_mark(struct canvas *canvas, unsigned style, double x, double y)
{
    put_row(canvas, ROW_MARK, (int)style, VALUES(x, y, NAN, NAN), "");
}

void canvas_rule(struct canvas *canvas, enum canvas_rule kind, double x1, double y1, double x2,
                 double y2)
{
    put_row(canvas, ROW_RULE, (int)kind, VALUES(x1, y1, x2, y2), "");
}

void canvas_box(struct canvas *canvas, enum canvas_box kind, unsigned style, double x1, double y1,
                double x2, double y2)
{
    put_row(canvas, ROW_BOX, (int)style + 8 * (int)kind, VALUES(x1, y1, x2, y2), "");
}

/*
 * canvas - the data file that bench/plots/figure.gp draws; not for others. Panels
 * are in the units of their scales, texts in points of the picture from the top left.
 * Widths of text are those of DejaVu Sans, which is as wide as any font that may take its
 * place.
 */
#ifndef S2FLUSH_REPORT_CHART_CANVAS_H
#define S2FLUSH_REPORT_CHART_CANVAS_H

#include "core/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CANVAS_WIDTH 440.0 /* that of a phone, as good as: no text is much smaller there */
#define CANVAS_MARGIN 12.0
#define CANVAS_TITLE 16.0 /* sizes of text */
#define CANVAS_TEXT 12.5
#define CANVAS_BOLD 1.12 /* by how much bold text is wider */
#define CANVAS_LINE 17.0 /* from one line of text to the next */

/* --- scales --- */

/* From values to points of the picture. On a logarithmic one 0 has a place of its own,
 * before the others. */
struct scale {
    enum unit unit;
    bool log;
    double low, high; /* values */
    double from, to; /* points */
    bool zero; /* 0 occurs */
};

#define SCALE_TICKS 12

struct scale scale_of(enum unit unit);

/* Takes in a value that must have a place. */
void scale_take(struct scale *scale, double value);

/* Decides between linear and logarithmic: the latter where the values that are not 0
 * are far apart, and none is below. Puts the ends where ticks are. */
void scale_settle(struct scale *scale, bool never_log);

double scale_at(const struct scale *scale, double value);

/* The value that stands for a value: on a logarithmic scale, one below all others for
 * 0. And the lowest that the scale has. */
double scale_value(const struct scale *scale, double value);
double scale_bottom(const struct scale *scale);

/* The values that get a tick. */
size_t scale_ticks(const struct scale *scale, double tick[SCALE_TICKS]);

/* What stands at a tick, and the unit behind the axis's title: on a linear scale all
 * ticks have the same. */
char *scale_tick_text(const struct scale *scale, double value, char *buf);
const char *scale_unit(const struct scale *scale);

/* --- what is drawn --- */

struct canvas {
    FILE *out;
    double height;
    struct text_list *texts; /* they come last, over all else */
};

enum canvas_anchor { CANVAS_LEFT, CANVAS_MIDDLE, CANVAS_RIGHT };

/* Of texts: normal, pale, bold, the title's, and letters in boxes. */
enum canvas_kind { CANVAS_INK, CANVAS_FAINT, CANVAS_STRONG, CANVAS_HEAD, CANVAS_LETTER };

/* Of rules: a level that is looked for, a hair, an axis, a line of the grid. */
enum canvas_rule { CANVAS_LEVEL, CANVAS_HAIR, CANVAS_AXIS, CANVAS_GRID };

/* Of boxes: pale for bands, full for parts of a stack. */
enum canvas_box { CANVAS_BAND, CANVAS_PART };

void canvas_open(struct canvas *canvas, FILE *out, double height);
void canvas_close(struct canvas *canvas);

/* Texts stand where their base line is at y, whatever the panel. */
void canvas_text(struct canvas *canvas, double x, double y, enum canvas_anchor anchor,
                 enum canvas_kind kind, const char *text);

/* The same in a room, cut where it is wider. */
void canvas_text_in(struct canvas *canvas, double x, double y, enum canvas_anchor anchor,
                    enum canvas_kind kind, double room, const char *text);

/* Title and subtitle, broken into lines. Returns how high they are; `canvas` NULL: only
 * that. */
double canvas_heading(struct canvas *canvas, const char *title, const char *subtitle);

/* Begins a panel with these scales, which say where it is. What follows is in it and over
 * what was before; the whole picture is a panel, too, in points from the top left. */
void canvas_panel(struct canvas *canvas, const struct scale *x, const struct scale *y);
void canvas_whole(struct canvas *canvas);

/* A point of a line or, with low and high, of a band; a line ends with canvas_end. */
void canvas_point(struct canvas *canvas, unsigned style, double x, double y);
void canvas_band(struct canvas *canvas, unsigned style, double x, double low, double high);
void canvas_end(struct canvas *canvas);

void canvas_mark(struct canvas *canvas, unsigned style, double x, double y);
#define CANVAS_MEASURED 8 /* the mark of what was measured */
#define CANVAS_RING 9 /* where lines cross */
#define CANVAS_HOLLOW 10 /* the other end of a swing */
void canvas_rule(struct canvas *canvas, enum canvas_rule kind, double x1, double y1, double x2,
                 double y2);
void canvas_box(struct canvas *canvas, enum canvas_box kind, unsigned style, double x1, double y1,
                double x2, double y2);

/* --- text --- */

/* How wide a text is, and as much of it as is no wider, "..." behind it where it was cut.
 * The caller frees what comes of it. */
double canvas_width(const char *text, double size);
char *canvas_cut(const char *text, double size, double width);

#endif

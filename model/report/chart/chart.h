/*
 * chart - figures, drawn from numbers by gnuplot: lines over an axis or cells over two in
 * one to twelve panels, or bars under each other.
 *
 * What a figure says is its title's; an axis has a title with its unit and marks at
 * what was played. Nothing leaves the frame: what is too long is cut or broken, a
 * label that would lie over another is moved or left out. Colours come with dashes
 * and marks, for grey paper.
 */
#ifndef S2FLUSH_REPORT_CHART_CHART_H
#define S2FLUSH_REPORT_CHART_CHART_H

#include "core/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct error;

#define CHART_STYLES 8 /* colour, dash and mark of a line; 0 is black and solid */
#define CHART_PANELS 12
#define CHART_LINES 8 /* in a panel */
#define CHART_CROSSINGS 4 /* as well */

/* --- lines --- */

struct chart_point {
    double x, y, low, high; /* the band; NAN: none */
};

struct chart_line {
    const char *name;
    unsigned style;
    const struct chart_point *point; /* as x rises; straight in between */
    size_t count;
};

/* The value of a line between its points; NAN: it is not there. */
double chart_value_at(const struct chart_line *line, double x);

/* A value that is looked for, as a line across. */
struct chart_level {
    const char *text;
    double y;
};

/* Where two lines cross, with its band; NAN: none. */
struct chart_crossing {
    const char *text;
    double x, y, low, high;
};

struct chart_panel {
    const char *title; /* NULL where there is one panel */
    const struct chart_line *line;
    size_t lines;
    const struct chart_level *level;
    size_t levels;
    const struct chart_crossing *crossing;
    size_t crossings;
};

struct chart_tick {
    double at;
    const char *text;
};

struct chart_lines {
    const char *title, *subtitle;
    const char *x_title, *y_title; /* the unit of y is added */
    enum unit y_unit;
    bool x_log;
    const struct chart_tick *tick; /* where it was played */
    size_t ticks;
    const struct chart_panel *panel;
    size_t panels; /* CHART_PANELS at most */
};

/* The data file for bench/plots/figure.gp. Panels that show the same are drawn once. */
void chart_lines(FILE *out, const struct chart_lines *given);

/* --- bars --- */

enum chart_bars_kind {
    CHART_DOTS, /* a mark at `at` with its band from low to high */
    CHART_STACKS, /* parts, one behind the other from 0 */
    CHART_SWINGS, /* from low to high, across the group's centre */
};

struct chart_bar {
    const char *label;
    const char *note; /* to the right of it; NULL: none */
    unsigned style;
    bool strong; /* the one that the figure is about */
    double at, low, high; /* NAN: not known */
    double measured; /* another mark; NAN: none */
    double measured_low, measured_high; /* its band; both 0: none */
    const double *part; /* of `parts` that the chart has */
};

struct chart_group {
    const char *title; /* NULL where there is one group */
    const struct chart_bar *bar;
    size_t bars;
    double centre;
};

struct chart_bars {
    enum chart_bars_kind kind;
    const char *title, *subtitle, *x_title; /* the unit is added */
    enum unit unit;
    const char *const *part; /* names of the parts of stacks */
    size_t parts;
    const char *at_text, *measured_text; /* what the marks are; NULL: no key */
    const struct chart_group *group;
    size_t groups;
};

void chart_bars(FILE *out, const struct chart_bars *chart);

/* --- cells --- */

struct chart_cell {
    const char *text; /* a letter or two; NULL: an empty cell */
    unsigned style;
    bool full; /* else pale */
};

struct chart_cells {
    const char *title; /* NULL where there is one panel */
    const struct chart_cell *cell; /* [y][x], y from the bottom up */
};

struct chart_key {
    const char *letter, *text;
    unsigned style;
};

/* What holds over two axes, each with the values that were played. */
struct chart_map {
    const char *title, *subtitle, *x_title, *y_title;
    const char *const *x, *const *y;
    size_t xs, ys;
    const struct chart_key *key;
    size_t keys;
    const struct chart_cells *panel;
    size_t panels; /* CHART_PANELS at most */
};

void chart_map(FILE *out, const struct chart_map *chart);

/* A figure that says in a sentence why there is none. */
void chart_nothing(FILE *out, const char *title);

/* How many lines a figure's title takes; what is beyond four is cut. */
size_t chart_title_lines(const char *title);

/* --- drawing --- */

/* Draws a data file into STEM.svg and STEM.png in a folder. */
bool chart_files(const char *data, const char *folder, const char *stem, struct error *err);

/* Writes a picture as a file of its own, dark where its reader's screen is. */
void chart_alone(FILE *out, const char *svg);

/* The picture of a data file, to be put into a page: of each page's pictures another
 * `name`, a plain word. The caller frees it. False where gnuplot is not there, or did
 * not draw what it should. */
bool chart_svg(const char *data, const char *name, char **svg, struct error *err);

#endif

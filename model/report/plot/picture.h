/*
 * picture - the figures that `plot` draws by itself: which table each takes, what must be in
 * it, and what it comes to as a chart.
 */
#ifndef S2FLUSH_REPORT_PLOT_PICTURE_H
#define S2FLUSH_REPORT_PLOT_PICTURE_H

#include "study/metrics.h"

#include <stdio.h>

struct plot; /* report/plot/plot_table.h */

#define PLOT_ROWS "rows.csv"

/* A column of the rows that has so many different values; min 0: or there is none of that name. */
struct picture_axis {
    const char *name;
    size_t min, max;
};

struct picture {
    const char *name; /* of its files */
    const char *table;
    const struct picture_axis *axis; /* all others have one value each; the last has no name */
    const enum metric *metric; /* that must be there */
    size_t metrics;
    void (*lay_out)(struct plot *plot, FILE *out); /* writes the chart's data */
    const char *also; /* another table that it takes; NULL: none */
};

/* By their names; the last one has none. */
extern const struct picture pictures[];

void picture_curves(struct plot *plot, FILE *out);
void picture_pause(struct plot *plot, FILE *out);
void picture_touched(struct plot *plot, FILE *out);
void picture_where(struct plot *plot, FILE *out);
void picture_added_boot(struct plot *plot, FILE *out);
void picture_cases(struct plot *plot, FILE *out);
void picture_breakeven(struct plot *plot, FILE *out);
void picture_map(struct plot *plot, FILE *out);
void picture_tornado(struct plot *plot, FILE *out);
void picture_advise(struct plot *plot, FILE *out);

#endif

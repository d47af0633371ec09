/*
 * picture - the figures that `plot` draws by itself: which table each takes, what must be in
 * it, and what it comes to as a chart.
 */
#ifndef S2FLUSH_REPORT_PLOT_PICTURE_H
#define S2FLUSH_REPORT_PLOT_PICTURE_H

#include <stdio.h>

struct plot; /* report/plot/plot_table.h */

struct picture {
    const char *needs; /* as the head of a script has it (bench/plots/style.gp), one a line */
    void (*lay_out)(struct plot *plot, FILE *out); /* writes the chart's data */
    const char *also; /* another table that it takes; NULL: none */
};

/* By the names of their files; the last one has no needs. */
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

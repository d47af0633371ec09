/*
 * picture - the figures that `plot` draws by itself: which table each takes, what must be in
 * it, and what it comes to as a chart.
 */
#ifndef S2FLUSH_REPORT_PLOT_PICTURE_H
#define S2FLUSH_REPORT_PLOT_PICTURE_H

#include "core/csv.h"

#include <stdbool.h>
#include <stdio.h>

struct error;

struct picture {
    const char *needs; /* as the head of a script has it (bench/plots/style.gp), one a line */
    /* Writes the chart's data. False where another table of the folder cannot be read. */
    bool (*lay_out)(const struct csv *table, const char *folder, FILE *out, struct error *err);
};

/* By the names of their files; the last one has no needs. */
extern const struct picture pictures[];

bool picture_curves(const struct csv *table, const char *folder, FILE *out, struct error *err);
bool picture_pause(const struct csv *table, const char *folder, FILE *out, struct error *err);
bool picture_touched(const struct csv *table, const char *folder, FILE *out, struct error *err);
bool picture_where(const struct csv *table, const char *folder, FILE *out, struct error *err);
bool picture_added_boot(const struct csv *table, const char *folder, FILE *out, struct error *err);
bool picture_cases(const struct csv *table, const char *folder, FILE *out, struct error *err);
bool picture_breakeven(const struct csv *table, const char *folder, FILE *out, struct error *err);
bool picture_map(const struct csv *table, const char *folder, FILE *out, struct error *err);
bool picture_tornado(const struct csv *table, const char *folder, FILE *out, struct error *err);
bool picture_advise(const struct csv *table, const char *folder, FILE *out, struct error *err);

#endif

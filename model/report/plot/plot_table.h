/*
 * plot_table - what figures ask of a table of results: which values a column has, the
 * row of a case, and what it says.
 */
#ifndef S2FLUSH_REPORT_PLOT_PLOT_TABLE_H
#define S2FLUSH_REPORT_PLOT_PLOT_TABLE_H

#include "core/csv.h"
#include "report/chart/chart.h"
#include "report/quantity.h"
#include "study/metrics.h"

#include <stdbool.h>
#include <stddef.h>

#define PLOT_VALUES 64 /* of a column; more are not drawn */
#define PLOT_NO_ROW SIZE_MAX

/* A table that a figure is made of, with what the figure needs until it is drawn. */
struct plot {
    const struct csv *table;
    const struct csv *also; /* another one of the folder; NULL: the figure takes one */
    struct plot_room *first;
};

/* Memory, all 0, and a text; plot_free gives all back. */
void *plot_room(struct plot *plot, size_t count, size_t size);
char *plot_text(struct plot *plot, const char *format, ...) __attribute__((format(printf, 2, 3)));
void plot_free(struct plot *plot);

/* The different values of a column, as they come; none where there is no such column. */
struct plot_values {
    const char *text[PLOT_VALUES];
    size_t count;
};

struct plot_values plot_values(const struct csv *table, const char *column);

/* The value nearest to one, by their ratio; NULL: there is none. */
const char *plot_nearest(const struct plot_values *values, double wanted);

/* The first row with these cells; NULL for what may be any, or where the table has no
 * such column. */
struct plot_match {
    const char *column, *value;
};

size_t plot_row(const struct csv *table, const struct plot_match *match, size_t count);

/* Cells of a row by the name of their column: a text, and a number, NAN where there is
 * none. */
const char *plot_cell(const struct csv *table, size_t row, const char *column);
double plot_number(const struct csv *table, size_t row, const char *column);

/* Which metric a table is of, by its column of that name. */
enum metric plot_metric(const struct csv *table);

/* The median with its band, or what stands at the modes; NANs for PLOT_NO_ROW. */
struct band plot_band(const struct csv *table, size_t row);

/* What may be had: no reader finds stale bytes, and the machine has the hardware. */
bool plot_sound(const struct csv *table, size_t row);
bool plot_stale(const struct csv *table, size_t row);
bool plot_hypothetical(const struct csv *table, size_t row);
bool plot_conditional(const struct csv *table, size_t row);

/* A strategy's name as figures have it: "unmap (Linux)", "fwb (hypothetical)", "eager *". */
#define PLOT_LINUX "unmap"
const char *plot_strategy(struct plot *plot, size_t row);

/* The values of an axis as they rise, each with its tick. */
void plot_ticks(struct plot *plot, struct plot_values *along, enum unit unit,
                struct chart_tick tick[], struct chart_lines *chart);

/* Black for what Linux does, then one each. */
unsigned plot_style(const struct plot_values *strategies, size_t strategy);

/* A value of a key: "8 vCPUs"; of `backing`: the leaves. */
const char *plot_value(struct plot *plot, const char *key, const char *value);

/* A case as analyses name it: "backing=4k; vcpus=8" as "4 KiB leaves, 8 vCPUs". */
const char *plot_case(struct plot *plot, const char *name);

/* " The first 8 of 10 cases.", or "" where all are shown. */
const char *plot_first_of(struct plot *plot, size_t shown, size_t cases);

/* What all rows have in common, for the line below a title: those of the keys that have
 * one value, by the rows or, where no axis says it, by the run.json beside them. `also`: "" or
 * words to stand in front. */
const char *plot_common(struct plot *plot, const char *also);

#endif

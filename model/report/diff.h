/*
 * diff - two result folders, row by row.
 *
 * Rows belong together where all axes and the metric agree. An axis that only one
 * of the two has must have one value there. One that has one value in each, and
 * not the same (another kernel, another machine), is what is compared: rows
 * belong together without it. The difference is of the means
 * (of the values at the modes, where one of the two has no draws), with the 95 % interval
 * that the two means' intervals give if they are independent. Paired draws are
 * closer than that; rows do not tell how much.
 *
 * mark   =   the same number
 *        ~   each median lies within the other's band p10..p90
 *        -   less in the second,   +   more in the second
 *        ?   known in one of the two only
 *        !   the verdict changed, whatever the number
 */
#ifndef S2FLUSH_REPORT_DIFF_H
#define S2FLUSH_REPORT_DIFF_H

#include "core/csv.h"

struct error;

struct diff_row {
    size_t a, b; /* rows of the two tables; SIZE_MAX: not there */
    double value_a, value_b, difference; /* NAN: not known */
    double low, high; /* of the difference; NAN: no interval */
    char mark; /* ' ' where a row has no partner */
};

struct diff {
    struct csv a, b;
    int axes[64]; /* columns of a that identify a row; the metric is the last */
    size_t axis_count;
    int apart[16]; /* columns of a with one value in each table, and not the same */
    size_t apart_count;
    struct diff_row *row;
    size_t count;
    size_t same, within, changed, alone; /* how many rows of which kind */
};

/* Reads FOLDER/rows.csv of both. `metric` NULL: all. False where one is not
 * there, is no table of rows, or no row has a partner. */
bool diff_read(struct diff *diff, const char *folder_a, const char *folder_b, const char *metric,
               struct error *err);
void diff_free(struct diff *diff);

/* All rows, as CSV, the marks as words: same, ~, less, more, known, verdict. */
void diff_write(FILE *out, const struct diff *diff);

/* What is not the same, for people, and how many rows are. */
void diff_print(FILE *out, const struct diff *diff);

#endif

/*
 * columns - what each column of a study's results means, and its unit: of the rows that `run`
 * writes, and of the store that it keeps.
 */
#ifndef S2FLUSH_REPORT_COLUMNS_H
#define S2FLUSH_REPORT_COLUMNS_H

#include <stddef.h>
#include <stdio.h>

struct column {
    const char *table; /* of the store; NULL: of the rows */
    const char *name;
    const char *unit; /* "": it has none */
    const char *help;
};

/* In the order in which they stand; the axes of a study are one entry, <axis>. */
extern const struct column columns_of_rows[];
extern const size_t columns_of_rows_count;
extern const struct column columns_of_store[];
extern const size_t columns_of_store_count;

/* Both, and the metrics, as a document. */
void columns_write(FILE *out);

#endif

/*
 * cells - writing a table column by column, as CSV or as JSON lines.
 *
 * One function writes the header and every row: with `header` set the columns'
 * names come out in place of what is in them. Reals are spelled so that they
 * read back as they were. What is not known is an empty cell, or null.
 */
#ifndef S2FLUSH_REPORT_CELLS_H
#define S2FLUSH_REPORT_CELLS_H

#include "study/groups.h"

#include <stdio.h>

struct cells {
    FILE *out;
    bool header;
    bool json;
    size_t count; /* the line has so many already */
};

void cells_text(struct cells *cells, const char *name, const char *text); /* NULL: not known */
void cells_whole(struct cells *cells, const char *name, uint64_t value);
void cells_real(struct cells *cells, const char *name, double value); /* not finite: not known */
/* What a fit or the search for a root found, by a library whose last digits differ between systems:
 * nine digits, and of a share or a time in ns nothing below 1e-9. */
void cells_estimate(struct cells *cells, const char *name, double value);
void cells_flag(struct cells *cells, const char *name, bool value); /* yes or no */
void cells_end(struct cells *cells);

/* Column `case` tells the group for people; the group's axes follow, a column
 * each. */
void cells_group(struct cells *cells, const struct groups *groups, size_t group);

/* A value in the unit for people: 1.5 GiB, 34.5 %, 7.7 ns. 40 bytes suffice. */
char *cells_human(double value, enum unit unit, char *buf, size_t size);

/* The same with its band behind it, if there is one, and then with the digits that the band bears:
 * "2.5 ms (2.0 to 3.0)". What few draws leave open is below them. */
void cells_print_band(FILE *out, enum unit unit, double mid, double p10, double p90, bool band);

#endif

/*
 * plot_parts - what the files behind plot.h share; not for others.
 */
#ifndef S2FLUSH_REPORT_PLOT_PARTS_H
#define S2FLUSH_REPORT_PLOT_PARTS_H

#include "core/csv.h"
#include "report/plot.h"

struct error;

#define PLOT_ROWS "rows.csv"

/* What a script asks for. */
struct wish {
    char output[64];
    char table[64]; /* the file that it draws */
    char each[64], filled[64]; /* a picture for each value of a column, in rows where
                                  another one is filled */
    char axis[16][64];
    size_t low[16], high[16], axes;
    char metric[64][64];
    size_t metrics;
};

/* Why scripts do not fit, one behind the other; starts zeroed. */
struct reasons {
    char text[600];
    size_t used;
};

/* Reads what the script of that path asks for. False where it cannot be read, or names
 * no picture. */
bool wish_read(const char *path, struct wish *wish);

/* Whether the rows have the axes, values and metrics that the script draws; where they
 * have not, one more reason. */
bool wish_fits(const struct csv *rows, const struct wish *wish, struct reasons *reasons);

/* Whether the values of the script's axes are plain words. Scripts keep them in lists of
 * words, which a blank would cut in two; a quote or a control character is no part of an
 * honest name. False with a line that says where one is not. */
bool wish_plain_names(const struct csv *rows, const struct wish *wish, struct error *err);

/* Whether a picture's file may have the name: lower-case letters, digits, - and _. */
bool plot_name(const char *name);

#endif

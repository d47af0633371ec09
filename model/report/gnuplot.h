/*
 * gnuplot - one picture of one table, by a script of bench/plots; without a
 * shell, and no text of the user's gets into a script.
 */
#ifndef S2FLUSH_REPORT_GNUPLOT_H
#define S2FLUSH_REPORT_GNUPLOT_H

#include <stdbool.h>

struct error;

/* Draws a table of the folder with a script of that name into NAME there, as svg or png; whole or
 * not at all. `each`: the value that the picture is of, where a table has several; else "". */
bool gnuplot_draw(const char *folder, const char *script, const char *table, const char *each,
                  const char *name, const char *format, struct error *err);

#endif

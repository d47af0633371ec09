/*
 * gnuplot - one picture of one table, by a script of bench/plots; without a
 * shell, and no text of the user's gets into a script.
 */
#ifndef S2FLUSH_REPORT_GNUPLOT_H
#define S2FLUSH_REPORT_GNUPLOT_H

#include "report/output.h"

struct error;

/* Where things are; all absolute, for the script runs in the rows' folder. */
struct places {
    char scripts[OUTPUT_PATH], style[OUTPUT_PATH];
    const char *folder;
    const char *stays; /* what is there without a picture */
    const char *each; /* the value that a picture is of, where each has one; NULL: none */
};

/* Finds the scripts. */
bool gnuplot_places(const char *folder, struct places *places, struct error *err);

/* Draws a table of the folder with a script (its whole path) into NAME there, as
 * svg or png; whole or not at all. */
bool gnuplot_draw(const struct places *places, const char *script, const char *table,
                  const char *name, const char *format, struct error *err);

/* The same for a script by its name, where the table goes away afterwards. */
bool gnuplot_table(const char *folder, const char *script, const char *table, const char *name,
                   const char *format, struct error *err);

#endif

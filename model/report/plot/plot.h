/*
 * plot - pictures of a study's tables, drawn by gnuplot: those that picture.h has, and predictions
 * against measurements (bench/plots/validate.gp). No text of the user's gets into a script.
 */
#ifndef S2FLUSH_REPORT_PLOT_PLOT_H
#define S2FLUSH_REPORT_PLOT_PLOT_H

#include <stdbool.h>
#include <stdio.h>

struct error;

/* Draws all that fits FOLDER/rows.csv, or another table of the folder, each as SVG and PNG; names
 * what it drew on `messages` (NULL: says nothing). False where nothing fits, gnuplot is missing, or
 * a script failed; pictures that are done stay. */
bool plot_folder(const char *folder, FILE *messages, struct error *err);

#endif

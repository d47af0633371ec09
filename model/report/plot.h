/*
 * plot - pictures of a study's rows, drawn by gnuplot.
 *
 * A script in bench/plots says in its head what it needs of the rows
 * (bench/plots/style.gp explains how); those that fit are run, in the folder
 * of the rows and without a shell. No text of the user's gets into a script.
 */
#ifndef S2FLUSH_REPORT_PLOT_H
#define S2FLUSH_REPORT_PLOT_H

#include <stdbool.h>
#include <stdio.h>

struct error;

/* Draws all that fits FOLDER/rows.csv, or another table of the folder that a
 * script asks for, each as SVG and PNG; names what it drew
 * on `messages` (NULL: says nothing). False where nothing fits, gnuplot is
 * missing, or a script failed; pictures that are done stay. */
bool plot_folder(const char *folder, FILE *messages, struct error *err);

#endif

/*
 * plot - pictures of a study's tables, drawn by gnuplot: those that the program lays out
 * itself (picture.h), and the scripts in bench/plots that say in their heads what they need
 * of the rows (bench/plots/style.gp explains how). No text of the user's gets into a script.
 */
#ifndef S2FLUSH_REPORT_PLOT_PLOT_H
#define S2FLUSH_REPORT_PLOT_PLOT_H

#include <stdbool.h>
#include <stdio.h>

struct error;

/* Draws all that fits FOLDER/rows.csv, or another table of the folder that a
 * script asks for, each as SVG and PNG; names what it drew
 * on `messages` (NULL: says nothing). False where nothing fits, gnuplot is
 * missing, or a script failed; pictures that are done stay. */
bool plot_folder(const char *folder, FILE *messages, struct error *err);

#endif

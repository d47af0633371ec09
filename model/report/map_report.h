/*
 * map_report - a winner map as a table, and as letters for a terminal.
 */
#ifndef S2FLUSH_REPORT_MAP_REPORT_H
#define S2FLUSH_REPORT_MAP_REPORT_H

#include "study/winner_map.h"

#include <stdio.h>

/* A row for each cell. `letter` stands for the winner, the same in the whole
 * table: strategies of the study in their order, A and on. */
void map_rows_write(FILE *out, const struct winner_map_results *results);

/* The map in letters: lower case where it is undecided, `*` behind a winner
 * that depends on a condition, `-` where none can win. */
void map_print(FILE *out, const struct winner_map_results *results);

#endif

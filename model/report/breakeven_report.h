/*
 * breakeven_report - break-even points as tables and as sentences.
 */
#ifndef S2FLUSH_REPORT_BREAKEVEN_REPORT_H
#define S2FLUSH_REPORT_BREAKEVEN_REPORT_H

#include "study/breakeven.h"

#include <stdio.h>

/* A row for each crossing, and for each pair without one; numbers of the axis in
 * base units. Columns of bytes, ns and shares are plain numbers. */
void breakeven_rows_write(FILE *out, const struct breakeven_results *results);

/* The compared strategies along the axis: what a curve is drawn of. */
void breakeven_curves_write(FILE *out, const struct breakeven_results *results);

/* A sentence for each row. */
void breakeven_print(FILE *out, const struct breakeven_results *results);

#endif

/*
 * sensitivity_report - which costs matter, as tables and as sentences.
 */
#ifndef S2FLUSH_REPORT_SENSITIVITY_REPORT_H
#define S2FLUSH_REPORT_SENSITIVITY_REPORT_H

#include "study/sensitivity.h"

#include <stdio.h>

/* A row for each cell and cost that changes something there. `rank` is by the
 * width of the tornado's bar, 1 the widest. */
void sensitivity_rows_write(FILE *out, const struct sensitivity_results *results);

/* A row for each machine and cost with some spread; `rank` is by the gain. */
void sensitivity_information_write(FILE *out, const struct sensitivity_results *results);

/* The costs that matter most, and the one to measure first. */
void sensitivity_print(FILE *out, const struct sensitivity_results *results);

#endif

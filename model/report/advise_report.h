/*
 * advise_report - ladders of kernel changes: as text, as the table advise.csv, as JSON.
 */
#ifndef S2FLUSH_REPORT_ADVISE_REPORT_H
#define S2FLUSH_REPORT_ADVISE_REPORT_H

#include "study/advise.h"

#include <stdio.h>

void advise_print(FILE *out, const struct advise_results *results);

/* A row for each rung. */
void advise_rows_write(FILE *out, const struct advise_results *results);

void advise_json_write(FILE *out, const struct advise_results *results);

#endif

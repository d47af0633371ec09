/*
 * target_report - which values keep a limit, as a table and as sentences.
 */
#ifndef S2FLUSH_REPORT_TARGET_REPORT_H
#define S2FLUSH_REPORT_TARGET_REPORT_H

#include "study/target.h"

#include <stdio.h>

/* A row for each group and strategy; empty cells where no value keeps the limit. */
void target_rows_write(FILE *out, const struct target_results *results);

/* A sentence for each row. */
void target_print(FILE *out, const struct target_results *results);

#endif

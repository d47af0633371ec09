/*
 * run_json - beside the rows: which program made them, where and when, and
 * every setting with its source.
 */
#ifndef S2FLUSH_REPORT_RUN_JSON_H
#define S2FLUSH_REPORT_RUN_JSON_H

#include "study/execute.h"

#include <stdio.h>

/* The date is that of SOURCE_DATE_EPOCH where it is set. False with a line
 * where that is no number. */
bool run_json_write(FILE *out, const struct study *study, const struct study_results *results,
                    struct error *err);

#endif

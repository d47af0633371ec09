/*
 * rows - the results of a study as a long table: one line for each point and
 * metric.
 *
 *   study                    its name
 *   workload, machine ...    one column for each axis, numbers in base units
 *   metric, unit             study/metrics.h
 *   n                        draws behind the following; 0: only the mode
 *   mode                     with every cost at its mode
 *   mean, p10, p50, p90      over the draws
 *   interval_low, _high      95 % confidence interval of the mean
 *   hypothetical             "no", or why it exists only on paper
 *   verdict, condition       of all readers together; what it leans on, or who
 *                            reads stale lines
 *   config_hash              of all that determines the point
 *   schema_version           of these columns
 *
 * What is not known is an empty cell, or null.
 */
#ifndef S2FLUSH_REPORT_ROWS_H
#define S2FLUSH_REPORT_ROWS_H

#include "study/execute.h"

#include <stdio.h>

#define ROWS_SCHEMA 1

enum rows_format { ROWS_CSV, ROWS_JSONL, ROWS_FORMATS };

/* The header line of CSV. */
void rows_columns(FILE *out, const struct study *study);

/* The rows of the wanted metrics of one point. */
void rows_point(FILE *out, enum rows_format format, const struct study *study, size_t index,
                const struct point_result *point, const bool wanted[METRICS]);

/* Writes all rows of the wanted metrics. CSV has a header line. */
void rows_write(FILE *out, enum rows_format format, const struct study *study,
                const struct study_results *results, const bool wanted[METRICS]);

/* What a verdict leans on or fails by, as text for people; "" if coherent. */
void verdict_condition(const struct verdict verdict[READERS], enum outcome worst, char *text,
                       size_t size);

#endif

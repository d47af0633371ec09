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
 *   verdict, condition       of all readers together; what it depends on, or who
 *                            reads stale lines
 *   config_hash              of all that determines the point
 *   schema_version           of these columns
 *
 * What is not known is an empty cell, or null.
 */
#ifndef S2FLUSH_REPORT_ROWS_H
#define S2FLUSH_REPORT_ROWS_H

#include "study/store.h"

#include <stdio.h>

struct error;

#define ROWS_SCHEMA 1

enum rows_format { ROWS_CSV, ROWS_JSONL, ROWS_FORMATS };

/* Marks the formats that a word names: csv, jsonl or both. */
bool rows_formats(const char *word, bool format[ROWS_FORMATS], struct error *err);

/* Whether so many rows of the study can be read back (core/csv.h). False with one line that says
 * what to change. */
bool rows_fit(const struct study *study, uint64_t count, struct error *err);

/* The header line of CSV. */
void rows_columns(FILE *out, const struct store_about *about);

/* The rows of one point. */
void rows_point(FILE *out, enum rows_format format, const struct store_about *about,
                const struct stored_point *point);

#endif

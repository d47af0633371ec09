/*
 * export - rows.csv, rows.jsonl and run.json out of a store.
 */
#ifndef S2FLUSH_REPORT_EXPORT_H
#define S2FLUSH_REPORT_EXPORT_H

#include "report/rows.h"

struct error;

/* Writes the rows in these formats, and run.json, into a folder that exists; either all of them
 * or, with a line, none. */
bool export_write(struct store *store, const bool format[ROWS_FORMATS], const char *folder,
                  struct error *err);

#endif

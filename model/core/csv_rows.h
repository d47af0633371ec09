/*
 * csv_rows - whether rows that somebody else wrote may go into a table as they
 * stand.
 */
#ifndef S2FLUSH_CORE_CSV_ROWS_H
#define S2FLUSH_CORE_CSV_ROWS_H

#include <stddef.h>

/* Looks at whole lines of CSV: each of `columns` cells (0: any number, as in a
 * header), quoted as RFC 4180 has it, with no control character in them, and
 * none that a spreadsheet would run where csv_put had set its apostrophe. NULL
 * where all are so, else what was found. `cells` is how many the last line has;
 * it may be NULL. */
const char *csv_rows_strange(const char *text, size_t length, size_t columns, size_t *cells);

#endif

/*
 * csv - comma-separated tables: reading by column name, and safe writing.
 *
 * Reading takes RFC 4180 text, LF or CRLF, an optional byte order mark, and
 * comment lines that start with '#' before the header. Columns are found by
 * name, so files may have them in any order and with more of them.
 */
#ifndef S2FLUSH_CORE_CSV_H
#define S2FLUSH_CORE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct error;

/* What a table may hold besides 1 GiB of text. The rows of the largest study
 * that may be run are within it. */
#define CSV_COLUMNS_MAX 1024
#define CSV_CELLS_MAX ((size_t)64 << 20)
#define CSV_COMMENTS_MAX 65536

struct csv {
    char *path; /* for messages */
    char **header;
    size_t columns;
    char **cells; /* rows x columns */
    unsigned *lines; /* the line each row starts on */
    size_t rows;
    char **comments; /* '#' lines before the header, without the '#' */
    size_t comment_count;
    char *storage;
};

/* Reads the whole table, within the limits above. The apostrophe that csv_put
 * sets in front of what looks like a formula is taken off again. A row with
 * another number of cells than the header, two columns of one name, a stray or
 * unclosed quote, a lone carriage return, a NUL byte or another control
 * character is an error. */
bool csv_read(const char *path, struct csv *table, struct error *err);
void csv_free(struct csv *table);

/* The column's index, or -1. */
int csv_column(const struct csv *table, const char *name);

/* Whether a column that is not there is not there in another spelling either, or behind other marks
 * than commas; false with a line on what is found. */
bool csv_lacks(const struct csv *table, const char *name, struct error *err);

/* Whether it has that column; false with a line on what it has in its place. */
bool csv_needs_column(const struct csv *table, const char *name, struct error *err);

/* Whether it has all columns of a list that ends with NULL; false with a line on the first that it
 * lacks. */
bool csv_needs(const struct csv *table, const char *const *names, struct error *err);

/* The cell's text ("" where the column is -1). */
const char *csv_cell(const struct csv *table, size_t row, int column);

/* Reads a whole number in decimal or 0x hex from a cell; an empty cell is
 * `fallback`. False with a line naming file, line, column. */
bool csv_whole(const struct csv *table, size_t row, int column, uint64_t fallback, uint64_t *value,
               struct error *err);

/* Writes one field with RFC 4180 quoting. A field that a spreadsheet would
 * take for a formula (starts with = + - @, a tab or a carriage return, and is
 * no number) gets a leading apostrophe, and so does one that reads as if it had
 * got one; csv_read takes it off. One that starts with '#' is quoted, so that it
 * is no comment. */
void csv_put(FILE *out, const char *text);

#endif

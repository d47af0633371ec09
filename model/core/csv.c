#include "core/csv.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/file.h"
#include "core/invariant.h"
#include "core/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CSV_BYTES_MAX ((size_t)1 << 30)

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* What a spreadsheet takes for a formula begins with one of these. */
#define FORMULA_BEGINS "=+-@\t\r"

/* Cells are cut out of the file's text in place: each cell's end becomes the
 * end of its string, and quoted cells are unquoted where they stand. */
struct csv_parser {
    char *at;
    const char *end; /* holds a NUL, so that one byte may always be looked at */
    struct source_location place;
    struct error *err;
};

struct strings {
    char **items;
    size_t count, capacity;
    size_t max; /* more are refused */
    const char *what;
};

/* ---- Growing arrays ---- */

static void *grow(void *items, size_t *capacity, size_t item_size)
{
    *capacity = *capacity > 0 ? *capacity * 2 : 64;
    void *grown = reallocarray(items, *capacity, item_size);

    if (grown == NULL) {
        error_fatal("out of memory for a table of %zu cells", *capacity);
    }
    return grown;
}

static void push(struct strings *strings, char *text)
{
    if (strings->count == strings->capacity) {
        strings->items = grow(strings->items, &strings->capacity, sizeof *strings->items);
    }
    strings->items[strings->count++] = text;
}

/* ---- One cell ---- */

/* Turns "a ""b""" into a "b". The parser is past the closing quote
 * afterwards; *stop is where the cell's text ends. */
static bool read_quoted(struct csv_parser *parser, char **stop)
{
    struct source_location opened = parser->place;
    char *out = parser->at;
    for (parser->at++; parser->at < parser->end; parser->at++) {
        if (*parser->at == '"') {
            parser->at++;
            if (*parser->at != '"') {
                *stop = out;
                return true;
            }
        }
        parser->place.line += *parser->at == '\n';
        *out++ = *parser->at;
    }
    return error_input(parser->err, &opened,
                       "found a quoted cell that is not closed, expected a quote at its end");
}

static bool read_plain(struct csv_parser *parser, char **stop)
{
    parser->at += strcspn(parser->at, ",\"\r\n");
    *stop = parser->at;
    if (*parser->at == '"') {
        return error_input(parser->err, &parser->place,
                           "found a quote inside a cell, expected it around the whole cell");
    }
    return true;
}

/* Steps over what may follow a cell: a comma, a line end or the file's end. */
static bool read_separator(struct csv_parser *parser, bool *row_ends)
{
    char *at = parser->at;
    *row_ends = at == parser->end || *at == '\n' || (at[0] == '\r' && at[1] == '\n');
    if (at == parser->end) {
        return true;
    }
    if (*row_ends) {
        parser->at += *at == '\r' ? 2 : 1;
        parser->place.line++;
        return true;
    }
    if (*at != ',') {
        return error_input(parser->err, &parser->place, "found %s, expected a comma or a line end",
                           *at == '\r' ? "a lone carriage return" : "text after a closing quote");
    }
    parser->at++;
    return true;
}

/* The apostrophe that csv_put puts in front of a formula's look-alike. */
static size_t guard_length(const char *text)
{
    size_t quotes = strspn(text, "'");
    return quotes > 0 && text[quotes] != '\0' && strchr(FORMULA_BEGINS, text[quotes]) ? 1 : 0;
}

static bool read_cell(struct csv_parser *parser, char **cell, bool *row_ends)
{
    char *stop = parser->at;
    *cell = parser->at;
    if (*parser->at == '"' ? !read_quoted(parser, &stop) : !read_plain(parser, &stop)) {
        return false;
    }
    if (!read_separator(parser, row_ends)) {
        return false;
    }
    *stop = '\0';
    *cell += guard_length(*cell);
    return true;
}

static bool read_row(struct csv_parser *parser, struct strings *cells)
{
    bool row_ends = false;
    while (!row_ends) {
        char *cell;
        if (cells->count == cells->max) {
            return error_input(parser->err, &parser->place, "found more than %zu %s", cells->max,
                               cells->what);
        }
        if (!read_cell(parser, &cell, &row_ends)) {
            return false;
        }
        push(cells, cell);
    }
    return true;
}

/* ---- The parts of a table ---- */

/* Blank lines may separate comments from each other and from the header. */
static bool before_header(const struct csv_parser *parser)
{
    const char *at = parser->at;
    return at < parser->end && (*at == '#' || *at == '\n' || (at[0] == '\r' && at[1] == '\n'));
}

static bool read_comments(struct csv_parser *parser, struct csv *table)
{
    struct strings comments = {.max = CSV_COMMENTS_MAX};
    while (before_header(parser)) {
        char *text = parser->at;
        char *stop = text + strcspn(text, "\n");
        parser->at = stop + (stop < parser->end);
        parser->place.line++;
        stop -= stop > text && stop[-1] == '\r';
        *stop = '\0';
        if (*text == '#' && comments.count == comments.max) {
            return error_input(parser->err, &parser->place, "found more than %zu lines of comment",
                               comments.max);
        }
        if (*text == '#') {
            push(&comments, text + 1);
        }
        table->comments = comments.items;
        table->comment_count = comments.count;
    }
    return true;
}

static bool check_header(const struct csv_parser *parser, const struct csv *table,
                         const struct source_location *at)
{
    for (size_t i = 0; i < table->columns; i++) {
        int first = csv_column(table, table->header[i]);
        if (table->header[i][0] != '\0' && first != (int)i) {
            return error_input(parser->err, at,
                               "found the column '%.80s' twice (%d and %zu), expected it once",
                               table->header[i], first + 1, i + 1);
        }
    }
    return true;
}

static bool read_header(struct csv_parser *parser, struct csv *table)
{
    struct strings names = {.max = CSV_COLUMNS_MAX, .what = "columns"};
    struct source_location at = parser->place;
    if (parser->at == parser->end) {
        return error_input(parser->err, &at, "found no header, expected column names");
    }
    bool done = read_row(parser, &names);
    table->header = names.items;
    table->columns = names.count;
    return done && check_header(parser, table, &at);
}

/* Whether other marks than commas stand between the column names, which are one name then. */
static bool has_commas(const struct csv *table, const struct source_location *at, struct error *err)
{
    const char *other = table->columns == 1 ? strpbrk(table->header[0], ";\t") : NULL;
    struct source_location file = {.file = at->file};
    return !other || error_input(err, &file, "found %s between the column names, expected ','",
                                 *other == ';' ? "';'" : "tabs");
}

static bool read_rows(struct csv_parser *parser, struct csv *table)
{
    struct strings cells = {.max = CSV_CELLS_MAX, .what = "cells in a table"};
    size_t capacity = 0;
    bool done = true;
    while (done && parser->at < parser->end) {
        struct source_location at = parser->place;
        size_t before = cells.count;
        if (table->rows == capacity) {
            table->lines = grow(table->lines, &capacity, sizeof *table->lines);
        }
        table->lines[table->rows++] = at.line;
        done = read_row(parser, &cells);
        if (done && cells.count - before != table->columns) {
            done = has_commas(table, &at, parser->err) &&
                   error_input(parser->err, &at, "found %zu cells, expected %zu as in the header",
                               cells.count - before, table->columns);
        }
    }
    table->cells = cells.items;
    return done;
}

static unsigned line_of(const char *text, const char *at)
{
    unsigned line = 1;
    for (; text < at; text++) {
        line += *text == '\n';
    }
    return line;
}

/* Cells are shown to people: an escape would tell their terminal what to do. */
static bool check_bytes(const struct csv *table, size_t length, struct error *err)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)table->storage[i];
        bool text = (byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\r' || byte == '\t';
        struct source_location at = {.file = table->path};
        if (text) {
            continue;
        }
        at.line = line_of(table->storage, table->storage + i);
        return byte == 0 ? error_input(err, &at, "found a NUL byte, expected text")
                         : error_input(err, &at, "found byte 0x%02x, expected text", byte);
    }
    return true;
}

static bool parse_table(struct csv *table, size_t length, struct error *err)
{
    bool marked = strncmp(table->storage, BYTE_ORDER_MARK, 3) == 0;
    struct csv_parser parser = {.at = table->storage + (marked ? 3 : 0),
                                .end = table->storage + length,
                                .place = {.file = table->path, .line = 1},
                                .err = err};
    return check_bytes(table, length, err) && read_comments(&parser, table) &&
           read_header(&parser, table) && read_rows(&parser, table);
}

bool csv_read(const char *path, struct csv *table, struct error *err)
{
    size_t length = 0;
    *table = (struct csv){.path = alloc_checked(strdup(path), "a table's path")};
    if (!file_slurp(path, CSV_BYTES_MAX, &table->storage, &length, err) ||
        !parse_table(table, length, err)) {
        csv_free(table);
        return false;
    }
    return true;
}

void csv_free(struct csv *table)
{
    free(table->header);
    free(table->cells);
    free(table->lines);
    free(table->comments);
    free(table->storage);
    free(table->path);
    *table = (struct csv){0};
}

/* ---- Access ---- */

int csv_column(const struct csv *table, const char *name)
{
    for (size_t i = 0; i < table->columns; i++) {
        if (strcmp(table->header[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* The column of that name, blanks around it and case aside; -1: none. */
static int spelled_otherwise(const struct csv *table, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < table->columns; i++) {
        const char *found = table->header[i] + strspn(table->header[i], " \t");
        if (strncasecmp(found, name, length) == 0 &&
            found[length + strspn(found + length, " \t")] == '\0') {
            return (int)i;
        }
    }
    return -1;
}

bool csv_lacks(const struct csv *table, const char *name, struct error *err)
{
    struct source_location at = {.file = table->path, .key = name};
    int other = spelled_otherwise(table, name);
    if (other >= 0) {
        return error_input(err, &at, "found the column '%.80s', expected it as '%s'",
                           table->header[other], name);
    }
    return has_commas(table, &at, err);
}

bool csv_needs_column(const struct csv *table, const char *name, struct error *err)
{
    struct source_location at = {.file = table->path, .key = name};
    return csv_column(table, name) >= 0 ||
           (csv_lacks(table, name, err) &&
            error_input(err, &at, "missing: expected a column of that name"));
}

bool csv_needs(const struct csv *table, const char *const *names, struct error *err)
{
    bool good = true;
    for (; *names && good; names++) {
        good = csv_needs_column(table, *names, err);
    }
    return good;
}

const char *csv_cell(const struct csv *table, size_t row, int column)
{
    if (column < 0) {
        return "";
    }
    INVARIANT(row < table->rows && (size_t)column < table->columns, "row %zu, column %d of %s", row,
              column, table->path);
    return table->cells[row * table->columns + (size_t)column];
}

/* strtoull alone would take blanks and signs, and wrap negative numbers. */
static bool parse_whole(const char *text, uint64_t *value)
{
    bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hexadecimal ? text + 2 : text;
    size_t length = strspn(digits, hexadecimal ? "0123456789abcdefABCDEF" : "0123456789");
    if (length == 0 || digits[length] != '\0') {
        return false;
    }
    errno = 0;
    *value = strtoull(digits, NULL, hexadecimal ? 16 : 10);
    return errno == 0;
}

bool csv_whole(const struct csv *table, size_t row, int column, uint64_t fallback, uint64_t *value,
               struct error *err)
{
    const char *text = csv_cell(table, row, column);
    if (*text == '\0') {
        *value = fallback;
        return true;
    }
    if (parse_whole(text, value)) {
        return true;
    }
    struct source_location at = {table->path, table->lines[row], table->header[column]};
    return error_input(err, &at, "found '%.80s', expected a whole number of 64 bits, as 12 or 0x1f",
                       text);
}

/* ---- Writing ---- */

/* An apostrophe in front of what looks like a guard itself keeps the two apart. */
static bool needs_guard(const char *text)
{
    double number;

    return (*text != '\0' && strchr(FORMULA_BEGINS, *text) != NULL &&
            !unit_parse(text, UNIT_NONE, &number)) ||
           guard_length(text) > 0;
}

/* A '#' could begin a comment; a byte order mark, or what other files begin with, could be taken
 * for the file's. */
static bool needs_quotes(const char *text)
{
    return *text == '#' || strncmp(text, BYTE_ORDER_MARK, 3) == 0 || !file_begins_as_text(text) ||
           strpbrk(text, ",\"\r\n") != NULL;
}

void csv_put(FILE *out, const char *text)
{
    const char *guard = needs_guard(text) ? "'" : "";
    if (!needs_quotes(text)) {
        fprintf(out, "%s%s", guard, text);
        return;
    }
    fprintf(out, "\"%s", guard);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            fputc('"', out);
        }
        fputc(*text, out);
    }
    fputc('"', out);
}

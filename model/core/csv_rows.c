#include "core/csv_rows.h"

#include "core/units.h"

#include <string.h>

/* Longer than any number that is written. */
#define NUMBER_MAX 64

struct scan {
    const char *at, *end;
    const char *strange; /* the first thing that was found */
};

static const char *find_control(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == 0x7f || (byte < 0x20 && byte != '\n')) {
            return "a control character";
        }
    }
    return NULL;
}

static bool is_number(const char *text, size_t length)
{
    char copy[NUMBER_MAX];
    double value;
    if (length >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    return unit_parse(copy, UNIT_NONE, &value);
}

/* No byte is 0 any more. Numbers are never quoted, so that a quoted one is text. */
static const char *strange_text(const char *text, size_t length, bool quoted)
{
    if (length == 0) {
        return NULL;
    }
    if (strchr("=+-@", text[0]) && (quoted || !is_number(text, length))) {
        return "a cell that a spreadsheet would run as a formula";
    }
    return !quoted && text[0] == '#' ? "a line that could be a comment" : NULL;
}

static void plain_cell(struct scan *scan)
{
    const char *from = scan->at;
    while (scan->at < scan->end && !strchr(",\"\n", *scan->at)) {
        scan->at++;
    }
    scan->strange = strange_text(from, (size_t)(scan->at - from), false);
}

static void quoted_cell(struct scan *scan)
{
    const char *from = ++scan->at;
    bool open = true;
    while (open && scan->at < scan->end && *scan->at != '\n') {
        bool quote = *scan->at++ == '"';
        bool doubled = quote && scan->at < scan->end && *scan->at == '"';
        scan->at += doubled;
        open = !quote || doubled;
    }
    scan->strange = open ? "a quoted cell that is not closed"
                         : strange_text(from, (size_t)(scan->at - 1 - from), true);
}

/* Steps over a line; how many cells it has. */
static size_t scan_line(struct scan *scan)
{
    size_t cells = 0;
    for (bool more = true; more && !scan->strange; cells++) {
        if (scan->at < scan->end && *scan->at == '"') {
            quoted_cell(scan);
        } else {
            plain_cell(scan);
        }
        more = scan->at < scan->end && *scan->at == ',';
        if (!scan->strange && !more && (scan->at == scan->end || *scan->at != '\n')) {
            scan->strange = scan->at == scan->end ? "a line that is cut short"
                                                  : "a quote that is not around a whole cell";
        }
        scan->at++;
    }
    return cells;
}

const char *csv_rows_strange(const char *text, size_t length, size_t columns, size_t *cells)
{
    struct scan scan = {text, text + length, find_control(text, length)};
    size_t found = columns;
    while (!scan.strange && scan.at < scan.end) {
        found = scan_line(&scan);
        if (!scan.strange && columns > 0 && found != columns) {
            scan.strange = "a row with another number of cells than the header";
        }
    }
    if (cells) {
        *cells = found;
    }
    return scan.strange;
}

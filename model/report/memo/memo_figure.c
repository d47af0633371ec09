/* The pictures of a memo: gnuplot draws the rows of its places, and what it
 * draws becomes part of a page. */
#include "core/error.h"
#include "report/memo/memo_parts.h"

#include "report/plot.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH 4096

/* --- the rows --- */

/* Whether a row is of one of the memo's places. */
static bool wanted(const struct memo *memo, enum memo_table_id table, size_t row)
{
    bool found = false;
    for (size_t p = 0; p < memo->places; p++) {
        found |= memo_in_panel(memo, table, row, &memo->place[p]);
    }
    return found;
}

/* A line with one more cell, where `more` is not NULL. */
static void put_line(FILE *out, char *const *cells, size_t count, const char *more)
{
    for (size_t i = 0; i < count; i++) {
        fputs(i ? "," : "", out);
        csv_put(out, cells[i]);
    }
    fprintf(out, "%s%s\n", more ? "," : "", more ? more : "");
}

static bool write_table(const struct memo *memo, enum memo_table_id id, const char *folder,
                        struct error *err)
{
    const struct csv *csv = &memo->table[id].csv;
    char path[PATH];
    snprintf(path, sizeof path, "%.4000s/%.64s", folder, memo->table[id].name);
    FILE *out = fopen(path, "w");
    if (!out) {
        return error_run(err, "%.600s: %s", path, strerror(errno));
    }
    bool *marked = id == MEMO_BREAKEVEN ? memo_breakeven_marks(memo) : NULL;
    put_line(out, csv->header, csv->columns, marked ? "decides" : NULL);
    for (size_t row = 0; row < csv->rows; row++) {
        if (wanted(memo, id, row)) {
            put_line(out, &csv->cells[row * csv->columns], csv->columns,
                     !marked       ? NULL
                     : marked[row] ? "yes"
                                   : "no");
        }
    }
    free(marked);
    bool good = !ferror(out);
    return (fclose(out) == 0 && good) || error_run(err, "%.600s: cannot be written", path);
}

/* --- a folder for gnuplot --- */

static void remove_folder(const char *folder)
{
    DIR *listing = opendir(folder);
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        char path[PATH];
        snprintf(path, sizeof path, "%.3000s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2) {
            (void)unlink(path);
        }
    }
    if (listing) {
        (void)closedir(listing);
    }
    (void)rmdir(folder);
}

static bool draw(const struct memo *memo, const struct memo_figure *figure, char **svg,
                 struct error *err)
{
    char folder[PATH];
    const char *base = getenv("TMPDIR");
    bool good = true;
    snprintf(folder, sizeof folder, "%.4000s/s2flush-memo-XXXXXX", base && base[0] ? base : "/tmp");
    if (!mkdtemp(folder)) {
        return error_run(err, "%.600s: %s", folder, strerror(errno));
    }
    for (size_t i = 0; i < figure->tables && good; i++) {
        good = write_table(memo, figure->table[i], folder, err);
    }
    good = good && plot_svg(folder, figure->script, svg, err);
    remove_folder(folder);
    return good;
}

/* --- making it part of a page --- */

/* What gnuplot draws with. A name that got into the picture as markup is none of
 * these, or it stands in one that carries more than looks. */
static const char *const elements[] = {
    "svg",  "g",     "defs", "path",    "rect",   "circle",  "polygon",     "polyline", "line",
    "text", "tspan", "use",  "pattern", "filter", "feFlood", "feComposite", "clipPath"};

static bool is_element(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        if (strlen(elements[i]) == length && strncmp(elements[i], name, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The end of a tag: its '>', outside of quotes. NULL: it does not end. */
static const char *tag_end(const char *at)
{
    char quote = '\0';
    for (; *at; at++) {
        if (quote ? *at == quote : *at == '"' || *at == '\'') {
            quote = quote ? '\0' : *at;
        } else if (!quote && *at == '>') {
            return at;
        }
    }
    return NULL;
}

/* Copies a tag; names in it get a prefix, so that two pictures on a page do not
 * share any. False where it does more than to draw. */
static bool put_tag(FILE *out, const char *at, const char *end, const char *prefix)
{
    static const char *const names[] = {" id=\"",  " id='",    "url('#",    "url(#",
                                        "href='#", "href=\"#", "filter=\"#"};
    while (at < end) {
        size_t length = 0;
        for (size_t i = 0; i < sizeof names / sizeof *names && length == 0; i++) {
            length = starts(at, names[i]) ? strlen(names[i]) : 0;
        }
        bool foreign = length == 0 && (starts(at, "href=") || starts(at, "url(") ||
                                       starts(at, " on") || starts(at, "\non"));
        if (foreign) {
            return false;
        }
        if (length > 0) {
            fprintf(out, "%.*s%s", (int)length, at, prefix);
            at += length;
        } else {
            fputc(*at++, out);
        }
    }
    return true;
}

/* Behind an element that is left out with all in it: </title>. */
static const char *behind(const char *at, const char *closing)
{
    const char *end = strstr(at, closing);
    return end ? end + strlen(closing) : NULL;
}

static const char *put_element(FILE *out, const char *at, const char *prefix)
{
    if (starts(at, "<!--")) {
        return behind(at, "-->");
    }
    if (starts(at, "<title>")) {
        return behind(at, "</title>");
    }
    if (starts(at, "<desc>")) {
        return behind(at, "</desc>");
    }
    const char *name = at + (at[1] == '/' ? 2 : 1), *end = tag_end(at);
    if (!end || !is_element(name, strcspn(name, " \t\r\n/>"))) {
        return NULL;
    }
    if (starts(at, "<svg")) {
        fputs("<svg aria-hidden=\"true\"", out);
        at += 4;
    }
    if (!put_tag(out, at, end, prefix)) {
        return NULL;
    }
    fputc('>', out);
    return end + 1;
}

/* The picture without its prolog, its names with a prefix. NULL where it is not
 * what gnuplot draws. */
static char *adopt(const char *svg, const char *prefix)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    const char *at = strstr(svg, "<svg");
    if (!out) {
        error_fatal("out of memory for a memo");
    }
    while (at && *at) {
        if (*at == '<') {
            at = put_element(out, at, prefix);
        } else {
            bool blank = *at == '\n' && (at[1] == '\n' || at[1] == '\r' || at[1] == '\t');
            if (!blank) {
                fputc(*at, out);
            }
            at++;
        }
    }
    (void)fclose(out);
    if (!at) {
        free(text);
        return NULL;
    }
    return text;
}

void memo_figure(const struct memo *memo, struct doc_node *doc, const struct memo_figure *figure)
{
    struct error err;
    char *svg = NULL, prefix[64];
    snprintf(prefix, sizeof prefix, "%.32s-", figure->script);
    if (!draw(memo, figure, &svg, &err) || !svg) {
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL), "No picture: %s.", err.text);
        return;
    }
    char *adopted = adopt(svg, prefix);
    if (adopted) {
        doc_figure(doc, adopted, figure->note, figure->name);
    } else {
        doc_text(doc_add(doc, DOC_PARAGRAPH, NULL),
                 "No picture: a name in the rows cannot be drawn.");
    }
    free(adopted);
    free(svg);
}

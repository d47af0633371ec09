/* gnuplot draws a figure's data file, and what it draws becomes part of a page. */
#include "report/chart/chart.h"
#include "report/gnuplot.h"
#include "report/output.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/file.h"
#include "core/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH 4096

/* --- a folder for gnuplot --- */

/* The folder and what stands in it, its own temporary files aside. */
static void note_files(const char *folder, void (*note)(const char *path))
{
    static const char *const names[] = {"", "/figure.tsv", "/figure.svg"};
    char path[PATH];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%.4000s%s", folder, names[i]);
        note(path);
    }
}

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
    note_files(folder, temporary_forget);
}

static bool write_data(const char *folder, const char *data, struct error *err)
{
    char path[PATH];
    snprintf(path, sizeof path, "%.4000s/figure.tsv", folder);
    FILE *out = fopen(path, "w");
    bool good = out && fputs(data, out) >= 0;
    return (out && fclose(out) == 0 && good) || error_run(err, "%.600s cannot be written", path);
}

static bool add_folder(char folder[PATH], const char *data, struct error *err)
{
    if (!mkdtemp(folder)) {
        return error_run(err, "%.600s: %s", folder, strerror(errno));
    }
    note_files(folder, temporary_add);
    if (!write_data(folder, data, err)) {
        remove_folder(folder);
        return false;
    }
    return true;
}

/* Makes a folder of its own for the data. */
static bool make_folder(const char *data, char folder[PATH], struct error *err)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, PATH, "%.4000s/s2flush-figure-XXXXXX", base && base[0] ? base : "/tmp");
    temporary_hold();
    bool good = add_folder(folder, data, err);
    temporary_release();
    return good;
}

static bool draw(const char *data, char **svg, struct error *err)
{
    char folder[PATH], path[PATH];
    size_t length;
    if (!make_folder(data, folder, err)) {
        return false;
    }
    snprintf(path, sizeof path, "%.4000s/figure.svg", folder);
    bool good = gnuplot_draw(folder, "figure.gp", "figure.tsv", "", "figure.svg", "svg", err) &&
                file_slurp(path, (size_t)64 << 20, svg, &length, err);
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

/* gnuplot has no bold type in SVG, and names no font for readers without this one. */
static const char *const replaced[][2] = {
    {"font-family=\"DejaVu Sans\"", "font-family=\"DejaVu Sans,Verdana,sans-serif\""},
    {"font-family=\"DejaVu Sans:Bold\"",
     "font-family=\"DejaVu Sans,Verdana,sans-serif\" font-weight=\"bold\""},
};

/* Copies a tag; names in it get a prefix, so that two pictures on a page do not
 * share any. False where it does more than to draw. */
static bool put_tag(FILE *out, const char *at, const char *end, const char *prefix)
{
    static const char *const names[] = {" id=\"",  " id='",    "url('#",    "url(#",
                                        "href='#", "href=\"#", "filter=\"#"};
    static const char plot[] = " id=\"gnuplot_"; /* each panel's have the same */
    while (at < end) {
        size_t length = 0;
        if (starts(at, plot)) {
            at = strchr(at + sizeof plot - 1, '"') + 1;
            continue;
        }
        for (size_t i = 0; i < sizeof names / sizeof *names && length == 0; i++) {
            length = starts(at, names[i]) ? strlen(names[i]) : 0;
        }
        for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++) {
            if (starts(at, replaced[i][0])) {
                fputs(replaced[i][1], out);
                at += strlen(replaced[i][0]);
            }
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
    FILE *out = alloc_checked(open_memstream(&text, &size), "a figure");
    const char *at = strstr(svg, "<svg");
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

bool chart_svg(const char *data, const char *name, char **svg, struct error *err)
{
    char *drawn = NULL, prefix[64];
    if (!draw(data, &drawn, err)) {
        return false;
    }
    snprintf(prefix, sizeof prefix, "%.32s-", name);
    *svg = adopt(drawn, prefix);
    free(drawn);
    return *svg || error_run(err, "gnuplot drew what is no part of a page");
}

/* --- files --- */

void chart_alone(FILE *out, const char *svg)
{
    const char *end = strchr(svg, '>');
    fprintf(out,
            "%.*s\n<style>@media (prefers-color-scheme:dark)"
            "{svg{filter:invert(.92) hue-rotate(180deg)}}</style>%s",
            (int)(end - svg + 1), svg, end + 1);
}

static bool draw_svg(const char *data, const char *folder, const char *name, struct error *err)
{
    struct output output = {.file = NULL};
    char *svg = NULL;
    if (!chart_svg(data, "figure", &svg, err) || !output_open(&output, folder, name, err)) {
        free(svg);
        return false;
    }
    chart_alone(output.file, svg);
    free(svg);
    bool good = output_close(&output, err) && output_keep(&output, err);
    output_drop(&output);
    return good;
}

static bool draw_png(const char *data, const char *folder, const char *name, struct error *err)
{
    char own[PATH], table[PATH];
    if (!make_folder(data, own, err)) {
        return false;
    }
    snprintf(table, sizeof table, "%.4000s/figure.tsv", own);
    bool good = gnuplot_draw(folder, "figure.gp", table, "", name, "png", err);
    remove_folder(own);
    return good;
}

bool chart_files(const char *data, const char *folder, const char *stem, struct error *err)
{
    char svg[192], png[192];
    snprintf(svg, sizeof svg, "%.180s.svg", stem);
    snprintf(png, sizeof png, "%.180s.png", stem);
    return draw_svg(data, folder, svg, err) && draw_png(data, folder, png, err);
}

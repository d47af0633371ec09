/* What a picture, or a script of bench/plots in its head, asks for, whether a table has it, and the
 * files. */
#include "report/plot/plot.h"

#include "core/alloc.h"
#include "core/csv.h"
#include "core/error.h"
#include "core/units.h"
#include "report/chart/chart.h"
#include "report/gnuplot.h"
#include "report/plot/picture.h"
#include "report/plot/plot_table.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLOT_ROWS "rows.csv"
#define AXIS_VALUES 4096
#define TABLES_MAX 16

/* What a script asks for. */
struct required {
    char output[64];
    char table[64]; /* the file that it draws */
    char each[64], filled[64]; /* a picture for each value of a column, in rows where
                                  another one is filled */
    char axis[16][64];
    size_t low[16], high[16], axes;
    char metric[64][64];
    size_t metrics;
};

/* Why scripts do not fit, one behind the other; starts zeroed. */
struct reasons {
    char text[600];
    size_t used;
};

/* --- what a script requires --- */

/* Whether a picture's file may have the name: lower-case letters, digits, - and _. */
static bool valid_name(const char *name)
{
    return name[0] && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")];
}

static bool valid_table(const char *name)
{
    return name[0] && name[0] != '.' &&
           !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")];
}

/* The next word of a line, at most 63 characters of it; false where none is. */
static bool next_word(const char **at, char word[64])
{
    static const char blanks[] = " \t\r\n";
    *at += strspn(*at, blanks);
    size_t length = strcspn(*at, blanks);
    snprintf(word, 64, "%.*s", (int)(length < 63 ? length : 63), *at);
    *at += length;
    return length > 0;
}

static size_t next_number(const char **at)
{
    char word[64];
    uint64_t value = 0;
    if (next_word(at, word)) {
        unit_parse_whole(word, UNIT_NONE, &value);
    }
    return (size_t)value;
}

static void read_line(const char *line, struct required *required)
{
    char what[64], name[64];
    if (!next_word(&line, what) || !next_word(&line, name)) {
        return;
    }
    if (strcmp(what, "output") == 0 && valid_name(name)) {
        snprintf(required->output, sizeof required->output, "%s", name);
    } else if (strcmp(what, "table") == 0 && valid_table(name)) {
        snprintf(required->table, sizeof required->table, "%s", name);
    } else if (strcmp(what, "each") == 0) {
        snprintf(required->each, sizeof required->each, "%s", name);
        next_word(&line, required->filled);
    } else if (strcmp(what, "axis") == 0 && required->axes < 16) {
        snprintf(required->axis[required->axes], sizeof required->axis[0], "%s", name);
        required->low[required->axes] = next_number(&line);
        required->high[required->axes++] = next_number(&line);
    } else if (strcmp(what, "metric") == 0 && required->metrics < 64) {
        snprintf(required->metric[required->metrics++], sizeof required->metric[0], "%s", name);
    }
}

static void read_needs(const char *needs, struct required *required)
{
    *required = (struct required){.table = PLOT_ROWS};
    while (*needs) {
        size_t length = strcspn(needs, "\n");
        char line[256];
        snprintf(line, sizeof line, "%.*s", (int)length, needs);
        read_line(line, required);
        needs += length + (needs[length] == '\n');
    }
}

/* What the script of that path asks for. False where it cannot be read, or names no picture. */
static bool read_requirements(const char *path, struct required *required)
{
    char line[256];
    FILE *in = fopen(path, "r");
    *required = (struct required){.table = PLOT_ROWS};
    if (!in) {
        return false;
    }
    while (fgets(line, sizeof line, in)) {
        if (strncmp(line, "#!", 2) == 0) {
            read_line(line + 2, required);
        }
    }
    (void)fclose(in);
    return required->output[0] != '\0';
}

/* --- what the rows have --- */

/* How many different values a column has, counted up to AXIS_VALUES. */
static size_t count_values(const struct csv *rows, int column)
{
    static const char *seen[AXIS_VALUES];
    size_t count = 0;
    for (size_t row = 0; row < rows->rows; row++) {
        const char *text = csv_cell(rows, row, column);
        size_t i = 0;
        while (i < count && strcmp(seen[i], text) != 0) {
            i++;
        }
        if (i == count && count < AXIS_VALUES) {
            seen[count++] = text;
        }
    }
    return count;
}

static bool has_metric(const struct csv *rows, int column, const char *name)
{
    for (size_t row = 0; row < rows->rows; row++) {
        if (strcmp(csv_cell(rows, row, column), name) == 0) {
            return true;
        }
    }
    return false;
}

static void __attribute__((format(printf, 3, 4)))
add_reason(struct reasons *reasons, const struct required *required, const char *format, ...)
{
    char reason[160];
    va_list list;
    va_start(list, format);
    vsnprintf(reason, sizeof reason, format, list);
    va_end(list);
    int more = snprintf(reasons->text + reasons->used, sizeof reasons->text - reasons->used,
                        "%s%s %s", reasons->used ? "; " : "", required->output, reason);
    if (more > 0 && (size_t)more < sizeof reasons->text - reasons->used) {
        reasons->used += (size_t)more;
    } else {
        reasons->text[reasons->used] = '\0'; /* whole reasons only */
    }
}

static bool axis_fits(const struct csv *rows, int column, const struct required *required,
                      struct reasons *reasons)
{
    size_t low = 1, high = 1;
    for (size_t i = 0; i < required->axes; i++) {
        if (strcmp(required->axis[i], rows->header[column]) == 0) {
            low = required->low[i];
            high = required->high[i];
        }
    }
    size_t count = count_values(rows, column);
    if (count >= low && count <= high) {
        return true;
    }
    const char *name = rows->header[column];
    if (low == high) {
        add_reason(reasons, required, "takes %zu of %s, found %zu", low, name, count);
    } else {
        add_reason(reasons, required, "takes %zu to %zu of %s, found %zu", low, high, name, count);
    }
    return false;
}

/* Whether the rows have the axes, values and metrics that the script draws; where they have not,
 * one more reason. */
static bool rows_suffice(const struct csv *rows, const struct required *required,
                         struct reasons *reasons)
{
    int metric = csv_column(rows, "metric");
    for (size_t i = 0; i < required->axes; i++) {
        if (required->low[i] > 0 && csv_column(rows, required->axis[i]) < 0) {
            add_reason(reasons, required, "needs an axis %s", required->axis[i]);
            return false;
        }
    }
    /* The axes stand between the study and the metric. */
    for (int column = csv_column(rows, "study") + 1; column < metric; column++) {
        if (!axis_fits(rows, column, required, reasons)) {
            return false;
        }
    }
    for (size_t i = 0; i < required->metrics; i++) {
        if (!has_metric(rows, metric, required->metric[i])) {
            add_reason(reasons, required, "needs %s", required->metric[i]);
            return false;
        }
    }
    return true;
}

/* Scripts keep the values of their axes in lists of words, which a blank would cut in two; a quote
 * or a control character is no part of an honest name. False with a line that says where one is
 * not plain. */
static bool names_are_plain(const struct csv *rows, const struct required *required,
                            struct error *err)
{
    for (size_t i = 0; i < required->axes; i++) {
        int column = csv_column(rows, required->axis[i]);
        for (size_t row = 0; column >= 0 && row < rows->rows; row++) {
            const char *text = csv_cell(rows, row, column);
            struct source_location at = {rows->path, rows->lines[row], required->axis[i]};
            for (const char *c = text; *c; c++) {
                if ((unsigned char)*c <= ' ' || strchr("\"'`\177", *c)) {
                    return error_input(err, &at,
                                       "found '%.80s', plots take names without blanks and quotes",
                                       text);
                }
            }
        }
    }
    return true;
}

/* --- pictures --- */

static bool draw(const struct places *places, const char *script, const struct required *required,
                 FILE *messages, struct error *err)
{
    static const char *const formats[] = {"svg", "png"};
    char stem[160];
    snprintf(stem, sizeof stem, "%s%s%s", required->output, places->each ? "-" : "",
             places->each ? places->each : "");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char name[192];
        snprintf(name, sizeof name, "%s.%s", stem, formats[i]);
        if (!gnuplot_draw(places, script, required->table, name, formats[i], err)) {
            return false;
        }
    }
    if (messages) {
        fprintf(messages, "%s/%s.svg and .png\n", places->folder, stem);
    }
    return true;
}

static bool draw_picture(const char *folder, const struct picture *picture,
                         const struct required *required, const struct csv *rows, FILE *messages,
                         struct error *err)
{
    char *data = NULL, path[OUTPUT_PATH];
    size_t size = 0;
    struct csv also;
    struct plot plot = {.table = rows};
    if (picture->also) {
        if (!output_path(path, folder, picture->also, err) || !csv_read(path, &also, err)) {
            return false;
        }
        plot.also = &also;
    }
    FILE *out = alloc_checked(open_memstream(&data, &size), "plots");
    picture->lay_out(&plot, out);
    (void)fclose(out);
    bool good = chart_files(data, folder, required->output, err);
    plot_free(&plot);
    free(data);
    if (plot.also) {
        csv_free(&also);
    }
    if (messages && good) {
        fprintf(messages, "%s/%s.svg and .png\n", folder, required->output);
    }
    return good;
}

/* Whether a row is the first of its value among those that have something to draw. */
static bool first_of_value(const struct csv *rows, size_t row, int column, int filled)
{
    for (size_t i = 0; i < row; i++) {
        if (csv_cell(rows, i, filled)[0] &&
            strcmp(csv_cell(rows, i, column), csv_cell(rows, row, column)) == 0) {
            return false;
        }
    }
    return csv_cell(rows, row, filled)[0] != '\0';
}

/* A picture for each value, which becomes a part of its file's name. */
static bool draw_each(struct places *places, const char *script, const struct required *required,
                      const struct csv *rows, FILE *messages, struct error *err)
{
    int column = csv_column(rows, required->each), filled = csv_column(rows, required->filled);
    bool good = true;
    for (size_t row = 0; good && row < rows->rows; row++) {
        const char *value = csv_cell(rows, row, column);
        struct source_location at = {rows->path, rows->lines[row], required->each};
        if (!first_of_value(rows, row, column, filled)) {
            continue;
        }
        good = (valid_name(value) && strlen(value) < 64) ||
               error_input(err, &at,
                           "found '%.80s', pictures are named by lower-case letters, digits, "
                           "- and _, 63 at most",
                           value);
        places->each = value;
        good = good && draw(places, script, required, messages, err);
    }
    places->each = NULL;
    return good;
}

static int is_script(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".gp") == 0 && strcmp(entry->d_name, "style.gp") != 0;
}

/* --- tables --- */

/* The tables that scripts have asked for so far. */
struct tables {
    const char *folder;
    struct table {
        char name[64];
        char path[OUTPUT_PATH];
        struct csv rows;
        bool there;
    } table[TABLES_MAX];
    size_t count;
    struct reasons reasons; /* why scripts do not fit */
};

/* Reads a table the first time. *rows is NULL where the folder has none of that
 * name; one that is no table of results is an error, and so are too many. */
static bool find_table(struct tables *tables, const char *name, const struct csv **rows,
                       struct error *err)
{
    size_t i = 0;
    *rows = NULL;
    while (i < tables->count && strcmp(tables->table[i].name, name) != 0) {
        i++;
    }
    if (i == TABLES_MAX) {
        return error_input(err, NULL, "the scripts ask for over %d tables", TABLES_MAX);
    }
    struct table *table = &tables->table[i];
    if (i == tables->count) {
        tables->count++;
        *table = (struct table){0};
        snprintf(table->name, sizeof table->name, "%s", name);
        if (!output_path(table->path, tables->folder, name, err)) {
            return false;
        }
        if (access(table->path, F_OK) == 0) {
            if (!csv_read(table->path, &table->rows, err)) {
                return false;
            }
            table->there = true;
        }
    }
    *rows = table->there ? &table->rows : NULL;
    return true;
}

/* Whether the table has the columns that a picture of its kind needs. */
static bool has_columns(const struct tables *tables, const struct required *required,
                        const struct csv *rows, struct error *err)
{
    const char *first = required->each[0] ? required->each : "study";
    const char *second = required->each[0] ? required->filled : "metric";
    return (csv_column(rows, first) >= 0 && csv_column(rows, second) >= 0) ||
           error_input(err, NULL, "%s/%s: has no columns %s and %s", tables->folder,
                       required->table, first, second);
}

static void free_tables(struct tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        if (tables->table[i].there) {
            csv_free(&tables->table[i].rows);
        }
    }
    free(tables);
}

/* Whether the table that is asked for is there, and has what is asked of it; *rows is NULL where
 * not. */
static bool find_fitting(struct tables *tables, const struct required *required,
                         const struct csv **rows, struct error *err)
{
    if (!find_table(tables, required->table, rows, err) ||
        (*rows && !has_columns(tables, required, *rows, err))) {
        return false;
    }
    if (*rows && !required->each[0] && !rows_suffice(*rows, required, &tables->reasons)) {
        *rows = NULL;
    }
    return true;
}

/* Draws a script's picture where its table is there and fits. */
static bool draw_if_fits(struct places *places, struct tables *tables, const char *script,
                         FILE *messages, int *drawn, struct error *err)
{
    struct required required;
    const struct csv *rows;
    if (!read_requirements(script, &required)) {
        return true;
    }
    if (!find_fitting(tables, &required, &rows, err)) {
        return false;
    }
    if (!rows) {
        return true;
    }
    if (!names_are_plain(rows, &required, err)) {
        return false;
    }
    ++*drawn;
    return required.each[0] ? draw_each(places, script, &required, rows, messages, err)
                            : draw(places, script, &required, messages, err);
}

/* The program's own pictures. */
static bool draw_pictures(struct tables *tables, FILE *messages, int *drawn, struct error *err)
{
    bool good = true;
    for (const struct picture *picture = pictures; picture->needs && good; picture++) {
        struct required required;
        const struct csv *rows;
        read_needs(picture->needs, &required);
        good = find_fitting(tables, &required, &rows, err);
        if (good && rows) {
            ++*drawn;
            good = draw_picture(tables->folder, picture, &required, rows, messages, err);
        }
    }
    return good;
}

static bool draw_fitting(struct places *places, struct tables *tables, FILE *messages,
                         struct error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(places->scripts, &entries, is_script, alphasort), drawn = 0;
    bool good = draw_pictures(tables, messages, &drawn, err), any = false;
    for (int i = 0; i < count; i++) {
        char script[OUTPUT_PATH + 300];
        snprintf(script, sizeof script, "%s/%s", places->scripts, entries[i]->d_name);
        good = good && draw_if_fits(places, tables, script, messages, &drawn, err);
        free(entries[i]);
    }
    free(entries);
    for (size_t i = 0; i < tables->count; i++) {
        any |= tables->table[i].there;
    }
    if (good && !any) {
        return error_input(err, NULL, "%s: has neither " PLOT_ROWS " nor another table to draw",
                           places->folder);
    }
    return good &&
           (drawn > 0 || error_run(err,
                                   "%.200s: no plot fits these rows (values of an axis: %s); "
                                   "tables of map, breakeven and sensitivity are always drawn",
                                   places->folder, tables->reasons.text));
}

bool plot_folder(const char *folder, FILE *messages, struct error *err)
{
    struct places places;
    if (access(folder, F_OK) != 0) {
        return error_input(err, NULL, "%s: no such folder", folder);
    }
    if (!gnuplot_places(folder, &places, err)) {
        return false;
    }
    struct tables *tables = alloc_checked(calloc(1, sizeof *tables), "plots");
    tables->folder = folder;
    bool good = draw_fitting(&places, tables, messages, err);
    free_tables(tables);
    return good;
}

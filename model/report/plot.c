#include "core/error.h"
#include "report/plot_parts.h"

#include "report/gnuplot.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLES_MAX 16

static bool draw(const struct places *places, const char *script, const struct wish *wish,
                 FILE *messages, struct error *err)
{
    static const char *const formats[] = {"svg", "png"};
    char stem[160];
    snprintf(stem, sizeof stem, "%s%s%s", wish->output, places->each ? "-" : "",
             places->each ? places->each : "");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char name[192];
        snprintf(name, sizeof name, "%s.%s", stem, formats[i]);
        if (!gnuplot_draw(places, script, wish->table, name, formats[i], err)) {
            return false;
        }
    }
    if (messages) {
        fprintf(messages, "%s/%s.svg and .png\n", places->folder, stem);
    }
    return true;
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
static bool draw_each(struct places *places, const char *script, const struct wish *wish,
                      const struct csv *rows, FILE *messages, struct error *err)
{
    int column = csv_column(rows, wish->each), filled = csv_column(rows, wish->filled);
    bool good = true;
    for (size_t row = 0; good && row < rows->rows; row++) {
        const char *value = csv_cell(rows, row, column);
        struct source_location at = {rows->path, rows->lines[row], wish->each};
        if (!first_of_value(rows, row, column, filled)) {
            continue;
        }
        good = (plot_name(value) && strlen(value) < 64) ||
               error_input(err, &at,
                           "found '%.80s', pictures are named by lower-case letters, digits, "
                           "- and _, 63 at most",
                           value);
        places->each = value;
        good = good && draw(places, script, wish, messages, err);
    }
    places->each = NULL;
    return good;
}

/* --- all of it --- */

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
        int length = snprintf(table->path, sizeof table->path, "%s/%s", tables->folder, name);
        if (length < 0 || (size_t)length >= sizeof table->path) {
            return error_input(err, NULL, "the folder's name is too long");
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
static bool has_columns(const struct tables *tables, const struct wish *wish,
                        const struct csv *rows, struct error *err)
{
    const char *first = wish->each[0] ? wish->each : "study";
    const char *second = wish->each[0] ? wish->filled : "metric";
    return (csv_column(rows, first) >= 0 && csv_column(rows, second) >= 0) ||
           error_input(err, NULL, "%s/%s: has no columns %s and %s", tables->folder, wish->table,
                       first, second);
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

/* Draws a script's picture where its table is there and fits. */
static bool draw_if_fits(struct places *places, struct tables *tables, const char *script,
                         FILE *messages, int *drawn, struct error *err)
{
    struct wish wish;
    const struct csv *rows;
    if (!wish_read(script, &wish)) {
        return true;
    }
    if (!find_table(tables, wish.table, &rows, err)) {
        return false;
    }
    if (!rows) {
        return true;
    }
    if (!has_columns(tables, &wish, rows, err)) {
        return false;
    }
    if (!wish.each[0] && !wish_fits(rows, &wish, &tables->reasons)) {
        return true;
    }
    if (!wish_plain_names(rows, &wish, err)) {
        return false;
    }
    ++*drawn;
    return wish.each[0] ? draw_each(places, script, &wish, rows, messages, err)
                        : draw(places, script, &wish, messages, err);
}

static bool draw_fitting(struct places *places, struct tables *tables, FILE *messages,
                         struct error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(places->scripts, &entries, is_script, alphasort), drawn = 0;
    bool good = true, any = false;
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
    struct tables *tables = calloc(1, sizeof *tables);
    if (!tables) {
        error_fatal("out of memory for plots");
    }
    tables->folder = folder;
    bool good = draw_fitting(&places, tables, messages, err);
    free_tables(tables);
    return good;
}

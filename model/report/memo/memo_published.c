/* Published measurements and what the model says of them: the table of `s2flush validate`,
 * and of bench/published/ the machine and the operation of each row. */
#include "report/memo/memo_input.h"

#include "core/alloc.h"
#include "core/csv.h"
#include "core/datadir.h"
#include "core/error.h"
#include "machine/platform_names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALIDATION "results/validate/validate.csv"

static double number(const struct csv *csv, size_t row, const char *column)
{
    double value;
    const char *text = csv_cell(csv, row, csv_column(csv, column));
    return unit_parse(text, UNIT_NONE, &value) ? value : NAN;
}

static const char *cell(const struct csv *csv, size_t row, const char *column)
{
    return csv_cell(csv, row, csv_column(csv, column));
}

/* Base units for one of the table's. */
static double scale_of(const char *unit)
{
    double value;
    char one[16];
    snprintf(one, sizeof one, "1%.8s", unit);
    return unit_parse(one, UNIT_NS, &value) ? value : 1;
}

#define TABLES "bench/published"
#define TABLES_MAX 64

/* The tables that come with the program; a file may hold several. */
struct tables {
    struct csv csv[TABLES_MAX];
    size_t count;
};

static void read_tables(struct tables *tables)
{
    char *names[TABLES_MAX], relative[320], path[4096];
    size_t files = datadir_names(TABLES, ".csv", names, 0, TABLES_MAX);
    struct error unused;
    tables->count = 0;
    for (size_t i = 0; i < files; i++) {
        snprintf(relative, sizeof relative, TABLES "/%.255s.csv", names[i]);
        tables->count += datadir_find(relative, path, sizeof path) &&
                         csv_read(path, &tables->csv[tables->count], &unused);
        free(names[i]);
    }
}

static void free_tables(struct tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        csv_free(&tables->csv[i]);
    }
    free(tables);
}

/* Finds the row in its table; false where that is not there. */
static bool find_origin(const struct tables *tables, struct memo_published *published)
{
    bool found = false;
    for (size_t i = 0; i < tables->count; i++) {
        const struct csv *csv = &tables->csv[i];
        for (size_t row = 0; row < csv->rows && !found; row++) {
            found = strcmp(cell(csv, row, "table"), published->table) == 0 &&
                    strcmp(cell(csv, row, "row"), published->row) == 0;
            if (found) {
                snprintf(published->host, sizeof published->host, "%.47s", cell(csv, row, "host"));
                snprintf(published->phase, sizeof published->phase, "%.31s",
                         cell(csv, row, "phase"));
            }
        }
    }
    return found;
}

static void take_row(struct memo *memo, const struct tables *tables, const struct csv *csv,
                     size_t row)
{
    double scale = scale_of(cell(csv, row, "unit"));
    struct memo_published one = {.predicted = strcmp(cell(csv, row, "role"), "predict") == 0,
                                 .inside = strcmp(cell(csv, row, "inside"), "yes") == 0,
                                 .unit = UNIT_NS,
                                 .measured = number(csv, row, "measured") * scale,
                                 .band = {number(csv, row, "p50") * scale,
                                          number(csv, row, "p10") * scale,
                                          number(csv, row, "p90") * scale},
                                 .error = number(csv, row, "error_pct") / 100};
    snprintf(one.table, sizeof one.table, "%.39s", cell(csv, row, "table"));
    snprintf(one.row, sizeof one.row, "%.39s", cell(csv, row, "row"));
    if (isfinite(one.error) && find_origin(tables, &one)) {
        memo->published[memo->publisheds++] = one;
    }
}

/* "s2flush 1.2 made it by: s2flush validate": the version alone, the command is known. */
static void take_maker(struct memo *memo, const char *comment)
{
    const char *from = comment + strspn(comment, " "), *end = strstr(from, " made it by");
    int length = end ? (int)(end - from) : (int)strlen(from);
    snprintf(memo->validated_by, sizeof memo->validated_by, "%.*s", length < 200 ? length : 200,
             from);
}

bool memo_read_published(struct memo *memo, const char *validation, struct error *err)
{
    static const char *const columns[] = {"table", "row", "role",      "unit",   "measured", "p10",
                                          "p50",   "p90", "error_pct", "inside", NULL};
    char path[4096];
    struct csv csv;
    if (!validation && !datadir_find(VALIDATION, path, sizeof path)) {
        return true;
    }
    if (!csv_read(validation ? validation : path, &csv, err)) {
        return false;
    }
    if (!csv_needs(&csv, columns, err)) {
        csv_free(&csv);
        return false;
    }
    memo->machine_names = alloc_zeroed(1, sizeof *memo->machine_names, "a memo");
    if (!platform_aliases_read(memo->machine_names, err)) {
        csv_free(&csv);
        return false;
    }
    memo->published = alloc_zeroed(csv.rows, sizeof *memo->published, "a memo");
    struct tables *tables = alloc_zeroed(1, sizeof *tables, "a memo");
    read_tables(tables);
    for (size_t row = 0; row < csv.rows; row++) {
        take_row(memo, tables, &csv, row);
    }
    free_tables(tables);
    take_maker(memo, csv.comment_count ? csv.comments[0] : "");
    csv_free(&csv);
    return true;
}

bool memo_measured_on(const struct memo *memo, const struct memo_published *published,
                      const char *machine)
{
    const struct platform_alias *other = platform_alias_find(memo->machine_names, machine);
    bool same = other && strcmp(other->fit, "same") == 0;
    return strcmp(published->host, same ? other->platform : machine) == 0;
}

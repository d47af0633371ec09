#include "machine/misfit.h"

#include "core/alloc.h"
#include "core/csv.h"
#include "core/datadir.h"
#include "core/error.h"
#include "core/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MISFIT_FILE "model/machine/platforms/misfit.csv"

const char *const misfit_name[MISFITS] = {
#define MISFIT_NAME(name) #name,
    MISFIT_TABLE(MISFIT_NAME)
#undef MISFIT_NAME
};

const enum cost_id misfit_cost[MISFITS] = {
#define MISFIT_COST(name) COST_##name##_misfit,
    MISFIT_TABLE(MISFIT_COST)
#undef MISFIT_COST
};

bool misfit_is(enum cost_id id)
{
    bool found = false;
    for (size_t kind = 0; kind < MISFITS; kind++) {
        found |= misfit_cost[kind] == id;
    }
    return found;
}

/* --- the file --- */

struct misfit_row *misfit_add(struct misfit_rows *rows)
{
    if (!rows->row) {
        rows->row = alloc_zeroed(MISFIT_ROWS_MAX, sizeof *rows->row, "rows of misfits");
    }
    return rows->count < MISFIT_ROWS_MAX ? &rows->row[rows->count++] : NULL;
}

void misfit_free(struct misfit_rows *rows)
{
    free(rows->row);
    *rows = (struct misfit_rows){0};
}

static bool take_number(const struct csv *csv, size_t row, const char *column, double *value,
                        struct error *err)
{
    const char *text = csv_cell(csv, row, csv_column(csv, column));
    struct source_location at = {.file = csv->path, .line = csv->lines[row], .key = column};
    return (unit_parse(text, UNIT_NONE, value) && *value >= 0) ||
           error_input(err, &at, "found '%.80s', expected a number from 0 on", text);
}

static bool take_row(const struct csv *csv, size_t index, struct misfit_rows *rows,
                     struct error *err)
{
    struct source_location at = {.file = csv->path, .line = csv->lines[index]};
    struct misfit_row *row = misfit_add(rows);
    if (!row) {
        return error_input(err, &at, "found more than %d rows", MISFIT_ROWS_MAX);
    }
    snprintf(row->table, sizeof row->table, "%.39s",
             csv_cell(csv, index, csv_column(csv, "table")));
    snprintf(row->row, sizeof row->row, "%.39s", csv_cell(csv, index, csv_column(csv, "row")));
    for (size_t kind = 0; kind < MISFITS; kind++) {
        if (!take_number(csv, index, misfit_name[kind], &row->share[kind], err)) {
            return false;
        }
    }
    return take_number(csv, index, "off", &row->off, err);
}

bool misfit_read(struct misfit_rows *rows, struct error *err)
{
    char path[4096];
    struct csv csv;
    *rows = (struct misfit_rows){0};
    if (!datadir_find(MISFIT_FILE, path, sizeof path)) {
        return error_run(err, "cannot find " MISFIT_FILE);
    }
    if (!csv_read(path, &csv, err)) {
        return false;
    }
    bool good = true;
    for (size_t row = 0; good && row < csv.rows; row++) {
        good = take_row(&csv, row, rows, err);
    }
    csv_free(&csv);
    return good;
}

void misfit_write(const struct misfit_rows *rows, FILE *out)
{
    fputs("table,row", out);
    for (size_t kind = 0; kind < MISFITS; kind++) {
        fprintf(out, ",%s", misfit_name[kind]);
    }
    fputs(",off\n", out);
    for (size_t i = 0; i < rows->count; i++) {
        csv_put(out, rows->row[i].table);
        fputc(',', out);
        csv_put(out, rows->row[i].row);
        for (size_t kind = 0; kind < MISFITS; kind++) {
            fprintf(out, ",%.3f", rows->row[i].share[kind]);
        }
        fprintf(out, ",%.4f\n", rows->row[i].off);
    }
}

/* --- what it comes to --- */

/* The rows of all tables but one. */
struct seen {
    double need; /* how wide a factor on each kind of its cost would have to be */
    double share[MISFITS], all; /* the kinds', and their sum, each over the rows of its table */
};

static int by_need(const void *a, const void *b)
{
    double left = ((const struct seen *)a)->need, right = ((const struct seen *)b)->need;
    return (left > right) - (left < right);
}

static size_t table_rows(const struct misfit_rows *rows, const char *table)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        count += strcmp(rows->row[i].table, table) == 0;
    }
    return count;
}

static size_t see_rows(const struct misfit_rows *rows, const char *without, struct seen *seen)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct misfit_row *row = &rows->row[i];
        double same = (double)table_rows(rows, row->table), square = 0;
        if (without && strcmp(row->table, without) == 0) {
            continue;
        }
        struct seen *one = &seen[count];
        *one = (struct seen){0};
        for (size_t kind = 0; kind < MISFITS; kind++) {
            square += row->share[kind] * row->share[kind];
            one->share[kind] = row->share[kind] / same;
            one->all += one->share[kind];
        }
        one->need = square > 0 ? row->off / sqrt(square) : 0;
        count += square > 0;
    }
    qsort(seen, count, sizeof *seen, by_need);
    return count;
}

/* What four of five rows need at most, as a standard deviation. */
static double deviation_of(const struct seen *seen, size_t count, size_t kind)
{
    const double inside = 0.8, z90 = 1.2816;
    double all = 0, sum = 0, at = 0;
    for (size_t i = 0; i < count; i++) {
        all += seen[i].all;
    }
    for (size_t i = 0; i < count; i++) {
        sum += seen[i].share[kind] + seen[i].all / all;
    }
    for (size_t i = 0; i < count; i++) {
        at += seen[i].share[kind] + seen[i].all / all;
        if (at >= inside * sum) {
            return seen[i].need / z90;
        }
    }
    return 0;
}

void misfit_deviations(const struct misfit_rows *rows, const char *without,
                       double deviation[MISFITS])
{
    struct seen *seen = alloc_zeroed(rows->count + 1, sizeof *seen, "rows of misfits");
    size_t count = see_rows(rows, without, seen);
    for (size_t kind = 0; kind < MISFITS; kind++) {
        deviation[kind] = deviation_of(seen, count, kind);
    }
    free(seen);
}

static double to_thousandths(double value)
{
    return round(value * 1000) / 1000;
}

bool misfit_complete(struct platform *platform, struct error *err)
{
    struct misfit_rows rows;
    double deviation[MISFITS];
    bool good = misfit_read(&rows, err);
    if (good) {
        misfit_deviations(&rows, NULL, deviation);
    }
    for (size_t kind = 0; kind < MISFITS && good; kind++) {
        struct cost *cost = &platform->cost[misfit_cost[kind]];
        const struct cost_entry *entry = &cost_entry[misfit_cost[kind]];
        if (cost->given != 0) {
            continue;
        }
        /* The ends of a triangle in the logarithm that has this standard deviation. */
        double end = exp(sqrt(6) * deviation[kind]);
        cost->low = fmax(to_thousandths(1 / end), entry->min);
        cost->mode = 1;
        cost->high = fmin(to_thousandths(end), entry->max);
        snprintf(cost->source, sizeof cost->source,
                 "%zu published rows that no fit has seen (misfit.csv)", rows.count);
        snprintf(cost->evidence, sizeof cost->evidence, "derived");
    }
    misfit_free(&rows);
    return good;
}

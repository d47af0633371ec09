/* Tables of counts written and compared. */
#include "check/counts/counts.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/invariant.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define UNSUPPORTED "unsupported"
#define DIFFERENCES_SHOWN 20

/* The count column of that name, or count_column_count. */
static size_t find_column(const char *name)
{
    size_t i = 0;
    while (i < count_column_count && strcmp(count_columns[i].name, name) != 0) {
        i++;
    }
    return i;
}

static const struct counts_vm *vm_of(const struct counts *counts, size_t row)
{
    return &counts->vms[counts->rows[row].vm];
}

/* --- writing --- */

static void put_count(const struct counts *counts, size_t row, size_t column, FILE *out)
{
    if (count_columns[column].unclaimed) {
        return;
    }
    if (vm_of(counts, row)->unsupported) {
        fputs(UNSUPPORTED, out);
    } else {
        fprintf(out, "%" PRIu64, counts_of(counts, row, column));
    }
}

static void put_header(const struct counts *counts, const bool *lacking, FILE *out)
{
    for (size_t i = 0; i < counts->table.columns; i++) {
        fputs(i ? "," : "", out);
        csv_put(out, counts->table.header[i]);
    }
    for (size_t column = 0; column < count_column_count; column++) {
        if (lacking[column]) {
            fprintf(out, ",%s", count_columns[column].name);
        }
    }
    fputc('\n', out);
}

static void put_row(const struct counts *counts, size_t row, const bool *lacking, FILE *out)
{
    for (size_t i = 0; i < counts->table.columns; i++) {
        size_t column = find_column(counts->table.header[i]);
        fputs(i ? "," : "", out);
        if (column < count_column_count) {
            put_count(counts, row, column, out);
        } else {
            csv_put(out, csv_cell(&counts->table, row, (int)i));
        }
    }
    for (size_t column = 0; column < count_column_count; column++) {
        if (lacking[column]) {
            fputc(',', out);
            put_count(counts, row, column, out);
        }
    }
    fputc('\n', out);
}

void counts_write(const struct counts *counts, FILE *out)
{
    bool lacking[64];
    INVARIANT(count_column_count <= 64, "%zu columns", count_column_count);
    for (size_t column = 0; column < count_column_count; column++) {
        lacking[column] = csv_column(&counts->table, count_columns[column].name) < 0;
    }
    put_header(counts, lacking, out);
    for (size_t row = 0; row < counts->table.rows; row++) {
        put_row(counts, row, lacking, out);
    }
}

/* --- comparing --- */

/* Whether a cell holds a recorded count, and which. A table that this command
 * wrote says `unsupported` where there is none. */
static bool recorded(const struct counts *counts, size_t row, size_t column, uint64_t *value,
                     struct error *err)
{
    int index = csv_column(&counts->table, count_columns[column].name);
    const char *text = csv_cell(&counts->table, row, index);
    if (text[0] == '\0' || strcmp(text, UNSUPPORTED) == 0) {
        return false;
    }
    return csv_whole(&counts->table, row, index, 0, value, err);
}

bool counts_recorded(const struct counts *counts, struct error *err)
{
    for (size_t row = 0; row < counts->table.rows; row++) {
        for (size_t column = 0; column < count_column_count; column++) {
            uint64_t value;
            struct error own = {0};
            if (!recorded(counts, row, column, &value, &own) && own.status != 0) {
                *err = own;
                return false;
            }
        }
    }
    return true;
}

/* What the comparison of one column found. */
struct tally {
    uint64_t compared, equal;
};

struct difference {
    size_t row, column;
    uint64_t recorded;
};

/* The first differences in the order of the table, and how many in all. */
struct differences {
    struct difference first[DIFFERENCES_SHOWN];
    uint64_t count;
};

static void compare_cell(const struct counts *counts, size_t row, size_t column,
                         struct tally *tally, struct differences *differences)
{
    uint64_t value;
    struct error err;
    if (count_columns[column].unclaimed || !recorded(counts, row, column, &value, &err)) {
        return;
    }
    tally->compared++;
    if (counts_of(counts, row, column) == value) {
        tally->equal++;
        return;
    }
    if (differences->count < DIFFERENCES_SHOWN) {
        differences->first[differences->count] = (struct difference){row, column, value};
    }
    differences->count++;
}

static void print_line(FILE *out, const char *name, const struct tally *tally)
{
    /* Rounded down: nothing but full agreement prints as 100. */
    uint64_t hundredths = tally->equal * 10000 / tally->compared;
    fprintf(out, "%-16s %8" PRIu64 " %8" PRIu64 " %5" PRIu64 ".%02" PRIu64 "\n", name,
            tally->compared, tally->equal, hundredths / 100, hundredths % 100);
}

static void print_columns(const struct tally *tallies, FILE *out)
{
    fprintf(out, "%-16s %8s %8s %8s\n", "column", "rows", "equal", "percent");
    for (size_t column = 0; column < count_column_count; column++) {
        if (tallies[column].compared > 0) {
            print_line(out, count_columns[column].name, &tallies[column]);
        }
    }
    for (size_t column = 0; column < count_column_count; column++) {
        if (count_columns[column].unclaimed) {
            fprintf(out, "%-16s unclaimed: %s\n", count_columns[column].name,
                    count_columns[column].unclaimed);
        }
    }
}

static void print_differences(const struct counts *counts, const struct differences *differences,
                              FILE *out)
{
    static const char *const named[] = {"kernel", "cpu", "case", "phase", "op"};
    uint64_t shown =
        differences->count < DIFFERENCES_SHOWN ? differences->count : DIFFERENCES_SHOWN;
    if (shown == 0) {
        return;
    }
    fprintf(out, "\n%-8s %-14s %-20s %-10s %-16s %-16s %12s %12s\n", "kernel", "cpu", "case",
            "phase", "op", "column", "recorded", "model");
    for (uint64_t i = 0; i < shown; i++) {
        const struct difference *difference = &differences->first[i];
        static const int width[] = {8, 14, 20, 10, 16};
        for (size_t k = 0; k < sizeof named / sizeof *named; k++) {
            fprintf(
                out, "%-*s ", width[k],
                csv_cell(&counts->table, difference->row, csv_column(&counts->table, named[k])));
        }
        fprintf(out, "%-16s %12" PRIu64 " %12" PRIu64 "\n", count_columns[difference->column].name,
                difference->recorded, counts_of(counts, difference->row, difference->column));
    }
    if (differences->count > shown) {
        fprintf(out, "and %" PRIu64 " more\n", differences->count - shown);
    }
}

/* One line a VM that was not played. */
static void print_unsupported(const struct counts *counts, FILE *out)
{
    for (size_t i = 0; i < counts->vm_count; i++) {
        const struct counts_vm *vm = &counts->vms[i];
        if (vm->unsupported) {
            const struct csv *table = &counts->table;
            size_t row = vm->first_row;
            fprintf(out, UNSUPPORTED ": %s %s %s: %s\n",
                    csv_cell(table, row, csv_column(table, "kernel")),
                    csv_cell(table, row, csv_column(table, "cpu")),
                    csv_cell(table, row, csv_column(table, "case")), vm->unsupported);
        }
    }
}

struct agreement counts_compare(const struct counts *counts, FILE *out)
{
    struct agreement agreement = {0};
    struct differences differences = {.count = 0};
    struct tally *tallies =
        alloc_checked(calloc(count_column_count, sizeof *tallies), "a comparison");
    for (size_t row = 0; row < counts->table.rows; row++) {
        if (vm_of(counts, row)->unsupported) {
            agreement.rows_unsupported++;
            continue;
        }
        for (size_t column = 0; column < count_column_count; column++) {
            compare_cell(counts, row, column, &tallies[column], &differences);
        }
    }
    for (size_t column = 0; column < count_column_count; column++) {
        agreement.compared += tallies[column].compared;
        agreement.equal += tallies[column].equal;
    }
    print_columns(tallies, out);
    print_unsupported(counts, out);
    print_differences(counts, &differences, out);
    free(tallies);
    return agreement;
}

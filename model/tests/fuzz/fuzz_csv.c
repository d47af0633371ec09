/* A table: what is read and written again reads back cell by cell the same. */
#include "core/error.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/csv.h"

static void put_line(FILE *out, char **cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            fputc(',', out);
        }
        csv_put(out, cells[i]);
    }
    fputc('\n', out);
}

/* A lone empty cell is written as an empty line, which stands for no table
 * before the header and for a row behind it. */
static bool header_survives(const struct csv *table)
{
    return table->columns > 1 || table->header[0][0] != '\0';
}

static void expect_same(const struct csv *a, const struct csv *b)
{
    FUZZ_EXPECT(a->columns == b->columns && a->rows == b->rows, "%zux%zu cells became %zux%zu",
                a->rows, a->columns, b->rows, b->columns);
    for (size_t i = 0; i < a->columns; i++) {
        FUZZ_EXPECT(strcmp(a->header[i], b->header[i]) == 0, "'%s' became '%s'", a->header[i],
                    b->header[i]);
    }
    for (size_t i = 0; i < a->rows * a->columns; i++) {
        FUZZ_EXPECT(strcmp(a->cells[i], b->cells[i]) == 0, "'%s' became '%s'", a->cells[i],
                    b->cells[i]);
    }
}

static void write_and_read(const struct csv *table)
{
    struct csv again;
    struct error err = {0};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    FUZZ_EXPECT(out, "out of memory");
    put_line(out, table->header, table->columns);
    for (size_t row = 0; row < table->rows; row++) {
        put_line(out, table->cells + row * table->columns, table->columns);
    }
    (void)fclose(out);
    bool good = csv_read(fuzz_file(1, (const uint8_t *)text, length), &again, &err);
    FUZZ_EXPECT(good, "%s", err.text);
    expect_same(table, &again);
    csv_free(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csv table;
    struct error err = {0};
    if (!csv_read(fuzz_file(0, data, size), &table, &err)) {
        fuzz_expect_error(&err);
        return 0;
    }
    if (header_survives(&table)) {
        write_and_read(&table);
    }
    csv_free(&table);
    return 0;
}

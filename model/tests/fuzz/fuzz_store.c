/*
 * Stores of samples, as shards leave them, and what `merge` makes of them. The bytes are one file,
 * or two with a line of `%%` between them. What comes of it must read back: the rows as a table
 * without formulas, the record as JSON.
 */
#include "fuzz.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/csv.h"
#include "core/error.h"
#include "core/file.h"
#include "core/invariant.h"
#include "report/merge.h"

#define TEXT_MAX ((size_t)1 << 24)

static void path_of(const char *name, char path[1024])
{
    snprintf(path, 1024, "%s/%s", fuzz_folder(0), name);
}

static void expect_table(void)
{
    char path[1024];
    struct csv table;
    struct error err = {0};
    path_of("rows.csv", path);
    if (access(path, F_OK) != 0) {
        return; /* it was asked for JSON Lines alone */
    }
    FUZZ_EXPECT(csv_read(path, &table, &err), "%s", err.text);
    csv_free(&table);
}

static void expect_json(const char *name)
{
    char path[1024], *text;
    size_t length;
    struct error err = {0};
    path_of(name, path);
    FUZZ_EXPECT(file_slurp(path, TEXT_MAX, &text, &length, &err), "%s", err.text);
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    FUZZ_EXPECT(json_is_object(value), "%s is no JSON", name);
    json_decref(value);
    free(text);
}

/* A file of the folder: a database is none that is only a descriptor. */
static void write_bytes(const char *name, const uint8_t *data, size_t size, char path[1024])
{
    path_of(name, path);
    FILE *out = fopen(path, "wb");
    FUZZ_EXPECT(out, "cannot write %s", path);
    fwrite(data, 1, size, out);
    FUZZ_EXPECT(fclose(out) == 0, "cannot write %s", path);
}

static void remove_results(void)
{
    static const char *const names[] = {"rows.csv", "rows.jsonl", "run.json", "merged.db"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[1024];
        path_of(names[i], path);
        (void)unlink(path);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t sizes[FUZZ_FILES], files = fuzz_split(data, size, 2, sizes);
    char names[2][1024], *paths[2] = {names[0], names[1]};
    struct store_about merged;
    struct store_sum sum;
    struct error err = {0};
    for (size_t i = 0; i < files; i++) {
        write_bytes(i == 0 ? "one.db" : "two.db", data, sizes[i], names[i]);
        data += sizes[i] + 3;
    }
    remove_results();
    if (merge_shards(paths, files, fuzz_folder(0), "merged.db", &merged, &sum, &err)) {
        store_about_free(&merged);
        expect_table();
        expect_json("run.json");
    } else {
        fuzz_expect_error(&err);
        if (getenv("FUZZ_SHOW")) {
            printf("%s\n", err.text);
        }
    }
    return 0;
}

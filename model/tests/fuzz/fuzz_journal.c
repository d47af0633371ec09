/*
 * Files of cells, as shards leave them, and what `merge` makes of them. The bytes
 * are one file, or two with a line of `%%` between them. Where the first byte is
 * 'c' the checksums behind it are put right before it is read, or no change to a
 * file would get any further. What comes of it must read back: the rows as a
 * table without formulas, the record as JSON.
 */
#include "core/error.h"
#include "fuzz.h"

#include <endian.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "core/csv.h"
#include "core/file.h"
#include "report/collect.h"
#include "report/journal_parts.h"

#define TEXT_MAX ((size_t)1 << 24)

/* --- the files --- */

/* Gives each record, as far as its length fits, the checksum that it should have. */
static void mend(uint8_t *bytes, size_t size)
{
    for (size_t at = JOURNAL_MAGIC_BYTES; at < size && size - at >= RECORD_START + 8;) {
        uint64_t length, sum;
        memcpy(&length, bytes + at + 8, sizeof length);
        length = le64toh(length);
        if (length > size - at - RECORD_START - sizeof sum) {
            return;
        }
        sum = htole64(XXH3_64bits(bytes + at, RECORD_START + length));
        memcpy(bytes + at + RECORD_START + length, &sum, sizeof sum);
        at += RECORD_START + length + sizeof sum;
    }
}

static bool read_one(unsigned file, const uint8_t *data, size_t size, struct journal *journal,
                     struct error *err)
{
    bool mended = size > 0 && data[0] == 'c';
    uint8_t *bytes = malloc(size + 1);
    FUZZ_EXPECT(bytes, "out of memory");
    size -= mended;
    if (size > 0) {
        memcpy(bytes, data + mended, size);
    }
    if (mended) {
        mend(bytes, size);
    }
    const char *path = fuzz_file(file, bytes, size);
    free(bytes);
    return journal_read(journal, path, err);
}

static void show(const struct error *err)
{
    fuzz_expect_error(err);
    if (getenv("FUZZ_SHOW")) {
        printf("%s\n", err->text);
    }
}

/* --- what came of them --- */

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
    if (csv_read(path, &table, &err)) {
        csv_free(&table);
    } else {
        /* Column names are a stranger's, too. */
        bool known = strstr(err.text, "twice") || strstr(err.text, "columns");
        FUZZ_EXPECT(known, "%s", err.text);
    }
}

static void expect_json(const char *name, bool lines)
{
    char path[1024], *text;
    size_t length;
    struct error err = {0};
    path_of(name, path);
    FUZZ_EXPECT(file_slurp(path, TEXT_MAX, &text, &length, &err), "%s", err.text);
    for (char *at = text; *at;) {
        char *end = lines ? strchr(at, '\n') : text + length;
        json_t *value =
            end ? json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, NULL) : NULL;
        FUZZ_EXPECT(json_is_object(value), "%s is no JSON", name);
        json_decref(value);
        at = end + lines;
    }
    free(text);
}

static void merge(struct journal *journals, size_t count)
{
    struct error err = {0};
    if (!collect_check(journals, count, &err)) {
        show(&err);
        return;
    }
    const bool *format = journals[0].head.format;
    FUZZ_EXPECT(collect_write(journals, count, fuzz_folder(0), &err), "%s", err.text);
    if (format[ROWS_CSV]) {
        expect_table();
    }
    if (format[ROWS_JSONL]) {
        expect_json("rows.jsonl", true);
    }
    expect_json("run.json", false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct journal journals[2];
    struct error err = {0};
    size_t sizes[FUZZ_FILES], files = fuzz_split(data, size, 2, sizes), have = 0;
    while (have < files && read_one((unsigned)have, data, sizes[have], &journals[have], &err)) {
        data += sizes[have++] + 3;
    }
    if (have == files) {
        merge(journals, files);
    } else {
        show(&err);
    }
    for (size_t i = 0; i < have; i++) {
        journal_close(&journals[i]);
    }
    return 0;
}

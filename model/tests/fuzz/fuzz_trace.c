/*
 * A text trace of a host. One that makes a workload is written, and both files
 * must read back: the rows as a recording, the workload with a timeline. The
 * first line may hold options in place of the command line's: `#import` and words
 * of rewrite, 4k, thp, lost, ram, pid, reinit.
 */
#include "core/error.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/units.h"
#include "guest/import/import.h"
#include "guest/recording/recording.h"
#include "guest/workload/workload.h"

#define WISHES "#import"

static struct import_options wish_of(const uint8_t *data, size_t size)
{
    struct import_options options = {.backing = BACKINGS, .ram_ipa = UINT64_MAX, .kernel = "6.1"};
    char line[128] = "";
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t length = end ? (size_t)(end - data) : 0;
    if (length < sizeof line && length > strlen(WISHES) &&
        memcmp(data, WISHES, strlen(WISHES)) == 0) {
        memcpy(line, data, length);
    }
    options.rewrite_bytes = strstr(line, "rewrite") ? 8 * MIB : 0;
    options.backing = strstr(line, "4k")    ? BACKING_4K
                      : strstr(line, "thp") ? BACKING_THP
                                            : BACKINGS;
    options.allow_lost = strstr(line, "lost");
    if (strstr(line, "ram")) {
        options.ram_ipa = GIB;
        options.ram_bytes = 64 * MIB;
    }
    if (strstr(line, "pid")) {
        options.pids[options.pid_count++] = 1000;
    }
    if (strstr(line, "reinit")) {
        options.reinit_ns[options.reinit_count++] = UINT64_C(100001000000);
    }
    return options;
}

/* A file of the rows, or of the workload that plays them from `rows`. */
static const char *written(unsigned file, const struct import *import, const char *rows)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    FUZZ_EXPECT(out, "out of memory");
    if (rows) {
        import_write_workload(import, rows, out);
    } else {
        import_write_rows(import, "fuzzed", out);
    }
    FUZZ_EXPECT(fclose(out) == 0, "out of memory");
    const char *path = fuzz_file(file, (const uint8_t *)text, length);
    free(text);
    return path;
}

static void tell(const struct import *import)
{
    static FILE *null;
    null = null ? null : fopen("/dev/null", "we");
    FUZZ_EXPECT(null, "no /dev/null");
    import_print(import, "  ", null);
}

/* What the command refuses where the rows do not play is an error, not a finding. */
static bool rows_play(const char *path)
{
    struct recording_keys keys = {.density = 32, .vm_registers = 10, .backing = BACKINGS};
    struct recording_info info;
    struct timeline timeline;
    struct error err = {0};
    if (!recording_read(path, &keys, &timeline, &info, &err)) {
        fuzz_expect_error(&err);
        return false;
    }
    timeline_free(&timeline);
    return true;
}

static void expect_workload(void)
{
    char path[1024];
    struct timeline timeline;
    struct error err = {0};
    snprintf(path, sizeof path, "%s/fuzzed.ini", fuzz_folder(0));
    struct workload *workload = workload_read(path, &err);
    FUZZ_EXPECT(workload, "%s", err.text);
    bool built = workload_build(workload, &timeline, &err);
    FUZZ_EXPECT(built, "%s", err.text);
    timeline_free(&timeline);
    workload_free(workload);
}

static void write_and_read(const struct import *import)
{
    const char *rows = written(1, import, NULL);
    if (rows_play(rows)) {
        (void)written(2, import, "fuzzed.csv");
        expect_workload();
        tell(import);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct import import;
    static bool linked;
    struct error err = {0};
    struct import_options options = wish_of(data, size);
    if (!linked) {
        fuzz_link(0, "fuzzed.csv", 1);
        fuzz_link(0, "fuzzed.ini", 2);
        linked = true;
    }
    FILE *in = fopen(fuzz_file(0, data, size), "r");
    FUZZ_EXPECT(in, "no file");
    bool good = import_read(in, "trace.txt", &options, &import, &err);
    (void)fclose(in);
    if (good) {
        write_and_read(&import);
    } else {
        fuzz_expect_error(&err);
        if (getenv("FUZZ_SHOW")) {
            printf("%s\n", err.text);
        }
    }
    import_free(&import);
    return 0;
}

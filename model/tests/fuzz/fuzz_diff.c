/* Two folders of results. The bytes are one rows.csv, or two with a line of
 * `%%` between them. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/diff.h"

static char folders[FUZZ_FILES][512];

static void remove_folders(void)
{
    char path[600];
    for (unsigned i = 0; i < FUZZ_FILES; i++) {
        snprintf(path, sizeof path, "%s/rows.csv", folders[i]);
        (void)unlink(path);
        (void)rmdir(folders[i]);
    }
}

/* diff takes folders: each gets a rows.csv that is a file in memory. */
static void make_folder(unsigned index)
{
    char path[600];
    const char *above = getenv("TMPDIR");
    snprintf(folders[index], sizeof folders[index], "%.400s/fuzz-XXXXXX", above ? above : "/tmp");
    FUZZ_EXPECT(mkdtemp(folders[index]), "no folder %s", folders[index]);
    snprintf(path, sizeof path, "%s/rows.csv", folders[index]);
    FUZZ_EXPECT(symlink(fuzz_file(index, NULL, 0), path) == 0, "no link %s", path);
}

static FILE *nowhere(void)
{
    static FILE *null;
    if (!null) {
        null = fopen("/dev/null", "we");
        make_folder(0);
        make_folder(1);
        (void)atexit(remove_folders);
    }
    return null;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char line[] = "%%\n";
    struct diff diff;
    struct error err = {0};
    FILE *out = nowhere();
    const uint8_t *second = size ? memmem(data, size, line, sizeof line - 1) : NULL;
    size_t first = second ? (size_t)(second - data) : size;
    (void)fuzz_file(0, data, first);
    if (second) {
        (void)fuzz_file(1, second + sizeof line - 1, size - first - (sizeof line - 1));
    } else {
        (void)fuzz_file(1, data, size);
    }
    if (!diff_read(&diff, folders[0], folders[1], NULL, &err)) {
        fuzz_expect_error(&err);
        return 0;
    }
    diff_write(out, &diff);
    diff_tell(out, &diff);
    diff_free(&diff);
    return 0;
}

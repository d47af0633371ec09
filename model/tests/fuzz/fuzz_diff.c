/* Two folders of results. The bytes are one rows.csv, or two with a line of
 * `%%` between them. */
#include "core/error.h"
#include "fuzz.h"

#include <stdio.h>

#include "report/diff.h"

static FILE *nowhere(void)
{
    static FILE *null;
    if (!null) {
        null = fopen("/dev/null", "we");
        fuzz_link(0, "rows.csv", 0);
        fuzz_link(1, "rows.csv", 1);
    }
    return null;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct diff diff;
    struct error err = {0};
    size_t sizes[FUZZ_FILES];
    FILE *out = nowhere();
    if (fuzz_split(data, size, 2, sizes) == 1) {
        (void)fuzz_file(1, data, size);
    }
    if (!diff_read(&diff, fuzz_folder(0), fuzz_folder(1), NULL, &err)) {
        fuzz_expect_error(&err);
        return 0;
    }
    diff_write(out, &diff);
    diff_print(out, &diff);
    diff_free(&diff);
    return 0;
}

/* A table of counts, up to the timelines of its VMs. */
#include "core/error.h"
#include "fuzz.h"

#include "check/counts/counts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct counts counts;
    struct error err = {0};
    if (!counts_read(fuzz_file(0, data, size), &counts, &err)) {
        fuzz_expect_error(&err);
        return 0;
    }
    if (!counts_recorded(&counts, &err)) {
        fuzz_expect_error(&err);
    }
    counts_free(&counts);
    return 0;
}

/* Published rows, with the hosts that they name. */
#include "core/error.h"
#include "fuzz.h"

#include "check/published/published.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct published_set set = {0};
    struct error err = {0};
    if (!published_read(fuzz_file(0, data, size), &set, &err)) {
        fuzz_expect_error(&err);
    }
    published_free(&set);
    return 0;
}

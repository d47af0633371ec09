/* Measurements that costs are calibrated to: a probe's rows or benchmarks. */
#include "fuzz.h"

#include "check/calibrate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct measurements found;
    struct error err = {0};
    if (measurements_read(fuzz_file(0, data, size), 32 * MIB, &found, &err)) {
        measurements_free(&found);
    } else {
        fuzz_expect_error(&err);
    }
    return 0;
}

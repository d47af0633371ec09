/* Measurements that costs are calibrated to: a probe's rows or benchmarks. */
#include "fuzz.h"

#include "check/calibrate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct platform base;
    struct measurements found;
    struct error err = {0};
    if (base.cores == 0 && !platform_load("neoverse-n1", &base, &err)) {
        die("%s", err.text);
    }
    if (measurements_read(fuzz_file(0, data, size), &base, false, &found, &err)) {
        measurements_free(&found);
    } else {
        fuzz_expect_error(&err);
    }
    return 0;
}

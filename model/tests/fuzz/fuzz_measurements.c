/* Measurements that costs are calibrated to: a probe's rows or benchmarks. */
#include "core/error.h"
#include "fuzz.h"

#include "check/calibrate/calibrate.h"
#include "machine/platform.h"

static const struct platform *base(void)
{
    static struct platform platform;
    struct error err = {0};
    if (platform.name[0] == '\0') {
        FUZZ_EXPECT(platform_load("kunpeng-920", &platform, &err), "%s", err.text);
    }
    return &platform;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct measurements found;
    struct error err = {0};
    if (measurements_read(fuzz_file(0, data, size), base(), NULL, false, &found, &err)) {
        measurements_free(&found);
    } else {
        fuzz_expect_error(&err);
    }
    return 0;
}

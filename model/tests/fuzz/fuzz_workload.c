/* A workload file: read, and where it is good, its timeline built again. */
#include "core/error.h"
#include "fuzz.h"

#include "guest/workload/workload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct timeline timeline;
    struct workload *workload = workload_read(fuzz_file(0, data, size), &err);
    if (!workload) {
        /* A path in memory has a slash, so the name is always taken as a path. */
        fuzz_expect_error(&err);
        return 0;
    }
    struct workload *copy = workload_copy(workload);
    if (workload_build(copy, &timeline, &err)) {
        timeline_free(&timeline);
    } else {
        fuzz_expect_error(&err);
    }
    workload_free(copy);
    workload_free(workload);
    return 0;
}

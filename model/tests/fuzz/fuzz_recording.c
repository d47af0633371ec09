/* A recorded boot, played on memory as recorded and on other memory. */
#include "core/error.h"
#include "fuzz.h"

#include "guest/recording/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int backings[] = {BACKINGS, BACKING_THP};
    const char *path = fuzz_file(0, data, size);
    for (size_t i = 0; i < sizeof backings / sizeof *backings; i++) {
        struct recording_keys keys = {
            .density = 32, .off_access_share = 0.3, .vm_registers = 10, .backing = backings[i]};
        struct recording_info info;
        struct timeline timeline;
        struct error err = {0};
        if (recording_read(path, &keys, &timeline, &info, &err)) {
            timeline_free(&timeline);
        } else {
            fuzz_expect_error(&err);
        }
    }
    return 0;
}

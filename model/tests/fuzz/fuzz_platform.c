/* A platform file. One that is good is written out and reads back the same. */
#include "core/error.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/platform.h"

static void expect_same(const struct platform *a, const struct platform *b)
{
    FUZZ_EXPECT(strcmp(a->name, b->name) == 0 && strcmp(a->title, b->title) == 0, "names");
    FUZZ_EXPECT(a->cores == b->cores && a->cache_bytes == b->cache_bytes, "sizes");
    for (int i = 0; i < COSTS; i++) {
        const struct cost *left = &a->cost[i], *right = &b->cost[i];
        bool same =
            left->low == right->low && left->mode == right->mode && left->high == right->high;
        FUZZ_EXPECT(same, "%s", cost_name[i]);
    }
}

static void write_and_read(const struct platform *platform)
{
    static struct platform again;
    struct error err = {0};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    FUZZ_EXPECT(out, "out of memory");
    platform_write(platform, out);
    (void)fclose(out);
    bool good = platform_read(fuzz_file(1, (const uint8_t *)text, length), &again, &err);
    FUZZ_EXPECT(good, "%s", err.text);
    expect_same(platform, &again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct platform platform;
    struct error err = {0};
    if (platform_read(fuzz_file(0, data, size), &platform, &err)) {
        write_and_read(&platform);
    } else {
        fuzz_expect_error(&err);
    }
    return 0;
}

#include "core/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/units.h"

/* From here on fresh pages of the system are worth their faults: large arrays
 * are used in part only. */
#define LARGE_BYTES (4u << 20)

static void *checked(void *array, size_t count, size_t size, const char *what)
{
    if (!array) {
        error_fatal("out of memory for %zu %s of %zu bytes", count, what, size);
    }
    return array;
}

/* Not inlined: the compiler would make a calloc of malloc and memset. */
__attribute__((noinline)) void *alloc_raw(size_t count, size_t size, const char *what)
{
    count = count ? count : 1;
    return checked(count > SIZE_MAX / size ? NULL : malloc(count * size), count, size, what);
}

void *alloc_zeroed(size_t count, size_t size, const char *what)
{
    count = count ? count : 1;
    if (count > LARGE_BYTES / size) {
        return checked(calloc(count, size), count, size, what);
    }
    /* Of calloc the allocator would take zero pages from the system, by a call
     * and a fault for each, over and over as simulations come and go. */
    void *array = alloc_raw(count, size, what);
    return memset(array, 0, count * size);
}

void *alloc_checked(void *memory, const char *what)
{
    if (!memory) {
        error_fatal("out of memory for %s", what);
    }
    return memory;
}

static bool find_limit(uint64_t *limit, struct error *err)
{
    const char *text = getenv("S2FLUSH_MEMORY");
    struct source_location at = {.file = "S2FLUSH_MEMORY"};
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    *limit = pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : UINT64_MAX;
    return !text || unit_parse_whole(text, UNIT_BYTES, limit) ||
           error_input(err, &at, "found '%.80s', expected a size such as 8G", text);
}

bool alloc_allowed(uint64_t bytes, const char *what, const char *instead, struct error *err)
{
    uint64_t limit;
    char needs[32], has[32];
    if (!find_limit(&limit, err)) {
        return false;
    }
    return bytes <= limit ||
           error_input(err, NULL, "%s takes up to %s of memory, %s may be used: %s", what,
                       unit_format_bytes(bytes, needs, sizeof needs),
                       unit_format_bytes(limit, has, sizeof has), instead);
}

#include "core/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

/* From here on fresh pages of the system are worth their faults: large arrays
 * are used in part only. */
#define LARGE_BYTES (4u << 20)

static void *checked(void *array, size_t count, size_t size, const char *what)
{
    if (!array) {
        die("out of memory for %zu %s of %zu bytes", count, what, size);
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

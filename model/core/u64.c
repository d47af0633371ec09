#include "core/u64.h"

#include "core/guard.h"

#include <inttypes.h>

void u64_overflowed(const char *what, uint64_t a, char operation, uint64_t b)
{
    guard_fail("%s: %" PRIu64 " %c %" PRIu64 " does not fit 64 bits", what, a, operation, b);
}

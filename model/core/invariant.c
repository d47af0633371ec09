#include "core/invariant.h"

#include "core/error.h"
#include "core/guard.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local const uint64_t *clock_ps;

void invariant_clock(const uint64_t *now_ps)
{
    clock_ps = now_ps;
}

_Noreturn void invariant_failed(const char *condition, const char *file, int line,
                                const char *format, ...)
{
    struct error err;
    char now[48] = "no simulation running";
    va_list args;
    va_start(args, format);
    error_run_args(&err, format, args);
    va_end(args);
    if (clock_ps != NULL) {
        snprintf(now, sizeof now, "at %llu ps", (unsigned long long)*clock_ps);
    }
    struct error whole;
    error_run(&whole, "defect: %s:%d: %s does not hold (%s): %s", file, line, condition, now,
              err.text);
    guard_leave(&whole);
    fprintf(stderr, "s2flush: %s\n", whole.text);
    abort();
}

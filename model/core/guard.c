#include "core/guard.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

struct guard {
    jmp_buf back;
    struct error *err;
    double start_s;
};

static _Thread_local struct guard *current;
static _Thread_local double allowed_s; /* 0: no end */

double guard_computed_s(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

void guard_allow(double seconds)
{
    allowed_s = seconds;
}

void guard_check(void)
{
    if (allowed_s > 0 && current && guard_computed_s() - current->start_s > allowed_s) {
        guard_fail("not done after %g s", allowed_s);
    }
}

bool guard_call(guard_fn call, void *context, struct error *err)
{
    struct guard guard = {.err = err, .start_s = guard_computed_s()};
    if (setjmp(guard.back) != 0) {
        current = NULL;
        return false;
    }
    current = &guard;
    call(context);
    current = NULL;
    return true;
}

void guard_leave(const struct error *err)
{
    if (current) {
        *current->err = *err;
        longjmp(current->back, 1);
    }
}

void guard_fail(const char *format, ...)
{
    struct error err;
    va_list args;
    va_start(args, format);
    error_run_args(&err, format, args);
    va_end(args);
    guard_leave(&err);
    error_fatal("%s", err.text);
}

#include "core/guard.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

struct guard {
    jmp_buf back;
    struct error *err;
};

static _Thread_local struct guard *current;

bool guard_call(guard_fn call, void *context, struct error *err)
{
    struct guard guard = {.err = err};
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

/*
 * guard - lets one simulation fail, and those beside it go on.
 *
 * What cannot go on within a simulation (a number past 64 bits, an invariant that does not hold)
 * ends the program; within a guarded call it ends that call alone. What the call had taken up to
 * then is the caller's to give back.
 */
#ifndef S2FLUSH_CORE_GUARD_H
#define S2FLUSH_CORE_GUARD_H

#include <stdbool.h>

struct error;

typedef void (*guard_fn)(void *context);

/* Calls it; false with a line where it could not go on. */
bool guard_call(guard_fn call, void *context, struct error *err);

/* What this thread has computed, in s, whatever else runs on the machine. */
double guard_computed_s(void);

/* From now on a guarded call of this thread ends where it has computed longer than that, as far as
 * it asks; 0: it may take as long as it takes. */
void guard_allow(double seconds);

/* Asks. */
void guard_check(void);

/* Leaves the guarded call of this thread with that line; comes back where there is none. */
void guard_leave(const struct error *err);

/* Ends the guarded call of this thread, or the program: error_fatal. */
_Noreturn void guard_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

/*
 * invariant - assertions about the model.
 */
#ifndef S2FLUSH_CORE_INVARIANT_H
#define S2FLUSH_CORE_INVARIANT_H

#include <stdint.h>

/* An assertion about the model. On failure it prints the expression, the
 * message and the simulated time in effect (invariant_clock), and aborts; in a
 * guarded call (core/guard.h) it ends that call. */
#define INVARIANT(condition, ...)                                          \
    do {                                                                   \
        if (!(condition)) {                                                \
            invariant_failed(#condition, __FILE__, __LINE__, __VA_ARGS__); \
        }                                                                  \
    } while (0)

_Noreturn void invariant_failed(const char *condition, const char *file, int line,
                                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The simulated time that failed invariants print, in ps; each thread has its
 * own. Set to a running simulation's clock, or NULL. */
void invariant_clock(const uint64_t *now_ps);

#endif

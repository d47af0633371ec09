/*
 * u64 - smaller and larger, sum and product of unsigned 64-bit integers.
 *
 * Everything that could leave 64 bits goes through the checked operations
 * below: a number that does not fit ends the run with a message, it never
 * wraps.
 */
#ifndef S2FLUSH_CORE_U64_H
#define S2FLUSH_CORE_U64_H

#include <stdint.h>

static inline uint64_t u64_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t u64_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Ends the program with status 1: `a operation b` is outside the stated limits. */
_Noreturn void u64_overflowed(const char *what, uint64_t a, char operation, uint64_t b);

/* a + b and a * b; on overflow the program ends with status 1 and a message
 * that names `what`. Every charge goes through both, so they are inline. */
static inline uint64_t u64_add(uint64_t a, uint64_t b, const char *what)
{
    uint64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        u64_overflowed(what, a, '+', b);
    }
    return sum;
}

static inline uint64_t u64_mul(uint64_t a, uint64_t b, const char *what)
{
    uint64_t product;
    if (__builtin_mul_overflow(a, b, &product)) {
        u64_overflowed(what, a, '*', b);
    }
    return product;
}

#endif

/*
 * bench - what the drivers share: arguments, a clock, and the one line that
 * they print.
 *
 * A driver does `count` operations and prints the nanoseconds that they took
 * and a check value. Whoever compares two ways of doing the same work compares
 * their check values first.
 */
#ifndef S2FLUSH_BENCH_BENCH_H
#define S2FLUSH_BENCH_BENCH_H

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/error.h"

static inline uint64_t bench_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline uint64_t bench_number(const char *text)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno || *end || value == 0 || text[0] == '-') {
        error_fatal("not a positive number: %s", text);
    }
    return value;
}

static inline void bench_report(uint64_t started_ns, uint64_t check)
{
    printf("%" PRIu64 " %" PRIu64 "\n", bench_clock_ns() - started_ns, check);
}

#endif

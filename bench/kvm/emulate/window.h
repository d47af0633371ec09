/*
 * window - a stretch of what the emulated machine does, counted.
 *
 * The emulator's clock goes on by one nanosecond for each instruction (-icount shift=0), so that a
 * time is a number of instructions. The plugin lines.c sees the stores to WINDOW_AT and counts the
 * lines in between.
 */
#ifndef S2FLUSH_EMULATE_WINDOW_H
#define S2FLUSH_EMULATE_WINDOW_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#define WINDOW_AT UINT64_C(0x5a5a000000) /* a page: a store to its start opens, the next closes */
#define WINDOW_CLOSE 8

#ifdef __aarch64__ /* the emulated machine's part */
static inline uint64_t window_now(void)
{
    uint64_t ticks, per_second;
    __asm__ volatile("isb; mrs %0, cntvct_el0; isb" : "=r"(ticks)::"memory");
    __asm__("mrs %0, cntfrq_el0" : "=r"(per_second));
    return ticks * (UINT64_C(1000000000) / per_second);
}

static inline uint64_t window_open(void)
{
    *(volatile uint64_t *)WINDOW_AT = 1;
    return window_now();
}

static inline void window_close(const char *name, size_t size, uint64_t start)
{
    uint64_t took = window_now() - start;
    *(volatile uint64_t *)(WINDOW_AT + WINDOW_CLOSE) = 1;
    printf("%s,%zu,%" PRIu64 "\n", name, size, took);
}

/* Does something, and prints its name, its size and the instructions that it took. */
#define WINDOW(name, size, what)                \
    do {                                        \
        uint64_t window_start = window_open();  \
        what;                                   \
        window_close(name, size, window_start); \
    } while (0)
#endif

#endif

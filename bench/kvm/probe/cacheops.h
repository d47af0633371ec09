/*
 * The instructions that differ between architectures: cleaning and invalidating
 * a cache line by its address, and a chain of additions that tells the clock.
 */
#ifndef PROBE_CACHEOPS_H
#define PROBE_CACHEOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One instruction that writes a line back if need be and drops it. */
struct flusher {
    const char *name; /* as in the column `quantity` */
    bool (*usable)(void);
    /* Every line of the range, then the barrier that waits for them, as a
     * kernel does it once per range. */
    void (*flush)(const char *from, const char *to, size_t line);
};

/* All of this architecture; the last has no name. */
extern const struct flusher flushers[];

/* Bytes of the line that those instructions work on. */
size_t line_bytes(void);

/* Executes so many additions, each of which waits for the one before: one clock
 * cycle each on every core known. The count is rounded down to ADD_CHAIN. */
enum { ADD_CHAIN = 64 };
void add_chain(uint64_t additions);

/* The frequency of the counter that user space can read, 0 if not known. */
uint64_t timer_hz(void);

#endif

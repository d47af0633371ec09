/*
 * Counting in the kernel: probes and tracepoints with histogram triggers, in a
 * tracing instance of its own. Nothing goes through a ring buffer, so nothing is
 * dropped for lack of room in it; what can get lost (a probe that is hit while
 * another one is handled, an entry for which a histogram has no room) is counted
 * by the kernel and told here.
 */
#ifndef PROBE_TRACE_H
#define PROBE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/* Ends the program with one line where counting is not possible: not root, no
 * tracefs, a kernel without kprobes or histograms. */
void trace_open(void);
/* Takes away all that was put into the kernel; also done at exit. */
void trace_close(void);

/* Puts a probe at a place; its event is called `name`. False if the kernel refuses. */
bool trace_probe(const char *name, const char *place, const char *arguments);

/* Counts an event of this thread by `keys` and sums up `values`, two at most of each;
 * either may be NULL. `system` is NULL for a probe. */
bool trace_count(const char *system, const char *event, const char *keys, const char *values);

/* One entry of a histogram: its keys, how often, and the sums of its values, modulo
 * 2^64. A key kept by powers of two is that power's exponent. */
struct tally {
    uint64_t key[2];
    uint64_t hits;
    uint64_t sum[2];
};

/* Calls back for all entries; returns how many hits the kernel lost so far. */
uint64_t trace_read(const char *system, const char *event,
                    void (*entry)(const struct tally *tally, void *context), void *context);

#endif

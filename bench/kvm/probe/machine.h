/*
 * What can be measured without KVM: cost per line of cleaning and invalidating
 * by address, memory latency and bandwidth, clock.
 *
 * Output, one row per quantity and circumstance:
 *
 *   quantity  what: the flush instruction's name, mem_latency, mem_bandwidth,
 *             clock, timer, line_bytes, cores
 *   state     where the lines were before (flush), or what was done (bandwidth)
 *   cores     cores that did it at the same time, each in its own memory
 *   bytes     memory of each of them
 *   value     the mean of the samples, in `unit`
 *   unit      ns (per line, or per load), bytes_per_ns (all cores), hz, bytes, count
 *   n, median, p10, p90   the samples
 */
#ifndef PROBE_MACHINE_H
#define PROBE_MACHINE_H

#include "common.h"

enum { MACHINE_SIZES = 16 };

struct machine_options {
    size_t cores; /* at most so many at once */
    size_t samples; /* per row */
    size_t sizes; /* in use of: */
    uint64_t bytes[MACHINE_SIZES]; /* of the flushed buffers */
};

void machine_measure(const struct machine_options *options, FILE *out);

/* For the parts of it. */
struct row {
    const char *quantity, *state, *unit;
    size_t cores;
    uint64_t bytes;
};
void machine_row(FILE *out, const struct row *row, struct samples *samples);

/* Touched memory, in huge pages where the host has them, so that what is
 * measured is caches and not page tables. */
char *machine_buffer(uint64_t bytes);
void machine_release(char *buffer, uint64_t bytes);

/* The next number of 1, 2, 4 ... of cores, the last being all of them. */
size_t machine_more(size_t cores, size_t most);

void flush_measure(const struct machine_options *options, FILE *out);
void memory_measure(const struct machine_options *options, FILE *out);

/* How many rows each of them has. */
size_t flush_rows(const struct machine_options *options);
size_t memory_rows(const struct machine_options *options);

#endif

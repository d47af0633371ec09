/*
 * timed_host - a machine whose costs are known, and a file of the times that its VMs take,
 * as `probe vm --times` would write it.
 */
#ifndef S2FLUSH_TESTS_TIMED_HOST_H
#define S2FLUSH_TESTS_TIMED_HOST_H

#include "measurements.h"

/* A machine to measure: what its phases take is played, not priced. */
struct timed_host {
    const char *cpu;
    struct platform base;
    double value[COSTS];
};

/* The machine of that name, with every cost at the median of its range. */
struct timed_host timed_host_like(const char *name);

/* Writes a host's times in the recorded cases whose names the pattern matches, with noise
 * by the seed (0: without) around each median; returns the file's path, and the caller
 * removes it. */
const char *timed_host_file(const struct timed_host *host, const char *pattern, uint64_t seed);

#endif

/*
 * Runs the VMs of a table: once with the kernel's events counted around each phase,
 * and as often as asked with nothing but a clock around it.
 */
#ifndef PROBE_PHASES_H
#define PROBE_PHASES_H

#include <stdbool.h>
#include <stddef.h>

struct phases_options {
    const char *cases_path;
    const char *const *patterns; /* of the cases to run; all, if there are none */
    size_t patterns_count;
    const char *counts_path; /* NULL: don't count */
    const char *times_path; /* NULL: don't time */
    size_t repetitions;
    const char *kernel, *cpu; /* NULL: as this machine says */
};

void phases_run(const struct phases_options *options);

#endif

/*
 * generate - a use, a reset and a second boot out of a few numbers ([boot]).
 *
 * The footprint is one range from the start of RAM on, the VMM's image first.
 * What the second boot touches is a bounded number of pieces of it, whatever
 * its size, so that a terabyte can be played as fast as a megabyte.
 */
#ifndef S2FLUSH_GUEST_GENERATE_GENERATE_H
#define S2FLUSH_GUEST_GENERATE_GENERATE_H

#include "guest/workload/workload_values.h"

struct error;

/* Sets the keys that follow from others unless they were given. `given` says
 * of each key by its place in workload_options whether it was. */
void generate_resolve(struct workload_values *values, const bool *given);

/* Adds the operations to an empty timeline whose VM is set up with RAM as its
 * first slot. False with one line where the keys contradict each other;
 * `file` is for that line. */
bool generate_boot(const char *file, const struct workload_values *values,
                   struct timeline *timeline, struct error *err);

#endif

/*
 * generate_plan - which pieces of the footprint a generated boot touches, and
 * in which order.
 */
#ifndef S2FLUSH_GUEST_GENERATE_GENERATE_PLAN_H
#define S2FLUSH_GUEST_GENERATE_GENERATE_PLAN_H

#include "guest/workload/workload_values.h"

/* What a second boot touches is counted in these where there is as much, so
 * that it is the same memory at every leaf size. */
#define PLAN_UNIT_BYTES (2 * MIB)

struct piece {
    uint64_t ipa, bytes;
    uint64_t key; /* pieces are touched in ascending order of it */
    uint64_t execute_bytes; /* of it, from its start, are executed too */
    bool write;
};

struct plan {
    const struct workload_values *values;
    struct timeline *timeline;
    struct piece *pieces; /* in the order of the touches */
    uint64_t count;
    uint64_t unit_bytes; /* pieces are whole numbers of it */
    uint64_t alone; /* so many pieces are touched before the other vCPUs come up */
    uint64_t drawn; /* random numbers so far */
};

/* Lays the pieces out over the footprint, puts them in order, and cuts the one during
 * which the other vCPUs come up. */
void plan_make(struct plan *plan);
void plan_free(struct plan *plan);

/* The next random number of the plan's seed. */
uint64_t plan_draw(struct plan *plan);

#endif

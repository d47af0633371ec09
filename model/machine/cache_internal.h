/*
 * cache_internal - what is behind a cache: one of the two fidelities.
 */
#ifndef S2FLUSH_MACHINE_CACHE_INTERNAL_H
#define S2FLUSH_MACHINE_CACHE_INTERNAL_H

#include "machine/cache.h"
#include "machine/cache_extents.h"
#include "machine/cache_sets.h"

struct cache {
    bool exact;
    uint32_t page_lines;
    union {
        struct cache_sets sets; /* if exact */
        struct cache_extents extents; /* otherwise */
    };
};

#endif

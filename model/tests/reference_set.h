/*
 * reference_set - a line in every state that hardware may bring it into.
 *
 * A step plays one operation of reference_line.h on every state of a set, and then lets
 * happen, in any order and number, all that may happen by itself.
 */
#ifndef S2FLUSH_TESTS_REFERENCE_SET_H
#define S2FLUSH_TESTS_REFERENCE_SET_H

#include "reference_line.h"

#include <stdint.h>

#define LINE_STATES 150 /* memory 2, data 5, unified 5, I-cache 3 */

struct line_set {
    uint64_t states[(LINE_STATES + 63) / 64];
    struct reach reach;
};

/* Memory at rest, with the newest bytes in it, and what may have happened to that. */
void line_set_rest(struct line_set *set, const struct line_hardware *hw, unsigned may);

/* One operation, and all that may happen by itself after it. */
void line_set_step(struct line_set *set, enum line_operation operation,
                   const struct line_hardware *hw, unsigned may);

/* Whether the operation may read old bytes in any of the states. */
bool line_set_reads_old(const struct line_set *set, enum line_operation operation,
                        const struct line_hardware *hw);

#endif

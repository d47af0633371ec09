/*
 * spans - who did what from when to when, in a bounded amount of memory.
 *
 * Each lane (an actor, or what an actor holds) is a line of spans without gaps
 * or overlaps, from time 0 on. A span is of one class (busy at a site, waiting
 * for a resource, ...) and one phase; what continues the last span lengthens
 * it. When there are more spans than the limit, neighbours that are short are
 * put together, and what counts as short doubles until they fit. Such a span
 * keeps the time of each class and how many it stands for, so sums over a lane
 * stay exact whatever the limit.
 *
 * Classes and tallies are small numbers here; who records names them.
 */
#ifndef S2FLUSH_CORE_SPANS_H
#define S2FLUSH_CORE_SPANS_H

#include "core/units.h"

#include <stdbool.h>
#include <stddef.h>

#define SPAN_CLASSES 16
#define SPAN_TALLIES 9

struct span {
    uint32_t lane, phase;
    ps_t start, ps;
    uint64_t stands_for; /* spans that were put together; 1: none */
    ps_t part[SPAN_CLASSES]; /* adds up to ps */
    uint64_t tally[SPAN_TALLIES];
};

/* Something that happens at once. */
struct span_mark {
    uint32_t lane, what;
    ps_t at;
    uint64_t n;
};

struct span_lane {
    bool begun;
    size_t last; /* its last span */
    ps_t now; /* where that ends */
    uint64_t pending[SPAN_TALLIES]; /* counted ahead of the time that it takes */
};

struct spans {
    struct span *span; /* in the order in which they began to be recorded */
    size_t count, room;
    struct span_lane *lanes;
    uint32_t lane_count;
    ps_t grain; /* up to here neighbours are put together; 0: nothing is */
    struct span_mark *marks;
    size_t mark_count, mark_room;
    uint64_t marks_left_out;
};

/* Makes room for `limit` spans (at least two for each lane) and as many marks;
 * nothing is allocated afterwards. */
void spans_init(struct spans *spans, uint32_t lanes, size_t limit);
void spans_free(struct spans *spans);

/* The lane's next `ps` picoseconds are of a class. */
void spans_add(struct spans *spans, uint32_t lane, uint32_t phase, uint32_t class, ps_t ps);

/* All that is still to come up to a time is of a class. */
void spans_until(struct spans *spans, uint32_t lane, uint32_t phase, uint32_t class, ps_t until);

/* Adds to a tally of the lane's next span. */
void spans_tally(struct spans *spans, uint32_t lane, uint32_t tally, uint64_t n);

/* Notes something at the lane's present time. */
void spans_mark(struct spans *spans, uint32_t lane, uint32_t what, uint64_t n);

/* What was counted and took no time goes to each lane's last span. To be called
 * once, at the end. */
void spans_end(struct spans *spans);

/* The class of which a span has most. */
uint32_t span_class(const struct span *span);

#endif

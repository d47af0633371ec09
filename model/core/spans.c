#include "core/spans.h"

#include "core/alloc.h"
#include "core/invariant.h"

#include <stdlib.h>
#include <string.h>

/* Past this, spans of different phases are put together, too: nothing else is
 * left to shorten the list. */
#define ANY_PHASE_PS (UINT64_C(1) << 62)

void spans_init(struct spans *spans, uint32_t lanes, size_t limit)
{
    size_t min = 2 * (size_t)lanes + 2;
    size_t room = limit > min ? limit : min;
    *spans = (struct spans){.room = room, .lane_count = lanes, .mark_room = room};
    spans->span = alloc_raw(room, sizeof *spans->span, "the timeline");
    spans->marks = alloc_raw(room, sizeof *spans->marks, "the timeline");
    spans->lanes = alloc_zeroed(lanes, sizeof *spans->lanes, "the timeline");
}

void spans_free(struct spans *spans)
{
    free(spans->span);
    free(spans->marks);
    free(spans->lanes);
    *spans = (struct spans){0};
}

static void join(struct span *span, const struct span *next)
{
    span->ps = u64_add(span->ps, next->ps, "simulated time");
    span->stands_for += next->stands_for;
    for (uint32_t i = 0; i < SPAN_CLASSES; i++) {
        span->part[i] += next->part[i];
    }
    for (uint32_t i = 0; i < SPAN_TALLIES; i++) {
        span->tally[i] += next->tally[i];
    }
}

static bool joins(const struct spans *spans, const struct span *span, const struct span *next)
{
    ps_t grain = spans->grain;
    if (span->phase != next->phase && grain < ANY_PHASE_PS) {
        return false;
    }
    return span->ps <= grain && next->ps <= grain - span->ps;
}

/* Puts neighbours together that are short by now. */
static void shorten(struct spans *spans)
{
    size_t kept = 0;
    for (uint32_t i = 0; i < spans->lane_count; i++) {
        spans->lanes[i].begun = false;
    }
    for (size_t i = 0; i < spans->count; i++) {
        const struct span next = spans->span[i];
        struct span_lane *lane = &spans->lanes[next.lane];
        if (lane->begun && joins(spans, &spans->span[lane->last], &next)) {
            join(&spans->span[lane->last], &next);
            continue;
        }
        lane->begun = true;
        lane->last = kept;
        spans->span[kept++] = next;
    }
    spans->count = kept;
}

/* At least a quarter is freed, or every other span would shorten the list. */
static void make_room(struct spans *spans)
{
    while (spans->count > spans->room - spans->room / 4 - 1) {
        INVARIANT(spans->grain < UINT64_MAX / 2, "%zu spans do not fit %zu", spans->count,
                  spans->room);
        spans->grain = spans->grain ? spans->grain * 2 : PS_PER_NS;
        shorten(spans);
    }
}

static void append(struct spans *spans, const struct span *span)
{
    struct span_lane *lane = &spans->lanes[span->lane];
    if (spans->count == spans->room) {
        make_room(spans);
    }
    if (lane->begun && joins(spans, &spans->span[lane->last], span)) {
        join(&spans->span[lane->last], span);
        return;
    }
    lane->begun = true;
    lane->last = spans->count;
    spans->span[spans->count++] = *span;
}

/* Whether the lane's last span is of that class alone. */
static bool continues(const struct spans *spans, const struct span_lane *lane, uint32_t phase,
                      uint32_t class)
{
    const struct span *last = &spans->span[lane->last];
    return lane->begun && last->phase == phase && last->part[class] == last->ps;
}

void spans_add(struct spans *spans, uint32_t lane, uint32_t phase, uint32_t class, ps_t ps)
{
    struct span_lane *at = &spans->lanes[lane];
    INVARIANT(lane < spans->lane_count && class < SPAN_CLASSES, "lane %u, class %u", lane, class);
    if (ps == 0) {
        return;
    }
    struct span span = {.lane = lane, .phase = phase, .start = at->now, .ps = ps, .stands_for = 1};
    span.part[class] = ps;
    memcpy(span.tally, at->pending, sizeof span.tally);
    memset(at->pending, 0, sizeof at->pending);
    at->now = u64_add(at->now, ps, "simulated time");
    if (continues(spans, at, phase, class)) {
        span.stands_for = 0;
        join(&spans->span[at->last], &span);
    } else {
        append(spans, &span);
    }
}

void spans_until(struct spans *spans, uint32_t lane, uint32_t phase, uint32_t class, ps_t until)
{
    ps_t now = spans->lanes[lane].now;
    INVARIANT(until >= now, "lane %u runs backward", lane);
    spans_add(spans, lane, phase, class, until - now);
}

void spans_tally(struct spans *spans, uint32_t lane, uint32_t tally, uint64_t n)
{
    INVARIANT(lane < spans->lane_count && tally < SPAN_TALLIES, "lane %u, tally %u", lane, tally);
    spans->lanes[lane].pending[tally] += n;
}

void spans_mark(struct spans *spans, uint32_t lane, uint32_t what, uint64_t n)
{
    if (spans->mark_count == spans->mark_room) {
        spans->marks_left_out++;
        return;
    }
    spans->marks[spans->mark_count++] =
        (struct span_mark){.lane = lane, .what = what, .at = spans->lanes[lane].now, .n = n};
}

void spans_end(struct spans *spans)
{
    for (uint32_t i = 0; i < spans->lane_count; i++) {
        struct span_lane *lane = &spans->lanes[i];
        for (uint32_t k = 0; lane->begun && k < SPAN_TALLIES; k++) {
            spans->span[lane->last].tally[k] += lane->pending[k];
            lane->pending[k] = 0;
        }
    }
}

uint32_t span_class(const struct span *span)
{
    uint32_t longest = 0;
    for (uint32_t i = 1; i < SPAN_CLASSES; i++) {
        longest = span->part[i] > span->part[longest] ? i : longest;
    }
    return longest;
}

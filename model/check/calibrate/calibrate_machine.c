/* Rows of `probe machine`: what they should say at given costs; and what the flushes
 * among them say before anything is fitted: where the search for each cost begins, and
 * whether cores together filled a path that they share. */
#include "check/calibrate/calibrate_parts.h"

#include <math.h>

/* Cores that take so much longer together than one alone wait for each other; and
 * a path that is so much narrower than another is the one they wait for. */
#define FULL 1.15

static bool is_flush(const struct observation *seen)
{
    return !seen->row && seen->kind <= PROBE_DIRTY;
}

static double lines_of(const struct observation *seen)
{
    return (double)seen->bytes / (double)seen->line_bytes;
}

/* --- at given costs --- */

double observation_probed(const struct observation *seen, const double value[COSTS])
{
    double line = value[COST_dc_absent_ns], written = 0;
    double clean = line * value[COST_dc_clean_ratio];
    switch (seen->kind) {
    case PROBE_LATENCY:
        return value[COST_memory_ns];
    case PROBE_WRITE:
        return value[COST_zero_gbps];
    case PROBE_WRITE_ALL:
        return value[COST_zero_path_gbps];
    case PROBE_COPY:
        return value[COST_copy_gbps];
    case PROBE_DIRTY:
        line = clean * value[COST_dc_dirty_ratio];
        written = (double)seen->line_bytes / value[COST_writeback_gbps];
        break;
    case PROBE_CLEAN:
        line = clean;
        break;
    case PROBE_ABSENT:
    case PROBE_KINDS:
        break;
    }
    /* Cores together cannot be faster than the path that they share. What one takes
     * alone is a line's cost, also where one alone should fill the path. */
    double path = fmax(value[COST_cmo_path_ns], written);
    double shared = seen->cores > 1 ? (double)seen->cores * path : 0;
    return fmax(line, shared) + value[COST_dsb_ns] / lines_of(seen);
}

/* --- before anything is fitted --- */

/* One core's row of that kind with the largest buffer, or the smallest; or NULL. */
static const struct observation *alone(const struct measurements *found, enum probe_kind kind,
                                       bool largest)
{
    const struct observation *best = NULL;
    for (size_t i = 0; i < found->count; i++) {
        const struct observation *seen = &found->rows[i];
        if (is_flush(seen) && seen->kind == kind && seen->cores == 1 &&
            (!best || (seen->bytes > best->bytes) == largest)) {
            best = seen;
        }
    }
    return best;
}

/* The more lines, the less of the barrier is in each. 0: no two sizes tell it. */
static double barrier(const struct measurements *found)
{
    for (enum probe_kind kind = PROBE_ABSENT; kind <= PROBE_DIRTY; kind++) {
        const struct observation *small = alone(found, kind, false),
                                 *large = alone(found, kind, true);
        if (small && small->bytes < large->bytes && small->measured > large->measured) {
            return (small->measured - large->measured) /
                   (1 / lines_of(small) - 1 / lines_of(large));
        }
    }
    return 0;
}

/* A line without its share of the barrier. */
static double line_ns(const struct measurements *found, const struct observation *seen)
{
    double line = seen->measured - found->start[COST_dsb_ns] / lines_of(seen);
    return fmax(line, seen->measured / 100);
}

static void begin_lines(struct measurements *found)
{
    const struct observation *row[] = {alone(found, PROBE_ABSENT, true),
                                       alone(found, PROBE_CLEAN, true),
                                       alone(found, PROBE_DIRTY, true)};
    found->start[COST_dsb_ns] = barrier(found);
    if (row[PROBE_ABSENT]) {
        found->start[COST_dc_absent_ns] = line_ns(found, row[PROBE_ABSENT]);
    }
    if (row[PROBE_ABSENT] && row[PROBE_CLEAN]) {
        found->start[COST_dc_clean_ratio] =
            line_ns(found, row[PROBE_CLEAN]) / line_ns(found, row[PROBE_ABSENT]);
    }
    if (row[PROBE_CLEAN] && row[PROBE_DIRTY]) {
        found->start[COST_dc_dirty_ratio] =
            line_ns(found, row[PROBE_DIRTY]) / line_ns(found, row[PROBE_CLEAN]);
    }
}

/* How much longer than one core alone; 0 where there is no such row. */
static double slowdown(const struct measurements *found, const struct observation *seen)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct observation *one = &found->rows[i];
        if (is_flush(one) && one->cores == 1 && one->kind == seen->kind &&
            one->bytes == seen->bytes) {
            return line_ns(found, seen) / line_ns(found, one);
        }
    }
    return 0;
}

/* However many cores flush, each line takes its time of the path that they share:
 * at most a line's time over the number of cores, and that where they wait. */
static double share_of(const struct measurements *found, bool dirty, bool *full)
{
    double least = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct observation *seen = &found->rows[i];
        if (is_flush(seen) && seen->cores > 1 && (seen->kind == PROBE_DIRTY) == dirty) {
            double each = line_ns(found, seen) / (double)seen->cores;
            least = least > 0 ? fmin(least, each) : each;
            *full |= slowdown(found, seen) > FULL;
        }
    }
    return least;
}

void measurements_judge(struct measurements *found)
{
    bool dirty_full = false;
    uint64_t line = found->line_bytes > 0 ? found->line_bytes : 64;
    for (size_t i = 0; i < found->count; i++) {
        found->rows[i].line_bytes = line;
    }
    begin_lines(found);
    found->cmo_path_most_ns = share_of(found, false, &found->cmo_path_full);
    double dirty_ns = share_of(found, true, &dirty_full);
    found->writeback_least_gbps = dirty_ns > 0 ? (double)line / dirty_ns : 0;
    /* Else dirty lines may wait for the path that all lines take. */
    found->writeback_full = dirty_full && dirty_ns > FULL * found->cmo_path_most_ns;
    found->start[COST_cmo_path_ns] = found->cmo_path_most_ns;
    found->start[COST_writeback_gbps] = found->writeback_least_gbps;
}

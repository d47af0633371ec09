#include "study/target.h"

#include "core/alloc.h"
#include "study/breakeven_parts.h"

#include <math.h>
#include <stdlib.h>

/* One strategy in one group. */
struct lane {
    struct scan *scan;
    size_t group, strategy;
    double limit;
    bool rises;
};

/* The i-th value of the axis from the best end on. */
static size_t place(const struct lane *lane, size_t i)
{
    return lane->rises ? i : lane->scan->results->x_count - 1 - i;
}

/* The metric there; run 0 is at the modes. */
static double value_at(const struct lane *lane, size_t run, size_t i)
{
    return *scan_value(lane->scan, lane->group, lane->strategy, run, place(lane, i));
}

static struct breakeven_curve spread_at(const struct lane *lane, size_t i)
{
    size_t n = lane->scan->runs - 1;
    double *drawn = alloc_zeroed(n, sizeof *drawn, "values of a break-even");
    struct breakeven_curve curve = {value_at(lane, 0, i), NAN, NAN, NAN};
    for (size_t run = 0; run < n; run++) {
        drawn[run] = value_at(lane, run + 1, i);
    }
    if (n > 0) {
        curve.p10 = stats_quantile(drawn, n, 0.1);
        curve.p50 = stats_quantile(drawn, n, 0.5);
        curve.p90 = stats_quantile(drawn, n, 0.9);
    }
    free(drawn);
    return curve;
}

/* How many values from the best end on keep the limit in a run. */
static size_t kept_in(const struct lane *lane, size_t run)
{
    size_t i = 0;
    while (i < lane->scan->results->x_count && value_at(lane, run, i) <= lane->limit) {
        i++;
    }
    return i;
}

/* In what share of the draws the first `count` values do. */
static double share_keeping(const struct lane *lane, size_t count)
{
    size_t n = lane->scan->runs - 1, kept = 0;
    for (size_t run = 1; run <= n; run++) {
        kept += kept_in(lane, run) >= count;
    }
    return n > 0 ? (double)kept / (double)n : NAN;
}

static double x_at(const struct lane *lane, size_t count)
{
    return count > 0 ? lane->scan->results->x[place(lane, count - 1)] : NAN;
}

static struct target solve(struct lane *lane)
{
    size_t last = lane->scan->results->x_count - 1;
    lane->rises = true;
    lane->rises = value_at(lane, 0, 0) <= value_at(lane, 0, last);
    size_t kept = kept_in(lane, 0), sure = last + 1;
    while (sure > 0 && !(share_keeping(lane, sure) >= TARGET_SURE)) {
        sure--;
    }
    return (struct target){.limit = lane->limit,
                           .group = lane->group,
                           .strategy = lane->strategy,
                           .rises = lane->rises,
                           .at = x_at(lane, kept),
                           .sure = x_at(lane, sure),
                           .share = kept > 0 ? share_keeping(lane, kept) : NAN,
                           .best = spread_at(lane, 0),
                           .there = spread_at(lane, kept > 0 ? kept - 1 : 0),
                           .all = kept == last + 1};
}

/* Whether it serves all readers and exists, along the whole axis. */
static bool wanted(const struct lane *lane)
{
    const struct scan *scan = lane->scan;
    if (scan->results->passed[lane->group]) {
        return false;
    }
    for (size_t x = 0; x < scan->results->x_count; x++) {
        const struct strategy_verdict *verdict =
            &scan->verdict[(lane->group * scan->results->x_count + x) * scan->strategies +
                           lane->strategy];
        if (verdict->worst == STALE || (verdict->hypothetical && !scan->request->what_if)) {
            return false;
        }
    }
    return true;
}

bool target_run(const struct study *study, const struct breakeven_request *request,
                const double *limits, size_t limit_count, struct sweep *sweep, struct store *store,
                struct target_results *results, struct error *err)
{
    struct scan scan;
    *results = (struct target_results){0};
    if (!breakeven_scan(study, request, sweep, store, &scan, &results->axis, err)) {
        return false;
    }
    size_t lanes = results->axis.groups.count * scan.strategies;
    results->row =
        alloc_zeroed(lanes * limit_count, sizeof *results->row, "values of a break-even");
    for (size_t i = 0; i < lanes * limit_count; i++) {
        struct lane lane = {.scan = &scan,
                            .group = i % lanes / scan.strategies,
                            .strategy = i % scan.strategies,
                            .limit = limits[i / lanes]};
        if (wanted(&lane)) {
            results->row[results->count++] = solve(&lane);
        }
    }
    breakeven_scan_end(&scan);
    return true;
}

void target_free(struct target_results *results)
{
    breakeven_free(&results->axis);
    free(results->row);
    *results = (struct target_results){0};
}

#include "study/breakeven.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/portable_math.h"
#include "study/breakeven_parts.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>

const char *const breakeven_status_name[] = {"crossing", "no crossing in range", "equal",
                                             "undecided", "left out"};

/* --- the axis --- */

static bool read_number(const char *option, const char *text, struct value_kind kind, double *value,
                        struct error *err)
{
    if (unit_parse(text, kind.unit, value)) {
        return true;
    }
    return error_input(err, NULL, "%s: found '%.80s', expected a number%s%s", option, text,
                       unit_name(kind.unit)[0] ? " in " : "", unit_name(kind.unit));
}

/* Values from `from` to `to`. Sizes go by equal factors: they span decades. */
static bool ranged(const struct breakeven_request *request, struct breakeven_results *results,
                   struct error *err)
{
    double from, to;
    if (!request->from || !request->to) {
        return error_input(err, NULL, "found only one of --from and --to, expected both");
    }
    if (!read_number("--from", request->from, results->kind, &from, err) ||
        !read_number("--to", request->to, results->kind, &to, err)) {
        return false;
    }
    if (from >= to || request->steps < 2 || request->steps > BREAKEVEN_STEPS_MAX) {
        return error_input(err, NULL,
                           "from %s to %s in %llu values: expected a rising range and 2 to %d "
                           "values",
                           request->from, request->to, (unsigned long long)request->steps,
                           BREAKEVEN_STEPS_MAX);
    }
    bool factors = results->kind.unit == UNIT_BYTES && from > 0;
    double step = breakeven_step(results->kind), last = -INFINITY;
    for (uint64_t i = 0; i < request->steps; i++) {
        double share = (double)i / (double)(request->steps - 1);
        double x = factors ? from * portable_pow(to / from, share) : from + (to - from) * share;
        x = i == 0 ? from : i + 1 == request->steps ? to : step > 0 ? round(x / step) * step : x;
        if (x > last) {
            results->x[results->x_count++] = last = x;
        }
    }
    return true;
}

static bool values_of(const struct axis *axis, struct breakeven_results *results, struct error *err)
{
    if (axis->values.count > BREAKEVEN_STEPS_MAX) {
        return error_input(err, NULL, "%s: more than %d values", axis->name, BREAKEVEN_STEPS_MAX);
    }
    for (size_t i = 0; i < axis->values.count; i++) {
        unit_parse(axis->values.text[i], UNIT_NONE, &results->x[i]);
    }
    results->x_count = axis->values.count;
    gsl_sort(results->x, 1, results->x_count);
    return true;
}

static bool find_axis(const struct study *study, const struct breakeven_request *request,
                      struct breakeven_results *results, struct error *err)
{
    const struct axis *axis = groups_axis(study, request->axis);
    snprintf(results->axis, sizeof results->axis, "%s", request->axis);
    struct source_location at = {.key = "--axis"};
    if (!axis && setup_key_owner(request->axis) == KEY_NOBODY) {
        return setup_unknown_key(request->axis, NULL, 0, &at, err);
    }
    if (!axis && !study_effect(study, request->axis, &at, err)) {
        return false;
    }
    results->kind = axis ? axis->kind : setup_key_kind(request->axis);
    if (!results->kind.number) {
        return error_input(err, NULL, "--axis: %s has no numbers to look along", request->axis);
    }
    groups_init(&results->groups, study, axis, NULL);
    if (request->from || request->to) {
        return ranged(request, results, err);
    }
    if (!axis || axis->values.count < 2) {
        return error_input(err, NULL,
                           "%s has not two values in the study: expected --from and --to",
                           request->axis);
    }
    return values_of(axis, results, err);
}

double breakeven_step(struct value_kind kind)
{
    return !kind.whole ? 0 : kind.unit == UNIT_BYTES ? (double)(64 * KIB) : 1;
}

/* --- scanning --- */

/* Part `item` is a value of the axis in a group. */
static bool scan_one(void *context, size_t item, struct error *err)
{
    struct scan *scan = context;
    const struct breakeven_results *results = scan->results;
    size_t group = item / results->x_count, x = item % results->x_count;
    struct scenario scenario;
    char text[40];
    breakeven_text(results->kind, results->x[x], text, sizeof text);
    struct scenario_key other = {results->axis, text};
    if (!scenario_open(&scenario, &scan->evaluator, groups_point(&results->groups, group), other,
                       err)) {
        return false;
    }
    double *value =
        alloc_zeroed(scan->strategies * scan->runs, sizeof *value, "values of a break-even");
    bool good = true;
    for (size_t s = 0; good && s < scan->strategies; s++) {
        good = evaluate_verdict(&scenario, scan->study->strategies[s],
                                &scan->verdict[item * scan->strategies + s], err);
    }
    good = good && evaluate_metric(&scenario, scan->request->metric, scan->study->strategies,
                                   scan->strategies, value, err);
    for (size_t i = 0; good && i < scan->strategies * scan->runs; i++) {
        *scan_value(scan, group, i / scan->runs, i % scan->runs, x) = value[i];
    }
    scan->failed[item] = !good && err->simulation;
    free(value);
    scenario_close(&scenario);
    return good;
}

static void mark_passed(struct scan *scan)
{
    struct breakeven_results *results = scan->results;
    results->passed = alloc_zeroed(results->groups.count, sizeof *results->passed, "groups");
    for (size_t item = 0; item < results->groups.count * results->x_count; item++) {
        results->passed[item / results->x_count] |= scan->failed[item];
    }
}

static void fill_curve(struct scan *scan, size_t group, size_t x, size_t s, double *drawn)
{
    const struct breakeven_results *results = scan->results;
    struct breakeven_curve *curve =
        &results->curve[(group * results->x_count + x) * scan->strategies + s];
    size_t n = scan->runs - 1;
    curve->mode = *scan_value(scan, group, s, 0, x);
    for (size_t run = 0; run < n; run++) {
        drawn[run] = *scan_value(scan, group, s, run + 1, x);
    }
    curve->p10 = n ? stats_quantile(drawn, n, 0.1) : NAN;
    curve->p50 = n ? stats_quantile(drawn, n, 0.5) : NAN;
    curve->p90 = n ? stats_quantile(drawn, n, 0.9) : NAN;
}

static void fill_curves(struct scan *scan)
{
    const struct breakeven_results *results = scan->results;
    double *drawn = alloc_zeroed(scan->runs, sizeof *drawn, "values of a break-even");
    for (size_t group = 0; group < results->groups.count; group++) {
        for (size_t x = 0; x < results->x_count; x++) {
            for (size_t s = 0; s < scan->strategies; s++) {
                fill_curve(scan, group, x, s, drawn);
            }
        }
    }
    free(drawn);
}

/* Whether the axis changes anything at all: a recorded workload, for one, does
 * not ask what share of a footprint is touched. */
static bool check_effect(const struct scan *scan, struct error *err)
{
    const struct breakeven_results *results = scan->results;
    for (size_t group = 0; group < results->groups.count; group++) {
        if (results->passed[group]) { /* nothing is known of it */
            return true;
        }
        for (size_t x = 1; x < results->x_count; x++) {
            for (size_t s = 0; s < scan->strategies; s++) {
                if (*scan_value(scan, group, s, 0, x) != *scan_value(scan, group, s, 0, 0)) {
                    return true;
                }
            }
        }
    }
    return error_input(err, NULL,
                       "--axis: %s changes nothing of %s for the workloads of this study",
                       results->axis, metric_name[scan->request->metric]);
}

/* --- all of it --- */

void breakeven_scan_end(struct scan *scan)
{
    evaluator_close(&scan->evaluator);
    free(scan->value);
    free(scan->verdict);
    free(scan->failed);
}

bool breakeven_scan(const struct study *study, const struct breakeven_request *request,
                    struct sweep *sweep, struct store *store, struct scan *scan,
                    struct breakeven_results *results, struct error *err)
{
    *results = (struct breakeven_results){.metric = request->metric};
    *scan = (struct scan){.study = study,
                          .request = request,
                          .results = results,
                          .runs = 1 + study->draws,
                          .strategies = study->role[AXIS_STRATEGY]->values.count,
                          .a = SIZE_MAX};
    if ((request->pair && !groups_pair(study, "--pair", request->pair, &scan->a, &scan->b, err)) ||
        !find_axis(study, request, results, err)) {
        return false;
    }
    size_t places = results->groups.count * results->x_count * scan->strategies;
    uint64_t each =
        scan->runs * sizeof *scan->value + sizeof *scan->verdict + sizeof *results->curve;
    if (!alloc_allowed(u64_mul(places, each, "memory of a scan"), "the scan along the axis",
                       "fewer --steps, draws, strategies or points take less", err)) {
        return false;
    }
    evaluator_open(&scan->evaluator, study, sweep, store);
    scan->value = alloc_zeroed(places * scan->runs, sizeof *scan->value, "values of a break-even");
    scan->verdict = alloc_zeroed(places, sizeof *scan->verdict, "values of a break-even");
    size_t items = results->groups.count * results->x_count;
    scan->failed = alloc_zeroed(items, sizeof *scan->failed, "values of a break-even");
    bool good = sweep_passing(sweep, items, scan_one, scan, &results->failed, err);
    mark_passed(scan);
    if (good && check_effect(scan, err)) {
        return true;
    }
    breakeven_scan_end(scan);
    breakeven_free(results);
    return false;
}

bool breakeven_run(const struct study *study, const struct breakeven_request *request,
                   struct sweep *sweep, struct store *store, struct breakeven_results *results,
                   struct error *err)
{
    struct scan scan;
    if (!breakeven_scan(study, request, sweep, store, &scan, results, err)) {
        return false;
    }
    size_t lanes = results->groups.count * scan.strategies;
    results->curve =
        alloc_zeroed(lanes * results->x_count, sizeof *results->curve, "values of a break-even");
    results->compared = alloc_zeroed(lanes, sizeof *results->compared, "values of a break-even");
    fill_curves(&scan);
    bool good = breakeven_pairs(&scan, err);
    breakeven_scan_end(&scan);
    if (!good) {
        breakeven_free(results);
    }
    return good;
}

void breakeven_free(struct breakeven_results *results)
{
    free(results->row);
    free(results->curve);
    free(results->compared);
    free(results->passed);
    *results = (struct breakeven_results){0};
}

/* What a scan says of each pair of strategies, and the crossings in it. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/portable_math.h"
#include "study/breakeven_parts.h"
#include "study/crossing.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void breakeven_text(struct value_kind kind, double x, char *text, size_t size)
{
    if (kind.whole) {
        snprintf(text, size, "%" PRIu64, (uint64_t)llround(x));
    } else {
        unit_format_real(x, text, size);
    }
}

/* --- which strategies are compared --- */

/* Why a strategy is not compared in a group, or NULL. */
static const char *left_out(const struct scan *scan, size_t group, size_t strategy,
                            unsigned *conditions)
{
    size_t count = scan->results->x_count;
    for (size_t x = 0; x < count; x++) {
        const struct strategy_verdict *verdict =
            &scan->verdict[(group * count + x) * scan->strategies + strategy];
        if (verdict->worst == STALE) {
            return "incoherent";
        }
        if (verdict->hypothetical && !scan->request->what_if) {
            return verdict->hypothetical;
        }
        *conditions |= verdict->conditions;
    }
    return NULL;
}

static struct breakeven *new_row(struct scan *scan, size_t group, size_t a, size_t b)
{
    struct breakeven_results *results = scan->results;
    struct breakeven *grown = alloc_checked(
        realloc(results->row, (results->count + 1) * sizeof *grown), "break-even points");
    results->row = grown;
    grown += results->count++;
    *grown = (struct breakeven){.group = group,
                                .a = a,
                                .b = b,
                                .n = scan->runs - 1,
                                .at = NAN,
                                .p10 = NAN,
                                .p50 = NAN,
                                .p90 = NAN,
                                .low_ratio = NAN,
                                .high_ratio = NAN};
    return grown;
}

/* --- one crossing, at the modes or in a draw --- */

/* A root that is to be found; rows are found by index, for they move. */
struct task {
    size_t row, run;
    bool failed; /* a simulation on the way to the root could not go on */
    struct bracket bracket;
    double root;
};

struct tasks {
    struct task *task;
    size_t count, room;
};

static void add_task(struct tasks *tasks, struct task task)
{
    if (tasks->count == tasks->room) {
        tasks->room = tasks->room ? 2 * tasks->room : 256;
        tasks->task = alloc_checked(realloc(tasks->task, tasks->room * sizeof *tasks->task),
                                    "break-even points");
    }
    tasks->task[tasks->count++] = task;
}

/* a less b along the axis: below 0, a wins. */
static void differences(const struct scan *scan, const struct breakeven *row, size_t run,
                        double *difference)
{
    for (size_t x = 0; x < scan->results->x_count; x++) {
        difference[x] = *scan_value(scan, row->group, row->a, run, x) -
                        *scan_value(scan, row->group, row->b, run, x);
    }
}

/* The draw's crossing the same way that lies nearest to the one at the modes. */
static bool matching(const double *difference, size_t n, const struct breakeven *row, size_t near,
                     struct bracket *best)
{
    struct bracket bracket;
    size_t off_min = SIZE_MAX;
    for (size_t nth = 0; crossing_bracket(difference, n, nth, &bracket); nth++) {
        size_t off = bracket.low > near ? bracket.low - near : near - bracket.low;
        if ((difference[bracket.low] < 0) == row->a_below && off < off_min) {
            off_min = off;
            *best = bracket;
        }
    }
    return off_min < SIZE_MAX;
}

/* Which way most draws cross where the modes do not. */
static bool usual_way(const struct scan *scan, const struct breakeven *row, double *difference)
{
    size_t n = scan->results->x_count, rising = 0, crossing = 0;
    struct bracket bracket;
    for (size_t run = 1; run < scan->runs; run++) {
        differences(scan, row, run, difference);
        if (crossing_bracket(difference, n, 0, &bracket)) {
            crossing++;
            rising += difference[bracket.low] < 0;
        }
    }
    return 2 * rising >= crossing;
}

/* Sorts the draws into those that cross and those that do not. */
static void sort_draws(struct scan *scan, size_t index, size_t near, double *difference,
                       struct tasks *tasks)
{
    struct breakeven *row = &scan->results->row[index];
    size_t n = scan->results->x_count, crossing = 0, a = 0, b = 0;
    for (size_t run = 1; run < scan->runs; run++) {
        struct bracket bracket;
        differences(scan, row, run, difference);
        if (matching(difference, n, row, near, &bracket)) {
            add_task(tasks, (struct task){.row = index, .run = run, .bracket = bracket});
            crossing++;
        } else if (!crossing_bracket(difference, n, 0, &bracket)) {
            a += crossing_sign(difference, n) < 0;
            b += crossing_sign(difference, n) > 0;
        }
    }
    double draws = scan->runs > 1 ? (double)(scan->runs - 1) : 1;
    row->share_crossing = (double)crossing / draws;
    row->share_a = (double)a / draws;
    row->share_b = (double)b / draws;
    row->share_other = row->n ? 1 - (double)(crossing + a + b) / draws : 0;
}

/* The median over the draws, without any at the modes, of b less a; as a factor: of
 * the logarithm of b over a, NAN where one of them costs nothing. */
static double median_at(const struct scan *scan, const struct breakeven *row, size_t x, bool factor)
{
    size_t first = scan->runs > 1 ? 1 : 0, n = scan->runs - first;
    double *more = alloc_zeroed(n, sizeof *more, "values of a break-even");
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        double a = *scan_value(scan, row->group, row->a, first + i, x);
        double b = *scan_value(scan, row->group, row->b, first + i, x);
        good = good && (!factor || (a > 0 && b > 0));
        more[i] = !good ? 0 : factor ? portable_log(b / a) : b - a;
    }
    double median = stats_quantile(more, n, 0.5);
    free(more);
    return good ? median : NAN;
}

/* An end at which both cost the same is that of who wins at the other one. */
static void fill_ends(const struct scan *scan, struct breakeven *row)
{
    size_t last = scan->results->x_count - 1;
    double low = median_at(scan, row, 0, false), high = median_at(scan, row, last, false);
    row->low_ratio = portable_exp(fabs(median_at(scan, row, 0, true)));
    row->high_ratio = portable_exp(fabs(median_at(scan, row, last, true)));
    row->a_wins_low = low > 0 || (low == 0 && high >= 0);
    row->a_wins_high = high > 0 || (high == 0 && low >= 0);
}

/* The rows of a pair: one for each crossing at the modes, or one without. */
static void take_pair(struct scan *scan, size_t group, size_t a, size_t b, unsigned conditions,
                      struct tasks *tasks)
{
    size_t n = scan->results->x_count;
    double *at_modes = alloc_zeroed(n, sizeof *at_modes, "values of a break-even");
    double *difference = alloc_zeroed(n, sizeof *difference, "values of a break-even");
    struct bracket bracket = {0, 0};
    struct breakeven probe = {.group = group, .a = a, .b = b};
    differences(scan, &probe, 0, at_modes);
    if (crossing_sign(at_modes, n) > 0) {
        probe = (struct breakeven){.group = group, .a = b, .b = a};
        differences(scan, &probe, 0, at_modes);
    }
    bool crosses = crossing_bracket(at_modes, n, 0, &bracket);
    for (size_t nth = 0; nth == 0 || crossing_bracket(at_modes, n, nth, &bracket); nth++) {
        struct breakeven *row = new_row(scan, group, probe.a, probe.b);
        size_t index = scan->results->count - 1;
        row->crossing = crosses ? (unsigned)nth + 1 : 0;
        row->a_below = crosses ? at_modes[bracket.low] < 0 : usual_way(scan, row, difference);
        row->conditions = conditions;
        row->status = crossing_sign(at_modes, n) == 0 ? BREAKEVEN_EQUAL
                      : crosses                       ? BREAKEVEN_CROSSING
                                                      : BREAKEVEN_NONE;
        fill_ends(scan, row);
        if (crosses) {
            add_task(tasks, (struct task){.row = index, .run = 0, .bracket = bracket});
        }
        sort_draws(scan, index, bracket.low, difference, tasks);
    }
    free(at_modes);
    free(difference);
}

/* Of strategies that `strategy = coherent` put there those are compared that cost least somewhere
 * along the axis, with every cost at its mode, and what Linux does: with a score of rows most of
 * the pairs are of no use to anybody. */
static void choose_strategies(const struct scan *scan, size_t group, bool wanted[STUDY_RULED])
{
    for (size_t s = 0; s < scan->strategies; s++) {
        wanted[s] =
            !scan->study->ruled || !scan->study->by_rule[s] || scan->study->strategies[s]->upstream;
    }
    for (size_t x = 0; scan->study->ruled && x < scan->results->x_count; x++) {
        size_t best = SIZE_MAX;
        for (size_t s = 0; s < scan->strategies; s++) {
            unsigned conditions = 0;
            if (!left_out(scan, group, s, &conditions) &&
                (best == SIZE_MAX ||
                 *scan_value(scan, group, s, 0, x) < *scan_value(scan, group, best, 0, x))) {
                best = s;
            }
        }
        if (best != SIZE_MAX) {
            wanted[best] = true;
        }
    }
}

static void take_pairs(struct scan *scan, size_t group, struct tasks *tasks)
{
    bool wanted[STUDY_RULED];
    choose_strategies(scan, group, wanted);
    for (size_t a = 0; a < scan->strategies; a++) {
        for (size_t b = a + 1; b < scan->strategies; b++) {
            if (scan->a == SIZE_MAX && (!wanted[a] || !wanted[b])) {
                continue;
            }
            bool asked = (scan->a == a && scan->b == b) || (scan->a == b && scan->b == a);
            unsigned conditions = 0;
            const char *out_a = left_out(scan, group, a, &conditions);
            const char *out_b = left_out(scan, group, b, &conditions);
            if ((scan->a != SIZE_MAX && !asked) || (!asked && (out_a || out_b))) {
                continue;
            }
            if (out_a || out_b) {
                struct breakeven *row = new_row(scan, group, a, b);
                row->status = BREAKEVEN_LEFT_OUT;
                row->reason = out_a ? out_a : out_b;
                row->reason_strategy = out_a ? a : b;
                continue;
            }
            scan->results->compared[group * scan->strategies + a] = true;
            scan->results->compared[group * scan->strategies + b] = true;
            take_pair(scan, group, a, b, conditions, tasks);
        }
    }
}

/* --- finding the roots --- */

struct looking {
    struct scan *scan;
    const struct breakeven *row;
    struct crossing_function *function;
    size_t run;
    struct error *err;
};

static double difference_at(double x, void *context)
{
    struct looking *looking = context;
    struct scan *scan = looking->scan;
    const struct breakeven *row = looking->row;
    const struct strategy *pair[] = {scan->study->strategies[row->a],
                                     scan->study->strategies[row->b]};
    struct scenario scenario;
    double value[2];
    char text[40];
    breakeven_text(scan->results->kind, x, text, sizeof text);
    struct scenario_key other = {scan->results->axis, text};
    if (!scenario_open(&scenario, &scan->evaluator,
                       groups_point(&scan->results->groups, row->group), other, looking->err)) {
        looking->function->stop = true;
        return 0;
    }
    looking->function->stop =
        !evaluate_run_alone(&scenario, evaluate_difference(scan->request->metric), looking->run,
                            pair, 2, value, looking->err);
    scenario_close(&scenario);
    return looking->function->stop ? 0 : value[0] - value[1];
}

/* Draws' roots need not be nearer than this share of by how much their mean is uncertain. */
#define WITHIN 0.25

/* How near the roots of each row's draws have to be found: what the scan says of them by lines
 * between its values tells by how much they differ. */
static void fill_within(struct scan *scan, const struct tasks *tasks)
{
    size_t values = scan->results->x_count, last;
    double *difference = alloc_zeroed(values, sizeof *difference, "values of a break-even");
    double *guess = alloc_zeroed(tasks->count + 1, sizeof *guess, "values of a break-even");
    for (size_t first = 0; first < tasks->count; first = last) {
        struct breakeven *row = &scan->results->row[tasks->task[first].row];
        const double *x = scan->results->x;
        size_t n = 0;
        for (last = first; last < tasks->count; last++) {
            const struct task *task = &tasks->task[last];
            if (task->row != tasks->task[first].row) {
                break;
            }
            size_t low = task->bracket.low, high = task->bracket.high;
            differences(scan, row, task->run, difference);
            guess[n] = crossing_guess(x[low], difference[low], x[high], difference[high]);
            n += task->run > 0;
        }
        row->within = n > 1 ? WITHIN * stats_deviation(guess, n) / sqrt((double)n) : 0;
    }
    free(guess);
    free(difference);
}

/* What the roots of a scan are looked for with. */
struct rooting {
    struct scan *scan;
    struct tasks *tasks;
};

static bool find_root(void *context, size_t part, struct error *err)
{
    struct rooting *rooting = context;
    struct scan *scan = rooting->scan;
    struct task *task = &rooting->tasks->task[part];
    const struct breakeven_results *results = scan->results;
    const struct breakeven *row = &results->row[task->row];
    struct looking looking = {.scan = scan, .row = row, .run = task->run, .err = err};
    struct crossing_function function = {difference_at, &looking, false};
    double *difference =
        alloc_zeroed(results->x_count, sizeof *difference, "values of a break-even");
    size_t low = task->bracket.low, high = task->bracket.high;
    looking.function = &function;
    differences(scan, row, task->run, difference);
    task->root = crossing_root(&function, results->x[low], difference[low], results->x[high],
                               difference[high], breakeven_step(results->kind),
                               task->run > 0 ? row->within : 0);
    free(difference);
    task->failed = function.stop && err->simulation;
    return !function.stop;
}

/* --- what the draws come to --- */

static enum breakeven_status decided(const struct breakeven *row)
{
    if (row->n == 0 || row->status == BREAKEVEN_EQUAL) {
        return row->status;
    }
    if (row->share_crossing >= DECIDED_SHARE) {
        return BREAKEVEN_CROSSING;
    }
    bool one_wins = row->share_a >= DECIDED_SHARE || row->share_b >= DECIDED_SHARE;
    return one_wins ? BREAKEVEN_NONE : BREAKEVEN_UNDECIDED;
}

/* The draws' crossings stand together, in the order of the tasks. */
static void fill_quantiles(const struct scan *scan, struct breakeven *row,
                           const struct tasks *tasks, size_t first, size_t last)
{
    const struct breakeven_results *results = scan->results;
    size_t above = (size_t)llround((row->a_below ? row->share_a : row->share_b) * (double)row->n);
    size_t below = (size_t)llround((row->a_below ? row->share_b : row->share_a) * (double)row->n);
    size_t n = 0;
    double *root =
        alloc_zeroed(last - first + above + below, sizeof *root, "values of a break-even");
    for (size_t i = first; i < last; i++) {
        root[n++] = tasks->task[i].root;
    }
    for (size_t i = 0; i < above + below; i++) {
        root[n++] = i < above ? results->x[results->x_count - 1] : results->x[0];
    }
    if (first < last) {
        row->p10 = stats_quantile(root, n, 0.1);
        row->p50 = stats_quantile(root, n, 0.5);
        row->p90 = stats_quantile(root, n, 0.9);
        row->error = stats_quantile_error(root, n);
        row->error.p50 += row->within;
        row->error.ends += row->within;
    }
    free(root);
}

static void fill_rows(struct scan *scan, const struct tasks *tasks)
{
    size_t at = 0;
    for (size_t i = 0; i < scan->results->count; i++) {
        struct breakeven *row = &scan->results->row[i];
        size_t first = at;
        bool failed = false;
        for (; at < tasks->count && tasks->task[at].row == i; at++) {
            failed |= tasks->task[at].failed;
        }
        if (first < at && tasks->task[first].run == 0) {
            row->at = tasks->task[first++].root;
        }
        if (failed) {
            row->status = BREAKEVEN_LEFT_OUT;
            row->reason = "a simulation failed";
            row->reason_strategy = row->a;
            row->at = NAN;
        } else if (row->status != BREAKEVEN_LEFT_OUT) {
            fill_quantiles(scan, row, tasks, first, at);
            row->status = decided(row);
        }
    }
}

bool breakeven_pairs(struct scan *scan, struct error *err)
{
    struct tasks tasks = {0};
    for (size_t group = 0; group < scan->results->groups.count; group++) {
        if (!scan->results->passed[group]) {
            take_pairs(scan, group, &tasks);
        }
    }
    struct rooting rooting = {scan, &tasks};
    fill_within(scan, &tasks);
    bool good = tasks.count == 0 || sweep_passing(scan->evaluator.sweep, tasks.count, find_root,
                                                  &rooting, &scan->results->roots_failed, err);
    if (good) {
        fill_rows(scan, &tasks);
    }
    free(tasks.task);
    return good;
}

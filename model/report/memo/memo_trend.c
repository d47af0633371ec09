/* What a strategy's cost does along the break-even axis. */
#include "report/memo/memo_parts.h"

#include <math.h>
#include <string.h>

#define NEAR 1.05 /* of the least is as good as the least */

/* One strategy's medians along the axis, first to last. */
struct trend {
    double first_x, last_x, first, last, least;
    double near_x; /* from there on all are near the least; NAN: not even the last */
    size_t count;
};

double memo_curve_mid(const struct memo *memo, size_t row)
{
    double p50 = memo_number(memo, MEMO_CURVES, row, "p50");
    return isfinite(p50) ? p50 : memo_number(memo, MEMO_CURVES, row, "mode");
}

static bool is_row(const struct memo *memo, size_t row, const char *strategy)
{
    return strcmp(memo_cell(memo, MEMO_CURVES, row, "strategy"), strategy) == 0 &&
           memo_in_panel(memo, MEMO_CURVES, row, &memo->place[0]) &&
           isfinite(memo_curve_mid(memo, row));
}

static struct trend find_trend(const struct memo *memo, const char *strategy)
{
    struct trend trend = {.least = INFINITY, .near_x = NAN};
    size_t rows = memo->table[MEMO_CURVES].csv.rows;
    for (size_t row = 0; row < rows; row++) {
        if (is_row(memo, row, strategy)) {
            trend.last_x = memo_number(memo, MEMO_CURVES, row, "x");
            trend.last = memo_curve_mid(memo, row);
            trend.first_x = trend.count ? trend.first_x : trend.last_x;
            trend.first = trend.count++ ? trend.first : trend.last;
            trend.least = fmin(trend.least, trend.last);
        }
    }
    for (size_t row = 0; row < rows; row++) {
        if (is_row(memo, row, strategy)) {
            bool near = memo_curve_mid(memo, row) <= NEAR * trend.least;
            double x = memo_number(memo, MEMO_CURVES, row, "x");
            trend.near_x = !near ? NAN : isnan(trend.near_x) ? x : trend.near_x;
        }
    }
    return trend;
}

static void say_trend(const struct memo *memo, const char *strategy, struct doc_node *block)
{
    struct trend trend = find_trend(memo, strategy);
    const char *unit = memo_cell(memo, MEMO_CURVES, 0, "unit");
    const char *axis = memo_cell(memo, MEMO_CURVES, 0, "axis");
    char from[48], to[48], first[48], last[48], near[48], times[64];
    if (trend.count < 2) {
        return;
    }
    memo_say_number(unit, trend.first_x, from, sizeof from);
    memo_say_number(unit, trend.last_x, to, sizeof to);
    memo_say_number("ns", trend.first, first, sizeof first);
    memo_say_number("ns", trend.last, last, sizeof last);
    memo_say_number(unit, trend.near_x, near, sizeof near);
    doc_text(block, " From %s to %s %s ", from, to, axis);
    doc_code(block, strategy);
    if (fmax(trend.first, trend.last) <= NEAR * trend.least) {
        doc_text(block, " stays at %s.", first);
    } else if (trend.last > trend.first) {
        memo_say_times(trend.last, trend.first, times, sizeof times);
        doc_text(block, " rises from %s to %s%s%s.", first, last, times[0] ? ", " : "", times);
    } else if (isfinite(trend.near_x)) {
        doc_text(block, " falls from %s to %s; from %s on it gains no more than 5 %%.", first, last,
                 near);
    } else {
        doc_text(block, " falls from %s to %s, with its least in between.", first, last);
    }
}

void memo_trend_words(const struct memo *memo, struct doc_node *block)
{
    if (!memo->breakeven || !memo_lists(memo, "by", memo->breakeven) ||
        !memo->table[MEMO_CURVES].there) {
        return;
    }
    for (size_t i = 0; i < 2 && memo->compare[0] && memo->compare[1]; i++) {
        say_trend(memo, memo->compare[i], block);
    }
}

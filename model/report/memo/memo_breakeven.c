/* What a memo says of break-even points: who is cheapest where along the axis,
 * and how surely two strategies cross. */
#include "core/error.h"
#include "report/memo/memo_parts.h"

#include "report/cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 256
#define SEGMENTS 6
#define TOLD_FACTOR 1000 /* what is more is no factor: the other costs nothing */

/* A place on the axis as people say it: "26 % touched again". */
void memo_say_at(const struct memo *memo, size_t row, double value, char *buf, size_t size)
{
    memo_say_number(memo_cell(memo, MEMO_BREAKEVEN, row, "unit"), value, buf, size);
}

static void say_interval(const struct memo *memo, size_t row, struct doc_node *block)
{
    double p10 = memo_number(memo, MEMO_BREAKEVEN, row, "p10");
    double share = memo_number(memo, MEMO_BREAKEVEN, row, "share_crossing");
    char low[48], high[48];
    if (isfinite(p10)) {
        memo_say_at(memo, row, p10, low, sizeof low);
        memo_say_at(memo, row, memo_number(memo, MEMO_BREAKEVEN, row, "p90"), high, sizeof high);
        doc_text(block, " (%s to %s", low, high);
        if (share < 1) {
            doc_text(block, "; in %.0f %% of the draws", 100 * share);
        }
        doc_text(block, ")");
    }
}

double memo_crossing_at(const struct memo *memo, size_t row)
{
    double p50 = memo_number(memo, MEMO_BREAKEVEN, row, "p50");
    return isfinite(p50) ? p50 : memo_number(memo, MEMO_BREAKEVEN, row, "at");
}

static void say_crossing(const struct memo *memo, size_t row, struct doc_node *block)
{
    char at[48];
    memo_say_at(memo, row, memo_crossing_at(memo, row), at, sizeof at);
    doc_text(block, " ");
    doc_code(block, memo_cell(memo, MEMO_BREAKEVEN, row, "wins_below"));
    doc_text(block, " costs less than ");
    doc_code(block, memo_cell(memo, MEMO_BREAKEVEN, row, "wins_above"));
    doc_text(block, " up to %s = %s", memo_cell(memo, MEMO_BREAKEVEN, row, "axis"), at);
    say_interval(memo, row, block);
    doc_text(block, ", more beyond.");
}

void memo_find_throughout(const struct memo *memo, size_t row, struct throughout *found)
{
    const char *a = memo_cell(memo, MEMO_BREAKEVEN, row, "a");
    const char *b = memo_cell(memo, MEMO_BREAKEVEN, row, "b");
    bool a_wins = strcmp(memo_cell(memo, MEMO_BREAKEVEN, row, "low_winner"), a) == 0;
    double low = memo_number(memo, MEMO_BREAKEVEN, row, "low_factor");
    double high = memo_number(memo, MEMO_BREAKEVEN, row, "high_factor");
    bool drawn = memo_number(memo, MEMO_BREAKEVEN, row, "n") > 0;
    *found = (struct throughout){
        .winner = a_wins ? a : b,
        .loser = a_wins ? b : a,
        .share =
            drawn ? memo_number(memo, MEMO_BREAKEVEN, row, a_wins ? "share_a" : "share_b") : NAN};
    if (low < TOLD_FACTOR && high < TOLD_FACTOR) {
        char at_low[32], at_high[32];
        memo_say_digits(low, at_low, sizeof at_low);
        memo_say_digits(high, at_high, sizeof at_high);
        bool same = strcmp(at_low, at_high) == 0;
        snprintf(found->factor, sizeof found->factor, "%s%s%s", at_low, same ? "" : " to ",
                 same ? "" : at_high);
    }
}

static void say_none(const struct memo *memo, size_t row, struct doc_node *block)
{
    struct throughout found;
    memo_find_throughout(memo, row, &found);
    doc_text(block, " ");
    doc_code(block, found.winner);
    doc_text(block, " costs less than ");
    doc_code(block, found.loser);
    doc_text(block, " along all of %s", memo_cell(memo, MEMO_BREAKEVEN, row, "axis"));
    if (found.share < 1) {
        doc_text(block, " in %.0f %% of the draws", 100 * found.share);
    }
    if (found.factor[0]) {
        doc_text(block, ", by a factor of %s", found.factor);
    }
    doc_text(block, ".");
}

static void say_undecided(const struct memo *memo, size_t row, struct doc_node *block)
{
    double a = memo_number(memo, MEMO_BREAKEVEN, row, "share_a");
    double b = memo_number(memo, MEMO_BREAKEVEN, row, "share_b");
    const char *names[] = {memo_cell(memo, MEMO_BREAKEVEN, row, "a"),
                           memo_cell(memo, MEMO_BREAKEVEN, row, "b")};
    doc_text(block, " Along %s, undecided: ", memo_cell(memo, MEMO_BREAKEVEN, row, "axis"));
    doc_code(block, names[0]);
    doc_text(block, " costs less throughout in %.0f %% of the draws, ", 100 * a);
    doc_code(block, names[1]);
    doc_text(block, " in %.0f %%, and they cross in %.0f %%.", 100 * b, 100 * (1 - a - b));
}

static bool is_pair(const struct memo *memo, size_t row, const char *a, const char *b)
{
    const char *first = memo_cell(memo, MEMO_BREAKEVEN, row, "a");
    const char *second = memo_cell(memo, MEMO_BREAKEVEN, row, "b");
    return (strcmp(first, a) == 0 && strcmp(second, b) == 0) ||
           (strcmp(first, b) == 0 && strcmp(second, a) == 0);
}

bool memo_has_status(const struct memo *memo, size_t row, enum breakeven_status status)
{
    return strcmp(memo_cell(memo, MEMO_BREAKEVEN, row, "status"), breakeven_status_name[status]) ==
           0;
}

static void say_row(const struct memo *memo, size_t row, struct doc_node *block)
{
    if (memo_has_status(memo, row, BREAKEVEN_CROSSING)) {
        say_crossing(memo, row, block);
    } else if (memo_has_status(memo, row, BREAKEVEN_NONE)) {
        say_none(memo, row, block);
    } else if (memo_has_status(memo, row, BREAKEVEN_UNDECIDED)) {
        say_undecided(memo, row, block);
    } else if (memo_has_status(memo, row, BREAKEVEN_LEFT_OUT)) {
        doc_text(block, " Break-even points of the two are not looked for: %s.",
                 memo_cell(memo, MEMO_BREAKEVEN, row, "left_out"));
    } else {
        doc_text(block, " ");
        doc_code(block, memo_cell(memo, MEMO_BREAKEVEN, row, "a"));
        doc_text(block, " and ");
        doc_code(block, memo_cell(memo, MEMO_BREAKEVEN, row, "b"));
        doc_text(block, " cost the same along %s.", memo_cell(memo, MEMO_BREAKEVEN, row, "axis"));
    }
}

/* --- the cheapest along the axis --- */

/* Who is cheapest from one value of the axis on. */
struct segment {
    double from;
    const char *strategy;
};

/* Whether a strategy of the curves leans on a condition at the place. */
static bool leans(const struct memo *memo, const struct memo_place *place, const char *strategy)
{
    size_t index = memo_find_strategy(memo, strategy);
    return index != SIZE_MAX && memo_condition(memo, place, index);
}

/* The cheapest at one value of the axis, by the median. */
static const char *cheapest_at(const struct memo *memo, const struct memo_place *place, double x,
                               bool sound)
{
    const char *best = NULL;
    double least = INFINITY;
    for (size_t row = 0; row < memo->table[MEMO_CURVES].csv.rows; row++) {
        const char *strategy = memo_cell(memo, MEMO_CURVES, row, "strategy");
        if (memo_number(memo, MEMO_CURVES, row, "x") == x && memo_curve_mid(memo, row) < least &&
            !(sound && leans(memo, place, strategy)) &&
            memo_matches(memo, MEMO_CURVES, row, place)) {
            best = strategy;
            least = memo_curve_mid(memo, row);
        }
    }
    return best;
}

/* Where the cheapest changes; returns how many segments there are, of which at
 * most SEGMENTS are in `segments`. */
static size_t find_segments(const struct memo *memo, const struct memo_place *place, bool sound,
                            struct segment segments[SEGMENTS], double *last)
{
    const char *first = NULL, *before = NULL;
    size_t count = 0;
    for (size_t row = 0; row < memo->table[MEMO_CURVES].csv.rows; row++) {
        const char *strategy = memo_cell(memo, MEMO_CURVES, row, "strategy");
        if (!memo_matches(memo, MEMO_CURVES, row, place) ||
            (first && strcmp(first, strategy) != 0)) {
            continue;
        }
        first = strategy;
        *last = memo_number(memo, MEMO_CURVES, row, "x");
        const char *best = cheapest_at(memo, place, *last, sound);
        if (best && (!before || strcmp(best, before) != 0)) {
            if (count < SEGMENTS) {
                segments[count] = (struct segment){*last, best};
            }
            count++;
            before = best;
        }
    }
    return count;
}

/* The row of breakeven.csv where one strategy takes over from another, near a
 * value of the axis; SIZE_MAX: there is none. */
static size_t find_crossing(const struct memo *memo, const struct memo_place *place,
                            const char *below, const char *above, double x)
{
    size_t best = SIZE_MAX;
    double least = INFINITY;
    for (size_t row = 0; row < memo->table[MEMO_BREAKEVEN].csv.rows; row++) {
        double away = fabs(memo_crossing_at(memo, row) - x);
        if (away < least && memo_matches(memo, MEMO_BREAKEVEN, row, place) &&
            strcmp(memo_cell(memo, MEMO_BREAKEVEN, row, "wins_below"), below) == 0 &&
            strcmp(memo_cell(memo, MEMO_BREAKEVEN, row, "wins_above"), above) == 0) {
            best = row;
            least = away;
        }
    }
    return best;
}

/* A strategy, marked at its first time where it leans on a condition. */
static void say_strategy(const struct memo *memo, const struct memo_place *place,
                         const struct segment *segments, size_t index, struct doc_node *block)
{
    const char *name = segments[index].strategy;
    bool said = false;
    for (size_t i = 0; i < index; i++) {
        said |= strcmp(segments[i].strategy, name) == 0;
    }
    doc_code(block, name);
    if (!said && leans(memo, place, name)) {
        doc_text(block, " (conditional)");
    }
}

/* Up to where a segment reaches: to the break-even point with the next one, or
 * below the value of the axis where that is the cheapest. */
static void say_end(const struct memo *memo, const struct memo_place *place,
                    const struct segment *segment, struct doc_node *block)
{
    size_t row =
        find_crossing(memo, place, segment[0].strategy, segment[1].strategy, segment[1].from);
    char at[48];
    if (row == SIZE_MAX) {
        memo_say_number(memo_cell(memo, MEMO_CURVES, 0, "unit"), segment[1].from, at, sizeof at);
        doc_text(block, " to below %s", at);
        return;
    }
    memo_say_at(memo, row, memo_crossing_at(memo, row), at, sizeof at);
    doc_text(block, " up to %s", at);
    say_interval(memo, row, block);
    if (memo_has_status(memo, row, BREAKEVEN_UNDECIDED)) {
        doc_text(block, ", undecided");
    }
}

static void say_segments(const struct memo *memo, const struct memo_place *place,
                         const struct segment *segments, size_t count, struct doc_node *block)
{
    for (size_t i = 0; i < count; i++) {
        doc_text(block, "%s", i ? ", then " : "");
        say_strategy(memo, place, segments, i, block);
        if (i + 1 < count) {
            say_end(memo, place, &segments[i], block);
        }
    }
}

/* Whether one of the cheapest leans on a condition. */
static bool any_leans(const struct memo *memo, const struct memo_place *place)
{
    struct segment segments[SEGMENTS];
    double last;
    size_t count = find_segments(memo, place, false, segments, &last);
    bool any = false;
    for (size_t i = 0; i < count && i < SEGMENTS; i++) {
        any |= leans(memo, place, segments[i].strategy);
    }
    return any;
}

static void say_cheapest(const struct memo *memo, const struct memo_place *place, bool sound,
                         struct doc_node *block)
{
    struct segment segments[SEGMENTS];
    double last = NAN;
    size_t count = find_segments(memo, place, sound, segments, &last);
    say_segments(memo, place, segments, count < SEGMENTS ? count : SEGMENTS, block);
    doc_text(block, "%s",
             count > SEGMENTS ? ", and it changes further"
             : count == 1     ? " throughout"
                              : "");
}

/* The cheapest along the axis, and among those without a condition. */
static void say_along(const struct memo *memo, const struct memo_place *place,
                      struct doc_node *block)
{
    struct segment segments[SEGMENTS];
    char low[48], high[48];
    double last = NAN;
    if (find_segments(memo, place, false, segments, &last) == 0) {
        return;
    }
    const char *unit = memo_cell(memo, MEMO_CURVES, 0, "unit");
    memo_say_number(unit, segments[0].from, low, sizeof low);
    memo_say_number(unit, last, high, sizeof high);
    doc_text(block, " Cheapest along %s (%s to %s): ", memo_cell(memo, MEMO_CURVES, 0, "axis"), low,
             high);
    say_cheapest(memo, place, false, block);
    if (any_leans(memo, place) && find_segments(memo, place, true, segments, &last) > 0) {
        doc_text(block, "; without a condition ");
        say_cheapest(memo, place, true, block);
    }
    doc_text(block, ".");
}

static bool is_compared(const struct memo *memo, size_t row)
{
    return memo->compare[0] && memo->compare[1] &&
           is_pair(memo, row, memo->compare[0], memo->compare[1]);
}

void memo_breakeven_words(const struct memo *memo, const struct memo_place *place,
                          struct doc_node *block)
{
    if (!memo->table[MEMO_CURVES].there || !memo->table[MEMO_BREAKEVEN].there) {
        return;
    }
    for (size_t row = 0; row < memo->table[MEMO_BREAKEVEN].csv.rows; row++) {
        if (is_compared(memo, row) && memo_matches(memo, MEMO_BREAKEVEN, row, place)) {
            say_row(memo, row, block);
        }
    }
    say_along(memo, place, block);
}

static void mark_segments(const struct memo *memo, const struct memo_place *place, bool sound,
                          bool *marked)
{
    struct segment segments[SEGMENTS];
    double last;
    size_t count = find_segments(memo, place, sound, segments, &last);
    for (size_t i = 1; i < count && i < SEGMENTS; i++) {
        size_t row = find_crossing(memo, place, segments[i - 1].strategy, segments[i].strategy,
                                   segments[i].from);
        if (row != SIZE_MAX) {
            marked[row] = true;
        }
    }
}

bool *memo_breakeven_marks(const struct memo *memo)
{
    size_t rows = memo->table[MEMO_BREAKEVEN].csv.rows;
    bool *marked = calloc(rows ? rows : 1, sizeof *marked);
    if (!marked) {
        error_fatal("out of memory for a memo");
    }
    for (size_t row = 0; row < rows; row++) {
        marked[row] = is_compared(memo, row);
    }
    for (size_t p = 0; p < memo->places; p++) {
        mark_segments(memo, &memo->place[p], false, marked);
        mark_segments(memo, &memo->place[p], true, marked);
    }
    return marked;
}

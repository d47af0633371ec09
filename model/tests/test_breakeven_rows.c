/* Rows of break-even points from made-up costs, with all of a row worked out by hand. The axis
 * has whole numbers so far from zero that its values are as near as a root has to come: a
 * crossing is at the value behind the change, and no simulation is needed. */
#include "check.h"
#include "core/error.h"
#include "study/breakeven_parts.h"
#include "study_files.h"

#include <math.h>

#define STRATEGIES 3
#define RUNS_MAX 7
#define PLACES 5
#define GROUPS 2
#define FIRST 100000.0 /* of the axis */
#define APART 10.0

enum { EAGER, UNMAP, LAZY };

/* What is made up: costs by group, strategy and run, and verdicts. */
struct made_up {
    struct study study;
    struct breakeven_request request;
    struct breakeven_results results;
    struct sweep sweep;
    struct scan scan;
    bool compared[GROUPS * STRATEGIES], passed[GROUPS];
    double value[GROUPS * STRATEGIES * RUNS_MAX * PLACES];
    struct strategy_verdict verdict[GROUPS * PLACES * STRATEGIES];
};

static struct made_up made;

/* A study of three strategies on two machines; costs are 1 wherever nothing else is said. */
static struct made_up *make(size_t runs)
{
    memset(&made, 0, sizeof made);
    read_good(&made.study, "[study]\ndraws = 0\n[axes]\nworkload = %s\n"
                           "machine = neoverse-n1, kunpeng-920\n"
                           "strategy = eager, unmap, unmap-lazy\nfootprint = 2M, 4M\n");
    struct breakeven_results *results = &made.results;
    groups_init(&results->groups, &made.study, groups_axis(&made.study, "footprint"), NULL);
    assert_int_equal(results->groups.count, GROUPS);
    results->kind = (struct value_kind){.number = true, .whole = true, .unit = UNIT_NONE};
    results->x_count = PLACES;
    for (size_t x = 0; x < PLACES; x++) {
        results->x[x] = FIRST + APART * (double)x;
    }
    results->compared = made.compared;
    results->passed = made.passed;
    made.sweep.jobs = 1;
    made.scan = (struct scan){.study = &made.study,
                              .evaluator = {.sweep = &made.sweep},
                              .request = &made.request,
                              .results = results,
                              .runs = runs,
                              .strategies = STRATEGIES,
                              .a = SIZE_MAX,
                              .value = made.value,
                              .verdict = made.verdict};
    for (size_t i = 0; i < sizeof made.value / sizeof *made.value; i++) {
        made.value[i] = 1;
    }
    return &made;
}

static void set(size_t group, size_t strategy, size_t run, const double costs[PLACES])
{
    memcpy(scan_value(&made.scan, group, strategy, run, 0), costs, PLACES * sizeof *costs);
}

static struct strategy_verdict *verdict(size_t group, size_t x, size_t strategy)
{
    return &made.verdict[(group * PLACES + x) * STRATEGIES + strategy];
}

static void find_rows(void)
{
    struct error err = {0};
    if (!breakeven_pairs(&made.scan, &err)) {
        fail_msg("%s", err.text);
    }
}

static void same_row(size_t index, const struct breakeven *expected);

/* What is said of costs that are all a millionth of a millionth is the same. */
static void find(void)
{
    const size_t values = sizeof made.value / sizeof *made.value;
    find_rows();
    struct breakeven *rows = made.results.row;
    size_t count = made.results.count;
    made.results.row = NULL;
    made.results.count = 0;
    for (size_t i = 0; i < values; i++) {
        made.value[i] *= 0x1p-40;
    }
    find_rows();
    assert_int_equal(made.results.count, count);
    for (size_t i = 0; i < count; i++) {
        same_row(i, &rows[i]);
    }
    for (size_t i = 0; i < values; i++) {
        made.value[i] *= 0x1p40;
    }
    free(rows);
}

static void end(void)
{
    free(made.results.row);
    study_free(&made.study);
}

/* Where the value of the axis has that index, fractions too. */
static double place(double index)
{
    return FIRST + APART * index;
}

static bool near(double found, double expected)
{
    return isnan(expected) ? isnan(found) : fabs(found - expected) <= 1e-9 * fabs(expected) + 1e-12;
}

static void same_number(size_t row, const char *name, double found, double expected)
{
    if (!near(found, expected) && !(isinf(found) && isinf(expected))) {
        fail_msg("row %zu: %s is %.12g, expected %.12g", row, name, found, expected);
    }
}

static void same_row(size_t index, const struct breakeven *expected)
{
    assert_true(index < made.results.count);
    const struct breakeven *row = &made.results.row[index];
    same_number(index, "group", (double)row->group, (double)expected->group);
    same_number(index, "a", (double)row->a, (double)expected->a);
    same_number(index, "b", (double)row->b, (double)expected->b);
    same_number(index, "status", row->status, expected->status);
    same_number(index, "crossing", row->crossing, expected->crossing);
    same_number(index, "a_below", row->a_below, expected->a_below);
    same_number(index, "n", (double)row->n, (double)expected->n);
    same_number(index, "at", row->at, expected->at);
    same_number(index, "p10", row->p10, expected->p10);
    same_number(index, "p50", row->p50, expected->p50);
    same_number(index, "p90", row->p90, expected->p90);
    same_number(index, "error of the median", row->error.p50, expected->error.p50);
    same_number(index, "error of p10 and p90", row->error.ends, expected->error.ends);
    same_number(index, "share_crossing", row->share_crossing, expected->share_crossing);
    same_number(index, "share_a", row->share_a, expected->share_a);
    same_number(index, "share_b", row->share_b, expected->share_b);
    same_number(index, "share_other", row->share_other, expected->share_other);
    same_number(index, "low_ratio", row->low_ratio, expected->low_ratio);
    same_number(index, "high_ratio", row->high_ratio, expected->high_ratio);
    same_number(index, "a_wins_low", row->a_wins_low, expected->a_wins_low);
    same_number(index, "a_wins_high", row->a_wins_high, expected->a_wins_high);
    same_number(index, "conditions", row->conditions, expected->conditions);
}

/* Only this pair, of which the first is asked for first. */
static void ask(size_t a, size_t b)
{
    made.scan.a = a;
    made.scan.b = b;
}

/* --- one pair --- */

/* Six draws: two cross where the modes do or beside it; one crosses three times, of which the
 * nearest of those that go the same way counts; one has a winning all along, one b; one crosses the
 * other way. */
static void each_draw_is_one_kind(void **state)
{
    static const double eager[PLACES] = {1, 1, 1, 1, 1};
    static const double unmap[7][PLACES] = {
        {2, 2, 2, 0.5, 0.5}, {2, 2, 0.5, 0.5, 0.25}, {8, 2, 2, 2, 0.25},
        {2, 0.5, 2, 2, 0.5}, {2, 2, 2, 2, 4},        {0.5, 0.5, 0.5, 0.5, 1.0 / 32},
        {0.5, 0.5, 2, 2, 2},
    };
    const struct breakeven expected = {
        .a = EAGER,
        .b = UNMAP,
        .status = BREAKEVEN_UNDECIDED,
        .crossing = 1,
        .a_below = true,
        .n = 6,
        .at = place(3),
        /* At places 2, 4, 4, the high end for the one in which a wins, the low end for b. */
        .p10 = place(0.8),
        .p50 = place(4),
        .p90 = place(4),
        .error = {INFINITY, INFINITY}, /* of five values nothing is sure */
        .share_crossing = 3.0 / 6,
        .share_a = 1.0 / 6,
        .share_b = 1.0 / 6,
        .share_other = 1.0 / 6,
        /* b over a at the low end: 2, 8, 2, 2, 1/2, 1/2; at the high end: 1/4, 1/4, 1/2, 4,
           1/32, 2. */
        .low_ratio = 2,
        .high_ratio = sqrt(8),
        .a_wins_low = true,
    };
    (void)state;
    make(7);
    for (size_t run = 0; run < 7; run++) {
        set(0, EAGER, run, eager);
        set(0, UNMAP, run, unmap[run]);
    }
    ask(EAGER, UNMAP);
    find();
    assert_int_equal(made.results.count, 2);
    same_row(0, &expected);
    end();
}

/* Without draws the modes alone say it, and no share is of anything. */
static void without_draws(void **state)
{
    static const double eager[PLACES] = {3, 3, 3, 3, 6}, unmap[PLACES] = {1, 1, 6, 6, 9};
    const struct breakeven expected = {
        .a = UNMAP,
        .b = EAGER,
        .status = BREAKEVEN_CROSSING,
        .crossing = 1,
        .a_below = true,
        .at = place(2),
        .p10 = NAN,
        .p50 = NAN,
        .p90 = NAN,
        .low_ratio = 3,
        .high_ratio = 1.5,
        .a_wins_low = true,
    };
    (void)state;
    make(1);
    set(0, EAGER, 0, eager);
    set(0, UNMAP, 0, unmap);
    ask(UNMAP, EAGER);
    find();
    same_row(0, &expected);
    end();
}

/* Of three crossings each has its row, and in each draw the nearest that goes the same way; of
 * two that are as near the lower one. */
static void each_crossing_has_its_row(void **state)
{
    static const double eager[PLACES] = {2, 2, 2, 2, 2};
    static const double unmap[3][PLACES] = {
        {3, 1, 3, 1, 1}, /* a wins, b, a, b */
        {3, 3, 1, 3, 1}, /* one place on */
        {3, 1, 1, 3, 1}, /* and the second one late */
    };
    struct breakeven expected[3] = {
        {.at = place(1), .p10 = place(1.1), .p50 = place(1.5), .p90 = place(1.9), .a_below = true},
        {.at = place(2), .p10 = place(3), .p50 = place(3), .p90 = place(3)},
        {.at = place(3), .p10 = place(2.2), .p50 = place(3), .p90 = place(3.8), .a_below = true},
    };
    (void)state;
    make(3);
    for (size_t run = 0; run < 3; run++) {
        set(0, EAGER, run, eager);
        set(0, UNMAP, run, unmap[run]);
    }
    ask(EAGER, UNMAP);
    find();
    assert_int_equal(made.results.count, 4); /* and one of the other machine */
    for (unsigned i = 0; i < 3; i++) {
        expected[i].a = EAGER;
        expected[i].b = UNMAP;
        expected[i].status = BREAKEVEN_CROSSING;
        expected[i].crossing = i + 1;
        expected[i].n = 2;
        expected[i].error = (struct quantile_error){INFINITY, INFINITY};
        expected[i].share_crossing = 1;
        expected[i].low_ratio = 1.5;
        expected[i].high_ratio = 2;
        expected[i].a_wins_low = true;
    }
    /* From the third one at places 2 to 3: the first draw's are 1 to 2 and 3 to 4, as near; the
     * second's 0 to 1 and 3 to 4, the latter nearer. */
    for (size_t i = 0; i < 3; i++) {
        same_row(i, &expected[i]);
    }
    end();
}

/* Where the modes do not cross it is the lowest of a draw's crossings that go its way; one draw is
 * all that there is a median of. */
static void one_draw_that_crosses_twice(void **state)
{
    static const double eager[PLACES] = {2, 2, 2, 2, 2};
    static const double unmap[2][PLACES] = {{8, 8, 8, 8, 8}, {4, 1, 3, 3, 1.5}};
    const struct breakeven expected = {
        .a = EAGER,
        .b = UNMAP,
        .status = BREAKEVEN_CROSSING,
        .a_below = true,
        .n = 1,
        .at = NAN,
        .p10 = place(1),
        .p50 = place(1),
        .p90 = place(1),
        .error = {INFINITY, INFINITY},
        .share_crossing = 1,
        .low_ratio = 2,
        .high_ratio = 4.0 / 3,
        .a_wins_low = true,
    };
    (void)state;
    make(2);
    for (size_t run = 0; run < 2; run++) {
        set(0, EAGER, run, eager);
        set(0, UNMAP, run, unmap[run]);
    }
    ask(EAGER, UNMAP);
    find();
    same_row(0, &expected);
    end();
}

/* --- what the draws decide --- */

/* Five draws of which so many have a winning all along, b, or cross; the modes cross at the first
 * value, or a wins. */
static const struct breakeven *decided_by(unsigned a, unsigned b, unsigned cross, bool modes_cross)
{
    static const double one[PLACES] = {2, 2, 2, 2, 2}, dear[PLACES] = {3, 3, 3, 3, 3};
    static const double cheap[PLACES] = {1, 1, 1, 1, 1}, falls[PLACES] = {3, 3, 1, 1, 1};
    assert_int_equal(a + b + cross, 5);
    make(6);
    for (size_t run = 0; run < 6; run++) {
        set(0, EAGER, run, one);
        set(0, UNMAP, run,
            run == 0       ? modes_cross ? falls : dear
            : run <= a     ? dear
            : run <= a + b ? cheap
                           : falls);
    }
    ask(EAGER, UNMAP);
    find();
    return &made.results.row[0];
}

static void most_of_the_draws_decide(void **state)
{
    static const struct {
        unsigned a, b, cross;
        bool modes_cross;
        enum breakeven_status status;
        double p50; /* by its place */
    } cases[] = {
        {4, 0, 1, true, BREAKEVEN_NONE, 4},      {4, 1, 0, false, BREAKEVEN_NONE, NAN},
        {0, 4, 1, true, BREAKEVEN_NONE, 0},      {1, 0, 4, true, BREAKEVEN_CROSSING, 2},
        {0, 1, 4, false, BREAKEVEN_CROSSING, 2}, {2, 0, 3, true, BREAKEVEN_UNDECIDED, 2},
        {3, 1, 1, true, BREAKEVEN_UNDECIDED, 4}, {1, 3, 1, true, BREAKEVEN_UNDECIDED, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct breakeven *row =
            decided_by(cases[i].a, cases[i].b, cases[i].cross, cases[i].modes_cross);
        assert_int_equal(row->status, cases[i].status);
        same_number(i, "p50", row->p50, place(cases[i].p50));
        same_number(i, "at", row->at, cases[i].modes_cross ? place(2) : NAN);
        same_number(i, "share_other", row->share_other, 0);
        assert_int_equal(row->crossing, cases[i].modes_cross);
        end();
    }
}

/* Where the modes do not cross, the way that most draws do: rising is a winning below. */
static void the_usual_way(void **state)
{
    static const double one[PLACES] = {2, 2, 2, 2, 2}, dear[PLACES] = {3, 3, 3, 3, 3};
    static const double falls[PLACES] = {3, 1, 1, 1, 1}, rises[PLACES] = {1, 1, 1, 3, 3};
    static const double other[PLACES] = {2, 2, 4, 4, 4}; /* of a strategy that is not asked for */
    (void)state;
    for (unsigned falling = 0; falling <= 4; falling++) {
        make(5);
        for (size_t run = 0; run < 5; run++) {
            set(0, EAGER, run, one);
            set(0, LAZY, run, other);
            set(0, UNMAP, run, run == 0 ? dear : run <= falling ? falls : rises);
        }
        ask(EAGER, UNMAP);
        find();
        const struct breakeven *row = &made.results.row[0];
        bool below = falling >= 2;
        assert_int_equal(row->a_below, below);
        assert_int_equal(row->crossing, 0);
        same_number(falling, "share_crossing", row->share_crossing,
                    (below ? falling : 4 - falling) / 4.0);
        same_number(falling, "share_other", row->share_other,
                    (below ? 4 - falling : falling) / 4.0);
        same_number(falling, "p50", row->p50, place(below ? 1 : 3));
        end();
    }
}

/* --- ends --- */

/* Who wins at an end is who has the lower median there, or at the other end where they are equal;
 * a factor where both cost something. */
static void ends_of_the_axis(void **state)
{
    static const struct {
        double a[2], b[2]; /* at the low and at the high end, at the modes */
        enum breakeven_status status;
        bool a_wins_low, a_wins_high;
        double low_ratio, high_ratio;
    } cases[] = {
        {{1, 1}, {2, 4}, BREAKEVEN_NONE, true, true, 2, 4},
        {{1, 4}, {2, 1}, BREAKEVEN_CROSSING, true, false, 2, 4},
        {{1, 1}, {1, 4}, BREAKEVEN_NONE, true, true, 1, 4},
        {{1, 1}, {4, 1}, BREAKEVEN_NONE, true, true, 4, 1},
        {{3, 3}, {3, 3}, BREAKEVEN_EQUAL, true, true, 1, 1},
        {{0, 1}, {2, 4}, BREAKEVEN_NONE, true, true, NAN, 4},
        {{1, 1}, {2, 0}, BREAKEVEN_CROSSING, true, false, 2, NAN},
        {{0, 0}, {0, 0}, BREAKEVEN_EQUAL, true, true, NAN, NAN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(1);
        for (size_t x = 0; x < PLACES; x++) {
            *scan_value(&made.scan, 0, EAGER, 0, x) = cases[i].a[x >= 2];
            *scan_value(&made.scan, 0, UNMAP, 0, x) = cases[i].b[x >= 2];
        }
        ask(EAGER, UNMAP);
        find();
        const struct breakeven *row = &made.results.row[0];
        assert_int_equal(row->status, cases[i].status);
        assert_int_equal(row->a, EAGER);
        assert_int_equal(row->a_wins_low, cases[i].a_wins_low);
        assert_int_equal(row->a_wins_high, cases[i].a_wins_high);
        same_number(i, "low_ratio", row->low_ratio, cases[i].low_ratio);
        same_number(i, "high_ratio", row->high_ratio, cases[i].high_ratio);
        end();
    }
}

/* Of draws it is the median that wins at an end, whatever the modes say; equal ones have b's end
 * where b wins the other. */
static void the_median_wins_at_an_end(void **state)
{
    static const double one[PLACES] = {2, 2, 2, 2, 2}, dear[PLACES] = {4, 4, 4, 4, 4};
    static const double unmap[2][3][PLACES] = {{{2, 1, 1, 1, 1}, {2, 1, 1, 1, 1}, {8, 8, 8, 8, 4}},
                                               {{1, 1, 1, 1, 2}, {1, 1, 1, 1, 2}, {4, 8, 8, 8, 8}}};
    (void)state;
    for (size_t equal_high = 0; equal_high < 2; equal_high++) {
        make(4);
        for (size_t run = 0; run < 4; run++) {
            set(0, EAGER, run, one);
            set(0, UNMAP, run, run == 0 ? dear : unmap[equal_high][run - 1]);
        }
        ask(EAGER, UNMAP);
        find();
        const struct breakeven *row = &made.results.row[0];
        assert_false(row->a_wins_low);
        assert_false(row->a_wins_high);
        same_number(0, "low_ratio", row->low_ratio, equal_high ? 2 : 1);
        same_number(0, "high_ratio", row->high_ratio, equal_high ? 1 : 2);
        end();
    }
}

/* Draws that are equal all along are in no share but that of the others. */
static void equal_draws(void **state)
{
    static const double one[PLACES] = {2, 2, 2, 2, 2}, dear[PLACES] = {2, 2, 3, 3, 3};
    (void)state;
    make(3);
    for (size_t run = 0; run < 3; run++) {
        set(0, EAGER, run, one);
        set(0, UNMAP, run, run == 1 ? one : dear);
    }
    ask(EAGER, UNMAP);
    find();
    const struct breakeven *row = &made.results.row[0];
    assert_int_equal(row->status, BREAKEVEN_UNDECIDED);
    same_number(0, "share_a", row->share_a, 0.5);
    same_number(0, "share_b", row->share_b, 0);
    same_number(0, "share_other", row->share_other, 0.5);
    end();
}

/* --- which pairs --- */

static void every_pair_of_every_group(void **state)
{
    static const size_t a[] = {EAGER, EAGER, UNMAP}, b[] = {UNMAP, LAZY, LAZY};
    static const double second[PLACES] = {5, 5, 5, 5, 5};
    (void)state;
    make(2);
    set(1, EAGER, 0, second);
    set(1, EAGER, 1, second);
    find();
    assert_int_equal(made.results.count, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct breakeven *row = &made.results.row[i];
        bool differ = i == 3 || i == 4; /* eager costs five times as much on the second machine */
        assert_int_equal(row->group, i / 3);
        assert_int_equal(row->a, differ ? b[i % 3] : a[i % 3]);
        assert_int_equal(row->b, differ ? a[i % 3] : b[i % 3]);
        assert_int_equal(row->status, differ ? BREAKEVEN_NONE : BREAKEVEN_EQUAL);
        same_number(i, "low_ratio", row->low_ratio, differ ? 5 : 1);
        same_number(i, "share_a", row->share_a, differ);
    }
    for (size_t i = 0; i < GROUPS * STRATEGIES; i++) {
        assert_true(made.compared[i]);
    }
    end();
}

/* Stale at one value of the axis, or on paper there, is left out along all of it; a pair that is
 * asked for is said to be, with the first of the two that is. */
static void who_is_left_out(void **state)
{
    (void)state;
    make(1);
    verdict(0, 3, EAGER)->worst = STALE;
    verdict(0, 2, LAZY)->hypothetical = "if it had FWB";
    verdict(1, 0, UNMAP)->conditions = 2;
    verdict(1, 4, LAZY)->conditions = 8;
    find();
    /* Of the first machine unmap alone is left, which makes no pair. */
    assert_int_equal(made.results.count, 3);
    static const unsigned conditions[] = {2, 8, 10};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(made.results.row[i].group, 1);
        assert_int_equal(made.results.row[i].conditions, conditions[i]);
    }
    for (size_t i = 0; i < GROUPS * STRATEGIES; i++) {
        assert_int_equal(made.compared[i], i >= STRATEGIES);
    }
    free(made.results.row);
    made.results.row = NULL;
    made.results.count = 0;
    made.request.what_if = true;
    find();
    assert_int_equal(made.results.count, 4);
    assert_int_equal(made.results.row[0].a, UNMAP);
    assert_int_equal(made.results.row[0].b, LAZY);
    assert_true(made.compared[UNMAP] && made.compared[LAZY] && !made.compared[EAGER]);
    end();
}

static void asked_for_and_left_out(void **state)
{
    static const struct {
        size_t a, b, from, to;
        const char *reason;
        size_t strategy;
    } cases[] = {
        {EAGER, UNMAP, EAGER, UNMAP, "incoherent", EAGER},
        {UNMAP, EAGER, EAGER, UNMAP, "incoherent", EAGER},
        {UNMAP, LAZY, UNMAP, LAZY, "if it had FWB", LAZY},
        {LAZY, EAGER, EAGER, LAZY, "incoherent", EAGER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(1);
        verdict(0, 3, EAGER)->worst = STALE;
        verdict(0, 2, LAZY)->hypothetical = "if it had FWB";
        made.passed[1] = true; /* a simulation of the second machine failed */
        ask(cases[i].a, cases[i].b);
        find();
        assert_int_equal(made.results.count, 1);
        const struct breakeven *row = &made.results.row[0];
        assert_int_equal(row->status, BREAKEVEN_LEFT_OUT);
        assert_int_equal(row->group, 0);
        assert_int_equal(row->a, cases[i].from);
        assert_int_equal(row->b, cases[i].to);
        assert_string_equal(row->reason, cases[i].reason);
        assert_int_equal(row->reason_strategy, cases[i].strategy);
        same_number(i, "at", row->at, NAN);
        same_number(i, "p50", row->p50, NAN);
        same_number(i, "low_ratio", row->low_ratio, NAN);
        end();
    }
}

/* Of the strategies that a rule put there: those that cost least somewhere, at the modes, of those
 * that may; and what Linux does. */
static void strategies_by_rule(void **state)
{
    enum { NOWHERE, FIRST_PLACE, LAST_PLACE };
    static const double eager[][PLACES] = {{9, 9, 9, 9, 9}, {0.5, 9, 9, 9, 9}, {9, 9, 9, 9, 0.75}};
    static const double lazy[][PLACES] = {{9, 9, 9, 9, 9}, {0.5, 9, 9, 9, 9}, {9, 9, 9, 9, 0.5}};
    static const struct {
        bool eager_by_rule, lazy_by_rule;
        int eager_wins, lazy_wins;
        bool lazy_stale;
        size_t count, other; /* pairs, and whom the only one has beside unmap */
    } cases[] = {
        {true, true, NOWHERE, NOWHERE, false, 0, 0},
        {true, true, FIRST_PLACE, NOWHERE, false, 1, EAGER},
        {true, true, NOWHERE, LAST_PLACE, false, 1, LAZY},
        {true, true, FIRST_PLACE, LAST_PLACE, false, 3, 0},
        {true, true, FIRST_PLACE, FIRST_PLACE, false, 1, EAGER}, /* the first of equals */
        {true, true, LAST_PLACE, LAST_PLACE, false, 1, LAZY},
        {true, true, LAST_PLACE, LAST_PLACE, true, 1, EAGER},
        {true, true, NOWHERE, LAST_PLACE, true, 0, 0},
        {false, true, NOWHERE, NOWHERE, false, 1, EAGER},
        {false, false, NOWHERE, NOWHERE, false, 3, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(2);
        assert_true(made.study.strategies[UNMAP]->upstream);
        made.study.ruled = true;
        made.study.by_rule[EAGER] = cases[i].eager_by_rule;
        made.study.by_rule[UNMAP] = true;
        made.study.by_rule[LAZY] = cases[i].lazy_by_rule;
        made.passed[1] = true;
        set(0, EAGER, 0, eager[cases[i].eager_wins]);
        set(0, LAZY, 0, lazy[cases[i].lazy_wins]);
        set(0, UNMAP, 1, eager[NOWHERE]); /* draws do not choose */
        verdict(0, 1, LAZY)->worst = cases[i].lazy_stale ? STALE : COHERENT;
        find();
        if (made.results.count != cases[i].count) {
            fail_msg("case %zu: %zu pairs", i, made.results.count);
        }
        if (cases[i].count == 1) {
            assert_int_equal(made.results.row[0].a + made.results.row[0].b, UNMAP + cases[i].other);
        }
        end();
    }
}

/* Six draws: of the median it is 95 % sure, of the tenths not. */
static void quantiles_have_errors(void **state)
{
    static const double eager[PLACES] = {2, 2, 2, 2, 2};
    static const double behind[5][PLACES] = {
        {0}, {3, 1, 1, 1, 1}, {3, 3, 1, 1, 1}, {3, 3, 3, 1, 1}, {3, 3, 3, 3, 1}};
    static const size_t crosses[] = {2, 4, 1, 3,
                                     2, 1, 2}; /* the modes and the draws, at that place */
    (void)state;
    make(RUNS_MAX);
    for (size_t run = 0; run < RUNS_MAX; run++) {
        set(0, EAGER, run, eager);
        set(0, UNMAP, run, behind[crosses[run]]);
    }
    ask(EAGER, UNMAP);
    find();
    const struct breakeven *row = &made.results.row[0];
    assert_int_equal(row->status, BREAKEVEN_CROSSING);
    same_number(0, "p10", row->p10, place(1));
    same_number(0, "p50", row->p50, place(2));
    same_number(0, "p90", row->p90, place(3.5));
    /* To the value at index 2.5 + 1.96 sqrt(6 / 4) of 1, 1, 2, 2, 3, 4. */
    double index = 2.5 + 1.96 * sqrt(1.5);
    static const double between[] = {3.5, 0.5, 2.5, 1.5, 0.5, 1.5}; /* by lines from 3 to 1 */
    same_number(0, "within", row->within, 0.25 * APART * stats_deviation(between, 6) / sqrt(6));
    same_number(0, "error of the median", row->error.p50,
                APART * (3 + (index - 4) - 2) + row->within);
    assert_true(isinf(row->error.ends));
    end();
}

/* --- roots that fail --- */

/* The made-up costs cross where the axis has exits of so many ns, at which a root has to be looked
 * for; the other pairs never differ. */
static bool find_between(const char *axis, double from_ns, double to_ns, struct error *err)
{
    static const double falls[PLACES] = {3, 3, 3, 0.5, 0.5};
    char text[1024];
    make(1);
    study_free(&made.study);
    snprintf(text, sizeof text,
             "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\nkernel = 6.1\n"
             "strategy = eager, unmap, unmap-lazy\n",
             long_workload());
    read_good(&made.study, text);
    groups_init(&made.results.groups, &made.study, NULL, NULL);
    snprintf(made.results.axis, sizeof made.results.axis, "%s", axis);
    made.results.kind = setup_key_kind("exit_ns");
    for (size_t x = 0; x < PLACES; x++) {
        made.results.x[x] = x < 3 ? from_ns + (double)x - 2 : to_ns + (double)x - 3;
    }
    set(0, LAZY, 0, falls);
    evaluator_open(&made.scan.evaluator, &made.study, &made.sweep, test_store());
    bool good = breakeven_pairs(&made.scan, err);
    evaluator_close(&made.scan.evaluator);
    return good;
}

/* What a root is not found for is left out, and said to be; other pairs have their rows. */
static void a_simulation_on_the_way_fails(void **state)
{
    struct error err = {0};
    (void)state;
    assert_true(find_between("exit_ns", 9e5, 1e6 - 2, &err));
    assert_int_equal(made.results.count, 3);
    assert_int_equal(made.results.row[0].status, BREAKEVEN_EQUAL);
    for (size_t i = 1; i < 3; i++) { /* lazy against eager and unmap */
        const struct breakeven *row = &made.results.row[i];
        assert_int_equal(row->status, BREAKEVEN_LEFT_OUT);
        assert_string_equal(row->reason, "a simulation failed");
        assert_int_equal(row->reason_strategy, row->a);
        assert_true(isnan(row->at));
    }
    assert_int_equal(made.results.roots_failed.count, 2);
    assert_int_equal(made.results.roots_failed.of, 2);
    assert_int_equal(made.results.roots_failed.first, 0);
    end();
    /* Shorter exits do not pass 64 bits: a root of whatever the simulations say. */
    assert_true(find_between("exit_ns", 100, 200, &err));
    assert_int_equal(made.results.row[1].status, BREAKEVEN_CROSSING);
    assert_true(made.results.row[1].at >= 100 && made.results.row[1].at <= 200);
    assert_int_equal(made.results.roots_failed.count, 0);
    end();
}

/* An axis that has an effect in one group alone is one to look along: calls to EL2 are made on the
 * second machine. */
static void an_axis_of_one_group(void **state)
{
    const struct breakeven_request request = {
        .axis = "hvc_ns", .from = "100", .to = "200", .steps = 3};
    struct study study;
    struct breakeven_results results;
    struct error err = {0};
    (void)state;
    read_good(&study, "[study]\ndraws = 0\n[axes]\nworkload = %s\n"
                      "machine = neoverse-n1, cortex-a72\nstrategy = eager, unmap\n");
    if (!breakeven_run(&study, &request, &(struct sweep){.jobs = 1}, test_store(), &results,
                       &err)) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(results.count, 2);
    for (size_t s = 0; s < 2; s++) {
        const struct breakeven_curve *own = &results.curve[s], *other = &results.curve[3 * 2 + s];
        assert_true(own[0].mode == own[4].mode);
        assert_true(s == 0 || other[0].mode < other[4].mode);
        assert_true(isnan(own[0].p10) && isnan(own[0].p50) && isnan(own[0].p90));
    }
    breakeven_free(&results);
    study_free(&study);
}

/* What is wrong with the request itself ends all of it. */
static void an_axis_that_is_none_fails(void **state)
{
    struct error err = {0};
    (void)state;
    assert_false(find_between("exit_nns", 100, 200, &err));
    assert_false(err.simulation);
    assert_non_null(strstr(err.text, "exit_ns"));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_draw_is_one_kind),
        cmocka_unit_test(without_draws),
        cmocka_unit_test(each_crossing_has_its_row),
        cmocka_unit_test(one_draw_that_crosses_twice),
        cmocka_unit_test(most_of_the_draws_decide),
        cmocka_unit_test(the_usual_way),
        cmocka_unit_test(ends_of_the_axis),
        cmocka_unit_test(the_median_wins_at_an_end),
        cmocka_unit_test(equal_draws),
        cmocka_unit_test(every_pair_of_every_group),
        cmocka_unit_test(who_is_left_out),
        cmocka_unit_test(asked_for_and_left_out),
        cmocka_unit_test(strategies_by_rule),
        cmocka_unit_test(quantiles_have_errors),
        cmocka_unit_test(a_simulation_on_the_way_fails),
        cmocka_unit_test(an_axis_of_one_group),
        cmocka_unit_test(an_axis_that_is_none_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

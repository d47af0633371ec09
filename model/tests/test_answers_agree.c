/* Rows, map, break-even points and ladder answer the same question each in its own words: over
 * seeded random studies they say the same wherever they speak of the same thing.
 *
 * - The map's winner is the coherent strategy with the lowest median among the rows, and its value
 *   and band are the rows'.
 * - The curves of a break-even are the rows along the axis; there is a crossing where two of them
 *   change places and nowhere else.
 * - A rung costs what its strategy's row says, and no row that needs no condition costs less than
 *   the rungs with as many changes of the kernel, or fewer. */
#include "study_files.h"
#include "study_results.h"

#include "study/advise.h"
#include "study/breakeven.h"
#include "study/winner_map.h"

#include <math.h>
#include <string.h>

#define STUDIES 4
#define METRIC METRIC_added_boot_ns

static const char *const strategies[] = {"unmap",
                                         "unmap-lazy",
                                         "eager",
                                         "eager-toggle1",
                                         "unmap-vmall",
                                         "reinit-lazy-vmall",
                                         "reinit-lazy-vmall-toggle1",
                                         "reinit-lazy-vmall-toggle0"};
#define STRATEGIES (sizeof strategies / sizeof *strategies)
enum { TOUCHED = 4 };

static void read_random(uint64_t seed, const char *const *set, size_t sets, struct study *study)
{
    static const char *const machines[] = {"kunpeng-920", "neoverse-n1", "cortex-a72"};
    static const char *const kernels[] = {"5.10", "6.1", "7.3"};
    struct dice dice = dice_of(seed);
    bool huge = chance(&dice, 50);
    const char *machine = machines[roll(&dice, 3)], *kernel = kernels[roll(&dice, 3)];
    unsigned mib = 2 * (unsigned)(2 + roll(&dice, 4)), cached = (unsigned)roll(&dice, 101);
    unsigned vcpus = huge ? 1 + (unsigned)roll(&dice, 2) : 1,
             middle = 10 + (unsigned)roll(&dice, 40);
    char text[2048];
    snprintf(
        text, sizeof text,
        "[study]\ndraws = 16\nshifts = 4\nseed = %llu\n[set]\nfootprint = %uM\nrewrite = 1M\n"
        "vcpus = %u\nbacking = %s\ncached = %u%%\n[axes]\nworkload = generated-boot\n"
        "machine = %s\nkernel = %s\nstrategy = unmap, unmap-lazy, eager, eager-toggle1, "
        "unmap-vmall, reinit-lazy-vmall, reinit-lazy-vmall-toggle1, reinit-lazy-vmall-toggle0\n"
        "touched = 5%%, %u%%, 60%%, 100%%\ninsns_per_page = 0, 20000\n",
        (unsigned long long)seed, mib, vcpus, huge ? "thp" : "4k", cached, machine, kernel, middle);
    read_good_with(study, text, set, sets);
}

/* --- rows --- */

static const struct study *study_of_rows;
static const struct study_results *rows;

/* Of a strategy at a value of `touched`; the other axis at its g-th value. */
static const struct point_result *row(size_t g, size_t x, size_t strategy)
{
    const struct study *study = study_of_rows;
    const struct axis *touched = groups_axis(study, "touched");
    const struct axis *insns = groups_axis(study, "insns_per_page");
    return &rows->points[g * insns->stride + x * touched->stride +
                         strategy * study->role[AXIS_STRATEGY]->stride];
}

static const struct spread *cost(size_t g, size_t x, size_t strategy)
{
    return &row(g, x, strategy)->metric[METRIC];
}

static bool same(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

static bool is_sound(size_t g, size_t x, size_t strategy)
{
    return row(g, x, strategy)->worst == COHERENT && !row(g, x, strategy)->hypothetical[0];
}

static bool may_win(size_t g, size_t x, size_t strategy)
{
    return is_sound(g, x, strategy) ||
           (row(g, x, strategy)->worst == ONLY_IF && !row(g, x, strategy)->hypothetical[0]);
}

/* --- the map --- */

static void expect_winner(size_t g, size_t x, bool sound, const struct winner_map_choice *choice)
{
    size_t best = WINNER_NONE;
    for (size_t s = 0; s < STRATEGIES; s++) {
        bool may = sound ? is_sound(g, x, s) : may_win(g, x, s);
        if (may && (best == WINNER_NONE || cost(g, x, s)->p50 < cost(g, x, best)->p50)) {
            best = s;
        }
    }
    assert_int_equal(choice->winner, best);
    assert_true(same(choice->value, cost(g, x, best)->p50));
    assert_true(same(choice->p10, cost(g, x, best)->p10));
    assert_true(same(choice->p90, cost(g, x, best)->p90));
}

static void expect_map(const struct study *study)
{
    struct winner_map_request request = {.x = "touched", .metric = METRIC};
    struct winner_map_results map;
    struct error err = {0};
    if (!winner_map_run(study, &request, &(struct sweep){.jobs = 1}, test_store(), &map, &err)) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(map.x_count, TOUCHED);
    for (size_t g = 0; g < map.groups.count; g++) {
        for (size_t x = 0; x < TOUCHED; x++) {
            expect_winner(g, x, false, &map.cell[g * TOUCHED + x].best);
            expect_winner(g, x, true, &map.cell[g * TOUCHED + x].sound);
        }
    }
    winner_map_free(&map);
}

/* --- break-even points --- */

static void expect_curves(const struct breakeven_results *found)
{
    for (size_t i = 0; i < found->groups.count * TOUCHED * STRATEGIES; i++) {
        const struct breakeven_curve *curve = &found->curve[i];
        const struct spread *spread =
            cost(i / STRATEGIES / TOUCHED, i / STRATEGIES % TOUCHED, i % STRATEGIES);
        assert_true(same(curve->mode, spread->mode) && same(curve->p10, spread->p10) &&
                    same(curve->p50, spread->p50) && same(curve->p90, spread->p90));
    }
}

/* How often the rows of two strategies change places along the axis, costs at their modes. */
static size_t changes_of_place(size_t g, size_t a, size_t b)
{
    size_t changes = 0;
    for (size_t x = 1; x < TOUCHED; x++) {
        double before = cost(g, x - 1, a)->mode - cost(g, x - 1, b)->mode;
        double after = cost(g, x, a)->mode - cost(g, x, b)->mode;
        changes += before * after < 0;
    }
    return changes;
}

static size_t crossings_of(const struct breakeven_results *found, const struct breakeven *pair)
{
    size_t crossings = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct breakeven *other = &found->row[i];
        crossings += other->group == pair->group && other->a == pair->a && other->b == pair->b &&
                     other->crossing > 0;
    }
    return crossings;
}

/* The values between which a crossing lies. */
static size_t neighbour_of(const struct breakeven_results *found, double at)
{
    size_t x = 1;
    while (x + 1 < TOUCHED && found->x[x] < at) {
        x++;
    }
    return x;
}

static void expect_crossing(const struct breakeven_results *found, const struct breakeven *pair)
{
    size_t x = neighbour_of(found, pair->at), g = pair->group;
    double before = cost(g, x - 1, pair->a)->mode - cost(g, x - 1, pair->b)->mode;
    double after = cost(g, x, pair->a)->mode - cost(g, x, pair->b)->mode;
    assert_true(pair->at >= found->x[x - 1] && pair->at <= found->x[x]);
    assert_true(pair->a_below ? before <= 0 && after >= 0 : before >= 0 && after <= 0);
}

/* Returns how many crossings there are. */
static size_t expect_breakeven(const struct study *study)
{
    struct breakeven_request request = {.axis = "touched", .metric = METRIC};
    struct breakeven_results found;
    struct error err = {0};
    size_t crossings = 0;
    if (!breakeven_run(study, &request, &(struct sweep){.jobs = 1}, test_store(), &found, &err)) {
        fail_msg("%s", err.text);
    }
    expect_curves(&found);
    for (size_t i = 0; i < found.count; i++) {
        const struct breakeven *pair = &found.row[i];
        if (pair->status != BREAKEVEN_LEFT_OUT && pair->status != BREAKEVEN_EQUAL) {
            assert_int_equal(crossings_of(&found, pair),
                             changes_of_place(pair->group, pair->a, pair->b));
        }
        if (pair->crossing > 0) {
            expect_crossing(&found, pair);
            crossings++;
        }
    }
    breakeven_free(&found);
    return crossings;
}

/* --- the ladder --- */

static void expect_rung(const struct advise_rung *rung, size_t g, size_t x)
{
    for (size_t s = 0; s < STRATEGIES; s++) {
        if (strcmp(rung->strategy.name, strategies[s]) == 0) {
            const struct spread *spread = cost(g, x, s);
            assert_true(same(rung->mode, spread->mode) && same(rung->cost.p10, spread->p10) &&
                        same(rung->cost.p50, spread->p50) && same(rung->cost.p90, spread->p90));
            assert_int_equal(rung->verdict.worst, row(g, x, s)->worst);
        }
    }
}

/* What the cheapest rung with so many changes, or fewer, costs. */
static double ladder_costs(const struct advise_ladder *ladder, size_t changes)
{
    double costs = ladder->rung[0].cost.p50;
    for (size_t i = 0; i < ladder->count; i++) {
        const struct advise_rung *rung = &ladder->rung[i];
        costs = rung->changes <= changes ? fmin(costs, rung->cost.p50) : costs;
    }
    return costs;
}

/* A rung has to gain something to be one, so that the ladder may cost that much more. */
static void expect_none_below(const struct advise_ladder *ladder, size_t g, size_t x)
{
    for (size_t s = 0; s < STRATEGIES; s++) {
        struct error err = {0};
        const struct strategy *strategy = strategy_find(strategies[s], &err);
        size_t changes = kernel_changes(policy_upstream(false), strategy, NULL);
        double less = ladder_costs(ladder, changes) * (1 - 2 * ADVISE_GAIN_MIN);
        if (is_sound(g, x, s) && cost(g, x, s)->p50 < less) {
            fail_msg("%s with %zu changes costs %.0f ns and is below the ladder", strategies[s],
                     changes, cost(g, x, s)->p50);
        }
    }
}

/* Of one scenario of the study. */
static void expect_ladder(uint64_t seed)
{
    static const char *const set[] = {"touched=60%", "insns_per_page=20000"};
    enum { G = 1, X = 2 };
    struct study study;
    struct advise_request request = {.metric = METRIC, .changes_max = STRATEGY_KEYS};
    struct advise_results advice;
    struct error err = {0};
    read_random(seed, set, 2, &study);
    if (!advise_run(&study, &request, &(struct sweep){.jobs = 1}, test_store(), &advice, &err)) {
        fail_msg("%s", err.text);
    }
    const struct advise_ladder *ladder = advise_ladder(&advice, 0, HARDWARE_OWN);
    assert_string_equal(ladder->rung[0].strategy.name, "unmap");
    for (size_t i = 0; i < ladder->count; i++) {
        expect_rung(&ladder->rung[i], G, X);
    }
    expect_none_below(ladder, G, X);
    advise_free(&advice);
    study_free(&study);
}

static void all_agree_with_the_rows(void **state)
{
    size_t crossings = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= STUDIES; seed++) {
        struct study study;
        struct study_results results;
        struct error err = {0};
        read_random(seed, NULL, 0, &study);
        if (!study_results_of(&study, 1, &results, &err)) {
            fail_msg("%s", err.text);
        }
        study_of_rows = &study;
        rows = &results;
        expect_map(&study);
        crossings += expect_breakeven(&study);
        expect_ladder(seed);
        study_results_free(&results);
        study_free(&study);
    }
    print_message("%zu crossings\n", crossings);
    assert_true(crossings > STUDIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_agree_with_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

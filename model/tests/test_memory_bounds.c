/* What analyses ask for before they play anything: the least memory with which each begins, against
 * what it keeps and what each thread needs. */
#include "core/alloc.h"
#include "core/error.h"
#include "study_files.h"

#include "study/advise_search.h"
#include "study/breakeven.h"
#include "study/evaluate_parts.h"
#include "study/sensitivity.h"
#include "study/winner_map.h"

#include <math.h>

/* Ends each sweep before its first part. */
static int stop(void)
{
    return 2;
}

/* Begins an analysis; whether it was let. */
typedef bool (*begin_fn)(const struct study *study, struct sweep *sweep, struct error *err);

static bool begin_map(const struct study *study, struct sweep *sweep, struct error *err)
{
    const struct winner_map_request request = {.x = "touched"};
    struct winner_map_results results;
    return winner_map_run(study, &request, sweep, test_store(), &results, err);
}

static bool begin_breakeven(const struct study *study, struct sweep *sweep, struct error *err)
{
    const struct breakeven_request request = {.axis = "touched"};
    struct breakeven_results results;
    return breakeven_run(study, &request, sweep, test_store(), &results, err);
}

static bool begin_advise(const struct study *study, struct sweep *sweep, struct error *err)
{
    const struct advise_request request = {.changes_max = 2};
    struct advise_results results;
    return advise_run(study, &request, sweep, test_store(), &results, err);
}

static struct sensitivity_request sensitivity;

static bool begin_sensitivity(const struct study *study, struct sweep *sweep, struct error *err)
{
    struct sensitivity_results results;
    return sensitivity_run(study, &sensitivity, sweep, test_store(), &results, err);
}

/* Whether so many bytes are enough: then it is stopped before it plays anything. */
static bool enough(const struct study *study, begin_fn begin, unsigned jobs, uint64_t bytes)
{
    struct sweep sweep = {.jobs = jobs, .stopped = stop};
    struct error err = {0};
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
    assert_int_equal(setenv("S2FLUSH_MEMORY", text, 1), 0);
    assert_false(begin(study, &sweep, &err));
    assert_int_equal(unsetenv("S2FLUSH_MEMORY"), 0);
    bool refused = strstr(err.text, "of memory") != NULL;
    assert_true(refused || strstr(err.text, "interrupted"));
    assert_true(!refused || err.status == EXIT_INPUT);
    return !refused;
}

static uint64_t least_of(const char *text, begin_fn begin, unsigned jobs)
{
    struct study study;
    uint64_t low = MIB, high = GIB;
    read_good(&study, text);
    assert_true(enough(&study, begin, jobs, high));
    while (high - low > high / 2048) {
        uint64_t middle = low + (high - low) / 2;
        if (enough(&study, begin, jobs, middle)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    study_free(&study);
    return high;
}

static void near(const char *what, uint64_t found, double expected, double share)
{
    if (fabs((double)found / expected - 1) > share) {
        fail_msg("%s: %llu bytes, expected %.0f", what, (unsigned long long)found, expected);
    }
}

/* Of an open scenario's draw: its costs, the yardstick's times and another's. */
static double draw_bytes(void)
{
    return sizeof(struct costs) + 2.0 * sizeof(struct times);
}

#define MANY_DRAWS                                                                       \
    "[study]\ndraws = 16384\nshifts = 4\n[axes]\nworkload = %s\nmachine = neoverse-n1\n" \
    "strategy = unmap, eager, unmap-lazy\ntouched = 0.1, 0.5\n"
#define RUNS 16385.0

/* With many draws it is they that take it: each thread's scenario, and a value of each of three
 * strategies and to sort them in. */
static void draws_of_a_map(void **state)
{
    (void)state;
    for (unsigned jobs = 1; jobs <= 3; jobs += 2) {
        near("a map", least_of(MANY_DRAWS, begin_map, jobs),
             jobs * RUNS * (draw_bytes() + 4 * sizeof(double)), 0.01);
    }
}

/* All of a scan is kept: a value of each strategy at each place. */
static void draws_of_a_scan(void **state)
{
    (void)state;
    static const char scan[] =
        "[study]\ndraws = 16384\nshifts = 4\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
        "strategy = unmap, eager, unmap-lazy\ntouched = 0.1..1 +0.1\nbacking = 4k, thp\n";
    near("a break-even", least_of(scan, begin_breakeven, 1), RUNS * 3 * 20 * sizeof(double), 0.01);
}

/* Each ladder keeps its last rung, each thread has its rungs' and four more. */
static void draws_of_advice(void **state)
{
    (void)state;
    const double policies =
        POLICIES_MAX * (double)(sizeof(struct policy) + sizeof(struct advise_entry));
    for (unsigned jobs = 1; jobs <= 3; jobs += 2) {
        double draws = RUNS * (jobs * (draw_bytes() + (ADVISE_RUNGS + 4) * sizeof(double)) +
                               2 * HARDWARES * sizeof(double));
        double ladders = 2 * HARDWARES * sizeof(struct advise_ladder);
        near("advice", least_of(MANY_DRAWS, begin_advise, jobs), draws + ladders + jobs * policies,
             0.01);
    }
}

/* With many cells it is what is kept of each. */
static void cells_of_a_map(void **state)
{
    (void)state;
    static const char many[] =
        "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
        "strategy = unmap, eager\ntouched = 0.01..1 +0.01\ntlbi_ns = 301..400 +1\n"
        "exit_ns = 1, 2, 3\n";
    near("a map", least_of(many, begin_map, 1),
         30000.0 * (sizeof(struct winner_map_cell) + 2 * sizeof(struct strategy_verdict)), 0.01);
    near("a break-even", least_of(many, begin_breakeven, 1),
         30000.0 * 2 *
             (sizeof(double) + sizeof(struct strategy_verdict) + sizeof(struct breakeven_curve)),
         0.01);
}

/* --- to the byte --- */

/* The least number of bytes with which something begins. */
typedef bool (*enough_fn)(const struct study *study, unsigned jobs, uint64_t bytes, void *context);

static uint64_t exact(const struct study *study, enough_fn is_enough, unsigned jobs, void *context)
{
    uint64_t low = 0, high = GIB;
    assert_true(is_enough(study, jobs, high, context));
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (is_enough(study, jobs, middle, context)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}

static bool an_analysis(const struct study *study, unsigned jobs, uint64_t bytes, void *context)
{
    /* What is told is rounded, what is compared is not. */
    return enough(study, *(const begin_fn *)context, jobs, bytes);
}

/* What is kept, and what each thread has beside its scenario. */
struct taken {
    uint64_t kept, own;
};

static bool a_scenario(const struct study *study, unsigned jobs, uint64_t bytes, void *context)
{
    const struct taken *taken = context;
    struct error err = {0};
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
    assert_int_equal(setenv("S2FLUSH_MEMORY", text, 1), 0);
    bool good = scenario_count_allowed(study, jobs, taken->kept, taken->own, "it", "less", &err);
    assert_int_equal(unsetenv("S2FLUSH_MEMORY"), 0);
    return good;
}

static uint64_t scenarios(const struct study *study, unsigned jobs)
{
    struct taken none = {0, 0};
    return exact(study, a_scenario, jobs, &none);
}

#define BOUNDS                                                                           \
    "[study]\ndraws = %u\nshifts = 1\n%s[axes]\nworkload = %%s\nmachine = neoverse-n1\n" \
    "strategy = unmap%s\ntouched = 0.1, 0.5, 0.9\n"

static void read_bounds(struct study *study, unsigned draws, const char *more, const char *others)
{
    char text[1024];
    snprintf(text, sizeof text, BOUNDS, draws, more, others);
    read_good(study, text);
}

/* A scenario has its costs, the yardstick's times and another's of each run, where draws are fitted
 * those of what they are fitted to; and the plays of each strategy and of what they are fitted to,
 * on each timeline. */
static void what_a_scenario_takes(void **state)
{
    (void)state;
    struct study study;
    uint64_t by_draws[2][2], by_strategies[3];
    for (unsigned fitted = 0; fitted < 2; fitted++) {
        for (unsigned more = 0; more < 2; more++) {
            read_bounds(&study, 20 + more, fitted ? "draws_min = 4\n" : "", ", eager");
            by_draws[fitted][more] = scenarios(&study, 1);
            assert_int_equal(scenarios(&study, 3), 3 * by_draws[fitted][more]);
            study_free(&study);
        }
        assert_int_equal(by_draws[fitted][1] - by_draws[fitted][0],
                         sizeof(struct costs) + (fitted ? 5 : 2) * sizeof(struct times));
    }
    static const char *const others[] = {"", ", eager", ", eager, unmap-lazy"};
    for (size_t i = 0; i < 3; i++) {
        read_bounds(&study, 20, "", others[i]);
        by_strategies[i] = scenarios(&study, 1);
        study_free(&study);
    }
    uint64_t each = by_strategies[1] - by_strategies[0];
    assert_int_equal(by_strategies[2] - by_strategies[1], each);
    /* One strategy and the three that are fitted to. */
    assert_int_equal(by_strategies[0],
                     21 * (sizeof(struct costs) + 2 * sizeof(struct times)) + 4 * each);
    /* A play with its two hashes, a lock and who has it. */
    uint64_t play = sizeof(struct trial) + 2 * SETUP_HASH + sizeof(pthread_mutex_t);
    assert_in_range(each, (1 + DRAW_STRATA) * play, (1 + DRAW_STRATA) * (play + 80));
}

/* Each analysis asks for what it keeps and what each thread takes, no byte more or less. */
static void what_analyses_take(void **state)
{
    enum { DRAWS = 6, CELLS = 3, STRATEGIES = 2 };
    const uint64_t runs = 1 + DRAWS, reals = runs * sizeof(double);
    const uint64_t policies = POLICIES_MAX * (sizeof(struct policy) + sizeof(struct advise_entry));
    const uint64_t ladders = CELLS * HARDWARES * (sizeof(struct advise_ladder) + reals);
    const uint64_t told = 2 * sizeof(bool) + (INFORMATION_ORDERS + COSTS) * sizeof(double);
    sensitivity.points = 32;
    const struct {
        begin_fn begin;
        struct taken taken;
        uint64_t rounded; /* by which what is kept may be more, for what stands between */
    } cases[] = {
        {begin_map,
         {CELLS * (sizeof(struct winner_map_cell) + STRATEGIES * sizeof(struct strategy_verdict)),
          (STRATEGIES + 1) * reals},
         0},
        {begin_advise, {ladders, policies + (ADVISE_RUNGS + 4) * reals}, 0},
        {begin_sensitivity,
         {CELLS * (sizeof(struct sensitivity_cell) + told),
          32 * (4 * COSTS + 8 + 2 * STRATEGIES) * sizeof(double)},
         CELLS * 8},
    };
    struct study study;
    (void)state;
    read_bounds(&study, DRAWS, "", ", eager");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned jobs = 1; jobs <= 3; jobs += 2) {
            struct taken taken = cases[i].taken;
            begin_fn begin = cases[i].begin;
            uint64_t found = exact(&study, an_analysis, jobs, &begin);
            uint64_t expected = exact(&study, a_scenario, jobs, &taken);
            if (found < expected || found > expected + cases[i].rounded) {
                fail_msg("analysis %zu, %u threads: %llu bytes, expected %llu", i, jobs,
                         (unsigned long long)found, (unsigned long long)expected);
            }
        }
    }
    /* A scan keeps a value of each run, and has no scenario counted. */
    begin_fn begin = begin_breakeven;
    assert_int_equal(
        exact(&study, an_analysis, 1, &begin),
        CELLS * STRATEGIES *
            (reals + sizeof(struct strategy_verdict) + sizeof(struct breakeven_curve)));
    study_free(&study);
}

/* Strategies' plays are held while a scenario is open. */
static void strategies_of_a_scenario(void **state)
{
    (void)state;
    uint64_t least[3];
    for (unsigned i = 0; i < 3; i++) {
        static const char *const strategies[] = {"unmap, eager", "unmap, eager, unmap-lazy",
                                                 "unmap, eager, unmap-lazy, none"};
        char text[512];
        snprintf(text, sizeof text,
                 "[study]\ndraws = 0\n[axes]\nworkload = %%s\nmachine = neoverse-n1\n"
                 "strategy = %s\ntouched = 0.1, 0.5\n",
                 strategies[i]);
        least[i] = least_of(text, begin_map, 256);
    }
    /* Each has a play at the modes and one for each timeline of draws. */
    uint64_t more = (least[1] - least[0]) / 256;
    assert_in_range(more, (1 + DRAW_STRATA) * sizeof(struct trial),
                    (1 + DRAW_STRATA) * (sizeof(struct trial) + 512));
    near("one more strategy", least[2] - least[1], (double)(least[1] - least[0]), 0.1);
}

/* Each thread has the points of both sets and what it makes of them, each cell a cost's indices and
 * what is known of it. */
static void points_and_cells_of_a_sensitivity(void **state)
{
    (void)state;
    sensitivity.points = 65536;
    for (unsigned jobs = 1; jobs <= 3; jobs += 2) {
        near("points",
             least_of("[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
                      "strategy = unmap, eager, unmap-lazy\n",
                      begin_sensitivity, jobs),
             65536.0 * jobs * (4 * COSTS + 8 + 2 * 3) * sizeof(double), 0.01);
    }
    sensitivity.points = 16;
    double told = 2 * sizeof(bool) + (INFORMATION_ORDERS + COSTS) * sizeof(double);
    near("cells",
         least_of("[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n"
                  "strategy = unmap, eager\ntouched = 0.01..1 +0.01\ntlbi_ns = 301..400 +1\n",
                  begin_sensitivity, 1),
         10000.0 * (sizeof(struct sensitivity_cell) + told), 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_of_a_map),
        cmocka_unit_test(draws_of_a_scan),
        cmocka_unit_test(draws_of_advice),
        cmocka_unit_test(cells_of_a_map),
        cmocka_unit_test(strategies_of_a_scenario),
        cmocka_unit_test(points_and_cells_of_a_sensitivity),
        cmocka_unit_test(what_a_scenario_takes),
        cmocka_unit_test(what_analyses_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

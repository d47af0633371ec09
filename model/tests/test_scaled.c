/* What analyses make of values has no unit of its own: where all values are by the same power of
 * two smaller or larger, to below what a picosecond is, all that is said of them is the same to the
 * last bit, or that much smaller. */
#include "check.h"

#include "study/crossing.h"
#include "study/information.h"
#include "study/ridge.h"
#include "study/sobol.h"
#include "study/stats.h"
#include "study/winner_map.h"

#include <math.h>
#include <string.h>

static const double scales[] = {0x1p-60, 0x1p-20, 0x1p-1, 0x1p30};

#define SCALES (sizeof scales / sizeof *scales)
#define CASES 40

/* A value below 8, of few enough bits that sums of them are exact; now and then one as before. */
static double some_value(struct dice *dice)
{
    return (double)roll(dice, 64) / 8;
}

static void same(const char *what, double found, double expected)
{
    if (isnan(expected) ? !isnan(found) : !(found == expected)) {
        fail_msg("%s: found %.17g, expected %.17g", what, found, expected);
    }
}

/* --- statistics --- */

#define VALUES 12

static void same_spread(const struct spread *found, const struct spread *one, double scale)
{
    assert_int_equal(found->n, one->n);
    assert_int_equal(found->has_interval, one->has_interval);
    same("mean", found->mean, scale * one->mean);
    same("p10", found->p10, scale * one->p10);
    same("p50", found->p50, scale * one->p50);
    same("p90", found->p90, scale * one->p90);
    same("low end", found->interval_low, scale * one->interval_low);
    same("high end", found->interval_high, scale * one->interval_high);
}

static void statistics(void **state)
{
    struct dice dice = dice_of(1);
    (void)state;
    for (unsigned i = 0; i < CASES; i++) {
        double value[VALUES], own[VALUES];
        size_t n = 2 + roll(&dice, VALUES - 1), shifts = n % 3 == 0 ? 3 : n % 2 == 0 ? 2 : 1;
        for (size_t k = 0; k < n; k++) {
            value[k] = some_value(&dice) - 2;
        }
        for (size_t s = 0; s < SCALES; s++) {
            struct spread one = {0}, scaled = {0};
            for (size_t k = 0; k < n; k++) {
                own[k] = scales[s] * value[k];
            }
            same("mean", stats_mean(own, n), scales[s] * stats_mean(value, n));
            same("squares", stats_squares(own, n), scales[s] * scales[s] * stats_squares(value, n));
            same("deviation", stats_deviation(own, n), scales[s] * stats_deviation(value, n));
            double copy[VALUES];
            memcpy(copy, value, sizeof copy);
            spread_fill(&one, copy, n, shifts);
            struct quantile_error error = stats_quantile_error(copy, n);
            spread_fill(&scaled, own, n, shifts);
            same_spread(&scaled, &one, scales[s]);
            struct quantile_error less = stats_quantile_error(own, n);
            same("error of the median", less.p50, scales[s] * error.p50);
            same("error of the ends", less.ends, scales[s] * error.ends);
        }
    }
}

/* --- choices --- */

#define STRATEGIES 4
#define DRAWS 16

/* Values of strategies whose draws are often equal or 0, and who may win. */
struct choosing {
    double value[STRATEGIES * (1 + DRAWS)];
    bool may[STRATEGIES];
};

static struct choosing some_choosing(struct dice *dice)
{
    struct choosing made;
    for (size_t i = 0; i < STRATEGIES * (1 + DRAWS); i++) {
        made.value[i] = (double)roll(dice, 6) / 4;
    }
    for (size_t i = 0; i < STRATEGIES; i++) {
        made.may[i] = roll(dice, 4) > 0;
    }
    return made;
}

static void winners(void **state)
{
    struct dice dice = dice_of(2);
    (void)state;
    for (unsigned i = 0; i < CASES; i++) {
        struct choosing made = some_choosing(&dice);
        size_t runs = 1 + roll(&dice, DRAWS + 1);
        struct winner_map_choice one, scaled;
        double scratch[1 + DRAWS], own[STRATEGIES * (1 + DRAWS)];
        winner_map_choose(made.value, STRATEGIES, runs, made.may, scratch, &one);
        for (size_t s = 0; s < SCALES; s++) {
            for (size_t k = 0; k < STRATEGIES * (1 + DRAWS); k++) {
                own[k] = scales[s] * made.value[k];
            }
            winner_map_choose(own, STRATEGIES, runs, made.may, scratch, &scaled);
            assert_int_equal(scaled.winner, one.winner);
            assert_int_equal(scaled.runner_up, one.runner_up);
            same("probability", scaled.probability, one.probability);
            same("margin", scaled.margin, one.margin);
            same("value", scaled.value, scales[s] * one.value);
            same("p10", scaled.p10, scales[s] * one.p10);
            same("p90", scaled.p90, scales[s] * one.p90);
        }
    }
}

static void decisions(void **state)
{
    struct dice dice = dice_of(3);
    (void)state;
    for (unsigned i = 0; i < CASES; i++) {
        struct choosing made = some_choosing(&dice);
        struct decision decision = {made.value, STRATEGIES, DRAWS, made.may};
        double input[DRAWS], other[DRAWS], own[STRATEGIES * (1 + DRAWS)];
        double chance[INFORMATION_ORDERS], chance_scaled[INFORMATION_ORDERS];
        for (size_t k = 0; k < DRAWS; k++) {
            input[k] = some_value(&dice);
        }
        information_chance(&decision, i, chance);
        for (size_t s = 0; s < SCALES; s++) {
            for (size_t k = 0; k < STRATEGIES * (1 + DRAWS); k++) {
                own[k] = scales[s] * made.value[k];
            }
            for (size_t k = 0; k < DRAWS; k++) {
                other[k] = scales[s] * input[k];
            }
            struct decision scaled = {own, STRATEGIES, DRAWS, made.may};
            assert_int_equal(information_undecided(&scaled), information_undecided(&decision));
            same("known", information_known(&scaled, other), information_known(&decision, input));
            information_chance(&scaled, i, chance_scaled);
            assert_memory_equal(chance, chance_scaled, sizeof chance);
        }
    }
}

/* --- indices --- */

static void indices(void **state)
{
    const struct sobol_plan plan = {.seed = 5, .inputs = 3, .points = 16, .bootstrap = 20};
    struct dice dice = dice_of(4);
    double output[16 * 5], own[16 * 5];
    (void)state;
    assert_int_equal(sobol_count(&plan), 16 * 5);
    for (unsigned i = 0; i < 8; i++) {
        struct sobol_result one = {0}, scaled = {0};
        for (size_t k = 0; k < 16 * 5; k++) {
            output[k] = some_value(&dice);
        }
        sobol_indices(&plan, output, &one);
        for (size_t s = 0; s < SCALES; s++) {
            for (size_t k = 0; k < 16 * 5; k++) {
                own[k] = scales[s] * output[k];
            }
            sobol_indices(&plan, own, &scaled);
            same("mean", scaled.mean, scales[s] * one.mean);
            same("variance", scaled.variance, scales[s] * scales[s] * one.variance);
            for (size_t k = 0; k < 3; k++) {
                const struct sobol_index *a = &scaled.index[k], *b = &one.index[k];
                same("first", a->first, b->first);
                same("first_low", a->first_low, b->first_low);
                same("first_high", a->first_high, b->first_high);
                same("total", a->total, b->total);
                same("total_low", a->total_low, b->total_low);
                same("total_high", a->total_high, b->total_high);
            }
        }
    }
}

/* --- fits --- */

#define ROWS 10
#define COLUMNS 2

static void ridges(void **state)
{
    struct dice dice = dice_of(6);
    (void)state;
    for (unsigned i = 0; i < CASES; i++) {
        double x[ROWS * COLUMNS], y[ROWS], own[ROWS], slope[COLUMNS], miss[ROWS];
        unsigned group[ROWS];
        for (size_t k = 0; k < ROWS; k++) {
            x[2 * k] = some_value(&dice);
            x[2 * k + 1] = some_value(&dice);
            group[k] = (unsigned)roll(&dice, 2);
            y[k] = 1 + 2 * x[2 * k] - x[2 * k + 1] + some_value(&dice) / 4;
        }
        struct ridge_data data = {.x = x, .y = y, .group = group, .n = ROWS, .columns = COLUMNS};
        double squares = ridge_fit(&data, slope, miss);
        for (size_t s = 0; s < SCALES; s++) {
            double slope_scaled[COLUMNS], miss_scaled[ROWS];
            for (size_t k = 0; k < ROWS; k++) {
                own[k] = scales[s] * y[k];
            }
            data.y = own;
            same("squares", ridge_fit(&data, slope_scaled, miss_scaled),
                 scales[s] * scales[s] * squares);
            for (size_t k = 0; k < ROWS; k++) {
                same("miss", miss_scaled[k], scales[s] * miss[k]);
            }
            for (size_t a = 0; a < COLUMNS; a++) {
                same("slope", slope_scaled[a], scales[s] * slope[a]);
            }
        }
        data.y = y;
    }
}

/* --- crossings --- */

static void brackets(void **state)
{
    struct dice dice = dice_of(7);
    (void)state;
    for (unsigned i = 0; i < 10 * CASES; i++) {
        double value[8], own[8];
        for (size_t k = 0; k < 8; k++) {
            value[k] = (double)roll(&dice, 5) / 4 - 0.5;
        }
        for (size_t s = 0; s < SCALES; s++) {
            for (size_t k = 0; k < 8; k++) {
                own[k] = scales[s] * value[k];
            }
            assert_int_equal(crossing_sign(own, 8), crossing_sign(value, 8));
            for (size_t nth = 0; nth < 8; nth++) {
                struct bracket a = {9, 9}, b = {9, 9};
                assert_int_equal(crossing_bracket(own, 8, nth, &a),
                                 crossing_bracket(value, 8, nth, &b));
                assert_int_equal(a.low, b.low);
                assert_int_equal(a.high, b.high);
            }
        }
    }
}

struct looking {
    double scale, power;
    size_t count;
    double at[64];
};

static double look(double x, void *context)
{
    struct looking *looking = context;
    assert_true(looking->count < 64);
    looking->at[looking->count++] = x;
    return looking->scale * (pow(x, looking->power) - 3);
}

static void roots(void **state)
{
    static const double powers[] = {1, 2, 3, 7};
    static const double steps[] = {0, 1}, wides[] = {0, 0.5};
    (void)state;
    for (size_t i = 0; i < 16; i++) {
        double power = powers[i % 4], step = steps[i / 4 % 2], wide = wides[i / 8];
        struct looking one = {.scale = 1, .power = power};
        struct crossing_function function = {look, &one, false};
        double root = crossing_root(&function, 0, -3, 16, pow(16, power) - 3, step, wide);
        for (size_t s = 0; s < SCALES; s++) {
            struct looking scaled = {.scale = scales[s], .power = power};
            function.context = &scaled;
            same("root",
                 crossing_root(&function, 0, -3 * scales[s], 16, scales[s] * (pow(16, power) - 3),
                               step, wide),
                 root);
            assert_int_equal(scaled.count, one.count);
            assert_memory_equal(scaled.at, one.at, one.count * sizeof *one.at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics), cmocka_unit_test(winners), cmocka_unit_test(decisions),
        cmocka_unit_test(indices),    cmocka_unit_test(ridges),  cmocka_unit_test(brackets),
        cmocka_unit_test(roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

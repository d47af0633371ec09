/* Least squares with slopes held back: against fits that leave a value out, one after the other. */
#include "check.h"

#include "study/ridge.h"

#include <math.h>

enum { N = 24, COLUMNS = 3 };

struct sample {
    double x[N * COLUMNS], y[N];
    unsigned group[N];
};

/* Columns of -1 to 1 in three groups. */
static void fill(struct sample *sample, uint64_t seed, const double slope[COLUMNS], double noise)
{
    struct dice dice = dice_of(seed);
    for (size_t i = 0; i < N; i++) {
        sample->group[i] = i % 3;
        sample->y[i] = 100.0 * sample->group[i] + noise * (roll(&dice, 2001) / 1000.0 - 1);
        for (size_t a = 0; a < COLUMNS; a++) {
            sample->x[i * COLUMNS + a] = roll(&dice, 2001) / 1000.0 - 1;
            sample->y[i] += slope[a] * sample->x[i * COLUMNS + a];
        }
    }
}

static struct ridge_data data_of(const struct sample *sample, size_t n)
{
    return (struct ridge_data){sample->x, sample->y, sample->group, n, COLUMNS};
}

/* The levels of groups are no matter, and what is exact is found. */
static void finds_slopes(void **state)
{
    static const double slopes[COLUMNS] = {5, -2, 0};
    struct sample sample;
    double slope[COLUMNS], miss[N], level[N];
    (void)state;
    fill(&sample, 1, slopes, 0);
    struct ridge_data data = data_of(&sample, N);
    double fitted = ridge_fit(&data, slope, miss), without = ridge_level(&data, level);
    assert_true(fitted < 1e-9 * without);
    for (size_t a = 0; a < COLUMNS; a++) {
        assert_true(fabs(slope[a] - slopes[a]) < 1e-4);
    }
}

/* A value whose columns say nothing new is off the mean of the others of its group. */
static void level_is_of_the_others(void **state)
{
    struct sample sample = {.y = {3, 5, 10, 40}, .group = {1, 1, 1, 2}};
    struct ridge_data data = data_of(&sample, 4);
    double miss[4], slope[COLUMNS];
    (void)state;
    double squares = ridge_level(&data, miss);
    assert_true(fabs(miss[0] + 4.5) < 1e-12 && fabs(miss[1] + 1.5) < 1e-12);
    assert_true(fabs(miss[2] - 6) < 1e-12);
    assert_true(miss[3] == 0); /* alone in its group */
    assert_true(fabs(squares - (4.5 * 4.5 + 1.5 * 1.5 + 36)) < 1e-9);
    assert_true(ridge_fit(&data, slope, miss) == squares);
    assert_true(slope[0] == 0 && slope[1] == 0 && slope[2] == 0);
}

/* What a fit misses of a value is what one without it misses: moving that value alone moves the
 * miss by as much, if slopes are held back as before. */
static void misses_are_unseen(void **state)
{
    static const double slopes[COLUMNS] = {1, 1, 1};
    struct sample sample;
    double slope[COLUMNS], before[N], after[N];
    (void)state;
    fill(&sample, 2, slopes, 0.5);
    struct ridge_data data = data_of(&sample, N);
    (void)ridge_fit(&data, slope, before);
    sample.y[7] += 0.01;
    (void)ridge_fit(&data, slope, after);
    assert_true(fabs(after[7] - before[7] - 0.01) < 1e-6);
    assert_true(fabs(after[8] - before[8]) < 0.01);
}

/* --- against fits that leave a value out, one after the other --- */

/* Adds what one value but `without` has to the sums of its group; the last sum is the value's. */
static void sum_groups(const struct sample *sample, size_t without, double sum[3][COLUMNS + 1],
                       double members[3])
{
    for (size_t i = 0; i < N; i++) {
        if (i == without) {
            continue;
        }
        members[sample->group[i]]++;
        sum[sample->group[i]][COLUMNS] += sample->y[i];
        for (size_t a = 0; a < COLUMNS; a++) {
            sum[sample->group[i]][a] += sample->x[i * COLUMNS + a];
        }
    }
}

/* Column a of a value, COLUMNS its y, less the mean of its group. */
static double centered(const struct sample *sample, size_t i, size_t a, double sum[3][COLUMNS + 1],
                       const double members[3])
{
    unsigned group = sample->group[i];
    double value = a < COLUMNS ? sample->x[i * COLUMNS + a] : sample->y[i];
    return value - sum[group][a] / members[group];
}

/* By Gauss' elimination. `trace` gets that of the squares, where it is not NULL. */
static double missed_without(const struct sample *sample, size_t without, double held,
                             double *trace)
{
    double sum[3][COLUMNS + 1] = {{0}}, members[3] = {0}, row[COLUMNS][COLUMNS + 1] = {{0}};
    sum_groups(sample, without, sum, members);
    for (size_t a = 0; a < COLUMNS; a++) {
        for (size_t b = 0; b <= COLUMNS; b++) {
            for (size_t i = 0; i < N; i++) {
                row[a][b] += i == without ? 0
                                          : centered(sample, i, a, sum, members) *
                                                centered(sample, i, b, sum, members);
            }
        }
        if (trace) {
            *trace += row[a][a];
        }
        row[a][a] += held;
    }
    for (size_t a = 0; a < COLUMNS; a++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            double times = row[c][a] / row[a][a];
            for (size_t b = a; c != a && b <= COLUMNS; b++) {
                row[c][b] -= times * row[a][b];
            }
        }
    }
    double miss = without < N ? centered(sample, without, COLUMNS, sum, members) : 0;
    for (size_t a = 0; without < N && a < COLUMNS; a++) {
        miss -= row[a][COLUMNS] / row[a][a] * centered(sample, without, a, sum, members);
    }
    return miss;
}

/* Of all strengths the one is found whose misses come to least, and these are its. */
static void best_of_all_strengths(void **state)
{
    static const double slopes[COLUMNS] = {1, 0.3, 0};
    double slope[COLUMNS], miss[N], own[N];
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct sample sample;
        double min = INFINITY, trace = 0;
        fill(&sample, seed, slopes, 0.1 * (double)(1 + 3 * seed));
        struct ridge_data data = data_of(&sample, N);
        double fitted = ridge_fit(&data, slope, miss);
        (void)missed_without(&sample, N, 0, &trace);
        for (int i = 0; i < 25; i++) {
            double squares = 0, held = trace / COLUMNS * pow(10, -6 + i / 2.0);
            for (size_t k = 0; k < N; k++) {
                double off = missed_without(&sample, k, held, NULL);
                squares += off * off;
            }
            min = fmin(min, squares);
        }
        min = fmin(min, ridge_level(&data, own));
        if (fabs(fitted / min - 1) > 1e-9) {
            fail_msg("seed %d: %.12g, by leaving out %.12g", (int)seed, fitted, min);
        }
    }
}

/* Noise is no slope: what is left out comes out no worse than by the level alone. */
static void noise_is_no_slope(void **state)
{
    static const double none[COLUMNS] = {0, 0, 0};
    double slope[COLUMNS], miss[N], level[N];
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sample sample;
        fill(&sample, seed, none, 1);
        struct ridge_data data = data_of(&sample, N);
        assert_true(ridge_fit(&data, slope, miss) <= ridge_level(&data, level));
        for (size_t a = 0; a < COLUMNS; a++) {
            assert_true(fabs(slope[a]) < 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_slopes),      cmocka_unit_test(level_is_of_the_others),
        cmocka_unit_test(misses_are_unseen), cmocka_unit_test(best_of_all_strengths),
        cmocka_unit_test(noise_is_no_slope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What draws are fitted to, of counts that are made up: each kind's share of what the events of a
 * run take, shared paths, how late others come up; and what a fit without any column says. */
#include "check.h"

#include "core/error.h"
#include "machine/price.h"
#include "study/draw_fit.h"

#include <math.h>
#include <string.h>

#define RUNS 4

static struct event_count counts[6] = {
    {.site = SITE_FAULT, .kind = EV_line_clean, .n = 100},
    {.site = SITE_REINIT, .kind = EV_line_dirty, .n = 50},
    {.site = SITE_FAULT, .kind = EV_writeback_bytes, .n = 3200},
    {.site = SITE_FAULT, .kind = EV_zero_bytes, .n = 4096},
    {.site = SITE_GUEST, .kind = EV_guest_misses, .n = 40},
    {.site = SITE_FAULT, .kind = EV_exits, .n = 7},
};
static struct event_count fewer[3] = {
    {.site = SITE_FAULT, .kind = EV_line_clean, .n = 30},
    {.site = SITE_GUEST, .kind = EV_guest_misses, .n = 60},
    {.site = SITE_FAULT, .kind = EV_line_absent, .n = 5},
};
static const struct trial trial = {.counts = counts, .count = 6};
static const struct trial less = {.counts = fewer, .count = 3};

static double costs[RUNS][COSTS];
static ps_t price[RUNS][EVENT_KINDS];
static struct draw_fit_run run[RUNS];

/* Prices that differ by run, but for one that has none. */
static int make(void **state)
{
    (void)state;
    struct platform platform;
    struct error err;
    assert_true(platform_load("neoverse-n1", &platform, &err));
    for (size_t i = 0; i < RUNS; i++) {
        platform_modes(&platform, costs[i]);
        costs[i][COST_writeback_gbps] *= 1 + 0.2 * (double)i;
        costs[i][COST_zero_path_gbps] *= 1 + 0.3 * (double)i;
        memset(price[i], 0, sizeof price[i]);
        price[i][EV_line_absent] = 1000 * (5 + i);
        price[i][EV_line_clean] = 1000 * (10 + 2 * i);
        price[i][EV_line_dirty] = 1000 * (30 - 3 * i);
        price[i][EV_zero_bytes] = 20 + i;
        price[i][EV_guest_misses] = 1000 * (90 + i);
        price[i][EV_exits] = 1000 * (300 + 11 * i);
        run[i] = (struct draw_fit_run){.trial = &trial,
                                       .costs = costs[i],
                                       .price = price[i],
                                       .stratum = (unsigned)i,
                                       .late = 0.1 * (double)i - 0.2};
    }
    return 0;
}

/* A candidate's values in all runs; it is a column where they say something. */
static void put(double *columns, size_t *count, const double value[RUNS])
{
    double low = value[0], high = value[0], most = 0;
    for (size_t i = 0; i < RUNS; i++) {
        low = value[i] < low ? value[i] : low;
        high = value[i] > high ? value[i] : high;
        most = fabs(value[i]) > most ? fabs(value[i]) : most;
    }
    if (most >= 0.005 && high > low) {
        memcpy(columns + RUNS * (*count)++, value, RUNS * sizeof *value);
    }
}

static void same_columns(const struct draw_fit *fit, const double *columns, size_t count)
{
    assert_int_equal(fit->runs, RUNS);
    assert_int_equal(fit->columns, count);
    for (size_t i = 0; i < RUNS; i++) {
        assert_int_equal(fit->group[i], 0);
        for (size_t a = 0; a < count; a++) {
            double found = fit->x[i * count + a], expected = columns[RUNS * a + i];
            if (!(fabs(found - expected) <= 1e-12 * fabs(expected))) {
                fail_msg("run %zu, column %zu: %.12g, expected %.12g", i, a, found, expected);
            }
        }
    }
}

/* In the order of kinds, paths, lateness and timelines. */
static void expect_shares(bool above)
{
    double value[16][RUNS], events[RUNS], columns[16 * RUNS];
    const enum event_kind kinds[] = {EV_line_absent,  EV_line_clean, EV_line_dirty,
                                     EV_guest_misses, EV_exits,      EV_zero_bytes};
    struct draw_fit fit;
    size_t count = 0, last = 0;
    for (size_t i = 0; i < RUNS; i++) {
        const ps_t *ps = price[i];
        run[i].less = above ? &less : NULL;
        double n[6] = {0, 100, 50, 40, 7, 4096};
        if (above) {
            n[0] -= 5;
            n[1] -= 30;
            n[3] -= 60;
        }
        events[i] = 0;
        for (size_t k = 0; k < 6; k++) {
            value[k][i] = n[k] * (double)ps[kinds[k]];
            events[i] += fabs(value[k][i]);
        }
        double guest = above ? events[i] : n[3] * (double)ps[EV_guest_misses];
        value[6][i] = (n[0] + n[1] + n[2]) * price_cmo_path_ns(costs[i], 1) * 1000;
        value[7][i] = price_writeback_ns(costs[i], 3200) * 1000;
        value[8][i] = 4096 * price_zero_path_ns(costs[i], KIB) * 1000;
        value[9][i] = run[i].late * guest;
        for (size_t stratum = 0; stratum < 5; stratum++) {
            value[10 + stratum][i] = stratum == i ? 0.3 * guest : 0;
        }
    }
    for (size_t k = 0; k < 15; k++) {
        for (size_t i = 0; i < RUNS; i++) {
            value[k][i] /= events[i];
        }
    }
    /* As kinds are numbered. */
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        for (size_t k = 0; k < 6; k++) {
            if ((int)kinds[k] == kind) {
                put(columns, &count, value[k]);
            }
        }
    }
    last = count;
    for (size_t k = 6; k < 15; k++) {
        put(columns, &count, value[k]);
    }
    assert_in_range(count, last + 6, 16);
    draw_fit_open(&fit, run, RUNS);
    for (size_t i = 0; i < RUNS; i++) {
        assert_true(fabs(fit.events[i] / events[i] - 1) < 1e-12);
    }
    same_columns(&fit, columns, count);
    draw_fit_close(&fit);
}

static void shares_of_all(void **state)
{
    (void)state;
    expect_shares(false);
}

static void shares_of_what_is_above_another(void **state)
{
    (void)state;
    expect_shares(true);
}

/* Of 200 events one is a share that tells just enough; one of 201 is not. */
static void small_shares_tell_nothing(void **state)
{
    static struct event_count few[2] = {{.site = SITE_FAULT, .kind = EV_exits, .n = 199},
                                        {.site = SITE_FAULT, .kind = EV_hyp_calls, .n = 1}};
    const struct trial one = {.counts = few, .count = 2};
    struct draw_fit fit;
    (void)state;
    for (size_t i = 0; i < RUNS; i++) {
        memset(price[i], 0, sizeof price[i]);
        price[i][EV_exits] = 1000;
        price[i][EV_hyp_calls] = i == 0 ? 500 : 1000;
        run[i].trial = &one;
        run[i].less = NULL;
    }
    for (uint64_t n = 199; n <= 200; n++) {
        few[0].n = n;
        draw_fit_open(&fit, run, RUNS);
        assert_int_equal(fit.columns, n == 199 ? 2 : 1);
        draw_fit_close(&fit);
    }
}

/* Without events all is 0; without columns a value is the mean ratio of those that are known. */
static void nothing_to_fit_to(void **state)
{
    static struct event_count same[1] = {{.site = SITE_FAULT, .kind = EV_exits, .n = 10}};
    static struct trial one = {.counts = same}; /* `run` keeps it */
    const bool known[RUNS] = {true, false, true, true};
    struct draw_fit fit;
    (void)state;
    for (size_t i = 0; i < RUNS; i++) {
        memset(price[i], 0, sizeof price[i]);
        price[i][EV_exits] = 1000 * (1 + i);
        run[i].trial = &one;
    }
    for (int events = 0; events < 2; events++) {
        double value[RUNS] = {15000, NAN, 90000, 20000}, miss[RUNS] = {-1, -1, -1, -1};
        one.count = (size_t)events;
        draw_fit_open(&fit, run, RUNS);
        assert_int_equal(fit.columns, 0);
        draw_fit_values(&fit, known, value, miss);
        /* 1.5, 3 and 0.5 of what their events take. */
        double mean = events ? (1.5 + 3 + 0.5) / 3 : 0;
        assert_true(value[0] == 15000 && value[2] == 90000 && value[3] == 20000);
        assert_true(fabs(value[1] - mean * 20000) < 1e-6);
        assert_true(fabs(miss[0] - (events ? 1.5 - 1.75 : 0) * 10000) < 1e-6);
        assert_true(fabs(miss[2] - (events ? 3 - 1.0 : 0) * 30000) < 1e-6);
        assert_true(fabs(miss[3] - (events ? 0.5 - 2.25 : 0) * 40000) < 1e-6);
        assert_true(miss[1] == -1);
        draw_fit_close(&fit);
    }
}

/* What is a sum of the shares comes out as it is, though slopes are held back a little. */
static void a_sum_of_shares_is_found(void **state)
{
    const bool known[RUNS] = {true, true, false, true};
    static struct event_count two[2] = {{.site = SITE_FAULT, .kind = EV_exits, .n = 10},
                                        {.site = SITE_FAULT, .kind = EV_hyp_calls, .n = 10}};
    const struct trial one = {.counts = two, .count = 2};
    double value[RUNS], expected[RUNS], miss[RUNS];
    struct draw_fit fit;
    (void)state;
    for (size_t i = 0; i < RUNS; i++) {
        memset(price[i], 0, sizeof price[i]);
        price[i][EV_exits] = 1000 * (1 + i);
        price[i][EV_hyp_calls] = 1000;
        run[i].trial = &one;
        expected[i] = 10 * 0.7 * (double)price[i][EV_exits] + 10 * 0.4 * 1000;
        value[i] = known[i] ? expected[i] : NAN;
    }
    draw_fit_open(&fit, run, RUNS);
    assert_int_equal(fit.columns, 2);
    draw_fit_values(&fit, known, value, miss);
    assert_true(fabs(value[2] / expected[2] - 1) < 1e-4);
    for (size_t i = 0; i < RUNS; i++) {
        assert_true(i == 2 || fabs(miss[i]) < 1e-2 * expected[i]);
    }
    draw_fit_close(&fit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(shares_of_all, make),
        cmocka_unit_test_setup(shares_of_what_is_above_another, make),
        cmocka_unit_test_setup(small_shares_tell_nothing, make),
        cmocka_unit_test_setup(nothing_to_fit_to, make),
        cmocka_unit_test_setup(a_sum_of_shares_is_found, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The model's own error: from rows that no fit has seen to a factor on prices. */
#include "check.h"

#include "check/published/published.h"
#include "core/error.h"
#include "kvm/kvm.h"
#include "machine/misfit.h"
#include "machine/price.h"

#include <math.h>
#include <string.h>

static void add(struct misfit_rows *rows, const char *table, enum misfit kind, double off)
{
    struct misfit_row *row = misfit_add(rows);
    assert_non_null(row);
    snprintf(row->table, sizeof row->table, "%s", table);
    row->share[kind] = 1;
    row->off = off;
}

/* Ten rows of one kind, off by 0.1 to 1: four of five are off by 0.8 at most, which is where the
 * 90th percentile of a normal of that width has to be. */
static void four_of_five_rows_are_within(void **state)
{
    (void)state;
    struct misfit_rows rows = {0};
    double deviation[MISFITS];
    for (int i = 10; i > 0; i--) {
        add(&rows, "t", MISFIT_tlbi, 0.1 * i);
    }
    misfit_deviations(&rows, NULL, deviation);
    for (size_t kind = 0; kind < MISFITS; kind++) {
        /* Of the other kinds nothing is known but this. */
        assert_true(fabs(deviation[kind] - 0.8 / 1.2816) < 1e-9);
    }
    misfit_free(&rows);
}

/* A table of a hundred rows says no more than one of a single row, and each of its own kind. */
static void tables_count_alike_and_kinds_apart(void **state)
{
    (void)state;
    struct misfit_rows rows = {0};
    double deviation[MISFITS];
    for (int i = 0; i < 100; i++) {
        add(&rows, "many", MISFIT_path, 1);
    }
    for (int table = 0; table < 9; table++) {
        char name[8] = {(char)('a' + table)};
        add(&rows, name, MISFIT_path, 0.01);
        add(&rows, name, MISFIT_lines, 0.5);
    }
    misfit_deviations(&rows, NULL, deviation);
    assert_true(deviation[MISFIT_path] < 0.5);
    assert_true(fabs(deviation[MISFIT_lines] - 0.5 / 1.2816) < 1e-9);
    misfit_free(&rows);
}

/* What a table says of itself is in no band of its own. */
static void a_table_is_left_out(void **state)
{
    (void)state;
    struct misfit_rows rows = {0};
    double without[MISFITS], alone[MISFITS];
    add(&rows, "good", MISFIT_path, 0.1);
    misfit_deviations(&rows, NULL, alone);
    for (int i = 0; i < 5; i++) {
        add(&rows, "bad", MISFIT_path, 3);
    }
    misfit_deviations(&rows, "bad", without);
    assert_memory_equal(without, alone, sizeof alone);
    misfit_deviations(&rows, "good", without);
    assert_true(without[MISFIT_path] > 2);
    misfit_free(&rows);
}

/* Every row that speaks of it is in the file: made again whenever a table changes. */
static void the_file_has_the_rows_of_all_tables(void **state)
{
    (void)state;
    static const char *const files[] = {"altra", "dirty-log", "kunpeng-1g", "kunpeng-4k",
                                        "split", "totals",    "unmap-2m",   "unmap-4k"};
    struct published_set set = {0};
    struct misfit_rows rows;
    struct error err;
    size_t expected = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "bench/published/%s.csv", files[i]);
        assert_true(published_read(path, &set, &err));
    }
    assert_true(misfit_read(&rows, &err));
    for (size_t i = 0; i < set.count; i++) {
        const struct published *row = &set.rows[i];
        if (row->role != ROLE_PREDICT || row->refusal[0] != '\0') {
            continue;
        }
        assert_true(expected < rows.count);
        assert_string_equal(rows.row[expected].table, row->table);
        assert_string_equal(rows.row[expected].row, row->row);
        expected++;
    }
    assert_int_equal(rows.count, expected);
    misfit_free(&rows);
    published_free(&set);
}

/* Each kind of cost has one factor, which leaves the other kinds alone. */
static void a_factor_is_on_all_prices_of_its_kind(void **state)
{
    (void)state;
    static const enum event_kind of[MISFITS] = {[MISFIT_path] = EV_fault_path,
                                                [MISFIT_lines] = EV_line_absent,
                                                [MISFIT_tlbi] = EV_tlbi_calls,
                                                [MISFIT_wait] = EV_lock_handovers,
                                                [MISFIT_access] = EV_uncached};
    struct platform platform;
    struct error err;
    double value[COSTS], insns[EVENT_KINDS], before[EVENT_KINDS], after[EVENT_KINDS];
    assert_true(platform_load("kunpeng-920", &platform, &err));
    kvm_path_lengths(true, insns);
    platform_modes(&platform, value);
    price_events_ns(&platform, value, insns, before);
    for (size_t kind = 0; kind < MISFITS; kind++) {
        value[misfit_cost[kind]] = 3;
        price_events_ns(&platform, value, insns, after);
        for (size_t other = 0; other < MISFITS; other++) {
            double ratio = after[of[other]] / before[of[other]];
            assert_true(fabs(ratio - (other == kind ? 3 : 1)) < 1e-9);
        }
        assert_true(after[EV_compute_ps] == before[EV_compute_ps]);
        value[misfit_cost[kind]] = 1;
    }
}

/* A machine's file need not say how far the model is off, and is not written with it. */
static void a_machine_gets_them_from_the_file(void **state)
{
    (void)state;
    struct platform platform;
    struct misfit_rows rows;
    struct error err;
    double deviation[MISFITS];
    assert_true(platform_load("neoverse-n1", &platform, &err));
    assert_true(misfit_read(&rows, &err));
    misfit_deviations(&rows, NULL, deviation);
    for (size_t kind = 0; kind < MISFITS; kind++) {
        const struct cost *cost = &platform.cost[misfit_cost[kind]];
        assert_true(misfit_is(misfit_cost[kind]));
        assert_true(cost->given == 0 && cost->mode == 1 && cost->low < 1);
        assert_true(fabs(cost->low * cost->high - 1) < 0.01);
        assert_true(fabs(log(cost->high) / deviation[kind] - sqrt(6)) < 0.05);
    }
    assert_false(misfit_is(COST_tlbi_ns));
    misfit_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_of_five_rows_are_within),
        cmocka_unit_test(tables_count_alike_and_kinds_apart),
        cmocka_unit_test(a_table_is_left_out),
        cmocka_unit_test(the_file_has_the_rows_of_all_tables),
        cmocka_unit_test(a_factor_is_on_all_prices_of_its_kind),
        cmocka_unit_test(a_machine_gets_them_from_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

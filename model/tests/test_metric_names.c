/* How metrics are named: one with or without its unit, several in a list. */
#include "check.h"
#include "core/error.h"

#include "study/metrics.h"

#include <string.h>

static void one_metric(void **state)
{
    static const struct {
        const char *text;
        enum metric metric;
        const char *says; /* NULL: it is that metric */
    } cases[] = {
        {"added_boot", METRIC_added_boot_ns, NULL},
        {"added_boot_ns", METRIC_added_boot_ns, NULL},
        {"stall_p99", METRIC_stall_p99_ns, NULL},
        {"stall_p99_ns", METRIC_stall_p99_ns, NULL},
        {"part_waits_ns", METRIC_part_waits_ns, NULL},
        {"lines", METRIC_lines, "metric: lines is no time: it is the same whatever things cost"},
        {"leaves_1g", METRIC_leaves_1g,
         "metric: leaves_1g is no time: it is the same whatever things cost"},
        {"", 0, "metric: found '', expected one metric"},
        {"window,cpu", 0, "metric: found 'window,cpu', expected one metric"},
        {"windw", 0, "metric: no metric 'windw' (did you mean window_ns?)"},
    };
    const struct source_location at = {.key = "metric"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum metric metric = METRICS;
        struct error err = {0};
        bool good = metric_one(cases[i].text, &at, &metric, &err);
        if (good != !cases[i].says || (!good && strcmp(err.text, cases[i].says) != 0)) {
            fail_msg("%s: '%s'", cases[i].text, good ? "good" : err.text);
        }
        assert_true(!good || metric == cases[i].metric);
    }
}

/* Commas, blanks and tabs, as many as there are; of nothing all, of `parts` those. */
static void lists(void **state)
{
    static const struct {
        const char *list;
        size_t count;
        enum metric first, last;
    } cases[] = {
        {"", METRICS, METRIC_added_boot_ns, METRIC_leaves_1g},
        {" ,\t", METRICS, METRIC_added_boot_ns, METRIC_leaves_1g},
        {"cpu", 1, METRIC_cpu_ns, METRIC_cpu_ns},
        {"  lines ,,\tcpu_ns, ", 2, METRIC_cpu_ns, METRIC_lines},
        {"lines lines", 1, METRIC_lines, METRIC_lines},
        {"parts", PARTS + 1, METRIC_added_boot_ns + 1, METRIC_part_waits_ns},
        {"parts,tlbi", PARTS + 2, METRIC_added_boot_ns + 1, METRIC_tlbi},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool wanted[METRICS];
        struct error err = {0};
        size_t count = 0, first = METRICS, last = METRICS;
        assert_true(metric_select(cases[i].list, wanted, NULL, &err));
        for (size_t metric = 0; metric < METRICS; metric++) {
            count += wanted[metric];
            first = first == METRICS && wanted[metric] ? metric : first;
            last = wanted[metric] ? metric : last;
        }
        if (count != cases[i].count || first != cases[i].first || last != cases[i].last) {
            fail_msg("'%s': %zu from %zu to %zu", cases[i].list, count, first, last);
        }
    }
}

static void unknown_names(void **state)
{
    static const char *const lists[] = {"cpu, no", "no", "cpu_ns_ns", "part", "lines_ns"};
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        bool wanted[METRICS];
        struct error err = {0};
        assert_false(metric_select(lists[i], wanted, NULL, &err));
        assert_non_null(strstr(err.text, "no metric '"));
        assert_int_equal(err.status, EXIT_INPUT);
    }
}

/* How a metric's values are spelled. */
static void quantities(void **state)
{
    (void)state;
    for (enum metric metric = 0; metric < METRICS; metric++) {
        const char *unit = metric_unit[metric];
        enum unit expected = unit[0] == 'n' && unit[1] == 's' && !unit[2] ? UNIT_NS
                             : unit[0] == 'b' && unit[1] == 'y'           ? UNIT_BYTES
                                                                          : UNIT_NONE;
        assert_int_equal(metric_quantity(metric), expected);
    }
    assert_int_equal(metric_quantity(METRIC_added_boot_ns), UNIT_NS);
    assert_int_equal(metric_quantity(METRIC_writeback_bytes), UNIT_BYTES);
    assert_int_equal(metric_quantity(METRIC_lines), UNIT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_metric), cmocka_unit_test(lists),
                                       cmocka_unit_test(unknown_names),
                                       cmocka_unit_test(quantities)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

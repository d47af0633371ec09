/* A platform's ranges against what was published of the very machine. */
#include "check.h"

#include "check/published/predict.h"
#include "core/datadir.h"
#include "core/error.h"
#include "machine/misfit.h"
#include "machine/platform_names.h"

#include <math.h>
#include <string.h>

static void read_tables(struct published_set *set)
{
    static const char *const files[] = {"altra", "kunpeng-1g", "kunpeng-4k"};
    struct error err;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "bench/published/%s.csv", files[i]);
        assert_true(published_read(path, set, &err));
    }
}

/* Every cost at the end of its range that makes a run fast, or slow. */
static double at_end(const struct published *row, bool slow)
{
    double value[COSTS], ps = 0;
    struct error err;
    for (int id = 0; id < COSTS; id++) {
        const struct cost *cost = &row->platform->cost[id];
        bool rate = cost_entry[id].unit == UNIT_GBPS || id == COST_overlap;
        value[id] = misfit_is((enum cost_id)id) ? 1 : slow != rate ? cost->high : cost->low;
    }
    assert_true(predict_ps(row, value, &ps, &err));
    return ps / row->unit_ps;
}

/* Rows that the model does not reach for a reason that is no cost's, with the reason. */
static bool misses_a_mechanism(const struct published *row)
{
    /* Forty cores read the same lines at once: what two sockets deliver is not limited. */
    return strcmp(row->row, "adjust-40-p123") == 0;
}

static void no_range_excludes_a_measurement_of_the_machine(void **state)
{
    (void)state;
    struct published_set set = {0};
    size_t tried = 0;
    read_tables(&set);
    for (size_t i = 0; i < set.count; i++) {
        const struct published *row = &set.rows[i];
        struct platform platform;
        struct error err;
        /* What is validated is what is priced: no file of a host's own beside the platform's. */
        assert_true(platform_load(row->host, &platform, &err));
        assert_string_equal(row->refusal, "");
        double low = at_end(row, false), high = at_end(row, true);
        if ((row->value < low || row->value > high) && !misses_a_mechanism(row)) {
            fail_msg("%s %s: %g is not within %g to %g", row->table, row->row, row->value, low,
                     high);
        }
        tried++;
    }
    assert_true(tried >= 30);
    published_free(&set);
}

/* A name leads to a platform that is there; what has a file of its own is no alias. */
static void every_name_leads_to_a_platform(void **state)
{
    (void)state;
    struct platform_aliases aliases;
    struct error err;
    assert_true(platform_aliases_read(&aliases, &err));
    assert_true(aliases.count > 10);
    for (unsigned i = 0; i < aliases.count; i++) {
        const struct platform_alias *alias = &aliases.alias[i];
        struct platform platform;
        char path[256], file[4096];
        if (!platform_alias_fits(alias)) {
            assert_false(platform_load(alias->name, &platform, &err));
            assert_non_null(strstr(err.text, alias->remark));
            assert_non_null(strstr(err.text, "s2flush calibrate"));
            continue;
        }
        assert_true(platform_load(alias->name, &platform, &err));
        assert_string_equal(platform.name, alias->platform);
        snprintf(path, sizeof path, "model/machine/platforms/%s.ini", alias->name);
        assert_false(datadir_find(path, file, sizeof file));
    }
    assert_non_null(platform_alias_find(&aliases, "Ampere_Altra"));
    assert_null(platform_alias_find(&aliases, "pentium"));
}

static void a_name_that_no_platform_stands_for_is_refused(void **state)
{
    (void)state;
    struct platform platform;
    struct error err;
    assert_true(platform_load("Neoverse N1", &platform, &err));
    assert_false(platform_load("pentium", &platform, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, "no platform 'pentium'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_range_excludes_a_measurement_of_the_machine),
        cmocka_unit_test(every_name_leads_to_a_platform),
        cmocka_unit_test(a_name_that_no_platform_stands_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

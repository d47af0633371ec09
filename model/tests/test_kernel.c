#include "check.h"

#include <string.h>

#include "core/error.h"
#include "kvm/kernel.h"

static struct kernel resolved(const char *text)
{
    struct kernel kernel;
    struct error err;
    assert_true(kernel_resolve(text, &kernel, &err));
    return kernel;
}

/* Each switch with the values that it takes and the first version of each. */
static const struct history {
    enum kernel_switch which;
    int steps;
    struct {
        const char *last_before, *first;
        int value;
    } step[3];
} histories[] = {
    {SWITCH_FAULT_LOCK,
     3,
     {{NULL, "5.10", FAULT_LOCK_SPIN},
      {"5.17", "5.18", FAULT_LOCK_WRITE},
      {"6.1", "6.2", FAULT_LOCK_READ}}},
    {SWITCH_CMO_PLACE, 2, {{NULL, "5.10", CMO_EVERY_RACER}, {"5.13", "5.14", CMO_INSTALLER}}},
    {SWITCH_CHUNK, 2, {{NULL, "5.10", CHUNK_ROOT_ENTRY}, {"6.0", "6.1", CHUNK_BLOCK}}},
    {SWITCH_IC_CLAMP, 2, {{NULL, "5.10", 0}, {"6.6", "6.7", 1}}},
    {SWITCH_TLBI_DEFER, 2, {{NULL, "5.10", 0}, {"6.5", "6.6", 1}}},
    {SWITCH_LPA2, 2, {{NULL, "5.10", 0}, {"6.7", "6.8", 1}}},
    {SWITCH_MAP_POST, 2, {{NULL, "5.10", 1}, {"6.1", "6.2", 0}}},
    {SWITCH_SET_SPTE, 2, {{NULL, "5.10", 1}, {"6.9", "6.10", 0}}},
    {SWITCH_HUGE_ZERO, 2, {{NULL, "5.10", HUGE_ZERO_SPLIT}, {"6.12", "6.13", HUGE_ZERO_ALLOC}}},
    {SWITCH_RELAX_LOCAL, 2, {{NULL, "5.10", 0}, {"6.4", "6.5", 1}}},
    {SWITCH_HUGETLB_DROP,
     3,
     {{NULL, "5.10", HUGETLB_DROP_REFUSED},
      {"5.17", "5.18", HUGETLB_DROP_TWICE},
      {"6.1", "6.2", HUGETLB_DROP_ONCE}}},
    {SWITCH_EAGER_SPLIT, 2, {{NULL, "5.10", 0}, {"6.4", "6.5", 1}}},
    {SWITCH_TLBI_THIRD, 2, {{NULL, "5.10", 0}, {"7.1", "7.2", 1}}},
};

static void switches_change_at_their_versions(void **state)
{
    (void)state;
    assert_int_equal(sizeof histories / sizeof *histories, KERNEL_SWITCHES);
    for (size_t i = 0; i < KERNEL_SWITCHES; i++) {
        const struct history *history = &histories[i];
        assert_int_equal(history->which, i);
        for (int k = 0; k < history->steps; k++) {
            struct kernel kernel = resolved(history->step[k].first);
            assert_int_equal(kernel.value[i], history->step[k].value);
            if (k > 0) {
                kernel = resolved(history->step[k].last_before);
                assert_int_equal(kernel.value[i], history->step[k - 1].value);
            }
        }
        struct kernel newest = resolved("7.3");
        assert_int_equal(newest.value[i], history->step[history->steps - 1].value);
    }
}

/* Rules of a switch stand oldest first: resolving takes the last that fits. */
static void rules_are_in_order_and_sourced(void **state)
{
    (void)state;
    for (size_t i = 0; i < kernel_rule_count; i++) {
        const struct kernel_rule *rule = &kernel_rules[i];
        bool first = i == 0 || kernel_rules[i - 1].which != rule->which;
        assert_true(strlen(rule->source) > 0);
        assert_true(first ? rule->since == 5010 : rule->since > kernel_rules[i - 1].since);
        assert_non_null(kernel_switch_name[rule->which]);
    }
}

static void versions_are_read_in_all_spellings(void **state)
{
    (void)state;
    assert_int_equal(resolved("5.10").version, 5010);
    assert_int_equal(resolved("v6.1").version, 6001);
    assert_int_equal(resolved("6.1.55").version, 6001);
    assert_int_equal(resolved("6.12-rc3").version, 6012);
    assert_int_equal(resolved("9.0").version, 9000);
    assert_string_equal(resolved("v6.1").name, "v6.1");
}

static void expect_refused(const char *text, const char *part)
{
    struct kernel kernel;
    struct error err = {0};
    assert_false(kernel_resolve(text, &kernel, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, part));
    assert_null(strchr(err.text, '\n'));
}

static void other_versions_are_refused(void **state)
{
    (void)state;
    expect_refused("5.9", "5.10 or later");
    expect_refused("4.19", "5.10 or later");
    expect_refused("", "such as 6.1");
    expect_refused("6", "such as 6.1");
    expect_refused("6.", "such as 6.1");
    expect_refused("six", "such as 6.1");
    expect_refused("6.1x", "such as 6.1");
    expect_refused("-6.1", "such as 6.1");
    expect_refused("6.99999999999999999999999", "such as 6.1");
    expect_refused("6.1.000000000000000000000000000000000000", "such as 6.1");
}

static void overrides_set_single_switches(void **state)
{
    (void)state;
    struct error err;
    struct kernel kernel = resolved("6.1"), before = kernel;
    assert_true(
        kernel_override(&kernel, "fault_lock=read, cmo_place=every_racer\tlpa2=yes", NULL, &err));
    assert_int_equal(kernel.value[SWITCH_FAULT_LOCK], FAULT_LOCK_READ);
    assert_int_equal(kernel.value[SWITCH_CMO_PLACE], CMO_EVERY_RACER);
    assert_int_equal(kernel.value[SWITCH_LPA2], 1);
    assert_int_equal(kernel.value[SWITCH_CHUNK], before.value[SWITCH_CHUNK]);
    assert_true(kernel_override(&kernel, "", NULL, &err));
    assert_true(kernel_override(&kernel, "  ,, ", NULL, &err));
}

static void every_value_can_be_set_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < kernel_rule_count; i++) {
        const struct kernel_rule *rule = &kernel_rules[i];
        struct kernel kernel = resolved("6.1");
        struct error err;
        char text[96];
        snprintf(text, sizeof text, "%s=%s", kernel_switch_name[rule->which], rule->value);
        assert_true(kernel_override(&kernel, text, NULL, &err));
        assert_int_equal(kernel.value[rule->which], rule->code);
    }
}

static void expect_no_override(const char *text, const char *part)
{
    struct kernel kernel = resolved("6.1");
    const struct source_location at = {.file = "study.ini", .line = 7, .key = "switches"};
    struct error err = {0};
    assert_false(kernel_override(&kernel, text, &at, &err));
    assert_int_equal(err.status, EXIT_INPUT);
    assert_non_null(strstr(err.text, "study.ini:7: switches: "));
    assert_non_null(strstr(err.text, part));
}

static void wrong_overrides_suggest_the_right_ones(void **state)
{
    (void)state;
    expect_no_override("fault_lok=read", "did you mean fault_lock?");
    expect_no_override("fault_lock=raed", "did you mean read?");
    expect_no_override("chunk=page", "valid: root_entry, block");
    expect_no_override("fault_lock", "expected switch=value");
    expect_no_override("lpa2=yes set_spte=maybe", "set_spte: no value 'maybe'");
    char words[600];
    memset(words, ' ', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    expect_no_override(words, "expected at most 511");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(switches_change_at_their_versions),
        cmocka_unit_test(rules_are_in_order_and_sourced),
        cmocka_unit_test(versions_are_read_in_all_spellings),
        cmocka_unit_test(other_versions_are_refused),
        cmocka_unit_test(overrides_set_single_switches),
        cmocka_unit_test(every_value_can_be_set_by_name),
        cmocka_unit_test(wrong_overrides_suggest_the_right_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

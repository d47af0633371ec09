/* No setting without effect: a key of a workload either changes what is played or is refused,
 * for every workload that comes with the program and two values of each key. */
#include "core/datadir.h"
#include "play.h"
#include "study_files.h"

#include "guest/workload/workload_values.h"

/* --- values --- */

/* The n-th value to try of a row; false: there are no more. */
static bool value_of(const struct option_row *row, const struct workload *workload, unsigned n,
                     char *text, size_t size)
{
    const char *field = (const char *)workload_values(workload) + row->offset;
    if (row->kind == OPTION_CHOICE) {
        int here = *(const int *)field;
        unsigned seen = 0;
        for (size_t i = 0; row->choices[i].word; i++) {
            if (row->choices[i].value != here && seen++ == n) {
                snprintf(text, size, "%s", row->choices[i].word);
                return true;
            }
        }
        return false;
    }
    if (row->kind == OPTION_REAL) {
        double value = *(const double *)field;
        snprintf(text, size, "%g",
                 n == 0 ? value * 0.5 + (value > 0 ? 0 : 0.25) : value * 0.25 + 0.1);
        return n < 2;
    }
    if (row->kind == OPTION_WHOLE) {
        uint64_t value = *(const uint64_t *)field;
        uint64_t more = row->unit == UNIT_BYTES ? 2 * MIB : 1;
        value = n == 1 ? 3 * value + more : value < 16 * more ? value + 2 * more : value / 16;
        value -= row->unit == UNIT_BYTES ? value % (64 * KIB) : 0;
        snprintf(text, size, "%llu", (unsigned long long)value);
        return n < 2;
    }
    if (row->kind == OPTION_FLAG) {
        snprintf(text, size, "%s", *(const bool *)field ? "no" : "yes");
        return n < 1;
    }
    snprintf(text, size, "other");
    return n < 1;
}

/* --- one key of one workload --- */

struct tally {
    unsigned effects, refusals, impossible;
};

/* Built anew with that value; false where the value does not go with the rest. */
static bool build_with(const struct workload *workload, const char *key, const char *text,
                       struct timeline *timeline)
{
    struct error err = {0};
    struct workload *changed = workload_copy(workload);
    bool good =
        workload_set(changed, key, text, NULL, &err) && workload_build(changed, timeline, &err);
    workload_free(changed);
    return good;
}

static void try_key(const struct workload *workload, const struct timeline *played,
                    const struct option_row *row, struct tally *tally)
{
    char text[64];
    bool differs = false, possible = false;
    const char *why = workload_without_effect(workload, row->name);
    for (unsigned n = 0; value_of(row, workload, n, text, sizeof text); n++) {
        struct timeline other;
        if (build_with(workload, row->name, text, &other)) {
            possible = true;
            differs |= !timeline_same(played, &other);
            timeline_free(&other);
        }
    }
    bool range = strncmp(row->name, "secondaries_after_m", 19) == 0;
    tally->impossible += !possible;
    tally->effects += !why;
    tally->refusals += why != NULL;
    if (why) {
        assert_non_null(strstr(why, "expected"));
    }
    if (possible && !range && differs == (why != NULL)) {
        fail_msg("%s: %s %s", workload_name(workload), row->name,
                 why ? "is refused and has an effect" : "changes nothing and is not refused");
    }
}

static void each_key_of_each_workload(void **state)
{
    char *names[256];
    struct tally tally = {0};
    (void)state;
    size_t count = datadir_names("workloads", ".ini", names, 0, 256);
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++) {
        struct timeline timeline;
        struct workload *workload = workload_of(names[i]);
        build(workload, &timeline);
        for (size_t k = 0; k < workload_option_count; k++) {
            try_key(workload, &timeline, &workload_options[k], &tally);
        }
        timeline_free(&timeline);
        workload_free(workload);
        free(names[i]);
    }
    print_message("%u keys have an effect, %u are refused, of %u no other value goes\n",
                  tally.effects, tally.refusals, tally.impossible);
    assert_true(tally.effects > 400 && tally.refusals > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_of_each_workload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

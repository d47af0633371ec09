/* What stands on a command line and in cells: numbers with units, lists and
 * ranges, kernel versions with switches, metrics, `--set KEY=VALUE`. The first
 * byte says which. */
#include "core/error.h"
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "study/metrics.h"
#include "study/study.h"

#define TEXT_MAX 4096

static void check(bool good, const struct error *err)
{
    if (!good) {
        fuzz_expect_error(err);
    }
}

/* What is read is spelled so that it reads back the same. */
static void try_number(const char *text, enum unit unit)
{
    char spelled[64];
    double value, again;
    uint64_t whole, whole_again;
    if (unit_parse(text, unit, &value)) {
        unit_format(value, unit, spelled, sizeof spelled);
        bool good = unit_parse(spelled, unit, &again);
        FUZZ_EXPECT(good && !(again < value) && !(again > value), "'%s' became '%s'", text,
                    spelled);
    }
    if (unit_parse_whole(text, unit, &whole)) {
        unit_format_whole(whole, unit, spelled, sizeof spelled);
        bool good = unit_parse_whole(spelled, unit, &whole_again);
        FUZZ_EXPECT(good && whole == whole_again, "'%s' became '%s'", text, spelled);
    }
}

static void try_list(const char *text, struct value_kind kind)
{
    struct values values;
    struct error err = {0};
    bool good = values_parse(text, kind, NULL, &values, &err);
    check(good, &err);
    if (good) {
        FUZZ_EXPECT(values.count > 0 && values.count <= VALUES_MAX, "%zu values", values.count);
        values_free(&values);
    }
}

static void try_kernel(const char *text)
{
    struct kernel kernel;
    struct error err = {0};
    check(setup_kernel(text, NULL, &kernel, &err), &err);
}

static void try_metrics(const char *text)
{
    bool wanted[METRICS];
    struct error err = {0};
    check(metric_select(text, wanted, NULL, &err), &err);
}

static void try_set(const char *text)
{
    static struct study study;
    const char *const set[] = {text};
    struct study_changes changes = {set, 1};
    struct error err = {0};
    check(study_read(&study, "dirty-log", &changes, &err), &err);
    study_free(&study);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX];
    if (size == 0 || size > sizeof text) {
        return 0;
    }
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    enum unit unit = (enum unit)(data[0] / 8 % (UNIT_INSNS + 1));
    switch (data[0] % 8) {
    case 0:
        try_number(text, unit);
        break;
    case 1:
        try_list(text, (struct value_kind){.number = true, .unit = unit});
        break;
    case 2:
        try_list(text, (struct value_kind){.number = true, .whole = true, .unit = unit});
        break;
    case 3:
        try_list(text, (struct value_kind){0});
        break;
    case 4:
        try_kernel(text);
        break;
    case 5:
        try_metrics(text);
        break;
    default:
        try_set(text);
        break;
    }
    return 0;
}

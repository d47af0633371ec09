/* What the documents for users must name. */
#include "check.h"

#include "core/datadir.h"
#include "guest/workload/workload.h"
#include "kvm/strategy.h"
#include "machine/events.h"
#include "machine/platform.h"
#include "study/metrics.h"
#include "study/study.h"

#include <stdlib.h>
#include <string.h>

static char *text_of(const char *relative)
{
    char path[4096];
    assert_true(datadir_find(relative, path, sizeof path));
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    long size = ftell(in);
    assert_true(size > 0);
    rewind(in);
    char *text = calloc((size_t)size + 1, 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, in), (size_t)size);
    fclose(in);
    return text;
}

/* In code marks, as `name`. */
static void expect_named(const char *text, const char *file, const char *name)
{
    char code[128];
    snprintf(code, sizeof code, "`%s`", name);
    if (!strstr(text, code)) {
        print_error("%s does not name %s\n", file, code);
    }
    assert_non_null(strstr(text, code));
}

static void every_key_of_a_study_is_described(void **state)
{
    static const char file[] = "workloads/studies/README.md";
    char *text = text_of(file);
    (void)state;
    for (size_t i = 0; i < strategy_option_count; i++) {
        const struct option_row *row = &strategy_options[i];
        expect_named(text, file, row->name);
        for (const struct choice *choice = row->choices; choice && choice->word; choice++) {
            expect_named(text, file, choice->word);
        }
    }
    for (size_t i = 0; i < study_option_count; i++) {
        expect_named(text, file, study_options[i].name);
    }
    for (size_t i = 0; i < STUDY_MEMO_KEYS; i++) {
        expect_named(text, file, study_memo_options[i].name);
    }
    expect_named(text, file, "part_...");
    for (int i = 0; i < METRICS; i++) {
        if (strncmp(metric_name[i], "part_", 5) != 0) {
            expect_named(text, file, metric_name[i]);
        }
    }
    free(text);
}

/* All names of a table, each with an entry of its own in the document. */
static void expect_all(const char *file, const char *const *names, size_t count)
{
    char *text = text_of(file);
    for (size_t i = 0; i < count; i++) {
        expect_named(text, file, names[i]);
    }
    free(text);
}

static void every_event_and_cost_is_described(void **state)
{
    (void)state;
    expect_all("model/README.md", event_name, EVENT_KINDS);
    expect_all("model/machine/platforms/README.md", cost_name, COSTS);
}

static void every_key_of_a_workload_is_described(void **state)
{
    (void)state;
    for (size_t i = 0; i < workload_option_count; i++) {
        const struct option_row *row = &workload_options[i];
        expect_all("workloads/README.md", &row->name, 1);
        for (const struct choice *choice = row->choices; choice && choice->word; choice++) {
            expect_all("workloads/README.md", &choice->word, 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_a_study_is_described),
        cmocka_unit_test(every_event_and_cost_is_described),
        cmocka_unit_test(every_key_of_a_workload_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

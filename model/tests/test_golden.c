/* What many small runs came to when the model was last looked at. Whoever
 * changes what the model says sees here how much of it, and accepts it with
 * `make golden`. */
#include "core/error.h"
#include "golden.h"
#include "play.h"
#include "random_case.h"

#include <dirent.h>
#include <inttypes.h>

#define SEEDS 25

/* --- the runs --- */

static void print_random(FILE *out)
{
    for (int kind = 0; kind < RANDOM_KINDS; kind++) {
        uint64_t seeds = random_kind_is_long((enum random_kind)kind) ? 0 : SEEDS;
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            struct random_case of;
            char name[48];
            random_case_make(&of, (enum random_kind)kind, seed);
            snprintf(name, sizeof name, "%s %" PRIu64, random_kind_name[kind], seed);
            for (int exact = 0; exact < 2; exact++) {
                struct point point = random_case_point(&of, exact);
                golden_print(out, name, of.strategy.name, &point);
            }
            random_case_free(&of);
        }
    }
}

/* Strategies, machines and kernels, of each what differs. */
static const struct setting {
    const char *strategy, *machine, *kernel;
} settings[] = {
    {"unmap", "altra-max-2s", "6.1"},  {"eager", "neoverse-v1-nodic", "6.12"},
    {"hybrid", "cortex-a72", "5.10"},  {"eager-workers", "kunpeng-920", "6.6"},
    {"fwb", "neoverse-v1", "7.3"},     {"dirty-log", "altra-max-2s", "6.2"},
    {"ranged", "neoverse-n1", "5.18"},
};

static void print_workload(FILE *out, const char *name)
{
    struct timeline timeline;
    struct workload *workload = workload_of(name);
    build(workload, &timeline);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct stage stage;
        struct error err;
        struct strategy strategy = strategy_row(settings[i].strategy);
        stage_init(&stage, settings[i].machine, settings[i].kernel);
        struct point point = {.timeline = &timeline,
                              .platform = &stage.platform,
                              .value = stage.value,
                              .kernel = &stage.kernel,
                              .strategy = &strategy};
        if (sim_possible(&point, &err)) {
            golden_print(out, name, strategy.name, &point);
        } else {
            fprintf(out, "%s,%s,impossible,,,,,\n", name, strategy.name);
        }
    }
    timeline_free(&timeline);
    workload_free(workload);
}

/* Recorded boots are long, and have tests of their own. */
static int written_workloads(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".ini") == 0 && strncmp(entry->d_name, "recorded", 8) != 0;
}

static void print_workloads(FILE *out)
{
    struct dirent **entries = NULL;
    int count = scandir("workloads", &entries, written_workloads, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        *strrchr(entries[i]->d_name, '.') = '\0';
        print_workload(out, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static void runs_come_to_what_they_did(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    (void)state;
    assert_non_null(out);
    fputs(GOLDEN_COLUMNS, out);
    print_random(out);
    print_workloads(out);
    assert_int_equal(fclose(out), 0);
    golden_expect("model/tests/golden.csv", text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(runs_come_to_what_they_did)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

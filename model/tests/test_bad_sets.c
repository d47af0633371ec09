/* Values that come as `key = list` of a study, with --set, or as a kernel's
 * switches; and platforms that lack something. */
#include "core/error.h"
#include "mistakes.h"
#include "study_files.h"

#include "core/datadir.h"
#include "guest/workload/workload.h"
#include "kvm/kernel.h"
#include "machine/misfit.h"
#include "machine/platform.h"
#include "study/study.h"

struct attempt {
    struct tally *tally;
    struct workload *workload;
    struct platform *platform;
    const char *section; /* of a study */
};

static const struct option_row costs[] = {
#define COST_ROW(cost, unit_, least, most, text) \
    {.name = #cost,                              \
     .kind = OPTION_REAL,                        \
     .unit = (unit_),                            \
     .low = (least),                             \
     .high = (most),                             \
     .help = (text)},
    COST_TABLE(COST_ROW)
#undef COST_ROW
};

/* Calls for every key that a study can have as an axis or set. */
static void each_key(mistake_fn each, struct attempt *trial)
{
    for (size_t i = 0; i < workload_option_count + COSTS; i++) {
        const struct option_row *row =
            i < workload_option_count ? &workload_options[i] : &costs[i - workload_option_count];
        if (row->kind != OPTION_TEXT) {
            each_mistake(row, each, trial);
            each_list(row, each, trial);
        }
    }
}

/* ---- --set ---- */

static void bad_set(void *context, const struct option_row *row, const char *text)
{
    const struct attempt *trial = context;
    struct error err = {0};
    struct source_location at = {.file = "--set", .key = row->name};
    bool cost = row >= costs && row < costs + COSTS;
    bool accepted = cost ? platform_override(trial->platform, row->name, text, &at, &err)
                         : workload_set(trial->workload, row->name, text, &at, &err);
    struct expectation wanted = {"--set", row->name, text, 0};
    judge(trial->tally, "--set", accepted, &err, &wanted);
}

static void set_on_the_command_line(void **state)
{
    (void)state;
    struct tally tally = {0};
    struct error err = {0};
    struct platform platform;
    struct attempt trial = {.tally = &tally, .platform = &platform};
    trial.workload = workload_read(small_workload(), &err);
    assert_non_null(trial.workload);
    assert_true(platform_load("neoverse-n1", &platform, &err));
    each_key(bad_set, &trial);
    workload_free(trial.workload);
    tally_end("--set", &tally);
}

/* ---- [axes] and [set] ---- */

static void try_study(const struct attempt *trial, const char *key, const char *text,
                      const char *found)
{
    const unsigned line = 7;
    char good[2048], path[512];
    struct study study;
    struct error err = {0};
    snprintf(good, sizeof good,
             "[study]\ndraws = 0\n[axes]\nworkload = %s\nmachine = neoverse-n1\n[%s]\n%s = %s\n",
             small_workload(), trial->section, key, text);
    write_file("study.ini", good, path, sizeof path);
    bool accepted = study_read(&study, path, &(struct study_changes){0}, &err);
    study_free(&study);
    struct expectation wanted = {path, key, found, line};
    judge(trial->tally, trial->section, accepted, &err, &wanted);
}

static void bad_setting(void *context, const struct option_row *row, const char *text)
{
    try_study(context, row->name, text, text);
}

/* What is one bad value in a list; a list itself is none. */
static void bad_axis(void *context, const struct option_row *row, const char *text)
{
    const struct attempt *trial = context;
    double number;
    bool list = strchr(text, ',') || strstr(text, "..");
    bool respelled = unit_parse(text, row->unit, &number); /* in the base unit */
    if (!list) {
        try_study(trial, row->name, text, respelled || text[0] == '\0' ? NULL : text);
    }
}

static void settings(void **state)
{
    (void)state;
    struct tally tally = {0};
    struct attempt trial = {.tally = &tally, .section = "set"};
    each_key(bad_setting, &trial);
    tally_end("[set]", &tally);
}

static void axes(void **state)
{
    (void)state;
    struct tally tally = {0};
    struct attempt trial = {.tally = &tally, .section = "axes"};
    each_key(bad_axis, &trial);
    static const char *const lists[] = {
        "1,",      ",1",      "1,,2",      "1, 1",     "1..2",      "1..2 +0",  "1..2 x1",
        "2..1 +1", "0..4 x2", "1..2 *2",   "1...2 +1", "..2 +1",    "1.. +1",   "1..2 +",
        "1..2 x",  "1..2 -1", "1..1e9 +1", "1..x +1",  "1..2 +nan", "1..inf +1"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct error err = {0};
        struct values values;
        struct source_location at = {"x.ini", 7, "vcpus"};
        struct value_kind kind = {.number = true, .whole = true};
        bool accepted = values_parse(lists[i], kind, &at, &values, &err);
        struct expectation wanted = {"x.ini", "vcpus", NULL, 7};
        judge(&tally, "lists", accepted, &err, &wanted);
    }
    tally_end("[axes]", &tally);
}

/* ---- The kernel's switches ---- */

static void try_override(struct tally *tally, const char *text)
{
    struct kernel kernel;
    struct error err = {0};
    struct source_location at = {"x.ini", 3, "kernel"};
    assert_true(kernel_resolve("6.1", &kernel, &err));
    bool accepted = kernel_override(&kernel, text, &at, &err);
    struct expectation wanted = {"x.ini", NULL, NULL, 3};
    judge(tally, "kernel", accepted, &err, &wanted);
    if (!accepted && !strstr(err.text, "kernel: ")) {
        print_error("'%s' names no key: %s\n", text, err.text);
        tally->failed++;
    }
}

static void switches(void **state)
{
    (void)state;
    static const char *const values[] = {"",    "=",     "=x",    "=YES",  "=1",    "=nan",
                                         "=-1", "==yes", "=yes=", "x=yes", " =yes", "= yes"};
    struct tally tally = {0};
    char text[128];
    for (int i = 0; i < KERNEL_SWITCHES; i++) {
        for (size_t value = 0; value < sizeof values / sizeof *values; value++) {
            snprintf(text, sizeof text, "%s%s", kernel_switch_name[i], values[value]);
            try_override(&tally, text);
        }
        snprintf(text, sizeof text, "%s=yes", kernel_switch_name[i] + 1);
        try_override(&tally, text);
    }
    static const char *const versions[] = {"",       "6",     "6.",     ".1",   "6.x",   "x6.1",
                                           "2.6.32", "5.9",   "6,1",    "-6.1", "6.1.",  "6.1 ",
                                           "1e3.1",  "100.1", "6.1000", "6..1", "0x6.1", "nan"};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct kernel kernel;
        struct error err = {0};
        bool accepted = kernel_resolve(versions[i], &kernel, &err);
        struct expectation wanted = {NULL, "kernel", versions[i], 0};
        judge(&tally, "kernel", accepted, &err, &wanted);
    }
    tally_end("kernel", &tally);
}

/* ---- What is missing in a platform ---- */

static void try_without(struct tally *tally, const char *section, const char *key)
{
    char from[4096], line[2048], within[128] = "", path[512];
    struct platform platform;
    struct error err = {0};
    assert_true(datadir_find("model/machine/platforms/neoverse-n1.ini", from, sizeof from));
    write_file("without.ini", "", path, sizeof path);
    FILE *in = fopen(from, "r"), *out = fopen(path, "w");
    assert_true(in && out);
    while (fgets(line, sizeof line, in)) {
        if (line[0] == '[') {
            snprintf(within, sizeof within, "%.*s", (int)strcspn(line + 1, "]"), line + 1);
        }
        bool there = strcmp(within, section) == 0;
        bool same = there && (!key || (strncmp(line, key, strlen(key)) == 0 &&
                                       strncmp(line + strlen(key), " =", 2) == 0));
        if (!same) {
            fputs(line, out);
        }
    }
    fclose(in);
    assert_int_equal(fclose(out), 0);
    bool accepted = platform_read(path, &platform, &err);
    struct expectation wanted = {path, NULL, NULL, 0};
    judge(tally, "missing", accepted, &err, &wanted);
    if (!accepted && !strstr(err.text, key ? key : section + strlen("cost "))) {
        print_error("[%s] %s is not named: %s\n", section, key ? key : "", err.text);
        tally->failed++;
    }
}

static void missing(void **state)
{
    (void)state;
    static const char *const keys[] = {"low", "mode", "high", "source", "evidence"};
    struct tally tally = {0};
    for (size_t i = 0; i < platform_option_count; i++) {
        if (!platform_options[i].fallback) {
            try_without(&tally, "machine", platform_options[i].name);
        }
    }
    for (size_t i = 0; i < COSTS; i++) {
        char section[64];
        snprintf(section, sizeof section, "cost %s", cost_name[i]);
        if (misfit_is((enum cost_id)i)) {
            continue; /* not in a machine's file */
        }
        try_without(&tally, section, NULL);
        for (size_t key = 0; key < sizeof keys / sizeof *keys; key++) {
            try_without(&tally, section, keys[key]);
        }
    }
    tally_end("missing", &tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_on_the_command_line),
        cmocka_unit_test(settings),
        cmocka_unit_test(axes),
        cmocka_unit_test(switches),
        cmocka_unit_test(missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

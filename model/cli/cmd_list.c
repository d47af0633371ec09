/* s2flush list: what there is, and what each key means. */
#include "cli/cli.h"
#include "core/choice.h"
#include "core/datadir.h"
#include "core/error.h"
#include "machine/platform_names.h"
#include "study/metrics.h"
#include "study/study.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 256

struct arguments {
    const char *what, *explain, *machine;
};

/* --- files of the data folder --- */

/* Calls `each` with every name in a folder, in order. A file that is no good is
 * listed with what is wrong; the first of those is the result. */
static bool each_file(const char *relative, bool (*each)(const char *name, struct error *err),
                      struct error *err)
{
    char *names[FILES_MAX];
    size_t count = datadir_names(relative, ".ini", names, 0, FILES_MAX);
    bool good = count > 0 || error_run(err, "cannot find %s", relative);
    for (size_t i = 0; i < count; i++) {
        struct error own;
        if (strcmp(names[i], "cpus") != 0 && !each(names[i], &own)) {
            printf("  %s: %s\n", names[i], own.text);
            *err = good ? own : *err;
            good = false;
        }
        free(names[i]);
    }
    return good;
}

static bool show_workload(const char *name, struct error *err)
{
    struct workload *workload = workload_read(name, err);
    if (!workload) {
        return false;
    }
    printf("  %-30s %s\n", name, workload_title(workload));
    workload_free(workload);
    return true;
}

static bool show_machine(const char *name, struct error *err)
{
    struct platform platform;
    if (!platform_load(name, &platform, err)) {
        return false;
    }
    printf("  %-20s %s\n", name, platform.title);
    return true;
}

/* Machines that another platform stands for. */
static bool show_aliases(struct error *err)
{
    struct platform_aliases aliases;
    if (!platform_aliases_read(&aliases, err)) {
        return false;
    }
    printf("Other names, the platform that stands for them, and how well: the same machine, its "
           "class, or only its core\n");
    for (unsigned i = 0; i < aliases.count; i++) {
        const struct platform_alias *alias = &aliases.alias[i];
        if (platform_alias_fits(alias)) {
            printf("  %-20s %-14s %-6s %s\n", alias->name, alias->platform, alias->fit,
                   alias->remark);
        }
    }
    printf("No platform stands for\n");
    for (unsigned i = 0; i < aliases.count; i++) {
        const struct platform_alias *alias = &aliases.alias[i];
        if (!platform_alias_fits(alias)) {
            printf("    %-18s %s\n", alias->name, alias->remark);
        }
    }
    return true;
}

static bool show_study(const char *name, struct error *err)
{
    struct study study;
    bool good = study_read(&study, name, NULL, err);
    if (good) {
        printf("  %-26s %s (%zu points)\n", name, study.title, study.points);
    }
    study_free(&study);
    return good;
}

static bool show_studies(const struct arguments *given, struct error *err)
{
    (void)given;
    bool good = each_file("workloads/studies", show_study, err);
    struct error own;
    printf("Questions, a study for each\n");
    if (!each_file("workloads/questions", show_study, &own)) {
        *err = good ? own : *err;
        good = false;
    }
    return good;
}

/* --- tables --- */

static void show_rule(const struct kernel_rule *rule)
{
    printf("  %-13s %-12s %u.%-4u  %s\n", kernel_switch_name[rule->which], rule->value,
           rule->since / 1000, rule->since % 1000, rule->source);
}

static bool show_kernels(const struct arguments *given, struct error *err)
{
    (void)given;
    (void)err;
    printf("Any version from 5.10 on, resolved by these rows; '6.1 switch=value' overrides.\n"
           "  %-13s %-12s %-6s  %s\n",
           "switch", "value", "since", "source");
    for (size_t i = 0; i < kernel_rule_count; i++) {
        show_rule(&kernel_rules[i]);
    }
    return true;
}

static bool show_strategies(const struct arguments *given, struct error *err)
{
    (void)given;
    (void)err;
    for (size_t i = 0; i < strategy_count; i++) {
        printf("  %-26s %s\n", strategy_rows[i].name, strategy_rows[i].title);
    }
    printf("Further ones, where a study names them\n");
    for (size_t i = 0; i < strategy_more_count; i++) {
        printf("  %-26s %s\n", strategy_more[i].name, strategy_more[i].title);
    }
    printf("Impossible\n");
    for (size_t i = 0; i < strategy_impossible_count; i++) {
        printf("  %-14s %s: %s\n", strategy_impossible[i].name, strategy_impossible[i].title,
               strategy_impossible[i].reason);
    }
    return true;
}

static bool show_cost(int id, const char *machine, struct error *err)
{
    struct platform platform;
    enum unit unit = cost_entry[id].unit;
    char low[40], mode[40], high[40];
    if (!machine) {
        printf("  %-18s %s\n", cost_name[id], cost_entry[id].help);
        return true;
    }
    if (!platform_load(machine, &platform, err)) {
        return false;
    }
    const struct cost *cost = &platform.cost[id];
    printf("  %-18s %9s %9s %9s  %-10s %s\n", cost_name[id],
           unit_format(cost->low, unit, low, sizeof low),
           unit_format(cost->mode, unit, mode, sizeof mode),
           unit_format(cost->high, unit, high, sizeof high), cost->evidence, cost->source);
    return true;
}

static bool show_costs(const struct arguments *given, struct error *err)
{
    const char *machine = given->machine;
    struct platform platform;
    bool good = !machine || platform_load(machine, &platform, err);
    if (good && machine) {
        printf("  %-18s %9s %9s %9s  %-10s %s\n", "cost", "low", "mode", "high", "evidence",
               "source");
    }
    for (int id = 0; id < COSTS && good; id++) {
        good = show_cost(id, machine, err);
    }
    return good;
}

static bool show_metrics(const struct arguments *given, struct error *err)
{
    (void)given;
    (void)err;
    for (int i = 0; i < METRICS; i++) {
        printf("  %-22s %-10s %s\n", metric_name[i], metric_unit[i], metric_help[i]);
    }
    return true;
}

static bool show_keys(const struct arguments *given, struct error *err)
{
    (void)given;
    (void)err;
    printf("Of a workload file; a slot's section is [slot NAME]\n");
    option_print_help(workload_options, workload_option_count, stdout);
    printf("\n");
    option_print_help(workload_slot_options, workload_slot_option_count, stdout);
    printf("\nOf a study file; a strategy's section is [strategy NAME]\n");
    option_print_help(study_options, study_option_count, stdout);
    printf("\n");
    option_print_help(study_memo_options, STUDY_MEMO_KEYS, stdout);
    printf("\n");
    option_print_help(strategy_options, strategy_option_count, stdout);
    return true;
}

/* --- one key --- */

static bool explain_option(const struct option_row *table, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, key) == 0) {
            option_print_help(&table[i], 1, stdout);
            if (table[i].source) {
                printf("  default from: %s\n", table[i].source);
            }
            return true;
        }
    }
    return false;
}

static bool explain_strategy(const char *key)
{
    struct error unused;
    const struct strategy *strategy = strategy_find(key, &unused);
    if (!strategy) {
        return false;
    }
    printf("strategy %s: %s\n", strategy->name, strategy->title);
    char caveat[STRATEGY_CAVEAT_BYTES];
    if (strategy_caveat(strategy, caveat, sizeof caveat)[0]) {
        printf("  caveat: %s\n", caveat);
    }
    for (size_t i = 0; i < strategy_option_count; i++) {
        char value[300];
        const struct option_row *row = &strategy_options[i];
        if (row->kind != OPTION_TEXT) {
            printf("  %-22s %-10s %s\n", row->name,
                   option_format(row, strategy, value, sizeof value), row->help);
        }
    }
    return true;
}

static bool explain_names(const char *key, const char *machine, struct error *err)
{
    bool found = false;
    enum cost_id id = cost_find(key);
    char time[80]; /* "added_boot", as --metric takes it, too */
    snprintf(time, sizeof time, "%.70s_ns", key);
    size_t metric = choice_index(metric_name, METRICS, key);
    metric = metric < METRICS ? metric : choice_index(metric_name, METRICS, time);
    if (id < COSTS) {
        printf("cost %s: %s\n", key, cost_entry[id].help);
        return !machine || show_cost(id, machine, err);
    }
    if (metric < METRICS) {
        printf("metric %s [%s]: %s\n", metric_name[metric], metric_unit[metric],
               metric_help[metric]);
        return true;
    }
    for (size_t i = 0; i < kernel_rule_count; i++) {
        if (strcmp(kernel_switch_name[kernel_rules[i].which], key) == 0) {
            show_rule(&kernel_rules[i]);
            found = true;
        }
    }
    return found || setup_unknown_key(key, metric_name, METRICS, NULL, err);
}

/* --- one machine, kernel, workload or study --- */

static void show_setting(void *context, const struct setting_line *line)
{
    (void)context;
    printf("  %-22s %-16s %s\n", line->key, line->value, line->note ? line->note : "");
}

static bool explain_machine(const char *name, struct error *err)
{
    struct platform platform;
    struct arguments given = {.machine = name};
    struct error unused;
    if (!platform_load(name, &platform, &unused)) {
        return false;
    }
    printf("machine %s: %s\n", platform.name, platform.title);
    setup_list_machine(&platform, show_setting, NULL);
    return show_costs(&given, err);
}

static bool explain_kernel(const char *version)
{
    struct kernel kernel;
    struct error unused;
    if (version[0] < '0' || version[0] > '9' || !kernel_resolve(version, &kernel, &unused)) {
        return false;
    }
    printf("kernel %s: its switches\n", kernel.name);
    setup_list_kernel(&kernel, show_setting, NULL);
    return true;
}

static bool explain_file(const char *name)
{
    struct error unused;
    struct study study = {0};
    struct workload *workload = workload_is(name) ? workload_read(name, &unused) : NULL;
    bool is_study = !workload && study_is(name) && study_read(&study, name, NULL, &unused);
    if (workload) {
        printf("workload %s: %s\n", name, workload_title(workload));
        setup_list_said(workload, show_setting, NULL);
    } else if (is_study) {
        printf("study %s: %s\n  %s\n", name, study.title, study.question);
        for (size_t a = 0; a < study.axis_count; a++) {
            printf("  %-22s", study.axes[a].name);
            for (size_t i = 0; i < study.axes[a].values.count; i++) {
                printf("%s %s", i ? "," : "", study.axes[a].values.text[i]);
            }
            putchar('\n');
        }
        printf("  %zu points, %" PRIu64 " draws\n", study.points, study.draws);
    }
    bool found = workload || is_study;
    if (workload) {
        workload_free(workload);
    } else if (is_study) {
        study_free(&study);
    }
    return found;
}

static bool explain_key(const char *key, const char *machine, struct error *err)
{
    return explain_option(workload_options, workload_option_count, key) ||
           explain_option(workload_slot_options, workload_slot_option_count, key) ||
           explain_option(study_options, study_option_count, key) ||
           explain_option(study_memo_options, STUDY_MEMO_KEYS, key) ||
           explain_option(strategy_options, strategy_option_count, key) || explain_strategy(key) ||
           explain_file(key) || explain_kernel(key) || explain_machine(key, err) ||
           explain_names(key, machine, err);
}

/* --- all of it --- */

static bool show_workloads(const struct arguments *given, struct error *err)
{
    (void)given;
    return each_file("workloads", show_workload, err);
}

static bool show_machines(const struct arguments *given, struct error *err)
{
    (void)given;
    return each_file("model/machine/platforms", show_machine, err) && show_aliases(err);
}

static const struct list {
    const char *name;
    bool (*show)(const struct arguments *given, struct error *err);
} lists[] = {
    {"workloads", show_workloads}, {"machines", show_machines},
    {"kernels", show_kernels},     {"strategies", show_strategies},
    {"studies", show_studies},     {"costs", show_costs},
    {"keys", show_keys},           {"metrics", show_metrics},
};
#define LISTS (sizeof lists / sizeof *lists)

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    const char *names[LISTS];
    if (given->explain) {
        return explain_key(given->explain, given->machine, err);
    }
    if (!given->what) {
        return error_input(err, NULL, "list: expected one of %s, or --explain NAME",
                           cmd_list.words);
    }
    for (size_t i = 0; i < LISTS; i++) {
        if (strcmp(lists[i].name, given->what) == 0) {
            return lists[i].show(given, err);
        }
        names[i] = lists[i].name;
    }
    char hint[256] = "";
    error_suggest(hint, sizeof hint, given->what, names, LISTS);
    return error_input(err, NULL, "list: nothing is called '%.80s'%s", given->what, hint);
}

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"explain", 0, "NAME",
     "all about one key, cost, metric, strategy, switch, machine, kernel, workload or study",
     AT(explain)},
    {"machine", 'm', "NAME", "costs: the values of this machine", AT(machine)},
    {0},
};

const struct cli_command cmd_list = {
    .name = "list",
    .summary = "workloads, machines, kernels, strategies, studies, costs, keys, metrics",
    .options = options,
    .words = "workloads|machines|kernels|strategies|studies|costs|keys|metrics",
    .word = {AT(what)},
    .help = "List what there is.",
    .size = sizeof(struct arguments),
    .run = run,
};

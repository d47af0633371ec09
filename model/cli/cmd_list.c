/* s2flush list: what there is, and what each key means. */
#include "cli/cli.h"
#include "core/datadir.h"
#include "core/error.h"
#include "study/metrics.h"
#include "study/study.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_EXPLAIN = 256 };

static const struct cli_option options[] = {
    {"explain", KEY_EXPLAIN, "KEY", "all about one key, cost, metric, strategy or switch"},
    {"machine", 'm', "NAME", "costs: the values of this machine"},
    {0},
};

struct arguments {
    const char *what, *explain, *machine;
};

static bool take(void *input, int key, const char *text, struct error *err)
{
    struct arguments *given = input;
    switch (key) {
    case KEY_EXPLAIN:
        given->explain = text;
        return true;
    case 'm':
        given->machine = text;
        return true;
    default:
        return cli_one_word(&given->what, text, err);
    }
}

static const struct cli_command command = {
    options, take, "workloads|machines|kernels|strategies|studies|costs|keys|metrics",
    "List what there is.", NULL};

/* --- files of the data folder --- */

static int is_ini(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".ini") == 0 && strcmp(entry->d_name, "cpus.ini") != 0;
}

/* Calls `each` with every name in a folder, in order. A file that is no good is
 * listed with what is wrong; the first of those is the result. */
static bool each_file(const char *relative, bool (*each)(const char *name, struct error *err),
                      struct error *err)
{
    char folder[4096];
    struct dirent **entries = NULL;
    bool good = datadir_find(relative, folder, sizeof folder);
    if (!good) {
        return error_run(err, "cannot find %s", relative);
    }
    int count = scandir(folder, &entries, is_ini, alphasort);
    for (int i = 0; i < count; i++) {
        struct error own;
        *strrchr(entries[i]->d_name, '.') = '\0';
        if (!each(entries[i]->d_name, &own)) {
            printf("  %s: %s\n", entries[i]->d_name, own.text);
            *err = good ? own : *err;
            good = false;
        }
        free(entries[i]);
    }
    free(entries);
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

static bool show_studies(struct error *err)
{
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

static bool show_kernels(struct error *err)
{
    (void)err;
    printf("Any version from 5.10 on, resolved by these rows; '6.1 switch=value' overrides.\n"
           "  %-13s %-12s %-6s  %s\n",
           "switch", "value", "since", "source");
    for (size_t i = 0; i < kernel_rule_count; i++) {
        show_rule(&kernel_rules[i]);
    }
    return true;
}

static bool show_strategies(struct error *err)
{
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

static const char *const cost_help[COSTS] = {
#define COST_HELP(name, unit, least, most, help) help,
    COST_TABLE(COST_HELP)
#undef COST_HELP
};

static bool show_cost(int id, const char *machine, struct error *err)
{
    struct platform platform;
    enum unit unit = UNIT_NONE;
    char low[40], mode[40], high[40];
    if (!machine) {
        printf("  %-18s %s\n", cost_name[id], cost_help[id]);
        return true;
    }
    if (!platform_load(machine, &platform, err)) {
        return false;
    }
    const struct cost *cost = &platform.cost[id];
    setup_cost_unit(cost_name[id], &unit);
    printf("  %-18s %9s %9s %9s  %-10s %s\n", cost_name[id],
           unit_format(cost->low, unit, low, sizeof low),
           unit_format(cost->mode, unit, mode, sizeof mode),
           unit_format(cost->high, unit, high, sizeof high), cost->evidence, cost->source);
    return true;
}

static bool show_costs(const char *machine, struct error *err)
{
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

static bool show_metrics(struct error *err)
{
    (void)err;
    for (int i = 0; i < METRICS; i++) {
        printf("  %-22s %-10s %s\n", metric_name[i], metric_unit[i], metric_help[i]);
    }
    return true;
}

static bool show_keys(struct error *err)
{
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
    for (int id = 0; id < COSTS; id++) {
        if (strcmp(cost_name[id], key) == 0) {
            printf("cost %s: %s\n", key, cost_help[id]);
            return !machine || show_cost(id, machine, err);
        }
    }
    for (int i = 0; i < METRICS; i++) {
        if (strcmp(metric_name[i], key) == 0) {
            printf("metric %s [%s]: %s\n", key, metric_unit[i], metric_help[i]);
            return true;
        }
    }
    for (size_t i = 0; i < kernel_rule_count; i++) {
        if (strcmp(kernel_switch_name[kernel_rules[i].which], key) == 0) {
            show_rule(&kernel_rules[i]);
            found = true;
        }
    }
    return found || setup_unknown_key(key, metric_name, METRICS, NULL, err);
}

static bool explain_key(const char *key, const char *machine, struct error *err)
{
    return explain_option(workload_options, workload_option_count, key) ||
           explain_option(workload_slot_options, workload_slot_option_count, key) ||
           explain_option(study_options, study_option_count, key) ||
           explain_option(study_memo_options, STUDY_MEMO_KEYS, key) ||
           explain_option(strategy_options, strategy_option_count, key) || explain_strategy(key) ||
           explain_names(key, machine, err);
}

/* --- all of it --- */

static bool show(const struct arguments *given, struct error *err)
{
    static const char *const names[] = {"workloads", "machines", "kernels", "strategies",
                                        "studies",   "costs",    "keys",    "metrics"};
    const size_t count = sizeof names / sizeof *names;
    size_t which = 0;
    while (which < count && strcmp(names[which], given->what) != 0) {
        which++;
    }
    switch (which) {
    case 0:
        return each_file("workloads", show_workload, err);
    case 1:
        return each_file("model/machine/platforms", show_machine, err);
    case 2:
        return show_kernels(err);
    case 3:
        return show_strategies(err);
    case 4:
        return show_studies(err);
    case 5:
        return show_costs(given->machine, err);
    case 6:
        return show_keys(err);
    case 7:
        return show_metrics(err);
    default:
        break;
    }
    char hint[256] = "";
    error_suggest(hint, sizeof hint, given->what, names, count);
    return error_input(err, NULL, "list: nothing is called '%.80s'%s", given->what, hint);
}

int cmd_list(int argc, char **argv)
{
    struct arguments given = {0};
    struct error err;
    int status;
    if (!cli_parse(&command, argc, argv, &given, &status)) {
        return status;
    }
    if (!given.what && !given.explain) {
        error_input(&err, NULL, "list: expected one of %s, or --explain KEY", command.words);
        return cli_fail(&err);
    }
    bool good =
        given.explain ? explain_key(given.explain, given.machine, &err) : show(&given, &err);
    return good ? EXIT_DONE : cli_fail(&err);
}

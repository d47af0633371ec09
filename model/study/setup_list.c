/* The resolved configuration of a setup, key by key. */
#include "core/units.h"
#include "study/setup.h"

#include <string.h>
#include <xxhash.h>

#define VALUE_BYTES 512

static void emit(setting_fn each, void *context, const char *section, const char *key,
                 const char *value, const char *note)
{
    struct setting_line line = {section, key, value, note};
    each(context, &line);
}

static void list_options(const struct option_row *table, size_t count, const void *values,
                         const char *section, setting_fn each, void *context)
{
    for (size_t i = 0; i < count; i++) {
        char value[VALUE_BYTES];
        option_format(&table[i], values, value, sizeof value);
        emit(each, context, section ? section : table[i].section, table[i].name, value,
             table[i].source);
    }
}

void setup_list_workload(const struct workload *workload, setting_fn each, void *context)
{
    list_options(workload_options, workload_option_count, workload_values(workload), NULL, each,
                 context);
}

struct said {
    const struct workload *workload;
    setting_fn each;
    void *context;
};

static void pass_said(void *context, const struct setting_line *line)
{
    const struct said *said = context;
    if (workload_says(said->workload, line->key)) {
        said->each(said->context, line);
    }
}

void setup_list_said(const struct workload *workload, setting_fn each, void *context)
{
    setup_list_workload(workload, pass_said, &(struct said){workload, each, context});
}

static void list_cost(const struct platform *platform, enum cost_id id, setting_fn each,
                      void *context)
{
    const struct cost *cost = &platform->cost[id];
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"low", cost->low}, {"mode", cost->mode}, {"high", cost->high}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char value[64];
        unit_format(numbers[i].value, cost_entry[id].unit, value, sizeof value);
        emit(each, context, cost_name[id], numbers[i].key, value, NULL);
    }
    emit(each, context, cost_name[id], "source", cost->source, NULL);
    emit(each, context, cost_name[id], "evidence", cost->evidence, NULL);
}

static void list_whole(uint64_t value, enum unit unit, const char *key, setting_fn each,
                       void *context)
{
    char text[64];
    unit_format_whole(value, unit, text, sizeof text);
    emit(each, context, "machine", key, text, NULL);
}

void setup_list_machine(const struct platform *platform, setting_fn each, void *context)
{
    char clock[64];
    emit(each, context, "machine", "name", platform->name, NULL);
    emit(each, context, "machine", "title", platform->title, NULL);
    list_whole(platform->cores, UNIT_NONE, "cores", each, context);
    emit(each, context, "machine", "clock_ghz",
         unit_format(platform->clock_ghz, UNIT_GHZ, clock, sizeof clock), NULL);
    list_whole(platform->cache_bytes, UNIT_BYTES, "cache_bytes", each, context);
    list_whole(platform->cache_ways, UNIT_NONE, "cache_ways", each, context);
    list_whole(platform->line_bytes, UNIT_BYTES, "line_bytes", each, context);
    const struct {
        const char *key;
        bool set;
    } caps[] = {{"fwb", platform->fwb},
                {"dic", platform->dic},
                {"idc", platform->idc},
                {"vipt", platform->vipt},
                {"tlbirange", platform->tlbirange},
                {"vhe", platform->vhe},
                {"lpa2", platform->lpa2}};
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        emit(each, context, "machine", caps[i].key, caps[i].set ? "yes" : "no",
             platform->caps_source);
    }
}

void setup_list_platform(const struct platform *platform, setting_fn each, void *context)
{
    setup_list_machine(platform, each, context);
    for (int id = 0; id < COSTS; id++) {
        list_cost(platform, (enum cost_id)id, each, context);
    }
}

void setup_list_kernel(const struct kernel *kernel, setting_fn each, void *context)
{
    emit(each, context, "kernel", "name", kernel->name, NULL);
    for (int which = 0; which < KERNEL_SWITCHES; which++) {
        const struct kernel_rule *in_force = NULL, *own = NULL;
        for (size_t i = 0; i < kernel_rule_count; i++) {
            const struct kernel_rule *rule = &kernel_rules[i];
            if ((int)rule->which != which) {
                continue;
            }
            in_force = rule->code == kernel->value[which] ? rule : in_force;
            own = rule->since <= kernel->version ? rule : own;
        }
        bool overridden = in_force && own && in_force->code != own->code;
        emit(each, context, "kernel", kernel_switch_name[which], in_force ? in_force->value : "?",
             overridden ? "overridden"
             : own      ? own->source
                        : NULL);
    }
}

void setup_list_strategy(const struct strategy *strategy, setting_fn each, void *context)
{
    char caveat[STRATEGY_CAVEAT_BYTES];
    emit(each, context, "strategy", "name", strategy->name, NULL);
    for (size_t i = 0; i < strategy_option_count; i++) {
        const struct option_row *row = &strategy_options[i];
        bool own = strcmp(row->name, "caveat") == 0;
        list_options(row, own ? 0 : 1, strategy, "strategy", each, context);
    }
    emit(each, context, "strategy", "caveat", strategy_caveat(strategy, caveat, sizeof caveat),
         NULL);
    emit(each, context, "strategy", "upstream", strategy->upstream ? "yes" : "no", NULL);
}

#include "report/show.h"

#include "core/error.h"
#include "kvm/strategy.h"
#include "report/quantity.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS 4 /* side by side in a terminal of 100 columns */
#define NAME 48

/* What a strategy comes to in a scenario. */
struct entry {
    char strategy[NAME];
    char axis[STUDY_AXES][NAME];
    struct band band;
    enum outcome outcome;
    char condition[512], hypothetical[40];
};

struct table {
    const struct store_about *about;
    enum metric metric;
    struct entry *entry; /* [count], scenario by scenario */
    size_t count, strategy_axis;
    bool missing; /* a point has not the metric */
    bool varies[STUDY_AXES]; /* the axis has several values */
};

static void take_point(void *context, const struct stored_point *point)
{
    struct table *table = context;
    const struct spread *spread = &point->result.metric[table->metric];
    struct entry *entry = &table->entry[table->count++];
    table->missing = table->missing || !point->has[table->metric];
    *entry = (struct entry){.band = {spread->p50, spread->p10, spread->p90},
                            .outcome = point->result.worst};
    for (size_t i = 0; i < table->about->axes; i++) {
        snprintf(entry->axis[i], NAME, "%s", point->axis[i]);
        table->varies[i] = table->varies[i] || strcmp(entry->axis[i], table->entry[0].axis[i]) != 0;
    }
    snprintf(entry->strategy, NAME, "%s", point->axis[table->strategy_axis]);
    snprintf(entry->condition, sizeof entry->condition, "%s", point->result.condition);
    snprintf(entry->hypothetical, sizeof entry->hypothetical, "%s", point->result.hypothetical);
}

/* The entry of a strategy in a scenario. Points that differ in the strategy only are `stride`
 * apart; those of one strategy are counted past them. */
static const struct entry *entry_of(const struct table *table, size_t scenario, size_t strategy)
{
    size_t stride = table->about->stride, strategies = table->about->strategies;
    size_t point = scenario / stride * stride * strategies + scenario % stride + strategy * stride;
    return &table->entry[point];
}

static const char *safe_text(const struct table *table, size_t scenarios, size_t strategy)
{
    enum outcome worst = NOT_READ;
    for (size_t i = 0; i < scenarios; i++) {
        enum outcome outcome = entry_of(table, i, strategy)->outcome;
        worst = outcome > worst ? outcome : worst;
    }
    switch (worst) {
    case NOT_READ:
        return "not read";
    case COHERENT:
        return "yes";
    case ONLY_IF:
        return "only if";
    case STALE:
        return "NO";
    }
    return NULL;
}

static void print_heads(const struct table *table, size_t first, size_t end, FILE *out)
{
    for (size_t i = 0; i < table->about->axes; i++) {
        if (i == table->strategy_axis || !table->varies[i]) {
            continue;
        }
        fprintf(out, "  %-28s", table->about->axis[i].name);
        for (size_t scenario = first; scenario < end; scenario++) {
            fprintf(out, " %14.14s", entry_of(table, scenario, 0)->axis[i]);
        }
        fputc('\n', out);
    }
}

static void print_block(const struct table *table, size_t scenarios, size_t first, FILE *out)
{
    size_t end = first + COLUMNS < scenarios ? first + COLUMNS : scenarios;
    print_heads(table, first, end, out);
    fprintf(out, "  %-28s%*s   safe?\n", "strategy", (int)(15 * (end - first)), "");
    for (size_t strategy = 0; strategy < table->about->strategies; strategy++) {
        const struct entry *entry = entry_of(table, first, strategy);
        char text[QUANTITY_TEXT];
        fprintf(out, "  %-28.28s", entry->strategy);
        for (size_t scenario = first; scenario < end; scenario++) {
            fprintf(out, " %14s",
                    quantity_mid(entry_of(table, scenario, strategy)->band,
                                 metric_quantity(table->metric), text));
        }
        fprintf(out, "   %s%s%s%s\n", safe_text(table, scenarios, strategy),
                entry->hypothetical[0] ? " (" : "", entry->hypothetical,
                entry->hypothetical[0] ? ")" : "");
    }
    fputc('\n', out);
}

/* A line for each strategy: what it is, and what its verdict depends on. */
static void print_strategies(const struct table *table, FILE *out)
{
    for (size_t i = 0; i < table->about->strategies; i++) {
        const struct entry *entry = entry_of(table, 0, i);
        struct error none = {0};
        const struct strategy *row = strategy_find(entry->strategy, &none);
        if (row) {
            fprintf(out, "  %-28.28s %s\n", entry->strategy, row->title);
        }
        if (entry->condition[0]) {
            fprintf(out, "  %28s %s: %s\n", "", entry->outcome == ONLY_IF ? "only if" : "stale",
                    entry->condition);
        }
    }
}

bool show_print(struct store *store, enum metric metric, FILE *out, struct error *err)
{
    const struct store_about *about = store_about(store);
    struct table table = {.about = about, .metric = metric};
    size_t points = about->cells * about->strategies;
    while (strcmp(about->axis[table.strategy_axis].name, "strategy") != 0) {
        table.strategy_axis++;
    }
    table.entry = calloc(points, sizeof *table.entry);
    bool good = table.entry && store_each_point(store, take_point, &table, err);
    if (good && table.missing) {
        good = error_input(err, NULL, "--metric: the study has not played %s", metric_name[metric]);
    }
    if (good) {
        fprintf(out, "%s: %s, median of the draws; in all:", about->text[STORE_STUDY],
                metric_name[metric]);
        for (size_t i = 0; i < about->axes; i++) {
            if (!table.varies[i] && i != table.strategy_axis) {
                fprintf(out, " %s %s", about->axis[i].name, table.entry[0].axis[i]);
            }
        }
        fputs("\n\n", out);
        for (size_t first = 0; first < about->cells; first += COLUMNS) {
            print_block(&table, about->cells, first, out);
        }
        print_strategies(&table, out);
    }
    free(table.entry);
    return good;
}

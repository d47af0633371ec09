#include "study/setup.h"

#include "core/error.h"
#include "core/invariant.h"

#include <stdio.h>
#include <string.h>

#define NAMES_MAX 256

void setup_free(struct setup *setup)
{
    workload_free(setup->workload);
    setup->workload = NULL;
}

bool setup_kernel(const char *text, const struct source_location *at, struct kernel *kernel,
                  struct error *err)
{
    char version[sizeof kernel->name];
    size_t length = strcspn(text, " \t");
    if (length >= sizeof version) {
        return error_input(err, at, "found '%.80s', expected a version such as 6.1", text);
    }
    memcpy(version, text, length);
    version[length] = '\0';
    struct error inner;
    if (!kernel_resolve(version, kernel, &inner)) {
        return error_input(err, at, "%s", inner.text);
    }
    return kernel_override(kernel, text + length, at, err);
}

/* What a strategy does, not what it is called. */
static const struct option_row *strategy_key(const char *key)
{
    const struct option_row *row =
        option_find(strategy_options, strategy_option_count, "strategy", key);
    return row && row->kind != OPTION_TEXT ? row : NULL;
}

enum key_owner setup_key_owner(const char *key)
{
    return workload_key(key)        ? KEY_WORKLOAD
           : cost_find(key) < COSTS ? KEY_COST
           : strategy_key(key)      ? KEY_STRATEGY
                                    : KEY_NOBODY;
}

static struct value_kind kind_of_option(const struct option_row *row)
{
    return (struct value_kind){.number = row->kind == OPTION_REAL || row->kind == OPTION_WHOLE,
                               .whole = row->kind == OPTION_WHOLE,
                               .unit = row->unit};
}

struct value_kind setup_key_kind(const char *key)
{
    const struct option_row *strategy = strategy_key(key);
    for (size_t i = 0; i < workload_option_count; i++) {
        if (strcmp(workload_options[i].name, key) == 0) {
            return kind_of_option(&workload_options[i]);
        }
    }
    return strategy ? kind_of_option(strategy)
           : cost_find(key) < COSTS
               ? (struct value_kind){.number = true, .unit = cost_entry[cost_find(key)].unit}
               : (struct value_kind){0};
}

void setup_use(struct setup *setup, const struct strategy *row)
{
    setup->strategy = row;
    if (setup->changes == 0 || row->ideal) {
        return;
    }
    setup->changed = *row;
    setup->strategy = &setup->changed;
    for (size_t i = 0; i < setup->changes; i++) {
        const struct strategy_change *change = &setup->change[i];
        struct error err;
        bool good = option_set(change->key, change->text, &setup->changed, NULL, &err);
        INVARIANT(good, "%s was checked when it was set", change->key->name);
    }
}

/* Where the key's change stands, or may stand: a key that is set again has its
 * last value. */
static size_t change_of(const struct setup *setup, const struct option_row *key)
{
    size_t i = 0;
    while (i < setup->changes && setup->change[i].key != key) {
        i++;
    }
    return i;
}

static bool change_strategy(struct setup *setup, const char *key, const char *text,
                            const struct source_location *at, struct error *err)
{
    struct strategy scratch = strategy_ideal;
    const struct option_row *row = strategy_key(key);
    size_t index = change_of(setup, row);
    struct strategy_change *change = &setup->change[index];
    if (!option_set(row, text, &scratch, at, err)) {
        return false;
    }
    if (index == SETUP_CHANGES || strlen(text) >= sizeof change->text) {
        return error_input(err, at, "expected at most %d keys of a strategy, of %zu characters",
                           SETUP_CHANGES, sizeof change->text - 1);
    }
    change->key = row;
    snprintf(change->text, sizeof change->text, "%s", text);
    setup->changes += index == setup->changes;
    if (setup->strategy) {
        setup_use(setup, setup->strategy);
    }
    return true;
}

bool setup_unknown_key(const char *key, const char *const *more, size_t more_count,
                       const struct source_location *at, struct error *err)
{
    const char *names[NAMES_MAX], *instead = workload_former_key(key);
    size_t count = 0;
    instead = instead ? instead : platform_former_cost(key);
    if (instead) {
        return error_input(err, at, "%s", instead);
    }
    if (strategy_renamed(key)) {
        return error_input(err, at, "is no key any more, expected %s", strategy_renamed(key));
    }
    for (size_t i = 0; i < more_count && count < NAMES_MAX; i++) {
        names[count++] = more[i];
    }
    for (size_t i = 0; i < workload_option_count && count < NAMES_MAX; i++) {
        names[count++] = workload_options[i].name;
    }
    for (size_t i = 0; i < COSTS && count < NAMES_MAX; i++) {
        names[count++] = cost_name[i];
    }
    for (size_t i = 0; i < strategy_option_count && count < NAMES_MAX; i++) {
        if (strategy_options[i].kind != OPTION_TEXT) {
            names[count++] = strategy_options[i].name;
        }
    }
    char hint[256] = "";
    error_suggest(hint, sizeof hint, key, names, count);
    return error_input(err, at, "no workload key, cost or strategy key '%.80s'%s%s", key, hint,
                       hint[0] ? ""
                               : ", expected one of `s2flush list keys` or `s2flush list costs`");
}

bool setup_set(struct setup *setup, const char *key, const char *text,
               const struct source_location *at, struct error *err)
{
    switch (setup_key_owner(key)) {
    case KEY_WORKLOAD:
        return workload_set(setup->workload, key, text, at, err);
    case KEY_COST:
        return platform_override(&setup->platform, key, text, at, err);
    case KEY_STRATEGY:
        return change_strategy(setup, key, text, at, err);
    case KEY_NOBODY:
        break;
    }
    return setup_unknown_key(key, NULL, 0, at, err);
}

static void cost_value(const struct platform *platform, const char *key, char *buf, size_t size)
{
    enum cost_id id = cost_find(key);
    unit_format(platform->cost[id].mode, cost_entry[id].unit, buf, size);
}

void setup_value(const struct setup *setup, const char *key, char *buf, size_t size)
{
    buf[0] = '\0';
    switch (setup_key_owner(key)) {
    case KEY_WORKLOAD:
        option_format(workload_key(key), workload_values(setup->workload), buf, size);
        return;
    case KEY_COST:
        cost_value(&setup->platform, key, buf, size);
        return;
    case KEY_STRATEGY:
        option_format(strategy_key(key), setup->strategy, buf, size);
        return;
    case KEY_NOBODY:
        return;
    }
}

const char *setup_hypothetical(const struct platform *platform, const struct strategy *strategy)
{
    if (strategy->fwb && !strategy->ideal && !platform->fwb) {
        return "if it had FWB";
    }
    if (strategy->flush_by == FLUSH_BY_RANGE) {
        return "if it cleaned caches by physical range";
    }
    /* KVM uses FWB wherever it is there, and then does nothing of all this. */
    return !strategy->fwb && platform->fwb ? "with FWB left off" : NULL;
}

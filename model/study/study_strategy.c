/* The strategies of a study's own: sections [strategy NAME]. */
#include "core/error.h"
#include "study/study_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct strategy *find_own(struct study *study, const char *name)
{
    for (size_t i = 0; i < study->own_count; i++) {
        if (strcmp(study->own[i].name, name) == 0) {
            return &study->own[i];
        }
    }
    return NULL;
}

/* A strategy whose name is that one but for capital letters, or NULL. */
static const char *nearly(const struct study *study, const char *name)
{
    for (size_t i = 0; i < strategy_count + strategy_more_count + study->own_count; i++) {
        const struct strategy *one = i < strategy_count ? &strategy_rows[i]
                                     : i < strategy_count + strategy_more_count
                                         ? &strategy_more[i - strategy_count]
                                         : &study->own[i - strategy_count - strategy_more_count];
        if (strcasecmp(one->name, name) == 0) {
            return one->name;
        }
    }
    return NULL;
}

/* The strategy of a section, which may begin here. */
static struct strategy *strategy_of_section(struct study *study, const char *name,
                                            const struct source_location *at, struct error *err)
{
    struct error unused;
    struct strategy *strategy = find_own(study, name);
    if (strategy) {
        return strategy;
    }
    if (strategy_find(name, &unused)) {
        error_input(err, at, "[strategy %s] is a built-in row; choose another name", name);
        return NULL;
    }
    if (nearly(study, name)) {
        error_input(err, at, "[strategy %s] is %s but for capital letters; choose another name",
                    name, nearly(study, name));
        return NULL;
    }
    if (strcmp(name, STUDY_RULE) == 0) {
        error_input(err, at, "[strategy %s] is the rule for a set of rows; choose another name",
                    name);
        return NULL;
    }
    if (name[0] == '\0' || strlen(name) >= STRATEGY_NAME_BYTES || strpbrk(name, ",= \t")) {
        error_input(err, at,
                    "[strategy %.40s]: expected a name of 1 to %d characters "
                    "without blanks, commas and equals signs",
                    name, STRATEGY_NAME_BYTES - 1);
        return NULL;
    }
    if (study->own_count == STUDY_STRATEGIES) {
        error_input(err, at, "more than %d strategies", STUDY_STRATEGIES);
        return NULL;
    }
    strategy = &study->own[study->own_count++];
    option_defaults(strategy_options, strategy_option_count, strategy);
    snprintf(strategy->name, sizeof strategy->name, "%s", name);
    return strategy;
}

/* What a base says of what is done, and nothing of what it is called. */
static void begin_as(struct strategy *strategy, const struct strategy *base)
{
    struct strategy begun = *base;
    memcpy(begun.name, strategy->name, sizeof begun.name);
    memcpy(begun.base, base->name, sizeof begun.base);
    begun.title[0] = begun.caveat[0] = '\0';
    begun.upstream = false;
    *strategy = begun;
}

static bool take_base(struct study *study, struct strategy *strategy, const char *name,
                      const struct source_location *at, struct error *err)
{
    const unsigned *line = study->own_line[strategy - study->own];
    struct error inner = {0};
    for (size_t i = 0; i < STRATEGY_KEYS; i++) {
        if (line[i] > 0) {
            return error_input(err, at, "follows %s, expected it before the other keys",
                               strategy_options[i].name);
        }
    }
    const struct strategy *base = find_own(study, name);
    base = base && base != strategy ? base : strategy_find(name, &inner);
    if (!base) {
        return error_input(err, at, "%s, or of a section [strategy NAME] above", inner.text);
    }
    begin_as(strategy, base);
    return true;
}

bool study_strategy_line(struct study *study, const char *section, const char *key,
                         const char *value, const struct source_location *at, struct error *err)
{
    struct strategy *strategy = strategy_of_section(study, section, at, err);
    if (!strategy) {
        return false;
    }
    bool base = strcmp(key, "base") == 0;
    if (base ? !take_base(study, strategy, value, at, err)
             : !strategy_set(strategy, key, value, at, err)) {
        return false;
    }
    const struct option_row *row =
        option_find(strategy_options, strategy_option_count, "strategy", key);
    study->own_line[strategy - study->own][row - strategy_options] = at->line;
    return true;
}

/* What it began as. */
static struct strategy base_of(struct study *study, const struct strategy *strategy)
{
    struct error unused;
    struct strategy base;
    option_defaults(strategy_options, strategy_option_count, &base);
    const struct strategy *row = find_own(study, strategy->base);
    row = row ? row : strategy_find(strategy->base, &unused);
    return row ? *row : base;
}

static bool differs(const struct option_row *row, const struct strategy *a,
                    const struct strategy *b)
{
    char first[sizeof a->caveat], second[sizeof b->caveat];
    return strcmp(option_format(row, a, first, sizeof first),
                  option_format(row, b, second, sizeof second)) != 0;
}

/* "unmap with toggle = first, reinit_tlbi = vm" */
static void name_by_keys(struct strategy *strategy, const struct strategy *base)
{
    char text[1024];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", strategy->base);
    const char *joint = " with ";
    for (size_t i = 0; i < strategy_option_count; i++) {
        char value[64];
        const struct option_row *row = &strategy_options[i];
        if (row->kind != OPTION_TEXT && differs(row, strategy, base)) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s = %s", joint, row->name,
                                     option_format(row, strategy, value, sizeof value));
            joint = ", ";
        }
    }
    bool fits = used < sizeof strategy->title;
    snprintf(strategy->title, sizeof strategy->title, "%.*s%s", (int)sizeof strategy->title - 5,
             text, fits ? "" : " ...");
}

bool study_strategies_end(struct study *study, struct error *err)
{
    for (size_t s = 0; s < study->own_count; s++) {
        struct strategy *strategy = &study->own[s];
        struct strategy base = base_of(study, strategy);
        for (size_t i = 0; i < strategy_option_count; i++) {
            const struct option_row *row = &strategy_options[i];
            struct source_location at = {study->path, study->own_line[s][i], row->name};
            const char *why = strategy_without_effect(strategy, row->name);
            if (at.line > 0 && why && differs(row, strategy, &base)) {
                return error_input(err, &at, "%s", why);
            }
        }
        if (strategy->base[0] && !strategy->title[0]) {
            name_by_keys(strategy, &base);
        }
    }
    return true;
}

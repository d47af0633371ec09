#include "core/error.h"
#include "core/invariant.h"
#include "core/option_parts.h"

#include <string.h>

enum {
    NAMES_MAX = 256 /* keys of one section, or words of one key, that a suggestion looks at */
};

/* ---- Where values go ---- */

static void *slot(const struct option_row *row, void *target)
{
    return (char *)target + row->offset;
}

/* ---- Numbers ---- */

static bool refuse_number(const struct option_row *row, const char *text,
                          const struct source_location *at, struct error *err)
{
    struct range range = option_range(row);
    bool low = range.low[0] != '\0', high = range.high[0] != '\0';

    return error_input(err, at, "found '%.80s', expected %s%s%s%s%s%s%s", text, option_wanted(row),
                       low ? " (at least " : "", range.low,
                       high ? (low ? ", at most " : " (at most ") : "", range.high,
                       low || high ? ")" : "",
                       strchr(text, ',') != NULL ? "; the decimal sign is a point" : "");
}

static bool set_real(const struct option_row *row, const char *text, void *target,
                     const struct source_location *at, struct error *err)
{
    double value;

    if (!unit_parse(text, row->unit, &value) || value < row->low || value > row->high) {
        return refuse_number(row, text, at, err);
    }
    *(double *)slot(row, target) = value;
    return true;
}

static bool set_whole(const struct option_row *row, const char *text, void *target,
                      const struct source_location *at, struct error *err)
{
    uint64_t value;

    if (!unit_parse_whole(text, row->unit, &value) || (double)value < row->low ||
        (double)value > row->high) {
        return refuse_number(row, text, at, err);
    }
    *(uint64_t *)slot(row, target) = value;
    return true;
}

/* ---- Flags, choices, texts ---- */

static bool set_flag(const struct option_row *row, const char *text, void *target,
                     const struct source_location *at, struct error *err)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *(bool *)slot(row, target) = i % 2 == 1;
            return true;
        }
    }
    return error_input(err, at, "found '%.80s', expected yes or no", text);
}

static bool set_choice(const struct option_row *row, const char *text, void *target,
                       const struct source_location *at, struct error *err)
{
    /* What compilers make of an enumeration that does not need more. */
    _Static_assert(sizeof(enum option_kind) == sizeof(int), "enumerations are as wide as int");
    const char *words[NAMES_MAX];
    size_t count = 0;

    for (const struct choice *choice = row->choices; choice->word != NULL; choice++) {
        if (strcmp(text, choice->word) == 0) {
            memcpy(slot(row, target), &choice->value, sizeof choice->value);
            return true;
        }
        INVARIANT(count < NAMES_MAX, "%s has more choices", row->name);
        words[count++] = choice->word;
    }
    char hint[sizeof err->text] = "";
    error_suggest(hint, sizeof hint, text, words, count);
    return error_input(err, at, "found '%.80s', which is none of its values%s", text, hint);
}

static bool set_text(const struct option_row *row, const char *text, void *target,
                     const struct source_location *at, struct error *err)
{
    size_t length = strlen(text);

    if (length >= row->text_size) {
        return error_input(err, at, "found a text of %zu bytes, expected at most %zu", length,
                           row->text_size - 1);
    }
    memcpy(slot(row, target), text, length + 1);
    return true;
}

/* ---- Setting ---- */

bool option_set(const struct option_row *row, const char *text, void *target,
                const struct source_location *at, struct error *err)
{
    static bool (*const setters[])(const struct option_row *, const char *, void *,
                                   const struct source_location *, struct error *) = {
        [OPTION_REAL] = set_real,     [OPTION_WHOLE] = set_whole, [OPTION_FLAG] = set_flag,
        [OPTION_CHOICE] = set_choice, [OPTION_TEXT] = set_text,
    };
    struct source_location where = at != NULL ? *at : (struct source_location){0};

    if (where.key == NULL) {
        where.key = row->name;
    }
    return setters[row->kind](row, text, target, &where, err);
}

void option_defaults(const struct option_row *table, size_t count, void *target)
{
    for (size_t i = 0; i < count; i++) {
        struct error err = {0};
        if (table[i].fallback != NULL) {
            bool taken = option_set(&table[i], table[i].fallback, target, NULL, &err);
            INVARIANT(taken, "the default of %s", err.text);
        }
    }
}

/* ---- Looking keys up ---- */

static bool in_section(const struct option_row *row, const char *section)
{
    return row->section[0] == '\0' || strcmp(row->section, section) == 0;
}

const struct option_row *option_find(const struct option_row *table, size_t count,
                                     const char *section, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (in_section(&table[i], section) && strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static size_t keys_of(const struct option_row *table, size_t count, const char *section,
                      const char **names)
{
    size_t found = 0;

    for (size_t i = 0; i < count && found < NAMES_MAX; i++) {
        if (in_section(&table[i], section)) {
            names[found++] = table[i].name;
        }
    }
    return found;
}

/* The rows of one section stand together or apart; each is named once. */
static size_t sections_of(const struct option_row *table, size_t count, const char **names)
{
    size_t found = 0;

    for (size_t i = 0; i < count && found < NAMES_MAX; i++) {
        bool known = table[i].section[0] == '\0';
        for (size_t j = 0; j < found && !known; j++) {
            known = strcmp(names[j], table[i].section) == 0;
        }
        if (!known) {
            names[found++] = table[i].section;
        }
    }
    return found;
}

/* The section that does have a key of that name, or NULL. */
static const char *home_of(const struct option_row *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return table[i].section;
        }
    }
    return NULL;
}

static bool refuse_section(const struct option_row *table, size_t count, const char *section,
                           const struct source_location *at, struct error *err)
{
    const char *names[NAMES_MAX];
    size_t found = sections_of(table, count, names);
    char hint[sizeof err->text] = "";

    error_suggest(hint, sizeof hint, section, names, found);
    if (section[0] == '\0') {
        return error_input(err, at, "stands before any [section]%s", hint);
    }
    return error_input(err, at, "stands in the unknown section [%.80s]%s", section, hint);
}

/* Where no name is near all are shown: a section has no more than fit. */
static void suggest_key(char *hint, size_t size, const char *name, const char *const *names,
                        size_t count)
{
    size_t used = 0;

    error_suggest(hint, size, name, names, count);
    if (hint[0] != '\0') {
        return;
    }
    for (size_t i = 0; i < count && used < size; i++) {
        used += (size_t)snprintf(hint + used, size - used, "%s%s",
                                 i == 0 ? ", expected one of " : ", ", names[i]);
    }
}

static bool refuse_key(const struct option_row *table, size_t count, const char *section,
                       const char *name, const struct source_location *at, struct error *err)
{
    const char *names[NAMES_MAX];
    size_t found = keys_of(table, count, section, names);
    const char *home = home_of(table, count, name);
    char hint[sizeof err->text] = "";

    if (found == 0) {
        return refuse_section(table, count, section, at, err);
    }
    if (home != NULL) {
        return error_input(err, at, "is no key of [%.80s], it belongs in [%s]", section, home);
    }
    suggest_key(hint, sizeof hint, name, names, found);
    return section[0] == '\0' ? error_input(err, at, "is no known key%s", hint)
                              : error_input(err, at, "is no key of [%.80s]%s", section, hint);
}

bool option_assign(const struct option_row *table, size_t count, const char *section,
                   const char *name, const char *text, void *target,
                   const struct source_location *at, struct error *err)
{
    const struct option_row *row = option_find(table, count, section, name);
    struct source_location where = at != NULL ? *at : (struct source_location){0};

    if (row != NULL) {
        return option_set(row, text, target, at, err);
    }
    if (where.key == NULL) {
        where.key = name;
    }
    return refuse_key(table, count, section, name, &where, err);
}

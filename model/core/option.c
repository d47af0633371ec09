#include "core/option.h"

#include "core/error.h"
#include "core/invariant.h"

#include <math.h>
#include <string.h>

enum {
    NAMES_MAX = 256, /* keys of one section, or words of one key, that a suggestion looks at */
    VALUE_BYTES_MAX = 128, /* a value in the help table; longer texts are cut */
    HELP_COLUMNS = 4 /* key, unit, range, default; the help itself follows */
};

/* The ends of a row's range as a file spells them; one that excludes nothing
 * is empty. */
struct range {
    char low[48], high[48];
};

/* What the row takes, in words with an example; numbers only. */
static const char *wanted_of(const struct option_row *row)
{
    static const char *const wanted[] = {
        [UNIT_BYTES] = "bytes such as 128M",
        [UNIT_ADDRESS] = "an address such as 0x40000000 or 1G",
        [UNIT_NS] = "a time such as 7.7ns or 2ms",
        [UNIT_RATIO] = "a ratio such as 0.3 or 30%",
        [UNIT_GBPS] = "a bandwidth such as 19GB/s",
        [UNIT_GHZ] = "a frequency such as 2.6GHz",
        [UNIT_INSNS] = "a number of instructions such as 4000 or 4e3",
    };
    if (row->unit != UNIT_NONE) {
        return wanted[row->unit];
    }
    return row->kind == OPTION_WHOLE ? "a whole number such as 3" : "a number such as 0.25";
}

/* Both ends in the row's unit; numbers only. */
static struct range range_of(const struct option_row *row)
{
    struct range range = {"", ""};
    if (isfinite(row->low)) {
        unit_format(row->low, row->unit, range.low, sizeof range.low);
    }
    if (isfinite(row->high)) {
        unit_format(row->high, row->unit, range.high, sizeof range.high);
    }
    return range;
}

/* ---- Where values go ---- */

static void *slot(const struct option_row *row, void *target)
{
    return (char *)target + row->offset;
}

/* ---- Numbers ---- */

static bool refuse_number(const struct option_row *row, const char *text,
                          const struct source_location *at, struct error *err)
{
    struct range range = range_of(row);
    bool low = range.low[0] != '\0', high = range.high[0] != '\0';
    return error_input(err, at, "found '%.80s', expected %s%s%s%s%s%s%s", text, wanted_of(row),
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

bool option_no_section(const char *section, const char *const *names, size_t count,
                       const struct source_location *at, struct error *err)
{
    char hint[sizeof err->text] = "";
    error_suggest(hint, sizeof hint, section, names, count);
    return section[0] == '\0'
               ? error_input(err, at, "stands before any [section]%s", hint)
               : error_input(err, at, "stands in the unknown section [%.80s]%s", section, hint);
}

static bool refuse_section(const struct option_row *table, size_t count, const char *section,
                           const struct source_location *at, struct error *err)
{
    const char *names[NAMES_MAX];
    return option_no_section(section, names, sections_of(table, count, names), at, err);
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

/* ---- For people ---- */

char *option_format(const struct option_row *row, const void *target, char *buf, size_t size)
{
    const void *value = (const char *)target + row->offset;
    const char *text = value;
    if (row->kind == OPTION_REAL) {
        return unit_format(*(const double *)value, row->unit, buf, size);
    }
    if (row->kind == OPTION_WHOLE) {
        return unit_format_whole(*(const uint64_t *)value, row->unit, buf, size);
    }
    if (row->kind == OPTION_FLAG) {
        text = *(const bool *)value ? "yes" : "no";
    } else if (row->kind == OPTION_CHOICE) {
        int chosen;
        memcpy(&chosen, value, sizeof chosen);
        text = choice_word(row->choices, chosen);
    }
    snprintf(buf, size, "%s", text);
    return buf;
}

static bool is_number(const struct option_row *row)
{
    return row->kind == OPTION_REAL || row->kind == OPTION_WHOLE;
}

static const char *kind_name(const struct option_row *row)
{
    static const char *const names[] = {"number", "count", "yes|no", "choice", "text"};
    return is_number(row) && row->unit != UNIT_NONE ? unit_name(row->unit) : names[row->kind];
}

static void range_cell(const struct option_row *row, char *buf, size_t size)
{
    struct range range = is_number(row) ? range_of(row) : (struct range){"", ""};
    if (range.low[0] != '\0' && range.high[0] != '\0') {
        snprintf(buf, size, "%s..%s", range.low, range.high);
    } else if (range.low[0] != '\0') {
        snprintf(buf, size, ">= %s", range.low);
    } else {
        snprintf(buf, size, "%s%s", range.high[0] != '\0' ? "<= " : "-", range.high);
    }
}

static const char *default_cell(const struct option_row *row)
{
    if (row->fallback == NULL) {
        return "required";
    }
    return row->fallback[0] == '\0' ? "-" : row->fallback;
}

static void help_cell(const struct option_row *row, int column, char *buf, size_t size)
{
    if (column == 2) {
        range_cell(row, buf, size);
        return;
    }
    const char *text = column == 0 ? row->name : column == 1 ? kind_name(row) : default_cell(row);
    snprintf(buf, size, "%s", text);
}

static void measure_columns(const struct option_row *table, size_t count, int *widths)
{
    for (size_t i = 0; i < count; i++) {
        for (int column = 0; column < HELP_COLUMNS; column++) {
            char cell[VALUE_BYTES_MAX];
            help_cell(&table[i], column, cell, sizeof cell);
            int width = (int)strlen(cell);
            widths[column] = width > widths[column] ? width : widths[column];
        }
    }
}

/* Each choice stands on a line of its own, below the help that it belongs to. */
static void print_choices(const struct option_row *row, int indent, FILE *out)
{
    for (const struct choice *choice = row->choices; choice->word != NULL; choice++) {
        fprintf(out, "%*s%s: %s\n", indent + 2, "", choice->word, choice->help);
    }
}

static void print_row(const struct option_row *row, const int *widths, FILE *out)
{
    int indent = 2;
    fprintf(out, "%*s", indent, "");
    for (int column = 0; column < HELP_COLUMNS; column++) {
        char cell[VALUE_BYTES_MAX];
        help_cell(row, column, cell, sizeof cell);
        fprintf(out, "%-*s  ", widths[column], cell);
        indent += widths[column] + 2;
    }
    fprintf(out, "%s\n", row->help);
    if (row->kind == OPTION_CHOICE) {
        print_choices(row, indent, out);
    }
}

void option_print_help(const struct option_row *table, size_t count, FILE *out)
{
    int widths[HELP_COLUMNS] = {0};
    const char *section = "";
    measure_columns(table, count, widths);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].section, section) != 0) {
            section = table[i].section;
            fprintf(out, "%s[%s]\n", i > 0 ? "\n" : "",
                    section[0] != '\0' ? section : "any section");
        }
        print_row(&table[i], widths, out);
    }
}

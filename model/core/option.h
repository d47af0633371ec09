/*
 * option - one table that describes every key of a kind of file once.
 *
 * A table row gives a key's name, what it is, its unit, its range, its default
 * and one line of help, and where the value goes in a C struct. The same table
 * drives parsing and range checks, `s2flush list` and `--explain`, "did you
 * mean", and the echo of resolved values that results carry.
 */
#ifndef S2FLUSH_CORE_OPTION_H
#define S2FLUSH_CORE_OPTION_H

#include "core/choice.h"
#include "core/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct error;
struct source_location;

enum option_kind {
    OPTION_REAL, /* double, in the row's unit */
    OPTION_WHOLE, /* uint64_t, in the row's unit */
    OPTION_FLAG, /* bool: yes|no|true|false|on|off|1|0 */
    OPTION_CHOICE, /* an enumeration of CHOICE_ENUM: one of `choices` */
    OPTION_TEXT, /* char[`text_size`], NUL-terminated; too long is refused */
};

struct option_row {
    const char *section; /* the section it stands in, "" for any */
    const char *name;
    enum option_kind kind;
    enum unit unit;
    double low, high; /* range, both ends allowed; numbers only */
    const char *fallback; /* the default, spelled as in a file; NULL: required */
    const struct choice *choices; /* for OPTION_CHOICE; ends with one without a word */
    size_t offset; /* into the struct that options fill */
    size_t text_size;
    const char *help;
    const char *source; /* where the default comes from; NULL: a plain choice */
};

/* A row's kind and place, by the type of the field that it fills. */
#define OPTION_FIELD(type, field) \
    .kind = _Generic(((type *)0)->field,                         \
                     bool: OPTION_FLAG,                          \
                     uint64_t: OPTION_WHOLE,                     \
                     double: OPTION_REAL,                        \
                     char *: OPTION_TEXT,                        \
                     int: OPTION_CHOICE,                         \
                     unsigned: OPTION_CHOICE),                   \
    .offset = offsetof(type, field), .text_size = sizeof((type *)0)->field

/* Writes every row's default into `target` (rows without one are left as they
 * are). A default that its own row refuses is a defect and aborts. */
void option_defaults(const struct option_row *table, size_t count, void *target);

/* The row of that section and name, or NULL. */
const struct option_row *option_find(const struct option_row *table, size_t count,
                                     const char *section, const char *name);

/* Parses `text` for one row into `target`. False with one line that says what
 * was found and what would be right. */
bool option_set(const struct option_row *row, const char *text, void *target,
                const struct source_location *at, struct error *err);

/* Looks a key up and sets it; an unknown key is an error that suggests the
 * nearest of the section's keys. */
bool option_assign(const struct option_row *table, size_t count, const char *section,
                   const char *name, const char *text, void *target,
                   const struct source_location *at, struct error *err);

/* Refuses a key in a section that there is none of; names the valid ones. */
bool option_no_section(const char *section, const char *const *names, size_t count,
                       const struct source_location *at, struct error *err);

/* Spells the row's current value in `target` as a file would. */
char *option_format(const struct option_row *row, const void *target, char *buf, size_t size);

/* Prints the table for people: key, unit, range, default, help. */
void option_print_help(const struct option_row *table, size_t count, FILE *out);

#endif

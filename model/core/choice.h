/*
 * choice - enumerations whose values have words in files and tables.
 */
#ifndef S2FLUSH_CORE_CHOICE_H
#define S2FLUSH_CORE_CHOICE_H

#include <stddef.h>

/* One value of an enumeration, and what files and tables call it. */
struct choice {
    const char *word;
    int value;
    const char *help;
};

/* An enumeration and the words of its values come from one list, so that none is
 * without the other:
 *
 *   #define TOGGLE_CHOICES(X)          \
 *       X(TOGGLE_EVERY, "every", "..") \
 *       X(TOGGLE_NONE, "none", "..")
 *   CHOICE_ENUM(toggle, TOGGLE_CHOICES);
 *
 * and in a table of options `.choices = CHOICES_OF(TOGGLE_CHOICES)`. */
#define CHOICE_ENUM(name, LIST) enum name { LIST(CHOICE_ENUMERATOR) }
#define CHOICES_OF(LIST) ((const struct choice[]){LIST(CHOICE_ENTRY){0}})
#define CHOICE_ENUMERATOR(value_, word_, help_) value_,
#define CHOICE_ENTRY(value_, word_, help_) {.word = (word_), .value = (value_), .help = (help_)},

/* The index of a name in a list; `count`: it is none of them. */
size_t choice_index(const char *const *names, size_t count, const char *name);

/* The word of a value, which is one of them. */
const char *choice_word(const struct choice *choices, int value);

#endif

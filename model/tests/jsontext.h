/*
 * jsontext - whether a text is JSON: enough of the grammar to find a comma, a
 * quote or a bracket that is missing.
 */
#ifndef S2FLUSH_TESTS_JSONTEXT_H
#define S2FLUSH_TESTS_JSONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool value_at(const char **at);

static inline void blanks(const char **at)
{
    *at += strspn(*at, " \n\t\r");
}

static inline bool string_at(const char **at)
{
    if (*(*at)++ != '"') {
        return false;
    }
    for (; **at != '"'; ++*at) {
        if ((unsigned char)**at < ' ') {
            return false;
        }
        *at += **at == '\\' && (*at)[1] != '\0';
    }
    ++*at;
    return true;
}

/* The members of an object or array up to its end. */
static inline bool members_at(const char **at, char end)
{
    ++*at;
    blanks(at);
    for (bool first = true; **at != end; first = false) {
        if (!first && *(*at)++ != ',') {
            return false;
        }
        blanks(at);
        if (end == '}') {
            if (!string_at(at)) {
                return false;
            }
            blanks(at);
            if (*(*at)++ != ':') {
                return false;
            }
        }
        if (!value_at(at)) {
            return false;
        }
        blanks(at);
    }
    ++*at;
    return true;
}

static inline bool value_at(const char **at)
{
    static const char *const words[] = {"true", "false", "null"};
    blanks(at);
    if (**at == '{' || **at == '[') {
        return members_at(at, **at == '{' ? '}' : ']');
    }
    if (**at == '"') {
        return string_at(at);
    }
    for (size_t i = 0; i < 3; i++) {
        if (strncmp(*at, words[i], strlen(words[i])) == 0) {
            *at += strlen(words[i]);
            return true;
        }
    }
    const char *begin = *at;
    *at += strspn(*at, "+-.0123456789eE");
    return *at > begin;
}

static inline bool is_json(const char *text)
{
    bool good = value_at(&text);
    blanks(&text);
    return good && *text == '\0';
}

#endif

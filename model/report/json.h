/*
 * json - writing JSON: indented for people, or on one line for JSON Lines.
 */
#ifndef S2FLUSH_REPORT_JSON_H
#define S2FLUSH_REPORT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    bool one_line;
    bool more; /* the object or array has a member already */
    unsigned depth;
};

/* Members of an object have a key; those of an array, and the outermost value,
 * have NULL. */
void json_open(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket); /* '}' or ']' */
void json_text(struct json *json, const char *key, const char *text); /* NULL: null */
void json_whole(struct json *json, const char *key, uint64_t value);
void json_real(struct json *json, const char *key, double value); /* not finite: null */
void json_flag(struct json *json, const char *key, bool value);

/* Members that were written before, at the same depth and with `more` set. */
void json_again(struct json *json, const char *members);

#endif

#include "report/json.h"

#include "core/units.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* How many bytes the UTF-8 character at `at` has; 0 where it is none. */
static size_t character(const unsigned char *at)
{
    size_t length = at[0] < 0x80                     ? 1
                    : at[0] >= 0xc2 && at[0] <= 0xdf ? 2
                    : at[0] >= 0xe0 && at[0] <= 0xef ? 3
                    : at[0] >= 0xf0 && at[0] <= 0xf4 ? 4
                                                     : 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

static void put_string(FILE *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    fputc('"', out);
    while (*at) {
        size_t length = character(at);
        if (length == 0) {
            fputs("\\ufffd", out); /* a byte that is no character */
            length = 1;
        } else if (*at < 0x20 || *at == 0x7f) {
            fprintf(out, "\\u%04x", *at);
        } else {
            if (*at == '"' || *at == '\\') {
                fputc('\\', out);
            }
            fwrite(at, 1, length, out);
        }
        at += length;
    }
    fputc('"', out);
}

static void new_line(struct json *json)
{
    if (!json->one_line) {
        fprintf(json->out, "\n%*s", (int)json->depth * 2, "");
    }
}

static void begin_member(struct json *json, const char *key)
{
    if (json->more) {
        fputc(',', json->out);
    }
    if (json->depth > 0) {
        new_line(json);
    }
    if (key) {
        put_string(json->out, key);
        fputs(json->one_line ? ":" : ": ", json->out);
    }
    json->more = true;
}

void json_open(struct json *json, const char *key, char bracket)
{
    begin_member(json, key);
    fputc(bracket, json->out);
    json->depth++;
    json->more = false;
}

void json_close(struct json *json, char bracket)
{
    json->depth--;
    if (json->more) {
        new_line(json);
    }
    fputc(bracket, json->out);
    json->more = true;
    if (json->depth == 0) {
        fputc('\n', json->out);
        json->more = false;
    }
}

void json_text(struct json *json, const char *key, const char *text)
{
    begin_member(json, key);
    if (text) {
        put_string(json->out, text);
    } else {
        fputs("null", json->out);
    }
}

void json_whole(struct json *json, const char *key, uint64_t value)
{
    begin_member(json, key);
    fprintf(json->out, "%" PRIu64, value);
}

void json_real(struct json *json, const char *key, double value)
{
    char text[40];
    begin_member(json, key);
    fputs(isfinite(value) ? format_real(value, text, sizeof text) : "null", json->out);
}

void json_flag(struct json *json, const char *key, bool value)
{
    begin_member(json, key);
    fputs(value ? "true" : "false", json->out);
}

void json_again(struct json *json, const char *members)
{
    fputs(members, json->out);
    json->more = true;
}

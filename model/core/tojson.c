#include "core/tojson.h"

#include "core/alloc.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

/* How many bytes the UTF-8 character at `at` has; 0 where it is none. */
static size_t character(const char *at)
{
    for (size_t length = 1; length <= 4 && at[length - 1]; length++) {
        json_t *one = json_stringn(at, length);
        json_decref(one);
        if (one) {
            return length;
        }
    }
    return 0;
}

static char *replaced(const char *text)
{
    static const char instead[] = "\xef\xbf\xbd";
    char *clean = alloc_raw(strlen(text) * (sizeof instead - 1) + 1, 1, "JSON"), *to = clean;
    while (*text) {
        size_t length = character(text);
        const char *from = length ? text : instead;
        size_t bytes = length ? length : sizeof instead - 1;
        memcpy(to, from, bytes);
        to += bytes;
        text += length ? length : 1;
    }
    *to = '\0';
    return clean;
}

json_t *tojson_text(const char *text)
{
    json_t *value = text ? json_string(text) : json_null();
    if (!value) {
        char *clean = replaced(text);
        value = json_string(clean);
        free(clean);
    }
    return alloc_checked(value, "JSON");
}

/* jansson's integers are signed. */
json_t *tojson_whole(uint64_t value)
{
    return alloc_checked(
        value <= INT64_MAX ? json_integer((json_int_t)value) : json_real((double)value), "JSON");
}

void tojson_set(json_t *object, const char *key, json_t *value)
{
    json_t *clean = tojson_text(key);
    if (json_object_set_new(object, json_string_value(clean), value) != 0) {
        error_fatal("out of memory for JSON");
    }
    json_decref(clean);
}

void tojson_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0) {
        error_fatal("out of memory for JSON");
    }
}

char *tojson_dump(json_t *value, size_t flags)
{
    char *text = alloc_checked(json_dumps(value, flags), "JSON");
    json_decref(value);
    return text;
}

/* Errors of writing are the stream's, to be seen where it is closed. */
void tojson_print(FILE *out, json_t *value, size_t flags)
{
    char *text = tojson_dump(value, flags);
    fputs(text, out);
    free(text);
}

/* In what two stores differ, for whoever wonders why samples do not fit. */
#include "study/store.h"

#include "core/error.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 160
#define VALUE_CHARS 60

/* Two values that differ, and where they stand. */
struct difference {
    char path[PATH_BYTES];
    const json_t *wanted, *found; /* NULL: there is none */
};

static void go_into(struct difference *at, size_t length, const char *name)
{
    snprintf(at->path + length, sizeof at->path - length, "%s%s", length > 0 ? "." : "", name);
}

/* Elements are known by their name where they have one, as axes do. */
static void go_into_element(struct difference *at, size_t length, size_t i)
{
    char number[24];
    const char *name = json_string_value(json_object_get(json_array_get(at->wanted, i), "name"));
    snprintf(number, sizeof number, "%zu", i + 1);
    go_into(at, length, name ? name : number);
}

static bool narrow(struct difference *at);

static bool narrow_to(struct difference *at, const json_t *wanted, const json_t *found)
{
    if (wanted && found && json_equal(wanted, found)) {
        return false;
    }
    at->wanted = wanted;
    at->found = found;
    narrow(at);
    return true;
}

/* The first member that one of the two has not, or has otherwise. */
static bool narrow_object(struct difference *at, size_t length)
{
    const json_t *wanted = at->wanted, *found = at->found;
    for (int turn = 0; turn < 2; turn++) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(turn == 0 ? wanted : found), key, value)
        {
            go_into(at, length, key);
            if (narrow_to(at, json_object_get(wanted, key), json_object_get(found, key))) {
                return true;
            }
        }
    }
    return false;
}

/* Lists of plain values are best seen whole. */
static bool narrow_array(struct difference *at, size_t length)
{
    const json_t *wanted = at->wanted, *found = at->found;
    if (json_array_size(wanted) != json_array_size(found)) {
        return true;
    }
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        const json_t *own = json_array_get(wanted, i);
        go_into_element(at, length, i);
        if (json_is_object(own) && narrow_to(at, own, json_array_get(found, i))) {
            return true;
        }
    }
    at->path[length] = '\0';
    return true;
}

/* From two values that differ to what differs in them; false where nothing does. */
static bool narrow(struct difference *at)
{
    size_t length = strlen(at->path);
    if (json_is_object(at->wanted) && json_is_object(at->found)) {
        return narrow_object(at, length);
    }
    if (json_is_array(at->wanted) && json_is_array(at->found)) {
        return narrow_array(at, length);
    }
    return true;
}

static void say_value(const json_t *value, char *text, size_t size)
{
    char *dump = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    snprintf(text, size, "%.*s%s", VALUE_CHARS, dump ? dump : "none",
             dump && strlen(dump) > VALUE_CHARS ? "..." : "");
    free(dump);
}

/* The first member in which two objects differ, as "KEY FOUND, expected WANTED". */
static bool differ(const char *wanted, const char *found, char *text, size_t size)
{
    char have[VALUE_CHARS + 4], want[VALUE_CHARS + 4];
    json_t *a = json_loads(wanted, 0, NULL), *b = json_loads(found, 0, NULL);
    struct difference at = {.wanted = a, .found = b};
    bool is = a && b && !json_equal(a, b) && narrow(&at);
    if (is) {
        say_value(at.found, have, sizeof have);
        say_value(at.wanted, want, sizeof want);
        snprintf(text, size, "%s %s, expected %s", at.path, have, want);
    }
    json_decref(a);
    json_decref(b);
    return is;
}

static bool same_text(const struct store_about *wanted, const struct store_about *found,
                      enum store_text text)
{
    return strcmp(wanted->text[text], found->text[text]) == 0;
}

/* What the settings of both say may be the same, and what they name another. */
static bool same_shape(const struct store_about *wanted, const struct store_about *found)
{
    return wanted->cells == found->cells && wanted->strategies == found->strategies &&
           wanted->stride == found->stride && wanted->axes == found->axes &&
           same_text(wanted, found, STORE_WORKLOADS) && same_text(wanted, found, STORE_STUDY);
}

bool store_same(const struct store_about *wanted, const struct store_about *found, const char *path,
                struct error *err)
{
    struct source_location at = {.file = path};
    char difference[400];
    if (!same_text(wanted, found, STORE_PROGRAM)) {
        return error_input(err, &at,
                           "found samples played by another build of s2flush (%s), expected this "
                           "one's (%s)",
                           found->text[STORE_VERSION], wanted->text[STORE_VERSION]);
    }
    for (int i = STORE_SETTINGS; i <= STORE_CONFIGURATION; i++) {
        if (differ(wanted->text[i], found->text[i], difference, sizeof difference)) {
            return error_input(err, &at, "found samples of study %s with %s",
                               found->text[STORE_STUDY], difference);
        }
    }
    if (!same_shape(wanted, found)) {
        return error_input(err, &at,
                           "found samples of study %s whose workloads do something else (%s), "
                           "expected study %s (%s)",
                           found->text[STORE_STUDY], found->text[STORE_WORKLOADS],
                           wanted->text[STORE_STUDY], wanted->text[STORE_WORKLOADS]);
    }
    return wanted->shard.count == found->shard.count ||
           error_input(err, &at, "is a shard of %u, expected one of %u", found->shard.count,
                       wanted->shard.count);
}

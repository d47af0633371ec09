#include "core/error.h"

#include "core/units.h"

#include <ctype.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES_MAX = 64, /* no key or choice comes near */
    DISTANCE_MAX = 3, /* further away, a suggestion misleads more than it helps */
    NAMES_LISTED_MAX = 12
};

/* ---- Messages ---- */

/* C0 controls and DEL are one byte; the C1 controls, which terminals obey as
 * well, are two in UTF-8. */
static bool is_control(const char *at)
{
    unsigned char byte = (unsigned char)at[0];
    unsigned char next = byte != 0 ? (unsigned char)at[1] : 0;
    return byte < 0x20 || byte == 0x7f || (byte == 0xc2 && next >= 0x80 && next < 0xa0);
}

/* Ends a text that was cut, without leaving half a UTF-8 character behind. */
static void mark_cut(char *text, size_t length)
{
    length -= length < 3 ? length : 3;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) {
        length--;
    }
    memcpy(text + length, "...", 4);
}

static void copy_visible(char *out, size_t size, const char *in)
{
    size_t used = 0;
    for (; *in != '\0'; in++) {
        size_t need = is_control(in) ? 4 : 1;
        if (used + need >= size) {
            mark_cut(out, used);
            return;
        }
        if (need == 4) {
            snprintf(out + used, size - used, "\\x%02x", (unsigned)(unsigned char)*in);
        } else {
            out[used] = *in;
        }
        used += need;
    }
    out[used] = '\0';
}

static size_t append(char *text, size_t size, size_t used, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static size_t append(char *text, size_t size, size_t used, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text + used, size - used, format, args);
    va_end(args);
    used += length > 0 ? (size_t)length : 0;
    return used < size ? used : size - 1;
}

static size_t append_place(char *text, size_t size, const struct source_location *at)
{
    size_t used = 0;
    if (at->file != NULL) {
        used = append(text, size, used, at->line > 0 ? "%s:" : "%s: ", at->file);
    }
    if (at->line > 0) {
        used = append(text, size, used, at->file != NULL ? "%u: " : "line %u: ", at->line);
    }
    if (at->key != NULL) {
        used = append(text, size, used, "%s: ", at->key);
    }
    return used;
}

/* The message is built beside err, for its arguments may point into err. The
 * buffer is longer than err's text, so that only one of the two can cut it. */
static void fill(struct error *err, int status, const struct source_location *at,
                 const char *format, va_list args)
{
    char raw[sizeof err->text + 256];
    size_t used = at != NULL ? append_place(raw, sizeof raw, at) : 0;
    vsnprintf(raw + used, sizeof raw - used, format, args);
    copy_visible(err->text, sizeof err->text, raw);
    err->status = status;
    err->simulation = false;
}

bool error_input(struct error *err, const struct source_location *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, EXIT_INPUT, at, format, args);
    va_end(args);
    return false;
}

bool error_run(struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_run_args(err, format, args);
    va_end(args);
    return false;
}

void error_run_args(struct error *err, const char *format, va_list args)
{
    fill(err, EXIT_RUN, NULL, format, args);
}

/* ---- Near names ---- */

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of
 * neighbours count one each, small and capital letters are the same. Row i of
 * the table needs the two before it. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][NAME_BYTES_MAX + 1];
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t differ = !same_letter(a[i - 1], b[j - 1]);
            row[j] = u64_min(u64_min(above[j], row[j - 1]) + 1, above[j - 1] + differ);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1])) {
                row[j] = u64_min(row[j], above2[j - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}

const char *error_nearest(const char *word, const char *const *names, size_t count)
{
    size_t length = strlen(word);
    size_t best = u64_min(length / 3, DISTANCE_MAX) + 1;
    const char *nearest = NULL;
    if (length > NAME_BYTES_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t name_length = strlen(names[i]);
        if (name_length > NAME_BYTES_MAX) {
            continue;
        }
        size_t apart = distance(word, length, names[i], name_length);
        if (apart < best) {
            best = apart;
            nearest = names[i];
        }
    }
    return nearest;
}

void error_suggest(char *text, size_t size, const char *word, const char *const *names,
                   size_t count)
{
    if (count <= NAMES_LISTED_MAX || error_nearest(word, names, count) != NULL) {
        error_suggest_all(text, size, word, names, count);
    }
}

void error_suggest_all(char *text, size_t size, const char *word, const char *const *names,
                       size_t count)
{
    const char *nearest = error_nearest(word, names, count);
    size_t used = strlen(text);
    if (nearest != NULL) {
        append(text, size, used, " (did you mean %s?)", nearest);
    } else if (count > 0) {
        used = append(text, size, used, " (valid: ");
        for (size_t i = 0; i < count; i++) {
            used = append(text, size, used, i == 0 ? "%s" : ", %s", names[i]);
        }
        append(text, size, used, ")");
    }
}

/* ---- The end of the program ---- */

/* Worker threads may meet the same full disk at the same moment, and exit()
 * may run only once: the first thread holds this lock until the process is
 * gone. It is recursive, so that an exit handler that dies does not hang. */
static pthread_mutex_t ending = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

_Noreturn void error_fatal(const char *format, ...)
{
    struct error err;
    va_list args;
    pthread_mutex_lock(&ending);
    va_start(args, format);
    error_run_args(&err, format, args);
    va_end(args);
    fprintf(stderr, "s2flush: %s\n", err.text);
    exit(err.status);
}

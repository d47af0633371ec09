#include "core/config.h"

#include "core/error.h"
#include "core/file.h"

#include <ini.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES_MAX = 49, /* libinih keeps 50 with the end */
    CONFIG_BYTES_MAX = 4 << 20 /* thousands of times what a workload takes */
};

/* Hands libinih one line a time, so that its calls and our lines agree. */
struct reader {
    const char *name;
    const char *next, *end;
    unsigned line;
    const char *list; /* the section whose names may repeat, or NULL */
    void *seen; /* tsearch's tree of struct seen */
    config_fn each;
    void *context;
    struct error *err;
    bool failed;
};

/* A name that was given, and where. */
struct seen {
    unsigned line;
    char text[2 * (NAME_BYTES_MAX + 1) + 1]; /* section, line feed, name */
};

struct line {
    const char *text;
    size_t length;
};

/* ---- What a line may be ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t leading_blanks(struct line line)
{
    size_t i = 0;
    while (i < line.length && is_blank(line.text[i])) {
        i++;
    }
    return i;
}

static size_t trimmed_length(const char *text, size_t length)
{
    while (length > 0 && is_blank(text[length - 1])) {
        length--;
    }
    return length;
}

static bool is_comment(struct line line)
{
    size_t first = leading_blanks(line);
    return first == line.length || line.text[first] == ';' || line.text[first] == '#';
}

/* The index of the first byte that is one of `set`, or the length. */
static size_t find_any(struct line line, const char *set)
{
    size_t i = 0;
    while (i < line.length && strchr(set, line.text[i]) == NULL) {
        i++;
    }
    return i;
}

static bool check_characters(struct line line, const struct source_location *at, struct error *err)
{
    for (size_t i = 0; i < line.length; i++) {
        unsigned char byte = (unsigned char)line.text[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return error_input(err, at, "found byte 0x%02x in column %zu, expected text", byte,
                               i + 1);
        }
    }
    return true;
}

static bool refuse_line(struct line line, const struct source_location *at, const char *expected,
                        struct error *err)
{
    int shown = line.length < 80 ? (int)line.length : 80;
    return error_input(err, at, "found '%.*s', expected %s", shown, line.text, expected);
}

static bool check_name(struct line name, const struct source_location *at, struct error *err)
{
    if (name.length > NAME_BYTES_MAX) {
        return error_input(err, at, "found a name of %zu bytes, expected at most %d", name.length,
                           NAME_BYTES_MAX);
    }
    return true;
}

static bool is_section_name(struct line name)
{
    return name.length > 0 && !is_blank(name.text[0]) && !is_blank(name.text[name.length - 1]);
}

/* libinih ignores what follows the bracket and keeps blanks inside it; both
 * are slips of the pen that would go unnoticed. */
static bool check_section(struct line line, const struct source_location *at, struct error *err)
{
    size_t close = find_any(line, "];");
    struct line name = {line.text + 1, close - 1};
    if (close == line.length || line.text[close] == ';' || !is_section_name(name)) {
        return refuse_line(line, at, "[section]", err);
    }
    struct line rest = {line.text + close + 1, line.length - close - 1};
    size_t first = leading_blanks(rest);
    if (first < rest.length && (first == 0 || rest.text[first] != ';')) {
        return refuse_line(line, at, "nothing but a comment with ';' after [section]", err);
    }
    return check_name(name, at, err);
}

static bool check_pair(struct line line, const struct source_location *at, struct error *err)
{
    size_t equals = find_any(line, "=:;");
    struct line name = {line.text, trimmed_length(line.text, equals)};
    if (equals == line.length || line.text[equals] == ';' || name.length == 0) {
        return refuse_line(line, at, "name = value or [section]", err);
    }
    return check_name(name, at, err);
}

static bool check_line(struct line line, size_t limit_bytes, const struct source_location *at,
                       struct error *err)
{
    if (!check_characters(line, at, err)) {
        return false;
    }
    if (is_comment(line)) {
        return true;
    }
    if (is_blank(line.text[0])) {
        return refuse_line(line, at,
                           "a line that starts in the first column (a value cannot go on over "
                           "several lines)",
                           err);
    }
    if (line.length > limit_bytes) {
        bool list = memchr(line.text, ',', line.length);
        return error_input(err, at, "found a line of %zu bytes, expected at most %zu%s",
                           line.length, limit_bytes,
                           list ? "; an axis goes on in further lines: NAME += VALUE, VALUE" : "");
    }
    return line.text[0] == '[' ? check_section(line, at, err) : check_pair(line, at, err);
}

/* ---- libinih's two callbacks ---- */

static struct line take_line(struct reader *reader)
{
    size_t left = (size_t)(reader->end - reader->next);
    const char *newline = memchr(reader->next, '\n', left);
    struct line line = {reader->next, newline != NULL ? (size_t)(newline - reader->next) : left};
    reader->next += line.length + (newline != NULL);
    reader->line++;
    if (line.length > 0 && line.text[line.length - 1] == '\r') {
        line.length--;
    }
    return line;
}

/* Comments go to the library as empty lines, so they may be of any length. Each has its line feed:
 * newer versions take a full buffer without one for the head of a longer line, and read on to drop
 * the rest. */
static char *read_line(char *buffer, int size, void *stream)
{
    struct reader *reader = stream;
    if (reader->failed || reader->next == reader->end) {
        return NULL;
    }
    struct line line = take_line(reader);
    struct source_location at = {.file = reader->name, .line = reader->line};
    if (!check_line(line, (size_t)size - 2, &at, reader->err)) {
        reader->failed = true;
        return NULL;
    }
    size_t length = is_comment(line) ? 0 : line.length;
    memcpy(buffer, line.text, length);
    buffer[length] = '\n';
    buffer[length + 1] = '\0';
    return buffer;
}

static int compare_seen(const void *a, const void *b)
{
    return strcmp(((const struct seen *)a)->text, ((const struct seen *)b)->text);
}

/* Which of two values of one key was meant cannot be known. */
static bool check_once(struct reader *reader, const char *section, const struct source_location *at)
{
    struct seen *seen = malloc(sizeof *seen);
    if (seen == NULL) {
        error_fatal("out of memory for the names in %s", reader->name);
    }
    seen->line = at->line;
    snprintf(seen->text, sizeof seen->text, "%s\n%s", section, at->key);
    struct seen **found = tsearch(seen, &reader->seen, compare_seen);
    if (found == NULL) {
        error_fatal("out of memory for the names in %s", reader->name);
    }
    if (*found == seen) {
        return true;
    }
    free(seen);
    return error_input(reader->err, at, "stands twice in [%s], expected once: line %u has it too",
                       section, (*found)->line);
}

/* A name that ends in '+' adds to what the name has, as often as wanted; who takes no such lines
 * does not know the name. */
static int take_pair(void *user, const char *section, const char *name, const char *value)
{
    struct reader *reader = user;
    struct source_location at = {.file = reader->name, .line = reader->line, .key = name};
    size_t length = strlen(name);
    bool adds = length > 0 && name[length - 1] == '+';
    bool entry = reader->list != NULL && strcmp(section, reader->list) == 0;
    reader->failed = (!entry && !adds && !check_once(reader, section, &at)) ||
                     !reader->each(reader->context, section, name, value, &at, reader->err);
    return !reader->failed;
}

bool config_read(const char *path, const char *list, config_fn each, void *context,
                 struct error *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    char *text = NULL;
    size_t length = 0;
    if (!file_slurp(path, CONFIG_BYTES_MAX, &text, &length, err)) {
        return false;
    }
    size_t skip = length >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
    struct reader reader = {.name = path,
                            .next = text + skip,
                            .end = text + length,
                            .list = list,
                            .each = each,
                            .context = context,
                            .err = err};

    int refused = ini_parse_stream(read_line, &reader, take_pair, &reader);
    tdestroy(reader.seen, free);
    free(text);
    if (reader.failed) {
        return false;
    }
    if (refused != 0) {
        struct source_location at = {.file = path, .line = refused > 0 ? (unsigned)refused : 0};
        return error_input(err, &at, "is no line of an INI file");
    }
    return true;
}

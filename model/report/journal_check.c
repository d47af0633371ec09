/* What of a journal goes into results as it stands may be a stranger's. */
#include "core/csv_rows.h"
#include "report/journal_parts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* --- the head --- */

static const char *strange_columns(const char *text)
{
    const char *end = strchr(text, '\n');
    return !end || end[1] ? "no line of column names"
                          : csv_rows_strange(text, strlen(text), 0, NULL);
}

static bool object_without(const char *text, const char *const *without)
{
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool good = json_is_object(object);
    for (; *without; without++) {
        good = good && !json_object_get(object, *without);
    }
    json_decref(object);
    return good;
}

const char *journal_head_strange(const struct journal_head *head)
{
    const char *columns = strange_columns(head->text[HEAD_COLUMNS]);
    if (columns) {
        return columns;
    }
    static const char *const of_run[] = {"file", "runs_played", "runs_priced_again", NULL};
    return object_without(head->text[HEAD_SETTINGS], of_run) &&
                   object_without(head->text[HEAD_CONFIGURATION], of_run + 3)
               ? NULL
               : "settings that are no JSON";
}

/* --- rows --- */

static bool is_object(const char *text, size_t length)
{
    json_t *row = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    bool good = json_is_object(row);
    json_decref(row);
    return good;
}

static const char *strange_lines(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == 0x7f || (byte < 0x20 && byte != '\n')) {
            return "a control character";
        }
    }
    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        if (!end || !is_object(text, (size_t)(end - text))) {
            return "a line that is no JSON object";
        }
        length -= (size_t)(end + 1 - text);
        text = end + 1;
    }
    return NULL;
}

const char *journal_rows_strange(const struct journal_head *head, enum rows_format format,
                                 const char *text, size_t length)
{
    size_t columns = 0;
    if (format == ROWS_JSONL) {
        return strange_lines(text, length);
    }
    (void)csv_rows_strange(head->text[HEAD_COLUMNS], strlen(head->text[HEAD_COLUMNS]), 0, &columns);
    return csv_rows_strange(text, length, columns, NULL);
}

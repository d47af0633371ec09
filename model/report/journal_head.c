#include "report/journal_head.h"

#include "core/build_id.h"
#include "core/error.h"
#include "core/version.h"
#include "report/journal_parts.h"
#include "report/run_json.h"
#include "study/fingerprint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static char *copy(const char *text)
{
    char *own = strdup(text);
    if (!own) {
        error_fatal("out of memory for the head of a journal");
    }
    return own;
}

static char *columns(const struct study *study)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        error_fatal("out of memory for the head of a journal");
    }
    rows_columns(out, study);
    if (fclose(out) != 0) {
        error_fatal("out of memory for the head of a journal");
    }
    return text;
}

/* What the points depend on, and all else that shows in the results; not by
 * which path the study was reached. */
static char *config(const struct journal_head *head, const char *points)
{
    struct record all = {0};
    char text[SETUP_HASH];
    record_text(&all, points);
    record_text(&all, head->text[HEAD_COLUMNS]);
    record_text(&all, head->text[HEAD_SETTINGS]);
    record_text(&all, head->text[HEAD_CONFIGURATION]);
    record_whole(&all, head->format[ROWS_CSV]);
    record_whole(&all, head->format[ROWS_JSONL]);
    XXH128_hash_t hash = XXH3_128bits(all.data, all.bytes);
    free(all.data);
    snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
             (uint64_t)hash.low64);
    return copy(text);
}

bool journal_head_of(struct journal_head *head, const struct study *study,
                     const bool format[ROWS_FORMATS], struct shard shard, unsigned jobs,
                     struct error *err)
{
    char program[BUILD_ID], points[SETUP_HASH];
    struct run_about about;
    *head = (struct journal_head){.shard = shard,
                                  .cells = study_cells(study),
                                  .strategies = study->role[AXIS_STRATEGY]->values.count,
                                  .stride = study->role[AXIS_STRATEGY]->stride};
    memcpy(head->format, format, sizeof head->format);
    if (!study_fingerprint(study, jobs, points, err)) {
        return false;
    }
    build_id(program);
    run_about(study, &about);
    head->text[HEAD_STUDY] = copy(study->name);
    head->text[HEAD_VERSION] = copy(version_program);
    head->text[HEAD_PROGRAM] = copy(program);
    head->text[HEAD_COLUMNS] = columns(study);
    head->text[HEAD_PATH] = about.path;
    head->text[HEAD_SETTINGS] = about.settings;
    head->text[HEAD_CONFIGURATION] = about.configuration;
    head->text[HEAD_CONFIG] = config(head, points);
    return true;
}

void journal_head_free(struct journal_head *head)
{
    for (size_t i = 0; i < HEAD_TEXTS; i++) {
        free(head->text[i]);
    }
    *head = (struct journal_head){0};
}

size_t journal_head_rows(const struct journal_head *head)
{
    return (size_t)head->strategies * (head->format[ROWS_CSV] + head->format[ROWS_JSONL]);
}

/* The hash of the configuration is only what a file says of itself. */
static bool same_shape(const struct journal_head *a, const struct journal_head *b)
{
    return a->cells == b->cells && a->strategies == b->strategies && a->stride == b->stride &&
           memcmp(a->format, b->format, sizeof a->format) == 0 &&
           strcmp(a->text[HEAD_COLUMNS], b->text[HEAD_COLUMNS]) == 0;
}

static const char *format_name(const struct journal_head *head)
{
    return !head->format[ROWS_JSONL] ? "csv" : head->format[ROWS_CSV] ? "both" : "jsonl";
}

bool journal_head_same(const struct journal_head *wanted, const struct journal_head *found,
                       const char *path, struct error *err)
{
    struct source_location at = {.file = path};
    if (strcmp(wanted->text[HEAD_PROGRAM], found->text[HEAD_PROGRAM]) != 0) {
        return error_input(err, &at,
                           "found cells played by another build of s2flush (%s), "
                           "expected this one's (%s)",
                           found->text[HEAD_VERSION], wanted->text[HEAD_VERSION]);
    }
    if (strcmp(wanted->text[HEAD_CONFIG], found->text[HEAD_CONFIG]) != 0) {
        char difference[400];
        if (journal_differ(wanted, found, difference, sizeof difference)) {
            return error_input(err, &at, "found cells of study %s with %s", found->text[HEAD_STUDY],
                               difference);
        }
        if (memcmp(wanted->format, found->format, sizeof wanted->format) != 0) {
            return error_input(err, &at, "found cells of --format %s, expected %s",
                               format_name(found), format_name(wanted));
        }
        return error_input(err, &at,
                           "found cells of study %s, configuration %s; expected study %s, "
                           "configuration %s",
                           found->text[HEAD_STUDY], found->text[HEAD_CONFIG],
                           wanted->text[HEAD_STUDY], wanted->text[HEAD_CONFIG]);
    }
    return same_shape(wanted, found) ||
           error_input(err, &at, "found cells of another shape than its configuration has");
}

/* --- in the file --- */

void journal_head_put(const struct journal_head *head, struct record *record)
{
    record_whole(record, head->shard.number);
    record_whole(record, head->shard.count);
    record_whole(record, head->cells);
    record_whole(record, head->strategies);
    record_whole(record, head->stride);
    for (int format = 0; format < ROWS_FORMATS; format++) {
        record_whole(record, head->format[format]);
    }
    for (size_t i = 0; i < HEAD_TEXTS; i++) {
        record_text(record, head->text[i]);
    }
}

static bool plausible(const struct journal_head *head, uint64_t number, uint64_t count)
{
    return count >= 1 && count <= SHARDS_MAX && number >= 1 && number <= count &&
           head->cells >= 1 && head->strategies >= 1 && head->stride >= 1 &&
           head->strategies <= VALUES_MAX && head->cells <= STUDY_POINTS &&
           head->strategies <= STUDY_POINTS / head->cells && head->stride <= head->cells &&
           head->cells % head->stride == 0 && journal_head_rows(head) > 0;
}

bool journal_head_take(struct journal_head *head, struct parts *parts)
{
    *head = (struct journal_head){0};
    uint64_t number = parts_whole(parts), count = parts_whole(parts);
    head->cells = parts_whole(parts);
    head->strategies = parts_whole(parts);
    head->stride = parts_whole(parts);
    for (int format = 0; format < ROWS_FORMATS; format++) {
        head->format[format] = parts_whole(parts) != 0;
    }
    for (size_t i = 0; i < HEAD_TEXTS; i++) {
        head->text[i] = parts_text(parts);
    }
    head->shard = (struct shard){(uint32_t)number, (uint32_t)count};
    if (!parts->bad && parts->left == 0 && plausible(head, number, count)) {
        return true;
    }
    journal_head_free(head);
    return false;
}

#include "report/collect.h"

#include "core/error.h"
#include "report/run_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LISTED 8 /* missing shards that a message names */

/* --- whether it is all there --- */

static int by_shard(const void *a, const void *b)
{
    const struct journal *one = a, *other = b;
    return one->head.shard.number < other->head.shard.number   ? -1
           : one->head.shard.number > other->head.shard.number ? 1
                                                               : strcmp(one->path, other->path);
}

static bool check_one(const struct journal *journal, struct error *err)
{
    const struct shard *shard = &journal->head.shard;
    if (journal->cut > 0) {
        return error_input(err, NULL,
                           "%s: is damaged %" PRIu64 " bytes from its start; play shard %" PRIu32
                           "/%" PRIu32 " again",
                           journal->path, journal->bytes, shard->number, shard->count);
    }
    return journal->have == journal->own ||
           error_input(err, NULL,
                       "%s: shard %" PRIu32 "/%" PRIu32 " is not finished, %zu of its %zu cells "
                       "are there; run it again",
                       journal->path, shard->number, shard->count, journal->have, journal->own);
}

static bool check_pair(const struct journal *first, const struct journal *journal,
                       struct error *err)
{
    if (!journal_head_same(&first->head, &journal->head, journal->path, err)) {
        return false;
    }
    return first->head.shard.count == journal->head.shard.count ||
           error_input(
               err, NULL, "%s: is a shard of %" PRIu32 ", expected one of %" PRIu32 " like %s",
               journal->path, journal->head.shard.count, first->head.shard.count, first->path);
}

static bool say_missing(const char *list, size_t missing, uint32_t all, struct error *err)
{
    if (missing == 1) {
        return error_input(err, NULL, "shard %s of %" PRIu32 " is missing", list, all);
    }
    return error_input(err, NULL, "%zu shards of %" PRIu32 " are missing: %s%s", missing, all, list,
                       missing > LISTED ? " ..." : "");
}

/* Sorted, none twice: names the numbers that are left out. */
static bool none_missing(const struct journal *journals, size_t count, struct error *err)
{
    char list[LISTED * 8] = "";
    uint32_t all = journals[0].head.shard.count;
    size_t next = 0, missing = 0;
    for (uint32_t number = 1; number <= all; number++) {
        if (next < count && journals[next].head.shard.number == number) {
            next++;
        } else if (missing++ < LISTED) {
            size_t used = strlen(list);
            snprintf(list + used, sizeof list - used, "%s%" PRIu32, used ? ", " : "", number);
        }
    }
    return missing == 0 || say_missing(list, missing, all, err);
}

bool collect_check(struct journal *journals, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!check_pair(&journals[0], &journals[i], err) || !check_one(&journals[i], err)) {
            return false;
        }
    }
    qsort(journals, count, sizeof *journals, by_shard);
    for (size_t i = 1; i < count; i++) {
        if (journals[i - 1].head.shard.number == journals[i].head.shard.number) {
            return error_input(err, NULL, "%s and %s are both shard %" PRIu32 "/%" PRIu32,
                               journals[i - 1].path, journals[i].path,
                               journals[i].head.shard.number, journals[i].head.shard.count);
        }
    }
    return none_missing(journals, count, err);
}

/* --- the files --- */

struct collected collect_sum(const struct journal *journals, size_t count)
{
    const struct journal_head *head = &journals[0].head;
    struct collected sum = {.points = (size_t)(head->cells * head->strategies)};
    for (size_t i = 0; i < count; i++) {
        sum.plays += journals[i].plays;
        sum.reprices += journals[i].reprices;
    }
    return sum;
}

static bool write_rows(const struct journal *journals, enum rows_format format, FILE *out,
                       struct error *err)
{
    const struct journal_head *head = &journals[0].head;
    size_t points = (size_t)(head->cells * head->strategies);
    if (format == ROWS_CSV) {
        fputs(head->text[HEAD_COLUMNS], out);
    }
    for (size_t point = 0; point < points; point++) {
        size_t shard = shard_of_cell(journal_cell(head, point), head->shard.count) - 1;
        if (!journal_copy(&journals[shard], point, format, out, err)) {
            return false;
        }
    }
    return true;
}

static bool write_run(const struct journal *journals, size_t count, FILE *out, struct error *err)
{
    const struct journal_head *head = &journals[0].head;
    struct run_about about = {.path = head->text[HEAD_PATH],
                              .settings = head->text[HEAD_SETTINGS],
                              .configuration = head->text[HEAD_CONFIGURATION]};
    struct collected sum = collect_sum(journals, count);
    return run_json_write(out, &about, sum.plays, sum.reprices, err);
}

enum { RUN_FILE = ROWS_FORMATS, FILES };

/* Writes one of the files, closed, under its temporary name. */
static bool write_file(const struct journal *journals, size_t count, int which, const char *folder,
                       struct output *output, struct error *err)
{
    static const char *const name[FILES] = {"rows.csv", "rows.jsonl", "run.json"};
    output_sweep(folder, name[which]);
    return output_open(output, folder, name[which], err) &&
           (which == RUN_FILE ? write_run(journals, count, output->file, err)
                              : write_rows(journals, (enum rows_format)which, output->file, err)) &&
           output_close(output, err);
}

bool collect_write(const struct journal *journals, size_t count, const char *folder,
                   struct error *err)
{
    struct output outputs[FILES] = {0};
    bool good = true;
    for (int i = 0; good && i < FILES; i++) {
        if (i == RUN_FILE || journals[0].head.format[i]) {
            good = write_file(journals, count, i, folder, &outputs[i], err);
        }
    }
    for (int i = 0; good && i < FILES; i++) {
        good = !outputs[i].temporary[0] || output_keep(&outputs[i], err);
    }
    for (int i = 0; i < FILES; i++) {
        output_drop(&outputs[i]);
    }
    return good;
}

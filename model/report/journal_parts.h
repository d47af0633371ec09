/*
 * journal_parts - what the files behind journal.h share; not for others.
 *
 * A record in memory: whole numbers of 64 bits, little-endian, and texts, each
 * with its length before it.
 */
#ifndef S2FLUSH_REPORT_JOURNAL_PARTS_H
#define S2FLUSH_REPORT_JOURNAL_PARTS_H

#include "report/journal.h"

#define JOURNAL_MAGIC "s2flush cells 1\n"
#define JOURNAL_MAGIC_BYTES (sizeof JOURNAL_MAGIC - 1)

enum record_kind { RECORD_HEAD = 1, RECORD_CELL };

/* A record being made; starts zeroed, freed with free(data). */
struct record {
    unsigned char *data;
    size_t bytes, room;
};

void record_whole(struct record *record, uint64_t value);
void record_bytes(struct record *record, const void *data, size_t bytes);
void record_text(struct record *record, const char *text);

/* A record being taken apart; once something is missing all that follows is
 * zero, and `bad`. */
struct parts {
    const unsigned char *at;
    size_t left;
    bool bad;
};

uint64_t parts_whole(struct parts *parts);
char *parts_text(struct parts *parts); /* the caller frees it; NULL where bad */

void journal_head_put(const struct journal_head *head, struct record *record);

/* False where it is none that a journal could have. */
bool journal_head_take(struct journal_head *head, struct parts *parts);

/* Writes the first setting in which two heads differ, as "KEY FOUND, expected WANTED" with
 * values as in run.json, long ones cut; false where no setting does, or a head holds none. */
bool journal_differ(const struct journal_head *wanted, const struct journal_head *found, char *text,
                    size_t size);

/* What of a head, or of the rows of one point, may not stand in results: text
 * that readers of tables or of JSON would take for something else. NULL: all may. */
const char *journal_head_strange(const struct journal_head *head);
const char *journal_rows_strange(const struct journal_head *head, enum rows_format format,
                                 const char *text, size_t length);

/* What stands at an offset of a file. */
enum record_state { RECORD_SOUND, RECORD_CUT, RECORD_DAMAGED, RECORD_UNREAD };

#define RECORD_START ((size_t)16) /* kind and length, before the payload */

/* Reads the record at `at` of a file of `size` bytes, start and payload, in
 * place of what was in `record`; `next` is the offset behind it. RECORD_UNREAD
 * with errno where reading failed. */
enum record_state record_read(int fd, uint64_t at, uint64_t size, enum record_kind *kind,
                              struct record *record, uint64_t *next);

/* Writes a record with this payload; false with errno. */
bool record_write(int fd, uint64_t at, enum record_kind kind, const struct record *payload,
                  uint64_t *next);

#endif

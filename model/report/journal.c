#include "report/journal.h"

#include "core/alloc.h"
#include "core/error.h"
#include "report/journal_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Runs of one cell, far beyond any study's: the sum over all cells stays a number of
 * JSON. */
#define RUNS_MAX UINT32_MAX

static bool failed(const struct journal *journal, struct error *err)
{
    return error_run(err, "%s: %s", journal->path, strerror(errno));
}

static bool set_path(struct journal *journal, const char *folder, const char *name,
                     struct error *err)
{
    int length =
        snprintf(journal->path, sizeof journal->path, "%s%s%s", folder, folder[0] ? "/" : "", name);
    return (length > 0 && (size_t)length < sizeof journal->path) ||
           error_input(err, NULL, "the output folder's name is too long");
}

/* Once the head is known. */
static void make_room(struct journal *journal)
{
    journal->at = alloc_zeroed(journal->head.cells, sizeof *journal->at, "cells");
    journal->own = shard_cells(journal->head.shard, journal->head.cells);
}

/* --- reading --- */

/* What is strange about a cell's rows; NULL: nothing. `parts` stands before their
 * lengths. */
static const char *strange_rows(const struct journal_head *head, struct parts parts)
{
    const char *strange = NULL;
    const unsigned char *text = parts.at + journal_head_rows(head) * sizeof(uint64_t);
    for (int format = 0; format < ROWS_FORMATS; format++) {
        for (size_t s = 0; head->format[format] && s < head->strategies && !strange; s++) {
            size_t length = (size_t)parts_whole(&parts);
            strange =
                journal_rows_strange(head, (enum rows_format)format, (const char *)text, length);
            text += length;
        }
    }
    return strange;
}

/* Takes one cell's record up; false where it is none of this journal's, or its
 * rows are `strange`. */
static bool take_cell(struct journal *journal, const struct record *record, uint64_t at,
                      const char **strange)
{
    struct parts parts = {record->data + RECORD_START, record->bytes - RECORD_START, false};
    uint64_t cell = parts_whole(&parts), plays = parts_whole(&parts),
             reprices = parts_whole(&parts), bytes = 0;
    struct parts lengths = parts;
    for (size_t i = 0; i < journal_head_rows(&journal->head); i++) {
        uint64_t length = parts_whole(&parts);
        if (length > record->bytes) {
            return false;
        }
        bytes += length;
    }
    if (parts.bad || bytes != parts.left || plays > RUNS_MAX || reprices > RUNS_MAX ||
        cell >= journal->head.cells || journal->at[cell] != 0 ||
        shard_of_cell(cell, journal->head.shard.count) != journal->head.shard.number) {
        return false;
    }
    *strange = strange_rows(&journal->head, lengths);
    if (*strange) {
        return false;
    }
    journal->at[cell] = at;
    journal->have++;
    journal->plays += plays;
    journal->reprices += reprices;
    return true;
}

/* Reads cells until the end of the file or of what is sound. */
static bool read_cells(struct journal *journal, uint64_t size, struct error *err)
{
    struct record record = {0};
    enum record_kind kind;
    uint64_t next = 0;
    const char *strange = NULL;
    enum record_state state = RECORD_SOUND;
    while (state == RECORD_SOUND && journal->bytes < size) {
        state = record_read(journal->fd, journal->bytes, size, &kind, &record, &next);
        if (state == RECORD_SOUND && kind == RECORD_CELL &&
            take_cell(journal, &record, journal->bytes, &strange)) {
            journal->bytes = next;
        } else if (state == RECORD_SOUND) {
            state = RECORD_DAMAGED;
        }
    }
    free(record.data);
    journal->cut = size - journal->bytes;
    if (strange) {
        return error_input(err, NULL,
                           "%s: found %s, %" PRIu64 " bytes from its start: no rows of s2flush",
                           journal->path, strange, journal->bytes);
    }
    return state != RECORD_UNREAD || failed(journal, err);
}

/* Reads magic and head; RECORD_CUT where the file ends before that is over. */
static enum record_state read_head(struct journal *journal, uint64_t size)
{
    char magic[JOURNAL_MAGIC_BYTES];
    struct record record = {0};
    enum record_kind kind;
    ssize_t got = pread(journal->fd, magic, sizeof magic, 0);
    if (got < 0) {
        return RECORD_UNREAD;
    }
    if (memcmp(magic, JOURNAL_MAGIC, (size_t)got) != 0) {
        return RECORD_DAMAGED;
    }
    enum record_state state =
        record_read(journal->fd, sizeof magic, size, &kind, &record, &journal->bytes);
    if (state == RECORD_SOUND) {
        struct parts parts = {record.data + RECORD_START, record.bytes - RECORD_START, false};
        bool good = kind == RECORD_HEAD && journal_head_take(&journal->head, &parts);
        state = good ? RECORD_SOUND : RECORD_DAMAGED;
    }
    free(record.data);
    return state;
}

/* What cells are read against. */
static bool sound_head(struct journal *journal, struct error *err)
{
    const char *strange = journal_head_strange(&journal->head);
    make_room(journal);
    return !strange || error_input(err, NULL, "%s: found %s in its head", journal->path, strange);
}

static bool file_size(struct journal *journal, uint64_t *size, struct error *err)
{
    struct stat info;
    if (fstat(journal->fd, &info) != 0) {
        return failed(journal, err);
    }
    *size = (uint64_t)info.st_size;
    return S_ISREG(info.st_mode) || error_input(err, NULL, "%s: is no file", journal->path);
}

static bool read_whole(struct journal *journal, struct error *err)
{
    uint64_t size = 0;
    if (!file_size(journal, &size, err)) {
        return false;
    }
    enum record_state state = read_head(journal, size);
    if (state == RECORD_UNREAD) {
        return failed(journal, err);
    }
    if (state != RECORD_SOUND) {
        return error_input(err, NULL, "%s: is no file of cells of s2flush, or damaged",
                           journal->path);
    }
    return sound_head(journal, err) && read_cells(journal, size, err);
}

bool journal_read(struct journal *journal, const char *path, struct error *err)
{
    *journal = (struct journal){0};
    if (!set_path(journal, "", path, err)) {
        return false;
    }
    journal->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (journal->fd < 0) {
        return error_input(err, NULL, "%s: %s", path, strerror(errno));
    }
    journal->open = true;
    if (!read_whole(journal, err)) {
        journal_close(journal);
        return false;
    }
    return true;
}

/* --- starting --- */

/* Whether the path still leads to the file that is open: who finishes removes or
 * renames it. */
static bool still_there(const struct journal *journal)
{
    struct stat open_file, named;
    return fstat(journal->fd, &open_file) == 0 && stat(journal->path, &named) == 0 &&
           open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

static bool lock(struct journal *journal, struct error *err)
{
    if (flock(journal->fd, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    if (errno == EWOULDBLOCK) {
        return error_run(err, "%s: another process is playing into this folder", journal->path);
    }
    journal->unlocked = true;
    return true;
}

static bool open_locked(struct journal *journal, struct error *err)
{
    do {
        journal_close(journal);
        journal->fd = open(journal->path,
                           O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
        if (journal->fd < 0) {
            return errno == ELOOP
                       ? error_input(err, NULL, "%s: is a link, expected a file", journal->path)
                       : failed(journal, err);
        }
        journal->open = true;
        if (!lock(journal, err)) {
            return false;
        }
    } while (!still_there(journal));
    return true;
}

/* Nothing is in it yet. */
static bool write_head(struct journal *journal, struct journal_head *head, struct error *err)
{
    struct record record = {0};
    bool good =
        ftruncate(journal->fd, 0) == 0 &&
        pwrite(journal->fd, JOURNAL_MAGIC, JOURNAL_MAGIC_BYTES, 0) == (ssize_t)JOURNAL_MAGIC_BYTES;
    journal_head_put(head, &record);
    good = good &&
           record_write(journal->fd, JOURNAL_MAGIC_BYTES, RECORD_HEAD, &record, &journal->bytes);
    free(record.data);
    if (!good) {
        failed(journal, err);
        journal_drop(journal);
        return false;
    }
    journal->head = *head;
    *head = (struct journal_head){0};
    make_room(journal);
    return true;
}

static bool go_on(struct journal *journal, const struct journal_head *head, uint64_t size,
                  struct error *err)
{
    if (!sound_head(journal, err) || !journal_head_same(head, &journal->head, journal->path, err) ||
        !read_cells(journal, size, err)) {
        return false;
    }
    return journal->cut == 0 || ftruncate(journal->fd, (off_t)journal->bytes) == 0 ||
           failed(journal, err);
}

static bool go_on_or_start(struct journal *journal, struct journal_head *head, bool fresh,
                           struct error *err)
{
    uint64_t size = 0;
    if (!file_size(journal, &size, err)) {
        return false;
    }
    enum record_state state = fresh ? RECORD_CUT : read_head(journal, size);
    switch (state) {
    case RECORD_CUT: /* the end came before any cell was there */
        return write_head(journal, head, err);
    case RECORD_SOUND:
        return go_on(journal, head, size, err);
    case RECORD_DAMAGED:
        return error_input(err, NULL, "%s: is no journal of this version, or damaged",
                           journal->path);
    case RECORD_UNREAD:
        break;
    }
    return failed(journal, err);
}

bool journal_start(struct journal *journal, const char *folder, const char *name,
                   struct journal_head *head, bool fresh, struct error *err)
{
    *journal = (struct journal){0};
    if (!set_path(journal, folder, name, err) || !open_locked(journal, err) ||
        !go_on_or_start(journal, head, fresh, err)) {
        journal_close(journal);
        return false;
    }
    return true;
}

bool journal_has(const struct journal *journal, size_t cell)
{
    return journal->at[cell] != 0;
}

bool journal_whole(const struct journal *journal)
{
    return journal->have == journal->own && journal->cut == 0;
}

/* --- ending --- */

bool journal_keep(struct journal *journal, const char *name, struct error *err)
{
    char path[OUTPUT_PATH];
    const char *slash = strrchr(journal->path, '/');
    int folder = slash ? (int)(slash - journal->path) + 1 : 0;
    int length = snprintf(path, sizeof path, "%.*s%s", folder, journal->path, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return error_input(err, NULL, "the output folder's name is too long");
    }
    if (fsync(journal->fd) != 0 || rename(journal->path, path) != 0) {
        return failed(journal, err);
    }
    memcpy(journal->path, path, (size_t)length + 1);
    return true;
}

void journal_drop(struct journal *journal)
{
    if (journal->open) {
        (void)unlink(journal->path);
    }
}

void journal_close(struct journal *journal)
{
    if (journal->open) {
        (void)close(journal->fd);
        journal->open = false;
    }
    journal_head_free(&journal->head);
    free(journal->at);
    journal->at = NULL;
}

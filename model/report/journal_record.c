/* Records: how they are put together, written, read and checked. */
#include "core/alloc.h"
#include "core/error.h"
#include "report/journal_parts.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

/* More than any cell needs: 32 strategies, all metrics, twice. */
#define PAYLOAD_MAX (UINT64_C(1) << 30)

/* --- putting together --- */

static unsigned char *extend(struct record *record, size_t bytes)
{
    if (record->room - record->bytes < bytes) {
        record->room = (record->room + bytes) * 2;
        record->data = realloc(record->data, record->room);
        if (!record->data) {
            error_fatal("out of memory for %zu bytes of results", record->room);
        }
    }
    record->bytes += bytes;
    return record->data + record->bytes - bytes;
}

void record_bytes(struct record *record, const void *data, size_t bytes)
{
    if (bytes > 0) {
        memcpy(extend(record, bytes), data, bytes);
    }
}

void record_whole(struct record *record, uint64_t value)
{
    uint64_t little = htole64(value);
    record_bytes(record, &little, sizeof little);
}

void record_text(struct record *record, const char *text)
{
    record_whole(record, strlen(text));
    record_bytes(record, text, strlen(text));
}

/* --- taking apart --- */

uint64_t parts_whole(struct parts *parts)
{
    uint64_t little = 0;
    if (parts->left < sizeof little) {
        parts->bad = true;
        parts->left = 0;
        return 0;
    }
    memcpy(&little, parts->at, sizeof little);
    parts->at += sizeof little;
    parts->left -= sizeof little;
    return le64toh(little);
}

char *parts_text(struct parts *parts)
{
    uint64_t length = parts_whole(parts);
    if (parts->bad || length > parts->left || memchr(parts->at, '\0', length)) {
        parts->bad = true;
        parts->left = 0;
        return NULL;
    }
    char *text = alloc_zeroed(length + 1, 1, "bytes of text");
    memcpy(text, parts->at, length);
    parts->at += length;
    parts->left -= length;
    return text;
}

/* --- the file --- */

/* False with errno, which is 0 where the file ends before. */
static bool read_all(int fd, void *data, size_t bytes, uint64_t at)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t got = pread(fd, (char *)data + done, bytes - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            errno = got < 0 ? errno : 0;
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const void *data, size_t bytes, uint64_t at)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t put = pwrite(fd, (const char *)data + done, bytes - done, (off_t)(at + done));
        if (put < 0 && errno != EINTR) {
            return false;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return true;
}

static uint64_t checksum(const struct record *whole)
{
    return XXH3_64bits(whole->data, whole->bytes);
}

static enum record_state unread(void)
{
    return errno ? RECORD_UNREAD : RECORD_CUT;
}

enum record_state record_read(int fd, uint64_t at, uint64_t size, enum record_kind *kind,
                              struct record *record, uint64_t *next)
{
    uint64_t start[2], sum;
    record->bytes = 0;
    if (at > size || size - at < sizeof start + sizeof sum) {
        return RECORD_CUT;
    }
    if (!read_all(fd, extend(record, sizeof start), sizeof start, at)) {
        return unread();
    }
    memcpy(start, record->data, sizeof start);
    uint64_t bytes = le64toh(start[1]);
    if (le64toh(start[0]) < RECORD_HEAD || le64toh(start[0]) > RECORD_CELL || bytes > PAYLOAD_MAX) {
        return RECORD_DAMAGED;
    }
    if (bytes > size - at - sizeof start - sizeof sum) {
        return RECORD_CUT;
    }
    if (!read_all(fd, extend(record, bytes + sizeof sum), bytes + sizeof sum, at + sizeof start)) {
        return unread();
    }
    record->bytes -= sizeof sum;
    memcpy(&sum, record->data + record->bytes, sizeof sum);
    *kind = (enum record_kind)le64toh(start[0]);
    *next = at + record->bytes + sizeof sum;
    return le64toh(sum) == checksum(record) ? RECORD_SOUND : RECORD_DAMAGED;
}

bool record_write(int fd, uint64_t at, enum record_kind kind, const struct record *payload,
                  uint64_t *next)
{
    struct record whole = {0};
    record_whole(&whole, kind);
    record_whole(&whole, payload->bytes);
    record_bytes(&whole, payload->data, payload->bytes);
    record_whole(&whole, checksum(&whole));
    bool good = write_all(fd, whole.data, whole.bytes, at);
    int cause = errno;
    *next = at + whole.bytes;
    free(whole.data);
    errno = cause;
    return good;
}

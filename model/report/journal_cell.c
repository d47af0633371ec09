/* A cell's rows into a journal and out of it. */
#include "core/error.h"
#include "report/journal_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers before the lengths of a cell's rows: cell, plays, reprices. */
#define CELL_NUMBERS 3

size_t journal_cell(const struct journal_head *head, size_t point)
{
    size_t stride = (size_t)head->stride;
    return point / (stride * (size_t)head->strategies) * stride + point % stride;
}

/* --- into it --- */

/* All rows of a cell, and where each point's end. */
struct cell_rows {
    char *text;
    size_t bytes;
    size_t *end; /* [format][strategy] */
};

static bool write_rows(const struct journal_head *head, const struct study *study,
                       const struct study_results *results, size_t cell, const bool wanted[METRICS],
                       struct cell_rows *rows)
{
    size_t count = 0;
    FILE *out = open_memstream(&rows->text, &rows->bytes);
    if (!out) {
        return false;
    }
    bool good = true;
    for (int format = 0; format < ROWS_FORMATS; format++) {
        for (size_t s = 0; head->format[format] && s < head->strategies; s++) {
            size_t point = study_point(study, cell, s);
            rows_point(out, (enum rows_format)format, study, point, &results->points[point],
                       wanted);
            good = fflush(out) == 0 && good;
            rows->end[count++] = rows->bytes;
        }
    }
    return fclose(out) == 0 && good;
}

static void put_cell(const struct cell_done *cell, const struct cell_rows *rows, size_t count,
                     struct record *record)
{
    record_whole(record, cell->index);
    record_whole(record, cell->plays);
    record_whole(record, cell->reprices);
    for (size_t i = 0; i < count; i++) {
        record_whole(record, rows->end[i] - (i ? rows->end[i - 1] : 0));
    }
    record_bytes(record, rows->text, rows->bytes);
}

/* One thread at a time. What was written in part is taken back, so that others
 * may try, and nobody finds half a record. */
static bool append(struct journal *journal, const struct cell_done *cell,
                   const struct record *record, struct error *err)
{
    uint64_t next;
    if (!record_write(journal->fd, journal->bytes, RECORD_CELL, record, &next)) {
        error_run(err, "%s: %s", journal->path, strerror(errno));
        (void)!ftruncate(journal->fd, (off_t)journal->bytes);
        return false;
    }
    journal->at[cell->index] = journal->bytes;
    journal->bytes = next;
    journal->have++;
    journal->plays += cell->plays;
    journal->reprices += cell->reprices;
    return true;
}

bool journal_add(struct journal *journal, const struct study *study,
                 const struct study_results *results, const struct cell_done *cell,
                 const bool wanted[METRICS], struct error *err)
{
    size_t count = journal_head_rows(&journal->head);
    struct cell_rows rows = {.end = calloc(count, sizeof *rows.end)};
    struct record record = {0};
    bool good;
    if (!rows.end || !write_rows(&journal->head, study, results, cell->index, wanted, &rows)) {
        error_fatal("out of memory for the rows of a cell");
    }
    put_cell(cell, &rows, count, &record);
#pragma omp critical(journal)
    good = append(journal, cell, &record, err);
    free(record.data);
    free(rows.text);
    free(rows.end);
    return good;
}

/* --- out of it --- */

/* Where in the file the rows of a point are. */
struct piece {
    uint64_t at, bytes;
};

static bool find_piece(const struct journal *journal, size_t cell, size_t index,
                       struct piece *piece)
{
    size_t count = CELL_NUMBERS + journal_head_rows(&journal->head);
    size_t bytes = count * sizeof(uint64_t);
    unsigned char *start = malloc(bytes);
    if (!start) {
        error_fatal("out of memory for the rows of a cell");
    }
    bool good = pread(journal->fd, start, bytes, (off_t)(journal->at[cell] + RECORD_START)) ==
                (ssize_t)bytes;
    struct parts parts = {start, good ? bytes : 0, false};
    for (size_t i = 0; i < CELL_NUMBERS; i++) {
        parts_whole(&parts);
    }
    piece->at = journal->at[cell] + RECORD_START + bytes;
    for (size_t i = 0; i < index; i++) {
        piece->at += parts_whole(&parts);
    }
    piece->bytes = parts_whole(&parts);
    free(start);
    return good;
}

bool journal_copy(const struct journal *journal, size_t point, enum rows_format format, FILE *out,
                  struct error *err)
{
    const struct journal_head *head = &journal->head;
    size_t strategies = (size_t)head->strategies;
    size_t index = point / (size_t)head->stride % strategies;
    struct piece piece = {0};
    if (format == ROWS_JSONL && head->format[ROWS_CSV]) {
        index += strategies;
    }
    bool good = find_piece(journal, journal_cell(head, point), index, &piece);
    while (good && piece.bytes > 0) {
        char chunk[16384];
        size_t want = piece.bytes < sizeof chunk ? (size_t)piece.bytes : sizeof chunk;
        ssize_t got = pread(journal->fd, chunk, want, (off_t)piece.at);
        good = got > 0;
        if (good) {
            fwrite(chunk, 1, (size_t)got, out);
            piece.at += (uint64_t)got;
            piece.bytes -= (uint64_t)got;
        }
    }
    return good || error_run(err, "%s: cannot be read any more", journal->path);
}

/*
 * journal - finished cells of a study in a file: where a run that was stopped
 * goes on, and what a shard leaves for `s2flush merge`.
 *
 * A line that says what it is, the head, and a record for each cell in the
 * order in which they were finished: its number, its runs, and its rows as they
 * will stand in the results. Each record carries a checksum (XXH3 of its kind,
 * length and contents). The first that is cut short or damaged ends what
 * counts; what lies behind is cut off and played again.
 *
 * Records are appended by one write each and reach the disk when the system
 * sees fit: after a loss of power there may be fewer of them.
 */
#ifndef S2FLUSH_REPORT_JOURNAL_H
#define S2FLUSH_REPORT_JOURNAL_H

#include "report/journal_head.h"
#include "report/output.h"
#include "study/execute.h"

struct error;

struct journal {
    char path[OUTPUT_PATH];
    bool open;
    int fd;
    bool unlocked; /* the file system has no locks */
    struct journal_head head;
    uint64_t bytes; /* up to the end of the last sound record */
    uint64_t cut; /* bytes behind it when it was opened */
    uint64_t *at; /* [cells]: where in the file a cell's record is; 0: not there */
    size_t own, have; /* cells of the shard, and those that are there */
    uint64_t plays, reprices; /* of those */
};

/* Opens the journal of that name in a folder, to go on with it, or starts one;
 * takes over `head`. `fresh` drops what is there. False, with one line, where
 * another process has it open (EXIT_RUN), it cannot be written (EXIT_RUN), or
 * it is of another configuration or program, or none (EXIT_INPUT). */
bool journal_start(struct journal *journal, const char *folder, const char *name,
                   struct journal_head *head, bool fresh, struct error *err);

/* Opens a journal that nobody writes to any more; false where it is none. */
bool journal_read(struct journal *journal, const char *path, struct error *err);

/* Whether a cell is there; whether all of the shard's are, and nothing else. */
bool journal_has(const struct journal *journal, size_t cell);
bool journal_whole(const struct journal *journal);

/* Appends a cell that was played; threads may call at the same time. False with
 * a line where it cannot be written; the journal is then as it was before. */
bool journal_add(struct journal *journal, const struct study *study,
                 const struct study_results *results, const struct cell_done *cell,
                 const bool wanted[METRICS], struct error *err);

/* Copies the rows of a point, by its number in the whole study, that is there. */
bool journal_copy(const struct journal *journal, size_t point, enum rows_format format, FILE *out,
                  struct error *err);

/* Gives the journal, with all of it on the disk, another name in its folder. */
bool journal_keep(struct journal *journal, const char *name, struct error *err);

/* Removes the file. */
void journal_drop(struct journal *journal);

/* Frees what is in memory; harmless on zeroed memory and twice. */
void journal_close(struct journal *journal);

/* The cell of a point, and the point's place in it. */
size_t journal_cell(const struct journal_head *head, size_t point);

#endif

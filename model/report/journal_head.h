/*
 * journal_head - what the cells of a journal are of: everything besides them
 * that the results need, so that nobody has to read the study again.
 */
#ifndef S2FLUSH_REPORT_JOURNAL_HEAD_H
#define S2FLUSH_REPORT_JOURNAL_HEAD_H

#include "report/rows.h"
#include "study/shard.h"

struct error;

enum head_text {
    HEAD_STUDY, /* its name */
    HEAD_VERSION, /* of the program that plays it */
    HEAD_PROGRAM, /* core/build_id.h */
    HEAD_CONFIG, /* a hash of all that determines the results */
    HEAD_COLUMNS, /* the header line of CSV */
    HEAD_PATH, /* the three of report/run_json.h */
    HEAD_SETTINGS,
    HEAD_CONFIGURATION,
    HEAD_TEXTS
};

struct journal_head {
    struct shard shard;
    uint64_t cells; /* of the whole study */
    uint64_t strategies; /* points in a cell */
    uint64_t stride; /* of the strategy among the points */
    bool format[ROWS_FORMATS]; /* rows are there as */
    char *text[HEAD_TEXTS]; /* owned */
};

/* The head of a study's journal. `jobs` threads resolve its cells. False with
 * the line of the first that cannot be resolved. */
bool journal_head_of(struct journal_head *head, const struct study *study,
                     const bool format[ROWS_FORMATS], struct shard shard, unsigned jobs,
                     struct error *err);
void journal_head_free(struct journal_head *head);

/* How many texts of rows a cell has: for each format, for each strategy. */
size_t journal_head_rows(const struct journal_head *head);

/* Whether the results of both may stand together; false with a line in which
 * `path` has the second head. */
bool journal_head_same(const struct journal_head *wanted, const struct journal_head *found,
                       const char *path, struct error *err);

#endif

/*
 * database - one SQLite file: its errors as lines, its transactions, and rows that carry a
 * checksum.
 *
 * One process at a time has a file open. What is written becomes durable in transactions that are
 * ended every 20 ms or few changes; a process that is killed leaves what was ended. Calls of
 * several threads must not overlap.
 */
#ifndef S2FLUSH_CORE_DATABASE_H
#define S2FLUSH_CORE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct error;

#define DATABASE_PATH 4096
#define DATABASE_STATEMENTS 24

struct database {
    sqlite3 *file;
    char path[DATABASE_PATH]; /* "": in memory */
    bool is_new; /* nothing is in it */
    bool unlocked; /* the file system has no locks */
    bool writing; /* a transaction is open */
    double ended_s; /* when the last one was */
    unsigned changes; /* since then */
    struct {
        const char *sql;
        sqlite3_stmt *prepared;
    } statements[DATABASE_STATEMENTS];
};

enum database_mode {
    DATABASE_WRITE, /* goes on with what is there, or makes it */
    DATABASE_FRESH, /* drops what is there */
    DATABASE_READ,
};

/* `path` NULL: in memory, gone with the program. False with a line where another process has it
 * open, it cannot be opened (EXIT_RUN), or it is no database (EXIT_INPUT). */
bool database_open(struct database *database, const char *path, enum database_mode mode,
                   struct error *err);

/* Ends the transaction and closes it, as one file without any beside it. Harmless on zeroed
 * memory. */
bool database_close(struct database *database, struct error *err);

/* Closes it and removes the file. */
void database_drop(struct database *database);

/* Runs statements that give nothing back. */
bool database_run(struct database *database, const char *sql, struct error *err);

/* The one whole number that a statement gives; 0 where there is none. */
bool database_ask(struct database *database, const char *sql, uint64_t *value, struct error *err);

/* Before a write; after one that was `good`. A failed one takes its whole transaction back. */
bool database_begin(struct database *database, struct error *err);
bool database_written(struct database *database, bool good, struct error *err);

/* Ends the transaction. */
bool database_commit(struct database *database, struct error *err);

/* --- rows --- */

/* A statement with its values, or one whose rows are read, column by column. */
struct row {
    struct database *database;
    sqlite3_stmt *prepared;
    int column; /* the next one */
    uint64_t checksum; /* of the values so far */
};

/* Of a text that stays: it is prepared once. */
bool row_open(struct row *row, struct database *database, const char *sql, struct error *err);

void row_put_text(struct row *row, const char *text); /* NULL: null */
void row_put_whole(struct row *row, uint64_t value);
void row_put_real(struct row *row, bool known, double value); /* unknown: null */
bool row_write(struct row *row, struct error *err);

/* The next row; false at the end, and with a line where reading failed: then *good is false. */
bool row_next(struct row *row, bool *good, struct error *err);

/* Where not all rows are read. */
void row_end(struct row *row);

/* A column's value; what is null or of another type is "", 0, or not known. Texts are valid until
 * the next row. */
const char *row_text(struct row *row);
uint64_t row_whole(struct row *row);
double row_real(struct row *row, bool *known);

#endif

#include "core/database.h"

#include "core/error.h"
#include "core/invariant.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

/* A transaction ends after so long or so many changes, whichever comes first: a fast run that is
 * stopped leaves as much as a slow one. */
#define TRANSACTION_S 0.02
#define TRANSACTION_CHANGES 4
#define TEXT_MAX (64 << 20) /* more than any of this program's files has */

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* --- errors --- */

static bool failed(const struct database *database, int code, struct error *err)
{
    const char *path = database->path;
    int cause = database->file ? sqlite3_system_errno(database->file) : 0;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_run(err, "%s: another process is playing into this folder", path);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:
        return error_input(err, NULL, "%s: is no store of samples of s2flush, or damaged", path);
    case SQLITE_CANTOPEN:
        if (code == SQLITE_CANTOPEN_SYMLINK || cause == ELOOP) {
            return error_input(err, NULL, "%s: is a link, expected a file", path);
        }
        break;
    case SQLITE_FULL:
        cause = cause ? cause : ENOSPC;
        break;
    }
    const char *words = code == SQLITE_IOERR_WRITE ? "cannot be written" : sqlite3_errstr(code);
    return error_run(err, "%s: %s", path, cause ? strerror(cause) : words);
}

/* A line about the last error; false. */
static bool last_failed(const struct database *database, struct error *err)
{
    return failed(database, sqlite3_extended_errcode(database->file), err);
}

/* --- statements --- */

bool database_run(struct database *database, const char *sql, struct error *err)
{
    return sqlite3_exec(database->file, sql, NULL, NULL, NULL) == SQLITE_OK ||
           last_failed(database, err);
}

bool database_ask(struct database *database, const char *sql, uint64_t *value, struct error *err)
{
    sqlite3_stmt *asked = NULL;
    int code = sqlite3_prepare_v2(database->file, sql, -1, &asked, NULL);
    *value = 0;
    if (code == SQLITE_OK) {
        code = sqlite3_step(asked);
    }
    if (code == SQLITE_ROW) {
        *value = (uint64_t)sqlite3_column_int64(asked, 0);
    }
    bool good = code == SQLITE_ROW || code == SQLITE_DONE || last_failed(database, err);
    sqlite3_finalize(asked);
    return good;
}

/* --- transactions --- */

bool database_begin(struct database *database, struct error *err)
{
    database->writing = database->writing || database_run(database, "BEGIN IMMEDIATE", err);
    return database->writing;
}

static bool take_back(struct database *database)
{
    (void)sqlite3_exec(database->file, "ROLLBACK", NULL, NULL, NULL);
    database->writing = false;
    return false;
}

bool database_commit(struct database *database, struct error *err)
{
    if (database->writing && !database_run(database, "COMMIT", err)) {
        return take_back(database);
    }
    database->writing = false;
    database->ended_s = now_s();
    database->changes = 0;
    return true;
}

bool database_written(struct database *database, bool good, struct error *err)
{
    if (!good) {
        return take_back(database);
    }
    database->changes++;
    return (now_s() - database->ended_s < TRANSACTION_S &&
            database->changes < TRANSACTION_CHANGES) ||
           database_commit(database, err);
}

/* --- the file --- */

/* A write-ahead log survives kills and losses of power; no other process reads, so that it needs no
 * shared memory. Files of strangers are opened, too: nothing in them is run. */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; "
                               "PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; "
                               "PRAGMA cell_size_check = ON; PRAGMA user_version";

static void give_up(struct database *database)
{
    (void)sqlite3_close_v2(database->file);
    database->file = NULL;
}

static bool open_with(struct database *database, const char *locks, enum database_mode mode,
                      struct error *err)
{
    static const int more = SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX;
    const char *name = database->path[0] ? database->path : ":memory:";
    int flags =
        mode == DATABASE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int code = sqlite3_open_v2(name, &database->file, flags | more, locks);
    if (code != SQLITE_OK) {
        code = database->file ? sqlite3_extended_errcode(database->file) : code;
        failed(database, code, err);
        give_up(database);
        return false;
    }
    (void)sqlite3_limit(database->file, SQLITE_LIMIT_LENGTH, TEXT_MAX);
    (void)sqlite3_db_config(database->file, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return true;
}

/* Reads something, for that is what takes the lock; a file system that has none is done without. */
static bool take_lock(struct database *database, enum database_mode mode, struct error *err)
{
    if (!open_with(database, NULL, mode, err)) {
        return false;
    }
    const char *sql = mode == DATABASE_READ ? "PRAGMA user_version" : settings;
    if (database_run(database, sql, err) &&
        (mode == DATABASE_READ ||
         (database_begin(database, err) && database_commit(database, err)))) {
        return true;
    }
    int code = sqlite3_extended_errcode(database->file);
    bool lockless = code == SQLITE_IOERR_LOCK || code == SQLITE_IOERR_RDLOCK;
    give_up(database);
    database->unlocked = lockless && mode != DATABASE_READ;
    return database->unlocked && open_with(database, "unix-none", mode, err) &&
           database_run(database, settings, err);
}

static bool is_empty(struct database *database, struct error *err)
{
    uint64_t tables = 0;
    bool good = database_ask(database, "SELECT count(*) FROM sqlite_schema", &tables, err);
    database->is_new = tables == 0;
    return good;
}

/* What killed processes leave beside the file goes with it. */
static void remove_files(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-journal", "-shm"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char name[DATABASE_PATH + 16];
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        (void)unlink(name);
    }
}

/* A pipe would be waited for. */
static bool may_be_file(const char *path, enum database_mode mode, struct error *err)
{
    struct stat info;
    if (lstat(path, &info) != 0) {
        return mode != DATABASE_READ || error_input(err, NULL, "%s: %s", path, strerror(errno));
    }
    if (S_ISREG(info.st_mode)) {
        return true;
    }
    return S_ISDIR(info.st_mode) ? error_run(err, "%s: %s", path, strerror(EISDIR))
                                 : error_input(err, NULL, "%s: is %s, expected a file", path,
                                               S_ISLNK(info.st_mode) ? "a link" : "no file");
}

bool database_open(struct database *database, const char *path, enum database_mode mode,
                   struct error *err)
{
    *database = (struct database){0};
    if (path && strlen(path) >= sizeof database->path) {
        return error_input(err, NULL, "the output folder's name is too long");
    }
    if (path && mode == DATABASE_FRESH && !may_be_file(path, mode, err)) {
        (void)unlink(path);
    }
    if (path && !may_be_file(path, mode, err)) {
        return false;
    }
    snprintf(database->path, sizeof database->path, "%s", path ? path : "");
    bool good = take_lock(database, mode, err);
    if (mode == DATABASE_FRESH && (good || err->status == EXIT_INPUT)) {
        /* No other process has it, or it is no database. */
        give_up(database);
        remove_files(database->path);
        good = take_lock(database, mode, err);
    }
    good = good && is_empty(database, err);
    if (!good) {
        give_up(database);
    }
    return good;
}

static void finalize(struct database *database)
{
    for (size_t i = 0; i < DATABASE_STATEMENTS; i++) {
        sqlite3_finalize(database->statements[i].prepared);
        database->statements[i].prepared = NULL;
    }
}

bool database_close(struct database *database, struct error *err)
{
    if (!database->file) {
        return true;
    }
    bool good = database_commit(database, err);
    finalize(database);
    if (good && !sqlite3_db_readonly(database->file, "main")) {
        good = database_run(database, "PRAGMA journal_mode = DELETE", err);
    }
    give_up(database);
    return good;
}

void database_drop(struct database *database)
{
    if (database->file) {
        finalize(database);
        give_up(database);
        remove_files(database->path);
    }
}

/* --- rows --- */

bool row_open(struct row *row, struct database *database, const char *sql, struct error *err)
{
    size_t i = 0;
    while (i < DATABASE_STATEMENTS && database->statements[i].sql &&
           database->statements[i].sql != sql) {
        i++;
    }
    INVARIANT(i < DATABASE_STATEMENTS, "more than %d statements", DATABASE_STATEMENTS);
    sqlite3_stmt **prepared = &database->statements[i].prepared;
    database->statements[i].sql = sql;
    if (!*prepared && sqlite3_prepare_v3(database->file, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                         prepared, NULL) != SQLITE_OK) {
        return last_failed(database, err);
    }
    sqlite3_reset(*prepared);
    *row = (struct row){.database = database, .prepared = *prepared};
    return true;
}

static void add_up(struct row *row, const void *value, size_t bytes)
{
    row->checksum = XXH3_64bits_withSeed(value, bytes, row->checksum + 1);
}

void row_put_text(struct row *row, const char *text)
{
    sqlite3_bind_text(row->prepared, ++row->column, text, -1, SQLITE_TRANSIENT);
    add_up(row, text ? text : "", text ? strlen(text) : 0);
}

void row_put_whole(struct row *row, uint64_t value)
{
    sqlite3_bind_int64(row->prepared, ++row->column, (sqlite3_int64)value);
    add_up(row, &value, sizeof value);
}

void row_put_real(struct row *row, bool known, double value)
{
    double own = known ? value : 0;
    row->column++;
    if (known) {
        sqlite3_bind_double(row->prepared, row->column, value);
    } else {
        sqlite3_bind_null(row->prepared, row->column);
    }
    add_up(row, &own, sizeof own);
}

bool row_write(struct row *row, struct error *err)
{
    int code = sqlite3_step(row->prepared);
    bool good = code == SQLITE_DONE || last_failed(row->database, err);
    sqlite3_reset(row->prepared);
    return good;
}

bool row_next(struct row *row, bool *good, struct error *err)
{
    int code = sqlite3_step(row->prepared);
    *good = code == SQLITE_ROW || code == SQLITE_DONE || last_failed(row->database, err);
    row->column = 0;
    row->checksum = 0;
    return code == SQLITE_ROW;
}

void row_end(struct row *row)
{
    sqlite3_reset(row->prepared);
}

const char *row_text(struct row *row)
{
    const char *text = (const char *)sqlite3_column_text(row->prepared, row->column++);
    text = text ? text : "";
    add_up(row, text, strlen(text));
    return text;
}

uint64_t row_whole(struct row *row)
{
    uint64_t value = (uint64_t)sqlite3_column_int64(row->prepared, row->column++);
    add_up(row, &value, sizeof value);
    return value;
}

double row_real(struct row *row, bool *known)
{
    double value = sqlite3_column_double(row->prepared, row->column);
    *known = sqlite3_column_type(row->prepared, row->column++) == SQLITE_FLOAT;
    value = *known ? value : 0;
    add_up(row, &value, sizeof value);
    return value;
}

#include "core/alloc.h"
#include "core/build_id.h"
#include "core/error.h"
#include "core/invariant.h"
#include "core/tojson.h"
#include "core/version.h"
#include "study/store_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* The names of texts in `about`. */
static const char *const text_name[STORE_TEXTS] = {
    [STORE_STUDY] = "study",         [STORE_PATH] = "path",
    [STORE_VERSION] = "version",     [STORE_PROGRAM] = "program",
    [STORE_SETTINGS] = "settings",   [STORE_CONFIGURATION] = "configuration",
    [STORE_WORKLOADS] = "workloads", [STORE_FORMAT] = "format"};

/* --- what it is of --- */

static char *copy(const char *text)
{
    return alloc_checked(strdup(text), "a store of samples");
}

/* What each workload does at its first point: of recordings, which are files of their own, the
 * settings have only the name. */
static bool hash_workloads(const struct study *study, char text[SETUP_HASH], struct error *err)
{
    const struct axis *axis = study->role[AXIS_WORKLOAD];
    char(*hashes)[SETUP_HASH] = alloc_zeroed(axis->values.count, sizeof *hashes, "hashes");
    bool good = true;
    for (size_t i = 0; good && i < axis->values.count; i++) {
        struct setup setup;
        struct timeline timeline;
        if (!study_setup(study, i * axis->stride, &setup, err)) {
            free(hashes);
            return false;
        }
        good = workload_build(setup.workload, &timeline, err);
        if (good) {
            setup_hash(&setup, &timeline, "", hashes[i]);
            timeline_free(&timeline);
        }
        setup_free(&setup);
    }
    snprintf(text, SETUP_HASH, "%016" PRIx64,
             (uint64_t)XXH3_64bits(hashes, axis->values.count * sizeof *hashes));
    free(hashes);
    return good;
}

/* Fills what the settings say of the axes; false where they are no settings. */
static bool take_axes(struct store_about *about)
{
    json_t *settings = json_loads(about->text[STORE_SETTINGS], JSON_REJECT_DUPLICATES, NULL);
    json_t *axes = json_object_get(settings, "axes"), *axis;
    size_t i, points = 1;
    bool good = json_array_size(axes) >= AXIS_ROLES && json_array_size(axes) <= STUDY_AXES;
    about->axes = good ? json_array_size(axes) : 0;
    json_array_foreach(axes, i, axis)
    {
        const char *name = json_string_value(json_object_get(axis, "name"));
        size_t values = json_array_size(json_object_get(axis, "values"));
        good = good && name && strlen(name) < sizeof about->axis->name && values >= 1 &&
               values <= VALUES_MAX && points <= STUDY_POINTS / values;
        if (!good) {
            break;
        }
        memcpy(about->axis[i].name, name, strlen(name) + 1);
        about->axis[i].number = json_is_string(json_object_get(axis, "unit"));
        points *= values;
        bool strategy = strcmp(name, "strategy") == 0;
        about->strategies = strategy ? values : about->strategies;
        about->stride = strategy ? 1 : about->stride * values;
    }
    json_decref(settings);
    about->cells = good && about->strategies ? points / about->strategies : 0;
    return about->cells > 0;
}

bool store_about_of(struct store_about *about, const struct study *study, struct shard shard,
                    const char *format, char *settings, char *configuration, struct error *err)
{
    char program[BUILD_ID], workloads[SETUP_HASH] = "";
    build_id(program);
    bool good = hash_workloads(study, workloads, err);
    *about = (struct store_about){.shard = shard,
                                  .text = {[STORE_STUDY] = copy(study->name),
                                           [STORE_PATH] = copy(study->path),
                                           [STORE_VERSION] = copy(version_program),
                                           [STORE_PROGRAM] = copy(program),
                                           [STORE_SETTINGS] = settings,
                                           [STORE_CONFIGURATION] = configuration,
                                           [STORE_WORKLOADS] = copy(workloads),
                                           [STORE_FORMAT] = copy(format)}};
    INVARIANT(take_axes(about), "the settings of %s have no axes", study->name);
    return good;
}

struct store_about store_about_copy(const struct store_about *about)
{
    struct store_about own = *about;
    for (size_t i = 0; i < STORE_TEXTS; i++) {
        own.text[i] = copy(about->text[i]);
    }
    return own;
}

void store_about_free(struct store_about *about)
{
    for (size_t i = 0; i < STORE_TEXTS; i++) {
        free(about->text[i]);
    }
    *about = (struct store_about){0};
}

/* --- tables --- */

#define POINT_COLUMNS 7 /* beside the axes */

static const char tables[] =
    "CREATE TABLE about (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE cell (cell INTEGER PRIMARY KEY, plays INTEGER, reprices INTEGER, "
    "failed TEXT);"
    "CREATE TABLE result (point INTEGER, metric TEXT, n INTEGER, fitted INTEGER, mode REAL, "
    "mean REAL, p10 REAL, p50 REAL, p90 REAL, interval_low REAL, interval_high REAL, "
    "PRIMARY KEY (point, metric)) WITHOUT ROWID;"
    "CREATE TABLE play (play_hash TEXT, costs_hash TEXT, serial INTEGER, window_ps INTEGER, "
    "cpu_ps INTEGER, pause_ps INTEGER, stall_p50_ps INTEGER, stall_p99_ps INTEGER, "
    "stall_max_ps INTEGER, first_insn_ps INTEGER, counts TEXT, before TEXT, leaves TEXT, "
    "verdicts TEXT, tails TEXT, sections TEXT, checksum INTEGER, PRIMARY KEY (play_hash, "
    "costs_hash));"
    "CREATE TABLE costs (costs_hash TEXT PRIMARY KEY, cost TEXT, price_ps TEXT);"
    "CREATE TABLE draw (draws_hash TEXT, draw INTEGER, costs_hash TEXT, stratum INTEGER, "
    "PRIMARY KEY (draws_hash, draw)) WITHOUT ROWID;"
    "CREATE TABLE source (point INTEGER, stratum INTEGER, play_hash TEXT, ideal_hash TEXT, "
    "PRIMARY KEY (point, stratum)) WITHOUT ROWID;"
    "CREATE TABLE point (point INTEGER PRIMARY KEY, ";

static bool make_tables(struct database *database, const struct store_about *about,
                        struct error *err)
{
    char *sql = sqlite3_mprintf("%s", tables);
    for (size_t i = 0; sql && i < about->axes; i++) {
        sql = sqlite3_mprintf("%z\"%w\" TEXT, ", sql, about->axis[i].name);
    }
    sql = sqlite3_mprintf("%zdraws_hash TEXT, hypothetical TEXT, "
                          "verdict TEXT, condition TEXT, config_hash TEXT, checksum INTEGER);"
                          "INSERT INTO about VALUES ('plays_repeated', 0), ('plays_alike', 0);"
                          "PRAGMA user_version = %d;",
                          sql, STORE_SCHEMA);
    if (!sql) {
        error_fatal("out of memory for a store of samples");
    }
    bool good = database_run(database, sql, err);
    sqlite3_free(sql);
    return good;
}

/* "INSERT INTO point VALUES (?, ...)" */
static char *point_statement(const struct store_about *about)
{
    char *sql = sqlite3_mprintf("INSERT INTO point VALUES (?");
    for (size_t i = 1; sql && i < about->axes + POINT_COLUMNS; i++) {
        sql = sqlite3_mprintf("%z, ?", sql);
    }
    return alloc_checked(sqlite3_mprintf("%z)", sql), "a store of samples");
}

static bool put_about(struct database *database, const char *name, const char *text,
                      struct error *err)
{
    struct row row;
    if (!row_open(&row, database, "INSERT INTO about VALUES (?, ?)", err)) {
        return false;
    }
    row_put_text(&row, name);
    row_put_text(&row, text);
    return row_write(&row, err);
}

static bool write_about(struct database *database, const struct store_about *about,
                        struct error *err)
{
    char number[16], count[16];
    snprintf(number, sizeof number, "%" PRIu32, about->shard.number);
    snprintf(count, sizeof count, "%" PRIu32, about->shard.count);
    bool good =
        put_about(database, "shard", number, err) && put_about(database, "shards", count, err);
    for (size_t i = 0; good && i < STORE_TEXTS; i++) {
        good = put_about(database, text_name[i], about->text[i], err);
    }
    return good;
}

/* --- reading them --- */

bool store_damaged(const struct store *store, struct error *err)
{
    return error_input(err, NULL, "%s: is no store of samples of s2flush, or damaged",
                       store->database.path);
}

static bool is_object(const char *text)
{
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool good = json_is_object(object);
    json_decref(object);
    return good;
}

static bool read_about(struct store *store, struct error *err)
{
    struct store_about *about = &store->about;
    struct row row;
    char k[16] = "", shards[16] = "", shard[sizeof k + sizeof shards];
    bool good = row_open(&row, &store->database, "SELECT name, value FROM about", err);
    if (!good) {
        return false;
    }
    while (row_next(&row, &good, err)) {
        char *name = copy(row_text(&row));
        const char *value = row_text(&row);
        for (size_t i = 0; i < STORE_TEXTS; i++) {
            about->text[i] = strcmp(name, text_name[i]) == 0 ? copy(value) : about->text[i];
        }
        if (strcmp(name, "shard") == 0) {
            snprintf(k, sizeof k, "%.15s", value);
        } else if (strcmp(name, "shards") == 0) {
            snprintf(shards, sizeof shards, "%.15s", value);
        }
        free(name);
    }
    snprintf(shard, sizeof shard, "%s/%s", k, shards);
    for (size_t i = 0; i < STORE_TEXTS; i++) {
        good = good && about->text[i];
    }
    return (good && shard_parse(shard, &about->shard, err) && take_axes(about) &&
            is_object(about->text[STORE_CONFIGURATION])) ||
           store_damaged(store, err);
}

/* The tables are those that this program makes for these axes, and nothing else is there. */
static bool same_tables(struct store *store, struct error *err)
{
    static const char sql[] = "SELECT type, name, sql FROM sqlite_schema ORDER BY name";
    struct database own;
    struct row mine, theirs;
    bool good = database_open(&own, NULL, DATABASE_WRITE, err) &&
                make_tables(&own, &store->about, err) && row_open(&mine, &own, sql, err) &&
                row_open(&theirs, &store->database, sql, err);
    for (bool more = good; good && more;) {
        bool read = true;
        more = row_next(&mine, &read, err);
        good = row_next(&theirs, &read, err) == more && read;
        for (int i = 0; good && more && i < 3; i++) {
            (void)row_text(&mine);
            (void)row_text(&theirs);
            good = mine.checksum == theirs.checksum;
        }
    }
    row_end(&theirs);
    database_drop(&own);
    return good || store_damaged(store, err);
}

/* Whether there is nothing in it that could be anything else than tables. */
static bool check_schema(struct store *store, struct error *err)
{
    static const char strange_sql[] =
        "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index') OR sql LIKE "
        "'CREATE VIRTUAL%'";
    uint64_t schema = 0, strange = 0;
    if (!database_ask(&store->database, "PRAGMA user_version", &schema, err) ||
        !database_ask(&store->database, strange_sql, &strange, err)) {
        return false;
    }
    if (strange > 0 || schema == 0) {
        return store_damaged(store, err);
    }
    return schema == STORE_SCHEMA ||
           error_input(err, NULL, "%s: found schema %" PRIu64 " of the store, expected %d",
                       store->database.path, schema, STORE_SCHEMA);
}

bool store_read_cells(struct store *store, struct error *err)
{
    const struct store_about *about = &store->about;
    struct row row;
    bool good =
        row_open(&row, &store->database, "SELECT cell, plays, reprices, failed FROM cell", err);
    free(store->has);
    store->has = alloc_zeroed(about->cells, sizeof *store->has, "cells");
    store->sum = (struct store_sum){.own = shard_cells(about->shard, about->cells)};
    while (good && row_next(&row, &good, err)) {
        uint64_t cell = row_whole(&row);
        if (cell >= about->cells || store->has[cell] ||
            shard_of_cell(cell, about->shard.count) != about->shard.number) {
            return store_damaged(store, err);
        }
        store->has[cell] = true;
        store->sum.have++;
        store->sum.plays += row_whole(&row);
        store->sum.reprices += row_whole(&row);
        store->sum.failed += row_text(&row)[0] != '\0';
    }
    return good;
}

/* --- opening --- */

static void free_store(struct store *store)
{
    store_about_free(&store->about);
    free(store->has);
    sqlite3_free(store->add_point);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

/* NULL with a line. */
static struct store *open_file(const char *path, enum database_mode mode, struct error *err)
{
    struct store *store = alloc_zeroed(1, sizeof *store, "stores");
    pthread_mutex_init(&store->lock, NULL);
    if (!database_open(&store->database, path, mode, err)) {
        free_store(store);
        return NULL;
    }
    return store;
}

static bool start(struct store *store, const struct store_about *about, struct error *err)
{
    struct database *database = &store->database;
    store->about = store_about_copy(about);
    return database_begin(database, err) && make_tables(database, about, err) &&
           write_about(database, about, err) && database_commit(database, err);
}

static bool read_all(struct store *store, struct error *err)
{
    return check_schema(store, err) && read_about(store, err) && same_tables(store, err);
}

struct store *store_open(const char *path, const struct store_about *about, bool fresh,
                         struct error *err)
{
    struct store *store = open_file(path, fresh ? DATABASE_FRESH : DATABASE_WRITE, err);
    struct error unused;
    if (!store) {
        return NULL;
    }
    bool good = store->database.is_new
                    ? start(store, about, err)
                    : read_all(store, err) && store_same(about, &store->about, path, err) &&
                          (store->about.shard.number == about->shard.number ||
                           error_input(err, NULL, "%s: has another shard's name", path));
    if (good && store_read_cells(store, err)) {
        store->add_point = point_statement(&store->about);
        return store;
    }
    if (store->database.is_new) {
        store_drop(store);
    } else {
        (void)store_close(store, &unused);
    }
    return NULL;
}

struct store *store_in_memory(void)
{
    struct error err;
    struct store *store = open_file(NULL, DATABASE_WRITE, &err);
    if (!store || !make_tables(&store->database, &store->about, &err)) {
        error_fatal("%s", err.text);
    }
    return store;
}

struct store *store_read(const char *path, struct error *err)
{
    struct store *store = open_file(path, DATABASE_READ, err);
    struct error unused;
    if (store && !(store->database.is_new ? store_damaged(store, err)
                                          : read_all(store, err) && store_read_cells(store, err))) {
        (void)store_close(store, &unused);
        return NULL;
    }
    return store;
}

bool store_flush(struct store *store, struct error *err)
{
    struct error unused;
    pthread_mutex_lock(&store->lock);
    bool good = database_commit(&store->database, err);
    if (!good && store->has) {
        (void)store_read_cells(store, &unused); /* what the transaction had is gone */
    }
    pthread_mutex_unlock(&store->lock);
    return good;
}

bool store_close(struct store *store, struct error *err)
{
    bool good = !store || database_close(&store->database, err);
    if (store) {
        free_store(store);
    }
    return good;
}

void store_drop(struct store *store)
{
    database_drop(&store->database);
    free_store(store);
}

const struct store_about *store_about(const struct store *store)
{
    return &store->about;
}

const char *store_path(const struct store *store)
{
    return store->database.path;
}

bool store_is_new(const struct store *store)
{
    return store->database.is_new;
}

bool store_is_unlocked(const struct store *store)
{
    return store->database.unlocked;
}

/* --- writing --- */

bool store_begin(struct store *store, struct error *err)
{
    pthread_mutex_lock(&store->lock);
    return database_begin(&store->database, err);
}

bool store_end(struct store *store, bool good, struct error *err)
{
    struct error unused;
    good = database_written(&store->database, good, err);
    if (!good && store->has) {
        (void)store_read_cells(store, &unused); /* what the transaction had is gone */
    }
    pthread_mutex_unlock(&store->lock);
    return good;
}

/* Finished cells with what their points come to, into a store and out of it. */
#include "core/alloc.h"
#include "core/choice.h"
#include "core/error.h"
#include "study/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- into it --- */

/* Adds the row's checksum to that of its point: their order does not matter. */
static bool add_result(struct store *store, size_t point, enum metric metric,
                       const struct spread *spread, uint64_t *checksum, struct error *err)
{
    static const char sql[] = "INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    bool drawn = spread->known && spread->n > 0, interval = drawn && spread->has_interval;
    struct row row;
    if (!row_open(&row, &store->database, sql, err)) {
        return false;
    }
    row_put_whole(&row, point);
    row.checksum = 0;
    row_put_text(&row, metric_name[metric]);
    row_put_whole(&row, spread->n);
    row_put_whole(&row, spread->fitted);
    row_put_real(&row, spread->known, spread->mode);
    row_put_real(&row, drawn, spread->mean);
    row_put_real(&row, drawn, spread->p10);
    row_put_real(&row, drawn, spread->p50);
    row_put_real(&row, drawn, spread->p90);
    row_put_real(&row, interval, spread->interval_low);
    row_put_real(&row, interval, spread->interval_high);
    *checksum += row.checksum;
    return row_write(&row, err);
}

static bool add_sources(struct store *store, size_t point, const struct point_result *result,
                        struct error *err)
{
    struct row row;
    for (unsigned stratum = 0; stratum <= DRAW_STRATA; stratum++) {
        if (!result->source[stratum].play[0]) {
            continue;
        }
        if (!row_open(&row, &store->database, "INSERT INTO source VALUES (?, ?, ?, ?)", err)) {
            return false;
        }
        row_put_whole(&row, point);
        row_put_whole(&row, stratum);
        row_put_text(&row, result->source[stratum].play);
        row_put_text(&row, result->source[stratum].ideal);
        if (!row_write(&row, err)) {
            return false;
        }
    }
    return true;
}

static bool add_point(struct store *store, const struct study *study, size_t point,
                      const struct point_result *result, const bool wanted[METRICS],
                      struct error *err)
{
    uint64_t checksum = 0;
    struct row row;
    for (int metric = 0; metric < METRICS; metric++) {
        if (wanted[metric] && !add_result(store, point, (enum metric)metric,
                                          &result->metric[metric], &checksum, err)) {
            return false;
        }
    }
    if (!row_open(&row, &store->database, store->add_point, err)) {
        return false;
    }
    row_put_whole(&row, point);
    row.checksum = checksum;
    for (size_t i = 0; i < study->axis_count; i++) {
        const struct axis *axis = &study->axes[i];
        row_put_text(&row, axis->values.text[study_digit(axis, point)]);
    }
    row_put_text(&row, result->draws);
    row_put_text(&row, result->hypothetical);
    row_put_text(&row, outcome_name[result->worst]);
    row_put_text(&row, result->condition);
    row_put_text(&row, result->hash);
    row_put_whole(&row, row.checksum);
    return row_write(&row, err) && add_sources(store, point, result, err);
}

/* `failed`: why, or "". */
static bool add_cell(struct store *store, const struct store_cell *cell, const char *failed,
                     struct error *err)
{
    struct row row;
    if (!row_open(&row, &store->database, "INSERT INTO cell VALUES (?, ?, ?, ?)", err)) {
        return false;
    }
    row_put_whole(&row, cell->index);
    row_put_whole(&row, cell->plays);
    row_put_whole(&row, cell->reprices);
    row_put_text(&row, failed);
    store->sum.failed += failed[0] != '\0';
    store->has[cell->index] = true;
    store->sum.have++;
    store->sum.plays += cell->plays;
    store->sum.reprices += cell->reprices;
    return row_write(&row, err);
}

bool store_add_cell(struct store *store, const struct study *study, const struct store_cell *cell,
                    const bool wanted[METRICS], struct error *err)
{
    bool good = store_begin(store, err) && add_cell(store, cell, "", err);
    for (size_t s = 0; good && s < store->about.strategies; s++) {
        good = add_point(store, study, study_point(study, cell->index, s), &cell->result[s], wanted,
                         err);
    }
    return store_end(store, good, err);
}

bool store_add_failed(struct store *store, size_t cell, const char *why, struct error *err)
{
    struct store_cell failed = {.index = cell};
    bool good = store_begin(store, err) && add_cell(store, &failed, why, err);
    return store_end(store, good, err);
}

bool store_has_cell(struct store *store, size_t cell)
{
    pthread_mutex_lock(&store->lock);
    bool has = store->has[cell];
    pthread_mutex_unlock(&store->lock);
    return has;
}

struct store_sum store_sum(const struct store *store)
{
    return store->sum;
}

/* --- out of it --- */

static bool take_result(struct row *row, struct stored_point *point, uint64_t *checksum)
{
    size_t metric = choice_index(metric_name, METRICS, row_text(row));
    bool drawn[4], interval[2];
    if (metric == METRICS) {
        return false;
    }
    struct spread *spread = &point->result.metric[metric];
    spread->n = row_whole(row);
    spread->fitted = row_whole(row);
    spread->mode = row_real(row, &spread->known);
    spread->mean = row_real(row, &drawn[0]);
    spread->p10 = row_real(row, &drawn[1]);
    spread->p50 = row_real(row, &drawn[2]);
    spread->p90 = row_real(row, &drawn[3]);
    spread->interval_low = row_real(row, &interval[0]);
    spread->interval_high = row_real(row, &interval[1]);
    spread->has_interval = interval[0];
    point->has[metric] = true;
    *checksum += row->checksum;
    return drawn[0] == (spread->known && spread->n > 0) && drawn[0] == drawn[1] &&
           drawn[0] == drawn[2] && drawn[0] == drawn[3] && interval[0] == interval[1];
}

static bool take_results(struct store *store, struct stored_point *point, uint64_t *checksum,
                         struct error *err)
{
    static const char sql[] = "SELECT metric, n, fitted, mode, mean, p10, p50, p90, interval_low, "
                              "interval_high FROM result WHERE point = ?";
    struct row row;
    bool good = row_open(&row, &store->database, sql, err);
    if (!good) {
        return false;
    }
    row_put_whole(&row, point->point);
    while (row_next(&row, &good, err)) {
        if (!take_result(&row, point, checksum)) {
            row_end(&row);
            return store_damaged(store, err);
        }
    }
    return good;
}

/* A shard may come from anybody: no text of it may do anything to a terminal or a table. */
static bool is_plain(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool take_text(struct row *row, char *text, size_t size)
{
    const char *own = row_text(row);
    int length = snprintf(text, size, "%s", own);
    return length >= 0 && (size_t)length < size && is_plain(own);
}

static bool take_point(struct store *store, struct row *row, struct stored_point *point,
                       struct error *err)
{
    struct point_result *result = &point->result;
    uint64_t checksum = 0;
    *point = (struct stored_point){.point = row_whole(row)};
    if (!take_results(store, point, &checksum, err)) {
        return false;
    }
    row->checksum = checksum;
    bool plain = true;
    for (size_t i = 0; i < store->about.axes; i++) {
        point->axis[i] = row_text(row);
        plain = plain && is_plain(point->axis[i]);
    }
    plain = plain && take_text(row, result->draws, sizeof result->draws) &&
            take_text(row, result->hypothetical, sizeof result->hypothetical);
    size_t worst = plain ? choice_index(outcome_name, STALE + 1, row_text(row)) : STALE + 1;
    plain = plain && take_text(row, result->condition, sizeof result->condition) &&
            take_text(row, result->hash, sizeof result->hash);
    checksum = row->checksum;
    result->worst = (enum outcome)worst;
    return (plain && worst <= STALE && row_whole(row) == checksum) || store_damaged(store, err);
}

bool store_each_point(struct store *store, store_point_fn each, void *context, struct error *err)
{
    struct stored_point *point = alloc_raw(1, sizeof *point, "points of a study");
    struct row row;
    size_t points = 0;
    bool good = row_open(&row, &store->database, "SELECT * FROM point ORDER BY point", err);
    while (good && row_next(&row, &good, err)) {
        good = take_point(store, &row, point, err);
        if (good) {
            each(context, point);
            points++;
        }
    }
    free(point);
    return good && (points == (store->sum.have - store->sum.failed) * store->about.strategies ||
                    store_damaged(store, err));
}

bool store_each_failed(struct store *store, store_failed_fn each, void *context, struct error *err)
{
    struct row row;
    bool good = row_open(&row, &store->database,
                         "SELECT failed FROM cell WHERE failed <> '' ORDER BY cell", err);
    while (good && row_next(&row, &good, err)) {
        const char *why = row_text(&row);
        if (!is_plain(why)) {
            row_end(&row);
            return store_damaged(store, err);
        }
        each(context, why);
    }
    return good;
}

static void keep_first(void *context, const char *why)
{
    char **first = context;
    *first = *first ? *first : alloc_checked(strdup(why), "what failed");
}

bool store_none_failed(struct store *store, struct error *err)
{
    char *first = NULL;
    bool good = store_each_failed(store, keep_first, &first, err);
    if (good && first) {
        good = error_run(
            err,
            "%zu of %zu scenarios failed and have no rows; --fresh tries them again; the first: %s",
            store->sum.failed, store->sum.have, first);
        err->simulation = true;
    }
    free(first);
    return good;
}

/* --- from one to another --- */

bool store_merge(struct store *store, const char *path, struct error *err)
{
    static const char copies[] =
        "INSERT OR IGNORE INTO main.cell SELECT * FROM shard.cell;"
        "INSERT OR IGNORE INTO main.point SELECT * FROM shard.point;"
        "INSERT OR IGNORE INTO main.result SELECT * FROM shard.result;"
        "INSERT OR IGNORE INTO main.source SELECT * FROM shard.source;"
        "INSERT OR IGNORE INTO main.play SELECT * FROM shard.play;"
        "INSERT OR IGNORE INTO main.costs SELECT * FROM shard.costs;"
        "INSERT OR IGNORE INTO main.draw SELECT * FROM shard.draw;"
        "UPDATE main.about SET value = value + (SELECT value FROM shard.about WHERE name = "
        "main.about.name) WHERE name IN ('plays_repeated', 'plays_alike')";
    char *attach = sqlite3_mprintf("ATTACH %Q AS shard", path);
    bool good = attach && database_commit(&store->database, err) &&
                database_run(&store->database, attach, err);
    sqlite3_free(attach);
    if (!good) {
        return false;
    }
    good = store_begin(store, err) && database_run(&store->database, copies, err);
    good = store_end(store, good, err) && database_commit(&store->database, err);
    return database_run(&store->database, "DETACH shard", err) && good &&
           store_read_cells(store, err);
}

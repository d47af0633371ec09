/*
 * store_made - stores of made-up cells and plays, whose every field is another, and what stands
 * behind them.
 */
#ifndef S2FLUSH_TESTS_STORE_MADE_H
#define S2FLUSH_TESTS_STORE_MADE_H

#include "store_files.h"

#include "core/error.h"

#include <sqlite3.h>

/* --- what is made up --- */

/* Metrics of which everything is known; and is 0; of which there is one draw. */
enum { ALL_THERE = 3, ALL_ZERO = 7, ONE_DRAW = 8 };

/* A result whose every field is another. */
static inline struct point_result result_of(size_t point)
{
    struct point_result result = {.worst = (enum outcome)(point % 4)};
    for (int metric = 0; metric < METRICS; metric++) {
        double base = 1000.0 * (double)point + 10.0 * metric;
        double step = metric == ALL_ZERO ? 0 : 1;
        base = metric == ALL_ZERO ? 0 : base;
        struct spread *spread = &result.metric[metric];
        spread->known = metric % 4 != 1;
        if (spread->known) {
            spread->mode = base + 0.5 * step;
            spread->n = metric % 4 == 2 ? 0 : metric == ONE_DRAW ? 1 : 4 + point;
        }
        if (spread->known && spread->n > 0) {
            spread->fitted = point % 3;
            spread->mean = base + step;
            spread->p10 = base + 2 * step;
            spread->p50 = base + 3 * step;
            spread->p90 = base + 4 * step;
            spread->has_interval = metric % 4 == 3;
        }
        if (spread->has_interval) {
            spread->interval_low = base + 5 * step;
            spread->interval_high = base + 6 * step;
        }
    }
    snprintf(result.condition, sizeof result.condition, "condition %zu", point);
    snprintf(result.hypothetical, sizeof result.hypothetical, "if %zu", point);
    snprintf(result.hash, sizeof result.hash, "hash %zu", point);
    snprintf(result.draws, sizeof result.draws, "draws %zu", point);
    for (unsigned stratum = 0; stratum <= DRAW_STRATA; stratum += 2) {
        snprintf(result.source[stratum].play, SETUP_HASH, "play %zu %u", point, stratum);
        snprintf(result.source[stratum].ideal, SETUP_HASH, "ideal %zu %u", point, stratum);
    }
    return result;
}

static bool wanted[METRICS];

static inline void put_cell(struct store *store, const struct study *study, size_t cell)
{
    struct point_result results[3];
    struct error err = {0};
    for (size_t s = 0; s < 3; s++) {
        results[s] = result_of(study_point(study, cell, s));
    }
    struct store_cell own = {cell, 100 + cell, 200 + cell, results};
    assert_false(store_has_cell(store, cell));
    assert_true(store_add_cell(store, study, &own, wanted, &err));
    assert_true(store_has_cell(store, cell));
}

/* Cells 7 and 2, of which 7 was first, and one that failed. */
static inline void put_some(struct store *store, const struct study *study)
{
    struct error err = {0};
    put_cell(store, study, 7);
    put_cell(store, study, 2);
    assert_true(store_add_failed(store, 5, "it could not go on", &err));
    assert_true(store_has_cell(store, 5));
}

/* --- looking behind it --- */

struct asked {
    char text[400];
};

static inline int take_row(void *context, int columns, char **values, char **names)
{
    struct asked *asked = context;
    (void)names;
    for (int i = 0; i < columns; i++) {
        size_t used = strlen(asked->text);
        snprintf(asked->text + used, sizeof asked->text - used, "%s%s",
                 values[i] ? values[i] : "null", i + 1 < columns ? "," : ";");
    }
    return 0;
}

/* "1,a;2,b;": what a statement gives. */
static inline struct asked ask(const char *name, const char *sql)
{
    struct asked asked = {""};
    char path[512];
    sqlite3 *file = NULL;
    path_of(name, path, sizeof path);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    if (sqlite3_exec(file, sql, take_row, &asked, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(file));
    }
    sqlite3_close(file);
    return asked;
}

static inline void expect_rows(const char *name, const char *sql, const char *expected)
{
    struct asked asked = ask(name, sql);
    assert_string_equal(asked.text, expected);
}

/* --- plays --- */

static inline struct trial trial_of(bool serial)
{
    static struct event_count counts[] = {{.site = SITE_FAULT, .kind = EV_exits, .n = 6}};
    struct trial trial = {.serial = serial,
                          .counts = counts,
                          .count = 1,
                          .window_ps = 11,
                          .cpu_ps = 12,
                          .tail = {13, 14, 15, 16, serial ? UINT64_MAX : 17},
                          .leaves = {1, 2, 3}};
    trial.seen[EV_exits] = true;
    counts->part = event_part(counts->kind, counts->site);
    return trial;
}

/* --- reading them --- */

static inline void take_none(void *context, const struct stored_point *point)
{
    (void)context;
    (void)point;
}

static inline struct store *read_store(const char *name)
{
    char path[512];
    struct error err;
    path_of(name, path, sizeof path);
    struct store *store = store_read(path, &err);
    assert_non_null(store);
    return store;
}

#endif

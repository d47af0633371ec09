/* Simulations and the costs that they were played with, into a store and out of it. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/tojson.h"
#include "study/store_internal.h"
#include "study/trial_json.h"

#include <stdlib.h>
#include <string.h>

/* --- plays --- */

#define TIMES_COLUMNS \
    "serial, window_ps, cpu_ps, pause_ps, stall_p50_ps, stall_p99_ps, stall_max_ps, first_insn_ps"
#define TEXT_COLUMNS "counts, before, leaves, verdicts, tails, sections"

static void put_play(struct row *row, const struct trial *trial, const struct trial_json *json)
{
    const uint64_t numbers[] = {trial->serial,
                                trial->window_ps,
                                trial->cpu_ps,
                                trial->tail.pause_ps,
                                trial->tail.stall_p50_ps,
                                trial->tail.stall_p99_ps,
                                trial->tail.stall_max_ps,
                                trial->tail.first_insn_ps};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        row_put_whole(row, numbers[i]);
    }
    row_put_text(row, json->counts);
    row_put_text(row, json->before);
    row_put_text(row, json->leaves);
    row_put_text(row, json->verdicts);
    row_put_text(row, json->tails);
    row_put_text(row, json->sections);
    row_put_whole(row, row->checksum);
}

bool store_add_play(struct store *store, const char *play, const char *costs,
                    const struct trial *trial, struct error *err)
{
    static const char sql[] = "INSERT OR IGNORE INTO play (" TIMES_COLUMNS ", " TEXT_COLUMNS
                              ", checksum, play_hash, costs_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, "
                              "?, ?, ?, ?, ?, ?, ?, ?, ?)";
    static const char again[] = "UPDATE about SET value = value + 1 WHERE name = 'plays_repeated'";
    struct trial_json json;
    struct row row;
    trial_json_of(trial, &json);
    bool good = store_begin(store, err) && row_open(&row, &store->database, sql, err);
    if (good) {
        put_play(&row, trial, &json);
        row_put_text(&row, play);
        row_put_text(&row, costs);
        good = row_write(&row, err) && (sqlite3_changes(store->database.file) > 0 ||
                                        database_run(&store->database, again, err));
    }
    trial_json_free(&json);
    return store_end(store, good, err);
}

bool store_count_alike(struct store *store, struct error *err)
{
    static const char sql[] = "UPDATE about SET value = value + 1 WHERE name = 'plays_alike'";
    return store_end(store, store_begin(store, err) && database_run(&store->database, sql, err),
                     err);
}

static bool take_play(struct row *row, struct trial *trial)
{
    uint64_t *const numbers[] = {&trial->window_ps,         &trial->cpu_ps,
                                 &trial->tail.pause_ps,     &trial->tail.stall_p50_ps,
                                 &trial->tail.stall_p99_ps, &trial->tail.stall_max_ps,
                                 &trial->tail.first_insn_ps};
    *trial = (struct trial){.serial = row_whole(row) != 0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        *numbers[i] = row_whole(row);
    }
    struct trial_json json;
    char **const texts[] = {&json.counts,   &json.before, &json.leaves,
                            &json.verdicts, &json.tails,  &json.sections};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = alloc_checked(strdup(row_text(row)), "the counts of a run");
    }
    uint64_t checksum = row->checksum;
    bool good = row_whole(row) == checksum && trial_json_read(&json, trial);
    trial_json_free(&json);
    if (!good) {
        trial_free(trial);
    }
    return good;
}

static enum store_found find_play(struct store *store, const char *play, const char *costs,
                                  struct trial *trial, struct error *err)
{
    static const char sql[] = "SELECT " TIMES_COLUMNS ", " TEXT_COLUMNS
                              ", checksum FROM play WHERE play_hash = ? AND costs_hash = ?";
    struct row row;
    bool good = row_open(&row, &store->database, sql, err);
    if (!good) {
        return STORE_FAILED;
    }
    row_put_text(&row, play);
    row_put_text(&row, costs);
    if (!row_next(&row, &good, err)) {
        return good ? STORE_MISSING : STORE_FAILED;
    }
    good = take_play(&row, trial) || store_damaged(store, err);
    row_end(&row);
    return good ? STORE_FOUND : STORE_FAILED;
}

enum store_found store_find_play(struct store *store, const char *play, const char *costs,
                                 struct trial *trial, struct error *err)
{
    pthread_mutex_lock(&store->lock);
    enum store_found found = find_play(store, play, costs, trial, err);
    pthread_mutex_unlock(&store->lock);
    return found;
}

struct store_plays store_plays(struct store *store)
{
    struct store_plays plays;
    struct error unused;
    pthread_mutex_lock(&store->lock);
    (void)database_ask(&store->database, "SELECT count(*) FROM play", &plays.kept, &unused);
    (void)database_ask(&store->database, "SELECT value FROM about WHERE name = 'plays_repeated'",
                       &plays.repeated, &unused);
    (void)database_ask(&store->database, "SELECT value FROM about WHERE name = 'plays_alike'",
                       &plays.alike, &unused);
    pthread_mutex_unlock(&store->lock);
    return plays;
}

/* --- costs --- */

/* Whether there is a row for that hash. */
static bool has_hash(struct store *store, const char *sql, const char *hash, bool *has,
                     struct error *err)
{
    struct row row;
    bool good = row_open(&row, &store->database, sql, err);
    if (good) {
        row_put_text(&row, hash);
        *has = row_next(&row, &good, err);
        row_end(&row);
    }
    return good;
}

static bool put_costs(struct store *store, const char *hash, const double value[COSTS],
                      const ps_t price[EVENT_KINDS], struct error *err)
{
    json_t *values = json_object(), *prices = json_object();
    struct row row;
    for (size_t i = 0; i < COSTS; i++) {
        tojson_set(values, cost_name[i], json_real(value[i]));
    }
    for (size_t i = 0; i < EVENT_KINDS; i++) {
        tojson_set(prices, event_name[i], tojson_whole(price[i]));
    }
    char *value_text = tojson_dump(values, JSON_COMPACT),
         *price_text = tojson_dump(prices, JSON_COMPACT);
    bool good =
        row_open(&row, &store->database, "INSERT OR IGNORE INTO costs VALUES (?, ?, ?)", err);
    if (good) {
        row_put_text(&row, hash);
        row_put_text(&row, value_text);
        row_put_text(&row, price_text);
        good = row_write(&row, err);
    }
    free(value_text);
    free(price_text);
    return good;
}

/* Each play has some, and a draw's are those of many plays. */
bool store_add_costs(struct store *store, const char *hash, const double value[COSTS],
                     const ps_t price[EVENT_KINDS], struct error *err)
{
    static const char sql[] = "SELECT 1 FROM costs WHERE costs_hash = ?";
    bool has = false;
    pthread_mutex_lock(&store->lock);
    bool good = has_hash(store, sql, hash, &has, err);
    pthread_mutex_unlock(&store->lock);
    if (!good || has) {
        return good;
    }
    good = store_begin(store, err) && put_costs(store, hash, value, price, err);
    return store_end(store, good, err);
}

bool store_has_draws(struct store *store, const char *draws, bool *has, struct error *err)
{
    static const char sql[] = "SELECT 1 FROM draw WHERE draws_hash = ? LIMIT 1";
    pthread_mutex_lock(&store->lock);
    bool good = has_hash(store, sql, draws, has, err);
    pthread_mutex_unlock(&store->lock);
    return good;
}

bool store_add_draws(struct store *store, const char *draws, const struct store_draw *draw,
                     size_t runs, struct error *err)
{
    static const char sql[] = "INSERT OR IGNORE INTO draw VALUES (?, ?, ?, ?)";
    struct row row;
    bool good = store_begin(store, err);
    for (size_t run = 0; good && run < runs; run++) {
        good = row_open(&row, &store->database, sql, err);
        if (good) {
            row_put_text(&row, draws);
            row_put_whole(&row, run);
            row_put_text(&row, draw[run].costs);
            row_put_whole(&row, draw[run].stratum);
            good = row_write(&row, err);
        }
    }
    return store_end(store, good, err);
}

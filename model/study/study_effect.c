/* Settings and axes that change nothing at any point of a study. */
#include "core/alloc.h"
#include "core/error.h"
#include "study/study_parts.h"
#include "study/trial.h"

#include <stdlib.h>
#include <string.h>

/* So many points are looked at, which takes a moment each; behind them a key is taken to have
 * an effect. */
#define POINTS_TRIED 1024

/* Whether what the key does may differ along that axis. */
static bool matters(const struct axis *axis, enum key_owner owner)
{
    switch (axis->role) {
    case AXIS_WORKLOAD:
        return owner == KEY_WORKLOAD;
    case AXIS_MACHINE:
    case AXIS_KERNEL:
        return owner == KEY_COST;
    case AXIS_STRATEGY:
        return owner != KEY_WORKLOAD;
    case AXIS_KEY:
        break;
    }
    enum key_owner other = setup_key_owner(axis->name);
    return other == owner || (owner == KEY_COST && other == KEY_STRATEGY);
}

/* Whether the point is the first of those that are alike for the key. */
static bool is_first(const struct study *study, size_t point, enum key_owner owner)
{
    for (size_t a = 0; a < study->axis_count; a++) {
        if (!matters(&study->axes[a], owner) && study_digit(&study->axes[a], point) > 0) {
            return false;
        }
    }
    return true;
}

/* --- by playing --- */

/* So many points are played for a key that none of them shows, spread over the study so that all
 * its axes go through their values. */
#define POINTS_PLAYED 128

/* Whether a run at the modes has events that the cost prices, or waits that it changes. */
static bool cost_acts(const struct setup *setup, const struct timeline *timeline, const char *key,
                      const struct trial *played)
{
    struct error unused;
    struct trial other;
    double value[COSTS];
    ps_t price[EVENT_KINDS];
    enum cost_id id = cost_find(key);
    platform_modes(&setup->platform, value);
    value[id] = value[id] > 0 ? value[id] * 2 : 1;
    trial_prices(setup, value, price);
    bool found = false;
    for (size_t i = 0; i < played->count && !found; i++) {
        enum event_kind kind = played->counts[i].kind;
        found = price[kind] != played->price[kind];
    }
    if (!found && !trial_can_reprice(played, setup, value, price)) {
        found = true;
        if (trial_play(setup, timeline, value, &other, &unused)) {
            found = !trial_same_outcome(&other, played);
            trial_free(&other);
        }
    }
    return found;
}

/* Whether the run is another one with the strategy's own value of the key, where that is another;
 * so it may be where the key is to be varied and has no value yet. */
static bool change_acts(struct setup *setup, const struct timeline *timeline,
                        const struct strategy *row, const char *key, const struct trial *played,
                        bool *is_other)
{
    struct error unused;
    struct trial own;
    double value[COSTS];
    char given[256], before[256];
    size_t kept = 0;
    setup_value(setup, key, given, sizeof given);
    for (size_t i = 0; i < setup->changes; i++) {
        if (strcmp(setup->change[i].key->name, key) != 0) {
            setup->change[kept++] = setup->change[i];
        }
    }
    if (kept == setup->changes) {
        return true;
    }
    setup->changes = kept;
    setup_use(setup, row);
    setup_value(setup, key, before, sizeof before);
    if (strcmp(given, before) == 0) {
        return false;
    }
    *is_other = true;
    platform_modes(&setup->platform, value);
    bool found = true;
    if (trial_play(setup, timeline, value, &own, &unused)) {
        found = !trial_same_outcome(&own, played);
        trial_free(&own);
    }
    return found;
}

/* What goes wrong here is said when it is played. `is_other` is set where the run has another value
 * than it would have without. */
static bool acts(const struct study *study, size_t point, const char *key, bool *is_other)
{
    struct setup setup;
    struct timeline timeline;
    struct error unused;
    struct trial played;
    double value[COSTS];
    bool found = true;
    if (!study_setup(study, point, &setup, &unused)) {
        return true;
    }
    if (workload_build(setup.workload, &timeline, &unused)) {
        platform_modes(&setup.platform, value);
        if (trial_play(&setup, &timeline, value, &played, &unused)) {
            const struct strategy *row =
                study->strategies[study_digit(study->role[AXIS_STRATEGY], point)];
            bool is_cost = setup_key_owner(key) == KEY_COST;
            *is_other |= is_cost;
            found = is_cost ? cost_acts(&setup, &timeline, key, &played)
                            : change_acts(&setup, &timeline, row, key, &played, is_other);
            trial_free(&played);
        }
        timeline_free(&timeline);
    }
    setup_free(&setup);
    return found;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    return b > 0 ? common_divisor(b, a % b) : a;
}

static size_t stride_of(const struct study *study)
{
    size_t stride = study->points * 382 / 1000 + 1;
    while (common_divisor(stride, study->points) != 1) {
        stride++;
    }
    return stride;
}

/* What the key is anyway may well be said. */
static bool acts_somewhere(const struct study *study, const char *key,
                           const struct source_location *at, struct error *err)
{
    bool found = false, is_other = false;
    size_t stride = stride_of(study);
    for (size_t i = 0; i < study->points && i < POINTS_PLAYED && !found; i++) {
        found = acts(study, i * stride % study->points, key, &is_other);
    }
    return found || !is_other ||
           error_input(err, at,
                       "changes nothing: in no run of this study anything happens that it is "
                       "about, expected another workload, strategy or kernel, or several vCPUs");
}

/* --- by playing it as it would be --- */

struct built_point {
    struct setup setup;
    struct timeline timeline;
    bool good;
};

static bool build_point(const struct study *study, size_t point, struct built_point *built,
                        struct error *err)
{
    *built = (struct built_point){0};
    built->good = study_setup(study, point, &built->setup, err) &&
                  workload_build(built->setup.workload, &built->timeline, err);
    return built->good;
}

static void free_point(struct built_point *built)
{
    if (built->good) {
        timeline_free(&built->timeline);
    }
    setup_free(&built->setup);
}

static bool play_built(const struct built_point *built, struct trial *played)
{
    struct error unused;
    double value[COSTS];
    platform_modes(&built->setup.platform, value);
    return trial_play(&built->setup, &built->timeline, value, played, &unused);
}

/* Whether the two come to something else, or one of them cannot be played. */
static bool come_to_other(const struct built_point *one, const struct built_point *other)
{
    struct trial a, b;
    if (timeline_same(&one->timeline, &other->timeline)) {
        return false;
    }
    bool found = true;
    if (play_built(one, &a)) {
        if (play_built(other, &b)) {
            found = !trial_same_outcome(&a, &b);
            trial_free(&b);
        }
        trial_free(&a);
    }
    return found;
}

/* Reads the study without the changes of that key. */
static bool read_without(const struct study *study, const char *key, struct study *without)
{
    const char **kept = alloc_zeroed(study->change_count, sizeof *kept, "changes of a study");
    struct study_changes changes = {kept, 0};
    struct error unused;
    size_t length = strlen(key);
    for (size_t i = 0; i < study->change_count; i++) {
        const char *change = study->changes[i];
        if (strncmp(change, key, length) != 0 || change[length] != '=') {
            kept[changes.count++] = change;
        }
    }
    bool good = changes.count < study->change_count &&
                study_read_whole(without, study->path, &changes, &unused);
    free(kept);
    return good && without->points == study->points;
}

/* What the key's change makes of the points looked at so far. */
struct change_seen {
    bool acts, is_other; /* some run is another one; some point has another value of the key */
    char now[256], before[256]; /* of such a point */
};

static bool see_change(const struct study *study, const struct study *without, size_t point,
                       const char *key, struct change_seen *seen, struct error *err)
{
    struct built_point with, plain = {0};
    struct error unused;
    bool good = build_point(study, point, &with, err);
    if (good && !build_point(without, point, &plain, &unused)) {
        seen->acts = true;
    } else if (good) {
        char now[sizeof seen->now], before[sizeof seen->before];
        setup_value(&with.setup, key, now, sizeof now);
        setup_value(&plain.setup, key, before, sizeof before);
        /* as-recorded is one of the others. */
        bool spelled =
            strcmp(key, "backing") == 0 && timeline_same(&with.timeline, &plain.timeline);
        if (strcmp(now, before) != 0 && !spelled) {
            memcpy(seen->now, now, sizeof now);
            memcpy(seen->before, before, sizeof before);
            seen->is_other = true;
            seen->acts = come_to_other(&with, &plain);
        }
    }
    free_point(&with);
    free_point(&plain);
    return good;
}

/* Other values of a workload's key do not show whether this one acts: the study is played beside
 * the one without it. */
static bool workload_acts(const struct study *study, const char *key,
                          const struct source_location *at, struct error *err)
{
    struct study *without = alloc_zeroed(1, sizeof *without, "a study");
    struct change_seen seen = {.acts = !read_without(study, key, without)};
    size_t stride = stride_of(study);
    bool good = true;
    for (size_t i = 0; good && !seen.acts && i < study->points && i < POINTS_PLAYED; i++) {
        good = see_change(study, without, i * stride % study->points, key, &seen, err);
    }
    study_free(without);
    free(without);
    return good && (seen.acts || !seen.is_other ||
                    error_input(err, at,
                                "changes nothing: with %.80s the runs of this study come to the "
                                "same as with %.80s; expected another value, workload or strategy, "
                                "or leave it out",
                                seen.now, seen.before));
}

/* Draws have amounts of their own of what these say, where the modes may come to the same. */
static bool is_drawn(const char *key)
{
    return strcmp(key, "secondaries_after") == 0 || strcmp(key, "secondaries_after_min") == 0 ||
           strcmp(key, "secondaries_after_max") == 0;
}

bool study_effect(const struct study *study, const char *key, const struct source_location *at,
                  struct error *err)
{
    enum key_owner owner = setup_key_owner(key);
    const char *why = NULL;
    size_t tried = 0;
    for (size_t point = 0; point < study->points && tried < POINTS_TRIED; point++) {
        struct setup setup;
        if (!is_first(study, point, owner)) {
            continue;
        }
        if (!study_setup(study, point, &setup, err)) {
            return false;
        }
        why = setup_without_effect(&setup, key);
        setup_free(&setup);
        if (!why) {
            /* A file may well give what only some of its machines or changes ask for. */
            if (!at || at->line > 0 || is_drawn(key)) {
                return true;
            }
            return owner == KEY_WORKLOAD ? workload_acts(study, key, at, err)
                                         : acts_somewhere(study, key, at, err);
        }
        tried++;
    }
    return !why || tried == POINTS_TRIED || error_input(err, at, "%s", why);
}

/* What the file sets may well come to nothing beside a change of the command line; an axis would
 * still tell apart what is the same. */
bool study_effects(const struct study *study, struct error *err)
{
    for (size_t i = 0; i < study->setting_count; i++) {
        const struct setting *setting = &study->settings[i];
        struct source_location at = {setting->line ? study->path : "--set", setting->line,
                                     setting->key};
        bool changed = setting->line > 0 && study->change_count > 0;
        if (!changed && !study_effect(study, setting->key, &at, err)) {
            return false;
        }
    }
    for (size_t a = 0; a < study->axis_count; a++) {
        const struct axis *axis = &study->axes[a];
        struct source_location at = {axis->line ? study->path : "--set", axis->line, axis->name};
        if (axis->role == AXIS_KEY && !study_effect(study, axis->name, &at, err)) {
            return false;
        }
    }
    return true;
}

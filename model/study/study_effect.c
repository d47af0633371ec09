/* Settings and axes that change nothing at any point of a study. */
#include "core/error.h"
#include "study/study_parts.h"
#include "study/trial.h"

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

/* --- costs of which nothing happens --- */

/* So many points are played for a cost that none of them shows. */
#define POINTS_PLAYED 64

/* Whether a run at the modes has events that it prices, or waits that it may change. */
static bool acts(const struct setup *setup, enum cost_id id)
{
    struct timeline timeline;
    struct error unused;
    struct trial played;
    double value[COSTS];
    ps_t price[EVENT_KINDS];
    bool found = true; /* what goes wrong here is said when it is played */
    if (!workload_build(setup->workload, &timeline, &unused)) {
        return true;
    }
    platform_modes(&setup->platform, value);
    if (trial_play(setup, &timeline, value, &played, &unused)) {
        value[id] = value[id] > 0 ? value[id] * 2 : 1;
        trial_prices(setup, value, price);
        found = !trial_can_reprice(&played, setup, value, price);
        for (size_t i = 0; i < played.count && !found; i++) {
            enum event_kind kind = played.counts[i].kind;
            found = price[kind] != played.price[kind];
        }
        trial_free(&played);
    }
    timeline_free(&timeline);
    return found;
}

static bool cost_acts(const struct study *study, const char *key, const struct source_location *at,
                      struct error *err)
{
    bool found = study->points > POINTS_PLAYED;
    for (size_t point = 0; point < study->points && !found; point++) {
        struct setup setup;
        if (!study_setup(study, point, &setup, err)) {
            return false;
        }
        found = acts(&setup, cost_find(key));
        setup_free(&setup);
    }
    return found ||
           error_input(err, at,
                       "changes nothing: in no run of this study anything happens that it is a "
                       "cost of, expected another workload, strategy or kernel, or several vCPUs");
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
            /* A file may well give costs that only some of its machines or changes ask for. */
            bool asked = owner == KEY_COST && at && at->line == 0;
            return !asked || cost_acts(study, key, at, err);
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

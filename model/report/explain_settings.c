/* Whether a setting makes a difference: the run as it would be without it. */
#include "core/alloc.h"
#include "core/error.h"
#include "report/explain_parts.h"

#include <stdlib.h>
#include <string.h>

/* The point as it would be. */
struct other {
    struct setup setup;
    double value[COSTS];
    struct timeline timeline;
    bool built; /* a timeline of its own, from a workload of its own */
};

static bool cost_as_it_was(struct other *other, const struct explain_setting *setting)
{
    enum cost_id id = cost_find(setting->key);
    return id < COSTS && unit_parse(setting->before, cost_entry[id].unit, &other->value[id]);
}

static bool workload_as_it_was(struct other *other, const struct explain_setting *setting)
{
    struct error unused;
    struct workload *workload = workload_copy(other->setup.workload);
    other->built = workload_set(workload, setting->key, setting->before, NULL, &unused) &&
                   workload_build(workload, &other->timeline, &unused);
    other->setup.workload = workload;
    if (!other->built) {
        workload_free(workload);
    }
    return other->built;
}

/* False where it cannot be said what it was. */
static bool as_it_was(struct other *other, const struct explain_setting *setting)
{
    struct error unused;
    switch (setup_key_owner(setting->key)) {
    case KEY_COST:
        return cost_as_it_was(other, setting);
    case KEY_STRATEGY:
        other->setup.strategy = &other->setup.changed;
        return strategy_set(&other->setup.changed, setting->key, setting->before, NULL, &unused);
    case KEY_WORKLOAD:
        return workload_as_it_was(other, setting);
    case KEY_NOBODY:
        break;
    }
    return false;
}

/* Whether it says what holds without it: pages that nothing records are of 4 KiB. */
static bool says_what_holds(const struct explain_setting *setting)
{
    return strcmp(setting->value, setting->before) == 0 ||
           (strcmp(setting->value, "4k") == 0 && strcmp(setting->before, "as-recorded") == 0);
}

static bool check_setting(const struct account *account, const struct explain_setting *setting,
                          const double value[COSTS], struct error *err)
{
    struct source_location at = {.file = "--set", .key = setting->key};
    struct other *other = alloc_checked(calloc(1, sizeof *other), "a run");
    struct trial *played = alloc_checked(calloc(1, sizeof *played), "a run");
    other->setup = *account->setup;
    memcpy(other->value, value, sizeof other->value);
    struct error unused;
    bool same = !says_what_holds(setting) && as_it_was(other, setting) &&
                trial_play(&other->setup, other->built ? &other->timeline : account->timeline,
                           other->value, played, &unused) &&
                trial_same_outcome(played, account->played);
    trial_free(played);
    free(played);
    if (other->built) {
        timeline_free(&other->timeline);
        workload_free(other->setup.workload);
    }
    free(other);
    return !same ||
           error_input(err, &at,
                       "changes nothing: with %.80s this run comes to the same as with "
                       "%.80s; expected another value, another workload, strategy or kernel, or "
                       "several vCPUs",
                       setting->value, setting->before);
}

bool explain_check_settings(const struct account *account, const struct explain_options *options,
                            const double value[COSTS], struct error *err)
{
    bool good = true;
    for (size_t i = 0; good && i < options->setting_count; i++) {
        good = check_setting(account, &options->settings[i], value, err);
    }
    return good;
}

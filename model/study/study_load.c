/* Completing a study and loading what its points need. */
#include "core/alloc.h"
#include "core/datadir.h"
#include "core/error.h"
#include "study/study_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- names of studies --- */

bool study_unknown(const char *name, struct error *err)
{
    char hint[512] = "";
    char *names[64];
    struct stat about;
    if (stat(name, &about) == 0 && S_ISDIR(about.st_mode)) {
        return error_input(err, NULL,
                           "%.200s is a folder: expected a study, a file or one of `s2flush list "
                           "studies`; results in a folder are for show, plot and diff",
                           name);
    }
    size_t known = datadir_names(STUDY_DIR, ".ini", names, 0, sizeof names / sizeof *names);
    known = datadir_names(QUESTION_DIR, ".ini", names, known, sizeof names / sizeof *names);
    if (known == 0) {
        return datadir_nowhere(STUDY_DIR, err);
    }
    error_suggest_all(hint, sizeof hint, name, (const char *const *)names, known);
    for (size_t i = 0; i < known; i++) {
        free(names[i]);
    }
    return error_input(err, NULL, "no study '%.200s'%s", name, hint);
}

/* --- the axes that every study has --- */

static void all_strategies(const struct study *study, char *list, size_t size)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < strategy_count + study->own_count && used < size; i++) {
        const char *name =
            i < strategy_count ? strategy_rows[i].name : study->own[i - strategy_count].name;
        used += (size_t)snprintf(list + used, size - used, "%s%s", i ? "," : "", name);
    }
}

static bool missing_axis(struct study *study, int role, add_axis_fn add, struct error *err)
{
    char list[4096];
    struct source_location at = {.file = study->path, .key = study_role_name[role]};
    if (role == AXIS_KERNEL) {
        return add(study, at.key, "6.1", &at, err);
    }
    if (role == AXIS_STRATEGY) {
        all_strategies(study, list, sizeof list);
        return add(study, at.key, list, &at, err);
    }
    return error_input(err, &at, "missing: expected an axis in [axes], or one value in [set]");
}

/* A role in [set] is an axis with one value. */
static bool role_axis(struct study *study, int role, add_axis_fn add, struct error *err)
{
    for (size_t i = 0; i < study->setting_count; i++) {
        struct setting setting = study->settings[i];
        if (strcmp(setting.key, study_role_name[role]) == 0) {
            study->settings[i] = study->settings[--study->setting_count];
            struct source_location at = {study->path, setting.line, study_role_name[role]};
            return add(study, at.key, setting.text, &at, err);
        }
    }
    return missing_axis(study, role, add, err);
}

/* Moves the axes from `first` on to the front. */
static void to_front(struct study *study, size_t first)
{
    struct axis moved[STUDY_AXES];
    size_t count = study->axis_count - first;
    memcpy(moved, &study->axes[first], count * sizeof *moved);
    memmove(&study->axes[count], study->axes, first * sizeof *moved);
    memcpy(study->axes, moved, count * sizeof *moved);
}

bool study_lay_out(struct study *study, struct error *err)
{
    size_t stride = 1;
    for (size_t i = study->axis_count; i-- > 0;) {
        struct axis *axis = &study->axes[i];
        axis->stride = stride;
        stride *= axis->values.count;
        if (stride > STUDY_POINTS) {
            struct source_location at = {study->path, axis->line, axis->name};
            return error_input(err, &at, "the axes make more than %d points", STUDY_POINTS);
        }
        if (axis->role != AXIS_KEY) {
            study->role[axis->role] = axis;
        }
    }
    study->points = stride;
    return true;
}

static bool check_settings(const struct study *study, struct error *err)
{
    struct source_location at = {.file = study->path, .key = "draws"};
    if (study->draws % study->shifts != 0) {
        return error_input(err, &at,
                           "found %" PRIu64 " draws, expected a multiple of shifts, %" PRIu64,
                           study->draws, study->shifts);
    }
    for (size_t i = 0; i < study->setting_count; i++) {
        for (size_t a = 0; a < study->axis_count; a++) {
            if (strcmp(study->settings[i].key, study->axes[a].name) == 0) {
                struct source_location twice = {study->path, study->settings[i].line,
                                                study->settings[i].key};
                return error_input(err, &twice, "is set, but it is an axis too");
            }
        }
    }
    return true;
}

bool study_complete(struct study *study, add_axis_fn add, struct error *err)
{
    size_t given = study->axis_count;
    for (int role = 0; role < AXIS_ROLES; role++) {
        if (!study_axis(study, study_role_name[role]) && !role_axis(study, role, add, err)) {
            return false;
        }
    }
    to_front(study, given);
    return study_rule_begin(study, err) && study_lay_out(study, err) && check_settings(study, err);
}

/* --- loading --- */

/* Puts the file and line of an axis in front of what went wrong with its value. */
static bool blame(const struct study *study, const struct axis *axis, struct error *err)
{
    struct error inner = *err;
    struct source_location at = {axis->line ? study->path : NULL, axis->line, axis->name};
    error_input(err, &at, "%s", inner.text);
    err->status = inner.status;
    return false;
}

const struct strategy *study_strategy(const struct study *study, const char *name,
                                      struct error *err)
{
    const char *names[STUDY_STRATEGIES + 64];
    size_t count = 0;
    for (size_t i = 0; i < study->own_count; i++) {
        if (strcmp(study->own[i].name, name) == 0) {
            return &study->own[i];
        }
        names[count++] = study->own[i].name;
    }
    for (size_t i = 0; i < strategy_impossible_count; i++) {
        if (strcmp(strategy_impossible[i].name, name) == 0) {
            return strategy_find(name, err);
        }
    }
    struct error unused;
    const struct strategy *row = strategy_find(name, &unused);
    for (size_t i = 0; i < strategy_count && i < 32; i++) {
        names[count++] = strategy_rows[i].name;
    }
    for (size_t i = 0; i < strategy_more_count && i < 32; i++) {
        names[count++] = strategy_more[i].name;
    }
    if (!row) {
        char hint[512] = "";
        error_suggest_all(hint, sizeof hint, name, names, count);
        error_input(err, NULL, "no strategy '%.80s'%s; `s2flush list strategies` says what they do",
                    name, hint);
    }
    return row;
}

const char *study_value_path(const struct study *study, const struct axis *axis, size_t i,
                             char buf[STUDY_VALUE_PATH])
{
    const char *folder_end = strrchr(study->path, '/'), *text = axis->values.text[i];
    if (!axis->in_file || !folder_end || text[0] == '/' ||
        !(strchr(text, '/') || strstr(text, ".ini"))) {
        return text;
    }
    snprintf(buf, STUDY_VALUE_PATH, "%.*s%s", (int)(folder_end + 1 - study->path), study->path,
             text);
    return buf;
}

static bool load_value(struct study *study, const struct axis *axis, size_t i, struct error *err)
{
    char path[STUDY_VALUE_PATH];
    const char *text = axis->values.text[i];
    const char *place = study_value_path(study, axis, i, path);
    switch (axis->role) {
    case AXIS_WORKLOAD:
        study->workloads[i] = workload_read(place, err);
        return study->workloads[i] != NULL;
    case AXIS_MACHINE:
        return platform_load(place, &study->platforms[i], err);
    case AXIS_KERNEL:
        return setup_kernel(text, NULL, &study->kernels[i], err);
    case AXIS_STRATEGY:
        study->strategies[i] = study_strategy(study, text, err);
        return study->strategies[i] != NULL;
    case AXIS_KEY:
        break;
    }
    return true;
}

/* A key of [strategy] is set where a point is resolved: here it is only tried. */
static bool try_strategy_key(const struct setting *setting, const struct source_location *at,
                             struct error *err)
{
    struct setup setup = {0};
    return setup_set(&setup, setting->key, setting->text, at, err);
}

/* Sets a key in all workloads or a cost on all machines. */
static bool apply(struct study *study, const struct setting *setting, struct error *err)
{
    struct source_location at = {setting->line ? study->path : "--set", setting->line,
                                 setting->key};
    bool workload = setup_key_owner(setting->key) == KEY_WORKLOAD;
    if (setup_key_owner(setting->key) == KEY_STRATEGY) {
        return try_strategy_key(setting, &at, err);
    }
    size_t count = study->role[workload ? AXIS_WORKLOAD : AXIS_MACHINE]->values.count;
    for (size_t i = 0; i < count; i++) {
        bool good =
            workload
                ? workload_set(study->workloads[i], setting->key, setting->text, &at, err)
                : platform_override(&study->platforms[i], setting->key, setting->text, &at, err);
        if (!good) {
            return false;
        }
    }
    return true;
}

/* Tries all values of an axis on one workload and machine. */
static bool try_axis(const struct study *study, const struct axis *axis, struct error *err)
{
    struct setup setup = {.workload = workload_copy(study->workloads[0]),
                          .platform = study->platforms[0]};
    struct source_location at = {axis->line ? study->path : "--set", axis->line, axis->name};
    bool good = true;
    for (size_t i = 0; i < axis->values.count && good; i++) {
        good = setup_set(&setup, axis->name, axis->values.text[i], &at, err);
    }
    setup_free(&setup);
    return good;
}

bool study_load(struct study *study, struct error *err)
{
    study->workloads = alloc_zeroed(study->role[AXIS_WORKLOAD]->values.count,
                                    sizeof(struct workload *), "parts of a study");
    study->platforms = alloc_zeroed(study->role[AXIS_MACHINE]->values.count,
                                    sizeof *study->platforms, "parts of a study");
    study->kernels = alloc_zeroed(study->role[AXIS_KERNEL]->values.count, sizeof *study->kernels,
                                  "parts of a study");
    study->strategies = alloc_zeroed(study->role[AXIS_STRATEGY]->values.count,
                                     sizeof(struct strategy *), "parts of a study");
    for (size_t a = 0; a < study->axis_count; a++) {
        const struct axis *axis = &study->axes[a];
        for (size_t i = 0; i < axis->values.count; i++) {
            if (!load_value(study, axis, i, err)) {
                return blame(study, axis, err);
            }
        }
    }
    for (size_t i = 0; i < study->setting_count; i++) {
        if (!apply(study, &study->settings[i], err)) {
            return false;
        }
    }
    for (size_t a = 0; a < study->axis_count; a++) {
        if (study->axes[a].role == AXIS_KEY && !try_axis(study, &study->axes[a], err)) {
            return false;
        }
    }
    return true;
}

void study_free(struct study *study)
{
    const struct axis *axis = study->role[AXIS_WORKLOAD];
    for (size_t i = 0; study->workloads && axis && i < axis->values.count; i++) {
        workload_free(study->workloads[i]);
    }
    free(study->workloads);
    free(study->platforms);
    free(study->kernels);
    free(study->strategies);
    for (size_t i = 0; i < study->change_count; i++) {
        free(study->changes[i]);
    }
    free(study->changes);
    for (size_t a = 0; a < study->axis_count; a++) {
        values_free(&study->axes[a].values);
    }
    *study = (struct study){0};
}

/* --- points --- */

size_t study_digit(const struct axis *axis, size_t point)
{
    return point / axis->stride % axis->values.count;
}

size_t study_cells(const struct study *study)
{
    return study->points / study->role[AXIS_STRATEGY]->values.count;
}

size_t study_point(const struct study *study, size_t cell, size_t strategy)
{
    const struct axis *axis = study->role[AXIS_STRATEGY];
    size_t low = cell % axis->stride, high = cell / axis->stride;
    return (high * axis->values.count + strategy) * axis->stride + low;
}

static bool set_strategy_keys(const struct study *study, struct setup *setup, struct error *err)
{
    for (size_t i = 0; i < study->setting_count; i++) {
        const struct setting *setting = &study->settings[i];
        struct source_location at = {setting->line ? study->path : "--set", setting->line,
                                     setting->key};
        if (setup_key_owner(setting->key) == KEY_STRATEGY &&
            !setup_set(setup, setting->key, setting->text, &at, err)) {
            return false;
        }
    }
    return true;
}

bool study_setup(const struct study *study, size_t point, struct setup *setup, struct error *err)
{
    size_t digit[AXIS_ROLES];
    for (int role = 0; role < AXIS_ROLES; role++) {
        digit[role] = study_digit(study->role[role], point);
    }
    *setup = (struct setup){.workload = workload_copy(study->workloads[digit[AXIS_WORKLOAD]]),
                            .platform = study->platforms[digit[AXIS_MACHINE]],
                            .kernel = study->kernels[digit[AXIS_KERNEL]],
                            .exact = study->fidelity == FIDELITY_EXACT,
                            .preemptible = study->preemptible};
    if (!set_strategy_keys(study, setup, err)) {
        setup_free(setup);
        return false;
    }
    for (size_t a = 0; a < study->axis_count; a++) {
        const struct axis *axis = &study->axes[a];
        struct source_location at = {axis->line ? study->path : "--set", axis->line, axis->name};
        const char *text = axis->values.text[study_digit(axis, point)];
        if (axis->role == AXIS_KEY && !setup_set(setup, axis->name, text, &at, err)) {
            setup_free(setup);
            return false;
        }
    }
    setup_use(setup, study->strategies[digit[AXIS_STRATEGY]]);
    return true;
}

struct draw_plan study_draw_plan(const struct study *study)
{
    return (struct draw_plan){.seed = study->seed,
                              .draws = study->draws,
                              .shifts = study->shifts,
                              .sequence = study->sequence};
}

void study_identity(const struct study *study, char *buf, size_t size)
{
    int used =
        snprintf(buf, size, "seed %" PRIu64 " draws %" PRIu64 " shifts %" PRIu64 " sequence %d",
                 study->seed, study->draws, study->shifts, study->sequence);
    if (study->draws_min > 0) {
        snprintf(buf + used, size - (size_t)used, " played %" PRIu64, study->draws_min);
    }
}

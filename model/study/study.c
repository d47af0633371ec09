#include "study/study.h"

#include "core/alloc.h"
#include "core/choice.h"
#include "core/config.h"
#include "core/datadir.h"
#include "core/error.h"
#include "study/study_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define AT(field) .section = "study", .name = #field, OPTION_FIELD(struct study, field)
const struct option_row study_options[] = {
    {AT(name), .fallback = "", .help = "the name in tables; by default the file's"},
    {AT(title), .fallback = "", .help = "the name for people"},
    {AT(question), .fallback = "", .help = "what it is to answer"},
    {AT(fidelity), .choices = CHOICES_OF(FIDELITY_CHOICES), .fallback = "fast",
     .help = "whole extents, or leaf by leaf and line by line"},
    {AT(seed), .high = 1e15, .fallback = "1", .help = "of the random shifts"},
    {AT(draws), .high = 65536, .fallback = "64",
     .help = "of the machine's costs, in all; 0: only the modes"},
    {AT(draws_min), .high = 65536, .fallback = "0",
     .help = "so many are played at least where runs cannot be priced again, and as many as make "
             "a fit to them foresee the others; 0: all are played"},
    {AT(shifts), .low = 1, .high = 1024, .fallback = "8",
     .help = "independent shifts of the sequence, whose spread gives the interval"},
    {AT(sequence), .choices = CHOICES_OF(DRAW_SEQUENCE_CHOICES), .fallback = "sobol",
     .help = "the low-discrepancy sequence of the draws"},
    {AT(preemptible), .fallback = "no",
     .help = "the host kernel gives mmu_lock up where others wait (CONFIG_PREEMPTION)"},
    {AT(metrics), .fallback = "",
     .help = "the metrics to put into the rows (`parts`: all of part_), by default all"},
};
const size_t study_option_count = sizeof study_options / sizeof *study_options;

const char *const study_role_name[AXIS_ROLES] = {
    [AXIS_WORKLOAD] = "workload",
    [AXIS_MACHINE] = "machine",
    [AXIS_KERNEL] = "kernel",
    [AXIS_STRATEGY] = "strategy",
};

/* --- keys --- */

struct axis *study_axis(struct study *study, const char *name)
{
    for (size_t i = 0; i < study->axis_count; i++) {
        if (strcmp(study->axes[i].name, name) == 0) {
            return &study->axes[i];
        }
    }
    return NULL;
}

static enum axis_role role_of(const char *name)
{
    return (enum axis_role)choice_index(study_role_name, AXIS_ROLES, name);
}

static bool known_key(const char *key, const struct source_location *at, struct error *err)
{
    return role_of(key) != AXIS_KEY || setup_key_owner(key) != KEY_NOBODY ||
           setup_unknown_key(key, study_role_name, AXIS_ROLES, at, err);
}

static bool add_axis(struct study *study, const char *name, const char *list,
                     const struct source_location *at, struct error *err)
{
    struct axis *axis = &study->axes[study->axis_count];
    if (!known_key(name, at, err)) {
        return false;
    }
    if (study->axis_count == STUDY_AXES) {
        return error_input(err, at, "more than %d axes", STUDY_AXES);
    }
    *axis = (struct axis){.role = role_of(name),
                          .kind = setup_key_kind(name),
                          .line = at->line,
                          .in_file = at->line > 0};
    snprintf(axis->name, sizeof axis->name, "%s", name);
    if (!values_parse(list, axis->kind, at, &axis->values, err)) {
        return false;
    }
    study->axis_count++;
    return true;
}

/* "KEY += LIST": what no longer fits into the axis' line. */
static bool extend_axis(struct study *study, const char *name, const char *list,
                        const struct source_location *at, struct error *err)
{
    char key[sizeof study->axes->name];
    size_t length = strlen(name) - 1;
    length -= length > 0 && name[length - 1] == ' ';
    snprintf(key, sizeof key, "%.*s", (int)length, name);
    struct axis *axis = study_axis(study, key);
    if (!axis) {
        return error_input(err, at, "adds to an axis that is not there, expected %s = ... above it",
                           key);
    }
    return values_add(&axis->values, list, axis->kind, at, err);
}

static bool add_setting(struct study *study, const char *key, const char *text,
                        const struct source_location *at, struct error *err)
{
    if (!known_key(key, at, err)) {
        return false;
    }
    struct setting *setting = &study->settings[study->setting_count];
    if (study->setting_count == STUDY_SETTINGS) {
        return error_input(err, at, "more than %d settings", STUDY_SETTINGS);
    }
    if (strlen(text) >= sizeof setting->text) {
        return error_input(err, at, "found %zu characters, expected at most %zu", strlen(text),
                           sizeof setting->text - 1);
    }
    snprintf(setting->key, sizeof setting->key, "%s", key);
    snprintf(setting->text, sizeof setting->text, "%s", text);
    setting->line = at->line;
    study->setting_count++;
    return true;
}

/* --- the file --- */

static bool unknown_section(const char *section, const struct source_location *at,
                            struct error *err)
{
    static const char *const names[] = {"study", "axes", "set", "strategy NAME", "memo"};
    return option_no_section(section, names, sizeof names / sizeof *names, at, err);
}

/* What studies had until longest holds and stalls could be priced again. */
static bool no_replay(const struct source_location *at, struct error *err)
{
    return error_input(err, at,
                       "is no longer a key: holds and stalls have bands in every study; leave it "
                       "out");
}

static bool study_line(void *context, const char *section, const char *name, const char *value,
                       const struct source_location *at, struct error *err)
{
    struct study *study = context;
    if (strcmp(section, "study") == 0 && strcmp(name, "replay") == 0) {
        return no_replay(at, err);
    }
    if (strcmp(section, "study") == 0) {
        return option_assign(study_options, study_option_count, section, name, value, study, at,
                             err);
    }
    if (strcmp(section, "axes") == 0) {
        bool adds = name[0] != '\0' && name[strlen(name) - 1] == '+';
        return adds ? extend_axis(study, name, value, at, err)
                    : add_axis(study, name, value, at, err);
    }
    if (strcmp(section, "set") == 0) {
        return add_setting(study, name, value, at, err);
    }
    if (strcmp(section, "memo") == 0) {
        return study_memo_set(&study->memo, name, value, at, err);
    }
    if (strncmp(section, "strategy ", 9) == 0) {
        const char *own = section + 9 + strspn(section + 9, " \t");
        return study_strategy_line(study, own, name, value, at, err);
    }
    return unknown_section(section, at, err);
}

/* --- the command line --- */

static bool all_among(const struct values *some, const struct values *all)
{
    size_t found = 0;
    for (size_t i = 0; i < some->count; i++) {
        for (size_t k = 0; k < all->count; k++) {
            found += strcmp(some->text[i], all->text[k]) == 0;
        }
    }
    return found == some->count;
}

/* Here the keys of [study] are valid, too. */
static bool unknown_change(const char *key, const struct source_location *at, struct error *err)
{
    const char *names[AXIS_ROLES + sizeof study_options / sizeof *study_options];
    size_t count = 0;
    for (size_t i = 0; i < AXIS_ROLES; i++) {
        names[count++] = study_role_name[i];
    }
    for (size_t i = 0; i < study_option_count; i++) {
        names[count++] = study_options[i].name;
    }
    return setup_unknown_key(key, names, count, at, err);
}

static bool change(struct study *study, const char *text, struct error *err)
{
    char key[64];
    const char *equals = strchr(text, '=');
    struct source_location at = {.file = "--set", .key = key};
    if (!equals || equals == text || (size_t)(equals - text) >= sizeof key) {
        return error_input(err, NULL, "--set: found '%.80s', expected key=value", text);
    }
    memcpy(key, text, (size_t)(equals - text));
    key[equals - text] = '\0';
    if (strcmp(key, "replay") == 0) {
        return no_replay(&at, err);
    }
    if (option_find(study_options, study_option_count, "study", key)) {
        return option_assign(study_options, study_option_count, "study", key, equals + 1, study,
                             &at, err);
    }
    if (role_of(key) == AXIS_KEY && setup_key_owner(key) == KEY_NOBODY) {
        return unknown_change(key, &at, err);
    }
    struct axis *axis = study_axis(study, key);
    if (axis) {
        struct values values;
        if (!values_parse(equals + 1, axis->kind, &at, &values, err)) {
            return false;
        }
        axis->in_file = axis->in_file && all_among(&values, &axis->values);
        values_free(&axis->values);
        axis->values = values;
        axis->line = 0;
        return true;
    }
    for (size_t i = 0; i < study->setting_count; i++) {
        if (strcmp(study->settings[i].key, key) == 0) {
            study->settings[i] = study->settings[--study->setting_count];
        }
    }
    const char *comma = strchr(equals + 1, ',');
    if (role_of(key) == AXIS_KEY && comma != NULL) {
        bool decimal = isdigit((unsigned char)comma[-1]) && isdigit((unsigned char)comma[1]);
        return error_input(
            err, &at,
            "found a list, but %s is no axis of this study: expected one value%s, or "
            "an axis in the study's [axes]",
            key, decimal ? " (the decimal sign is a point)" : "");
    }
    return add_setting(study, key, equals + 1, &at, err);
}

/* --- reading --- */

static bool find_file(const char *name, char *path, size_t size, struct error *err)
{
    char relative[512];
    if (strchr(name, '/') || strstr(name, ".ini")) {
        int length = snprintf(path, size, "%s", name);
        return (length > 0 && (size_t)length < size) ||
               error_input(err, NULL, "the study's path is too long");
    }
    snprintf(relative, sizeof relative, STUDY_DIR "/%.200s.ini", name);
    if (datadir_find(relative, path, size)) {
        return true;
    }
    snprintf(relative, sizeof relative, QUESTION_DIR "/%.200s.ini", name);
    return datadir_find(relative, path, size) || study_unknown(name, err);
}

static bool note_kind(void *context, const char *section, const char *name, const char *value,
                      const struct source_location *at, struct error *err)
{
    bool *found = context;
    (void)name, (void)value, (void)at, (void)err;
    *found |= strcmp(section, "study") == 0 || strcmp(section, "axes") == 0;
    return true;
}

bool study_is(const char *name)
{
    char path[4096];
    struct error unused;
    bool found = false;
    if (strchr(name, '/') || strstr(name, ".ini")) {
        (void)config_read(name, NULL, note_kind, &found, &unused);
        return found;
    }
    return find_file(name, path, sizeof path, &unused);
}

/* Says so where a workload was given in place of a study. */
static void name_workload(const char *name, struct error *err)
{
    if (workload_is(name)) {
        error_input(err, NULL,
                    "%.200s is a workload: s2flush explain %.200s plays it, and s2flush run STUDY "
                    "--set workload=%.200s puts it into a study",
                    name, name, name);
    }
}

/* The file's name without folder and ending. */
static void name_by_file(struct study *study)
{
    const char *slash = strrchr(study->path, '/');
    snprintf(study->name, sizeof study->name, "%.63s", slash ? slash + 1 : study->path);
    char *dot = strrchr(study->name, '.');
    if (dot && dot > study->name) {
        *dot = '\0';
    }
}

/* A study outlives the texts it was read from. */
static void keep_changes(struct study *study, const struct study_changes *changes)
{
    size_t count = changes ? changes->count : 0;
    study->changes = alloc_zeroed(count, sizeof *study->changes, "changes of a study");
    while (study->change_count < count) {
        const char *text = changes->set[study->change_count];
        study->changes[study->change_count++] = alloc_checked(strdup(text), "a study");
    }
}

/* The name becomes a folder's: results/NAME. */
static bool check_name(const struct study *study, struct error *err)
{
    struct source_location at = {.file = study->path, .key = "name"};
    return (study->name[0] != '\0' && study->name[0] != '.' && !strchr(study->name, '/')) ||
           error_input(err, &at,
                       "found '%s', expected a name without '/' that does not begin with '.'",
                       study->name);
}

bool study_read_whole(struct study *study, const char *name, const struct study_changes *changes,
                      struct error *err)
{
    *study = (struct study){0};
    keep_changes(study, changes);
    option_defaults(study_options, study_option_count, study);
    study_memo_defaults(&study->memo);
    if (!find_file(name, study->path, sizeof study->path, err) ||
        !config_read(study->path, NULL, study_line, study, err) ||
        !study_strategies_end(study, err)) {
        name_workload(name, err);
        return false;
    }
    if (study->name[0] == '\0') {
        name_by_file(study);
    }
    for (size_t i = 0; i < study->change_count; i++) {
        if (!change(study, study->changes[i], err)) {
            return false;
        }
    }
    return check_name(study, err) && study_complete(study, add_axis, err) &&
           study_load(study, err) && study_rule_end(study, err);
}

bool study_read(struct study *study, const char *name, const struct study_changes *changes,
                struct error *err)
{
    return study_read_whole(study, name, changes, err) && study_effects(study, err) &&
           study_memo_check(study, err);
}

#include "guest/workload/workload.h"

#include "core/alloc.h"
#include "core/config.h"
#include "core/datadir.h"
#include "core/error.h"
#include "core/invariant.h"
#include "guest/generate/generate.h"
#include "guest/workload/workload_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKLOAD_DIR "workloads"

/* --- keys --- */

const struct option_row *workload_key(const char *key)
{
    for (size_t i = 0; i < workload_option_count; i++) {
        if (strcmp(workload_options[i].name, key) == 0) {
            return &workload_options[i];
        }
    }
    return NULL;
}

bool workload_set(struct workload *workload, const char *key, const char *text,
                  const struct source_location *at, struct error *err)
{
    const struct option_row *row = workload_key(key);
    if (!row) {
        const char *names[WORKLOAD_KEYS];
        char hint[512] = "";
        for (size_t i = 0; i < workload_option_count; i++) {
            names[i] = workload_options[i].name;
        }
        error_suggest(hint, sizeof hint, key, names, workload_option_count);
        const char *instead = workload_former_key(key);
        return instead ? error_input(err, at, "%s", instead)
                       : error_input(err, at, "no key '%.80s' of a workload%s", key, hint);
    }
    if (!option_set(row, text, &workload->values, at, err)) {
        return false;
    }
    workload->given[row - workload_options] = true;
    if (workload->boot_line) {
        generate_resolve(&workload->values, workload->given);
    }
    return true;
}

bool workload_given(const struct workload *workload, const char *key)
{
    return workload->given[workload_key(key) - workload_options];
}

const char *workload_name(const struct workload *workload)
{
    return workload->values.name;
}

bool workload_range(const struct workload *workload, double *low, double *mode, double *high)
{
    const struct workload_values *values = &workload->values;
    *low = (double)values->secondaries_after_min;
    *mode = (double)values->secondaries_after;
    *high = (double)values->secondaries_after_max;
    return workload->boot_line > 0 && values->vcpus > 1 &&
           values->secondaries_after_min < values->secondaries_after_max;
}

void workload_in_range(struct workload *workload, double bytes)
{
    workload->values.secondaries_after = (uint64_t)bytes;
}

const char *workload_title(const struct workload *workload)
{
    return workload->values.title;
}

const void *workload_values(const struct workload *workload)
{
    return &workload->values;
}

/* --- reading --- */

static char *copied(const char *text)
{
    char *copy = alloc_checked(strdup(text), "a workload");
    return copy;
}

static void keep_line(struct script_lines *lines, const struct script_line *line)
{
    if (lines->count == lines->room) {
        lines->room = lines->room ? lines->room * 2 : 64;
        lines->lines =
            alloc_checked(realloc(lines->lines, lines->room * sizeof *lines->lines), "a workload");
    }
    lines->lines[lines->count++] = (struct script_line){
        .line = line->line, .actor = copied(line->actor), .text = copied(line->text)};
}

static void note_section(unsigned *line, const struct source_location *at)
{
    *line = *line ? *line : at->line;
}

static bool workload_line(void *context, const char *section, const char *name, const char *value,
                          const struct source_location *at, struct error *err)
{
    struct workload *workload = context;
    if (strcmp(section, "timeline") == 0) {
        struct script_line line = {at->line, (char *)name, (char *)value};
        note_section(&workload->timeline_line, at);
        keep_line(&workload->lines, &line);
        return true;
    }
    if (strcmp(section, "workload") != 0 && strcmp(section, "vm") != 0 &&
        strcmp(section, "boot") != 0 && strncmp(section, "slot ", 5) != 0) {
        static const char *const names[] = {"workload", "vm", "slot NAME", "timeline", "boot"};
        struct source_location where = {at->file, at->line, name};
        return option_no_section(section, names, sizeof names / sizeof *names, &where, err);
    }
    if (strncmp(section, "slot ", 5) == 0) {
        return workload_slot_line(&workload->slots, section + 5, name, value, at, err);
    }
    if (strcmp(section, "boot") == 0) {
        note_section(&workload->boot_line, at);
    }
    const char *instead = workload_former_key(name);
    if (instead) {
        struct source_location where = {at->file, at->line, name};
        return error_input(err, &where, "%s", instead);
    }
    if (!option_assign(workload_options, workload_option_count, section, name, value,
                       &workload->values, at, err)) {
        return false;
    }
    const struct option_row *row =
        option_find(workload_options, workload_option_count, section, name);
    workload->given[row - workload_options] = true;
    return true;
}

/* Exactly one of the three ways to say what happens. */
static bool check_kind(const struct workload *workload, struct error *err)
{
    int ways = (workload->values.recording[0] != '\0') + (workload->timeline_line > 0) +
               (workload->boot_line > 0);
    struct source_location at = {.file = workload->path};
    if (ways != 1) {
        return error_input(err, &at,
                           "found %s of recording, [timeline] and [boot] (a section without a key "
                           "is none), expected one",
                           ways == 0 ? "none" : "more than one");
    }
    return true;
}

static void name_after_file(struct workload *workload)
{
    const char *slash = strrchr(workload->path, '/');
    const char *base = slash ? slash + 1 : workload->path;
    size_t length = strlen(base);
    if (length > 4 && strcmp(base + length - 4, ".ini") == 0) {
        length -= 4;
    }
    snprintf(workload->values.name, sizeof workload->values.name, "%.*s", (int)length, base);
}

/* What can only be seen when the whole is put together is seen at once; a
 * recording is long and is looked at when it is played. */
static bool check_whole(const struct workload *workload, struct error *err)
{
    struct timeline timeline;
    if (workload->values.recording[0] != '\0') {
        return workload_check_recorded(workload, err);
    }
    if (!workload_build(workload, &timeline, err)) {
        return false;
    }
    timeline_free(&timeline);
    return true;
}

static struct workload *read_file(const char *path, struct error *err)
{
    struct workload *workload = alloc_checked(calloc(1, sizeof *workload), "a workload");
    INVARIANT(workload_option_count <= WORKLOAD_KEYS, "%zu keys", workload_option_count);
    snprintf(workload->path, sizeof workload->path, "%s", path);
    option_defaults(workload_options, workload_option_count, &workload->values);
    if (!config_read(path, "timeline", workload_line, workload, err) ||
        !check_kind(workload, err)) {
        workload_free(workload);
        return NULL;
    }
    if (workload->values.name[0] == '\0') {
        name_after_file(workload);
    }
    if (workload->boot_line) {
        generate_resolve(&workload->values, workload->given);
    }
    if (!check_whole(workload, err)) {
        workload_free(workload);
        return NULL;
    }
    return workload;
}

static bool note_kind(void *context, const char *section, const char *name, const char *value,
                      const struct source_location *at, struct error *err)
{
    bool *found = context;
    (void)name, (void)value, (void)at, (void)err;
    *found |= strcmp(section, "workload") == 0 || strcmp(section, "vm") == 0 ||
              strcmp(section, "boot") == 0 || strcmp(section, "timeline") == 0;
    return true;
}

bool workload_is(const char *name)
{
    char relative[512], path[4096];
    struct error unused;
    bool found = false;
    if (strchr(name, '/') || strstr(name, ".ini")) {
        (void)config_read(name, "timeline", note_kind, &found, &unused);
        return found;
    }
    snprintf(relative, sizeof relative, WORKLOAD_DIR "/%.400s.ini", name);
    return datadir_find(relative, path, sizeof path);
}

static void unknown_workload(const char *name, struct error *err)
{
    char hint[640] = "";
    char *names[256];
    size_t known = datadir_names(WORKLOAD_DIR, ".ini", names, 0, sizeof names / sizeof *names);
    if (known == 0) {
        (void)datadir_nowhere(WORKLOAD_DIR, err);
        return;
    }
    error_suggest_all(hint, sizeof hint, name, (const char *const *)names, known);
    for (size_t i = 0; i < known; i++) {
        free(names[i]);
    }
    error_input(err, NULL, "no workload '%.200s'%s", name, hint);
}

struct workload *workload_read(const char *name, struct error *err)
{
    char relative[512], path[4096];
    if (strchr(name, '/') || strstr(name, ".ini")) {
        return read_file(name, err);
    }
    snprintf(relative, sizeof relative, WORKLOAD_DIR "/%.400s.ini", name);
    if (!datadir_find(relative, path, sizeof path)) {
        unknown_workload(name, err);
        return NULL;
    }
    return read_file(path, err);
}

struct workload *workload_copy(const struct workload *workload)
{
    struct workload *copy = alloc_checked(calloc(1, sizeof *copy), "a workload");
    *copy = *workload;
    copy->lines = (struct script_lines){0};
    for (size_t i = 0; i < workload->lines.count; i++) {
        keep_line(&copy->lines, &workload->lines.lines[i]);
    }
    return copy;
}

void workload_free(struct workload *workload)
{
    if (!workload) {
        return;
    }
    for (size_t i = 0; i < workload->lines.count; i++) {
        free(workload->lines.lines[i].actor);
        free(workload->lines.lines[i].text);
    }
    free(workload->lines.lines);
    free(workload);
}

#include "cli/analysis.h"

#include "cli/progress.h"
#include "core/error.h"
#include "core/invariant.h"
#include "report/output.h"

#include <string.h>

#define TABLES_MAX 4

static bool take_metric(struct analysis *given, const char *text, struct error *err)
{
    struct source_location at = {.key = "--metric"};
    given->has_metric = true;
    return metric_one(text, &at, &given->metric, err);
}

static bool take_format(struct analysis *given, const char *text, struct error *err)
{
    static const char *const names[] = {"text", "csv"};
    given->csv = strcmp(text, "csv") == 0;
    if (given->csv || strcmp(text, "text") == 0) {
        return true;
    }
    char hint[128] = "";
    error_suggest(hint, sizeof hint, text, names, 2);
    return error_input(err, NULL, "--format: found '%.80s'%s", text, hint);
}

bool analysis_take(struct analysis *given, int key, const char *text, struct error *err)
{
    switch (key) {
    case 'm':
        return take_metric(given, text, err);
    case 'o':
        given->folder = text;
        return true;
    case 'j':
        return cli_whole("--jobs", text, 1, 1024, &given->jobs, err);
    case 'S':
        return cli_add_set(&given->sets, text, err);
    case 'f':
        return take_format(given, text, err);
    case 'w':
        given->what_if = true;
        return true;
    case 'A':
        given->all = true;
        return true;
    default:
        return cli_one_word(&given->study, text, err);
    }
}

static bool write_tables(struct output *files, const struct analysis *given,
                         const struct analysis_table *tables, size_t count, const void *results,
                         struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!output_open(&files[i], given->folder, tables[i].name, err)) {
            return false;
        }
        tables[i].write(files[i].file, results);
        if (!output_close(&files[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!output_keep(&files[i], err)) {
            return false;
        }
    }
    return true;
}

bool analysis_files(const struct analysis *given, const struct analysis_table *tables, size_t count,
                    const void *results, struct error *err)
{
    struct output files[TABLES_MAX] = {0};
    INVARIANT(count <= TABLES_MAX, "%zu tables", count);
    if (!given->folder) {
        return true;
    }
    bool good = output_folder_make(given->folder, err) &&
                write_tables(files, given, tables, count, results, err);
    for (size_t i = 0; i < count; i++) {
        output_drop(&files[i]);
    }
    return good;
}

struct sweep analysis_sweep(const struct analysis *given)
{
    return (struct sweep){.jobs = (unsigned)given->jobs, .progress = progress_line()};
}

/* What the command line leaves open the study's [memo] may say. */
static bool settle(struct analysis *given, const struct study *study, struct error *err)
{
    struct source_location at = {.file = study->path, .key = "metric"};
    given->what_if |= study->memo.what_if;
    return given->has_metric || metric_one(study->memo.metric, &at, &given->metric, err);
}

/* Adds `axis=value` to the changes where the case narrows the axis. */
static bool narrow_axis(const struct study *study, size_t axis, const char *open,
                        struct cli_sets *sets, char text[320], struct error *err)
{
    const struct axis *own = &study->axes[axis];
    size_t value = study_memo_case(study, axis);
    if (value == SIZE_MAX || own->values.count < 2 || study_memo_by(&study->memo, own->name) ||
        (open && strcmp(own->name, open) == 0)) {
        text[0] = '\0';
        return true;
    }
    snprintf(text, 320, "%s=%s", own->name, own->values.text[value]);
    return cli_add_set(sets, text, err);
}

bool analysis_focus(const struct analysis *given, const struct study *study, const char *open,
                    struct study *narrow, struct error *err)
{
    struct cli_sets sets = given->sets;
    char text[STUDY_AXES][320];
    *narrow = (struct study){0};
    for (size_t a = 0; a < study->axis_count && !given->all; a++) {
        if (!narrow_axis(study, a, open, &sets, text[a], err)) {
            return false;
        }
    }
    if (sets.count > given->sets.count) {
        fprintf(stderr, "only the situations of [memo] (--all: all of them):");
        for (size_t i = given->sets.count; i < sets.count; i++) {
            fprintf(stderr, " %s", sets.text[i]);
        }
        fprintf(stderr, "\n");
    }
    return study_read(narrow, given->study, &(struct study_changes){sets.text, sets.count}, err);
}

int analysis_run(struct analysis *given, const char *command,
                 bool (*answer)(const struct study *study, void *context, struct error *err),
                 void *context)
{
    struct study study;
    struct error err;
    struct study_changes changes = {given->sets.text, given->sets.count};
    if (!given->study) {
        error_input(&err, NULL, "%s: expected a study; `s2flush list studies` names them", command);
        return cli_fail(&err);
    }
    if (given->folder && !output_folder_check(given->folder, &err)) {
        return cli_fail(&err);
    }
    bool good = study_read(&study, given->study, &changes, &err) && settle(given, &study, &err) &&
                answer(&study, context, &err);
    study_free(&study);
    return good ? EXIT_DONE : cli_fail(&err);
}

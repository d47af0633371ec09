#include "cli/analysis.h"

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/wait.h"
#include "core/error.h"
#include "report/output.h"

#include <string.h>

static bool take_metric(void *analysis, const char *text, struct error *err)
{
    struct analysis *given = analysis;
    struct source_location at = {.key = "--metric"};
    given->has_metric = true;
    return metric_one(text, &at, &given->metric, err);
}

#define AT(field) CLI_FIELD(struct analysis, field)

static const char *const formats[] = {"text", "csv", NULL};
static const char *const formats_json[] = {"text", "csv", "json", NULL};

#define SHARED_OPTIONS(formats_, names)                                                          \
    {"metric", 'm', "METRIC", "added_boot (the default), cpu, pause, or any that is a time",     \
     .take = take_metric},                                                                       \
        {"output", 'o', "DIR", "folder for the tables, which `s2flush plot` draws", AT(folder)}, \
        {"jobs", 'j', "N", "threads (as many as processors)", AT(jobs), .low = 1, .high = 1024}, \
        {"set",       'S',                                                                       \
         "KEY=VALUE", "set a key; an axis takes a value or a list",                              \
         AT(sets),    .repeatable = true},                                                       \
        {"format",   'f',                                                                        \
         "FORMAT",   "on stdout: text (the default) or " names,                                  \
         AT(format), .choices = (formats_)},                                                     \
        {"what-if", 'w', NULL, "also strategies that need what the machine lacks", AT(what_if)}, \
        {"all", 'A', NULL, "all scenarios of the study (those of its [memo]'s case)", AT(all)},  \
    {                                                                                            \
        0                                                                                        \
    }

const struct cli_option analysis_options[] = {SHARED_OPTIONS(formats, "csv")};
const struct cli_option analysis_options_json[] = {SHARED_OPTIONS(formats_json, "csv, json")};

bool analysis_files(const struct analysis *given, const struct analysis_report *report,
                    const void *results, struct error *err)
{
    struct outputs files = {0};
    bool good = !given->folder || output_folder_make(given->folder, err);
    for (size_t i = 0; good && given->folder && i < 2 && report->table[i].name; i++) {
        FILE *out = outputs_add(&files, given->folder, report->table[i].name, err);
        if (out) {
            report->table[i].write(out, results);
        }
        good = out;
    }
    return outputs_end(&files, good, err);
}

bool analysis_show(const struct analysis *given, const struct analysis_report *report,
                   const void *results, struct error *err)
{
    if (!analysis_files(given, report, results, err)) {
        return false;
    }
    switch ((enum analysis_format)given->format) {
    case ANALYSIS_TEXT:
        report->print(stdout, results);
        break;
    case ANALYSIS_CSV:
        report->table[0].write(stdout, results);
        break;
    case ANALYSIS_JSON:
        report->table[1].write(stdout, results);
        break;
    case ANALYSIS_NOTHING:
        break;
    }
    return true;
}

struct sweep analysis_sweep(const struct analysis *given, const char *name)
{
    return (struct sweep){.name = name,
                          .jobs = (unsigned)given->jobs,
                          .progress = progress_line(),
                          .stopped = interrupt_signal};
}

/* What the command line leaves open the study's [memo] may say. */
bool analysis_settle(struct analysis *given, const struct study *study, struct error *err)
{
    struct source_location at = {.file = study->path, .key = "metric"};
    given->what_if |= study->memo.what_if;
    return given->has_metric || metric_one(study->memo.metric, &at, &given->metric, err);
}

void analysis_axes(const struct study *study, bool numbers, char text[ANALYSIS_AXES_TEXT])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t a = 0; a < study->axis_count; a++) {
        const struct axis *axis = &study->axes[a];
        bool fits = axis->role != AXIS_STRATEGY &&
                    (!numbers || (axis->kind.number && axis->values.count > 1));
        if (fits) {
            used += (size_t)snprintf(text + used, ANALYSIS_AXES_TEXT - used, "%s%.63s",
                                     used ? ", " : "", axis->name);
        }
    }
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

bool analysis_focus(void *arguments, const struct study *study, const char *open,
                    analysis_answer *answer, struct error *err)
{
    const struct analysis *given = arguments;
    struct cli_sets sets = given->sets;
    char text[STUDY_AXES][320];
    struct study narrow;
    for (size_t a = 0; a < study->axis_count && !given->all; a++) {
        if (!narrow_axis(study, a, open, &sets, text[a], err)) {
            return false;
        }
    }
    if (sets.count > given->sets.count && given->format != ANALYSIS_NOTHING) {
        fprintf(stderr, "only the scenarios of [memo] (--all: all of them):");
        for (size_t i = given->sets.count; i < sets.count; i++) {
            fprintf(stderr, " %s", sets.text[i]);
        }
        fprintf(stderr, "\n");
    }
    bool kept = given->kept.store && store_plays(given->kept.store).kept > 0;
    bool good =
        study_read(&narrow, given->study, &(struct study_changes){sets.text, sets.count}, err) &&
        (kept || given->format == ANALYSIS_NOTHING ||
         wait_say(&narrow, given->kept.store, (unsigned)given->jobs, err)) &&
        answer(&narrow, arguments, err);
    study_free(&narrow);
    return good;
}

/* What was played is looked up in the folder, where one is given, and kept there. */
static bool open_store(struct analysis *given, const struct study *study, struct error *err)
{
    struct run_request request = {.study = study, .folder = given->folder, .format = "csv"};
    if (given->folder) {
        return run_store_open(&given->kept, &request, err);
    }
    given->kept.store = store_in_memory();
    return true;
}

bool analysis_close(struct analysis *given, bool good, struct error *err)
{
    struct error inner = *err;
    if (!given->kept.store) {
        return good;
    }
    if (!given->folder) {
        store_drop(given->kept.store);
        return good;
    }
    bool passed = !good && err->simulation;
    if (!run_store_close(&given->kept, good || passed, err)) {
        return false;
    }
    *err = inner;
    return good;
}

bool analysis_run(void *arguments, analysis_answer *answer, struct error *err)
{
    struct analysis *given = arguments;
    struct study study;
    struct study_changes changes = {given->sets.text, given->sets.count};
    bool good = study_read(&study, given->study, &changes, err) &&
                analysis_settle(given, &study, err) && open_store(given, &study, err);
    if (good) {
        good = answer(&study, arguments, err);
        good = analysis_close(given, good, err);
    }
    study_free(&study);
    return good;
}

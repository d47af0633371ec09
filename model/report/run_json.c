#include "report/run_json.h"

#include "core/version.h"
#include "report/json.h"
#include "report/rows.h"
#include "study/draws.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

static bool read_date(time_t *now, struct error *err)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    char *end;
    *now = time(NULL);
    if (!epoch || epoch[0] == '\0') {
        return true;
    }
    errno = 0;
    long long value = strtoll(epoch, &end, 10);
    if (errno != 0 || *end != '\0' || value < 0 || value > 253402300799LL) {
        return error_input(err, NULL,
                           "SOURCE_DATE_EPOCH: found '%.40s', expected seconds since "
                           "1970",
                           epoch);
    }
    *now = (time_t)value;
    return true;
}

static void put_program(struct json *json, time_t now)
{
    char date[32];
    struct tm parts;
    struct utsname host;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    json_open(json, "program", '{');
    json_text(json, "name", "s2flush");
    json_text(json, "version", version_program);
    json_text(json, "compiler", version_compiler);
    json_text(json, "flags", version_flags);
    json_close(json, '}');
    json_text(json, "date", date);
    if (uname(&host) == 0) {
        json_open(json, "host", '{');
        json_text(json, "name", host.nodename);
        json_text(json, "system", host.sysname);
        json_text(json, "release", host.release);
        json_text(json, "machine", host.machine);
        json_close(json, '}');
    }
}

static void put_options(struct json *json, const struct study *study)
{
    for (size_t i = 0; i < study_option_count; i++) {
        const struct option *row = &study_options[i];
        char text[600];
        if (row->kind == OPTION_WHOLE) {
            uint64_t value;
            memcpy(&value, (const char *)study + row->offset, sizeof value);
            json_whole(json, row->name, value);
        } else {
            json_text(json, row->name, option_format(row, study, text, sizeof text));
        }
    }
}

static void put_axes(struct json *json, const struct study *study)
{
    json_open(json, "axes", '[');
    for (size_t a = 0; a < study->axis_count; a++) {
        const struct axis *axis = &study->axes[a];
        json_open(json, NULL, '{');
        json_text(json, "name", axis->name);
        json_text(json, "unit", axis->kind.number ? unit_name(axis->kind.unit) : NULL);
        json_open(json, "values", '[');
        for (size_t i = 0; i < axis->values.count; i++) {
            json_text(json, NULL, axis->values.text[i]);
        }
        json_close(json, ']');
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_list(struct json *json, const char *name, const char *text)
{
    char words[STUDY_MEMO_LIST][64];
    size_t count = study_memo_list(text, words);
    json_open(json, name, '[');
    for (size_t i = 0; i < count; i++) {
        json_text(json, NULL, words[i]);
    }
    json_close(json, ']');
}

/* What is not given is null or empty; a case holds the values of the axes that
 * it names. */
static void put_memo(struct json *json, const struct study *study)
{
    const struct study_memo *memo = &study->memo;
    char first[64], second[64];
    json_open(json, "memo", '{');
    json_flag(json, "given", memo->given);
    json_text(json, "metric", memo->metric);
    json_text(json, "breakeven", memo->breakeven[0] ? memo->breakeven : NULL);
    json_flag(json, "sensitivity", memo->sensitivity != MEMO_SENSITIVITY_NO);
    json_flag(json, "sensitivity_all", memo->sensitivity == MEMO_SENSITIVITY_ALL);
    json_flag(json, "what_if", memo->what_if);
    json_open(json, "compare", '[');
    if (study_memo_pair(memo->compare, first, second)) {
        json_text(json, NULL, first);
        json_text(json, NULL, second);
    }
    json_close(json, ']');
    put_list(json, "by", memo->by);
    put_list(json, "against", memo->against);
    put_list(json, "also", memo->also);
    put_list(json, "targets", memo->targets);
    json_open(json, "case", '{');
    for (size_t a = 0; a < study->axis_count; a++) {
        size_t value = study_memo_case(study, a);
        if (value != SIZE_MAX) {
            json_text(json, study->axes[a].name, study->axes[a].values.text[value]);
        }
    }
    json_close(json, '}');
    json_close(json, '}');
}

static void put_changes(struct json *json, const struct study *study)
{
    json_open(json, "changes", '[');
    for (size_t i = 0; i < study->change_count; i++) {
        json_text(json, NULL, study->changes[i]);
    }
    json_close(json, ']');
}

static void put_settings(struct json *json, const struct study *study)
{
    put_options(json, study);
    json_text(json, "random_numbers", "xoshiro256**, seeded by SplitMix64");
    json_text(json, "interval", "95 %, Student's t over the shifts");
    put_axes(json, study);
    json_open(json, "set", '{');
    for (size_t i = 0; i < study->setting_count; i++) {
        json_text(json, study->settings[i].key, study->settings[i].text);
    }
    json_close(json, '}');
    put_changes(json, study);
    put_memo(json, study);
    json_whole(json, "points", study->points);
}

/* --- settings, grouped by section --- */

struct section_writer {
    struct json *json;
    char section[64]; /* the one that is open; "": none */
};

static void close_section(struct section_writer *writer)
{
    if (writer->section[0]) {
        json_close(writer->json, '}');
        writer->section[0] = '\0';
    }
}

static void put_setting(void *context, const struct setting_line *line)
{
    struct section_writer *writer = context;
    if (strcmp(writer->section, line->section) != 0) {
        close_section(writer);
        snprintf(writer->section, sizeof writer->section, "%s", line->section);
        json_open(writer->json, line->section, '{');
    }
    json_text(writer->json, line->key, line->value);
    if (line->note) {
        char key[96];
        snprintf(key, sizeof key, "%s source", line->key);
        json_text(writer->json, key, line->note);
    }
}

static void put_configuration(struct json *json, const struct study *study)
{
    struct section_writer writer = {.json = json};
    for (int role = 0; role < AXIS_ROLES; role++) {
        static const char *const plural[] = {"workloads", "machines", "kernels", "strategies"};
        const struct values *values = &study->role[role]->values;
        json_open(json, plural[role], '{');
        for (size_t i = 0; i < values->count; i++) {
            json_open(json, values->text[i], '{');
            if (role == AXIS_WORKLOAD) {
                json_text(json, "title", workload_title(study->workloads[i]));
                setup_tell_workload(study->workloads[i], put_setting, &writer);
            } else if (role == AXIS_MACHINE) {
                setup_tell_platform(&study->platforms[i], put_setting, &writer);
            } else if (role == AXIS_KERNEL) {
                setup_tell_kernel(&study->kernels[i], put_setting, &writer);
            } else {
                setup_tell_strategy(study->strategies[i], put_setting, &writer);
            }
            close_section(&writer);
            json_close(json, '}');
        }
        json_close(json, '}');
    }
}

/* --- the whole --- */

/* Depths of what is written ahead: members of `study`, and of the outermost. */
enum { IN_STUDY = 2, IN_RUN = 1 };

static char *written_ahead(const struct study *study, unsigned depth,
                           void (*put)(struct json *json, const struct study *study))
{
    char *text = NULL;
    size_t size = 0;
    struct json json = {.out = open_memstream(&text, &size), .depth = depth, .more = true};
    if (!json.out) {
        die("out of memory for the record of a run");
    }
    put(&json, study);
    if (fclose(json.out) != 0) {
        die("out of memory for the record of a run");
    }
    return text;
}

static void put_all_configuration(struct json *json, const struct study *study)
{
    json_open(json, "configuration", '{');
    put_configuration(json, study);
    json_close(json, '}');
}

void run_about(const struct study *study, struct run_about *about)
{
    about->path = strdup(study->path);
    if (!about->path) {
        die("out of memory for the record of a run");
    }
    about->settings = written_ahead(study, IN_STUDY, put_settings);
    about->configuration = written_ahead(study, IN_RUN, put_all_configuration);
}

void run_about_free(struct run_about *about)
{
    free(about->path);
    free(about->settings);
    free(about->configuration);
    *about = (struct run_about){0};
}

bool run_json_possible(struct error *err)
{
    time_t now;
    return read_date(&now, err);
}

bool run_json_write(FILE *out, const struct run_about *about, uint64_t plays, uint64_t reprices,
                    struct error *err)
{
    struct json json = {.out = out};
    time_t now;
    if (!read_date(&now, err)) {
        return false;
    }
    json_open(&json, NULL, '{');
    json_whole(&json, "schema_version", ROWS_SCHEMA);
    put_program(&json, now);
    json_open(&json, "study", '{');
    json_text(&json, "file", about->path);
    json_again(&json, about->settings);
    json_whole(&json, "runs_played", plays);
    json_whole(&json, "runs_priced_again", reprices);
    json_close(&json, '}');
    json_again(&json, about->configuration);
    json_close(&json, '}');
    return true;
}

#include "report/run_json.h"

#include "core/error.h"
#include "core/tojson.h"
#include "core/version.h"
#include "report/rows.h"

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

static void put_program(json_t *run, time_t now)
{
    char date[32];
    struct tm parts;
    struct utsname host;
    json_t *program = json_object();
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    tojson_set(program, "name", tojson_text("s2flush"));
    tojson_set(program, "version", tojson_text(version_program));
    tojson_set(program, "compiler", tojson_text(version_compiler));
    tojson_set(program, "flags", tojson_text(version_flags));
    tojson_set(run, "program", program);
    tojson_set(run, "date", tojson_text(date));
    if (uname(&host) == 0) {
        json_t *machine = json_object();
        tojson_set(machine, "name", tojson_text(host.nodename));
        tojson_set(machine, "system", tojson_text(host.sysname));
        tojson_set(machine, "release", tojson_text(host.release));
        tojson_set(machine, "machine", tojson_text(host.machine));
        tojson_set(run, "host", machine);
    }
}

static void put_options(json_t *settings, const struct study *study)
{
    for (size_t i = 0; i < study_option_count; i++) {
        const struct option_row *row = &study_options[i];
        char text[600];
        if (row->kind == OPTION_WHOLE) {
            uint64_t value;
            memcpy(&value, (const char *)study + row->offset, sizeof value);
            tojson_set(settings, row->name, tojson_whole(value));
        } else {
            tojson_set(settings, row->name,
                       tojson_text(option_format(row, study, text, sizeof text)));
        }
    }
}

static json_t *axes_of(const struct study *study)
{
    json_t *axes = json_array();
    for (size_t a = 0; a < study->axis_count; a++) {
        const struct axis *axis = &study->axes[a];
        json_t *one = json_object(), *values = json_array();
        for (size_t i = 0; i < axis->values.count; i++) {
            tojson_append(values, tojson_text(axis->values.text[i]));
        }
        tojson_set(one, "name", tojson_text(axis->name));
        tojson_set(one, "unit", tojson_text(axis->kind.number ? unit_name(axis->kind.unit) : NULL));
        tojson_set(one, "values", values);
        if (axis->role == AXIS_STRATEGY) {
            tojson_set(one, "all_coherent", json_boolean(study->ruled));
        }
        tojson_append(axes, one);
    }
    return axes;
}

static json_t *list_of(const char *text)
{
    char words[STUDY_MEMO_LIST][64];
    size_t count = study_memo_list(text, words);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        tojson_append(list, tojson_text(words[i]));
    }
    return list;
}

/* What is not given is null or empty; a case holds the values of the axes that
 * it names. */
static json_t *memo_of(const struct study *study)
{
    const struct study_memo *memo = &study->memo;
    char first[64], second[64];
    json_t *all = json_object(), *compare = json_array(), *named = json_object();
    if (study_memo_pair(memo->compare, first, second)) {
        tojson_append(compare, tojson_text(first));
        tojson_append(compare, tojson_text(second));
    }
    for (size_t a = 0; a < study->axis_count; a++) {
        size_t value = study_memo_case(study, a);
        if (value != SIZE_MAX) {
            tojson_set(named, study->axes[a].name, tojson_text(study->axes[a].values.text[value]));
        }
    }
    tojson_set(all, "given", json_boolean(memo->given));
    tojson_set(all, "metric", tojson_text(memo->metric));
    tojson_set(all, "breakeven", tojson_text(memo->breakeven[0] ? memo->breakeven : NULL));
    tojson_set(all, "sensitivity", json_boolean(memo->sensitivity != MEMO_SENSITIVITY_NO));
    tojson_set(all, "sensitivity_all", json_boolean(memo->sensitivity == MEMO_SENSITIVITY_ALL));
    tojson_set(all, "what_if", json_boolean(memo->what_if));
    tojson_set(all, "compare", compare);
    tojson_set(all, "by", list_of(memo->by));
    tojson_set(all, "also", list_of(memo->also));
    tojson_set(all, "targets", list_of(memo->targets));
    tojson_set(all, "case", named);
    return all;
}

static json_t *settings_of(const struct study *study)
{
    json_t *all = json_object(), *set = json_object(), *changes = json_array();
    for (size_t i = 0; i < study->setting_count; i++) {
        tojson_set(set, study->settings[i].key, tojson_text(study->settings[i].text));
    }
    for (size_t i = 0; i < study->change_count; i++) {
        tojson_append(changes, tojson_text(study->changes[i]));
    }
    put_options(all, study);
    tojson_set(all, "random_numbers", tojson_text("xoshiro256**, seeded by SplitMix64"));
    tojson_set(all, "interval", tojson_text("95 %, Student's t over the shifts"));
    tojson_set(all, "axes", axes_of(study));
    tojson_set(all, "set", set);
    tojson_set(all, "changes", changes);
    tojson_set(all, "memo", memo_of(study));
    tojson_set(all, "points", tojson_whole(study->points));
    return all;
}

/* --- settings, grouped by section --- */

/* Into the object of the line's section, which its first line makes. */
static void put_setting(void *context, const struct setting_line *line)
{
    json_t *of = context, *section = json_object_get(of, line->section);
    if (!section) {
        section = json_object();
        tojson_set(of, line->section, section);
    }
    tojson_set(section, line->key, tojson_text(line->value));
    if (line->note) {
        char key[96];
        snprintf(key, sizeof key, "%s source", line->key);
        tojson_set(section, key, tojson_text(line->note));
    }
}

static json_t *configuration_of(const struct study *study)
{
    static const char *const plural[] = {"workloads", "machines", "kernels", "strategies"};
    json_t *all = json_object();
    for (int role = 0; role < AXIS_ROLES; role++) {
        const struct values *values = &study->role[role]->values;
        json_t *same_role = json_object();
        for (size_t i = 0; i < values->count; i++) {
            json_t *one = json_object();
            if (role == AXIS_WORKLOAD) {
                tojson_set(one, "title", tojson_text(workload_title(study->workloads[i])));
                setup_list_said(study->workloads[i], put_setting, one);
            } else if (role == AXIS_MACHINE) {
                setup_list_platform(&study->platforms[i], put_setting, one);
            } else if (role == AXIS_KERNEL) {
                setup_list_kernel(&study->kernels[i], put_setting, one);
            } else {
                setup_list_strategy(study->strategies[i], put_setting, one);
            }
            tojson_set(same_role, values->text[i], one);
        }
        tojson_set(all, plural[role], same_role);
    }
    return all;
}

/* --- the whole --- */

bool run_about(const struct study *study, struct shard shard, const char *format,
               struct store_about *about, struct error *err)
{
    return store_about_of(about, study, shard, format,
                          tojson_dump(settings_of(study), JSON_COMPACT),
                          tojson_dump(configuration_of(study), JSON_COMPACT), err);
}

bool run_json_possible(struct error *err)
{
    time_t now;
    return read_date(&now, err);
}

static void put_failed(void *context, const char *why)
{
    tojson_append(context, tojson_text(why));
}

bool run_json_write(FILE *out, struct store *store, struct error *err)
{
    const struct store_about *about = store_about(store);
    struct store_sum sum = store_sum(store);
    json_t *failed = json_array();
    time_t now;
    if (!read_date(&now, err) || !store_each_failed(store, put_failed, failed, err)) {
        json_decref(failed);
        return false;
    }
    json_t *run = json_object(), *study = json_object();
    json_t *settings = json_loads(about->text[STORE_SETTINGS], 0, NULL);
    tojson_set(run, "schema_version", json_integer(ROWS_SCHEMA));
    put_program(run, now);
    tojson_set(study, "file", tojson_text(about->text[STORE_PATH]));
    json_object_update(study, settings);
    tojson_set(study, "runs_played", tojson_whole(sum.plays));
    tojson_set(study, "runs_priced_again", tojson_whole(sum.reprices));
    if (sum.failed > 0) {
        tojson_set(study, "failed", json_incref(failed));
    }
    json_decref(failed);
    tojson_set(run, "study", study);
    tojson_set(run, "configuration", json_loads(about->text[STORE_CONFIGURATION], 0, NULL));
    tojson_print(out, run, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(settings);
    return true;
}

/* s2flush explain: one run in full. */
#include "cli/cli.h"
#include "core/error.h"
#include "report/explain.h"
#include "study/study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct arguments {
    const char *workload, *strategy, *study, *machine, *kernel;
    struct cli_sets sets;
    struct explain_setting settings[CLI_SETS];
    struct explain_options options;
    const char *from, *to;
    bool exact;
};

#define AT(field) CLI_FIELD(struct arguments, field)

static bool take_timeline(void *field, const char *path, struct error *err)
{
    struct tracks_wish *wish = field;
    if (wish->count == TRACKS_FILES) {
        return error_input(err, NULL, "more than %d --timeline", TRACKS_FILES);
    }
    wish->path[wish->count++] = path;
    return tracks_path_check(path, err);
}

static bool take_limit(void *field, const char *text, struct error *err)
{
    struct tracks_wish *wish = field;
    uint64_t limit;
    if (!cli_whole("--timeline-limit", text, TRACKS_LIMIT_LEAST, TRACKS_LIMIT_MOST, &limit, err)) {
        return false;
    }
    wish->limit = (size_t)limit;
    return true;
}

static const struct cli_option options[] = {
    {"strategy", 's', "NAME", "what is done at re-init (unmap)", AT(strategy)},
    {"study", 0, "STUDY", "whose own [strategy NAME] sections --strategy may name", AT(study)},
    {"machine", 'm', "NAME", "a machine or a platform file (neoverse-n1)", AT(machine)},
    {"kernel", 'k', "VERSION", "such as '6.1' or '6.1 fault_lock=read' (6.1)", AT(kernel)},
    {"set", 'S', "KEY=VALUE", "set a key of the workload or a cost", AT(sets), .repeatable = true},
    {"full", 'v', NULL, "all that was charged, by phase, actor and kind; who waited",
     AT(options.full)},
    {"exact", 0, NULL, "leaf by leaf and line by line", AT(exact)},
    {"timeline", 0, "FILE", "the run over time: .json for Perfetto, .svg or .png as a picture",
     .take = take_timeline, .offset = offsetof(struct arguments, options.tracks),
     .repeatable = true},
    {"timeline-limit", 0, "N",
     "slices in a timeline; above it short neighbours are put together (100000)",
     .take = take_limit, .offset = offsetof(struct arguments, options.tracks)},
    {"trace", 0, NULL, "every event as a line of CSV, in place of the account", AT(options.trace)},
    {"from", 0, "TIME", "of a trace: the first time, such as 27.2s (0)", AT(from)},
    {"to", 0, "TIME", "of a trace: where it ends, such as 27.3s (the run's end)", AT(to)},
    {0},
};

/* Notes which key is set, once however often it is, and what it is before. */
static bool note_key(struct arguments *given, const struct setup *setup, const char *text,
                     struct error *err)
{
    const char *equals = strchr(text, '=');
    size_t i = 0, length = equals ? (size_t)(equals - text) : 0;
    struct explain_setting *setting = given->settings;
    if (length == 0 || length >= sizeof setting->key) {
        return error_input(err, NULL, "--set: found '%.80s', expected key=value", text);
    }
    while (i < given->options.setting_count &&
           (strlen(setting[i].key) != length || strncmp(setting[i].key, text, length) != 0)) {
        i++;
    }
    if (i == given->options.setting_count) {
        given->options.setting_count++;
        snprintf(setting[i].key, sizeof setting[i].key, "%.*s", (int)length, text);
        setup_value(setup, setting[i].key, setting[i].before, sizeof setting[i].before);
    }
    return true;
}

static bool set_key(struct setup *setup, const char *text, struct error *err)
{
    static const char *const apart[] = {"machine", "kernel", "strategy"};
    const char *equals = strchr(text, '=');
    char key[sizeof(struct explain_setting){0}.key];
    snprintf(key, sizeof key, "%.*s", (int)(equals - text), text);
    struct source_location at = {.file = "--set", .key = key};
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        if (strcmp(key, apart[i]) == 0) {
            return error_input(err, &at, "is no key of the workload, expected --%s", apart[i]);
        }
    }
    return setup_set(setup, key, equals + 1, &at, err);
}

static bool check_effect(const struct setup *setup, const char *key, struct error *err)
{
    struct source_location at = {.file = "--set", .key = key};
    const char *why = setup_without_effect(setup, key);
    return !why || error_input(err, &at, "%s", why);
}

static bool fill_setup(struct arguments *given, const struct study *study, struct setup *setup,
                       struct error *err)
{
    setup->exact = given->exact;
    setup->strategy = study_strategy(study, given->strategy, err);
    if (!setup->strategy || !platform_load(given->machine, &setup->platform, err) ||
        !setup_kernel(given->kernel, NULL, &setup->kernel, err)) {
        return false;
    }
    given->options.settings = given->settings;
    given->options.machine = given->machine;
    for (size_t i = 0; i < given->sets.count; i++) {
        if (!note_key(given, setup, given->sets.text[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < given->sets.count; i++) {
        if (!set_key(setup, given->sets.text[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < given->options.setting_count; i++) {
        struct explain_setting *setting = &given->settings[i];
        if (!check_effect(setup, setting->key, err)) {
            return false;
        }
        setup_value(setup, setting->key, setting->value, sizeof setting->value);
    }
    return true;
}

static bool read_time(const char *option, const char *text, bool trace, ps_t *ps, struct error *err)
{
    struct source_location at = {.file = option};
    double ns;
    if (!text) {
        return true;
    }
    if (!trace) {
        return error_input(err, &at, "changes nothing without --trace");
    }
    if (!unit_parse(text, UNIT_NS, &ns) || ns < 0 || ns * 1e3 >= 0x1p63) {
        return error_input(err, &at, "found '%.80s', expected a time of the run such as 27.2s",
                           text);
    }
    *ps = (ps_t)llround(ns * 1e3);
    return true;
}

static bool run(void *arguments, struct error *err)
{
    struct arguments *given = arguments;
    if (!read_time("--from", given->from, given->options.trace, &given->options.from, err) ||
        !read_time("--to", given->to, given->options.trace, &given->options.to, err)) {
        return false;
    }
    struct setup setup = {.workload = workload_read(given->workload, err)};
    if (!setup.workload) {
        return study_is(given->workload)
                   ? error_input(err, NULL,
                                 "%.200s is a study: s2flush run %.200s plays it, and explain "
                                 "plays one workload; `s2flush list workloads` names them",
                                 given->workload, given->workload)
                   : false;
    }
    struct study study = {0}; /* without --study: no strategies of its own */
    bool good = (!given->study || study_read(&study, given->study, NULL, err)) &&
                fill_setup(given, &study, &setup, err) &&
                explain_write(stdout, &setup, &given->options, err);
    setup_free(&setup);
    study_free(&study);
    return good;
}

const struct cli_command cmd_explain = {
    .name = "explain",
    .summary = "one run: what is added and what that goes to, who reads what",
    .options = options,
    .words = "WORKLOAD",
    .word = {AT(workload)},
    .missing = "a workload; `s2flush list workloads` names them",
    .help =
        "Play one workload with all costs at their modes and show what is added, what that goes "
        "to, and who reads what.",
    .more = "WORKLOAD is a file, or the name of one in workloads.",
    .size = sizeof(struct arguments),
    .defaults = &(
        const struct arguments){.strategy = "unmap",
                                .machine = "neoverse-n1",
                                .kernel = "6.1",
                                .options = {.tracks.limit = TRACKS_LIMIT_USUAL, .to = UINT64_MAX}},
    .run = run,
};

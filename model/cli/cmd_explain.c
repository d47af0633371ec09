/* s2flush explain: one run in full. */
#include "cli/cli.h"
#include "core/error.h"
#include "report/explain.h"

#include <stdio.h>
#include <string.h>

enum { KEY_SET = 256, KEY_EXACT, KEY_TIMELINE, KEY_LIMIT };

static const struct cli_option options[] = {
    {"strategy", 's', "NAME", "what is done at re-init (unmap)"},
    {"machine", 'm', "NAME", "a machine or a platform file (neoverse-n1)"},
    {"kernel", 'k', "VERSION", "such as '6.1' or '6.1 fault_lock=read' (6.1)"},
    {"set", KEY_SET, "KEY=VALUE", "set a key of the workload or a cost. Repeatable"},
    {"exact", KEY_EXACT, NULL, "leaf by leaf and line by line"},
    {"timeline", KEY_TIMELINE, "FILE",
     "the run over time: .json for Perfetto, .svg or .png as a picture. Repeatable"},
    {"timeline-limit", KEY_LIMIT, "N",
     "slices in a timeline; above it short neighbours are put together (100000)"},
    {0},
};

struct arguments {
    const char *workload, *strategy, *machine, *kernel;
    struct cli_sets sets;
    struct tracks_wish wish;
    bool exact;
};

static bool take_timeline(struct tracks_wish *wish, const char *path, struct error *err)
{
    if (wish->count == TRACKS_FILES) {
        return error_input(err, NULL, "more than %d --timeline", TRACKS_FILES);
    }
    wish->path[wish->count++] = path;
    return tracks_path_check(path, err);
}

static bool take_limit(struct tracks_wish *wish, const char *text, struct error *err)
{
    uint64_t limit;
    if (!cli_whole("--timeline-limit", text, TRACKS_LIMIT_LEAST, TRACKS_LIMIT_MOST, &limit, err)) {
        return false;
    }
    wish->limit = (size_t)limit;
    return true;
}

static bool take(void *input, int key, const char *text, struct error *err)
{
    struct arguments *given = input;
    switch (key) {
    case 's':
        given->strategy = text;
        return true;
    case 'm':
        given->machine = text;
        return true;
    case 'k':
        given->kernel = text;
        return true;
    case KEY_SET:
        return cli_add_set(&given->sets, text, err);
    case KEY_EXACT:
        given->exact = true;
        return true;
    case KEY_TIMELINE:
        return take_timeline(&given->wish, text, err);
    case KEY_LIMIT:
        return take_limit(&given->wish, text, err);
    default:
        return cli_one_word(&given->workload, text, err);
    }
}

static const struct cli_command command = {
    options, take, "WORKLOAD",
    "Play one workload with all costs at their modes and show what was charged, by phase, actor "
    "and kind, what of it counts, and who reads what.",
    "WORKLOAD is a file, or the name of one in workloads."};

static bool set_key(struct setup *setup, const char *text, struct error *err)
{
    char key[64];
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || (size_t)(equals - text) >= sizeof key) {
        return error_input(err, NULL, "--set: found '%.80s', expected key=value", text);
    }
    memcpy(key, text, (size_t)(equals - text));
    key[equals - text] = '\0';
    struct source_location at = {.file = "--set", .key = key};
    if (!workload_uses(setup->workload, key)) {
        return error_input(err, &at, "changes nothing: this workload has no [boot]");
    }
    return setup_set(setup, key, equals + 1, &at, err);
}

static bool fill_setup(const struct arguments *given, struct setup *setup, struct error *err)
{
    setup->exact = given->exact;
    setup->strategy = strategy_find(given->strategy, err);
    if (!setup->strategy || !platform_load(given->machine, &setup->platform, err) ||
        !setup_kernel(given->kernel, NULL, &setup->kernel, err)) {
        return false;
    }
    for (size_t i = 0; i < given->sets.count; i++) {
        if (!set_key(setup, given->sets.text[i], err)) {
            return false;
        }
    }
    return true;
}

int cmd_explain(int argc, char **argv)
{
    struct arguments given = {.strategy = "unmap",
                              .machine = "neoverse-n1",
                              .kernel = "6.1",
                              .wish.limit = TRACKS_LIMIT_USUAL};
    struct setup setup = {0};
    struct error err;
    int status;
    if (!cli_parse(&command, argc, argv, &given, &status)) {
        return status;
    }
    if (!given.workload) {
        error_input(&err, NULL,
                    "explain: expected a workload; `s2flush list workloads` names them");
        return cli_fail(&err);
    }
    setup.workload = workload_read(given.workload, &err);
    if (!setup.workload) {
        return cli_fail(&err);
    }
    bool good =
        fill_setup(&given, &setup, &err) && explain_write(stdout, &setup, &given.wish, &err);
    setup_free(&setup);
    return good ? EXIT_DONE : cli_fail(&err);
}

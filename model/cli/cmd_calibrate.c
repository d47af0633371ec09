/* s2flush calibrate: a platform file from measurements. */
#include "check/calibrate/calibrate.h"
#include "cli/cli.h"
#include "cli/wait.h"
#include "core/alloc.h"
#include "core/error.h"
#include "report/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whose costs stay where the measurements say nothing and no base is given. */
#define USUAL_BASE "neoverse-n1"

struct arguments {
    const char *measurements, *out, *base, *check, *kernel;
    enum cost_id named[COSTS];
    size_t named_count;
};

static bool take_cost(void *arguments, const char *text, struct error *err)
{
    struct arguments *given = arguments;
    char hint[512] = "";
    for (size_t i = 0; i < given->named_count; i++) {
        if (strcmp(cost_name[given->named[i]], text) == 0) {
            return error_input(err, NULL, "--cost %s twice", text);
        }
    }
    enum cost_id id = cost_find(text);
    if (id < COSTS) {
        given->named[given->named_count++] = id;
        return true;
    }
    error_suggest(hint, sizeof hint, text, cost_name, COSTS);
    return error_input(err, NULL, "unknown cost '%.80s'%s", text,
                       hint[0] ? hint : ", expected one of `s2flush list costs`");
}

static bool check_arguments(const struct arguments *given, struct error *err)
{
    if (given->check && (given->out || given->base || given->named_count > 0)) {
        return error_input(err, NULL,
                           "--check fits nothing: expected neither -o, --base nor --cost");
    }
    struct kernel kernel;
    if (given->kernel && !kernel_resolve(given->kernel, &kernel, err)) {
        return false;
    }
    return given->out || given->check || error_input(err, NULL, "expected -o platform.ini");
}

/* The file's name without folders and ending. */
static void name_of(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot && dot != name) {
        *dot = '\0';
    }
}

/* Either the whole file is there in the end, or what was there before. What was written must read
 * back: else it is no platform file. */
static bool write_platform(const struct platform *platform, const char *path, struct error *err)
{
    struct output output;
    struct platform back;
    if (!output_open_path(&output, path, err)) {
        return false;
    }
    platform_write(platform, output.file);
    bool good = output_close(&output, err) && platform_read(output.temporary, &back, err) &&
                output_keep(&output, err);
    output_drop(&output);
    return good;
}

/* Rows of a benchmark name their host; all must be of one machine. */
static bool take_host(const struct arguments *given, const struct measurements *found,
                      struct platform *base, struct error *err)
{
    const struct published *first = found->rows[0].row;
    for (size_t i = 0; first && i < found->count; i++) {
        const char *host = found->rows[i].row->host;
        if (strcmp(host, first->host) != 0) {
            return error_input(err, NULL, "%.200s: found rows of '%s' and '%s', expected one host",
                               given->measurements, first->host, host);
        }
    }
    return given->base || !first || published_host(first->host, base, err);
}

/* About how many costs the search has. */
static size_t costs_tried(const struct arguments *given, const struct measurements *found,
                          const struct platform *base)
{
    size_t fitted = 0;
    for (int id = 0; id < COSTS; id++) {
        fitted += strcmp(base->cost[id].evidence, "fitted") == 0;
    }
    return given->named_count > 0 ? given->named_count : found->selftest ? 2 : fitted;
}

static bool fit_and_write(const struct arguments *given, const struct measurements *found,
                          struct platform machine[2], struct calibration *fit, struct error *err)
{
    char name[sizeof machine->name];
    if (!take_host(given, found, &machine[0], err) ||
        !wait_say_fit(found, &machine[0], costs_tried(given, found, &machine[0]), err) ||
        !calibrate(found, &machine[0], given->named, given->named_count, fit, err)) {
        return false;
    }
    name_of(given->out, name, sizeof name);
    calibration_apply(fit, found, &machine[0], name, &machine[1]);
    if (!write_platform(&machine[1], given->out, err)) {
        return false;
    }
    calibration_print(fit, found, &machine[0], stdout);
    return true;
}

static bool calibrate_from(const struct arguments *given, struct error *err)
{
    struct platform *machine = alloc_checked(calloc(2, sizeof *machine), "a calibration");
    struct measurements found;
    struct calibration *fit = alloc_checked(calloc(1, sizeof *fit), "a calibration");
    bool good =
        published_host(given->base ? given->base : USUAL_BASE, &machine[0], err) &&
        measurements_read(given->measurements, &machine[0], given->kernel, false, &found, err);
    if (good) {
        good = fit_and_write(given, &found, machine, fit, err);
        measurements_free(&found);
    }
    free(machine);
    free(fit);
    return good;
}

/* Also rows of buffers that the caches cannot hold: how far off those are is of interest. */
static bool check(const struct arguments *given, struct error *err)
{
    struct platform *machine = alloc_checked(calloc(1, sizeof *machine), "a platform");
    struct measurements found;
    bool good = published_host(given->check, machine, err);
    if (good) {
        good = measurements_read(given->measurements, machine, given->kernel, true, &found, err);
    }
    if (good) {
        good = measurements_check(&found, machine, stdout, err);
        measurements_free(&found);
    }
    free(machine);
    return good;
}

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    return check_arguments(given, err) &&
           (given->check ? check(given, err) : calibrate_from(given, err));
}

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"output", 'o', "platform.ini", "the platform file to write", AT(out)},
    {"base", 0, "MACHINE",
     "the machine whose costs stay where nothing was measured (" USUAL_BASE ")", AT(base)},
    {"kernel", 'k', "VERSION", "of the host, where the output of a selftest is read", AT(kernel)},
    {"cost", 0, "NAME",
     "fit this cost. Unless given: all that a probe tells, or those that the base marks as fitted",
     .take = take_cost, .repeatable = true},
    {"check", 0, "MACHINE",
     "fit nothing: what this machine's costs say of each row, as CSV; rows of any size of buffer",
     AT(check)},
    {0},
};

const struct cli_command cmd_calibrate = {
    .name = "calibrate",
    .summary = "a platform file from measurements",
    .options = options,
    .words = "MEASUREMENTS -o platform.ini\nMEASUREMENTS --check MACHINE",
    .word = {AT(measurements)},
    .missing = "a file of measurements",
    .help = "Fit unit costs to measurements of one machine and write a platform file.",
    .more =
        "MEASUREMENTS is what `probe machine` or `probe vm --times` writes "
        "(bench/kvm/README.md), rows of role fit in the format of bench/published/README.md, or "
        "what kvm_page_table_test, dirty_log_perf_test, kvm-unit-tests' micro-bench, "
        "tinymembench, sbc-bench or lmbench printed."
        " Costs that the rows cannot tell apart are refused if named, and else left as they "
        "are.",
    .size = sizeof(struct arguments),
    .run = run,
};

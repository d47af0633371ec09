/* s2flush validate: predictions against published measurements. */
#include "check/calibrate/measurements.h"
#include "check/published/host_file.h"
#include "check/published/validate.h"
#include "cli/analysis.h"
#include "cli/wait.h"
#include "core/alloc.h"
#include "core/datadir.h"
#include "core/error.h"
#include "core/file.h"
#include "core/version.h"
#include "report/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLISHED_DIR "bench/published"
#define MOST_FILES 64
#define MOST_HOSTS 64
#define HOST_FILE_MAX ((size_t)1 << 20)

struct arguments {
    const char *files[MOST_FILES];
    size_t count;
    const char *fit;
    const char *machine, *kernel; /* on which a selftest ran whose output is given */
    const char *folder, *misfit; /* NULL: no file */
    uint64_t draws, jobs;
    bool csv, update;
};

static bool take_draws(void *arguments, const char *text, struct error *err)
{
    struct arguments *given = arguments;
    return cli_whole("--draws", text, 8, 4096, &given->draws, err) &&
           (given->draws % 4 == 0 ||
            error_input(err, NULL, "--draws: found '%.80s', expected a multiple of 4", text));
}

static bool take_file(void *arguments, const char *text, struct error *err)
{
    struct arguments *given = arguments;
    if (given->count == MOST_FILES) {
        return error_input(err, NULL, "more than %d files", MOST_FILES);
    }
    given->files[given->count++] = text;
    return true;
}

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"format", 0, "FORMAT", "text (the default) or csv", AT(csv), .choices = cli_text_or_csv},
    {"draws", 0, "N",
     "draws over the hosts' costs for each row, a multiple of 4 from 8 to 4096 (32)",
     .take = take_draws},
    {"jobs", 'j', "N", "threads (as many as processors)", AT(jobs), .low = 1, .high = 1024},
    {"output", 'o', "DIR", "also write DIR/validate.csv, which `s2flush plot` draws", AT(folder)},
    {"misfit", 0, "FILE", "also write what the rows say of the model's error", AT(misfit)},
    {"machine", 'm', "MACHINE", "on which a selftest ran, where its output is a FILE", AT(machine)},
    {"kernel", 'k', "VERSION", "of Linux there", AT(kernel)},
    {"fit", 0, "HOST",
     "fit the costs that HOST's file marks as fitted, and print them beside what stands there; "
     "all: those of all hosts",
     AT(fit)},
    {"update", 0, NULL, "with --fit: write those that have moved into the hosts' files",
     AT(update)},
    {0},
};

/* All tables that come with the program. */
static bool read_all(struct published_set *set, struct error *err)
{
    char folder[4096], path[4096 + 260], *names[MOST_FILES];
    size_t count = datadir_names(PUBLISHED_DIR, ".csv", names, 0, MOST_FILES);
    bool ok = (count > 0 && datadir_find(PUBLISHED_DIR, folder, sizeof folder)) ||
              error_run(err, "cannot find tables in " PUBLISHED_DIR);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%.250s.csv", folder, names[i]);
        ok = ok && published_read(path, set, err);
        free(names[i]);
    }
    return ok;
}

static bool read_output(const struct arguments *given, const char *path, struct published_set *set,
                        struct error *err)
{
    struct platform *machine = alloc_checked(calloc(1, sizeof *machine), "a platform");
    struct source_location at = {.file = path};
    bool good =
        (given->machine && given->kernel) ||
        error_input(err, &at,
                    "found output of a benchmark, which does not say where it ran, expected "
                    "--machine MACHINE and --kernel VERSION beside it, or a table as "
                    "bench/published/README.md describes it");
    good = good && published_host(given->machine, machine, err) &&
           measurements_take_times(path, machine, given->kernel, set, err);
    free(machine);
    return good;
}

static bool read_given(const struct arguments *given, struct published_set *set, struct error *err)
{
    bool outputs = false;
    for (size_t i = 0; i < given->count; i++) {
        bool output;
        if (!measurements_is_output(given->files[i], &output, err) ||
            !(output ? read_output(given, given->files[i], set, err)
                     : published_read(given->files[i], set, err))) {
            return false;
        }
        outputs |= output;
    }
    if (!outputs && (given->machine || given->kernel)) {
        struct source_location at = {.file = given->machine ? "--machine" : "--kernel"};
        return error_input(err, &at,
                           "changes nothing: expected it beside the output of a selftest; a table "
                           "says where it was measured");
    }
    return given->count > 0 || read_all(set, err);
}

static void print_fit(const struct host_fit *fit, const char *host)
{
    printf("%s: %zu costs fitted to %zu rows, largest residual %.1f%%\n", host, fit->costs,
           fit->rows, fit->max_pct);
    printf("%-18s %10s %10s %10s %10s %10s\n", "cost", "low", "mode", "high", "s.e.", "stands");
    for (size_t i = 0; i < fit->costs; i++) {
        struct host_file_cost now = host_file_cost(fit, i);
        printf("%-18s %10.4g %10.4g %10.4g %9.1f%% %10.4g%s\n", cost_name[fit->id[i]], now.low,
               now.mode, now.high, 100 * fit->standard_error[i],
               fit->row[0].row->platform->cost[fit->id[i]].mode, now.moved ? " moved" : "");
    }
}

static bool update_host(const struct host_fit *fit, const char *host, struct error *err)
{
    char path[4096], *text;
    size_t length;
    struct output output;
    if (!published_host_path(host, path, sizeof path)) {
        return error_run(err, "cannot find the file of host %.80s", host);
    }
    if (!file_slurp(path, HOST_FILE_MAX, &text, &length, err)) {
        return false;
    }
    bool good = output_open_path(&output, path, err);
    if (good) {
        host_file_write(text, fit, output.file);
        good = output_end(&output, true, err);
    }
    free(text);
    return good;
}

/* Of one host, or of all; false where costs have moved that are not to be written. */
static bool fit_hosts(const struct arguments *given, const struct published_set *set,
                      struct error *err)
{
    const char *names[MOST_HOSTS] = {given->fit};
    bool all = strcmp(given->fit, "all") == 0;
    size_t count = all ? host_fit_hosts(set, names, MOST_HOSTS) : 1, moved = 0;
    for (size_t i = 0; i < count; i++) {
        struct host_fit fit;
        if (!host_fit(set, names[i], &fit, err)) {
            return false;
        }
        print_fit(&fit, names[i]);
        moved += host_file_moved(&fit);
        if (given->update && host_file_moved(&fit) > 0 && !update_host(&fit, names[i], err)) {
            return false;
        }
    }
    return !all || given->update || moved == 0 ||
           error_run(err,
                     "%zu fitted costs are not those that stand in the hosts' files: --update "
                     "writes them",
                     moved);
}

/* Memos quote the table with its first line. */
static void write_table(FILE *out, const void *validation)
{
    fprintf(out, "# s2flush %s made it by: s2flush validate\n", version_program);
    validation_csv(validation, out);
}

static bool write_folder(const struct arguments *given, const struct validation *validation,
                         struct error *err)
{
    const struct analysis where = {.folder = given->folder};
    const struct analysis_report report = {.table = {{"validate.csv", write_table}}};
    return analysis_files(&where, &report, validation, err);
}

/* As platforms/misfit.csv has it. */
static bool write_misfit(const char *path, const struct validation *validation, struct error *err)
{
    struct output output;
    if (!output_open_path(&output, path, err)) {
        return false;
    }
    fprintf(output.file,
            "# How far the model is off published rows to which nothing was fitted: see\n"
            "# machine/misfit.h. s2flush %s made it by: s2flush validate --misfit FILE\n",
            version_program);
    misfit_write(&validation->misfits, output.file);
    return output_end(&output, true, err);
}

static bool print_validation(const struct validation *validation, struct error *err)
{
    struct published_notes notes;
    bool ok = published_notes_read(&notes, err);
    if (ok) {
        validation_print(validation, &notes, stdout);
    }
    published_notes_free(&notes);
    return ok;
}

static bool predict(const struct arguments *given, const struct published_set *set,
                    struct error *err)
{
    struct validation validation;
    struct published_set fitted = {0};
    const struct analysis threads = {.jobs = given->jobs};
    struct sweep sweep = analysis_sweep(&threads, "validate");
    /* Tables of one's own are predicted with hosts that were fitted to these. */
    bool ok =
        (!given->folder || output_folder_check(given->folder, err)) &&
        (given->count == 0 || read_all(&fitted, err)) &&
        wait_say_rows(set, given->draws, (unsigned)given->jobs, err) &&
        validate(set, given->count > 0 ? &fitted : set, given->draws, &sweep, &validation, err);
    published_free(&fitted);
    if (!ok) {
        return false;
    }
    ok = write_folder(given, &validation, err) &&
         (!given->misfit || write_misfit(given->misfit, &validation, err));
    if (ok && given->csv) {
        validation_csv(&validation, stdout);
    } else if (ok) {
        ok = print_validation(&validation, err);
    }
    validation_free(&validation);
    return ok;
}

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    struct published_set set = {0};
    if (given->misfit && given->misfit[0] == '\0') {
        return error_input(err, NULL, "--misfit: found '', expected a file's name");
    }
    if (given->update && !given->fit) {
        return error_input(err, NULL, "--update: changes nothing without --fit");
    }
    bool ok = read_given(given, &set, err) &&
              (given->fit ? fit_hosts(given, &set, err) : predict(given, &set, err));
    published_free(&set);
    return ok;
}

const struct cli_command cmd_validate = {
    .name = "validate",
    .summary = "predictions against published measurements",
    .options = options,
    .words = "[FILE...]",
    .word = {.take = take_file},
    .help = "Predict published measurements and say how far off the model is. Without a FILE: all "
            "tables that come with the program.",
    .more = "FILE is a table (bench/published/README.md describes them) or what "
            "kvm_page_table_test or dirty_log_perf_test printed.",
    .size = sizeof(struct arguments),
    .defaults = &(const struct arguments){.draws = 32},
    .run = run,
};

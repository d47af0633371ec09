/* s2flush paths: the lengths of the kernel's paths from recorded instructions. */
#include "check/paths/paths.h"
#include "cli/cli.h"
#include "core/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_WORLD = 256, KEY_FORMAT };

static const struct cli_option options[] = {
    {"world", KEY_WORLD, "WORLD", "vhe, nvhe or fwb; all of them unless given"},
    {"format", KEY_FORMAT, "FORMAT", "text (the default) or csv"},
    {"jobs", 'j', "N", "threads (as many as processors)"},
    {0},
};

struct arguments {
    const char *table;
    bool one_world, csv;
    enum path_world world;
    uint64_t jobs;
};

static bool take_world(struct arguments *given, const char *text, struct error *err)
{
    for (int world = 0; world < WORLDS; world++) {
        if (strcmp(text, world_name[world]) == 0) {
            given->one_world = true;
            given->world = (enum path_world)world;
            return true;
        }
    }
    return error_input(err, NULL, "--world: found '%.80s', expected vhe, nvhe or fwb", text);
}

static bool take(void *input, int key, const char *text, struct error *err)
{
    struct arguments *given = input;
    switch (key) {
    case KEY_WORLD:
        return take_world(given, text, err);
    case KEY_FORMAT:
        given->csv = strcmp(text, "csv") == 0;
        return given->csv || strcmp(text, "text") == 0 ||
               error_input(err, NULL, "--format: found '%.80s', expected text or csv", text);
    case 'j':
        return cli_whole("--jobs", text, 1, 4096, &given->jobs, err);
    default:
        return cli_one_word(&given->table, text, err);
    }
}

/* A world without rows is passed over unless it was asked for. */
static bool fit_world(const struct arguments *given, const struct counts *counts,
                      enum path_world world, struct path_fit *fit, struct error *err)
{
    struct path_rows rows;
    *fit = (struct path_fit){0};
    if (!path_rows_collect(counts, world, &rows, err)) {
        return false;
    }
    bool wanted = given->one_world || rows.count > 0;
    bool good = !wanted || path_fit(&rows, fit, err);
    if (good && wanted && given->csv) {
        path_csv(fit, world, stdout);
    } else if (good && wanted) {
        path_tell(counts, &rows, fit, world, stdout);
        fputc('\n', stdout);
    }
    path_rows_free(&rows);
    return good;
}

static bool fit_all(const struct arguments *given, const struct counts *counts, struct error *err)
{
    struct path_fit *fits = calloc(WORLDS, sizeof *fits);
    bool good = true, any = false;
    if (!fits) {
        error_fatal("out of memory for fits");
    }
    if (given->csv) {
        path_csv_header(stdout);
    }
    for (int world = 0; good && world < WORLDS; world++) {
        if (!given->one_world || given->world == (enum path_world)world) {
            good = fit_world(given, counts, (enum path_world)world, &fits[world], err);
            any |= fits[world].terms > 0;
        }
    }
    if (good && !any) {
        struct source_location at = {.file = counts->table.path, .key = "insns_kernel_bare"};
        good = error_input(err, &at, "found no row of kernel " PATHS_KERNEL " with instructions");
    }
    if (good && !given->csv && fits[WORLD_VHE].terms > 0 && fits[WORLD_NVHE].terms > 0) {
        path_tell_unseen(&fits[WORLD_VHE], &fits[WORLD_NVHE], stdout);
    }
    free(fits);
    return good;
}

int cmd_paths(int argc, char **argv)
{
    static const struct cli_command command = {
        .options = options,
        .take = take,
        .words = "COUNTS.csv",
        .help = "Fit the lengths of the kernel's paths to recorded instructions, and hold what "
                "the model charges against them.",
        .more = "COUNTS.csv is a table such as bench/kvm/counts.csv, with insns_kernel_bare.",
    };
    struct arguments given = {0};
    struct counts counts;
    struct error err = {0};
    int status;
    if (!cli_parse(&command, argc, argv, &given, &status)) {
        return status;
    }
    if (!given.table) {
        error_input(&err, NULL, "expected a table of counts, such as bench/kvm/counts.csv");
        return cli_fail(&err);
    }
    if (!counts_read(given.table, &counts, &err)) {
        return cli_fail(&err);
    }
    bool good = counts_play(&counts, (unsigned)given.jobs, &err) && fit_all(&given, &counts, &err);
    counts_free(&counts);
    return good ? EXIT_DONE : cli_fail(&err);
}

/* s2flush paths: the lengths of the kernel's paths from recorded instructions. */
#include "check/paths/paths.h"
#include "cli/cli.h"
#include "core/alloc.h"
#include "core/choice.h"
#include "core/error.h"

#include <stdio.h>
#include <stdlib.h>

struct arguments {
    const char *table;
    bool one_world, csv;
    enum path_world world;
    uint64_t jobs;
};

static bool take_world(void *arguments, const char *text, struct error *err)
{
    struct arguments *given = arguments;
    given->one_world = true;
    given->world = (enum path_world)choice_index(world_name, WORLDS, text);
    return given->world < WORLDS ||
           error_input(err, NULL, "--world: found '%.80s', expected vhe, nvhe or fwb", text);
}

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"world", 0, "WORLD", "vhe, nvhe or fwb; all of them unless given", .take = take_world},
    {"format", 0, "FORMAT", "text (the default) or csv", AT(csv), .choices = cli_text_or_csv},
    {"jobs", 'j', "N", "threads (as many as processors)", AT(jobs), .low = 1, .high = 4096},
    {0},
};

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
        path_print(counts, &rows, fit, world, stdout);
        fputc('\n', stdout);
    }
    path_rows_free(&rows);
    return good;
}

static bool fit_all(const struct arguments *given, const struct counts *counts, struct error *err)
{
    struct path_fit *fits = alloc_checked(calloc(WORLDS, sizeof *fits), "fits");
    bool good = true, any = false;
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
        path_print_unseen(&fits[WORLD_VHE], &fits[WORLD_NVHE], stdout);
    }
    free(fits);
    return good;
}

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    struct counts counts;
    if (!counts_read(given->table, &counts, err)) {
        return false;
    }
    bool good = counts_play(&counts, (unsigned)given->jobs, err) && fit_all(given, &counts, err);
    counts_free(&counts);
    return good;
}

const struct cli_command cmd_paths = {
    .name = "paths",
    .summary = "the kernel's path lengths from recorded instructions",
    .options = options,
    .words = "COUNTS.csv",
    .word = {AT(table)},
    .missing = "a table of counts, such as bench/kvm/counts.csv",
    .help = "Fit the lengths of the kernel's paths to recorded instructions, and hold what the "
            "model charges against them.",
    .more = "COUNTS.csv is a table such as bench/kvm/counts.csv, with insns_kernel_bare.",
    .size = sizeof(struct arguments),
    .run = run,
};

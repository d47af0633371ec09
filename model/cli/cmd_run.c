#include "cli/cli.h"
#include "cli/run_study.h"
#include "cli/wait.h"
#include "core/error.h"
#include "core/units.h"
#include "report/output.h"
#include "study/execute.h"
#include "study/needs.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

struct arguments {
    const char *study, *folder;
    struct cli_sets sets;
    char seed[64];
    uint64_t jobs;
    struct shard shard;
    const char *format;
    bool formats[ROWS_FORMATS];
    bool sharded, fresh, dry, quiet;
};

#define AT(field) CLI_FIELD(struct arguments, field)

static bool take_format(void *arguments, const char *text, struct error *err)
{
    struct arguments *given = arguments;
    given->format = text;
    return rows_formats(text, given->formats, err);
}

static bool take_seed(void *arguments, const char *text, struct error *err)
{
    struct arguments *given = arguments;
    uint64_t seed;
    if (!cli_whole("--seed", text, 0, UINT64_C(1000000000000000), &seed, err)) {
        return false;
    }
    snprintf(given->seed, sizeof given->seed, "seed=%" PRIu64, seed);
    return cli_add_set(&given->sets, given->seed, err);
}

static bool take_shard(void *arguments, const char *text, struct error *err)
{
    struct arguments *given = arguments;
    given->sharded = true;
    return shard_parse(text, &given->shard, err);
}

static const struct cli_option options[] = {
    {"output", 'o', "DIR", "folder for the results (results/NAME)", AT(folder)},
    {"jobs", 'j', "N", "threads (as many as processors)", AT(jobs), .low = 1, .high = 1024},
    {"seed", 0, "N", "seed of the draws (the study's)", .take = take_seed},
    {"set", 'S', "KEY=VALUE", "set a key; an axis takes a value or a list", AT(sets),
     .repeatable = true},
    {"format", 0, "FORMAT", "of the rows: csv (the default), jsonl or both", .take = take_format},
    {"shard", 0, "K/N", "play share K of N into a file; s2flush merge makes rows of all",
     .take = take_shard},
    {"fresh", 0, NULL, "drop the samples that are in the folder", AT(fresh)},
    {"dry-run", 0, NULL, "say what would be run and about how long, and write nothing", AT(dry)},
    {"quiet", 'q', NULL, "no progress and no summary", AT(quiet)},
    {0},
};

/* --- what it says --- */

static void say_plan(const struct study *study)
{
    printf("study %s: %s\n", study->name, study->title);
    for (size_t a = 0; a < study->axis_count; a++) {
        const struct axis *axis = &study->axes[a];
        printf("  %-10s", axis->name);
        for (size_t i = 0; i < axis->values.count; i++) {
            char text[64];
            double value;
            const char *plain = axis->values.text[i];
            if (axis->kind.number && unit_parse(plain, UNIT_NONE, &value)) {
                plain = unit_format(value, axis->kind.unit, text, sizeof text);
            }
            printf("%s %s", i ? "," : "", plain);
        }
        printf("\n");
    }
    printf("%zu points, each at the modes and %" PRIu64 " draws (seed %" PRIu64 ")\n",
           study->points, study->draws, study->seed);
}

#define SAMPLES 64 /* runs at the modes */

static bool say_estimate(const struct study *study, uint64_t jobs, struct error *err)
{
    struct wait wait;
    (void)fflush(stdout); /* what is known so far: the samples may take a while */
    struct store *store = store_in_memory();
    bool good = wait_estimate(study, store, (unsigned)jobs, SAMPLES, &wait, err);
    store_drop(store);
    if (!good) {
        return false;
    }
    printf("%.0f runs, %.0f of them to be played, the others priced again or fitted: %sabout ",
           wait.runs, wait.played, wait.longer ? "more than " : "");
    printf(wait.seconds < 10 ? "%.1g s" : "%.0f s", wait.seconds);
    printf(" on %u thread%s\n", wait.threads, wait.threads == 1 ? "" : "s");
    return true;
}

/* --- the command --- */

static void say_needs(const struct study_needs *needs)
{
    char text[32];
    printf("%" PRIu64 " rows, about %s of memory on %u thread%s\n", needs->rows,
           unit_format_bytes(needs->bytes, text, sizeof text), needs->threads,
           needs->threads == 1 ? "" : "s");
}

static bool run_or_say(const struct arguments *given, const struct study *study, struct error *err)
{
    char folder[OUTPUT_PATH];
    struct study_needs needs;
    struct run_request request = {.study = study,
                                  .folder = given->folder ? given->folder : folder,
                                  .format = given->format,
                                  .formats = given->formats,
                                  .shard = given->sharded ? &given->shard : NULL,
                                  .jobs = (unsigned)given->jobs,
                                  .fresh = given->fresh,
                                  .quiet = given->quiet};
    if (!run_needs(&request, &needs, err)) {
        return false;
    }
    snprintf(folder, sizeof folder, "results/%s", study->name);
    if (given->dry) {
        say_plan(study);
        if (given->sharded) {
            printf("shard %" PRIu32 " of %" PRIu32 " has %zu of the %zu scenarios\n",
                   given->shard.number, given->shard.count,
                   shard_cells(given->shard, study_cells(study)), study_cells(study));
        }
        say_needs(&needs);
    }
    if (!rows_fit(study, needs.rows, err) || !study_fits(study, &needs, err)) {
        return false;
    }
    return given->dry ? say_estimate(study, given->jobs, err) : run_study(&request, err);
}

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    struct study study;
    struct study_changes changes = {given->sets.text, given->sets.count};
    bool good = study_read(&study, given->study, &changes, err) && run_or_say(given, &study, err);
    study_free(&study);
    return good;
}

const struct cli_command cmd_run = {
    .name = "run",
    .summary = "play a study: rows and a record of the run into a folder",
    .options = options,
    .words = "STUDY",
    .word = {AT(study)},
    .missing = "a study; `s2flush list studies` names them",
    .help = "Play a study: a file, or the name of one in workloads/studies.",
    .more = "Writes rows.csv (or rows.jsonl), run.json, and samples.db with all that was played: "
            "after Ctrl-C, SIGTERM, a kill or a full disk the same command goes on where it "
            "stopped, and map, breakeven and sensitivity with the same -o find there what they "
            "need. With --shard it leaves shard-K-of-N.db. Exit status after Ctrl-C 130, after "
            "SIGTERM 143.",
    .size = sizeof(struct arguments),
    .defaults =
        &(const struct arguments){.format = "csv", .formats = {[ROWS_CSV] = true}, .shard = {1, 1}},
    .run = run,
};

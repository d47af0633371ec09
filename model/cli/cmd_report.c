/* s2flush report: a study from its question to its memo, in one process. */
#include "cli/analysis.h"
#include "cli/interrupt.h"
#include "core/error.h"
#include "report/plot/plot.h"
#include "report/run_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    const char *study, *folder, *validation;
    struct cli_sets sets;
    uint64_t jobs;
    bool fresh, quiet;
};

/* Whether a part is done, but for what simulations that failed leave out; `first` keeps the line of
 * the first such part. */
static bool is_done(bool good, const struct error *err, struct error *first)
{
    if (!good && err->simulation && !first->simulation) {
        *first = *err;
    }
    return good || err->simulation;
}

/* The parts in turn, each of which finds in the store what those before have played. */
static bool do_parts(const struct arguments *given, const struct run_request *request,
                     const struct study *study, struct analysis *common, struct error *err)
{
    struct error first = {0};
    FILE *messages = given->quiet ? NULL : stderr;
    bool good =
        is_done(run_into(request, &common->kept, err), err, &first) &&
        analysis_settle(common, study, err) &&
        (!study->memo.breakeven[0] ||
         is_done(analysis_breakeven(common, study, err), err, &first)) &&
        is_done(analysis_map(common, study, err), err, &first) &&
        (study->memo.sensitivity == MEMO_SENSITIVITY_NO ||
         is_done(analysis_sensitivity(common, study, err), err, &first)) &&
        is_done(analysis_memo(common, study, given->validation, messages, err), err, &first) &&
        plot_folder(request->folder, NULL, err);
    if (good && first.simulation) {
        *err = first;
    }
    return good && !first.simulation;
}

static bool report(const struct arguments *given, const struct study *study,
                   struct run_request *request, struct error *err)
{
    struct analysis common = {.study = given->study,
                              .folder = request->folder,
                              .sets = given->sets,
                              .jobs = given->jobs,
                              .format = ANALYSIS_NOTHING};
    struct study_needs needs;
    const char *table = given->validation;
    if (table && access(table, R_OK) != 0) { /* before anything is played */
        return error_input(err, NULL, "%.200s: %s", table, strerror(errno));
    }
    if (!run_json_possible(err) || !run_needs(request, &needs, err) ||
        !rows_fit(study, needs.rows, err) || !study_fits(study, &needs, err) ||
        !run_store_open(&common.kept, request, err)) {
        return false;
    }
    bool good = do_parts(given, request, study, &common, err);
    struct store_plays plays = store_plays(common.kept.store);
    if (good && !given->quiet) {
        fprintf(stderr, "%s: %" PRIu64 " simulations, %" PRIu64 " of them again\n", study->name,
                plays.kept, plays.repeated);
    }
    return analysis_close(&common, good, err);
}

static bool run(void *arguments, struct error *err)
{
    static const bool csv[ROWS_FORMATS] = {[ROWS_CSV] = true};
    const struct arguments *given = arguments;
    struct study study;
    struct study_changes changes = {given->sets.text, given->sets.count};
    char named[sizeof study.name + 16];
    interrupt_catch();
    bool good = study_read(&study, given->study, &changes, err);
    if (good) {
        snprintf(named, sizeof named, "results/%s", study.name);
        struct run_request request = {.study = &study,
                                      .folder = given->folder ? given->folder : named,
                                      .format = "csv",
                                      .formats = csv,
                                      .jobs = (unsigned)given->jobs,
                                      .fresh = given->fresh,
                                      .quiet = given->quiet};
        good = report(given, &study, &request, err);
    }
    study_free(&study);
    return good;
}

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"output", 'o', "DIR", "folder for all of it (results/NAME)", AT(folder)},
    {"jobs", 'j', "N", "threads (as many as processors)", AT(jobs), .low = 1, .high = 1024},
    {"set", 'S', "KEY=VALUE", "set a key; an axis takes a value or a list", AT(sets),
     .repeatable = true},
    {"validation", 'v', "FILE",
     "a table of `s2flush validate --format csv` (the one that comes with the program)",
     AT(validation)},
    {"fresh", 0, NULL, "drop the samples that are in the folder", AT(fresh)},
    {"quiet", 'q', NULL, "no progress and no summary", AT(quiet)},
    {0},
};

const struct cli_command cmd_report = {
    .name = "report",
    .summary = "a study from its question to its memo: rows, tables, pictures, memo",
    .options = options,
    .words = "STUDY",
    .word = {AT(study)},
    .missing = "a study; `s2flush list studies` names them",
    .help = "Play a study, answer what its [memo] asks, draw it, and write its memo.",
    .more = "The same as run, breakeven, map, sensitivity, plot and memo with one -o; what one of "
            "them has played the others find in DIR/samples.db. Stopped in any way, the same "
            "command goes on where it was.",
    .size = sizeof(struct arguments),
    .run = run,
};

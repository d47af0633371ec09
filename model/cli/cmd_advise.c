#include "cli/analysis.h"
#include "core/error.h"
#include "report/analyses.h"
#include "study/advise.h"

struct arguments {
    struct analysis common;
    struct advise_request request;
};

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"max-changes", 'n', "N", "changes of the kernel at most (all of them)",
     AT(request.changes_max), .low = 1, .high = STRATEGY_KEYS},
    {"hardware", 'H', NULL, "also FWB, DIC, range TLBI and flush by range, beside the best kernel",
     AT(request.hardware)},
    {0},
};

static bool answer_in(const struct study *study, void *arguments, struct error *err)
{
    struct arguments *given = arguments;
    struct advise_results results;
    struct sweep sweep = analysis_sweep(&given->common, "ladder");
    given->request.metric = given->common.metric;
    if (!advise_run(study, &given->request, &sweep, given->common.kept.store, &results, err)) {
        return false;
    }
    bool good = analysis_show(&given->common, &advise_report, &results, err) &&
                sweep_none_failed(&results.failed, "and have no ladder", err);
    advise_free(&results);
    return good;
}

static bool answer(const struct study *study, void *arguments, struct error *err)
{
    return analysis_focus(arguments, study, NULL, answer_in, err);
}

/* What is no study may be a workload: the study `any-workload` is then about it. */
static void name_study(struct arguments *given, char change[512])
{
    struct error unused;
    struct study study;
    struct study_changes changes = {given->common.sets.text, given->common.sets.count};
    struct workload *workload = NULL;
    if (!study_read(&study, given->common.study, &changes, &unused)) {
        workload = workload_read(given->common.study, &unused);
    }
    study_free(&study);
    if (workload && given->common.sets.count < CLI_SETS) {
        snprintf(change, 512, "workload=%s", given->common.study);
        given->common.sets.text[given->common.sets.count++] = change;
        given->common.study = "any-workload";
    }
    workload_free(workload);
}

static bool run(void *arguments, struct error *err)
{
    struct arguments *given = arguments;
    char change[512];
    name_study(given, change);
    return analysis_run(given, answer, err);
}

const struct cli_command cmd_advise = {
    .name = "advise",
    .summary = "which kernel changes are worth it, in which order, and is each one safe",
    .options = options,
    .shared = analysis_options_json,
    .words = "STUDY|WORKLOAD",
    .word = {CLI_FIELD(struct analysis, study)},
    .missing = "a study or a workload; `s2flush list studies` and `list workloads` name them",
    .size = sizeof(struct arguments),
    .help =
        "From what Linux does to the cheapest coherent strategy: which changes of the kernel are "
        "worth it, in which order, and is each one safe.",
    .more = "All strategies that could differ are held to account, up to 10,000. Where a study's "
            "[memo] names a case, in that case only. With -o: advise.csv and advise.json.",
    .defaults = &(const struct arguments){.request.changes_max = STRATEGY_KEYS},
    .run = run,
};

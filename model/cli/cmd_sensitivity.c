#include "cli/analysis.h"
#include "report/analyses.h"
#include "study/sensitivity.h"

#define POINTS_DEFAULT 512
#define POINTS_MAX 65536

struct arguments {
    struct analysis common;
    struct sensitivity_request request;
};

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"of", 0, "A[,B]",
     "a strategy's metric, or A's less B's (those that the study's [memo] compares, or the two "
     "cheapest in each scenario)",
     AT(request.of)},
    {"points", 0, "N", "points behind the indices: N (costs + 2) runs are priced (512)",
     AT(request.points), .low = 16, .high = POINTS_MAX},
    {0},
};

static bool answer_in(const struct study *study, void *arguments, struct error *err)
{
    struct arguments *given = arguments;
    struct sensitivity_results results;
    struct sweep sweep = analysis_sweep(&given->common, "sensitivity");
    char a[64], b[64], pair[160];
    given->request.metric = given->common.metric;
    given->request.what_if = given->common.what_if;
    if (!given->request.of && study_memo_pair(study->memo.compare, a, b)) {
        snprintf(pair, sizeof pair, "%s,%s", a, b);
        given->request.of = pair;
    }
    if (!sensitivity_run(study, &given->request, &sweep, given->common.kept.store, &results, err)) {
        return false;
    }
    bool good = analysis_show(&given->common, &sensitivity_report, &results, err) &&
                sweep_none_failed(&results.failed, "and are left out", err);
    sensitivity_free(&results);
    return good;
}

static bool answer(const struct study *study, void *arguments, struct error *err)
{
    struct arguments *given = arguments;
    size_t a, b;
    given->common.all |= study->memo.sensitivity == MEMO_SENSITIVITY_ALL;
    // A name that is wrong is refused before anything is played, if only to say how long it will
    // take.
    if (given->request.of && !sensitivity_of(study, given->request.of, &a, &b, err)) {
        return false;
    }
    return analysis_focus(given, study, NULL, answer_in, err);
}

bool analysis_sensitivity(const struct analysis *given, const struct study *study,
                          struct error *err)
{
    struct arguments own = {.common = *given, .request.points = POINTS_DEFAULT};
    return answer(study, &own, err);
}

static bool run(void *arguments, struct error *err)
{
    return analysis_run(arguments, answer, err);
}

const struct cli_command cmd_sensitivity = {
    .name = "sensitivity",
    .summary = "which costs decide, and which one to measure first",
    .options = options,
    ANALYSIS_COMMAND,
    .help = "Which costs decide, and which one to measure first.",
    .more =
        "For each scenario of the study a tornado and Sobol' indices; for each machine by how much "
        "the scenarios without a clear winner become fewer when one cost is known. Where the "
        "study's [memo] names a case, in that case only. With -o: sensitivity.csv and "
        "information.csv.",
    .defaults = &(const struct arguments){.request.points = POINTS_DEFAULT},
    .run = run,
};

#include "cli/analysis.h"
#include "core/error.h"
#include "report/analyses.h"
#include "study/target.h"

#include <string.h>

#define STEPS_DEFAULT 21

struct arguments {
    struct analysis common;
    struct breakeven_request request;
    double limit_ns[STUDY_MEMO_LIST];
    size_t limits;
};

static bool take_target(void *arguments, const char *text, struct error *err)
{
    struct arguments *given = arguments;
    double *limit = given->limit_ns;
    given->limits = unit_parse(text, UNIT_NS, limit) && *limit > 0;
    return given->limits > 0 ||
           error_input(err, NULL, "--target: found '%.80s', expected a time such as 200us", text);
}

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"axis", 'a', "KEY",
     "along which to look: touched, footprint, vcpus, a key or a cost (the study's [memo])",
     AT(request.axis)},
    {"pair", 'p', "A,B", "these two strategies (all pairs of the study's)", AT(request.pair)},
    {"from", 0, "VALUE", "look from here (the study's values of the axis)", AT(request.from)},
    {"to", 0, "VALUE", "to here", AT(request.to)},
    {"steps", 0, "N", "at so many values (21)", AT(request.steps), .low = 2,
     .high = BREAKEVEN_STEPS_MAX},
    {"target", 0, "TIME", "ask instead which values keep the metric at most this long",
     .take = take_target},
    {0},
};

#define AND_LEFT_OUT "and what they are part of is left out"

static bool answer_target(const struct study *study, const struct arguments *given,
                          struct error *err)
{
    struct target_results results;
    struct sweep sweep = analysis_sweep(&given->common, "targets");
    if (given->request.pair) {
        return error_input(err, NULL, "breakeven: --pair and --target do not go together");
    }
    if (!target_run(study, &given->request, given->limit_ns, given->limits, &sweep,
                    given->common.kept.store, &results, err)) {
        return false;
    }
    bool good = analysis_show(&given->common, &target_report, &results, err) &&
                sweep_none_failed(&results.axis.failed, AND_LEFT_OUT, err);
    target_free(&results);
    return good;
}

static bool answer_pairs(const struct study *study, const struct arguments *given,
                         struct error *err)
{
    struct breakeven_results results;
    struct sweep sweep = analysis_sweep(&given->common, "break-even");
    if (!breakeven_run(study, &given->request, &sweep, given->common.kept.store, &results, err)) {
        return false;
    }
    bool good = analysis_show(&given->common, &breakeven_report, &results, err) &&
                sweep_none_failed(&results.failed, AND_LEFT_OUT, err) &&
                sweep_none_failed(&results.roots_failed, AND_LEFT_OUT, err);
    breakeven_free(&results);
    return good;
}

/* The limits of [memo] are asked for beside the pairs, those of the command line in
 * their place. */
static bool answer_in(const struct study *study, void *arguments, struct error *err)
{
    struct arguments *given = arguments;
    if (given->limits > 0) {
        return answer_target(study, given, err);
    }
    if (!answer_pairs(study, given, err)) {
        return false;
    }
    bool ours = strcmp(given->request.axis, study->memo.breakeven) == 0 && !given->request.pair &&
                given->common.format != ANALYSIS_CSV;
    given->limits = ours ? study_memo_targets(&study->memo, given->limit_ns) : 0;
    return given->limits == 0 || answer_target(study, given, err);
}

static bool answer(const struct study *study, void *arguments, struct error *err)
{
    struct arguments *given = arguments;
    size_t a, b;
    // A name that is wrong is refused before anything is played, if only to say how long it will
    // take.
    if (given->request.pair && !groups_pair(study, "--pair", given->request.pair, &a, &b, err)) {
        return false;
    }
    given->request.metric = given->common.metric;
    given->request.what_if = given->common.what_if;
    if (!given->request.axis) {
        given->request.axis = study->memo.breakeven;
    }
    if (given->request.axis[0] == '\0') {
        struct source_location at = {.file = study->path};
        char axes[ANALYSIS_AXES_TEXT];
        analysis_axes(study, true, axes);
        return error_input(err, &at,
                           "found no --axis and no [memo] that names one, expected --axis KEY%s%s, "
                           "or any key of numbers with --from and --to",
                           axes[0] ? ", of the study's axes " : "", axes);
    }
    return analysis_focus(given, study, given->request.axis, answer_in, err);
}

bool analysis_breakeven(const struct analysis *given, const struct study *study, struct error *err)
{
    struct arguments own = {.common = *given, .request.steps = STEPS_DEFAULT};
    return answer(study, &own, err);
}

static bool run(void *arguments, struct error *err)
{
    return analysis_run(arguments, answer, err);
}

const struct cli_command cmd_breakeven = {
    .name = "breakeven",
    .summary = "where along an axis two strategies cost the same",
    .options = options,
    ANALYSIS_COMMAND,
    .help = "Where along an axis two strategies cost the same, with the band of the costs' "
            "uncertainty.",
    .more = "Every pair of strategies that no reader finds stale is compared; where the study's "
            "[memo] names a case, in that case only. With -o: breakeven.csv and "
            "breakeven-curves.csv. With --target the question is which values of the axis keep "
            "the metric at or below that time, strategy by strategy (target.csv): `--metric pause "
            "--axis chunk --target 200us`.",
    .defaults = &(const struct arguments){.request.steps = STEPS_DEFAULT},
    .run = run,
};

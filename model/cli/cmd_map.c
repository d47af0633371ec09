#include "cli/analysis.h"
#include "report/analyses.h"
#include "study/groups.h"
#include "study/winner_map.h"

#include <string.h>

struct arguments {
    struct analysis common;
    struct winner_map_request request;
};

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"x", 'x', "AXIS", "the axis to the right (the study's [memo], or footprint)", AT(request.x)},
    {"y", 'y', "AXIS", "the axis upward (the study's [memo], or touched)", AT(request.y)},
    {"sound", 's', NULL, "only strategies that are coherent without any condition",
     AT(request.sound)},
    {0},
};

/* The axes where none was given: those of [memo]; without them footprint and touched, of which a
 * study that is reported on, and one with a [memo], may lack one or both. */
static bool default_axes(const struct study *study, bool reported,
                         struct winner_map_request *request, char x[64], char y[64],
                         struct error *err)
{
    bool named = study_memo_pair(study->memo.map, x, y);
    if (!named) {
        bool any = reported || study->memo.given;
        bool both = groups_axis(study, "footprint") && groups_axis(study, "touched");
        if (!any && !both && !request->x && !request->y) {
            struct source_location at = {.file = study->path};
            char axes[ANALYSIS_AXES_TEXT];
            analysis_axes(study, false, axes);
            return error_input(err, &at,
                               "found no --x, no --y and no [memo] that names a map, nor the axes "
                               "footprint and touched, expected --x KEY, or --x KEY --y KEY: %s",
                               axes);
        }
        snprintf(x, 64, "%s", any && !groups_axis(study, "footprint") ? "" : "footprint");
        snprintf(y, 64, "%s", any && !groups_axis(study, "touched") ? "" : "touched");
    }
    if (!request->x && !request->y) {
        request->x = x[0] ? x : NULL;
        request->y = y[0] ? y : NULL;
    } else if (!request->x) {
        request->x = x[0] && strcmp(x, request->y) != 0 ? x : NULL;
    } else if (!request->y) {
        request->y = y[0] && strcmp(y, request->x) != 0 ? y : NULL;
    }
    if (!request->x) {
        request->x = request->y;
        request->y = NULL;
    }
    return true;
}

static bool answer(const struct study *study, void *arguments, struct error *err)
{
    struct arguments *given = arguments;
    struct winner_map_results results;
    struct sweep sweep = analysis_sweep(&given->common, "map");
    char x[64] = "", y[64] = "";
    given->request.metric = given->common.metric;
    given->request.what_if = given->common.what_if;
    if (!default_axes(study, given->common.format == ANALYSIS_NOTHING, &given->request, x, y,
                      err) ||
        !winner_map_run(study, &given->request, &sweep, given->common.kept.store, &results, err)) {
        return false;
    }
    bool good = analysis_show(&given->common, &map_report, &results, err) &&
                sweep_none_failed(&results.failed, "and have no winner", err);
    winner_map_free(&results);
    return good;
}

bool analysis_map(const struct analysis *given, const struct study *study, struct error *err)
{
    return answer(study, &(struct arguments){.common = *given}, err);
}

static bool run(void *arguments, struct error *err)
{
    return analysis_run(arguments, answer, err);
}

const struct cli_command cmd_map = {
    .name = "map",
    .summary = "which strategy costs least, over two axes",
    .options = options,
    ANALYSIS_COMMAND,
    .help = "Which strategy costs least, over two axes of a study.",
    .more = "Strategies that some reader finds stale cannot win, nor those that need what the "
            "machine lacks; winners that depend on a condition are marked. With -o: map.csv.",
    .run = run,
};

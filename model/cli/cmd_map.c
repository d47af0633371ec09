#include "cli/analysis.h"
#include "report/map_report.h"
#include "study/groups.h"

#include <string.h>

struct arguments {
    struct analysis common;
    struct map_request request;
};

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"x", 'x', "AXIS", "the axis to the right (the study's [memo], or footprint)", AT(request.x)},
    {"y", 'y', "AXIS", "the axis upward (the study's [memo], or touched)", AT(request.y)},
    {"sound", 's', NULL, "only strategies that are coherent without any condition",
     AT(request.sound)},
    {0},
};

struct answer {
    struct map_results results;
    enum metric metric;
};

static void write_rows(FILE *out, const void *answer)
{
    const struct answer *found = answer;
    map_rows_write(out, &found->results, found->metric);
}

/* The axes where none was given: those of [memo]; without them footprint and
 * touched, of which a study with a [memo] may lack one or both. */
static void default_axes(const struct study *study, struct map_request *request, char x[64],
                         char y[64])
{
    bool named = study_memo_pair(study->memo.map, x, y);
    if (!named) {
        bool any = study->memo.given;
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
}

static bool answer(const struct study *study, void *context, struct error *err)
{
    static const struct analysis_table tables[] = {{"map.csv", write_rows}};
    struct arguments *given = context;
    struct answer found = {.metric = given->common.metric};
    given->request.metric = given->common.metric;
    given->request.what_if = given->common.what_if;
    char x[64] = "", y[64] = "";
    default_axes(study, &given->request, x, y);
    struct sweep sweep = analysis_sweep(&given->common);
    if (!map_run(study, &given->request, &sweep, given->common.kept.store, &found.results, err)) {
        return false;
    }
    bool good = analysis_files(&given->common, tables, 1, &found, err);
    if (good && given->common.format == ANALYSIS_CSV) {
        write_rows(stdout, &found);
    } else if (good) {
        map_tell(stdout, &found.results, found.metric);
    }
    map_free(&found.results);
    return good;
}

static bool run(void *arguments, struct error *err)
{
    struct arguments *given = arguments;
    return analysis_run(&given->common, answer, given, err);
}

const struct cli_command cmd_map = {
    .name = "map",
    .summary = "which strategy costs least, over two axes",
    .options = options,
    ANALYSIS_COMMAND,
    .help = "Which strategy costs least, over two axes of a study.",
    .more = "Strategies that some reader finds stale cannot win, nor those that need what the "
            "machine lacks; winners that lean on a condition are marked. With -o: map.csv.",
    .run = run,
};

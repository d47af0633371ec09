#include "cli/analysis.h"
#include "report/map_report.h"

static const struct cli_option options[] = {
    {"x", 'x', "AXIS", "the axis to the right (footprint)"},
    {"y", 'y', "AXIS", "the axis upward (touched)"},
    {"sound", 's', NULL, "only strategies that are coherent without any condition"},
    ANALYSIS_OPTIONS,
    {0},
};

struct arguments {
    struct analysis common;
    struct map_request request;
};

static bool take(void *input, int key, const char *text, struct error *err)
{
    struct arguments *given = input;
    switch (key) {
    case 'x':
        given->request.x = text;
        return true;
    case 's':
        given->request.sound = true;
        return true;
    case 'y':
        given->request.y = text;
        return true;
    default:
        return analysis_take(&given->common, key, text, err);
    }
}

static const struct cli_command command = {
    options, take, "STUDY", "Which strategy costs least, over two axes of a study.",
    "Strategies that some reader finds stale cannot win, nor those that need what the machine has "
    "not; winners that lean on a condition are marked. With -o: map.csv."};

struct answer {
    struct map_results results;
    enum metric metric;
};

static void write_rows(FILE *out, const void *answer)
{
    const struct answer *found = answer;
    map_rows_write(out, &found->results, found->metric);
}

static bool answer(const struct study *study, void *context, struct error *err)
{
    static const struct analysis_table tables[] = {{"map.csv", write_rows}};
    struct arguments *given = context;
    struct answer found = {.metric = given->common.metric};
    given->request.metric = given->common.metric;
    given->request.what_if = given->common.what_if;
    if (!map_run(study, &given->request, (unsigned)given->common.jobs, &found.results, err)) {
        return false;
    }
    bool good = analysis_files(&given->common, tables, 1, &found, err);
    if (good && given->common.csv) {
        write_rows(stdout, &found);
    } else if (good) {
        map_tell(stdout, &found.results, found.metric);
    }
    map_free(&found.results);
    return good;
}

int cmd_map(int argc, char **argv)
{
    struct arguments given = {.request = {.x = "footprint", .y = "touched"}};
    int status;
    if (!cli_parse(&command, argc, argv, &given, &status)) {
        return status;
    }
    return analysis_run(&given.common, "map", answer, &given);
}

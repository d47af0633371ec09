#include "cli/cli.h"
#include "core/error.h"
#include "report/diff.h"
#include "study/metrics.h"

#include <string.h>

static const struct cli_option options[] = {
    {"metric", 'm', "METRIC", "this one (added_boot_ns; all: every one)"},
    {"format", 'f', "FORMAT", "text (the default: what is not the same) or csv (all rows)"},
    {0},
};

struct arguments {
    const char *folder[2];
    const char *metric;
    bool csv;
};

static bool take_metric(struct arguments *given, const char *text, struct error *err)
{
    char hint[256] = "";
    given->metric = NULL;
    for (int i = 0; i < METRICS; i++) {
        size_t length = strlen(metric_name[i]);
        bool bare = length > 3 && strlen(text) == length - 3 &&
                    strcmp(metric_name[i] + length - 3, "_ns") == 0 &&
                    memcmp(metric_name[i], text, length - 3) == 0;
        if (bare || strcmp(metric_name[i], text) == 0) {
            given->metric = metric_name[i];
        }
    }
    if (given->metric || strcmp(text, "all") == 0) {
        return true;
    }
    error_suggest(hint, sizeof hint, text, metric_name, METRICS);
    return error_input(err, NULL, "--metric: no metric '%.80s'%s", text,
                       hint[0] ? hint : ", expected all or one of `s2flush list metrics`");
}

static bool take(void *input, int key, const char *text, struct error *err)
{
    struct arguments *given = input;
    if (key == 'm') {
        return take_metric(given, text, err);
    }
    if (key == 'f') {
        given->csv = strcmp(text, "csv") == 0;
        return given->csv || strcmp(text, "text") == 0 ||
               error_input(err, NULL, "--format: found '%.80s', expected text or csv", text);
    }
    if (given->folder[1]) {
        return error_input(err, NULL, "found '%.80s' and more, expected two folders",
                           given->folder[1]);
    }
    given->folder[given->folder[0] ? 1 : 0] = text;
    return true;
}

static const struct cli_command command = {
    options, take, "FIRST SECOND", "What changed between two folders of results.",
    "Rows are matched by their axes; an axis with one value in each folder, and not the same "
    "(--set kernel=6.1 and --set kernel=6.6), is what is compared. Marks:\n"
    "  =  the same\n"
    "  ~  each median lies within the other's band p10 to p90\n"
    "  -  less in the second\n"
    "  +  more in the second\n"
    "  ?  known in one only\n"
    "  !  another verdict"};

int cmd_diff(int argc, char **argv)
{
    struct arguments given = {.metric = metric_name[METRIC_added_boot_ns]};
    struct diff diff;
    struct error err;
    int status;
    if (!cli_parse(&command, argc, argv, &given, &status)) {
        return status;
    }
    if (!given.folder[1]) {
        error_input(&err, NULL, "diff: expected two folders of results");
        return cli_fail(&err);
    }
    if (!diff_read(&diff, given.folder[0], given.folder[1], given.metric, &err)) {
        return cli_fail(&err);
    }
    if (given.csv) {
        diff_write(stdout, &diff);
    } else {
        diff_tell(stdout, &diff);
    }
    diff_free(&diff);
    return EXIT_DONE;
}

#include "cli/cli.h"
#include "cli/run_study.h"
#include "core/error.h"
#include "report/diff.h"
#include "study/metrics.h"

#include <string.h>

struct arguments {
    const char *folder[2];
    const char *metric;
    bool csv;
};

static bool take_metric(void *arguments, const char *text, struct error *err)
{
    struct arguments *given = arguments;
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

static bool take_folder(void *arguments, const char *text, struct error *err)
{
    struct arguments *given = arguments;
    if (given->folder[1]) {
        return error_input(err, NULL, "found '%.80s' and more, expected two folders",
                           given->folder[1]);
    }
    given->folder[given->folder[0] ? 1 : 0] = text;
    return true;
}

static const struct cli_option options[] = {
    {"metric", 'm', "METRIC", "this one (added_boot_ns; all: every one)", .take = take_metric},
    {"format", 'f', "FORMAT", "text (the default: what is not the same) or csv (all rows)",
     CLI_FIELD(struct arguments, csv), .choices = cli_text_or_csv},
    {0},
};

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    struct diff diff;
    if (!given->folder[1]) {
        return error_input(err, NULL, "diff: expected two folders of results");
    }
    for (int i = 0; i < 2; i++) {
        if (!run_folder_has(given->folder[i], "rows.csv", err)) {
            return false;
        }
    }
    if (!diff_read(&diff, given->folder[0], given->folder[1], given->metric, err)) {
        return false;
    }
    if (given->csv) {
        diff_write(stdout, &diff);
    } else {
        diff_print(stdout, &diff);
    }
    diff_free(&diff);
    return true;
}

const struct cli_command cmd_diff = {
    .name = "diff",
    .summary = "what changed between two folders of results",
    .options = options,
    .words = "FIRST SECOND",
    .word = {.take = take_folder},
    .help = "What changed between two folders of results.",
    .more = "Rows are matched by their axes; an axis with one value in each folder, and not the "
            "same (--set kernel=6.1 and --set kernel=6.6), is what is compared. Marks:\n"
            "  =  the same\n"
            "  ~  each median lies within the other's band p10 to p90\n"
            "  -  less in the second\n"
            "  +  more in the second\n"
            "  ?  known in one only\n"
            "  !  another verdict",
    .size = sizeof(struct arguments),
    .defaults = &(const struct arguments){.metric = "added_boot_ns"},
    .run = run,
};

/* s2flush show: a folder of results as a table. */
#include "cli/cli.h"
#include "cli/run_study.h"
#include "core/error.h"
#include "report/show.h"

#include <stdio.h>

struct arguments {
    const char *folder;
    enum metric metric;
};

static bool take_metric(void *field, const char *text, struct error *err)
{
    const struct source_location at = {.key = "--metric"};
    return metric_one(text, &at, field, err);
}

static const struct cli_option options[] = {
    {"metric", 'm', "METRIC", "this one (added_boot)", .take = take_metric,
     .offset = offsetof(struct arguments, metric)},
    {0},
};

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", given->folder, RUN_STORE) >= (int)sizeof path) {
        return error_input(err, NULL, "%.80s...: expected a shorter path", given->folder);
    }
    struct store *store =
        run_folder_has(given->folder, RUN_STORE, err) ? store_read(path, err) : NULL;
    if (!store) {
        return false;
    }
    bool good = show_print(store, given->metric, stdout, err);
    return store_close(store, good ? err : NULL) && good;
}

const struct cli_command cmd_show = {
    .name = "show",
    .summary = "a folder of results as a table of strategies",
    .options = options,
    .words = "DIR",
    .word = {CLI_FIELD(struct arguments, folder)},
    .missing = "the folder of a study's results",
    .help = "Print what each strategy comes to in each scenario of DIR, and whether it is safe.",
    .more = "Figures are medians of the draws, with the digits that their bands (p10 to p90) bear.",
    .size = sizeof(struct arguments),
    .run = run,
};

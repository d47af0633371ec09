/* s2flush plot: runs gnuplot on the scripts that fit the rows in a folder. */
#include "cli/cli.h"
#include "core/error.h"
#include "report/plot.h"

#include <stdio.h>

static const struct cli_option options[] = {
    {"quiet", 'q', NULL, "do not name the pictures"},
    {0},
};

struct arguments {
    const char *folder;
    bool quiet;
};

static bool take(void *input, int key, const char *text, struct error *err)
{
    struct arguments *given = input;
    if (key == 'q') {
        given->quiet = true;
        return true;
    }
    return cli_one_word(&given->folder, text, err);
}

static const struct cli_command command = {
    options, take, "DIR", "Draw, as SVG and PNG into DIR, the plots that fit DIR/rows.csv.",
    "The scripts are in bench/plots and can be run by hand."};

int cmd_plot(int argc, char **argv)
{
    struct arguments given = {0};
    struct error err;
    int status;
    if (!cli_parse(&command, argc, argv, &given, &status)) {
        return status;
    }
    if (!given.folder) {
        error_input(&err, NULL, "plot: expected the folder of a study's rows");
        return cli_fail(&err);
    }
    return plot_folder(given.folder, given.quiet ? NULL : stderr, &err) ? EXIT_DONE
                                                                        : cli_fail(&err);
}

/* s2flush plot: draws the pictures that fit the rows in a folder. */
#include "cli/cli.h"
#include "core/error.h"
#include "report/plot/plot.h"

#include <stdio.h>

struct arguments {
    const char *folder;
    bool quiet;
};

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {
    {"quiet", 'q', NULL, "do not name the pictures", AT(quiet)},
    {0},
};

static bool run(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    return plot_folder(given->folder, given->quiet ? NULL : stderr, err);
}

const struct cli_command cmd_plot = {
    .name = "plot",
    .summary = "draw the plots that fit a folder of rows",
    .options = options,
    .words = "DIR",
    .word = {AT(folder)},
    .missing = "the folder of a study's rows",
    .help = "Draw, as SVG and PNG into DIR, the plots that fit DIR/rows.csv or a table of an "
            "analysis in DIR.",
    .more = "A picture of predictions by hand, in DIR and with SCRIPTS for bench/plots:\n\n"
            "  export GNUPLOT_LIB=SCRIPTS\n"
            "  gnuplot -e \"table = 'validate.csv'; each = 'kunpeng-4k'; out = 'k.svg'\" \\\n"
            "    SCRIPTS/style.gp SCRIPTS/validate.gp",
    .size = sizeof(struct arguments),
    .run = run,
};

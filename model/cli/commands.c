/* All commands, in the order of the help. */
#include "cli/cli.h"

#include <string.h>

const struct cli_command *const cli_commands[] = {
    &cmd_run,       &cmd_report, &cmd_merge,     &cmd_explain,  &cmd_list,
    &cmd_plot,      &cmd_advise, &cmd_breakeven, &cmd_map,      &cmd_sensitivity,
    &cmd_diff,      &cmd_memo,   &cmd_counts,    &cmd_validate, &cmd_paths,
    &cmd_calibrate, &cmd_import, &cmd_show,      &cmd_manual,   NULL,
};

const struct cli_command *cli_find(const char *name)
{
    size_t i = 0;
    while (cli_commands[i] && strcmp(cli_commands[i]->name, name) != 0) {
        i++;
    }
    return cli_commands[i];
}

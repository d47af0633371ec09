/*
 * manual - the commands as man pages, from the same tables as their help.
 */
#ifndef S2FLUSH_CLI_MANUAL_H
#define S2FLUSH_CLI_MANUAL_H

#include "cli/cli.h"

#include <stdio.h>

/* The page of a command, s2flush-NAME(1). */
void manual_command(FILE *out, const struct cli_command *command);

/* That of the program, s2flush(1): all commands with what each is for. */
void manual_program(FILE *out);

#endif

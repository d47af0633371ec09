/*
 * completion - what a shell completes behind `s2flush`, from the tables of the commands.
 */
#ifndef S2FLUSH_CLI_COMPLETION_H
#define S2FLUSH_CLI_COMPLETION_H

#include <stdio.h>

/* A script for the shell. */
void completion_bash(FILE *out);
void completion_zsh(FILE *out);
void completion_fish(FILE *out);

#endif

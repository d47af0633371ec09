/*
 * completion - what a shell completes behind `s2flush`, from the tables of the commands.
 */
#ifndef S2FLUSH_CLI_COMPLETION_H
#define S2FLUSH_CLI_COMPLETION_H

#include <stdio.h>

/* Prints what may stand at the end of a line: `words` are those behind the program's name, the last
 * one as far as it is typed. First comes what of that word stays as it is (`--jobs=`), then a line
 * for each word, with a tab and what it is for, and `:files` or `:folders` where such may be named.
 */
void completion_print(int count, char *const *words);

/* A script for the shell, which calls `s2flush --complete WORDS`. */
void completion_bash(FILE *out);
void completion_zsh(FILE *out);
void completion_fish(FILE *out);

#endif

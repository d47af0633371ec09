/*
 * cli - the subcommands. Each parses its own arguments (argv[0] is its name)
 * and returns the program's exit status: 0 done, 1 the run failed, 2 bad
 * input, 128 and a signal's number where that interrupted a run. Data goes to files or stdout,
 * messages to stderr.
 */
#ifndef S2FLUSH_CLI_CLI_H
#define S2FLUSH_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

int cmd_run(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_counts(int argc, char **argv);
int cmd_validate(int argc, char **argv);
int cmd_paths(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_breakeven(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_sensitivity(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_memo(int argc, char **argv);

/* Prints the one line of an error; returns its status. */
int cli_fail(const struct error *err);

/* An option of a subcommand; `key` is its letter, or past 255 for none. A
 * table ends with an empty row. */
struct cli_option {
    const char *name;
    int key;
    const char *value; /* what the value is called; NULL: takes none */
    const char *help;
};

/* The key of what is no option. */
#define CLI_WORD 1

struct cli_command {
    const struct cli_option *options;
    /* Takes one option or word; false with err where it is no good. */
    bool (*take)(void *input, int key, const char *text, struct error *err);
    const char *words; /* what words it takes: "STUDY" */
    const char *help;
    const char *more; /* below the options */
};

/* Parses a subcommand's arguments. False, with *status, where the program is
 * to end: after --help, or at bad input. */
bool cli_parse(const struct cli_command *command, int argc, char **argv, void *input, int *status);

/* --set, as often as it is given. */
#define CLI_SETS 64
struct cli_sets {
    const char *text[CLI_SETS];
    size_t count;
};
bool cli_add_set(struct cli_sets *sets, const char *text, struct error *err);

/* The one word that a command takes, such as its study. */
bool cli_one_word(const char **word, const char *text, struct error *err);

/* A whole number in a range, for an option. */
bool cli_whole(const char *option, const char *text, uint64_t low, uint64_t high, uint64_t *value,
               struct error *err);

/* Of a clock that only goes on; what it counts from means nothing. */
double cli_seconds(void);

#endif

/*
 * cli - the subcommands, each an entry with all that there is to know of it: its options and
 * where their values go, its help, its defaults and the function that does it. Data goes to files
 * or stdout, messages to stderr. Exit status: 0 done, 1 the run failed, 2 bad input, 128 and a
 * signal's number where that interrupted a run.
 */
#ifndef S2FLUSH_CLI_CLI_H
#define S2FLUSH_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* What an option's field takes; CLI_FIELD goes by the field's type. */
enum cli_kind {
    CLI_CALL, /* `take` is called with the field */
    CLI_FLAG, /* bool: the option is there, or the second of two choices is */
    CLI_CHOICE, /* unsigned: which of the choices */
    CLI_TEXT, /* const char * */
    CLI_WHOLE, /* uint64_t, from low to high */
    CLI_LIST, /* struct cli_sets */
};

/* An option of a subcommand. A table ends with an empty row. */
struct cli_option {
    const char *name;
    char letter; /* 0: none */
    const char *value; /* what the value is called; NULL: takes none */
    const char *help;
    enum cli_kind kind;
    size_t offset; /* of the field in the command's arguments */
    bool (*take)(void *field, const char *text, struct error *err);
    const char *const *choices; /* NULL-terminated */
    uint64_t low, high;
    bool repeatable;
};

/* The kind and place of an option whose value goes into this field of the arguments. */
#define CLI_FIELD(type, field) \
    .kind = _Generic(((type *)0)->field,                                        \
                     bool: CLI_FLAG,                                            \
                     unsigned: CLI_CHOICE,                                      \
                     const char *: CLI_TEXT,                                    \
                     uint64_t: CLI_WHOLE,                                       \
                     struct cli_sets: CLI_LIST),                                \
    .offset = offsetof(type, field)

struct cli_command {
    const char *name;
    const char *summary; /* in the list of all commands */
    const struct cli_option *options;
    const struct cli_option *shared; /* with other commands; their fields' struct comes first in
                                        the arguments; NULL: none */
    struct cli_option word; /* what is no option; without a name */
    const char *words; /* what words it takes: "STUDY" */
    const char *missing; /* what to say where the word is not there; NULL: it may be */
    const char *help;
    const char *more; /* below the options */
    size_t size; /* of the arguments */
    const void *defaults; /* of the arguments; NULL: all 0 */
    /* False with what is wrong; without a text, only the status is handed on. */
    bool (*run)(void *arguments, struct error *err);
};

extern const struct cli_command cmd_run, cmd_merge, cmd_explain, cmd_list, cmd_plot, cmd_breakeven,
    cmd_map, cmd_sensitivity, cmd_diff, cmd_memo, cmd_report, cmd_counts, cmd_validate, cmd_paths,
    cmd_calibrate, cmd_import, cmd_advise, cmd_show, cmd_manual;

extern const struct cli_command *const cli_commands[]; /* all of them; ends with NULL */

/* The one of that name, or NULL. */
const struct cli_command *cli_find(const char *name);

/* The options of a command, those that it shares and those of all commands; NULL at the end. */
const struct cli_option *cli_option_at(const struct cli_command *command, size_t index);

/* Takes the arguments (argv[0] is the command's name) and runs it; the exit status. */
int cli_run(const struct cli_command *command, int argc, char **argv);

/* Prints the one line of an error; returns its status. */
int cli_fail(const struct error *err);

/* --set, as often as it is given. */
#define CLI_SETS 64
struct cli_sets {
    const char *text[CLI_SETS];
    size_t count;
};
bool cli_add_set(struct cli_sets *sets, const char *text, struct error *err);

/* Choices of --format. */
extern const char *const cli_text_or_csv[];

/* A whole number in a range, for an option. */
bool cli_whole(const char *option, const char *text, uint64_t low, uint64_t high, uint64_t *value,
               struct error *err);

/* Of a clock that only goes on; what it counts from means nothing. */
double cli_seconds(void);

#endif

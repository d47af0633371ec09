#include "cli/cli.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/invariant.h"
#include "core/units.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OPTIONS_MAX 32

const char *const cli_text_or_csv[] = {"text", "csv", NULL};

static const struct cli_option builtin[] = {
    {.name = "help", .letter = '?', .help = "Give this help list"},
    {.name = "usage", .help = "Give a short usage message"},
    {0},
};

static bool is_builtin(const struct cli_option *row)
{
    return row >= builtin && row < builtin + sizeof builtin / sizeof *builtin;
}

const struct cli_option *cli_option_at(const struct cli_command *command, size_t index)
{
    static const struct cli_option none[] = {{0}};
    const struct cli_option *const tables[] = {command->options,
                                               command->shared ? command->shared : none, builtin};
    const size_t count = sizeof tables / sizeof(struct cli_option *);
    for (size_t i = 0; i < count; i++) {
        for (const struct cli_option *row = tables[i]; row->name; row++) {
            if (index-- == 0) {
                return row;
            }
        }
    }
    return NULL;
}

int cli_fail(const struct error *err)
{
    fprintf(stderr, "s2flush: %s\n", err->text);
    return err->status;
}

/* --- values --- */

bool cli_add_set(struct cli_sets *sets, const char *text, struct error *err)
{
    if (sets->count == CLI_SETS) {
        return error_input(err, NULL, "more than %d --set", CLI_SETS);
    }
    sets->text[sets->count++] = text;
    return true;
}

bool cli_whole(const char *option, const char *text, uint64_t low, uint64_t high, uint64_t *value,
               struct error *err)
{
    if (unit_parse_whole(text, UNIT_NONE, value) && *value >= low && *value <= high) {
        return true;
    }
    return error_input(err, NULL,
                       "%s: found '%.80s', expected a whole number from %" PRIu64 " to %" PRIu64,
                       option, text, low, high);
}

static bool take_choice(const struct cli_option *row, const char *text, unsigned *which,
                        struct error *err)
{
    char list[200];
    size_t used = 0;
    for (*which = 0; row->choices[*which]; ++*which) {
        const char *choice = row->choices[*which];
        if (strcmp(text, choice) == 0) {
            return true;
        }
        const char *before = *which == 0 ? "" : row->choices[*which + 1] ? ", " : " or ";
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", before, choice);
    }
    return error_input(err, NULL, "--%s: found '%.80s', expected %s", row->name, text, list);
}

static bool take_text(const struct cli_option *row, const char *text, const char **field,
                      struct error *err)
{
    if (!row->name && *field) {
        return error_input(err, NULL, "found '%.80s' and '%.80s', expected one", *field, text);
    }
    *field = text;
    return true;
}

static bool take_value(const struct cli_option *row, const char *text, void *arguments,
                       struct error *err)
{
    void *field = (char *)arguments + row->offset;
    char option[64];
    unsigned which = 1;
    switch (row->kind) {
    case CLI_CALL:
        return row->take(field, text, err);
    case CLI_FLAG:
        if (row->choices && !take_choice(row, text, &which, err)) {
            return false;
        }
        *(bool *)field = which == 1;
        return true;
    case CLI_CHOICE:
        return take_choice(row, text, field, err);
    case CLI_TEXT:
        return take_text(row, text, field, err);
    case CLI_WHOLE:
        snprintf(option, sizeof option, "--%s", row->name);
        return cli_whole(option, text, row->low, row->high, field, err);
    case CLI_LIST:
        return cli_add_set(field, text, err);
    }
    return false;
}

/* --- the line of arguments --- */

/* One option or word of the line. */
struct given {
    const struct cli_option *row;
    const char *text; /* NULL: none stands with it */
};

struct walk {
    const struct cli_command *command;
    int argc;
    char **argv;
    int next; /* the argument to look at */
    struct given *given; /* [argc] */
    size_t count;
    struct error *err;
};

static bool unknown_option(const struct walk *walk, const char *dashes, const char *word)
{
    const char *names[OPTIONS_MAX];
    char hint[256] = "";
    size_t count = 0;
    const struct cli_option *row;
    for (size_t i = 0; (row = cli_option_at(walk->command, i)) && !is_builtin(row); i++) {
        names[count++] = row->name;
    }
    error_suggest(hint, sizeof hint, word, names, count);
    return error_input(walk->err, NULL, "%s: no option '%s%.60s'%s", walk->command->name, dashes,
                       word, hint);
}

/* The option of that name, or the only one that begins so. */
static const struct cli_option *long_option(const struct walk *walk, const char *word,
                                            size_t length)
{
    const struct cli_option *row, *found = NULL;
    size_t beginnings = 0;
    for (size_t i = 0; (row = cli_option_at(walk->command, i)); i++) {
        if (strncmp(row->name, word, length) == 0) {
            found = row;
            beginnings++;
            if (row->name[length] == '\0') {
                return row;
            }
        }
    }
    return beginnings == 1 ? found : NULL;
}

static const struct cli_option *short_option(const struct walk *walk, char letter)
{
    const struct cli_option *row;
    for (size_t i = 0; (row = cli_option_at(walk->command, i)); i++) {
        if (row->letter == letter) {
            return row;
        }
    }
    return letter == 'h' ? &builtin[0] : NULL; /* what people try first */
}

/* `value` is what stands with the option, NULL: nothing does. */
static bool add_option(struct walk *walk, const struct cli_option *row, const char *value)
{
    bool repeatable = row->repeatable || is_builtin(row);
    for (size_t i = 0; i < walk->count && !repeatable; i++) {
        if (walk->given[i].row == row) {
            return error_input(walk->err, NULL, "--%s: found twice, expected once", row->name);
        }
    }
    if (!row->value && value) {
        return error_input(walk->err, NULL, "--%s: found '=%.80s', expected no value", row->name,
                           value);
    }
    if (row->value && !value) {
        if (walk->next == walk->argc) {
            return error_input(walk->err, NULL, "--%s: found no value, expected --%s=%s", row->name,
                               row->name, row->value);
        }
        value = walk->argv[walk->next++];
    }
    walk->given[walk->count++] = (struct given){row, value};
    return true;
}

static bool walk_long(struct walk *walk, const char *word)
{
    size_t length = strcspn(word, "=");
    const struct cli_option *row = long_option(walk, word, length);
    char name[64];
    if (!row) {
        snprintf(name, sizeof name, "%.*s", length < 60 ? (int)length : 60, word);
        return unknown_option(walk, "--", name);
    }
    return add_option(walk, row, word[length] == '=' ? word + length + 1 : NULL);
}

/* Letters may stand together, up to one that takes the rest as its value. */
static bool walk_letters(struct walk *walk, const char *letters)
{
    for (; *letters; letters++) {
        const struct cli_option *row = short_option(walk, *letters);
        if (!row) {
            return unknown_option(walk, "-", (char[]){*letters, '\0'});
        }
        bool rest = row->value && letters[1] != '\0';
        if (!add_option(walk, row, rest ? letters + 1 : NULL)) {
            return false;
        }
        if (row->value) {
            return true;
        }
    }
    return true;
}

/* What is wrong with the line itself is said before what is wrong with a value. */
static bool walk_line(struct walk *walk)
{
    bool options = true;
    while (walk->next < walk->argc) {
        const char *word = walk->argv[walk->next++];
        if (options && strcmp(word, "--") == 0) {
            options = false;
        } else if (!options || word[0] != '-' || word[1] == '\0') {
            walk->given[walk->count++] = (struct given){&walk->command->word, word};
        } else if (!(word[1] == '-' ? walk_long(walk, word + 2) : walk_letters(walk, word + 1))) {
            return false;
        }
    }
    return true;
}

/* --- help --- */

static struct argp_option help_row(const struct cli_option *row, int number, char text[512])
{
    snprintf(text, 512, "%s%s", row->help, row->repeatable ? ". Repeatable" : "");
    return (struct argp_option){.name = row->name,
                                .key = row->letter ? row->letter : 256 + number,
                                .arg = row->value,
                                .doc = text,
                                .group = row == builtin ? -1 : 0};
}

/* glibc's argp sets the text. */
static void print_help(const struct cli_command *command, bool usage)
{
    char name[64], help[2048], text[OPTIONS_MAX][512];
    struct argp_option options[OPTIONS_MAX + 1] = {{0}};
    const struct cli_option *row;
    for (int i = 0; (row = cli_option_at(command, (size_t)i)); i++) {
        options[i] = help_row(row, i, text[i]);
    }
    snprintf(name, sizeof name, "s2flush %.40s", command->name);
    snprintf(help, sizeof help, "%s\v%s", command->help, command->more ? command->more : "");
    struct argp argp = {.options = options, .args_doc = command->words, .doc = help};
    /* Options are listed with their value once; argp need not explain that each time. */
    (void)setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
    argp_help(&argp, stdout, usage ? ARGP_HELP_USAGE : ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK,
              name);
}

/* --- a command --- */

static bool word_missing(const struct cli_command *command, const void *arguments)
{
    const char *const *field =
        (const char *const *)(const void *)((const char *)arguments + command->word.offset);
    return command->missing && command->word.kind == CLI_TEXT && !*field;
}

static bool run_with(const struct walk *walk, void *arguments, struct error *err)
{
    const struct cli_command *command = walk->command;
    if (command->defaults) {
        memcpy(arguments, command->defaults, command->size);
    }
    for (size_t i = 0; i < walk->count; i++) {
        const struct given *given = &walk->given[i];
        if (is_builtin(given->row)) {
            print_help(command, given->row != builtin);
            return true;
        }
        if (!take_value(given->row, given->text, arguments, err)) {
            return false;
        }
    }
    if (word_missing(command, arguments)) {
        return error_input(err, NULL, "%s: expected %s", command->name, command->missing);
    }
    return command->run(arguments, err);
}

int cli_run(const struct cli_command *command, int argc, char **argv)
{
    struct error err = {0};
    INVARIANT(!cli_option_at(command, OPTIONS_MAX), "%s has too many options", command->name);
    /* A word may be several letters. */
    size_t bytes = 0;
    for (int i = 0; i < argc; i++) {
        bytes += strlen(argv[i]) + 1;
    }
    struct walk walk = {.command = command,
                        .argc = argc,
                        .argv = argv,
                        .next = 1,
                        .given = alloc_checked(calloc(bytes, sizeof *walk.given), "arguments"),
                        .err = &err};
    void *arguments = alloc_checked(calloc(1, command->size), "arguments");
    bool good = walk_line(&walk) && run_with(&walk, arguments, &err);
    free(arguments);
    free(walk.given);
    return good ? EXIT_DONE : err.text[0] ? cli_fail(&err) : err.status;
}

double cli_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#include "cli/cli.h"

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

int cli_fail(const struct error *err)
{
    fprintf(stderr, "s2flush: %s\n", err->text);
    return err->status;
}

struct parsing {
    const struct cli_command *command;
    void *input;
    struct error err;
    bool refused; /* err says why */
};

static error_t take(int key, char *text, struct argp_state *state)
{
    struct parsing *parsing = state->input;
    bool word = key == ARGP_KEY_ARG;
    bool ours = word;
    for (const struct cli_option *row = parsing->command->options; row->name; row++) {
        ours |= row->key == key;
    }
    if (!ours) {
        return ARGP_ERR_UNKNOWN;
    }
    if (parsing->command->take(parsing->input, word ? CLI_WORD : key, text, &parsing->err)) {
        return 0;
    }
    parsing->refused = true;
    return EINVAL;
}

/* --- options that are wrong --- */

/* argp would say what is wrong with an option in two lines, suggest none, and
 * take the last of several values in silence. */
struct walk {
    const struct cli_command *command;
    int argc;
    char **argv;
    int next; /* the argument to look at */
    bool given[OPTIONS_MAX];
    struct error *err;
};

static const struct cli_option builtin[] = {{.name = "help", .key = '?'}, {.name = "usage"}};
#define BUILTIN (sizeof builtin / sizeof *builtin)

static bool repeatable(const struct cli_option *row)
{
    return strstr(row->help, "epeatable") != NULL;
}

static bool unknown_option(const struct walk *walk, const char *dashes, const char *word)
{
    const char *names[OPTIONS_MAX];
    char hint[256] = "";
    size_t count = 0;
    for (const struct cli_option *row = walk->command->options; row->name; row++) {
        names[count++] = row->name;
    }
    error_suggest(hint, sizeof hint, word, names, count);
    return error_input(walk->err, NULL, "%s: no option '%s%.60s'%s", walk->argv[0], dashes, word,
                       hint);
}

/* The option of that name, or the only one that begins so. */
static const struct cli_option *long_option(const struct walk *walk, const char *word,
                                            size_t length)
{
    const struct cli_option *found = NULL;
    size_t beginnings = 0;
    for (const struct cli_option *row = walk->command->options; row->name; row++) {
        if (strncmp(row->name, word, length) == 0) {
            found = row;
            beginnings++;
            if (row->name[length] == '\0') {
                return row;
            }
        }
    }
    for (size_t i = 0; i < BUILTIN; i++) {
        if (strncmp(builtin[i].name, word, length) == 0) {
            found = &builtin[i];
            beginnings++;
        }
    }
    return beginnings == 1 ? found : NULL;
}

static const struct cli_option *short_option(const struct walk *walk, char letter)
{
    for (const struct cli_option *row = walk->command->options; row->name; row++) {
        if (row->key == letter) {
            return row;
        }
    }
    return letter == '?' ? &builtin[0] : NULL;
}

/* `value` is what stands with the option, NULL: nothing does. */
static bool check_option(struct walk *walk, const struct cli_option *row, const char *value)
{
    const struct cli_option *rows = walk->command->options;
    bool own = row < builtin || row >= builtin + BUILTIN;
    if (own && walk->given[row - rows] && !repeatable(row)) {
        return error_input(walk->err, NULL, "--%s: found twice, expected once", row->name);
    }
    if (own) {
        walk->given[row - rows] = true;
    }
    if (row->value && !value && walk->next == walk->argc) {
        return error_input(walk->err, NULL, "--%s: found no value, expected --%s=%s", row->name,
                           row->name, row->value);
    }
    if (!row->value && value) {
        return error_input(walk->err, NULL, "--%s: found '=%.80s', expected no value", row->name,
                           value);
    }
    walk->next += row->value && !value;
    return true;
}

static bool check_long(struct walk *walk, const char *word)
{
    size_t length = strcspn(word, "=");
    const struct cli_option *row = long_option(walk, word, length);
    char name[64];
    if (!row) {
        snprintf(name, sizeof name, "%.*s", length < 60 ? (int)length : 60, word);
        return unknown_option(walk, "--", name);
    }
    return check_option(walk, row, word[length] == '=' ? word + length + 1 : NULL);
}

/* Letters may stand together, up to one that takes the rest as its value. */
static bool check_letters(struct walk *walk, const char *letters)
{
    for (; *letters; letters++) {
        const struct cli_option *row = short_option(walk, *letters);
        if (!row) {
            return unknown_option(walk, "-", (char[]){*letters, '\0'});
        }
        bool rest = row->value && letters[1] != '\0';
        if (!check_option(walk, row, rest ? letters + 1 : NULL)) {
            return false;
        }
        if (row->value) {
            return true;
        }
    }
    return true;
}

static bool check_options(const struct cli_command *command, int argc, char **argv,
                          struct error *err)
{
    struct walk walk = {.command = command, .argc = argc, .argv = argv, .next = 1, .err = err};
    while (walk.next < argc && strcmp(argv[walk.next], "--") != 0) {
        const char *word = argv[walk.next++];
        bool option = word[0] == '-' && word[1] != '\0';
        if (option &&
            !(word[1] == '-' ? check_long(&walk, word + 2) : check_letters(&walk, word + 1))) {
            return false;
        }
    }
    return true;
}

/* --- parsing --- */

bool cli_parse(const struct cli_command *command, int argc, char **argv, void *input, int *status)
{
    char name[64], help[2048];
    struct argp_option options[OPTIONS_MAX] = {{0}};
    struct parsing parsing = {.command = command, .input = input};
    for (size_t i = 0; command->options[i].name; i++) {
        const struct cli_option *row = &command->options[i];
        INVARIANT(i + 1 < OPTIONS_MAX, "%s has too many options", argv[0]);
        options[i] = (struct argp_option){
            .name = row->name, .key = row->key, .arg = row->value, .doc = row->help};
    }
    if (!check_options(command, argc, argv, &parsing.err)) {
        *status = cli_fail(&parsing.err);
        return false;
    }
    snprintf(name, sizeof name, "s2flush %.40s", argv[0]);
    snprintf(help, sizeof help, "%s\v%s", command->help, command->more ? command->more : "");
    struct argp argp = {
        .options = options, .parser = take, .args_doc = command->words, .doc = help};
    argv[0] = name;
    /* Options are listed with their value once; argp need not explain that each time. */
    (void)setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
    argp_err_exit_status = EXIT_INPUT;
    error_t refused = argp_parse(&argp, argc, argv, 0, NULL, &parsing);
    *status = parsing.refused ? cli_fail(&parsing.err) : refused ? EXIT_INPUT : EXIT_DONE;
    return *status == EXIT_DONE;
}

bool cli_add_set(struct cli_sets *sets, const char *text, struct error *err)
{
    if (sets->count == CLI_SETS) {
        return error_input(err, NULL, "more than %d --set", CLI_SETS);
    }
    sets->text[sets->count++] = text;
    return true;
}

bool cli_one_word(const char **word, const char *text, struct error *err)
{
    if (*word) {
        return error_input(err, NULL, "found '%.80s' and '%.80s', expected one", *word, text);
    }
    *word = text;
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

double cli_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#include "cli/cli.h"

/* Before core/units.h and others could bring core/option.h in: see cli.h. */
#include <argp.h>

#include "core/units.h"

#include <inttypes.h>
#include <stdio.h>
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

/* Whether a long option's name, up to its '=', is one of the table's or the
 * beginning of one. */
static bool known_option(const struct cli_command *command, const char *word)
{
    size_t length = strcspn(word, "=");
    bool known = strncmp("help", word, length) == 0 || strncmp("usage", word, length) == 0;
    for (const struct cli_option *row = command->options; row->name; row++) {
        known |= strncmp(row->name, word, length) == 0;
    }
    return known;
}

/* argp would say in two lines that an option is unknown, and suggest none. */
static bool check_options(const struct cli_command *command, int argc, char **argv,
                          struct error *err)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0 || known_option(command, argv[i] + 2)) {
            continue;
        }
        const char *names[OPTIONS_MAX];
        char word[64], hint[128] = "";
        size_t count = 0;
        for (const struct cli_option *row = command->options; row->name; row++) {
            names[count++] = row->name;
        }
        snprintf(word, sizeof word, "%.*s", (int)strcspn(argv[i] + 2, "="), argv[i] + 2);
        suggest(hint, sizeof hint, word, names, count);
        return error_input(err, NULL, "%s: no option '--%s'%s", argv[0], word, hint);
    }
    return true;
}

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

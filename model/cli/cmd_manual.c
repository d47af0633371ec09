/* s2flush manual: man pages, shell completion and the reference of result files. */
#include "cli/cli.h"
#include "cli/completion.h"
#include "cli/manual.h"
#include "core/error.h"
#include "report/columns.h"

#include <string.h>

struct arguments {
    const char *page;
};

#define AT(field) CLI_FIELD(struct arguments, field)

static const struct cli_option options[] = {{0}};

static const struct {
    const char *name;
    void (*write)(FILE *out);
} pages[] = {
    {"s2flush", manual_program}, {"columns", columns_write}, {"bash", completion_bash},
    {"zsh", completion_zsh},     {"fish", completion_fish},
};
#define PAGES (sizeof pages / sizeof *pages)
#define PAGES_MAX 64

static bool no_such_page(const char *page, struct error *err)
{
    const char *names[PAGES_MAX];
    char hint[256] = "";
    size_t count = 0;
    for (size_t i = 0; i < PAGES; i++) {
        names[count++] = pages[i].name;
    }
    for (size_t i = 0; cli_commands[i] && count < PAGES_MAX; i++) {
        names[count++] = cli_commands[i]->name;
    }
    error_suggest(hint, sizeof hint, page, names, count);
    return error_input(err, NULL,
                       "manual: found '%.80s', expected a command, s2flush, columns, "
                       "bash, zsh or fish%s",
                       page, hint);
}

static bool manual(void *arguments, struct error *err)
{
    const struct arguments *given = arguments;
    for (size_t i = 0; i < PAGES; i++) {
        if (strcmp(given->page, pages[i].name) == 0) {
            pages[i].write(stdout);
            return true;
        }
    }
    const struct cli_command *command = cli_find(given->page);
    if (command) {
        manual_command(stdout, command);
    }
    return command || no_such_page(given->page, err);
}

const struct cli_command cmd_manual = {
    .name = "manual",
    .summary = "man pages, shell completion, the columns of results",
    .options = options,
    .word = {AT(page)},
    .words = "COMMAND|s2flush|columns|bash|zsh|fish",
    .missing = "a command, s2flush, columns, bash, zsh or fish",
    .help =
        "Print the man page of a command, or of the program; what each column of the results "
        "means; "
        "a completion script for a shell. All are made from the tables that the program goes by.",
    .more = "  s2flush manual run | man -l -\n"
            "  source <(s2flush manual bash)",
    .size = sizeof(struct arguments),
    .run = manual,
};

#include "cli/cli.h"
#include "core/error.h"
#include "core/version.h"

#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"run", cmd_run, "play a study: rows and a record of the run into a folder"},
    {"merge", cmd_merge, "the rows of a study out of all its shards"},
    {"explain", cmd_explain, "one run in full: what was charged, who waited, who reads what"},
    {"list", cmd_list, "workloads, machines, kernels, strategies, studies, costs, keys, metrics"},
    {"plot", cmd_plot, "draw the plots that fit a folder of rows"},
    {"breakeven", cmd_breakeven, "where along an axis two strategies cost the same"},
    {"map", cmd_map, "which strategy costs least, over two axes"},
    {"sensitivity", cmd_sensitivity, "which costs decide, and which one to measure first"},
    {"diff", cmd_diff, "what changed between two folders of results"},
    {"memo", cmd_memo, "a folder of results as a memo: Markdown and one HTML page"},
    {"counts", cmd_counts, "the model's event counts against recorded ones"},
    {"validate", cmd_validate, "predictions against published measurements"},
    {"paths", cmd_paths, "the kernel's path lengths from recorded instructions"},
    {"calibrate", cmd_calibrate, "a platform file from measurements"},
    {"import", cmd_import, "a workload from a trace of a real host"},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void print_version(void)
{
    printf("s2flush %s\ncompiled by %s with %s\n", version_program, version_compiler,
           version_flags);
}

static void print_help(void)
{
    fputs("Usage: s2flush COMMAND [ARGUMENTS]\n\n"
          "What it costs on KVM/arm64 to make a VM's memory coherent at reboot.\n\n",
          stdout);
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  %-11s %s\n", commands[i].name, commands[i].help);
    }
    fputs("\n  s2flush COMMAND --help   what a command takes\n"
          "  s2flush --version        the program and what compiled it\n\n"
          "Exit status: 0 done, 1 the run failed, 2 bad input, 130 interrupted by Ctrl-C.\n",
          stdout);
}

static int unknown_command(const char *name)
{
    const char *names[COMMANDS];
    struct error err;
    char hint[256] = "";
    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
    }
    error_suggest(hint, sizeof hint, name, names, COMMANDS);
    error_input(&err, NULL, "no command '%.80s'%s", name, hint);
    return cli_fail(&err);
}

static int dispatch(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        print_version();
        return EXIT_DONE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-?") == 0 || strcmp(word, "-h") == 0 ||
        strcmp(word, "help") == 0) {
        print_help();
        return argc > 1 ? EXIT_DONE : EXIT_INPUT;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, word) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    return unknown_command(word);
}

int main(int argc, char **argv)
{
    /* Titles may hold any character; numbers never depend on the locale. */
    setlocale(LC_CTYPE, "");
    /* A file that grows past `ulimit -f` is a write that fails, like a full disk. */
    (void)signal(SIGXFSZ, SIG_IGN);
    argp_err_exit_status = EXIT_INPUT;
    int status = dispatch(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_DONE) {
        struct error err;
        error_run(&err, "stdout: %s", strerror(errno));
        return cli_fail(&err);
    }
    return status;
}

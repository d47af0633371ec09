#include "cli/cli.h"
#include "cli/completion.h"
#include "core/error.h"
#include "core/units.h"
#include "core/version.h"
#include "study/study.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define COMMANDS_MAX 64

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
    for (size_t i = 0; cli_commands[i]; i++) {
        printf("  %-11s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    }
    fputs("\n  s2flush COMMAND --help   what a command takes\n"
          "  s2flush --version        the program and what compiled it\n\n"
          "Exit status: 0 done, 1 the run failed, 2 bad input, 130 interrupted by Ctrl-C.\n",
          stdout);
}

static int unknown_command(const char *name)
{
    const char *names[COMMANDS_MAX];
    size_t count = 0;
    struct error err;
    char hint[256] = "";
    if (workload_is(name)) {
        error_input(&err, NULL, "%.200s is a workload: s2flush explain %.200s plays it", name,
                    name);
        return cli_fail(&err);
    }
    if (study_is(name)) {
        error_input(&err, NULL, "%.200s is a study: s2flush run %.200s plays it", name, name);
        return cli_fail(&err);
    }
    for (; cli_commands[count] && count < COMMANDS_MAX; count++) {
        names[count] = cli_commands[count]->name;
    }
    error_suggest(hint, sizeof hint, name, names, count);
    error_input(&err, NULL, "no command '%.80s'%s", name, hint);
    return cli_fail(&err);
}

/* Below it a command could run into the end of its stack: a crash without a word. */
#define STACK_MIN_KIB 512

static bool has_stack(struct error *err)
{
    struct rlimit stack;
    if (getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur < STACK_MIN_KIB * KIB) {
        return error_run(err,
                         "the stack may take %" PRIu64 " KiB, expected at least %d: ulimit -s %d",
                         (uint64_t)stack.rlim_cur / KIB, STACK_MIN_KIB, STACK_MIN_KIB);
    }
    return true;
}

static int dispatch(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "--help";
    if (argc > 2 && strcmp(word, "help") == 0) {
        char *asked[] = {argv[2], "--help", NULL};
        const struct cli_command *about = cli_find(argv[2]);
        return about ? cli_run(about, 2, asked) : unknown_command(argv[2]);
    }
    if (strcmp(word, "--complete") == 0) {
        completion_print(argc - 2, argv + 2);
        return EXIT_DONE;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        print_version();
        return EXIT_DONE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-?") == 0 || strcmp(word, "-h") == 0 ||
        strcmp(word, "help") == 0) {
        print_help();
        return argc > 1 ? EXIT_DONE : EXIT_INPUT;
    }
    const struct cli_command *command = cli_find(word);
    return command ? cli_run(command, argc - 1, argv + 1) : unknown_command(word);
}

int main(int argc, char **argv)
{
    /* Titles may hold any character; numbers never depend on the locale. */
    setlocale(LC_CTYPE, "");
    /* A file that grows past `ulimit -f` is a write that fails, like a full disk. */
    (void)signal(SIGXFSZ, SIG_IGN);
    struct error err;
    int status = has_stack(&err) ? dispatch(argc, argv) : cli_fail(&err);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_DONE) {
        error_run(&err, "stdout: %s", strerror(errno));
        return cli_fail(&err);
    }
    return status;
}

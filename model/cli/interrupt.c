#include "cli/interrupt.h"

#include "core/temporary.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

/* Written by the handler in one thread, read by all. */
static atomic_int caught;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler may not take a lock");

/* What a shell says of a program that a signal ended. */
#define STATUS_OF_SIGNALS 128

/* A simulation under way may take minutes: it is not waited for longer than this. */
#define GRACE_S 1

static bool terminal;

static void say(const char *words, size_t bytes)
{
    ssize_t written = write(STDERR_FILENO, words, bytes);
    (void)written;
}

/* The store is one that a killed process leaves whole, and so are files under their own names. */
static void give_up(int signal)
{
    static const char words[] = "\ns2flush: interrupted; finished cells are kept: without --fresh "
                                "the same command goes on from there\n";
    if (!temporary_remove(signal)) {
        return;
    }
    say(words, sizeof words - 1);
    _exit(STATUS_OF_SIGNALS + caught);
}

static void note(int signal)
{
    static const char words[] = "\ns2flush: ending within a second\n";
    if (caught) { /* a second time: at once */
        give_up(signal);
    }
    caught = signal;
    if (terminal) {
        say(words, sizeof words - 1);
    }
    (void)alarm(GRACE_S);
}

static void catch_one(int signal)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    struct sigaction before;
    if (sigaction(signal, NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
        (void)sigaction(signal, &action, NULL);
    }
}

void interrupt_catch(void)
{
    const struct sigaction end = {.sa_handler = give_up};
    terminal = isatty(STDERR_FILENO);
    (void)sigaction(SIGALRM, &end, NULL);
    catch_one(SIGINT);
    catch_one(SIGTERM);
}

int interrupt_signal(void)
{
    return caught;
}

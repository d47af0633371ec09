#include "cli/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

/* Written by the handler in one thread, read by all. */
static atomic_int caught;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler may not take a lock");

static bool terminal;

static void note(int signal)
{
    static const char words[] = "\ns2flush: ending after the cells under way; again to end now\n";
    caught = signal;
    if (terminal) {
        ssize_t written = write(STDERR_FILENO, words, sizeof words - 1);
        (void)written;
    }
}

static void catch_one(int signal)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    struct sigaction before;
    if (sigaction(signal, NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
        (void)sigaction(signal, &action, NULL);
    }
}

void interrupt_catch(void)
{
    terminal = isatty(STDERR_FILENO);
    catch_one(SIGINT);
    catch_one(SIGTERM);
}

int interrupt_signal(void)
{
    return caught;
}

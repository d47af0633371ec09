#include "core/temporary.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define PLACES 64
#define PATH 4096

/* Never given back, so that a handler may read a path at any time. */
static struct place {
    atomic_int state;
    char path[PATH];
} place[PLACES];

enum { FREE, CHANGING, TAKEN };

void temporary_remove(void)
{
    static int (*const removals[])(const char *) = {unlink, rmdir}; /* folders are empty then */
    for (size_t i = 0; i < 2 * (size_t)PLACES; i++) {
        if (atomic_load(&place[i % PLACES].state) == TAKEN) {
            (void)removals[i / PLACES](place[i % PLACES].path);
        }
    }
}

/* Another signal waits: it may not end the program half-way. */
static void remove_and_end(int by)
{
    temporary_remove();
    (void)signal(by, SIG_DFL);
    (void)raise(by); /* which is held back until this handler has ended */
}

static void catch_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction end = {.sa_handler = remove_and_end};
    (void)sigfillset(&end.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL) {
            (void)sigaction(signals[i], &end, NULL);
        }
    }
}

void temporary_add(const char *path)
{
    static atomic_bool caught;
    if (!atomic_exchange(&caught, true)) {
        catch_signals();
    }
    for (size_t i = 0; i < PLACES && strlen(path) < PATH; i++) {
        int unused = FREE;
        if (atomic_compare_exchange_strong(&place[i].state, &unused, CHANGING)) {
            memcpy(place[i].path, path, strlen(path) + 1);
            atomic_store(&place[i].state, TAKEN);
            return;
        }
    }
}

void temporary_forget(const char *path)
{
    for (size_t i = 0; i < PLACES; i++) {
        if (atomic_load(&place[i].state) == TAKEN && strcmp(place[i].path, path) == 0) {
            atomic_store(&place[i].state, FREE);
            return;
        }
    }
}

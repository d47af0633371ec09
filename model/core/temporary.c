#include "core/temporary.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACES 64
#define PATH 4096
#define CHILDREN 8

/* Never given back, so that a handler may read a path at any time. */
static struct place {
    atomic_int state;
    char path[PATH];
} place[PLACES];

enum { FREE, CHANGING, TAKEN };

static atomic_int children[CHILDREN]; /* 0: none */

/* How many hold; ENDING once a handler removes. One word, as threads hold while a handler runs in
 * another. */
static atomic_int holds;
static atomic_int held_back; /* the signal that waits for the release; 0: none */

#define ENDING (-1)

/* A child that has ended keeps its number until it is waited for, which only happens while they are
 * held: that number is no other process's. */
static void end_children(void)
{
    for (size_t i = 0; i < CHILDREN; i++) {
        pid_t child = atomic_load(&children[i]);
        if (child > 0) {
            (void)kill(child, SIGKILL);
            (void)waitpid(child, NULL, 0);
        }
    }
}

bool temporary_remove(int by)
{
    static int (*const removals[])(const char *) = {unlink, rmdir}; /* folders are empty then */
    atomic_store(&held_back, by);
    int before = 0;
    if (!atomic_compare_exchange_strong(&holds, &before, ENDING) && before != ENDING) {
        return false;
    }
    end_children();
    for (size_t i = 0; i < 2 * (size_t)PLACES; i++) {
        if (atomic_load(&place[i % PLACES].state) == TAKEN) {
            (void)removals[i / PLACES](place[i % PLACES].path);
        }
    }
    return true;
}

/* Another signal waits: it may not end the program half-way. */
static void remove_and_end(int by)
{
    if (temporary_remove(by)) {
        (void)signal(by, SIG_DFL);
        (void)raise(by); /* which is held back until this handler has ended */
    }
}

/* Once, at the first use. */
static void catch_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    static atomic_bool caught;
    struct sigaction end = {.sa_handler = remove_and_end, .sa_flags = SA_RESTART};
    if (atomic_exchange(&caught, true)) {
        return;
    }
    (void)sigfillset(&end.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL) {
            (void)sigaction(signals[i], &end, NULL);
        }
    }
}

void temporary_hold(void)
{
    catch_signals();
    for (int now = atomic_load(&holds);;) {
        if (now == ENDING) {
            (void)pause(); /* a handler in another thread ends the program */
        } else if (atomic_compare_exchange_weak(&holds, &now, now + 1)) {
            return;
        }
    }
}

void temporary_release(void)
{
    if (atomic_fetch_sub(&holds, 1) == 1 && atomic_load(&held_back) != 0) {
        (void)raise(atomic_load(&held_back));
    }
}

void temporary_add(const char *path)
{
    catch_signals();
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

void temporary_add_child(pid_t child)
{
    for (size_t i = 0; i < CHILDREN; i++) {
        int unused = 0;
        if (atomic_compare_exchange_strong(&children[i], &unused, child)) {
            return;
        }
    }
}

bool temporary_wait_child(pid_t child, int *status)
{
    siginfo_t ended;
    while (waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT) != 0 && errno == EINTR) {}
    temporary_hold();
    for (size_t i = 0; i < CHILDREN; i++) {
        int same = child;
        (void)atomic_compare_exchange_strong(&children[i], &same, 0);
    }
    bool good = waitpid(child, status, 0) == child;
    temporary_release();
    return good;
}

/*
 * temporary - files that go with the program when a signal ends it.
 *
 * A file is written under a temporary name and gets its own when it is whole. Ctrl-C, SIGTERM or a
 * terminal that is closed in between would leave that name behind.
 */
#ifndef S2FLUSH_CORE_TEMPORARY_H
#define S2FLUSH_CORE_TEMPORARY_H

#include <stdbool.h>
#include <sys/types.h>

/* From now on such a signal removes the file or empty folder first, unless another handler was
 * there before. A name too many or too long is one that stays. */
void temporary_add(const char *path);

/* Is no longer there, or no longer temporary. */
void temporary_forget(const char *path);

/* Around making a file and adding its name, in whichever order: a signal in between waits for the
 * release. Short, as Ctrl-C is to be answered at once; may be nested. */
void temporary_hold(void);
void temporary_release(void);

/* A process that writes temporary files: a signal ends it before it removes them, so that it cannot
 * make them anew. To be added while they are held since before its fork. */
void temporary_add_child(pid_t child);

/* Waits for the end of such a process and forgets it. False: its status is not to be had. */
bool temporary_wait_child(pid_t child, int *status);

/* For handlers that end the program: ends the processes and removes all. False: they are held, the
 * handler is to return, and the same signal comes again on release. */
bool temporary_remove(int by);

#endif

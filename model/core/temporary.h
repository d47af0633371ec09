/*
 * temporary - files that go with the program when a signal ends it.
 *
 * A file is written under a temporary name and gets its own when it is whole. Ctrl-C, SIGTERM or a
 * terminal that is closed in between would leave that name behind.
 */
#ifndef S2FLUSH_CORE_TEMPORARY_H
#define S2FLUSH_CORE_TEMPORARY_H

/* From now on such a signal removes the file or empty folder first, unless another handler was
 * there before. A name too many or too long is one that stays. */
void temporary_add(const char *path);

/* Is no longer there, or no longer temporary. */
void temporary_forget(const char *path);

/* Removes all; for handlers that end the program. */
void temporary_remove(void);

#endif

/*
 * alloc - arrays that are made at set-up, or not at all: a program that cannot
 * have its memory ends here.
 */
#ifndef S2FLUSH_CORE_ALLOC_H
#define S2FLUSH_CORE_ALLOC_H

#include <stddef.h>

/* `count` elements (0: one) of that size, not initialised; `what` names them
 * in the message where there is no memory. The caller frees them. */
void *alloc_raw(size_t count, size_t size, const char *what);

/* The same, all bytes zero. */
void *alloc_zeroed(size_t count, size_t size, const char *what);

#endif

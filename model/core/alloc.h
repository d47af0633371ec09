/*
 * alloc - arrays that are made at set-up, or not at all: a program that cannot
 * have its memory ends here.
 */
#ifndef S2FLUSH_CORE_ALLOC_H
#define S2FLUSH_CORE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* `count` elements (0: one) of that size, not initialised; `what` names them
 * in the message where there is no memory. The caller frees them. */
void *alloc_raw(size_t count, size_t size, const char *what);

/* The same, all bytes zero. */
void *alloc_zeroed(size_t count, size_t size, const char *what);

/* Ends the program where there is no memory for `what`; else what it was given. */
void *alloc_checked(void *memory, const char *what) __attribute__((returns_nonnull));

/* Whether `what` may take that much: at most the machine's memory, or what the
 * environment variable S2FLUSH_MEMORY says (8G). False with one line that says
 * how much it is and, by `instead`, what would take less. */
bool alloc_allowed(uint64_t bytes, const char *what, const char *instead, struct error *err);

#endif

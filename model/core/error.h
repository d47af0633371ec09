/*
 * error - one clear line for bad input, and the end of a run that cannot go on.
 *
 * Bad input is never an assert. A function that can meet it takes a
 * `struct error *`, fills it and returns false; the command line prints the
 * one line and exits with status 2 (EXIT_INPUT). A run that cannot be finished
 * (disk full, a limit of the numbers) exits with 1 (EXIT_RUN).
 */
#ifndef S2FLUSH_CORE_ERROR_H
#define S2FLUSH_CORE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum { EXIT_DONE = 0, EXIT_RUN = 1, EXIT_INPUT = 2 };

struct error {
    int status; /* EXIT_RUN or EXIT_INPUT */
    bool simulation; /* one simulation failed: others can go on */
    char text[768];
};

/* Where in the input something stands; any part may be NULL or 0. */
struct source_location {
    const char *file;
    unsigned line;
    const char *key;
};

/* Fills err with "file:line: key: <message>" and status EXIT_INPUT; returns
 * false so that a caller can `return error_input(...)`. Control characters
 * that came in with the input are shown as \xNN. */
bool error_input(struct error *err, const struct source_location *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a failure of the run itself: status EXIT_RUN. */
bool error_run(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for a function that takes a format itself. */
void error_run_args(struct error *err, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* The nearest of `count` names to `word` (optimal string alignment distance,
 * at most a third of the word's length and never more than 3; capital letters
 * count as small ones), or NULL. */
const char *error_nearest(const char *word, const char *const *names, size_t count);

/* The same, or else all names however many they are. */
void error_suggest_all(char *text, size_t size, const char *word, const char *const *names,
                       size_t count);

/* Appends " (did you mean NAME?)", or the list of valid names where none is
 * near and there are at most 12, to a text of that size. */
void error_suggest(char *text, size_t size, const char *word, const char *const *names,
                   size_t count);

/* Ends the program: "s2flush: <message>" on stderr, status EXIT_RUN. For what
 * no caller can mend: memory exhausted, a number past its limit. */
_Noreturn void error_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

/*
 * What every part of the probe needs: how it ends, what it samples, how it
 * writes numbers.
 *
 * Exit codes: 0 done, 1 something failed on the way, 2 this machine or this
 * command line lacks what was asked for (one line on standard error).
 */
#ifndef PROBE_COMMON_H
#define PROBE_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { PROBE_FAILED = 1, PROBE_MISSING = 2 };

/* One line on standard error. */
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);

/* One line on standard error, and the end of the program. What must not stay
 * behind (probes in the kernel) is taken away by an atexit handler. */
__attribute__((noreturn, format(printf, 2, 3))) void die(int code, const char *format, ...);

/* Memory or the end of the program: nothing here can go on without. */
void *must_alloc(size_t bytes);
char *must_copy(const char *text);

/* Opens for writing; NULL or "-" is standard output. */
FILE *must_create(const char *path);
/* Ends with an error if anything written got lost, such as on a full disk. */
void must_close(FILE *out, const char *path);

/* A decimal number with an optional K, M or G, or the end of the program with
 * the name of what it was for. */
uint64_t must_number(const char *text, const char *what);

/* Monotonic and not steered by a time server. */
uint64_t now_ns(void);

/* How much of a time between two calls of now_ns is the calls' own. */
double clock_ns(void);

/* The samples of one quantity. */
struct samples {
    double *at;
    size_t count, room;
};

struct summary {
    size_t n;
    double mean, median, p10, p90;
};

void samples_add(struct samples *samples, double value);
void samples_clear(struct samples *samples);
void samples_free(struct samples *samples);
/* Sorts. Quantiles lie between the two nearest samples. */
struct summary samples_summary(struct samples *samples);

#endif

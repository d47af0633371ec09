#include "common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void say(const char *format, va_list args)
{
    fputs("probe: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

void die(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
    exit(code);
}

void *must_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    if (!memory) {
        die(PROBE_FAILED, "no memory for %zu bytes", bytes);
    }
    return memory;
}

char *must_copy(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(must_alloc(bytes), text, bytes);
}

FILE *must_create(const char *path)
{
    if (!path || strcmp(path, "-") == 0) {
        return stdout;
    }
    FILE *out = fopen(path, "w");
    if (!out) {
        die(PROBE_MISSING, "%s: %s", path, strerror(errno));
    }
    return out;
}

void must_close(FILE *out, const char *path)
{
    int failed = fflush(out) != 0 || ferror(out);
    if (out != stdout && fclose(out) != 0) {
        failed = 1;
    }
    if (failed) {
        die(PROBE_FAILED, "%s: %s", path ? path : "standard output", strerror(errno));
    }
}

uint64_t must_number(const char *text, const char *what)
{
    char *end = NULL;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    int shift = 0;
    if (*end && strchr("KMG", *end)) {
        shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
        end++;
    }
    if (errno || end == text || *end || text[0] == '-' || number > UINT64_MAX >> shift) {
        die(PROBE_MISSING, "%s is a number, optionally with K, M or G, not '%s'", what, text);
    }
    return number << shift;
}

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The least of several means: the clock's steps may be longer than a call. */
double clock_ns(void)
{
    enum { CALLS = 1000, MEANS = 20 };
    double least = 0;
    for (int i = 0; i < MEANS; i++) {
        uint64_t begin = now_ns();
        uint64_t end = begin;
        for (int call = 0; call < CALLS; call++) {
            end = now_ns();
        }
        double mean = (double)(end - begin) / CALLS;
        least = i == 0 || mean < least ? mean : least;
    }
    return least;
}

void samples_add(struct samples *samples, double value)
{
    if (samples->count == samples->room) {
        size_t room = samples->room ? 2 * samples->room : 64;
        double *at = realloc(samples->at, room * sizeof *at);
        if (!at) {
            die(PROBE_FAILED, "no memory for %zu samples", room);
        }
        samples->at = at;
        samples->room = room;
    }
    samples->at[samples->count++] = value;
}

void samples_clear(struct samples *samples)
{
    samples->count = 0;
}

void samples_free(struct samples *samples)
{
    free(samples->at);
    *samples = (struct samples){0};
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double stats_quantile(const struct samples *samples, double share)
{
    double rank = share * (double)(samples->count - 1);
    size_t below = (size_t)rank;
    size_t above = below + 1 < samples->count ? below + 1 : below;
    double part = rank - (double)below;
    return samples->at[below] * (1 - part) + samples->at[above] * part;
}

struct summary samples_summary(struct samples *samples)
{
    struct summary summary = {.n = samples->count};
    if (samples->count == 0) {
        return summary;
    }
    qsort(samples->at, samples->count, sizeof *samples->at, by_value);
    for (size_t i = 0; i < samples->count; i++) {
        summary.mean += samples->at[i] / (double)samples->count;
    }
    summary.median = stats_quantile(samples, 0.5);
    summary.p10 = stats_quantile(samples, 0.1);
    summary.p90 = stats_quantile(samples, 0.9);
    return summary;
}

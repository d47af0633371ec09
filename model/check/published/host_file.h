/*
 * host_file - a fit beside the host's file, and into it.
 *
 * A search ends near where the last one ended, not there: the sum of squares is rough. A cost has
 * moved where it is more than a tenth of its standard error away from what stands in the file.
 */
#ifndef S2FLUSH_CHECK_PUBLISHED_HOST_FILE_H
#define S2FLUSH_CHECK_PUBLISHED_HOST_FILE_H

#include "check/published/host_fit.h"

#include <stdio.h>

struct error;

/* A fitted cost as its file has it: the mode, and two standard errors either way. */
struct host_file_cost {
    double low, mode, high;
    bool moved;
};
struct host_file_cost host_file_cost(const struct host_fit *fit, size_t cost);
size_t host_file_moved(const struct host_fit *fit);

/* Writes the file's text with the moved costs' low, mode and high as the fit has them, and
 * nothing else changed. */
void host_file_write(const char *text, const struct host_fit *fit, FILE *out);

#endif

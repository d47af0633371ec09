/*
 * golden - what runs came to when the model was last looked at, in a file: a test fails where they
 * come to something else, and `make golden` accepts it.
 */
#ifndef S2FLUSH_TESTS_GOLDEN_H
#define S2FLUSH_TESTS_GOLDEN_H

#include <stdio.h>

#include "run/sim.h"

#define GOLDEN_COLUMNS \
    "case,strategy,fidelity,end_ps,window_ps,cpu_ps,overlapped,digest,steps,events\n"

/* Plays a point and prints it as a line of those columns. */
void golden_print(FILE *out, const char *name, const char *strategy, const struct point *point);

/* Fails where the text is not the file's, line by line. */
void golden_expect(const char *path, const char *text);

#endif

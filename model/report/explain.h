/*
 * explain - one run in full, for people: what was charged by phase, actor and
 * kind, who waited for what, what of it counts, and who reads what.
 */
#ifndef S2FLUSH_REPORT_EXPLAIN_H
#define S2FLUSH_REPORT_EXPLAIN_H

#include "study/setup.h"

#include <stdio.h>

/* Plays the point with all costs at their modes, and the yardstick, and prints
 * both. False where the run gets stuck. */
bool explain_write(FILE *out, const struct setup *setup, struct error *err);

#endif

/*
 * show - what a folder of results says, as a table for the terminal.
 */
#ifndef S2FLUSH_REPORT_SHOW_H
#define S2FLUSH_REPORT_SHOW_H

#include "study/metrics.h"
#include "study/store.h"

#include <stdio.h>

struct error;

/* Prints strategies by scenarios: the metric's median with the digits that its band bears, and
 * whether each strategy is coherent. False with a line where the store lacks the metric. */
bool show_print(struct store *store, enum metric metric, FILE *out, struct error *err);

#endif

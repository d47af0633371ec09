/*
 * run_json - beside the rows: which program made them, where and when, and
 * every setting with its source.
 */
#ifndef S2FLUSH_REPORT_RUN_JSON_H
#define S2FLUSH_REPORT_RUN_JSON_H

#include "study/store.h"

#include <stdio.h>

struct error;

/* What a run's record says of a study, as text that needs no study any more. */
bool run_about(const struct study *study, struct shard shard, const char *format,
               struct store_about *about, struct error *err);

/* Whether SOURCE_DATE_EPOCH, where it is set, is a number; false with a line. */
bool run_json_possible(struct error *err);

/* The record of what a store has, and why cells failed. The date is that of SOURCE_DATE_EPOCH where
 * it is set. False with a line where that is no number. */
bool run_json_write(FILE *out, struct store *store, struct error *err);

#endif

/*
 * words - what the keys of a scenario, their values and the metrics are called in memos and
 * figures.
 */
#ifndef S2FLUSH_REPORT_WORDS_H
#define S2FLUSH_REPORT_WORDS_H

#include "study/metrics.h"
#include "study/values.h"

#define WORDS_TEXT 256 /* bytes that each text below takes at most */

/* "2 MiB leaves". */
char *words_leaf(const char *granule, const char *backing, char buf[WORDS_TEXT]);

/* A value of a key: "8 vCPUs", "10 % touched again". */
char *words_value(const char *key, const char *value, struct value_kind kind, char buf[WORDS_TEXT]);

/* Shortens what words_value said of an axis where there is little room; returns `words`. */
char *words_shorten(const char *axis, char *words);

/* An axis's title, "touched again, of what is in use", and what it is in a sentence: "what is
 * touched again". */
const char *words_axis(const char *axis);
const char *words_noun(const char *axis);

/* What is counted: "added to the reboot". */
const char *words_metric(enum metric metric);

#endif

/*
 * verdict - what the readers of guest memory get, all together and in words.
 */
#ifndef S2FLUSH_STUDY_VERDICT_H
#define S2FLUSH_STUDY_VERDICT_H

#include "machine/oracle.h"

/* The worst of all readers, and what verdicts rest on. */
enum outcome verdict_worst(const struct verdict verdict[READERS], unsigned *conditions);

/* Conditions as text for people; NULL: there are none. */
const char *verdict_conditions(unsigned conditions);

/* What the worst verdict depends on or fails by, as text for people; "" for nothing. */
void verdict_text(const struct verdict verdict[READERS], char *text, size_t size);

#endif

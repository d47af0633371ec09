/*
 * memo_played - the part of a memo's page in which a reader moves costs: what was played as JSON,
 * and what an event costs as JavaScript.
 */
#ifndef S2FLUSH_REPORT_MEMO_MEMO_PLAYED_H
#define S2FLUSH_REPORT_MEMO_MEMO_PLAYED_H

#include <stdbool.h>

struct doc_node;
struct error;
struct evaluator;
struct memo;

/* Asks the evaluator for what the page needs, and keeps it with the memo. */
bool memo_find_played(struct memo *memo, struct evaluator *evaluator, struct error *err);

/* Puts the page's part; words in its place where the metric is no sum of events. */
void memo_put_played(const struct memo *memo, struct doc_node *doc);

#endif

/*
 * memo_timeline - the run of what costs least, and of what Linux does, over time, in the first
 * place of a memo with each cost at its mode. Not for others than the memo.
 */
#ifndef S2FLUSH_REPORT_MEMO_MEMO_TIMELINE_H
#define S2FLUSH_REPORT_MEMO_MEMO_TIMELINE_H

#include "report/memo/memo.h"
#include "report/output.h"

/* An item for each file. */
void memo_list_timelines(const struct memo *memo, struct doc_node *list);

/* The files themselves. */
bool memo_write_timelines(const struct memo *memo, const char *folder, struct outputs *files,
                          struct error *err);

#endif

/*
 * overview - one page over all memos of a folder: question, answer, how sure, and a matrix
 * of machines against questions, from the memo.json that each memo's folder holds.
 */
#ifndef S2FLUSH_REPORT_MEMO_OVERVIEW_H
#define S2FLUSH_REPORT_MEMO_OVERVIEW_H

#include "report/document/doc.h"

struct error;

/* The page of FOLDER/NAME/memo.json, by rising name. NULL with a line where there is none or one
 * that is no such file. The caller frees it. */
struct doc_node *overview_write(const char *folder, struct error *err);

/* Whether the folder has no file of that name or one that has the page: false with a line where
 * it is someone's own. */
bool overview_may_replace(const char *folder, const char *name, struct error *err);

#endif

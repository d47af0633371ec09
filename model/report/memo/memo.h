/*
 * memo - what a folder of results says, as a document for people who decide.
 *
 * All words and figures come from the folder: run.json (the question, what was
 * assumed, how to repeat it), rows.csv, and of map.csv, breakeven.csv,
 * breakeven-curves.csv, sensitivity.csv and information.csv those that are
 * there. Tables of other rows than those of rows.csv are refused.
 */
#ifndef S2FLUSH_REPORT_MEMO_MEMO_H
#define S2FLUSH_REPORT_MEMO_MEMO_H

#include "report/document/doc.h"

struct error;

struct memo; /* report/memo_parts.h */

/* Reads the folder. `validation` is a table as `s2flush validate --format csv`
 * prints; NULL: the one that comes with the program. */
struct memo *memo_read(const char *folder, const char *validation, struct error *err);
void memo_free(struct memo *memo);

/* The whole document, with its pictures drawn by gnuplot where that is
 * installed. The caller frees it. */
struct doc_node *memo_write(struct memo *memo);

#endif

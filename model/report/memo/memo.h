/*
 * memo - what a study says, as a document for people who decide.
 *
 * It answers for the case that the study's [memo] names, once for each value of its
 * facets, and shows beside it what would change the answer, how well the model does on
 * published measurements of these machines, and the other machines and kernels.
 */
#ifndef S2FLUSH_REPORT_MEMO_MEMO_H
#define S2FLUSH_REPORT_MEMO_MEMO_H

#include "report/document/doc.h"
#include "report/output.h"
#include "study/study.h"
#include "study/sweep.h"

#include <jansson.h>

struct error;
struct store;
struct memo; /* report/memo/memo_input.h */

/* Asks the study for all that its memo says. `validation` is a table as `s2flush
 * validate --format csv` prints; NULL: the one that comes with the program. The caller
 * frees the memo, and the study after it. */
bool memo_make(const struct study *study, const char *validation, struct sweep *sweep,
               struct store *store, struct memo **made, struct error *err);
void memo_free(struct memo *memo);

/* False with a line where simulations failed, and something is left out of the memo. */
bool memo_whole(const struct memo *memo, struct error *err);

/* The whole document, with its figures drawn by gnuplot where that is installed; links
 * lead to files in the memo's folder. The caller frees it. */
struct doc_node *memo_write(const struct memo *memo, const char *folder);

/* The runs of what costs least and of what Linux does over time, in the first place with each cost
 * at its mode, as files that Perfetto opens. */
bool memo_write_timelines(const struct memo *memo, const char *folder, struct outputs *files,
                          struct error *err);

/* The document in short, for the page over all questions (report/memo/overview.h). */
json_t *memo_summary(const struct memo *memo);

#endif

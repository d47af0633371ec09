/*
 * merge - one store out of those of all shards.
 */
#ifndef S2FLUSH_REPORT_MERGE_H
#define S2FLUSH_REPORT_MERGE_H

#include "report/rows.h"

struct error;

/* Puts the shards' files together into a store in the folder, which is made for it, and writes the
 * rows in the formats for which the shards were asked. False with a line that names what is wrong,
 * and nothing written, where they are not all shards of one study, each once and whole. What came
 * out stays in *merged and *sum; the caller frees merged where this was true. */
bool merge_shards(char *const *paths, size_t count, const char *folder, const char *store,
                  struct store_about *merged, struct store_sum *sum, struct error *err);

#endif

/*
 * shard - a share of a study's cells, for one of several machines.
 *
 * Of each N cells that follow each other a shard gets one. Which one changes
 * from row to row as if by chance: an axis of N values, or one more or less,
 * would otherwise give one shard all of its dearest values.
 */
#ifndef S2FLUSH_STUDY_SHARD_H
#define S2FLUSH_STUDY_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* No more than files that may be open at once, and as many as a job array of
 * Slurm's may have by default. */
#define SHARDS_MAX 1000

struct shard {
    uint32_t number, count; /* 1..count; 1 of 1 is the whole study */
};

/* Reads "2/8". */
bool shard_parse(const char *text, struct shard *shard, struct error *err);

/* The number of the shard, of `count`, to which a cell belongs. */
uint32_t shard_of_cell(size_t cell, uint32_t count);

/* How many of the cells are the shard's own. */
size_t shard_cells(struct shard shard, size_t cells);

#endif

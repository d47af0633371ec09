/*
 * stage2 - a VM's stage-2 translation tables: which leaves are mapped, how,
 * and the shape of the tree that holds them.
 *
 * Leaves are kept as intervals of IPA with equal size and permissions; which tables
 * exist follows from the leaves (a table is there as long as it has an entry),
 * so tables and walks are counted from the intervals, at a cost that does not grow
 * with their length.
 *
 * Levels, block sizes and root spans: Arm's translation tables as KVM sets
 * them up (levels = max(2, (IPA bits - 8) / (page shift - 3)), up to 16 root
 * tables side by side).
 */
#ifndef S2FLUSH_KVM_STAGE2_H
#define S2FLUSH_KVM_STAGE2_H

#include "core/interval_map.h"

#include <stdbool.h>
#include <stdint.h>

struct error;

enum leaf_level {
    LEAF_PAGE, /* the granule: 4, 16 or 64 KiB */
    LEAF_BLOCK, /* 2 MiB, 32 MiB or 512 MiB */
    LEAF_GIG, /* 1 GiB, with 4 KiB granule only */
    LEAF_LEVELS
};

#define STAGE2_TABLE_LEVELS 3

struct geometry {
    uint64_t page_bytes;
    uint64_t leaf_bytes[LEAF_LEVELS]; /* 0: no such leaf */
    uint32_t levels; /* of lookup, root included */
    uint32_t table_levels; /* non-root levels: levels - 1 */
    uint64_t table_span[STAGE2_TABLE_LEVELS]; /* what one table of that level maps, leaf first */
    uint64_t root_span; /* what one root entry maps */
    uint64_t chunk_bytes; /* the granule's largest block: the unit of range operations */
};

/* The tables for a granule (4, 16 or 64 KiB) and a number of IPA bits (32 to
 * 52). False with the reason in err where KVM has no such set-up. */
bool geometry_init(struct geometry *geometry, uint64_t granule_bytes, uint32_t ipa_bits,
                   struct error *err);

/* A interval of mapped leaves. */
struct leaves {
    uint64_t start, end;
    enum leaf_level level;
    bool writable, executable;
};

struct stage2 {
    struct geometry geometry;
    struct interval_map map;
    uint64_t tables; /* non-root tables now in the tree */
};

void stage2_init(struct stage2 *stage2, const struct geometry *geometry, struct pool *pool);

/* The leaves at `ipa`, cut to [ipa's leaf, limit); false where nothing is
 * mapped there, and *next is then the next mapped address (or UINT64_MAX). */
bool stage2_lookup(struct stage2 *stage2, uint64_t ipa, struct leaves *leaves, uint64_t *next);

/* The first leaves at or after `from` and before `to`, cut to that range. */
bool stage2_next(struct stage2 *stage2, uint64_t from, uint64_t to, struct leaves *leaves);

/* How many tables mapping a range that is not mapped would take. */
uint64_t stage2_tables_for(struct stage2 *stage2, struct leaves leaves);

/* Maps a range that must not be mapped yet; returns the tables it took. */
uint64_t stage2_map(struct stage2 *stage2, struct leaves leaves);

/* Changes the permissions of mapped leaves. */
void stage2_relax(struct stage2 *stage2, struct leaves leaves);

/* Unmaps whole leaves; returns the tables that this emptied. */
uint64_t stage2_unmap(struct stage2 *stage2, struct leaves leaves);

/* Whether the table for small leaves around `ipa` exists. */
bool stage2_has_table(struct stage2 *stage2, uint64_t ipa);

/* How many table levels on the way to `ipa` exist, root first; 0 to
 * table_levels. */
uint32_t stage2_depth(struct stage2 *stage2, uint64_t ipa);

/* What a walk over [start, end) meets. */
struct walk_counts {
    uint64_t entries; /* entries at which it does not go on to a table: leaves and invalid ones */
    uint64_t tables; /* table entries that it goes through */
};
struct walk_counts stage2_walk(struct stage2 *stage2, uint64_t start, uint64_t end);

/* Bytes mapped in [start, end). */
uint64_t stage2_mapped(struct stage2 *stage2, uint64_t start, uint64_t end);

#endif

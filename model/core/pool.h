/*
 * pool - nodes of one size for trees and lists.
 *
 * Room for an estimate of how many there will be is made at set-up, so that
 * playing a timeline allocates nothing. Where more are needed, as races of
 * actors may need, the pool grows; nodes never move.
 */
#ifndef S2FLUSH_CORE_POOL_H
#define S2FLUSH_CORE_POOL_H

#include <stddef.h>

struct pool {
    const char *what; /* the nodes are, in the message where there is no memory */
    size_t node_bytes; /* a multiple of what the node's members are aligned to */
    size_t live; /* nodes in use */
    char *fresh; /* nodes of the newest block that were never used */
    size_t fresh_count, block_count; /* of them, of the newest block's nodes */
    struct pool_link *spare, *blocks;
};

void pool_init(struct pool *pool, size_t count, size_t node_bytes, const char *what);
void pool_free(struct pool *pool);

/* A node, not initialised. */
void *pool_take(struct pool *pool);

/* Gives one back. */
void pool_give(struct pool *pool, void *node);

#endif

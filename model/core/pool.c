#include "core/pool.h"

#include "core/alloc.h"
#include "core/invariant.h"

#include <stdlib.h>

/* Chains blocks, by their first node, which is never taken, and nodes that were given back. */
struct pool_link {
    struct pool_link *next;
};

static void add_block(struct pool *pool, size_t count)
{
    struct pool_link *block = alloc_raw(count + 1, pool->node_bytes, pool->what);
    block->next = pool->blocks;
    pool->blocks = block;
    pool->fresh = (char *)block + pool->node_bytes;
    pool->fresh_count = pool->block_count = count;
}

void pool_init(struct pool *pool, size_t count, size_t node_bytes, const char *what)
{
    INVARIANT(node_bytes >= sizeof(struct pool_link), "nodes of %zu bytes", node_bytes);
    *pool = (struct pool){.what = what, .node_bytes = node_bytes};
    add_block(pool, count > 0 ? count : 1);
}

void pool_free(struct pool *pool)
{
    for (struct pool_link *block = pool->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *pool = (struct pool){0};
}

void *pool_take(struct pool *pool)
{
    pool->live++;
    struct pool_link *spare = pool->spare;
    if (spare) {
        pool->spare = spare->next;
        return spare;
    }
    if (pool->fresh_count == 0) {
        add_block(pool, 2 * pool->block_count);
    }
    void *node = pool->fresh;
    pool->fresh += pool->node_bytes;
    pool->fresh_count--;
    return node;
}

void pool_give(struct pool *pool, void *node)
{
    struct pool_link *link = node;
    link->next = pool->spare;
    pool->spare = link;
    pool->live--;
}

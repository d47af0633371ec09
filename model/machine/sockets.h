/*
 * sockets - the sockets of a machine: each has a cache that its cores share, and
 * memory of its own.
 *
 * A page's memory is where the core that first used it is: Linux allocates it
 * there (the default memory policy, Documentation/admin-guide/mm/numa_memory_policy.rst).
 * A line is in the caches of all sockets that read it. Where it is written, the
 * others lose its page: what else they had of it counts as written back. Addresses are memory
 * addresses, pages those of cache.h.
 *
 * A machine of one socket has one cache, and all memory is its own.
 */
#ifndef S2FLUSH_MACHINE_SOCKETS_H
#define S2FLUSH_MACHINE_SOCKETS_H

#include "core/interval_map.h"
#include "machine/cache.h"

#define SOCKETS_MAX 8

struct sockets {
    uint32_t count;
    struct cache *cache[SOCKETS_MAX];
    struct interval_map home; /* memory address -> the socket of its page, plus 1 */
};

/* A range of memory, whole pages. */
struct socket_range {
    uint64_t start, end;
};

/* Sets up `count` sockets with these caches, which are the caller's. */
void sockets_init(struct sockets *sockets, uint32_t count, struct cache *const cache[],
                  struct pool *pool);

/* A socket's core reads or writes the first `density` lines of each page. Of the misses,
 * `remote` are those of another socket's memory; memory that no core has used yet is its own. */
struct touch_counts sockets_touch(struct sockets *sockets, uint32_t socket,
                                  struct socket_range range, uint32_t density, bool write);

/* The same, with every line of each page cleaned and invalidated, wherever it is, just before
 * that page is touched; `found` gets what the cleaning found. */
struct touch_counts sockets_clean_then_access(struct sockets *sockets, uint32_t socket,
                                              struct socket_range range, uint32_t density,
                                              bool write, struct line_counts *found);

/* Cleans and invalidates every line of the pages, in all caches. */
struct line_counts sockets_flush(struct sockets *sockets, struct socket_range range);

/* The first page address of [at, end) with a line in some cache; `end` where there is none. */
uint64_t sockets_next(const struct sockets *sockets, uint64_t at, uint64_t end);

/* Whether the page at an address is another socket's. */
bool sockets_far(struct sockets *sockets, uint32_t socket, uint64_t at);

/* Pages that are allocated now: they are the socket's. */
void sockets_allocate(struct sockets *sockets, uint32_t socket, struct socket_range range);

#endif

/*
 * oracle - whether a reader of guest memory can get old bytes.
 *
 * It judges by what the architecture allows, not by what one replacement
 * policy would do: a dirty line may have been written back or not; a clean copy
 * may be filled at any time while a cacheable mapping exists, and the host's
 * linear map always does; the I-cache may hold whatever was fetched or mapped
 * executable since its last invalidation. State is kept by range of memory.
 *
 * Per range:
 *   unclean    a cacheable write since the last clean: memory may be old
 *   copied     a cacheable access since the last invalidation: a copy exists
 *   alias      memory is newer than a cached copy that may exist: by a
 *              speculative fill only, or by a copy that surely was allowed
 *   lost       newer bytes in memory were or may be overwritten by an older
 *              dirty line: nobody can read them again
 *   loaded     part of what is unclean was written by another agent than the guest
 *   fetched    the I-cache may hold the range
 *   i_stale    it was rewritten by somebody else since
 *
 * A write is taken to cover its whole range, also where a touch uses only some
 * lines of each page.
 */
#ifndef S2FLUSH_MACHINE_ORACLE_H
#define S2FLUSH_MACHINE_ORACLE_H

#include "core/interval_map.h"

enum reader {
    READER_GUEST_OFF, /* guest data, MMU off */
    READER_GUEST_ON, /* guest data, MMU on */
    READER_FETCH, /* guest instruction fetch */
    READER_HOST, /* the VMM and the host kernel, through cacheable mappings */
    READER_DEVICE, /* a coherent device */
    READERS
};

enum outcome { NOT_READ, COHERENT, ONLY_IF, STALE };

/* What an only-if verdict leans on. */
#define CONDITION_NO_FILL 1u /* no speculative fill between the flush and the write */
#define CONDITION_ANONYMOUS 2u /* the memory is anonymous: nothing reads it as a file */

struct verdict {
    enum outcome outcome;
    uint64_t lines_read;
    uint64_t lines_stale; /* lines that may be old */
    uint64_t lines_conditional; /* lines that are right only under the conditions */
    unsigned conditions;
};

struct oracle {
    struct interval_map state;
    uint64_t line_bytes;
    bool dic; /* the I-cache follows writes by itself */
    bool judging; /* reads count: from the first re-init on */
    struct verdict verdict[READERS];
};

/* How an access reaches memory. */
enum path {
    PATH_CACHED, /* through the caches: MMU on, or FWB, or the host */
    PATH_UNCACHED, /* past them: guest with its MMU off and no FWB, mismatched host mapping */
};

extern const char *const reader_name[READERS];
extern const char *const outcome_name[];

/* `max_runs` bounds the ranges in different states. */
void oracle_init(struct oracle *oracle, struct pool *pool, uint64_t line_bytes, bool dic);

/* [start, end) was written, by the guest itself or by another agent (the VMM,
 * a device): only another agent's write makes the I-cache's copy stale, the
 * guest looks after its own. */
void oracle_write(struct oracle *oracle, uint64_t start, uint64_t end, enum path path,
                  bool by_guest);

/* [start, end) was read, of which `lines` lines count in the verdict. */
void oracle_read(struct oracle *oracle, uint64_t start, uint64_t end, uint64_t lines,
                 enum reader reader, enum path path);

/* Memory behind a file is shared with others, who read it when they like, whether a
 * workload says so or not: the host, through the page cache, and a device that writes it
 * to a disk. Judged as if they read [start, end) now; `cleaned`: the kernel takes the
 * mapping from the guest first, and that cleans. */
void oracle_shared(struct oracle *oracle, uint64_t start, uint64_t end, bool cleaned);

/* The range became executable in stage 2: the I-cache may fetch it ahead. */
void oracle_executable(struct oracle *oracle, uint64_t start, uint64_t end);

/* Clean+invalidate to the point of coherency. */
void oracle_flush(struct oracle *oracle, uint64_t start, uint64_t end);

/* I-cache invalidation of a range. */
void oracle_icache(struct oracle *oracle, uint64_t start, uint64_t end);

/* The host gave the range's pages up: whoever comes next gets fresh ones. */
void oracle_forget(struct oracle *oracle, uint64_t start, uint64_t end);

/* The first part of [start, end) that was written through the caches since it
 * was last cleaned: what a complete record of all writes would tell, or
 * (`loaded`) one of the VMM's and the host's only. False where there is none. */
bool oracle_unclean(struct oracle *oracle, uint64_t start, uint64_t end, bool loaded,
                    uint64_t *from, uint64_t *to);

/* The worst over all readers that read anything. */
enum outcome oracle_worst(const struct oracle *oracle);

#endif

/*
 * host - how the host backs guest memory: what its page tables hold for each
 * range of a slot, and what a guest's or the VMM's access does to that.
 *
 * Addresses are places in the VMM's memory ("hva"), on one line of numbers for
 * all slots of a VM. The rules are those of Linux' anonymous, huge and shared
 * memory as the recorded counts show them, with versions as switches.
 */
#ifndef S2FLUSH_VM_HOST_H
#define S2FLUSH_VM_HOST_H

#include "core/interval_map.h"
#include "vm/backing.h"

/* What the host's page tables hold for a range. */
enum host_state {
    HOST_EMPTY, /* nothing, and no table: a huge page could go here */
    HOST_TABLE, /* nothing, but a table of small pages is in place */
    HOST_ZERO, /* the zero page, read-only */
    HOST_HUGE_ZERO, /* the huge zero page, read-only */
    HOST_SMALL, /* pages of its own, small */
    HOST_HUGE, /* pages of its own, huge */
    HOST_HUGE_READ, /* a private hugetlb page that was only read: still read-only */
};

/* How a host kernel treats a write to its huge zero page. */
enum huge_zero_write {
    HUGE_ZERO_SPLITS, /* the block becomes 512 small mappings, one is copied */
    HUGE_ZERO_ALLOCATES, /* a huge page takes its place */
};

/* A stretch of host memory with one backing: a slot's, or part of one. */
struct host_area {
    uint64_t start, end;
    enum backing backing;
    uint64_t page_bytes; /* the granule */
    uint64_t block_bytes; /* what a huge page covers */
};

struct host_range {
    uint64_t start, end;
};

/* What one access led to. */
struct host_access {
    uint64_t start, end; /* [start, end) around the address has one host mapping each `unit` */
    uint64_t unit_bytes; /* the size of the host's mapping there */
    bool writable; /* the host's mapping lets the guest write */
    uint64_t fresh_bytes; /* of [start, end), allocated and cleared by this access */
    uint32_t notified; /* ranges that MMU notifiers invalidated first, in order */
    struct host_range notify[2];
    bool replaced; /* a page took the zero page's place (change_pte) */
};

struct host {
    struct interval_map state; /* hva -> enum host_state */
    enum huge_zero_write huge_zero_write;
};

void host_init(struct host *host, struct pool *pool, enum huge_zero_write huge_zero_write);

/* An access by the guest (through KVM) or the VMM at `at`, within `area`. Takes
 * as many units from `at` on as lead to the very same outcome, at most up to
 * `limit` (one unit at least). A write to a zero page covers one page. */
struct host_access host_touch(struct host *host, const struct host_area *area, uint64_t at,
                              uint64_t limit, bool write);

/* madvise(MADV_DONTNEED), or a hole punched into shared memory. */
void host_drop(struct host *host, const struct host_area *area, uint64_t start, uint64_t end);

#endif

/*
 * memory - the memory system that all actors share: each socket's cache with what
 * is in it, what a reader may see, the maintenance path, the DVM path and the path
 * on which fresh pages are cleared.
 *
 * The kernel's code (model/kvm) decides when something is cleaned, dropped or
 * invalidated; these functions charge it. Those marked (request) end a step:
 * the actor goes on when the shared resource has done its part.
 *
 * Addresses are memory addresses: a VM's place on the host's line of numbers.
 */
#ifndef S2FLUSH_MACHINE_MEMORY_H
#define S2FLUSH_MACHINE_MEMORY_H

#include "core/resource.h"
#include "machine/events.h"
#include "machine/oracle.h"
#include "machine/platform.h"
#include "machine/sockets.h"

struct memory {
    const struct platform *platform;
    const double *value; /* [COSTS], the values in force */
    struct sockets sockets;
    struct oracle oracle;
    struct flow cmo_path, zero_path;
    struct server dvm;
    /* What each actor fetches at the moment: a line on its way from memory comes no
     * sooner for whoever else asks for it. */
    struct fetch {
        uint64_t start, end;
        ps_t from, until;
    } * fetching; /* [actors] */
    uint8_t *socket; /* [actors], whose cores they run on; the first one's, unless it is set */
    uint32_t actors;
    uint64_t past_bytes; /* of an access past the caches: nothing puts several together; a line,
                            unless it is set */
    uint64_t invalidations; /* of TLBs so far, */
    uint64_t invalidated_all; /* and of them those that drop all of a VMID, stage 2's as well */
    bool third_broadcast; /* the kernel works around erratum 4118414 of this CPU */
    struct lines_seen {
        struct line_counts found; /* by all clean+invalidates so far */
        uint64_t evicted_dirty;
    } seen;
};

/* Sets the memory system up for an engine whose actors use it, with a cache for each socket. */
void memory_init(struct memory *memory, const struct platform *platform, const double *value,
                 struct cache *const cache[], struct pool *pool, struct engine *engine);
void memory_free(struct memory *memory);

/* Clean+invalidate of [start, end) as `ranges` maintenance loops, each with its
 * DSB (request). */
void memory_clean(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                  uint64_t ranges);

/* Whether lines of some state fill the path to memory by one core alone. What waits for the path
 * then hangs on which lines come together, and a clean of many ranges may take less than
 * theirs one by one. */
bool memory_clean_fills_path(const struct actor *actor, const struct memory *memory);

/* How many bytes from `start` on have none of their lines in a cache, in units of so many; one
 * unit at least. */
uint64_t memory_alike(const struct memory *memory, uint64_t start, uint64_t end, uint64_t unit);

/* The same as `commands` to the caches, each for a physical range. No machine of the
 * data folder is known to have them: HiSilicon's HHA driver has such a command, and Arm
 * posted an SMCCC provider of it (20260602082145.404939-3-smadhavan@nvidia.com). */
void memory_clean_by_range(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                           uint64_t commands);

/* `calls` range invalidations of the I-cache that cover [start, end), by the kernel's own
 * addresses. */
void memory_icache_range(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                         uint64_t calls);

/* `calls` invalidations of the whole I-cache; [start, end) bounds the guest
 * memory that it may hold. */
void memory_icache_all(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                       uint64_t calls);

/* Maintenance of [start, end) by a guest or by host software that is not KVM, a loop or a part of
 * one (request), which a DSB is to follow or none. What a clean leaves in the caches is taken to
 * go; DC CVAU costs what a clean line costs, and nothing with IDC (assumed). */
void memory_maintain(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                     enum maintenance maintenance, bool dsb);

/* The time of the DSB at the end of the whole loop. */
void memory_maintain_end(struct actor *actor, const struct memory *memory,
                         enum maintenance maintenance);

/* n broadcast TLB invalidations of a kind (request). One core's own go one after another. Cores
 * take turns at the DVM path, which is free again before a sequence is over (tlbi_path_ratio).
 * With ACE a component, and so the interconnect, has one DVM synchronisation under way at a time
 * (Arm IHI 0022; read in the checks of a verification component, not in the specification), and
 * with 32 cores of an eMAG sending "latency increases almost linearly with the number of CPUs
 * trying to send" (A. Arcangeli, 20200223192520.20808-4-aarcange@redhat.com). That meshes of
 * every make do so is assumed. With nVHE each needs a call to EL2 first. */
void memory_tlbi(struct actor *actor, struct memory *memory, enum event_kind kind, uint64_t n);

/* The same by `calls` invalidations of ranges, which together take so many range
 * instructions and so many for single pages (request). */
void memory_tlbi_ranges(struct actor *actor, struct memory *memory, uint64_t calls, uint64_t ranges,
                        uint64_t singles);

/* n TLB invalidations of the actor's own core. No other core has to do with them, but
 * with nVHE they call EL2, too. */
void memory_tlbi_local(struct actor *actor, struct memory *memory, uint64_t n);

/* The host clears fresh pages (request), which end up in the cache, dirty: all
 * but those in [skip_start, skip_end), of which each is cleaned before the next one
 * is cleared. memory_clean_each takes their turn at the cache. */
void memory_zero(struct actor *actor, struct memory *memory, uint64_t start, uint64_t end,
                 uint64_t skip_start, uint64_t skip_end);

/* An access of the guest, the VMM or a device to [start, end). */
struct access {
    uint64_t start, end;
    uint32_t density; /* lines used of each 4 KiB; at most all */
    bool write;
    enum path path; /* of a device: cached where it is coherent */
    enum reader reader; /* as whom a read is judged; a write of READER_HOST or
                           READER_DEVICE counts as another agent's */
    const struct touch_counts *met; /* what it met in the cache where it has been there
                                       already; NULL: it has not */
};

/* Books an access: lines found and fetched, accesses past the caches, and what
 * the oracle must know. The guest's time is charged, the VMM's is not: its
 * bytes are charged where it copies. */
void memory_access(struct actor *actor, struct memory *memory, const struct access *access);

/* As memory_clean of [start, end) in so many ranges, for pages of which each is
 * cleaned and then accessed before the next one is (request). Returns what the
 * access, a part of the range, met in the cache: for memory_access, later.
 * With `fresh_unit` memory_zero cleared them, so many bytes at a time and no
 * more than there are, and left them to this. */
struct touch_counts memory_clean_each(struct actor *actor, struct memory *memory, uint64_t start,
                                      uint64_t end, uint64_t ranges, uint64_t fresh_unit,
                                      const struct access *access);

#endif

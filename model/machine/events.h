/*
 * events - every kind of event that a simulation charges, in one table.
 *
 * Kinds that real KVM was counted for bear the names of those counts. A row is
 * X(name, title for people, unit, group). The price of one event follows from
 * the platform in price.c; kinds of group TALLY are free: they are counted
 * because a kernel counts them, their time is in other kinds.
 */
#ifndef S2FLUSH_MACHINE_EVENTS_H
#define S2FLUSH_MACHINE_EVENTS_H

#include <stdint.h>

#define EVENT_TABLE(X)                                                                   \
    /* stage-2 aborts, by what the guest did and why it faulted */                       \
    X(data_tr_w, "write translation faults", "faults", TALLY)                            \
    X(data_tr_r, "read translation faults", "faults", TALLY)                             \
    X(data_tr_x, "fetch translation faults", "faults", TALLY)                            \
    X(data_perm_w, "write permission faults", "faults", TALLY)                           \
    X(data_perm_x, "fetch permission faults", "faults", TALLY)                           \
    X(code_faults, "faults in the code slot", "faults", TALLY)                           \
    X(mmio_exits, "accesses outside every slot", "exits", TALLY)                         \
    X(lost_maps, "map calls that found the leaf in place", "calls", FAULT)               \
    X(fault_retries, "faults in vain, for another vCPU or the host", "faults", TALLY)    \
    X(exits, "traps to the host and back", "exits", FAULT)                               \
    X(user_exits, "returns to the VMM and back", "exits", FAULT)                         \
    X(fault_path, "software path of a translation fault", "faults", FAULT)               \
    X(block_path, "further software path of a 2 MiB or larger leaf", "leaves", FAULT)    \
    X(perm_path, "software path of a permission fault", "faults", FAULT)                 \
    X(host_alloc, "host pages allocated", "pages", FAULT)                                \
    X(host_zap, "host pages given back", "pages", UNMAP)                                 \
    X(host_zap_huge, "huge host pages given back", "pages", UNMAP)                       \
    X(host_zap_hugetlb, "huge host pages given back to their pool", "pages", UNMAP)      \
    X(zero_bytes, "KiB of fresh pages cleared by the host", "KiB", FAULT)                \
    /* stage-2 tables */                                                                 \
    X(map_calls, "stage-2 map calls", "calls", FAULT)                                    \
    X(map_4k, "4 KiB leaves mapped (the granule)", "leaves", TALLY)                      \
    X(map_2m, "2 MiB leaves mapped (the granule's block)", "leaves", TALLY)              \
    X(map_1g, "1 GiB leaves mapped", "leaves", TALLY)                                    \
    X(map_bytes, "bytes mapped", "bytes", TALLY)                                         \
    X(relax_calls, "permission relaxations", "calls", FAULT)                             \
    X(s2_tables_alloc, "stage-2 table pages taken", "pages", FAULT)                      \
    X(s2_tables_free, "stage-2 table pages freed", "pages", UNMAP)                       \
    X(walk_map, "entries visited by map walks", "entries", TALLY)                        \
    X(walk_unmap, "entries visited by unmap walks", "entries", UNMAP)                    \
    X(walk_flush, "entries visited by flush walks", "entries", FLUSH)                    \
    X(unmap_calls, "unmap range calls", "calls", TALLY)                                  \
    X(unmap_leaves, "leaves unmapped", "leaves", UNMAP)                                  \
    X(unmap_bytes, "bytes unmapped", "bytes", TALLY)                                     \
    X(unmap_vm_calls, "whole-VM unmaps", "calls", UNMAP)                                 \
    X(flush_calls, "flush range calls", "calls", TALLY)                                  \
    X(flush_leaves, "leaves flushed", "leaves", FLUSH)                                   \
    X(flush_bytes, "bytes flushed", "bytes", TALLY)                                      \
    X(flush_vm_calls, "whole-VM flushes", "calls", TALLY)                                \
    X(gfn_unmap, "MMU-notifier unmaps", "calls", TALLY)                                  \
    X(set_spte, "MMU-notifier page replacements", "calls", TALLY)                        \
    X(wrprotect_leaves, "leaves write-protected", "leaves", UNMAP)                       \
    X(collapsed_leaves, "small leaves that a block replaced", "leaves", UNMAP)           \
    X(reinits, "vCPU re-initialisations", "calls", UNMAP)                                \
    /* caches */                                                                         \
    X(cmo_op_calls, "calls of the cache-clean callback", "calls", TALLY)                 \
    X(cmo_calls, "clean+invalidate ranges, each with its DSB", "ranges", LINES)          \
    X(line_absent, "DC CIVAC of absent lines", "lines", LINES)                           \
    X(line_clean, "DC CIVAC of clean lines", "lines", LINES)                             \
    X(line_dirty, "DC CIVAC of dirty lines", "lines", LINES)                             \
    X(writeback_bytes, "bytes written back", "bytes", TALLY)                             \
    X(icache_calls, "range I-cache invalidations", "ranges", TALLY)                      \
    X(icache_lines, "IC IVAU", "lines", ICACHE)                                          \
    X(ic_ialluis, "whole I-cache invalidations", "calls", ICACHE)                        \
    /* TLBs */                                                                           \
    X(tlbi_calls, "per-address TLB invalidation sequences", "sequences", TLBI)           \
    X(tlbi_local, "the same, of one core", "sequences", TLBI)                            \
    X(tlbi_table, "of them for freed tables", "sequences", TALLY)                        \
    X(tlbi_range, "range TLB invalidations", "sequences", TLBI)                          \
    X(tlbi_vmid, "whole-VMID TLB invalidations", "sequences", TLBI)                      \
    X(hyp_calls, "calls from the host to EL2", "calls", TLBI)                            \
    X(walk_reads, "table reads of the hardware walker", "reads", GUEST)                  \
    /* traps */                                                                          \
    X(toggle_traps, "trapped VM-register writes", "traps", TRAP)                         \
    X(setway_traps, "trapped set/way operations", "traps", TRAP)                         \
    /* the guest, the VMM */                                                             \
    X(guest_insns, "guest instructions", "insns", GUEST)                                 \
    X(guest_hits, "guest lines found in a cache", "lines", GUEST)                        \
    X(guest_misses, "guest lines fetched from memory", "lines", GUEST)                   \
    X(uncached, "guest accesses past the caches", "accesses", UNCACHED)                  \
    X(vmm_bytes, "KiB written by the VMM", "KiB", VMM)                                   \
    X(compute_ps, "time given by the workload", "ps", GUEST)                             \
    X(lock_handovers, "contended lock hand-overs", "hand-overs", FAULT)                  \
    X(lock_updates, "readers' updates of a lock that others read too", "updates", FAULT) \
    X(line_moves, "lines under mmu_lock that another core had last", "lines", FAULT)     \
    X(lock_yields, "mmu_lock given up and taken again at a chunk's end", "times", UNMAP)

enum event_kind {
#define EVENT_ENUM(name, title, unit, group) EV_##name,
    EVENT_TABLE(EVENT_ENUM)
#undef EVENT_ENUM
        EVENT_KINDS
};

/* What a kind belongs to when time is shown by cause. */
enum event_group {
    GROUP_TALLY,
    GROUP_FAULT,
    GROUP_UNMAP,
    GROUP_FLUSH,
    GROUP_LINES,
    GROUP_ICACHE,
    GROUP_TLBI,
    GROUP_TRAP,
    GROUP_GUEST,
    GROUP_UNCACHED,
    GROUP_VMM,
    GROUPS
};

/* Where in the kernel (or outside of it) an event happens. */
enum site {
    SITE_GUEST, /* the guest itself */
    SITE_FAULT, /* a stage-2 fault */
    SITE_REINIT, /* KVM_ARM_VCPU_INIT */
    SITE_FLUSH, /* the eager flush of a strategy */
    SITE_TOGGLE, /* the flush at MMU on or off */
    SITE_SETWAY, /* the flush for set/way operations */
    SITE_NOTIFIER, /* MMU notifiers: drop, copy on write */
    SITE_SLOT, /* memory slots deleted, dirty logging switched */
    SITE_VMM, /* the VMM's own work */
    SITES
};

/* What actors wait for. */
enum resource_id {
    RESOURCE_MMU_LOCK,
    RESOURCE_CMO_PATH,
    RESOURCE_DVM,
    RESOURCE_ZERO_PATH,
    RESOURCE_HUGETLB,
    RESOURCE_LOCK_LINE,
    RESOURCES
};

extern const char *const event_name[EVENT_KINDS];
extern const char *const event_title[EVENT_KINDS];
extern const char *const event_unit[EVENT_KINDS];
extern const enum event_group event_group[EVENT_KINDS];
extern const char *const group_name[GROUPS];
extern const char *const site_name[SITES];
extern const char *const resource_name[RESOURCES];

#endif

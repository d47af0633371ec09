/*
 * events - every kind of event that a simulation charges, in one table.
 *
 * Kinds that real KVM was counted for bear the names of those counts. A row is all there is to
 * know of a kind:
 *
 *   X(name, title for people, unit, part, sum, misfit, price)
 *
 *   part    what its time counts for (PART_TABLE), or BY_SITE_: what the site says
 *   sum     what it is counted in (SUM_TABLE), or none
 *   misfit  which of the model's errors its price has (machine/misfit.h), or exact
 *   price   ns of one event: COST(x) is the platform's, PATH the kernel's own instructions
 *           (kvm/paths.c), the other words are in price.c
 *
 * Kinds that are FREE are tallies: counted because a kernel counts them, their time is in other
 * kinds.
 */
#ifndef S2FLUSH_MACHINE_EVENTS_H
#define S2FLUSH_MACHINE_EVENTS_H

#include <stdint.h>

#define EVENT_TABLE(X)                                                                             \
    /* stage-2 aborts, by what the guest did and why it faulted */                                 \
    X(data_tr_w, "write translation faults", "faults", other, faults, exact, FREE)                 \
    X(data_tr_r, "read translation faults", "faults", other, faults, exact, FREE)                  \
    X(data_tr_x, "fetch translation faults", "faults", other, faults, exact, FREE)                 \
    X(data_perm_w, "write permission faults", "faults", other, faults, exact, FREE)                \
    X(data_perm_x, "fetch permission faults", "faults", other, faults, exact, FREE)                \
    X(code_faults, "faults in the code slot", "faults", other, faults, exact, FREE)                \
    X(mmio_exits, "accesses outside every slot", "exits", other, none, exact, FREE)                \
    X(lost_maps, "map calls that found the leaf in place", "calls", fault_path, none, path, PATH)  \
    X(fault_retries, "retried faults, for another vCPU or the host", "faults", other, none, exact, \
      FREE)                                                                                        \
    X(exits, "traps to the host and back", "exits", fault_path, none, path, COST(exit_ns))         \
    X(user_exits, "returns to the VMM and back", "exits", fault_path, none, path, PATH)            \
    X(fault_path, "software path of a translation fault", "faults", fault_path, none, path, PATH)  \
    X(block_path, "further software path of a 2 MiB or larger leaf", "leaves", fault_path, none,   \
      path, PATH)                                                                                  \
    X(perm_path, "software path of a permission fault", "faults", fault_path, none, path, PATH)    \
    X(host_alloc, "host pages allocated", "pages", fault_path, none, path, PATH)                   \
    X(host_zap, "host pages given back", "pages", unmap_path, none, path, PATH)                    \
    X(host_zap_huge, "huge host pages given back", "pages", unmap_path, none, path, PATH)          \
    X(host_zap_hugetlb, "huge host pages given back to their pool", "pages", unmap_path, none,     \
      path, PATH)                                                                                  \
    X(host_lines, "lines of the host's own data and code, last used long ago", "lines",            \
      unmap_path, none, access, COST(memory_ns))                                                   \
    X(host_tlbi, "TLB invalidations of the host's own mappings", "broadcasts", unmap_path, none,   \
      tlbi, COST(tlbi_ns) / 2)                                                                     \
    X(zero_bytes, "KiB of fresh pages cleared by the host", "KiB", fault_path, none, access,       \
      KIB_AT(zero_gbps))                                                                           \
    /* stage-2 tables */                                                                           \
    X(map_calls, "stage-2 map calls", "calls", fault_path, none, path, PATH)                       \
    X(map_4k, "4 KiB leaves mapped (the granule)", "leaves", other, leaves, exact, FREE)           \
    X(map_2m, "2 MiB leaves mapped (the granule's block)", "leaves", other, leaves, exact, FREE)   \
    X(map_1g, "1 GiB leaves mapped", "leaves", other, leaves, exact, FREE)                         \
    X(map_bytes, "bytes mapped", "bytes", other, none, exact, FREE)                                \
    X(relax_calls, "permission relaxations", "calls", fault_path, leaves, path, PATH)              \
    X(s2_tables_alloc, "stage-2 table pages taken", "pages", fault_path, tables, path, PATH)       \
    X(s2_tables_free, "stage-2 table pages freed", "pages", unmap_path, tables, path, PATH)        \
    X(walk_map, "entries visited by map walks", "entries", other, none, exact, FREE)               \
    X(walk_unmap, "entries visited by unmap walks", "entries", unmap_path, none, path, PATH)       \
    X(walk_flush, "entries visited by flush walks", "entries", flush_path, none, path, PATH)       \
    X(unmap_calls, "unmap range calls", "calls", other, none, exact, FREE)                         \
    X(unmap_leaves, "leaves unmapped", "leaves", unmap_path, leaves, path, PATH)                   \
    X(unmap_bytes, "bytes unmapped", "bytes", other, none, exact, FREE)                            \
    X(unmap_vm_calls, "whole-VM unmaps", "calls", unmap_path, none, path, PATH)                    \
    X(flush_calls, "flush range calls", "calls", other, none, exact, FREE)                         \
    X(flush_leaves, "leaves flushed", "leaves", flush_path, leaves, path, PATH)                    \
    X(flush_bytes, "bytes flushed", "bytes", other, none, exact, FREE)                             \
    X(flush_vm_calls, "whole-VM flushes", "calls", other, none, exact, FREE)                       \
    X(gfn_unmap, "MMU-notifier unmaps", "calls", other, none, exact, FREE)                         \
    X(set_spte, "MMU-notifier page replacements", "calls", other, none, exact, FREE)               \
    X(wrprotect_leaves, "leaves write-protected", "leaves", unmap_path, none, path, PATH)          \
    X(collapsed_leaves, "small leaves that a block replaced", "leaves", unmap_path, none, path,    \
      PATH)                                                                                        \
    X(reinits, "vCPU re-initialisations", "calls", unmap_path, reinits, path, PATH)                \
    /* the VM itself */                                                                            \
    X(slot_changes, "memory slots added or with other flags", "calls", unmap_path, none, path,     \
      PATH)                                                                                        \
    X(slot_deletes, "memory slots deleted", "calls", unmap_path, none, path, PATH)                 \
    X(vm_ends, "VMs that end", "VMs", unmap_path, none, path, PATH)                                \
    X(vm_end_cpus, "host CPUs that a VM's end goes through", "CPUs", unmap_path, none, path, PATH) \
    X(vcpu_ends, "vCPUs that end with their VM", "vCPUs", unmap_path, none, path, PATH)            \
    X(vm_makes, "VMs made", "VMs", unmap_path, none, path, PATH)                                   \
    X(vcpu_makes, "vCPUs made", "vCPUs", unmap_path, none, path, PATH)                             \
    /* caches */                                                                                   \
    X(cmo_op_calls, "calls of the cache-clean callback", "calls", other, none, exact, FREE)        \
    X(cmo_calls, "clean+invalidate ranges, each with its DSB", "ranges", BY_SITE_LINES, none,      \
      lines, COST(dsb_ns))                                                                         \
    X(line_absent, "DC CIVAC of absent lines", "lines", BY_SITE_LINES, lines, lines,               \
      COST(dc_absent_ns))                                                                          \
    X(line_clean, "DC CIVAC of clean lines", "lines", BY_SITE_LINES, lines, lines,                 \
      COST(dc_absent_ns) * COST(dc_clean_ratio))                                                   \
    X(line_dirty, "DC CIVAC of dirty lines", "lines", BY_SITE_LINES, lines, lines,                 \
      COST(dc_absent_ns) * COST(dc_clean_ratio) * COST(dc_dirty_ratio))                            \
    X(range_cmo_calls, "clean+invalidate commands by physical range", "commands", BY_SITE_LINES,   \
      none, lines, COST(range_cmo_ns))                                                             \
    X(range_cmo_kib, "KiB that these cover", "KiB", BY_SITE_LINES, none, lines,                    \
      KIB_AT(range_cmo_gbps))                                                                      \
    X(writeback_bytes, "bytes written back", "bytes", other, writeback_bytes, exact, FREE)         \
    X(icache_calls, "range I-cache invalidations", "ranges", other, none, exact, FREE)             \
    X(icache_lines, "IC IVAU", "lines", icache, none, lines, COST(ic_line_ns))                     \
    X(ic_ialluis, "whole I-cache invalidations", "calls", icache, none, lines,                     \
      WITHOUT_DIC(COST(ic_all_ns)))                                                                \
    /* TLBs */                                                                                     \
    X(tlbi_calls, "per-address TLB invalidation sequences", "sequences", tlbi, tlbi, tlbi,         \
      COST(tlbi_ns))                                                                               \
    X(tlbi_local, "the same, of one core", "sequences", tlbi, tlbi, tlbi, COST(tlbi_local_ns))     \
    X(tlbi_table, "of them for freed tables", "sequences", other, none, exact, FREE)               \
    X(tlbi_range, "range TLB invalidations", "sequences", tlbi, tlbi, tlbi, COST(tlbi_range_ns))   \
    X(tlbi_vmid, "whole-VMID TLB invalidations", "sequences", tlbi, tlbi, tlbi, COST(tlbi_ns))     \
    X(tlbi_third, "third broadcasts of an invalidation, for erratum 4118414", "broadcasts", tlbi,  \
      none, tlbi, COST(tlbi_ns) / 2)                                                               \
    X(hyp_calls, "calls from the host to EL2", "calls", tlbi, none, tlbi, COST(hvc_ns))            \
    X(walk_reads, "table reads of the hardware walker", "reads", walks, none, path,                \
      COST(walk_read_ns))                                                                          \
    /* traps */                                                                                    \
    X(toggle_traps, "trapped VM-register writes", "traps", traps, traps, path,                     \
      COST(exit_ns) + PATH)                                                                        \
    X(setway_traps, "trapped set/way operations", "traps", traps, traps, path,                     \
      COST(exit_ns) + PATH)                                                                        \
    /* the guest, the VMM */                                                                       \
    X(guest_insns, "guest instructions", "insns", other, none, access,                             \
      COST(guest_cpi) / CLOCK_GHZ)                                                                 \
    X(guest_hits, "guest lines found in a cache", "lines", refetch, none, exact, FREE)             \
    X(guest_misses, "guest lines fetched from memory", "lines", refetch, none, access,             \
      COST(memory_ns) / COST(overlap))                                                             \
    X(guest_remote, "guest lines fetched from another socket's memory", "lines", refetch, none,    \
      access, COST(memory_ns) / COST(overlap) * COST(remote_ratio))                                \
    X(uncached, "guest accesses past the caches", "accesses", uncached, none, access,              \
      COST(uncached_ns))                                                                           \
    X(vmm_bytes, "KiB written by the VMM", "KiB", other, filled_kib, access, KIB_AT(copy_gbps))    \
    X(compute_ps, "time given by the workload", "ps", other, none, exact, 1.0 / (double)PS_PER_NS) \
    X(lock_handovers, "contended lock hand-overs", "hand-overs", fault_path, none, wait,           \
      COST(lock_handover_ns))                                                                      \
    X(lock_updates, "readers' updates of a lock that others read too", "updates", fault_path,      \
      none, wait, COST(line_move_ns))                                                              \
    X(line_moves, "lines under mmu_lock that another core had last", "lines", fault_path, none,    \
      wait, COST(line_move_ns))                                                                    \
    X(lock_yields, "mmu_lock given up and taken again at a chunk's end", "times", BY_SITE_WALK,    \
      none, wait, 2 * COST(line_move_ns))

/* Where time goes: X(with, name, help), each also a metric of the added boot time. `other` is
 * what has no part of its own. */
#define PART_TABLE(X, with)                                                     \
    X(with, lines_unmap, "clean+invalidate of what is unmapped, with its DSBs") \
    X(with, lines_fault, "clean+invalidate at stage-2 faults")                  \
    X(with, lines_flush, "clean+invalidate by the strategy's own flush")        \
    X(with, lines_toggle, "clean+invalidate at MMU on or off and for set/way")  \
    X(with, tlbi, "TLB invalidation")                                           \
    X(with, fault_path, "exits and software of stage-2 faults, table pages")    \
    X(with, unmap_path, "re-init and unmap software")                           \
    X(with, flush_path, "walks of the flushes, chunks that end")                \
    X(with, icache, "I-cache invalidation")                                     \
    X(with, refetch, "guest lines fetched from memory again")                   \
    X(with, uncached, "guest accesses past the caches, MMU off")                \
    X(with, traps, "trapped register writes and set/way operations")            \
    X(with, walks, "table reads of the hardware walker")                        \
    X(with, other, "all other events")

/* Sums of events that are metrics (study/metrics.h) or shown beside each slice of a run over time.
 * `none` is the first. */
#define SUM_TABLE(X) \
    X(none)          \
    X(faults)        \
    X(leaves)        \
    X(lines)         \
    X(tlbi)          \
    X(tables)        \
    X(traps)         \
    X(reinits)       \
    X(filled_kib)    \
    X(writeback_bytes)

/* Where in the kernel (or outside of it) an event happens: X(site, name, title for people,
 * part of line maintenance there, part of walks there). */
#define SITE_TABLE(X)                                                               \
    X(GUEST, "guest", "guest", lines_unmap, flush_path)                             \
    X(FAULT, "fault", "stage-2 fault", lines_fault, flush_path)                     \
    X(REINIT, "reinit", "re-init", lines_unmap, unmap_path) /* KVM_ARM_VCPU_INIT */ \
    X(FLUSH, "flush", "eager flush", lines_flush, flush_path) /* a strategy's */    \
    X(TOGGLE, "toggle", "flush at MMU on/off", lines_toggle, flush_path)            \
    X(SETWAY, "setway", "flush for set/way", lines_toggle, flush_path)              \
    X(NOTIFIER, "notifier", "MMU notifier", lines_unmap, flush_path)                \
    /* slots deleted, dirty logging switched */                                     \
    X(SLOT, "slot", "memory slots", lines_unmap, flush_path)                        \
    X(VMM, "vmm", "VMM", lines_unmap, flush_path)

/* What actors wait for: X(resource, name, title for people of the wait). */
#define RESOURCE_TABLE(X)                                      \
    X(MMU_LOCK, "mmu_lock", "waits for mmu_lock")              \
    X(CMO_PATH, "cmo_path", "waits for the maintenance path")  \
    X(DVM, "dvm", "waits for TLB invalidation")                \
    X(ZERO_PATH, "zero_path", "waits for the clearing path")   \
    X(HUGETLB, "hugetlb_mutex", "waits for the hugetlb mutex") \
    X(LOCK_LINE, "lock_lines", "waits for a lock's cache line")

enum event_kind {
#define EVENT_ENUM(name, title, unit, part, sum, misfit, price) EV_##name,
    EVENT_TABLE(EVENT_ENUM)
#undef EVENT_ENUM
        EVENT_KINDS
};

enum part_id {
#define PART_ENUM(with, name, help) PART_##name,
    PART_TABLE(PART_ENUM, )
#undef PART_ENUM
        PARTS,
    PART_BY_SITE_LINES, /* in a row of events: the part that its site says */
    PART_BY_SITE_WALK,
};

enum event_sum {
#define SUM_ENUM(name) SUM_##name,
    SUM_TABLE(SUM_ENUM)
#undef SUM_ENUM
        SUMS
};

enum site {
#define SITE_ENUM(site, name, title, lines, walk) SITE_##site,
    SITE_TABLE(SITE_ENUM)
#undef SITE_ENUM
        SITES
};

enum resource_id {
#define RESOURCE_ENUM(resource, name, title) RESOURCE_##resource,
    RESOURCE_TABLE(RESOURCE_ENUM)
#undef RESOURCE_ENUM
        RESOURCES
};

extern const char *const event_name[EVENT_KINDS];
extern const char *const event_title[EVENT_KINDS];
extern const char *const event_unit[EVENT_KINDS];
extern const uint8_t event_sum[EVENT_KINDS]; /* enum event_sum */
extern const char *const sum_name[SUMS];
extern const char *const part_name[PARTS];
extern const char *const site_name[SITES];
extern const char *const site_title[SITES];
extern const char *const resource_name[RESOURCES];
extern const char *const resource_title[RESOURCES];

/* What an event counts for where time is shown by cause. */
enum part_id event_part(enum event_kind kind, enum site site);

#endif

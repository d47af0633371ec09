/*
 * The kernel's events that make up the table's columns.
 */
#ifndef PROBE_EVENTS_H
#define PROBE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The table's count columns, in its order. */
/* clang-format off */
#define EVENTS_COLUMNS(X) \
    X(s2_faults) X(cmo_calls) X(cmo_lines) X(tlbi_calls) X(icache_calls) X(map_calls) \
    X(unmap_calls) X(data_faults) X(data_tr_w) X(data_tr_r) X(data_perm_w) X(data_other) \
    X(code_faults) X(mmio_exits) X(cmo_op_calls) X(icache_lines) X(ic_ialluis) X(tlbi_table) \
    X(tlbi_vmid) X(map_4k) X(map_2m) X(relax_calls) X(unmap_vm_calls) X(flush_calls) \
    X(flush_vm_calls) X(setway_traps) X(toggle_traps) X(gfn_unmap) X(set_spte) \
    X(s2_tables_alloc) X(walk_map) X(walk_unmap) X(walk_flush) X(tlbi_range) \
    X(insns_kernel_bare)
/* clang-format on */

enum count {
#define X(name) COUNT_##name,
    EVENTS_COLUMNS(X)
#undef X
        COUNTS
};

/* Sums since the start; negative: not recorded. */
struct counts {
    int64_t at[COUNTS];
    uint64_t lost; /* hits that the kernel did not count */
    uint64_t unsure; /* range invalidations whose instructions can't be told */
};

extern const char *const count_names[COUNTS];

/* Puts all probes into the kernel. What this kernel doesn't have leaves its columns
 * empty and is named on standard error. */
void events_open(void);

/* Where TLB maintenance is executed at EL2 no probe reaches it (no VHE): the caller
 * finds out with a VM whose counts it knows, and the columns stay empty. */
void events_hide_tlbi(void);

void events_read(struct counts *now);

/* What one phase added; a column that is unknown at either end is unknown. */
void events_difference(const struct counts *before, const struct counts *after,
                       struct counts *phase);

#endif

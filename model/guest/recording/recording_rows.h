/*
 * recording_rows - the rows of a recording as checked numbers, and what its
 * comment lines say; the parts from which recording_read builds a timeline.
 */
#ifndef S2FLUSH_GUEST_RECORDING_RECORDING_ROWS_H
#define S2FLUSH_GUEST_RECORDING_RECORDING_ROWS_H

#include "core/csv.h"
#include "guest/recording/recording.h"

struct error;

enum row_op {
    ROW_FAULT_W,
    ROW_FAULT_R,
    ROW_FAULT_X,
    ROW_PERM_W,
    ROW_PERM_X,
    ROW_FAULT_NONE,
    ROW_MMU_ON,
    ROW_MMU_OFF,
    ROW_SETWAY,
    ROW_READY,
    ROW_SYSTEM_EVENT,
    ROW_REINIT,
    ROW_VMM_WRITE,
    ROW_MEMSLOT,
    ROW_NOTIFIER,
    ROW_OUTCOME, /* what the kernel did in answer: not taken over */
};

#define ROW_VMM UINT32_MAX

struct recording_row {
    enum row_op op;
    unsigned line; /* in the file */
    uint32_t actor; /* a vCPU's index, or ROW_VMM */
    uint64_t ipa, bytes, insns;
    bool replaced; /* of ROW_NOTIFIER: the page was then exchanged */
    bool stored; /* a store of the VMM that has no row comes with this row */
    uint64_t stored_at; /* its IPA */
};

struct rows {
    const char *path;
    struct recording_row *row;
    size_t count;
    bool toggles; /* there are mmu_on rows */
};

/* The rows; the caller frees rows->row. */
bool recording_rows(const struct csv *table, uint32_t vcpus, struct rows *rows, struct error *err);

/* Whether it is a touch that mapped or relaxed a leaf of `bytes` at `ipa`. */
bool recording_is_leaf(const struct recording_row *row);

/* Whether the guest itself did it. */
bool recording_is_guest(const struct recording_row *row);

/* The VM's memory slots: RAM first, then what firmware and rows need. */
bool recording_slots(struct rows *rows, const struct recording_info *info,
                     const struct recording_keys *keys, struct vm_shape *vm, struct error *err);

/* Adds the operations to an empty timeline that has its slots. Counts what it
 * leaves out in info. */
bool recording_ops(const struct rows *rows, const struct recording_keys *keys,
                   struct timeline *timeline, struct recording_info *info, struct error *err);

#endif

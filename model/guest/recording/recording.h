/*
 * recording - a recorded boot (CSV) as a timeline.
 *
 * Rows say what the guest and the VMM did and what the kernel did in answer;
 * only the first kind is taken over: fault rows are touches, `mmu_on` is the
 * guest's SCTLR write, and so on. Phases are boot1, use1, reset1, boot2 (and
 * so on) by the rules that come with the recordings; what lies before boot1 is
 * the phase "before". The timeline is serial, in the order of the file.
 *
 * A row is the first touch of a leaf, so a recording can be played on leaves
 * of its own size or larger; on smaller ones it is not known what was touched, and
 * recording_read refuses.
 *
 * Recordings of a CPU with FWB have no mmu_on rows, because nothing traps
 * there: each vCPU then turns its MMU on when it enters. They are for checking
 * counts, not for what a boot costs.
 */
#ifndef S2FLUSH_GUEST_RECORDING_RECORDING_H
#define S2FLUSH_GUEST_RECORDING_RECORDING_H

#include "guest/timeline.h"

struct error;

#define RECORDING_BOOTS 8 /* of which that much is known */

/* What the comments and the rows of a recording say about it. */
struct recording_info {
    char name[96];
    char cpu[32]; /* neoverse-n1, max, ... */
    char kernel[32]; /* 6.1 */
    uint64_t ram_start, ram_bytes;
    uint32_t vcpus;
    enum backing backing;
    bool uefi;
    uint64_t retries; /* fault_none rows in mapped memory: races, not played */
    /* By boot: the leaf of the last perm_x row of its use, before the reset. */
    uint64_t last_perm_x_bytes[RECORDING_BOOTS];
};

struct recording_keys {
    uint16_t density; /* lines that a touch uses of each 4 KiB */
    double off_access_share; /* memory accesses per instruction with the MMU off */
    uint64_t vm_registers; /* VM registers written before each MMU-on */
    bool linux_guest; /* it does about caches what Linux does (recording_linux.h) */
    int backing; /* enum backing to play RAM on; BACKINGS: as recorded */
};

/* Reads a recording into a serial timeline that the caller frees. False with
 * one line that names file, line and column. */
bool recording_read(const char *path, const struct recording_keys *keys, struct timeline *timeline,
                    struct recording_info *info, struct error *err);

#endif

/*
 * import - a text trace of KVM's events from a real host as a recording that
 * the simulator plays (guest/recording.h).
 *
 * What a trace does not hold is assumed, and the recording's comments say so:
 *   vCPUs     numbers in the threads' names ("CPU 3/KVM", "fc_vcpu 3"), else the
 *             order in which they appear. Events that name no thread are of one vCPU
 *   VM        of several, by their thread groups or else by the numbers in the threads'
 *             names, the one with most faults
 *   RAM       from the GiB of the lowest memory fault at or above 1 GiB (of all,
 *             where none is) up to the highest, whole pieces of 64 MiB
 *   leaves    2 MiB where faults come to at most 1.5 for each block and boot, 4 KiB
 *             from 4 on; in between the import refuses
 *   devices   a fault is one where an emulated access follows on its thread
 *   re-inits  where memory that is mapped faults again: the first such fault after
 *             a system event; without system events the first of at least 8
 *             among 16 memory faults
 *   restored  the first re-init is where the trace begins, and each vCPU has its
 *             MMU on from its first entry on; without a reboot, too
 *   notifiers a leaf that faults again otherwise was taken back by the host where
 *             an MMU notifier was seen since; else the fault lost a race
 * Host pages of 4 KiB. What the VMM writes is not in a trace: `rewrite`.
 */
#ifndef S2FLUSH_GUEST_IMPORT_IMPORT_H
#define S2FLUSH_GUEST_IMPORT_IMPORT_H

#include "guest/import/kvmtrace.h"
#include "vm/backing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct error;

#define IMPORT_PIDS 64
#define IMPORT_REINITS 64
#define IMPORT_VCPUS 512

struct import_options {
    uint32_t pids[IMPORT_PIDS]; /* threads or thread groups to take; none: the only VM */
    size_t pid_count;
    uint64_t reinit_ns[IMPORT_REINITS]; /* the trace's clock; none: to be found */
    size_t reinit_count;
    int backing; /* enum backing, or BACKINGS: to be found */
    uint64_t ram_ipa, ram_bytes; /* UINT64_MAX, 0: to be found */
    uint64_t rewrite_bytes; /* what the VMM writes before each boot, from the start of RAM */
    const char *kernel; /* the host's, for the title */
    bool restored; /* the trace begins where a snapshot is restored, or a migrated VM arrives */
    bool allow_lost;
};

struct import_event {
    uint64_t time_ns, order;
    uint64_t ipa, esr, pc;
    int64_t reason;
    uint32_t thread;
    uint8_t event; /* enum trace_event */
    bool was, now;
};

struct import_thread {
    uint32_t pid, tgid, vcpu;
    char comm[TRACE_COMM];
    uint32_t vm; /* of those in the trace; from 1 on, 0: not known */
    uint64_t faults;
    bool runs; /* a vCPU runs in it */
    bool taken; /* it belongs to the VM */
    bool inside; /* the guest runs */
    uint64_t latest_ns; /* of its last event */
    uint64_t doubled; /* entries without an exit since the last: it is several threads */
};

enum import_op {
    IMPORT_FAULT_W,
    IMPORT_FAULT_R,
    IMPORT_FAULT_X,
    IMPORT_PERM_W,
    IMPORT_PERM_X,
    IMPORT_MMU_ON,
    IMPORT_MMU_OFF,
    IMPORT_SETWAY,
    IMPORT_SYSTEM_EVENT,
    IMPORT_REINIT,
    IMPORT_VMM_WRITE,
    IMPORT_NOTIFIER,
    IMPORT_OPS
};

#define IMPORT_VMM UINT32_MAX
struct import_row {
    uint64_t time_ns, ipa, bytes;
    uint32_t actor; /* a vCPU's index, or IMPORT_VMM */
    enum import_op op;
};

/* What was met on the way. */
struct import_counts {
    uint64_t lines, events[TRACE_EVENTS], foreign, fields, unrecognized, too_long;
    uint64_t lost_places, lost, overwritten; /* lost: as far as it is known */
    bool truncated; /* the last line */
    const char *form; /* what the lines look like that are no trace of KVM on arm64; NULL: nothing
                         that is known */
    unsigned fields_line, unrecognized_line; /* the first of each */
    unsigned named_line; /* the first that names an event of KVM and is in no known form */
    char named[64]; /* how it begins */
    uint64_t unordered; /* events that stand behind a later one */
    uint64_t backward; /* behind a later one of the same thread */
    uint64_t others; /* of other threads than the VM's */
    uint64_t devices, races, inside, other_faults, taken_back;
    uint64_t vm_registers; /* writes with the caches off, up to each MMU-on */
    uint64_t mmu_on;
};

struct import {
    const char *path;
    struct import_options options;
    struct import_counts counts;
    struct import_event *events;
    size_t event_count, event_room;
    struct import_thread *threads;
    size_t thread_count, thread_room;
    bool crowded; /* there are more threads than are kept */
    uint32_t vcpus;
    uint32_t vms; /* in the trace, as far as it tells; the one with most faults is taken */
    bool numbered; /* vCPUs by their threads' names */
    enum backing backing;
    double per_block; /* translation faults for each block of 2 MiB */
    uint64_t ram_start, ram_bytes;
    bool uefi;
    size_t reinits[IMPORT_REINITS]; /* before which event */
    size_t reinit_count;
    struct import_row *rows;
    size_t row_count, row_room;
};

/* Reads a trace. False with one line where it is none, is not whole and may not
 * be so, holds several VMs, or shows no reboot. */
bool import_read(FILE *in, const char *path, const struct import_options *options,
                 struct import *import, struct error *err);
void import_free(struct import *import);

/* The recording; `name` is its name. */
void import_write_rows(const struct import *import, const char *name, FILE *out);

/* The workload that plays it from the file `rows` beside it. */
void import_write_workload(const struct import *import, const char *rows, FILE *out);

/* What was taken, assumed and left out, one line each, behind `before`. */
void import_print(const struct import *import, const char *before, FILE *out);

#endif

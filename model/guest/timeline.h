/*
 * timeline - what a VM is and what happens in it, as data: for each actor (the
 * VMM's thread, each vCPU) a list of operations in order, and signals where
 * one actor waits for another.
 *
 * A timeline says what the guest and the VMM do. What faults, what is cleaned
 * and what it costs is for the simulation to decide.
 */
#ifndef S2FLUSH_GUEST_TIMELINE_H
#define S2FLUSH_GUEST_TIMELINE_H

#include "vm/backing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct source_location;

enum op_kind {
    OP_ENTER, /* a vCPU enters the guest (KVM_RUN) */
    OP_TOUCH, /* guest accesses: count pieces of `bytes`, `stride` apart */
    OP_INSNS, /* n guest instructions */
    OP_COMPUTE, /* n picoseconds of guest or VMM time */
    OP_MMU, /* the guest turns MMU and caches on or off */
    OP_VMREGS, /* n other VM-register writes */
    OP_SETWAY, /* n set/way operations */
    OP_FILL, /* the VMM writes [ipa, +bytes) through its cacheable mapping */
    OP_FILL_UNCACHED, /* the same through a mismatched, non-cacheable mapping */
    OP_HOST_READ, /* the VMM or host kernel reads it */
    OP_HOST_READ_UNCACHED,
    OP_DEVICE_READ, /* a device reads it: a coherent one, or one that goes past the caches */
    OP_DEVICE_WRITE, /* writes it */
    OP_MAINTAIN, /* cache maintenance by the guest, count pieces as of a touch */
    OP_HOST_MAINTAIN, /* the same of [ipa, +bytes) by the VMM or host kernel */
    OP_ICACHE, /* the guest sets or clears SCTLR_EL1.I with its MMU off */
    OP_REINIT, /* KVM_ARM_VCPU_INIT of vCPU n, by the VMM */
    OP_DROP, /* the VMM drops the memory behind slot n */
    OP_NOTIFY, /* a host range [ipa, +bytes) of guest memory is invalidated by an MMU
                  notifier; with `on` the page is then exchanged */
    OP_SLOT_DELETE, /* slot n goes */
    OP_SLOT_ADD, /* slot n comes back */
    OP_DIRTY_LOG, /* dirty logging of the VM goes on (n: enum log_on) or off */
    OP_TEARDOWN, /* the VMM ends: stage 2 is freed, the memory is given back; with `on` the first
                    alone */
    OP_SIGNAL, /* raises signal n */
    OP_WAIT, /* waits for signal n */
    OP_PREFAULT, /* the VMM has pieces, as of a touch, mapped ahead of the guest's access */
    OP_WINDOW, /* what counts begins here, and not at the first re-init */
    OP_DIRTY_GET, /* the VMM takes the log; with `on` what is dirty loses its write permission
                     again */
    OP_DIRTY_CLEAR, /* what is dirty of [ipa, +bytes) loses it */
    OP_KINDS
};

/* How dirty logging goes on: leaves are protected, blocks split as well, or all is dirty and
 * nothing is done before it is cleared, which then may split blocks. */
enum log_on { LOG_ON_PROTECT, LOG_ON_SPLIT, LOG_ON_ALL_DIRTY, LOG_ON_ALL_DIRTY_SPLIT };

enum touch_access { TOUCH_READ, TOUCH_WRITE, TOUCH_FETCH };

enum guest_maintenance {
    MAINTAIN_CLEAN, /* DC CVAC */
    MAINTAIN_CLEAN_POU, /* DC CVAU */
    MAINTAIN_CLEAN_INVALIDATE, /* DC CIVAC */
    MAINTAIN_INVALIDATE, /* DC IVAC */
    MAINTAIN_ICACHE, /* IC IVAU */
    MAINTAIN_ICACHE_ALL, /* IC IALLU; the range is all memory of the VM */
};

struct op {
    uint8_t kind; /* enum op_kind */
    uint8_t access; /* enum touch_access, of OP_TOUCH; enum guest_maintenance */
    bool on;
    bool past; /* an access through a Non-cacheable mapping, by a device that is not coherent */
    bool no_dsb; /* maintenance that no DSB follows */
    bool declared; /* of a touch or maintenance: judged and nothing else. Its time is in the
                      instructions that a recording counts, and it faults on nothing */
    uint16_t density; /* lines used of each 4 KiB, of OP_TOUCH and reads; 0: all */
    uint32_t phase; /* index into the timeline's phases */
    uint64_t ipa, bytes;
    uint64_t stride, count; /* of OP_TOUCH, OP_MAINTAIN and OP_PREFAULT */
    uint64_t n;
};

/* Who plays a list of operations. */
#define SCRIPT_VMM UINT32_MAX
struct script {
    uint32_t vcpu; /* its index, or SCRIPT_VMM */
    struct op *ops;
    size_t count, room;
};

struct slot_shape {
    uint64_t ipa, bytes;
    uint64_t misalign; /* IPA minus memory address, modulo the block size */
    enum backing backing;
    bool code, read_only;
};

#define TIMELINE_SLOTS 16
#define TIMELINE_COPIES                                                      \
    127 /* VMs on one host: each slot has a stretch of 2^53 bytes of its own \
         */

/* What a timeline may hold. Operations count with their pieces (`every ... times
 * N` is N), and with the signals that a serial timeline puts between actors. */
#define TIMELINE_OPS (UINT64_C(4) << 20)
#define TIMELINE_PHASES 4096

/* On which socket of the host a VM's threads run. Where nothing binds them, the kernel's load
 * balancing evens out the sockets' idle CPUs, but for two tasks (calculate_imbalance,
 * adjust_numa_imbalance in kernel/sched/fair.c; 5.11): here two vCPUs each in turn. */
#define PLACEMENT_CHOICES(X)                                                  \
    X(PLACEMENT_SPREAD, "spread", "over all sockets, two vCPUs each in turn") \
    X(PLACEMENT_ONE, "one-socket", "all on one")
CHOICE_ENUM(placement, PLACEMENT_CHOICES);

struct vm_shape {
    uint64_t granule_bytes;
    uint32_t ipa_bits;
    uint32_t vcpus;
    uint32_t copies; /* VMs of this shape that play it side by side on one host */
    uint32_t s1_levels; /* table levels that the guest's own walks read */
    uint64_t s1_page_bytes; /* pages that its own tables map; 0: as large as stage 2's */
    uint64_t s1_hot_pages; /* pages that its code needs besides its data */
    enum placement placement; /* on a host of several sockets */
    bool reset_stops_vcpus; /* all, from the first re-init of a reset until each enters again */
    double off_access_share; /* memory accesses per instruction while the MMU is off */
    uint64_t off_access_bytes; /* of one access while it is off */
    struct slot_shape slots[TIMELINE_SLOTS];
    uint32_t slot_count;
};

#define PHASE_NAME 48

struct timeline {
    char name[96];
    char title[160];
    struct vm_shape vm;
    struct script *scripts; /* the VMM first, then each vCPU */
    uint32_t script_count;
    char (*phases)[PHASE_NAME];
    uint32_t phase_count;
    uint64_t signals;
    bool window; /* it has an OP_WINDOW */
    uint64_t ops; /* operations and pieces so far */
    bool full; /* there were to be more of them, or more phases: they are left out */

    /* While it is built. */
    uint32_t phase; /* of the operations that are added */
    bool serial; /* each operation waits for the one added before it */
    uint32_t last_script; /* who got the last operation, in serial building */
};

/* The usual VM: 4 KiB granule, 40 bits of IPA, no slots. */
void vm_shape_defaults(struct vm_shape *vm, uint32_t vcpus);

/* Appends a slot; false with a line where there are too many, it overlaps
 * another one, or does not lie within the IPA bits. */
bool vm_shape_slot(struct vm_shape *vm, struct slot_shape slot, struct error *err);

/* An empty timeline for vm.vcpus vCPUs with one unnamed phase. Serial: the
 * operations happen one after another in the order in which they are added,
 * whoever does them (a recording); otherwise only signals order actors. */
void timeline_init(struct timeline *timeline, const char *name, bool serial, uint32_t vcpus);
void timeline_free(struct timeline *timeline);

/* The operations added from here on belong to a phase of that name; a new one
 * each call. Returns its index. */
uint32_t timeline_phase(struct timeline *timeline, const char *name);

/* Appends an operation to the VMM (SCRIPT_VMM) or a vCPU. */
void timeline_add(struct timeline *timeline, uint32_t vcpu, struct op op);

/* A fresh signal for OP_SIGNAL and OP_WAIT. */
uint64_t timeline_signal(struct timeline *timeline);

/* Whether everything found room; the builders that take input of any length
 * ask after each piece of it. */
bool timeline_fits(const struct timeline *timeline, const struct source_location *at,
                   struct error *err);

/* Whether two timelines are the same VM in which the same happens, names aside. */
bool timeline_same(const struct timeline *a, const struct timeline *b);

/* How many ranges of memory state playing it can need at most, per map. */
size_t timeline_intervals(const struct timeline *timeline);

#endif

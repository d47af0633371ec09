/*
 * kvmcase - the small VM on which exact event counts of real KVM were recorded,
 * as a serial timeline.
 *
 * The VM has two slots: 16 KiB for the guest's own code (page 0 the code, page 1
 * the guest's page tables), and RAM; it may have a second slot of RAM. An operation is one of
 *
 *   w|r|e FIRST STRIDE COUNT [VCPU]  the guest writes, reads or calls COUNT pages
 *   x [VCPU]                         the guest only exits
 *   mon|moff [VCPU]                  the guest turns its MMU and caches on or off
 *   cisw N                           vCPU 0 executes N set/way operations
 *   init [VCPU]                      KVM_ARM_VCPU_INIT
 *   pop                              the VMM fills RAM
 *   drop                             the VMM gives RAM back to the host
 *   pret                             the VMM writes instructions all over RAM
 *   dropr FIRST COUNT                MADV_DONTNEED of a part of shared RAM: its pages stay
 *   W|R|E, pop2, drop2               the same as w|r|e, pop, drop in the second slot
 *   sdel|sadd 1|2                    the VMM deletes RAM's or the second slot, adds it again
 *   dlog 1|0                         dirty logging goes on or off for all slots
 *   destroy                          the VMM closes the VM
 *
 * Every run of a vCPU fetches code page 0 and ends with a store outside every
 * slot. While a vCPU's MMU is on, its table walks read page 1 as well. A call
 * into a page that was never written counts as the fetch it begins with.
 */
#ifndef S2FLUSH_GUEST_BENCHMARK_KVMCASE_H
#define S2FLUSH_GUEST_BENCHMARK_KVMCASE_H

#include "guest/timeline.h"

struct error;
struct source_location;

#define KVMCASE_PAGE UINT64_C(4096)
#define KVMCASE_CODE_IPA UINT64_C(0x50000000)
#define KVMCASE_CODE_BYTES (4 * KVMCASE_PAGE)
#define KVMCASE_RAM_IPA UINT64_C(0x90000000)
#define KVMCASE_EXIT_IPA UINT64_C(0x10001000)
#define KVMCASE_RAM_SLOT 1
#define KVMCASE_SECOND_SLOT 2
#define KVMCASE_SECOND_IPA UINT64_C(0xd0000000) /* in a GiB of its own */
#define KVMCASE_VCPUS 512 /* as many as KVM allows */

/* What one VM is, from the columns page, mem_mib, slot_offset_bytes, vcpus, and those that a table
 * may have besides: page2, mem2_mib, eager_split. */
struct kvmcase_shape {
    enum backing backing;
    uint64_t mem_mib;
    uint64_t slot_offset_bytes; /* RAM begins so much above its usual place */
    uint64_t vcpus;
    enum backing backing2;
    uint64_t mem2_mib; /* 0: there is no second slot */
    uint64_t eager_split; /* 1: blocks are split when logging goes on */
};

enum kvmcase_verb {
    KVMCASE_WRITE,
    KVMCASE_READ,
    KVMCASE_CALL,
    KVMCASE_EXIT,
    KVMCASE_MMU_ON,
    KVMCASE_MMU_OFF,
    KVMCASE_SETWAY,
    KVMCASE_INIT,
    KVMCASE_FILL,
    KVMCASE_DROP,
    KVMCASE_DROP_RANGE,
    KVMCASE_SLOT_DELETE,
    KVMCASE_SLOT_ADD,
    KVMCASE_DIRTY_LOG,
    KVMCASE_DESTROY
};

struct kvmcase_op {
    enum kvmcase_verb verb;
    /* Pages; count also of set/way operations, a slot's number, and 1 for on. */
    uint64_t first, stride, count;
    uint64_t vcpu;
    bool second; /* in the second slot */
};

/* One VM while its timeline is built. */
struct kvmcase {
    struct kvmcase_shape shape;
    struct timeline *timeline;
    bool mmu_on[KVMCASE_VCPUS]; /* as the guest has set it itself */
    bool gone[2]; /* RAM, the second slot: deleted */
    bool destroyed;
};

/* The backing that a `page` or `page2` cell names: 4k, thp, hugetlb, hugetlb-shared or shm. */
bool kvmcase_backing(const char *text, enum backing *backing, const struct source_location *at,
                     struct error *err);

/* Reads an operation. What it names is checked by kvmcase_add. */
bool kvmcase_parse(const char *text, struct kvmcase_op *op, const struct source_location *at,
                   struct error *err);

/* Whether a VM of that shape can exist; else one line that names the column. */
bool kvmcase_check(const struct kvmcase_shape *shape, const struct source_location *at,
                   struct error *err);

/* Why the model can't play a VM that can exist; NULL where it can. */
const char *kvmcase_unsupported(const struct kvmcase_shape *shape);

/* Sets the timeline up for a checked shape. Its first phase is what the VMM does
 * before the first row; the caller frees the timeline. */
void kvmcase_begin(struct kvmcase *kvmcase, const struct kvmcase_shape *shape,
                   struct timeline *timeline, const char *name);

/* Appends one row as a phase of its own, whose index goes to *phase. False with
 * one line where the row asks for pages or vCPUs that the VM doesn't have, or
 * comes after `destroy`. */
bool kvmcase_add(struct kvmcase *kvmcase, const char *name, const struct kvmcase_op *op,
                 uint32_t *phase, const struct source_location *at, struct error *err);

#endif

/*
 * kernel - what differs between versions of KVM/arm64, as one table of
 * switches through which any version resolves.
 *
 * A row of the table says: this switch has this value from this version on,
 * according to this source. Patched kernels are a version with overrides.
 */
#ifndef S2FLUSH_KVM_KERNEL_H
#define S2FLUSH_KVM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct source_location;

enum kernel_switch {
    SWITCH_FAULT_LOCK, /* how a translation fault holds mmu_lock */
    SWITCH_CMO_PLACE, /* who cleans at a fault */
    SWITCH_CHUNK, /* how far a range operation goes before it may yield */
    SWITCH_IC_CLAMP, /* large executable leaves invalidate the whole I-cache */
    SWITCH_TLBI_DEFER, /* unmap walks end in one range TLBI (with FWB and range TLBI) */
    SWITCH_LPA2, /* stage 2 uses LPA2 where the CPU has it: ranges align to 64 KiB */
    SWITCH_MAP_POST, /* map walks call back again when they leave a table */
    SWITCH_SET_SPTE, /* the host replaces a page through change_pte */
    SWITCH_HUGE_ZERO, /* a write to the huge zero page: the host splits or allocates */
    SWITCH_RELAX_LOCAL, /* permission relaxation invalidates the own core's TLB only */
    SWITCH_HUGETLB_DROP, /* how MADV_DONTNEED on hugetlb memory notifies */
    KERNEL_SWITCHES
};

enum fault_lock { FAULT_LOCK_SPIN, FAULT_LOCK_WRITE, FAULT_LOCK_READ };
enum cmo_place { CMO_EVERY_RACER, CMO_INSTALLER };
enum chunk { CHUNK_ROOT_ENTRY, CHUNK_BLOCK };
enum hugetlb_drop { HUGETLB_DROP_REFUSED, HUGETLB_DROP_TWICE, HUGETLB_DROP_ONCE };
enum huge_zero { HUGE_ZERO_SPLIT, HUGE_ZERO_ALLOC };

struct kernel {
    char name[32];
    uint32_t version; /* major * 1000 + minor */
    int value[KERNEL_SWITCHES];
};

/* One row of the table, for listings. */
struct kernel_rule {
    enum kernel_switch which;
    const char *value;
    int code;
    uint32_t since;
    const char *source;
};

extern const struct kernel_rule kernel_rules[];
extern const size_t kernel_rule_count;
extern const char *const kernel_switch_name[KERNEL_SWITCHES];

/* Resolves "5.10" to "7.3" and later, with or without a leading v and a third
 * number. Older versions are refused: the page-table code was another. */
bool kernel_resolve(const char *text, struct kernel *kernel, struct error *err);

/* Applies "switch=value" overrides separated by blanks or commas. */
bool kernel_override(struct kernel *kernel, const char *text, const struct source_location *at,
                     struct error *err);

#endif

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

/* X(switch, its name): a switch's values are in the rules. */
#define KERNEL_SWITCH_TABLE(X)                                                                  \
    X(SWITCH_FAULT_LOCK, "fault_lock") /* how a translation fault holds mmu_lock */             \
    X(SWITCH_CMO_PLACE, "cmo_place") /* who cleans at a fault */                                \
    X(SWITCH_CHUNK, "chunk") /* how far a range operation goes before it may yield */           \
    X(SWITCH_IC_CLAMP, "ic_clamp") /* large executable leaves invalidate the whole I-cache */   \
    /* Unmap walks end in one range TLBI, with FWB and range TLBI. */                           \
    X(SWITCH_TLBI_DEFER, "tlbi_defer")                                                          \
    X(SWITCH_LPA2, "lpa2") /* stage 2 uses LPA2 where the CPU has it: ranges align to 64 KiB */ \
    X(SWITCH_MAP_POST, "map_post") /* map walks call back again when they leave a table */      \
    X(SWITCH_SET_SPTE, "set_spte") /* the host replaces a page through change_pte */            \
    X(SWITCH_HUGE_ZERO, "huge_zero") /* a write to the huge zero page: split or allocate */     \
    X(SWITCH_RELAX_LOCAL, "relax_local") /* permission relaxation: the own core's TLB only */   \
    X(SWITCH_HUGETLB_DROP, "hugetlb_drop") /* how MADV_DONTNEED on hugetlb memory notifies */   \
    X(SWITCH_EAGER_SPLIT, "eager_split") /* blocks can be split when logging goes on */         \
    X(SWITCH_TLBI_THIRD, "tlbi_third") /* each TLB flush broadcasts once more: CPU erratum */

enum kernel_switch {
#define KERNEL_SWITCH(which, name) which,
    KERNEL_SWITCH_TABLE(KERNEL_SWITCH)
#undef KERNEL_SWITCH
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

/*
 * strategy - ways to make a VM's memory coherent at re-init, as rows of data.
 *
 * What a row says is all that the simulation knows of a strategy: no code asks
 * for a name. Built-in rows are in strategy.c; a study file can add its own.
 */
#ifndef S2FLUSH_KVM_STRATEGY_H
#define S2FLUSH_KVM_STRATEGY_H

#include "core/error.h"
#include "core/option.h"

#define FLUSH_AT_CHOICES(X)                                                              \
    X(FLUSH_NONE, "none", "never")                                                       \
    X(FLUSH_EACH_INIT, "each_init", "in every KVM_ARM_VCPU_INIT of a vCPU that has run") \
    X(FLUSH_FIRST_RUN, "first_run", "once, by the first vCPU that enters after a re-init")
CHOICE_ENUM(flush_at, FLUSH_AT_CHOICES);

#define TOGGLE_CHOICES(X)                                                          \
    X(TOGGLE_EVERY, "every", "every vCPU's MMU on, and off where that is trapped") \
    X(TOGGLE_FIRST, "first", "the first vCPU's after a re-init alone")             \
    X(TOGGLE_NONE, "none", "no vCPU's")
CHOICE_ENUM(toggle, TOGGLE_CHOICES);

/* Which leaves a strategy takes, by size. */
#define LEAF_CHOICES(X)                               \
    X(LEAVES_ALL, "all", "of every size")             \
    X(LEAVES_PAGES, "pages", "of the granule's size") \
    X(LEAVES_BLOCKS, "blocks", "larger ones")
CHOICE_ENUM(leaf_choice, LEAF_CHOICES);

/* What a flush goes by. */
#define FLUSH_RECORD_CHOICES(X)                                                                 \
    X(RECORD_NONE, "none", "everything that is mapped")                                         \
    X(RECORD_LEAVES, "leaves", "leaves with a byte that was written since it was last cleaned") \
    X(RECORD_RANGES, "ranges", "those bytes themselves, by pages of 4 KiB")                     \
    X(RECORD_LOADER, "loader", "of them what the VMM or the host wrote, and nothing of the guest")
CHOICE_ENUM(flush_record, FLUSH_RECORD_CHOICES);

#define STRATEGY_WORKERS_MAX 64

struct strategy {
    char name[48];
    char title[96];
    char caveat[256]; /* shown beside its cost */
    bool reinit_unmap; /* tear stage 2 down at re-init */
    bool reinit_icache; /* invalidate the whole I-cache at re-init (with a flush: after it) */
    enum flush_at flush_at;
    bool cmo_at_unmap; /* clean+invalidate each leaf that is unmapped */
    bool cmo_at_fault; /* clean+invalidate each leaf that is mapped */
    enum toggle toggle;
    enum leaf_choice unmap_leaves; /* which of them reinit_unmap takes */
    enum leaf_choice flush_leaves; /* which of them flush_at takes */
    enum flush_record flush_record; /* what flush_at goes by */
    bool tlbi_whole; /* reinit_unmap ends with one invalidation of the whole VM, none by leaf */
    bool recreate; /* at re-init the memory is given back too, as with a new VM */
    uint64_t workers; /* threads that share the flush; 0 or 1: who starts it does it alone */
    uint64_t chunk; /* bytes after which unmaps and flushes of the whole VM give mmu_lock up and
                       take it again, toggles' included; 0: the kernel's chunks, and only where
                       others wait and the kernel is preemptible */
    bool fwb; /* leans on FEAT_S2FWB: guest accesses are always cacheable */
    bool ideal; /* the yardstick of added_boot_ns: no maintenance at all */
};

/* The built-in rows, in the order in which tables show them. */
extern const struct strategy strategy_rows[];
extern const size_t strategy_count;

/* Further rows, which a study gets by naming them only. */
extern const struct strategy strategy_more[];
extern const size_t strategy_more_count;

/* What people ask for and nobody can do, with the reason. */
struct strategy_impossible {
    const char *name, *title, *reason;
};
extern const struct strategy_impossible strategy_impossible[];
extern const size_t strategy_impossible_count;

/* The yardstick: mappings kept, no maintenance, accesses at cacheable cost. */
extern const struct strategy strategy_ideal;

/* The options of a strategy as a section of a study file. */
extern const struct option_row strategy_options[];
extern const size_t strategy_option_count;

/* The built-in or further row of that name; NULL with a suggestion, or with the
 * reason why there can be none, in err. */
const struct strategy *strategy_find(const char *name, struct error *err);

#endif

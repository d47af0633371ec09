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

enum flush_at {
    FLUSH_NONE,
    FLUSH_EACH_INIT, /* inside every KVM_ARM_VCPU_INIT of a vCPU that has run */
    FLUSH_FIRST_RUN, /* once, by the first vCPU that enters after a re-init */
};

enum toggle {
    TOGGLE_EVERY, /* every vCPU's MMU on (and off, where trapped) flushes what is mapped */
    TOGGLE_FIRST, /* only the first vCPU's after a re-init */
    TOGGLE_NONE,
};

/* Which leaves a strategy takes, by size. */
enum leaf_choice {
    LEAVES_ALL,
    LEAVES_PAGES, /* of the granule's size */
    LEAVES_BLOCKS, /* larger ones */
};

/* What a flush goes by. */
enum flush_record {
    RECORD_NONE, /* everything that is mapped */
    RECORD_LEAVES, /* leaves with a byte that was written since it was last cleaned */
    RECORD_RANGES, /* those bytes themselves, by pages of 4 KiB */
    RECORD_LOADER, /* of them what the VMM or the host wrote, and nothing that the guest did */
};

#define STRATEGY_WORKERS_MAX 64

struct strategy {
    char name[48];
    char title[96];
    char caveat[256]; /* shown beside its cost */
    bool reinit_unmap; /* tear stage 2 down at re-init */
    bool reinit_icache; /* invalidate the whole I-cache at re-init (with a flush: after it) */
    int flush_at; /* enum flush_at */
    bool cmo_at_unmap; /* clean+invalidate each leaf that is unmapped */
    bool cmo_at_fault; /* clean+invalidate each leaf that is mapped */
    int toggle; /* enum toggle */
    int unmap_leaves; /* enum leaf_choice: which of them reinit_unmap takes */
    int flush_leaves; /* enum leaf_choice: which of them flush_at takes */
    int flush_record; /* enum flush_record: what flush_at goes by */
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
extern const struct option strategy_options[];
extern const size_t strategy_option_count;

/* The built-in or further row of that name; NULL with a suggestion, or with the
 * reason why there can be none, in err. */
const struct strategy *strategy_find(const char *name, struct error *err);

#endif

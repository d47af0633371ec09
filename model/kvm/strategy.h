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

struct strategy {
    char name[48];
    char title[96];
    char caveat[256];  /* shown beside its cost */
    bool reinit_unmap; /* tear stage 2 down at re-init */
    bool reinit_icache; /* invalidate the whole I-cache at re-init (with a flush: after it) */
    int flush_at;      /* enum flush_at */
    bool cmo_at_unmap; /* clean+invalidate each leaf that is unmapped */
    bool cmo_at_fault; /* clean+invalidate each leaf that is mapped */
    int toggle;        /* enum toggle */
    bool fwb;          /* leans on FEAT_S2FWB: guest accesses are always cacheable */
    bool ideal;        /* the yardstick of added_boot_ns: no maintenance at all */
};

/* The built-in rows, in the order in which tables show them. */
extern const struct strategy strategy_rows[];
extern const size_t strategy_count;

/* The yardstick: mappings kept, no maintenance, accesses at cacheable cost. */
extern const struct strategy strategy_ideal;

/* The options of a strategy as a section of a study file. */
extern const struct option strategy_options[];
extern const size_t strategy_option_count;

/* The built-in row of that name; NULL with a suggestion in err. */
const struct strategy *strategy_find(const char *name, struct error *err);

#endif

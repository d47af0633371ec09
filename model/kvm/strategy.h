/*
 * strategy - ways to make a VM's memory coherent at re-init, as rows of data.
 *
 * Each thing that a kernel can do differently is one key, and a strategy is its
 * row: no code asks for a name. Built-in rows are in strategy.c, what the keys
 * are called and when one has no effect in strategy_keys.c; a study file can add
 * rows of its own, from a base on.
 */
#ifndef S2FLUSH_KVM_STRATEGY_H
#define S2FLUSH_KVM_STRATEGY_H

#include "core/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct source_location;

/* What a re-init tears out of stage 2. */
#define REINIT_UNMAP_CHOICES(X)                             \
    X(UNMAP_NONE, "none", "mappings are kept")              \
    X(UNMAP_ALL, "all", "leaves of every size")             \
    X(UNMAP_PAGES, "pages", "leaves of the granule's size") \
    X(UNMAP_BLOCKS, "blocks", "larger leaves")
CHOICE_ENUM(reinit_unmap, REINIT_UNMAP_CHOICES);

/* How the re-init's unmap invalidates TLBs. */
#define REINIT_TLBI_CHOICES(X)                                     \
    X(REINIT_TLBI_LEAF, "leaf", "leaf by leaf and table by table") \
    X(REINIT_TLBI_RANGE, "range",                                  \
      "each chunk at its end, and table by table; range "          \
      "instructions where the machine has them, else the VMID")    \
    X(REINIT_TLBI_VM, "vm", "once for the whole VM, at its end: TLBI VMALLS12E1IS")
CHOICE_ENUM(reinit_tlbi, REINIT_TLBI_CHOICES);

#define FLUSH_AT_CHOICES(X)                                                              \
    X(FLUSH_NONE, "none", "never")                                                       \
    X(FLUSH_EACH_INIT, "each_init", "in every KVM_ARM_VCPU_INIT of a vCPU that has run") \
    X(FLUSH_FIRST_RUN, "first_run", "once, by the first vCPU that enters after a re-init")
CHOICE_ENUM(flush_at, FLUSH_AT_CHOICES);

/* Which leaves a flush takes. */
#define FLUSH_LEAVES_CHOICES(X)                      \
    X(FLUSH_ALL, "all", "of every size")             \
    X(FLUSH_PAGES, "pages", "of the granule's size") \
    X(FLUSH_BLOCKS, "blocks", "larger ones")
CHOICE_ENUM(flush_leaves, FLUSH_LEAVES_CHOICES);

/* What a flush goes by. */
#define FLUSH_RECORD_CHOICES(X)                                                                 \
    X(RECORD_NONE, "none", "everything that is mapped")                                         \
    X(RECORD_LEAVES, "leaves", "leaves with a byte that was written since it was last cleaned") \
    X(RECORD_RANGES, "ranges", "those bytes themselves, by pages of 4 KiB")                     \
    X(RECORD_LOADER, "loader", "of them what the VMM or the host wrote, and nothing of the guest")
CHOICE_ENUM(flush_record, FLUSH_RECORD_CHOICES);

/* What a whole flush, and one at MMU on, cleans with. */
#define FLUSH_BY_CHOICES(X)                            \
    X(FLUSH_BY_LINE, "line", "DC CIVAC, line by line") \
    X(FLUSH_BY_RANGE, "range", "one command a leaf to the caches, by physical range")
CHOICE_ENUM(flush_by, FLUSH_BY_CHOICES);

/* Whose MMU-on flushes what is mapped. */
#define TOGGLE_CHOICES(X)                                                          \
    X(TOGGLE_EVERY, "every", "every vCPU's MMU on, and off where that is trapped") \
    X(TOGGLE_FIRST, "first", "the first vCPU's after a re-init alone")             \
    X(TOGGLE_NONE, "none", "no vCPU's")
CHOICE_ENUM(toggle, TOGGLE_CHOICES);

#define STRATEGY_WORKERS_MAX 64
#define STRATEGY_NAME_BYTES 48

struct strategy {
    char name[STRATEGY_NAME_BYTES];
    char base[STRATEGY_NAME_BYTES]; /* a study's own: the row that it began as; or empty */
    char title[96];
    char caveat[256]; /* a study's own words; strategy_caveat has what follows from the keys */
    enum reinit_unmap reinit_unmap;
    bool reinit_unmap_cleans; /* clean+invalidate each leaf that it unmaps */
    enum reinit_tlbi reinit_tlbi;
    bool notifier_unmap_cleans; /* the same for what an MMU notifier or a deleted slot unmaps */
    bool fault_cleans; /* clean+invalidate each leaf that is mapped */
    bool reinit_icache; /* invalidate the whole I-cache at re-init (with a flush: after it) */
    enum flush_at flush_at;
    enum flush_leaves flush_leaves;
    enum flush_record flush_record;
    enum flush_by flush_by;
    enum toggle toggle;
    bool recreate; /* at re-init the memory is given back too, as with a new VM */
    uint64_t workers; /* threads that share the flush; 0 or 1: who starts it does it alone */
    uint64_t chunk; /* bytes after which unmaps and flushes of the whole VM give mmu_lock up and
                       take it again, toggles' included; 0: the kernel's chunks, and only where
                       others wait and the kernel is preemptible */
    bool fwb; /* needs FEAT_S2FWB: guest accesses are always cacheable */
    bool upstream; /* what Linux does on a machine that has what it needs */
    bool ideal; /* the yardstick of added_boot_ns: no maintenance at all */
};

/* The built-in rows, in the order in which tables show them. */
extern const struct strategy strategy_rows[];
extern const size_t strategy_count;

/* Further rows, which a study gets by naming them only. */
extern const struct strategy strategy_more[];
extern const size_t strategy_more_count;

/* What is asked for and cannot be done, with the reason. */
struct strategy_impossible {
    const char *name, *title, *reason;
};
extern const struct strategy_impossible strategy_impossible[];
extern const size_t strategy_impossible_count;

/* The yardstick: mappings kept, no maintenance, accesses at cacheable cost. */
extern const struct strategy strategy_ideal;

/* The built-in or further row of that name; NULL with a suggestion, or with the
 * reason why there can be none, in err. */
const struct strategy *strategy_find(const char *name, struct error *err);

/* What a row does in a few words of the field, in place of its name: "lazy one-TLBI unmap". NULL:
 * it is a study's own, or has none. */
const char *strategy_brief(const struct strategy *strategy);

/* --- keys --- */

/* The options of a strategy as a section of a study file. */
#define STRATEGY_KEYS 18
extern const struct option_row strategy_options[];
extern const size_t strategy_option_count;

/* Sets a key; one that is called otherwise today is an error that says how. */
bool strategy_set(struct strategy *strategy, const char *key, const char *text,
                  const struct source_location *at, struct error *err);

/* How a key of former versions is written now; NULL: it is none. */
const char *strategy_renamed(const char *key);

/* Why a key has no effect beside the others, and what to do; NULL: it has one. */
const char *strategy_without_effect(const struct strategy *strategy, const char *key);

/* The same with the default of every key that has no effect: strategies that do the
 * same are equal then but for their names. */
struct strategy strategy_canonical(const struct strategy *strategy);

/* What to know beside its cost and verdict, from its keys and its own words; empty
 * where there is nothing. Conditions of a verdict are not in here. */
#define STRATEGY_CAVEAT_BYTES 768
const char *strategy_caveat(const struct strategy *strategy, char *buf, size_t size);

#endif

/* The keys of a strategy: names and words, what has no effect beside what, and what
 * there is to know beside its cost. */
#include "core/error.h"
#include "core/invariant.h"
#include "kvm/strategy.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define AT(field) .section = "strategy", .name = #field, OPTION_FIELD(struct strategy, field)
const struct option_row strategy_options[] = {
    {AT(base), .fallback = "", .help = "the row that it begins as; stands before the other keys"},
    {AT(title), .fallback = "", .help = "the name for people; by default from base and keys"},
    {AT(caveat), .fallback = "",
     .help = "what to say beside its cost, before what follows from its keys"},
    {AT(reinit_unmap), .choices = CHOICES_OF(REINIT_UNMAP_CHOICES), .fallback = "none",
     .help = "what a re-init tears out of stage 2"},
    {AT(reinit_unmap_cleans), .fallback = "yes",
     .help = "the re-init's unmap cleans and invalidates each leaf"},
    {AT(reinit_tlbi), .choices = CHOICES_OF(REINIT_TLBI_CHOICES), .fallback = "leaf",
     .help = "how the re-init's unmap invalidates TLBs"},
    {AT(notifier_unmap_cleans), .fallback = "yes",
     .help = "so does each unmap by an MMU notifier, or of a slot that is deleted"},
    {AT(fault_cleans), .fallback = "yes",
     .help = "a fault cleans and invalidates each leaf that it maps"},
    {AT(reinit_icache), .fallback = "no",
     .help = "invalidate the whole I-cache at re-init, with a flush after it"},
    {AT(flush_at), .choices = CHOICES_OF(FLUSH_AT_CHOICES), .fallback = "none",
     .help = "when everything mapped is cleaned and invalidated"},
    {AT(flush_leaves), .choices = CHOICES_OF(FLUSH_LEAVES_CHOICES), .fallback = "all",
     .help = "which leaves flush_at takes"},
    {AT(flush_record), .choices = CHOICES_OF(FLUSH_RECORD_CHOICES), .fallback = "none",
     .help = "what flush_at goes by"},
    {AT(flush_by), .choices = CHOICES_OF(FLUSH_BY_CHOICES), .fallback = "line",
     .help = "what flush_at and MMU-on flushes clean with"},
    {AT(toggle), .choices = CHOICES_OF(TOGGLE_CHOICES), .fallback = "every",
     .help = "whose MMU-on flushes everything mapped"},
    {AT(recreate), .fallback = "no",
     .help = "the memory is given back at re-init, as with a new VM"},
    {AT(workers), .high = STRATEGY_WORKERS_MAX, .fallback = "0",
     .help = "threads that share the flush; each needs a core of its own"},
    {AT(chunk), .unit = UNIT_BYTES, .high = 0x1p52, .fallback = "0",
     .help = "unmaps and flushes give mmu_lock up after so much memory; 0: as the kernel does"},
    {AT(fwb), .fallback = "no", .help = "needs FEAT_S2FWB, which it uses"},
};
const size_t strategy_option_count = sizeof strategy_options / sizeof *strategy_options;

_Static_assert(sizeof strategy_options / sizeof *strategy_options == STRATEGY_KEYS,
               "each key is counted");

/* --- former names --- */

static const struct {
    const char *old, *now;
} renamed[] = {
    {"cmo_at_unmap", "reinit_unmap_cleans for the re-init's unmap, notifier_unmap_cleans for MMU "
                     "notifiers and slots"},
    {"cmo_at_fault", "fault_cleans"},
    {"unmap_leaves", "reinit_unmap = all, pages or blocks"},
    {"tlbi_whole", "reinit_tlbi = vm"},
};

const char *strategy_renamed(const char *key)
{
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++) {
        if (strcmp(renamed[i].old, key) == 0) {
            return renamed[i].now;
        }
    }
    return NULL;
}

bool strategy_set(struct strategy *strategy, const char *key, const char *text,
                  const struct source_location *at, struct error *err)
{
    const char *now = strategy_renamed(key);
    if (now) {
        return error_input(err, at, "is no key any more, expected %s", now);
    }
    return option_assign(strategy_options, strategy_option_count, "strategy", key, text, strategy,
                         at, err);
}

/* --- keys without effect --- */

static bool unmaps_nothing(const struct strategy *strategy)
{
    return strategy->reinit_unmap == UNMAP_NONE;
}

static bool flushes_nothing(const struct strategy *strategy)
{
    return strategy->flush_at == FLUSH_NONE;
}

static bool never_flushes(const struct strategy *strategy)
{
    return strategy->flush_at == FLUSH_NONE && strategy->toggle == TOGGLE_NONE;
}

static bool has_fwb(const struct strategy *strategy)
{
    return strategy->fwb;
}

#define NO_UNMAP "has no effect with reinit_unmap = none: expected all, pages or blocks there"
#define NO_FLUSH "has no effect with flush_at = none: expected each_init or first_run there"
#define NO_CLEAN "has no effect with fwb = yes, which cleans nothing: leave it out"
static const struct {
    const char *key;
    bool (*without_effect)(const struct strategy *strategy);
    const char *why;
} idle_keys[] = {
    {"reinit_unmap_cleans", unmaps_nothing, NO_UNMAP},
    {"reinit_tlbi", unmaps_nothing, NO_UNMAP},
    {"recreate", unmaps_nothing, NO_UNMAP},
    {"flush_leaves", flushes_nothing, NO_FLUSH},
    {"flush_record", flushes_nothing, NO_FLUSH},
    {"workers", flushes_nothing, NO_FLUSH},
    {"flush_by", never_flushes,
     "has no effect with flush_at = none and toggle = none: expected a flush to take it"},
    {"reinit_unmap_cleans", has_fwb, NO_CLEAN},
    {"notifier_unmap_cleans", has_fwb, NO_CLEAN},
    {"fault_cleans", has_fwb, NO_CLEAN},
    {"flush_leaves", has_fwb, NO_CLEAN},
    {"flush_record", has_fwb, NO_CLEAN},
    {"flush_by", has_fwb, NO_CLEAN},
    {"workers", has_fwb, NO_CLEAN},
    {"toggle", has_fwb, NO_CLEAN},
};

const char *strategy_without_effect(const struct strategy *strategy, const char *key)
{
    for (size_t i = 0; i < sizeof idle_keys / sizeof *idle_keys; i++) {
        if (strcmp(idle_keys[i].key, key) == 0 && idle_keys[i].without_effect(strategy)) {
            return idle_keys[i].why;
        }
    }
    return NULL;
}

struct strategy strategy_canonical(const struct strategy *strategy)
{
    struct strategy canonical = *strategy;
    struct error err;
    for (size_t i = 0; i < strategy_option_count; i++) {
        const struct option_row *row = &strategy_options[i];
        if (strategy_without_effect(strategy, row->name)) {
            bool set = option_set(row, row->fallback, &canonical, NULL, &err);
            INVARIANT(set, "the default of %s", row->name);
        }
    }
    canonical.workers = canonical.workers == 1 ? 0 : canonical.workers;
    return canonical;
}

/* --- what to know beside its cost --- */

static bool invalidates_late(const struct strategy *strategy)
{
    return !unmaps_nothing(strategy) && strategy->reinit_tlbi != REINIT_TLBI_LEAF &&
           !strategy->recreate;
}

static bool keeps_record(const struct strategy *strategy)
{
    return !flushes_nothing(strategy) &&
           (strategy->flush_record == RECORD_LEAVES || strategy->flush_record == RECORD_RANGES);
}

static bool knows_loads(const struct strategy *strategy)
{
    return !flushes_nothing(strategy) && strategy->flush_record == RECORD_LOADER;
}

static bool has_workers(const struct strategy *strategy)
{
    return !flushes_nothing(strategy) && strategy->workers > 1;
}

static bool makes_anew(const struct strategy *strategy)
{
    return strategy->recreate;
}

static bool flushes_ranges(const struct strategy *strategy)
{
    return !never_flushes(strategy) && strategy->flush_by == FLUSH_BY_RANGE;
}

static const struct {
    bool (*holds)(const struct strategy *strategy);
    const char *text;
} caveats[] = {
    {invalidates_late, "no vCPU may run during the re-init, and table pages are freed only after "
                       "the invalidation"},
    {keeps_record, "needs a complete record of all writes since the last clean, whose cost is in "
                   "here only where the workload logs"},
    {knows_loads, "the VMM must say what it wrote"},
    {has_workers, "needs idle cores, and how maintenance scales over cores is not measured"},
    {makes_anew, "what the guest left in memory is gone and the VMM must load all that it needs; "
                 "making the VM and its vCPUs is not in the cost"},
    {flushes_ranges, "how fast caches are cleaned by physical range is assumed"},
};

const char *strategy_caveat(const struct strategy *strategy, char *buf, size_t size)
{
    size_t used = (size_t)snprintf(buf, size, "%s", strategy->caveat);
    for (size_t i = 0; i < sizeof caveats / sizeof *caveats && used < size; i++) {
        if (caveats[i].holds(strategy)) {
            used += (size_t)snprintf(buf + used, size - used, "%s%s", used > 0 ? "; " : "",
                                     caveats[i].text);
        }
    }
    INVARIANT(used < size, "caveat of %s", strategy->name);
    return buf;
}

#include "kvm/strategy.h"

#include "core/error.h"
#include "kvm/kernel_change.h"

#include <string.h>

/* What Linux cleans. */
#define FAULTS_AND_NOTIFIERS_CLEAN .fault_cleans = true, .notifier_unmap_cleans = true
#define ALL_CLEAN FAULTS_AND_NOTIFIERS_CLEAN, .reinit_unmap_cleans = true

/* Eager: mappings are kept, and cleaned before the guest runs again. */
#define EAGER ALL_CLEAN, .reinit_icache = true, .flush_at = FLUSH_FIRST_RUN

const struct strategy strategy_rows[] = {
    {.name = "unmap",
     .title = "unmap-and-fault, as Linux ships it",
     .upstream = true,
     .reinit_unmap = UNMAP_ALL,
     ALL_CLEAN,
     .toggle = TOGGLE_EVERY},
    {.name = "unmap-lazy",
     .title = "unmap-and-fault, cleaning only at the fault",
     .reinit_unmap = UNMAP_ALL,
     .fault_cleans = true,
     .toggle = TOGGLE_EVERY},
    {.name = "eager",
     .title = "flush everything once, before the guest runs",
     EAGER,
     .toggle = TOGGLE_NONE},
    {.name = "eager-toggle1",
     .title = "flush everything before the guest runs, again at the first MMU-on",
     EAGER,
     .toggle = TOGGLE_FIRST},
    {.name = "eager-naive",
     .title = "flush everything in every re-init, MMU-on flushes unchanged",
     ALL_CLEAN,
     .reinit_icache = true,
     .flush_at = FLUSH_EACH_INIT,
     .toggle = TOGGLE_EVERY},
    {.name = "fwb",
     .title = "FEAT_S2FWB hardware",
     .upstream = true,
     .reinit_icache = true,
     .toggle = TOGGLE_NONE,
     .fwb = true},
    {.name = "none", .title = "nothing at re-init (control)", ALL_CLEAN, .toggle = TOGGLE_NONE},
};
const size_t strategy_count = sizeof strategy_rows / sizeof *strategy_rows;

const struct strategy strategy_more[] = {
    {.name = "unmap-toggle1",
     .title = "unmap-and-fault, only the first MMU-on flushes",
     .reinit_unmap = UNMAP_ALL,
     ALL_CLEAN,
     .toggle = TOGGLE_FIRST},
    {.name = "unmap-toggle0",
     .title = "unmap-and-fault, no MMU-on flushes",
     .reinit_unmap = UNMAP_ALL,
     ALL_CLEAN,
     .toggle = TOGGLE_NONE},
    {.name = "unmap-range",
     .title = "unmap-and-fault, TLBs invalidated by range",
     .reinit_unmap = UNMAP_ALL,
     .reinit_tlbi = REINIT_TLBI_RANGE,
     ALL_CLEAN,
     .toggle = TOGGLE_EVERY},
    {.name = "unmap-vmall",
     .title = "unmap-and-fault with one TLB invalidation of the whole VM",
     .reinit_unmap = UNMAP_ALL,
     .reinit_tlbi = REINIT_TLBI_VM,
     ALL_CLEAN,
     .toggle = TOGGLE_EVERY},
    {.name = "reinit-lazy",
     .title = "unmap-and-fault, the re-init's unmap does not clean",
     .reinit_unmap = UNMAP_ALL,
     FAULTS_AND_NOTIFIERS_CLEAN,
     .toggle = TOGGLE_EVERY},
    {.name = "reinit-lazy-range",
     .title = "the re-init's unmap does not clean, TLBs invalidated by range",
     .reinit_unmap = UNMAP_ALL,
     .reinit_tlbi = REINIT_TLBI_RANGE,
     FAULTS_AND_NOTIFIERS_CLEAN,
     .toggle = TOGGLE_EVERY},
    {.name = "reinit-lazy-vmall",
     .title = "the re-init's unmap does not clean, one TLB invalidation of the whole VM",
     .reinit_unmap = UNMAP_ALL,
     .reinit_tlbi = REINIT_TLBI_VM,
     FAULTS_AND_NOTIFIERS_CLEAN,
     .toggle = TOGGLE_EVERY},
    {.name = "reinit-lazy-vmall-toggle1",
     .title = "clear the tables, clean at the fault, only the first MMU-on flushes",
     .reinit_unmap = UNMAP_ALL,
     .reinit_tlbi = REINIT_TLBI_VM,
     FAULTS_AND_NOTIFIERS_CLEAN,
     .toggle = TOGGLE_FIRST},
    /* The pair of the note that asked the question: this one against `eager`. */
    {.name = "reinit-lazy-vmall-toggle0",
     .title = "clear the tables, clean at the fault, no MMU-on flushes",
     .reinit_unmap = UNMAP_ALL,
     .reinit_tlbi = REINIT_TLBI_VM,
     FAULTS_AND_NOTIFIERS_CLEAN,
     .toggle = TOGGLE_NONE},
    {.name = "lazy-vmall",
     .title = "clean only at the fault, one TLB invalidation of the whole VM",
     .reinit_unmap = UNMAP_ALL,
     .reinit_tlbi = REINIT_TLBI_VM,
     .fault_cleans = true,
     .toggle = TOGGLE_EVERY},
    {.name = "hybrid",
     .title = "unmap blocks, flush pages",
     .reinit_unmap = UNMAP_BLOCKS,
     .reinit_icache = true,
     .flush_at = FLUSH_FIRST_RUN,
     .flush_leaves = FLUSH_PAGES,
     .fault_cleans = true,
     .toggle = TOGGLE_NONE},
    {.name = "eager-workers",
     .title = "flush everything once, by four threads",
     EAGER,
     .workers = 4,
     .toggle = TOGGLE_NONE},
    {.name = "eager-range",
     .title = "flush everything once, by physical range",
     EAGER,
     .flush_by = FLUSH_BY_RANGE,
     .toggle = TOGGLE_NONE},
    {.name = "ranged",
     .title = "flush what the VMM or the guest wrote, to the page",
     EAGER,
     .flush_record = RECORD_RANGES,
     .toggle = TOGGLE_NONE},
    {.name = "loaded",
     .title = "flush what the VMM wrote, to the page",
     EAGER,
     .flush_record = RECORD_LOADER,
     .toggle = TOGGLE_NONE},
    {.name = "dirty-log",
     .title = "flush the leaves that a dirty log names",
     EAGER,
     .flush_record = RECORD_LEAVES,
     .toggle = TOGGLE_NONE},
    {.name = "recreate",
     .title = "a new VM on fresh memory",
     .reinit_unmap = UNMAP_ALL,
     .reinit_tlbi = REINIT_TLBI_VM,
     .recreate = true,
     FAULTS_AND_NOTIFIERS_CLEAN,
     .toggle = TOGGLE_EVERY},
};
const size_t strategy_more_count = sizeof strategy_more / sizeof *strategy_more;

const struct strategy_impossible strategy_impossible[] = {
    {"set-way", "clean the caches by set and way",
     "set/way operations reach one core's caches only, system caches ignore them, and lines move "
     "while they run"},
};
const size_t strategy_impossible_count = sizeof strategy_impossible / sizeof *strategy_impossible;

const struct strategy strategy_ideal = {
    .name = "ideal",
    .title = "no maintenance (yardstick)",
    .toggle = TOGGLE_NONE,
    .fwb = true,
    .ideal = true,
};

/* In the words of the field. TLBI: an invalidation of TLBs. */
static const char *const briefs[][2] = {
    {"unmap", "what Linux does"},
    {"unmap-lazy", "lazy unmap, of notifiers too"},
    {"eager", "one flush up front"},
    {"eager-toggle1", "a flush up front and at the first MMU-on"},
    {"eager-workers", "one flush by four threads"},
    {"eager-range", "one flush by physical range"},
    {"fwb", "FWB"},
    {"unmap-toggle1", "unmap, one MMU-on flush"},
    {"unmap-toggle0", "unmap, no MMU-on flush"},
    {"unmap-range", "unmap, TLBI by range"},
    {"unmap-vmall", "one-TLBI unmap"},
    {"reinit-lazy", "lazy unmap"},
    {"reinit-lazy-range", "lazy unmap, TLBI by range"},
    {"reinit-lazy-vmall", "lazy one-TLBI unmap"},
    {"reinit-lazy-vmall-toggle1", "lazy one-TLBI unmap, one MMU-on flush"},
    {"reinit-lazy-vmall-toggle0", "lazy one-TLBI unmap, no MMU-on flush"},
    {"lazy-vmall", "lazy one-TLBI unmap, of notifiers too"},
    {"ranged", "flushing what VMM and guest wrote"},
    {"loaded", "flushing what the VMM wrote"},
    {"dirty-log", "flushing what a dirty log names"},
    {"recreate", "a new VM"},
};

const char *strategy_brief(const struct strategy *strategy)
{
    for (size_t i = 0; i < sizeof briefs / sizeof *briefs; i++) {
        struct error unused;
        const struct strategy *row = strategy_find(briefs[i][0], &unused);
        if (strcmp(briefs[i][0], strategy->name) == 0 && row &&
            kernel_changes(row, strategy, NULL) == 0) {
            return briefs[i][1];
        }
    }
    return NULL;
}

const struct strategy *strategy_find(const char *name, struct error *err)
{
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; i < strategy_count + strategy_more_count; i++) {
        const struct strategy *row =
            i < strategy_count ? &strategy_rows[i] : &strategy_more[i - strategy_count];
        if (strcmp(row->name, name) == 0) {
            return row;
        }
        names[count++] = row->name;
    }
    for (size_t i = 0; i < strategy_impossible_count; i++) {
        if (strcmp(strategy_impossible[i].name, name) == 0) {
            error_input(err, NULL, "%s is no strategy: %s", name, strategy_impossible[i].reason);
            return NULL;
        }
    }
    /* Where none is near, the built-in rows are a list short enough to show. */
    char hint[512] = "";
    bool near = error_nearest(name, names, count) != NULL;
    error_suggest(hint, sizeof hint, name, names, near ? count : strategy_count);
    error_input(err, NULL, "no strategy '%s'%s", name, hint);
    return NULL;
}

/*
 * metrics - the numbers that a point comes to, each described once.
 *
 * Times are differences to the yardstick (strategy_ideal on the same workload,
 * machine, kernel and draw) where the help says "added". The parts of the
 * added boot time add up to it: on one actor exactly, and `part_waits_ns` is
 * then what was waited. Where actors overlap, the parts are their busy times
 * and part_waits_ns is what is left: waiting, less what went on side by side.
 */
#ifndef S2FLUSH_STUDY_METRICS_H
#define S2FLUSH_STUDY_METRICS_H

#include "study/stats.h"
#include "study/trial.h"

/* X(name, unit, kind, help). PART: of the added boot time, in the order of
 * enum part. TIME: by draw. COUNT: the same for all draws. */
#define METRIC_TABLE(X)                                                                          \
    X(added_boot_ns, "ns", TIME, "added from the first re-init call to the end of the timeline") \
    X(part_lines_unmap_ns, "ns", PART, "clean+invalidate of what is unmapped, with its DSBs")    \
    X(part_lines_fault_ns, "ns", PART, "clean+invalidate at stage-2 faults")                     \
    X(part_lines_flush_ns, "ns", PART, "clean+invalidate by the strategy's own flush")           \
    X(part_lines_toggle_ns, "ns", PART, "clean+invalidate at MMU on or off and for set/way")     \
    X(part_tlbi_ns, "ns", PART, "TLB invalidation")                                              \
    X(part_fault_path_ns, "ns", PART, "exits and software of stage-2 faults, table pages")       \
    X(part_unmap_path_ns, "ns", PART, "re-init and unmap software")                              \
    X(part_flush_path_ns, "ns", PART, "walks of the flushes, chunks that end")                   \
    X(part_icache_ns, "ns", PART, "I-cache invalidation")                                        \
    X(part_refetch_ns, "ns", PART, "guest lines fetched from memory again")                      \
    X(part_uncached_ns, "ns", PART, "guest accesses past the caches, MMU off")                   \
    X(part_traps_ns, "ns", PART, "trapped register writes and set/way operations")               \
    X(part_walks_ns, "ns", PART, "table reads of the hardware walker")                           \
    X(part_other_ns, "ns", PART, "all other events")                                             \
    X(part_waits_ns, "ns", PART, "waiting, less what went on side by side")                      \
    X(window_ns, "ns", TIME, "first re-init call to the end, nothing taken off")                 \
    X(cpu_ns, "ns", TIME, "busy time of all actors from the first re-init on, waits included")   \
    X(pause_ns, "ns", TIME, "longest hold of mmu_lock for write")                                \
    X(stall_p50_ns, "ns", TIME, "median time that KVM keeps a vCPU from running (kvm/stall.h)")  \
    X(stall_p99_ns, "ns", TIME, "the same, what 99 of 100 stalls do not exceed")                 \
    X(stall_max_ns, "ns", TIME, "the same, the longest")                                         \
    X(first_insn_ns, "ns", TIME, "first re-init call to the end of a vCPU's first access")       \
    X(writeback_bytes, "bytes", COUNT, "written back by maintenance from the first re-init on")  \
    X(lines, "lines", COUNT, "DC CIVAC from the first re-init on")                               \
    X(tlbi, "sequences", COUNT, "TLB invalidations from the first re-init on")                   \
    X(faults, "faults", COUNT, "stage-2 faults from the first re-init on")                       \
    X(leaves_4k, "leaves", COUNT, "leaves of the granule's size at the end")                     \
    X(leaves_2m, "leaves", COUNT, "leaves of the granule's block size at the end")               \
    X(leaves_1g, "leaves", COUNT, "leaves of 1 GiB at the end")

enum metric {
#define METRIC_ENUM(name, unit, kind, help) METRIC_##name,
    METRIC_TABLE(METRIC_ENUM)
#undef METRIC_ENUM
        METRICS
};

extern const char *const metric_name[METRICS];
extern const char *const metric_unit[METRICS];
extern const char *const metric_help[METRICS];

/* Marks the metrics that a list ("added_boot_ns, lines") names; "parts" names
 * all of the part_ ones, an empty list names all there are. False with a
 * suggestion for an unknown one. */
bool metric_select(const char *list, bool wanted[METRICS], const struct place *at,
                   struct error *err);

/* The one time that a word names, with or without its "_ns": "added_boot". False
 * where there is none, or it is a count, which is the same whatever things cost. */
bool metric_one(const char *text, const struct place *at, enum metric *metric, struct error *err);

/* Whether a draw's run can tell the metric: a run that was only priced again
 * does not know its longest lock hold, its stalls or its first instruction. */
bool metric_known(enum metric metric, const struct times *times);

/* The value of a metric. `times` and `ideal` are of one draw. */
double metric_value(enum metric metric, const struct trial *played, const struct times *times,
                    const struct times *ideal);

/* Whether the value is the same for every draw. */
bool metric_is_count(enum metric metric);

#endif

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

#include "core/units.h"
#include "study/stats.h"
#include "study/trial.h"

struct error;
struct source_location;

/* X(name, unit, kind, value, help): all there is to know of a metric.
 *
 *   kind    TIME    by draw
 *           ADDED   a difference to the yardstick
 *           PART    of the added boot time, such a difference too
 *           TAIL    the longest of what comes up often, and what comes first: by draw
 *           COUNT   the same whatever things cost
 *   value   an expression of a trial, its times and the yardstick's `ideal` times, in the words
 *           of metrics.c; NAN: the run does not know it */
#define METRIC_TABLE(X)                                                                           \
    X(added_boot_ns, "ns", ADDED, LESS_IDEAL_NS(window_ps),                                       \
      "added from the first re-init call to the end of the timeline")                             \
    PART_TABLE(METRIC_OF_PART, X)                                                                 \
    X(part_waits_ns, "ns", PART, waits_ns(times, ideal),                                          \
      "waiting, less what went on side by side")                                                  \
    X(window_ns, "ns", TIME, NS(window_ps), "first re-init call to the end, nothing taken off")   \
    X(cpu_ns, "ns", TIME, NS(cpu_ps),                                                             \
      "busy time of all actors from the first re-init on, waits included")                        \
    X(pause_ns, "ns", TAIL, NS(tail.pause_ps), "longest hold of mmu_lock for write")              \
    X(stall_p50_ns, "ns", TAIL, NS(tail.stall_p50_ps),                                            \
      "median time that KVM keeps a vCPU from running (kvm/stall.h)")                             \
    X(stall_p99_ns, "ns", TAIL, NS(tail.stall_p99_ps),                                            \
      "the same, what 99 of 100 stalls do not exceed")                                            \
    X(stall_max_ns, "ns", TAIL, NS(tail.stall_max_ps), "the same, the longest")                   \
    X(first_insn_ns, "ns", TAIL, IF_EVER_NS(tail.first_insn_ps),                                  \
      "first re-init call to the end of a vCPU's first access")                                   \
    X(writeback_bytes, "bytes", COUNT, EVENTS(writeback_bytes),                                   \
      "written back by maintenance from the first re-init on")                                    \
    X(lines, "lines", COUNT, EVENTS(lines), "DC CIVAC from the first re-init on")                 \
    X(tlbi, "sequences", COUNT, EVENTS(tlbi), "TLB invalidations from the first re-init on")      \
    X(faults, "faults", COUNT, EVENTS(faults), "stage-2 faults from the first re-init on")        \
    X(leaves_4k, "leaves", COUNT, LEAVES(PAGE), "leaves of the granule's size at the end")        \
    X(leaves_2m, "leaves", COUNT, LEAVES(BLOCK), "leaves of the granule's block size at the end") \
    X(leaves_1g, "leaves", COUNT, LEAVES(GIG), "leaves of 1 GiB at the end")

#define METRIC_OF_PART(X, name, help) \
    X(part_##name##_ns, "ns", PART, LESS_IDEAL_NS(part[PART_##name]), help)

enum metric {
#define METRIC_ENUM(name, unit, kind, value, help) METRIC_##name,
    METRIC_TABLE(METRIC_ENUM)
#undef METRIC_ENUM
        METRICS
};

extern const char *const metric_name[METRICS];
extern const char *const metric_unit[METRICS];
extern const char *const metric_help[METRICS];

/* How a value of the metric is written for people. */
enum unit metric_quantity(enum metric metric);

/* Marks the metrics that a list ("added_boot_ns, lines") names; "parts" names
 * all of the part_ ones, an empty list names all there are. False with a
 * suggestion for an unknown one. */
bool metric_select(const char *list, bool wanted[METRICS], const struct source_location *at,
                   struct error *err);

/* The one time that a word names, with or without its "_ns": "added_boot". False
 * where there is none, or it is a count, which is the same whatever things cost. */
bool metric_one(const char *text, const struct source_location *at, enum metric *metric,
                struct error *err);

/* Whether a draw's run can tell the metric: a run that was only priced again
 * does not know its longest lock hold, its stalls or its first instruction where
 * more of them differ than are kept (core/tails.h). */
bool metric_known(enum metric metric, const struct trial *played, const struct times *times);

/* Whether the yardstick's times are part of the value. */
bool metric_needs_ideal(enum metric metric);

/* Whether it is asked of a run's tail. */
bool metric_is_tail(enum metric metric);

/* Whether the value is the same for every draw. */
bool metric_is_count(enum metric metric);

/* The value of a metric. `times` and `ideal` are of one draw; `played` is looked at for counts
 * alone. */
double metric_value(enum metric metric, const struct trial *played, const struct times *times,
                    const struct times *ideal);

#endif

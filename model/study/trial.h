/*
 * trial - one run of one point, and what it comes to at other prices.
 *
 * A run in which every actor was alone whenever it was under way is a list of
 * events and nothing else: the same events happen whatever they cost. It is
 * played once, and its time at other costs is the sum of count times price.
 * Where several were at work at once, but what each of them did depends on no
 * other (core/section.h), these stretches alone are timed again step by step.
 */
#ifndef S2FLUSH_STUDY_TRIAL_H
#define S2FLUSH_STUDY_TRIAL_H

#include "core/histogram.h"
#include "core/section.h"
#include "core/tails.h"
#include "kvm/stage2.h"
#include "machine/events.h"
#include "machine/oracle.h"
#include "study/setup.h"

struct error;

struct point;

#define TRIAL_CELLS ((size_t)SITES * EVENT_KINDS)

/* Events of one kind at one site, and the part that they count for. */
struct event_count {
    enum part_id part;
    enum site site;
    enum event_kind kind;
    uint64_t n;
};

/* The longest of what came up often, in the window. */
struct tail {
    ps_t pause_ps; /* hold of mmu_lock for write */
    ps_t stall_p50_ps, stall_p99_ps, stall_max_ps; /* of vCPUs (kvm/stall.h); 0: there was none */
    ps_t first_insn_ps; /* the first access after the re-init; UINT64_MAX: never */
};

/* Events of one kind. */
struct kind_count {
    enum event_kind kind;
    uint64_t n;
};

/* Holds or stalls that are made of the same events (core/tails.h). */
struct trial_tail {
    enum tail_what what;
    uint64_t alike, times;
    size_t first; /* of the trial's tail_events */
    size_t total, once; /* as many for all of them, and as many behind those for one of them only */
};

/* What one run did; trial_free frees what is in it. */
struct trial {
    bool serial; /* no actor waited: its time is that of its events */
    struct event_count *counts; /* since the first re-init, by site and kind; none is 0 */
    size_t count;
    bool seen[EVENT_KINDS]; /* kinds that occurred at any time */
    uint64_t cleaned_before[SITES]; /* lines, before the first re-init */
    ps_t price[EVENT_KINDS]; /* with which it was played */
    bool notified; /* a notifier, or a slot that goes, has unmapped a leaf, at any time */
    uint64_t leaves[LEAF_LEVELS]; /* at the end, in all VMs */
    bool judged; /* it has verdicts */
    struct verdict verdict[READERS];
    ps_t window_ps, cpu_ps;
    struct tail tail;
    bool has_tails; /* a serial run that is priced again knows its tail from these */
    struct trial_tail *tails;
    size_t tail_count;
    struct kind_count *tail_events;
    size_t tail_event_count;
    struct section *sections; /* since the first re-init; all else is serial where there are any */
    size_t section_count;
};

/* The times of a run, or of a run at other prices. */
struct times {
    ps_t part[PARTS]; /* busy; the waits are not in it */
    ps_t window_ps, cpu_ps;
    bool has_tail; /* and then: */
    struct tail tail;
    bool priced; /* and not played at these costs */
    bool fitted; /* neither: to runs that were (study/draw_fit.h), and then: */
    double window_off_ps, cpu_off_ps; /* what the fit misses, the root of the mean square */
};

/* A setup's point on a timeline at these costs, as sim_init takes it; all of them are the
 * caller's and must outlive its use. */
struct point trial_point(const struct setup *setup, const struct timeline *timeline,
                         const double value[COSTS]);

/* Whether a point can be played, as far as that shows before. */
bool trial_possible(const struct setup *setup, const struct timeline *timeline, struct error *err);

/* Plays a point on its timeline at these costs. False where it gets stuck or cannot go on, which
 * the error says to be a simulation's; there is nothing to free then. */
bool trial_play(const struct setup *setup, const struct timeline *timeline,
                const double value[COSTS], struct trial *played, struct error *err);

/* What is asked of a run, each with all before it; to look at less takes less. */
enum trial_asked {
    TRIAL_TIMES, /* at its own costs, its tail among them */
    TRIAL_ALL_COSTS, /* what it takes to price it again: its tails and sections */
    TRIAL_VERDICTS,
};

/* The same where events cost what `price` says, and not what follows from the costs. */
bool trial_play_priced(const struct setup *setup, const struct timeline *timeline,
                       const double value[COSTS], const ps_t price[EVENT_KINDS],
                       enum trial_asked asked, struct trial *played, struct error *err);

/* Harmless on zeroed memory. */
void trial_free(struct trial *played);

/* Whether two runs come to the same in all that is reported: times, tails, leaves, verdicts. */
bool trial_same_outcome(const struct trial *a, const struct trial *b);

/* How often a kind happened at a site, in the window. */
uint64_t trial_count(const struct trial *played, enum site site, enum event_kind kind);

/* The price of each event in such a run. */
void trial_prices(const struct setup *setup, const double value[COSTS], ps_t price[EVENT_KINDS]);

/* Whether a run is its events at these costs: no actors overlapped, and no path that cores share
 * is slower than one core, which would make it wait. */
bool trial_can_reprice(const struct trial *played, const struct setup *setup,
                       const double value[COSTS], const ps_t price[EVENT_KINDS]);

/* The times of the run as it was played, at the prices it was played with. */
void trial_times(const struct trial *played, const ps_t price[EVENT_KINDS], struct times *times);

/* Whether a run may be known at other costs without playing it. */
bool trial_is_for_all_costs(const struct trial *played);

/* The times of the run at other costs; its tail, too, where there is a `stalls` to count in. False
 * where that takes playing it. */
bool trial_price(const struct trial *played, const struct setup *setup, const double value[COSTS],
                 const ps_t price[EVENT_KINDS], struct histogram *stalls, struct times *times);

/* The same of a run that is its events. */
void trial_reprice(const struct trial *played, const ps_t price[EVENT_KINDS],
                   struct histogram *stalls, struct times *times);

#endif

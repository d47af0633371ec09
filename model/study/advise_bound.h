/*
 * advise_bound - what a strategy costs at the least, from what another one did.
 *
 * A run that leaves out maintenance is shorter by no more than that maintenance took and what it
 * dropped from the caches cost again: what it waits for cannot become longer by it. So a run that
 * was played says, by its counts, below which cost no strategy gets that does the same with less.
 */
#ifndef S2FLUSH_STUDY_ADVISE_BOUND_H
#define S2FLUSH_STUDY_ADVISE_BOUND_H

#include "study/evaluate.h"

/* What may be left out, or be done otherwise. */
enum advise_spare {
    SPARE_REINIT_CLEANS,
    SPARE_NOTIFIER_CLEANS,
    SPARE_FAULT_CLEANS,
    SPARE_TOGGLE,
    SPARE_ICACHE,
    SPARE_TLBI, /* of the re-init */
    SPARE_FLUSH,
    SPARE_STATES, /* lines that another cleans before, or by several threads, are then absent */
    ADVISE_SPARES
};

/* At most how much a strategy's run would be shorter without each, in ns. */
struct advise_spares {
    double ns[ADVISE_SPARES];
};

/* Of a strategy's run at the modes. */
struct advise_spares advise_spares_of(const struct trial *trial);

/* The least by which `other` can be cheaper than `strategy`, whose run has these: at most so much,
 * in ns. INFINITY: nothing is known. */
double advise_cheaper_by(const struct strategy *strategy, const struct advise_spares *spares,
                         const struct strategy *other);

/* By how much the events of one run come to more than those of another at these prices, in ns. */
double advise_events_over(const struct trial *one, const struct trial *other,
                          const ps_t price[EVENT_KINDS]);

#endif

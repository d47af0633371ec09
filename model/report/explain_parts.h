/*
 * explain_parts - the tables of an explained run: where the time of its window
 * goes, and the ledger by phase and actor.
 */
#ifndef S2FLUSH_REPORT_EXPLAIN_PARTS_H
#define S2FLUSH_REPORT_EXPLAIN_PARTS_H

#include "report/explain.h"
#include "run/sim.h"
#include "study/trial.h"

#include <stdio.h>

/* The run and its yardstick. */
struct account {
    FILE *out;
    const struct setup *setup;
    const struct timeline *timeline;
    const struct sim *sim;
    const struct trial *played; /* the run, then the yardstick */
    const struct times *times;
    bool full;
};

/* Times stand in one unit below each other, so that they can be compared. */
#define EXPLAIN_TIME_BYTES 40
char *explain_us(ps_t ps, char buf[EXPLAIN_TIME_BYTES]);

/* One sentence on what is added, the window by part, and what was charged most in it. */
void explain_window(const struct account *account);

/* Refuses a setting that makes no difference to the run that was played: nothing that it is about
 * happens in it. */
bool explain_check_settings(const struct account *account, const struct explain_options *options,
                            const double value[COSTS], struct error *err);

/* Everything that was charged, waited and idled, by phase, actor and kind. */
void explain_ledger(const struct account *account);

#endif

/*
 * trace - every event of a simulation as a line of CSV.
 *
 *   time_ns   when it began, since the run's beginning
 *   actor     who; phase and site: where it is booked
 *   event     the kind, or what is waited for, or idle
 *   count     how many; 0: a stretch of waiting or idling
 *   ns        how long all of them take
 *   ipa,leaf  what the actor works on, and how large the leaf is: of an event that stands for
 *             several leaves the first one
 *   lock      that it holds
 */
#ifndef S2FLUSH_RUN_TRACE_H
#define S2FLUSH_RUN_TRACE_H

#include "run/sim.h"

#include <stdio.h>

/* Between sim_init and sim_run: prints every event that begins in [from, to) as a line, and
 * every stretch of waiting and idling, as the engine comes to it: an actor's lines are in the
 * order of their times. The counts and times of all lines are the ledger's. */
void trace_start(struct sim *sim, FILE *out, ps_t from, ps_t to);

#endif

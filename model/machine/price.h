/*
 * price - what one event costs on a machine.
 *
 * The formula of each kind stands in its row of EVENT_TABLE (events.h): the platform's costs,
 * and for software the length of its path [insns] x kernel_cpi / clock.
 *
 * Path lengths belong to the kernel (kvm/paths.c) and come in as an array, so that the machine
 * knows nothing of kernels: not a number for a kind that has none, which no formula may ask for.
 */
#ifndef S2FLUSH_MACHINE_PRICE_H
#define S2FLUSH_MACHINE_PRICE_H

#include "core/units.h"
#include "machine/events.h"
#include "machine/platform.h"

/* Fills price[EVENT_KINDS], in ps per event, from drawn cost values and instructions per
 * event. */
void price_events(const struct platform *platform, const double value[COSTS],
                  const double insns[EVENT_KINDS], ps_t price[EVENT_KINDS]);

/* The same in ns and not rounded, for counts that are priced without being played. */
void price_events_ns(const struct platform *platform, const double value[COSTS],
                     const double insns[EVENT_KINDS], double price[EVENT_KINDS]);

/* What the paths that all cores share take at least for so much: maintenance of lines, their
 * write-back, clearing. The model's error is in them as in the price of one core. */
double price_cmo_path_ns(const double value[COSTS], uint64_t lines);
double price_writeback_ns(const double value[COSTS], uint64_t bytes);
double price_zero_path_ns(const double value[COSTS], uint64_t bytes);

/* For how long broadcast invalidations that take a core so long keep the next core's from
 * beginning. What is left of them overlaps with that: answers on their way back, the sender's
 * barriers and its change of VMID. */
ps_t price_tlbi_path(const double value[COSTS], ps_t alone_ps);

/* The share of the CMO path that maintenance of these lines uses at the speed
 * of one core: the larger of its lines over the path's line rate and its
 * write-back over the shared bandwidth, relative to `alone_ps`. 0 for 0 ps. */
double price_cmo_weight(const double value[COSTS], uint64_t lines, uint64_t writeback_bytes,
                        ps_t alone_ps);

/* The same for clearing fresh pages on the zeroing path. */
double price_zero_weight(const double value[COSTS], uint64_t bytes, ps_t alone_ps);

#endif

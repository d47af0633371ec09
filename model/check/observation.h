/*
 * observation - one measured value, and what the model says it should be at given costs.
 *
 * Of a benchmark (a row of bench/published/) the time is played; a row of `probe machine`
 * (costs per line, latency, bandwidths) follows from the costs in closed form; a phase of
 * `probe vm --times` was played once, and its events are priced.
 */
#ifndef S2FLUSH_CHECK_OBSERVATION_H
#define S2FLUSH_CHECK_OBSERVATION_H

#include "machine/platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct published;

enum observed {
    PROBE_ABSENT, /* one line's maintenance, by where the line was */
    PROBE_CLEAN,
    PROBE_DIRTY,
    PROBE_LATENCY,
    PROBE_WRITE, /* bandwidth of one core */
    PROBE_WRITE_ALL, /* of as many as there are */
    PROBE_COPY,
    PROBE_EXIT, /* a trap to the host and back */
    PROBE_KINDS,
    OBSERVED_BENCHMARK = PROBE_KINDS,
    OBSERVED_PHASE /* of a VM */
};

struct observation {
    char name[96]; /* for the report */
    double measured; /* ps for a benchmark, ns for a phase, else as the probe has it */
    double p10, p90; /* 0: not given */
    double off; /* relative standard deviation */
    enum observed kind;
    const struct published *row; /* of a benchmark, else NULL */
    uint64_t cores, bytes, line_bytes; /* of a probe's row */
    const uint64_t *events; /* [EVENT_KINDS] of a phase, */
    const struct platform *machine; /* and what it ran on */
};

/* What it should be, in the unit of what was measured. False where a benchmark gets stuck. */
bool observation_predict(const struct observation *seen, const double value[COSTS], double *result,
                         struct error *err);

/* Costs that are fitted to observations: what least_squares.h calls the context. A point is
 * their logarithms; the residuals are the observations', then those of the costs' priors. */
struct observation_fit {
    const struct observation *rows;
    size_t count;
    enum cost_id id[COSTS];
    size_t costs;
    const struct platform *priors; /* whose priors are measurements, too; NULL: none are */
    double value[COSTS]; /* of the costs that are not fitted */
};
bool observation_residuals(void *fit, const double *x, double *residual, struct error *err);

#endif

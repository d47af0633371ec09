/*
 * calibrate - a machine's unit costs from measurements on it.
 *
 * Measurements are rows of one of three formats. Rows of bench/published/ (times of
 * benchmarks, of role fit) are played by the model; rows of `probe machine`
 * (costs per line, latency, bandwidths) follow from the costs in closed form; the
 * phases of `probe vm --times` are played once and priced at any costs.
 * All rows of a file are fitted at once: nonlinear least squares in the logarithm
 * of the costs and of the measurements, each row in units of what it may be off.
 *
 * Costs that no row depends on, or whose effects the rows cannot tell apart, are
 * never given a value: that names them and says why.
 */
#ifndef S2FLUSH_CHECK_CALIBRATE_CALIBRATE_H
#define S2FLUSH_CHECK_CALIBRATE_CALIBRATE_H

#include "check/counts/counts.h"
#include "check/published.h"

#include <stdio.h>

struct error;

/* What a row of a probe measures. */
enum probe_kind {
    PROBE_ABSENT, /* one line's maintenance, by where the line was */
    PROBE_CLEAN,
    PROBE_DIRTY,
    PROBE_LATENCY,
    PROBE_WRITE, /* bandwidth of one core */
    PROBE_WRITE_ALL, /* of as many as there are */
    PROBE_COPY,
    PROBE_KINDS
};

/* One measured value. */
struct observation {
    char name[96]; /* for the report */
    double measured; /* ps for a benchmark, ns for a VM's phase, else as the probe has it */
    double p10, p90; /* 0: not told */
    double off; /* relative standard deviation */
    const struct published *row; /* a benchmark; NULL: a probe's row, and below: */
    enum probe_kind kind;
    uint64_t cores, bytes, line_bytes;
    /* A phase of a VM: what happened in it, on what; else NULL. */
    const uint64_t *events; /* [EVENT_KINDS] */
    const struct platform *machine;
};

/* What was measured on one machine. */
struct measurements {
    const char *path;
    struct observation *rows;
    size_t count, passed_over; /* rows that no cost follows from, or not of role fit */
    char refusal[256]; /* the first row that the model cannot express; "": none */
    struct published_set published;
    struct counts counts; /* a table of times: its VMs, played */
    const struct counts_cpu *machine; /* on which they ran; NULL: no such table */
    /* What a probe says of the machine itself; 0: nothing. */
    double clock_ghz;
    uint64_t cores, line_bytes;
    /* Whether cores together were clearly slower than one, so that a shared path
     * was full; and the limit that the fullest row sets, full or not. */
    bool cmo_path_full, writeback_full;
    double cmo_path_most_ns, writeback_least_gbps;
    double start[COSTS]; /* where the search begins; 0: where the base is */
    bool probe;
};

/* Reads a file of any format; the first line tells which. `base` is what the machine is
 * taken to be like: what its caches hold (larger buffers cannot be clean or dirty in
 * them, and are passed over unless `any_size`), and, for a VM's phases on a CPU that has no record,
 * what it can do. */
bool measurements_read(const char *path, const struct platform *base, bool any_size,
                       struct measurements *found, struct error *err);
void measurements_free(struct measurements *found);

/* What a phase of a VM should take at these costs, in ns. */
double observation_timed_ns(const struct observation *seen, const double value[COSTS]);

/* What any row should say, in the unit of what it measured. False where a benchmark
 * gets stuck. */
bool observation_says(const struct observation *seen, const double value[COSTS], double *result,
                      struct error *err);

/* Fits nothing: writes what a platform's modes say of every row, as CSV. */
bool measurements_check(const struct measurements *found, const struct platform *platform,
                        FILE *out, struct error *err);

struct calibration {
    enum cost_id id[COSTS]; /* fitted */
    double value[COSTS], before[COSTS];
    double standard_error[COSTS]; /* of the logarithm */
    double correlation[COSTS][COSTS]; /* by place in id */
    bool direct[COSTS]; /* one row says it, with its own spread */
    double low[COSTS], high[COSTS];
    /* By cost: the rows do not tell it apart from another. One of them takes part in the
     * search, so that the rest come out right, and none is given a value. */
    bool shared[COSTS];
    size_t costs, rows;
    double worst_pct; /* largest residual */
    size_t worst_row;
    /* Costs that were to be fitted where the rows allow it, and why they were not. */
    char left[COSTS][200];
    size_t left_count;
};

/* Fits the costs named, or (none named) those that the rows of a probe can tell (of a
 * VM's phases: better than the base's range, and that the base does not mark as
 * measured), or that the base marks as fitted. A named cost that the rows do not tell is
 * bad input. */
bool calibrate(const struct measurements *found, const struct platform *base,
               const enum cost_id *named, size_t named_count, struct calibration *fit,
               struct error *err);

/* The base with the fitted costs in it, their sources naming the file, and shared
 * paths that were not fitted within the limits that the rows set; `name` is
 * the platform's new one. */
void calibration_apply(const struct calibration *fit, const struct measurements *found,
                       const struct platform *base, const char *name, struct platform *result);

/* Values, errors, correlations, what was left; for people. */
void calibration_tell(const struct calibration *fit, const struct measurements *found,
                      const struct platform *base, FILE *out);

#endif

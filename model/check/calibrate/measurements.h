/*
 * measurements - what was measured on one machine, read from a file: a table with rows of
 * bench/published/, of `probe machine` or of `probe vm --times`, or a benchmark's output as it
 * was printed (benchtext.h).
 */
#ifndef S2FLUSH_CHECK_CALIBRATE_MEASUREMENTS_H
#define S2FLUSH_CHECK_CALIBRATE_MEASUREMENTS_H

#include "check/counts/counts.h"
#include "check/observation.h"
#include "check/published/published.h"

#include <stdio.h>

struct error;

/* What a line of a benchmark's output was used for. */
struct measurements_use {
    unsigned line;
    char what[96], use[80];
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
    double cmo_path_max_ns, writeback_min_gbps;
    double start[COSTS]; /* where the search begins; 0: where the base is */
    /* A busy machine: rows of which the samples' 90th percentile is much more than the 10th, and
     * the worst of them. Another architecture's: its instruction. */
    size_t noisy;
    char noisiest[96];
    double noisiest_times;
    const char *foreign; /* NULL: Arm's own */
    bool probe; /* rows of a probe, or figures of the same kind */
    bool selftest; /* times of KVM's selftests, as they printed them */
    struct measurements_use *uses; /* of such an output */
    size_t use_count;
};

/* Reads a file of any format; the first line tells which. `base` is what the machine is
 * taken to be like: what its caches hold (larger buffers cannot be clean or dirty in
 * them, and are passed over unless `any_size`), and, for a VM's phases on a CPU that has no record,
 * what it can do. `kernel` is what the output of a selftest does not say (benchtext.h); NULL: not
 * given. */
bool measurements_read(const char *path, const struct platform *base, const char *kernel,
                       bool any_size, struct measurements *found, struct error *err);
void measurements_free(struct measurements *found);

/* Whether the file is the output of a benchmark and no table. False with one line where it cannot
 * be read. */
bool measurements_is_output(const char *path, bool *output, struct error *err);

/* Appends the times of a selftest's output as rows to predict, of the machine and kernel on which
 * it ran; NULL where they were not given, which is refused. */
bool measurements_take_times(const char *path, const struct platform *machine, const char *kernel,
                             struct published_set *set, struct error *err);

/* Fits nothing: writes what a platform's modes say of every row, as CSV. */
bool measurements_check(const struct measurements *found, const struct platform *platform,
                        FILE *out, struct error *err);

/* --- what the files behind this share --- */

/* Makes room for one more row, all zero. */
struct observation *measurements_row(struct measurements *found);

/* A cell that must be a number above 0; a blank one is 0 where none is needed. */
bool measurements_number(const struct csv *table, size_t row, const char *column, bool needed,
                         double *value, struct error *err);

/* The cells of the 10th and the 90th percentile, in order; 0: blank. */
bool measurements_spread(const struct csv *table, size_t row, const char *low, const char *high,
                         double *p10, double *p90, struct error *err);

/* Counts a row whose samples differ by much, and keeps the worst. */
void measurements_note_noise(struct measurements *found, const struct observation *seen);

/* What a median is off by, relative, given the percentiles of its samples. */
double measurements_off(double median, double p10, double p90);

/* The rows of `probe vm --times`. */
bool measurements_read_times(const char *path, const struct platform *base,
                             struct measurements *found, struct error *err);

/* The rows of `probe machine`. Also what their flushes say of shared paths, and where the search
 * begins. */
bool measurements_read_probe(const struct csv *table, uint64_t cache_bytes,
                             struct measurements *found, struct error *err);

/* Of a path that cores share: the limit that the rows set where none waits for it, in words.
 * False where they set none, or it is no such path. */
bool measurements_path_limit(const struct measurements *found, enum cost_id id, char *why,
                             size_t size);

#endif

/*
 * measurements - files of measurements for tests: a machine as a probe sees it,
 * and rows of benchmarks.
 */
#ifndef S2FLUSH_TESTS_MEASUREMENTS_H
#define S2FLUSH_TESTS_MEASUREMENTS_H

#include "check.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check/calibrate/calibrate.h"
#include "core/error.h"
#include "core/rng.h"

static inline const char *path_of(const char *name)
{
    static char paths[4][4096];
    static int turn;
    char *path = paths[turn++ % 4];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof paths[0], "%s/%s-%ld", folder ? folder : "/tmp", name, (long)getpid());
    return path;
}

static inline struct platform base_of(const char *name)
{
    struct platform platform;
    struct error err = {0};
    if (!published_host(name, &platform, &err)) {
        fail_msg("%s", err.text);
    }
    return platform;
}

static inline struct measurements read_back(const char *path)
{
    struct measurements found;
    struct platform base = base_of("neoverse-n1");
    struct error err = {0};
    if (!measurements_read(path, &base, NULL, false, &found, &err)) {
        fail_msg("%s", err.text);
    }
    return found;
}

struct truth {
    double absent, clean, dirty, dsb, path, writeback;
};

static const struct truth machine = {6.2, 1.4, 2.3, 140, 0.9, 45};

static inline void put_row(FILE *out, gsl_rng *rng, const char *quantity, const char *state,
                           int cores, unsigned long bytes, double value)
{
    double seen = value * (1 + 0.02 * (gsl_rng_uniform(rng) - 0.5));
    fprintf(out, "%s,%s,%d,%lu,%.6g,ns,9,%.6g,%.6g,%.6g\n", quantity, state, cores, bytes, seen,
            seen, seen * 0.98, seen * 1.02);
}

/* Flushes by up to `most` cores; a line takes its time alone, or of the path. */
static inline void put_flushes(FILE *out, gsl_rng *rng, const struct truth *truth,
                               const char *state, int most)
{
    double line = truth->absent, path = truth->path;
    line *= strcmp(state, "absent") != 0 ? truth->clean : 1;
    line *= strcmp(state, "dirty") == 0 ? truth->dirty : 1;
    path = strcmp(state, "dirty") == 0 ? fmax(path, 64 / truth->writeback) : path;
    for (int cores = 1; cores <= most; cores *= 2) {
        for (unsigned long bytes = 4096; bytes <= 1UL << 20; bytes *= 16) {
            double each = fmax(line, cores * path) + truth->dsb * 64 / (double)bytes;
            put_row(out, rng, "dc_civac", state, cores, bytes, each);
        }
    }
}

static inline const char *probe_file(const struct truth *truth, int most, bool clean)
{
    const char *path = path_of("probe.csv");
    gsl_rng *rng = gsl_rng_alloc(rng_xoshiro256ss);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    rng_stream(rng, 11, 0, 0, 0);
    fputs("quantity,state,cores,bytes,value,unit,n,median,p10,p90\n"
          "cores,,1,0,48,count,1,48,48,48\nclock,,1,0,2.5e+09,hz,9,2.5e+09,2.5e+09,2.5e+09\n"
          "timer,,1,0,25000000,hz,1,25000000,25000000,25000000\n",
          out);
    put_row(out, rng, "mem_latency", "chase", 1, 16384, 2);
    put_row(out, rng, "mem_latency", "chase", 1, 1UL << 28, 95);
    put_row(out, rng, "mem_bandwidth", "read", 1, 1UL << 26, 14);
    put_row(out, rng, "mem_bandwidth", "write", 1, 1UL << 26, 11);
    put_row(out, rng, "mem_bandwidth", "write", 32, 1UL << 26, 70);
    put_flushes(out, rng, truth, "absent", most);
    put_flushes(out, rng, truth, "dirty", most);
    if (clean) {
        put_flushes(out, rng, truth, "clean", most);
    }
    gsl_rng_free(rng);
    assert_int_equal(fclose(out), 0);
    return path;
}

#define HEADER                                                                        \
    "table,row,benchmark,phase,host,kernel,overrides,backing,bytes,vcpus,value,unit," \
    "role,source\n"

static inline const char *benchmark_file(const char *name, const char *rows)
{
    const char *path = path_of(name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "%s%s", HEADER, rows);
    assert_int_equal(fclose(out), 0);
    return path;
}

#define TIMES "kernel,cpu,fwb,case,page,mem_mib,slot_offset_bytes,vcpus,phase,op,n,median_ns\n"

#define UNMAP(row, kernel, backing, bytes, role)                                    \
    "t," row ",page_table,unmap,neoverse-n1," kernel ",," backing "," bytes ",1,1," \
    "ms," role ",x\n"

#endif

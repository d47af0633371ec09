/*
 * benchtext - the output of other programs' benchmarks, as they print it, as observations.
 *
 * Read are kvm_page_table_test and dirty_log_perf_test (Linux, tools/testing/selftests/kvm),
 * micro-bench (kvm-unit-tests, arm/micro-bench.c), tinymembench, sbc-bench (which runs it once for
 * each cluster) and lmbench (lat_mem_rd and its memory bandwidths). Lines may be led by blanks,
 * '#' (TAP) or '>' (mail). What a line was used for is kept for the report.
 */
#ifndef S2FLUSH_CHECK_CALIBRATE_BENCHTEXT_H
#define S2FLUSH_CHECK_CALIBRATE_BENCHTEXT_H

#include "check/calibrate/measurements.h"

/* Whether the text is no table but such an output, or one that no cost follows from. */
bool benchtext_is(const char *text);

/* Refuses an output of which nothing is made, and says what it is. */
bool benchtext_check(const char *path, const char *text, struct error *err);

/* Reads it. `base` is the machine that it is taken to have run on, `kernel` the kernel (NULL: not
 * given; the selftests need it, for their output does not say). */
bool benchtext_read(const char *path, char *text, const struct platform *base, const char *kernel,
                    struct measurements *found, struct error *err);

#endif

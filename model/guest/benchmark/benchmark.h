/*
 * benchmark - KVM's own benchmarks as timelines.
 *
 * kvm_page_table_test: every vCPU goes through the same region, page by page.
 *   create  the first 8 bytes of each page; even vCPUs write, odd ones read
 *   update  dirty logging is on: each small page is written, or each huge page
 *           is written once and the upper half of its small pages is read
 *   adjust  logging is off again: every small page is read
 *   unmap   the VM is freed: its slots are deleted and their memory is given back (the guest's
 *           own pages too), its vCPUs and itself are closed
 * dirty_log_perf_test: every vCPU has a region of its own, filled beforehand.
 *   populate  it is filled: the first write to every page
 *   protect logging goes on
 *   dirty   a write every `stride` bytes while logging is on
 *   again   the same once more, after what was written has been protected again
 *   get     the VMM takes the log of what was written (KVM_GET_DIRTY_LOG; nothing is protected)
 *   clear   and has it protected again (KVM_CLEAR_DIRTY_LOG)
 * teardown: a VM whose memory is mapped ends.
 *   exit    the VMM's process goes: stage 2 is freed, the memory is given back
 *   walk    the first of these alone
 * start_log, traverse and what else has been published is no timeline here.
 *
 * What the guest's page-table walker touches is part of it: one table page for
 * each 2 MiB of its addresses, written by the VMM beforehand and mapped in stage 2
 * as any other page.
 */
#ifndef S2FLUSH_GUEST_BENCHMARK_BENCHMARK_H
#define S2FLUSH_GUEST_BENCHMARK_BENCHMARK_H

#include "guest/timeline.h"

struct error;

enum benchmark_kind { BENCHMARK_PAGE_TABLE, BENCHMARK_DIRTY_LOG, BENCHMARK_TEARDOWN, BENCHMARKS };

enum benchmark_phase {
    BENCHMARK_CREATE,
    BENCHMARK_UPDATE,
    BENCHMARK_ADJUST,
    BENCHMARK_UNMAP,
    BENCHMARK_POPULATE,
    BENCHMARK_PROTECT,
    BENCHMARK_DIRTY,
    BENCHMARK_AGAIN,
    BENCHMARK_GET,
    BENCHMARK_CLEAR,
    BENCHMARK_EXIT,
    BENCHMARK_WALK,
    BENCHMARK_PHASES
};

extern const char *const benchmark_name[BENCHMARKS + 1]; /* NULL-terminated */
extern const char *const benchmark_phase_name[BENCHMARK_PHASES + 1];

struct benchmark {
    enum benchmark_kind kind;
    enum benchmark_phase phase; /* the one that is timed */
    enum backing backing;
    uint64_t bytes; /* of the region: shared, or of each vCPU */
    uint32_t vcpus;
    uint64_t stride; /* dirty: distance of the writes */
    bool eager_split; /* blocks are split when logging goes on */
};

/* Whether this is a benchmark that can be built; the reason in err where not. */
bool benchmark_check(const struct benchmark *benchmark, struct error *err);

/* What repeats in it: the smallest size of region that shows the pattern. */
uint64_t benchmark_unit(const struct benchmark *benchmark);

/* The benchmark on a region of `bytes`, a multiple of the unit, in place of its
 * own. *timed is the phase whose length the VMM measures: its script's clock
 * from when it wakes the vCPUs to when the last one is done. */
void benchmark_build(const struct benchmark *benchmark, uint64_t bytes, struct timeline *timeline,
                     uint32_t *timed);

#endif

/* What a random case comes to where it is played, and how far two such are apart. */
#include "random_outcome.h"
#include "core/error.h"
#include "core/invariant.h"

#include <stdlib.h>
#include <string.h>

const char *const measure_name[MEASURES] = {"states", "hits", "retries", "times"};

const enum measure measure_of[OUTCOME_VALUES] = {STATES,  STATES, STATES, HITS, RETRIES,
                                                 RETRIES, TIMES,  TIMES,  TIMES};

/* --- one run --- */

static uint64_t faults_of(const uint64_t counts[EVENT_KINDS])
{
    uint64_t faults = 0;
    for (int kind = EV_data_tr_w; kind <= EV_code_faults; kind++) {
        faults += counts[kind];
    }
    return faults;
}

static void take_values(struct random_outcome *of, const struct sim *sim)
{
    const uint64_t *n = of->counts;
    double lines = (double)(n[EV_line_absent] + n[EV_line_clean] + n[EV_line_dirty]);
    double faults = (double)faults_of(n);
    double times[] = {(double)sim->end_ps, (double)sim_window_ps(sim), (double)sim_cpu_ps(sim)};
    const double value[OUTCOME_VALUES] = {(double)n[EV_line_absent],
                                          (double)n[EV_line_clean],
                                          (double)n[EV_line_dirty],
                                          (double)n[EV_guest_hits],
                                          (double)n[EV_fault_retries],
                                          (double)n[EV_lost_maps],
                                          times[0],
                                          times[1],
                                          times[2]};
    const double whole[OUTCOME_VALUES] = {
        lines,    lines,
        lines,    (double)(n[EV_guest_hits] + n[EV_guest_misses] + n[EV_guest_remote]),
        faults,   faults,
        times[0], times[1],
        times[2]};
    memcpy(of->value, value, sizeof value);
    memcpy(of->whole, whole, sizeof whole);
}

void random_case_play(const struct random_case *of, bool leafwise, bool lines,
                      struct random_outcome *outcome)
{
    struct point point = random_case_point(of, leafwise);
    struct sim *sim = malloc(sizeof *sim);
    struct error err = {0};
    sim_init(sim, &point);
    if (leafwise != lines) {
        for (uint64_t i = 0; i < of->platform.sockets; i++) {
            cache_free(sim->cache[i]);
            sim->cache[i] = cache_new(lines, of->platform.cache_bytes / of->platform.sockets,
                                      of->platform.cache_ways, of->platform.line_bytes,
                                      4 * timeline_intervals(&of->timeline));
            sim->memory.sockets.cache[i] = sim->cache[i];
        }
    }
    INVARIANT(sim_run(sim, &err), "a random case gets stuck: %s", err.text);
    for (uint32_t kind = 0; kind < EVENT_KINDS; kind++) {
        outcome->counts[kind] = sim_count(sim, LEDGER_ALL, LEDGER_ALL, (enum event_kind)kind);
    }
    take_values(outcome, sim);
    memcpy(outcome->verdict, sim->memory.oracle.verdict, sizeof outcome->verdict);
    outcome->waited = sim->engine.overlapped ||
                      ledger_waited(&sim->ledger, LEDGER_ALL, LEDGER_ALL, LEDGER_ALL) > 0;
    sim_free(sim);
    free(sim);
}

/* --- two runs --- */

static double difference(const struct random_outcome *a, const struct random_outcome *b, int i)
{
    double by = a->value[i] > b->value[i] ? a->value[i] - b->value[i] : b->value[i] - a->value[i];
    double whole = a->whole[i] > b->whole[i] ? a->whole[i] : b->whole[i];
    return whole > 0 ? by / whole : 0;
}

void outcome_differences(const struct random_outcome *a, const struct random_outcome *b,
                         double by[MEASURES])
{
    memset(by, 0, MEASURES * sizeof *by);
    for (int i = 0; i < OUTCOME_VALUES; i++) {
        double now = difference(a, b, i);
        by[measure_of[i]] = now > by[measure_of[i]] ? now : by[measure_of[i]];
    }
}

static bool of_the_cache(int kind)
{
    return kind == EV_line_absent || kind == EV_line_clean || kind == EV_line_dirty ||
           kind == EV_writeback_bytes || kind == EV_guest_hits || kind == EV_guest_misses ||
           kind == EV_guest_remote;
}

/* What actors do whenever they come to do it. */
static bool of_the_timeline(int kind)
{
    return kind == EV_reinits || kind == EV_toggle_traps || kind == EV_setway_traps ||
           kind == EV_guest_insns || kind == EV_compute_ps || kind == EV_vmm_bytes ||
           kind == EV_mmio_exits || kind == EV_uncached || kind == EV_unmap_vm_calls;
}

int outcome_unequal(const struct random_outcome *a, const struct random_outcome *b, bool waited,
                    bool one_cache)
{
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        bool free_of_both = waited ? of_the_timeline(kind) : one_cache || !of_the_cache(kind);
        if (free_of_both && a->counts[kind] != b->counts[kind]) {
            return kind;
        }
    }
    return EVENT_KINDS;
}

bool outcome_same_verdicts(const struct random_outcome *a, const struct random_outcome *b,
                           bool waited)
{
    bool same = true;
    for (int reader = 0; reader < READERS; reader++) {
        const struct verdict *x = &a->verdict[reader], *y = &b->verdict[reader];
        same &= x->outcome == y->outcome;
        same &= waited ||
                (x->lines_read == y->lines_read && x->lines_stale == y->lines_stale &&
                 x->lines_conditional == y->lines_conditional && x->conditions == y->conditions);
    }
    return same;
}

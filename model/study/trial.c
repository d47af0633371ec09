#include "study/trial.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/guard.h"
#include "core/invariant.h"
#include "kvm/stall.h"
#include "machine/price.h"
#include "run/sim.h"

#include <stdlib.h>
#include <string.h>

/* Beyond every IPA. */
#define IPA_END (UINT64_C(1) << 52)

/* --- playing --- */

/* What one VM has at the end. */
static void take_vm(struct kvm *kvm, struct trial *played)
{
    struct leaves run;
    uint64_t at = 0;
    while (stage2_next(&kvm->stage2, at, IPA_END, &run)) {
        played->leaves[run.level] +=
            (run.end - run.start) / kvm->stage2.geometry.leaf_bytes[run.level];
        at = run.end;
    }
    played->notified |= kvm->notified;
    if (kvm->mmu_lock.longest_write_ps > played->tail.pause_ps) {
        played->tail.pause_ps = kvm->mmu_lock.longest_write_ps;
    }
}

/* Pricing again goes by what there is, over and over. */
static void take_counts(const struct sim *sim, struct trial *played)
{
    size_t count = 0;
    for (size_t i = 0; i < TRIAL_CELLS; i++) {
        played->seen[i % EVENT_KINDS] |= sim->window[i] + sim->before[i] > 0;
        count += sim->window[i] > 0;
    }
    for (size_t site = 0; site < SITES; site++) {
        const uint64_t *before = sim->before + site * EVENT_KINDS;
        played->cleaned_before[site] =
            before[EV_line_absent] + before[EV_line_clean] + before[EV_line_dirty];
    }
    played->counts = alloc_zeroed(count, sizeof *played->counts, "counts of a run");
    for (size_t i = 0; i < TRIAL_CELLS; i++) {
        enum site site = (enum site)(i / EVENT_KINDS);
        enum event_kind kind = (enum event_kind)(i % EVENT_KINDS);
        if (sim->window[i] > 0) {
            played->counts[played->count++] =
                (struct event_count){event_part(kind, site), site, kind, sim->window[i]};
        }
    }
}

static void take_stalls(const struct histogram *stalls, struct tail *tail)
{
    tail->stall_p50_ps = histogram_quantile(stalls, 0.5);
    tail->stall_p99_ps = histogram_quantile(stalls, 0.99);
    tail->stall_max_ps = stalls->max;
}

/* The counts that are not 0, behind those that are there. */
static size_t take_kinds(const uint64_t *counts, struct trial *played)
{
    size_t before = played->tail_event_count;
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        if (counts[kind] > 0) {
            played->tail_events[played->tail_event_count++] =
                (struct kind_count){(enum event_kind)kind, counts[kind]};
        }
    }
    return played->tail_event_count - before;
}

static void take_tails(const struct tails *tails, struct trial *played)
{
    size_t events = 0;
    for (size_t i = 0; i < 2 * tails->count * EVENT_KINDS; i++) {
        events += tails->counts[i] > 0;
    }
    played->has_tails = true;
    played->tails = alloc_raw(tails->count, sizeof *played->tails, "holds and stalls of a run");
    played->tail_events =
        alloc_raw(events, sizeof *played->tail_events, "holds and stalls of a run");
    for (size_t i = 0; i < tails->count; i++) {
        const struct tail_kind *own = &tails->tail[i];
        struct trial_tail *tail = &played->tails[played->tail_count++];
        *tail = (struct trial_tail){.what = own->what,
                                    .alike = own->alike,
                                    .times = own->times,
                                    .first = played->tail_event_count};
        tail->total = take_kinds(tails->counts + own->total, played);
        tail->once = take_kinds(tails->counts + own->once, played);
    }
}

/* They are the trial's from here on. */
static void take_sections(struct sections *sections, struct trial *played)
{
    played->sections = sections->section;
    played->section_count = sections->count;
    *sections = (struct sections){0};
}

static void take_results(struct sim *sim, struct trial *played)
{
    played->serial = !sim->engine.overlapped && sim->sections.count == 0;
    if (!sim->engine.overlapped) {
        take_sections(&sim->sections, played);
    }
    take_counts(sim, played);
    for (uint32_t i = 0; i < sim->point->timeline->vm.copies; i++) {
        take_vm(sim_vm(sim, i), played);
    }
    take_stalls(&sim->stalls, &played->tail);
    if (played->serial && sim->engine.tails && !sim->tails.full) {
        take_tails(&sim->tails, played);
    }
    memcpy(played->price, sim->price, sizeof played->price);
    played->judged = !sim->point->unjudged;
    memcpy(played->verdict, sim->memory.oracle.verdict, sizeof played->verdict);
    played->window_ps = sim_window_ps(sim);
    played->cpu_ps = sim_cpu_ps(sim);
    bool reached = sim->first_insn_ps != UINT64_MAX && sim->reinit_ps != UINT64_MAX;
    played->tail.first_insn_ps = reached ? sim->first_insn_ps - sim->reinit_ps : UINT64_MAX;
}

struct point trial_point(const struct setup *setup, const struct timeline *timeline,
                         const double value[COSTS])
{
    return (struct point){.timeline = timeline,
                          .platform = &setup->platform,
                          .value = value,
                          .kernel = &setup->kernel,
                          .strategy = setup->strategy,
                          .exact = setup->exact,
                          .preemptible = setup->preemptible,
                          .tails = true};
}

bool trial_possible(const struct setup *setup, const struct timeline *timeline, struct error *err)
{
    struct point point = trial_point(setup, timeline, NULL);
    return sim_possible(&point, err);
}

/* One simulation under way. */
struct play {
    const struct point *point;
    struct sim *sim;
    struct trial *played;
    struct error *err;
    bool begun, good;
};

static void play(void *context)
{
    struct play *play = context;
    sim_init(play->sim, play->point);
    play->begun = true;
    play->good = sim_run(play->sim, play->err);
    if (play->good) {
        take_results(play->sim, play->played);
    }
}

bool trial_play_priced(const struct setup *setup, const struct timeline *timeline,
                       const double value[COSTS], const ps_t price[EVENT_KINDS],
                       enum trial_asked asked, struct trial *played, struct error *err)
{
    struct point point = trial_point(setup, timeline, value);
    point.price = price;
    point.tails = asked >= TRIAL_ALL_COSTS;
    point.unjudged = asked < TRIAL_VERDICTS;
    if (!sim_possible(&point, err)) {
        return false;
    }
    struct sim *sim = alloc_checked(malloc(sizeof *sim), "a simulation");
    struct play one = {.point = &point, .sim = sim, .played = played, .err = err};
    memset(played, 0, sizeof *played);
    bool good = guard_call(play, &one, err) && one.good;
    err->simulation = !good;
    invariant_clock(NULL);
    if (!good) {
        trial_free(played);
    }
    if (one.begun) {
        sim_free(sim);
    }
    free(sim);
    return good;
}

bool trial_play(const struct setup *setup, const struct timeline *timeline,
                const double value[COSTS], struct trial *played, struct error *err)
{
    return trial_play_priced(setup, timeline, value, NULL, TRIAL_VERDICTS, played, err);
}

bool trial_same_outcome(const struct trial *a, const struct trial *b)
{
    bool same = a->window_ps == b->window_ps && a->cpu_ps == b->cpu_ps &&
                a->tail.first_insn_ps == b->tail.first_insn_ps &&
                a->tail.pause_ps == b->tail.pause_ps &&
                a->tail.stall_p50_ps == b->tail.stall_p50_ps &&
                a->tail.stall_p99_ps == b->tail.stall_p99_ps &&
                a->tail.stall_max_ps == b->tail.stall_max_ps;
    for (int level = 0; level < LEAF_LEVELS; level++) {
        same = same && a->leaves[level] == b->leaves[level];
    }
    for (int reader = 0; same && reader < READERS; reader++) {
        const struct verdict *one = &a->verdict[reader], *two = &b->verdict[reader];
        same = one->outcome == two->outcome && one->lines_read == two->lines_read &&
               one->lines_stale == two->lines_stale &&
               one->lines_conditional == two->lines_conditional;
    }
    return same;
}

void trial_free(struct trial *played)
{
    free(played->counts);
    free(played->tails);
    free(played->tail_events);
    for (size_t i = 0; i < played->section_count; i++) {
        section_free(&played->sections[i]);
    }
    free(played->sections);
    *played = (struct trial){0};
}

uint64_t trial_count(const struct trial *played, enum site site, enum event_kind kind)
{
    size_t i = 0;
    while (i < played->count &&
           (played->counts[i].site != site || played->counts[i].kind != kind)) {
        i++;
    }
    return i < played->count ? played->counts[i].n : 0;
}

void trial_prices(const struct setup *setup, const double value[COSTS], ps_t price[EVENT_KINDS])
{
    double insns[EVENT_KINDS];
    kvm_path_lengths(setup->platform.vhe, insns);
    price_events(&setup->platform, value, insns, price);
}

/* --- pricing again --- */

/* Whether a path that cores share is slower than a core alone. */
static bool path_is_slower(const struct trial *played, const struct setup *setup,
                           const double value[COSTS], const ps_t price[EVENT_KINDS])
{
    static const enum event_kind lines[] = {EV_line_absent, EV_line_clean, EV_line_dirty};
    /* A hair more than the path takes, so that no rounding of a mix of lines
     * comes out above it. */
    const double ps = (double)PS_PER_NS * (1 + 1e-9);
    double path_ps = price_cmo_path_ns(value, 1) * ps;
    double writeback_ps = price_writeback_ns(value, setup->platform.line_bytes) * ps;
    double zero_ps = price_zero_path_ns(value, KIB) * ps;
    bool waits = played->seen[EV_zero_bytes] && zero_ps > (double)price[EV_zero_bytes];
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        waits |= played->seen[lines[i]] && path_ps > (double)price[lines[i]];
    }
    waits |= played->seen[EV_line_dirty] && writeback_ps > (double)price[EV_line_dirty];
    return waits;
}

bool trial_can_reprice(const struct trial *played, const struct setup *setup,
                       const double value[COSTS], const ps_t price[EVENT_KINDS])
{
    return played->serial && !path_is_slower(played, setup, value, price);
}

/* Adds the parts up; returns their sum. */
static ps_t price_parts(const struct trial *played, const ps_t price[EVENT_KINDS],
                        struct times *times)
{
    ps_t sum = 0;
    *times = (struct times){0};
    for (size_t i = 0; i < played->count; i++) {
        const struct event_count *count = &played->counts[i];
        ps_t *part = &times->part[count->part];
        ps_t time = u64_mul(count->n, price[count->kind], "simulated time");
        *part = u64_add(*part, time, "simulated time");
        sum = u64_add(sum, time, "simulated time");
    }
    return sum;
}

void trial_times(const struct trial *played, const ps_t price[EVENT_KINDS], struct times *times)
{
    ps_t busy = price_parts(played, price, times);
    INVARIANT(!played->serial || played->window_ps >= busy,
              "the parts come to %llu ps in a window of %llu", (unsigned long long)busy,
              (unsigned long long)played->window_ps);
    times->window_ps = played->window_ps;
    times->cpu_ps = played->cpu_ps;
    times->has_tail = true;
    times->tail = played->tail;
}

static ps_t price_kinds(const struct kind_count *events, size_t count,
                        const ps_t price[EVENT_KINDS])
{
    ps_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        ps_t time = u64_mul(events[i].n, price[events[i].kind], "simulated time");
        sum = u64_add(sum, time, "simulated time");
    }
    return sum;
}

static void price_tails(const struct trial *played, const ps_t price[EVENT_KINDS],
                        struct histogram *stalls, struct tail *tail)
{
    *tail = (struct tail){.first_insn_ps = UINT64_MAX};
    histogram_clear(stalls);
    for (size_t i = 0; i < played->tail_count; i++) {
        const struct trial_tail *own = &played->tails[i];
        const struct kind_count *events = played->tail_events + own->first;
        ps_t total = price_kinds(events, own->total, price), each = total / own->alike;
        switch (own->what) {
        case TAIL_HOLD:
            tail->pause_ps = each > tail->pause_ps ? each : tail->pause_ps;
            break;
        case TAIL_STALL:
            stall_add(stalls, total, price_kinds(events + own->total, own->once, price), own->alike,
                      own->times);
            break;
        case TAIL_FIRST:
            tail->first_insn_ps = total;
            break;
        }
    }
    take_stalls(stalls, tail);
}

void trial_reprice(const struct trial *played, const ps_t price[EVENT_KINDS],
                   struct histogram *stalls, struct times *times)
{
    ps_t busy = price_parts(played, price, times);
    times->window_ps = busy;
    times->cpu_ps = busy;
    times->priced = true;
    times->has_tail = stalls && played->has_tails;
    if (times->has_tail) {
        price_tails(played, price, stalls, &times->tail);
    }
}

/* --- sections --- */

/* What all turns of sections come to. */
struct section_sums {
    ps_t busy_ps, took_ps, waited_ps;
};

/* False where it took no time when it was played and takes some now: others then have a turn behind
 * it, which was not seen. */
static bool time_events(const struct trial *played, const struct section_event *events,
                        size_t count, const ps_t price[EVENT_KINDS], ps_t *ps)
{
    bool alike = true;
    for (size_t i = 0; i < count; i++) {
        ps_t time = u64_mul(events[i].n, price[events[i].kind], "simulated time");
        *ps = u64_add(*ps, time, "simulated time");
        alike &= (time == 0) == (played->price[events[i].kind] == 0);
    }
    return alike;
}

/* As charge_clean in machine/memory.c has it. */
static double path_weight(const struct section_event *events, size_t count,
                          const double value[COSTS], ps_t alone_ps)
{
    uint64_t lines = 0, written = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t kind = events[i].kind;
        bool line = kind == EV_line_absent || kind == EV_line_clean || kind == EV_line_dirty;
        lines += line ? events[i].n : 0;
        written += kind == EV_writeback_bytes ? events[i].n : 0;
    }
    return price_cmo_weight(value, lines, written, alone_ps);
}

static bool price_section(const struct trial *played, const struct section *section,
                          const double value[COSTS], const ps_t price[EVENT_KINDS],
                          struct section_sums *sums)
{
    struct section_time *time = alloc_zeroed(section->step_count, sizeof *time, "steps of a run");
    ps_t took = 0, waited = 0;
    bool alike = true;
    for (size_t i = 0; i < section->step_count; i++) {
        const struct section_step *step = &section->steps[i];
        const struct section_event *events = section->events + step->first;
        const struct section_event *counted = events + step->charged;
        alike &= time_events(played, events, step->charged, price, &time[i].busy_ps);
        alike &= time_events(played, counted, step->counted, price, &time[i].alone_ps);
        time[i].weight = path_weight(counted, step->counted, value, time[i].alone_ps);
    }
    for (size_t i = 0; i < section->turn_count; i++) {
        const struct section_time *own = &time[section->turns[i].step];
        ps_t each = u64_add(own->busy_ps, own->alone_ps, "simulated time");
        sums->busy_ps = u64_add(sums->busy_ps, u64_mul(each, section->turns[i].times, "time"),
                                "simulated time");
    }
    alike = alike && section_replay(section, time, &took, &waited);
    sums->took_ps = u64_add(sums->took_ps, took, "simulated time");
    sums->waited_ps = u64_add(sums->waited_ps, waited, "waiting time");
    free(time);
    return alike;
}

static bool price_sections(const struct trial *played, const double value[COSTS],
                           const ps_t price[EVENT_KINDS], struct times *times)
{
    struct section_sums sums = {0};
    ps_t busy = price_parts(played, price, times);
    for (size_t i = 0; i < played->section_count; i++) {
        if (!price_section(played, &played->sections[i], value, price, &sums)) {
            return false;
        }
    }
    times->window_ps = u64_add(busy - sums.busy_ps, sums.took_ps, "simulated time");
    times->cpu_ps = u64_add(busy, sums.waited_ps, "simulated time");
    times->priced = true;
    return true;
}

bool trial_is_for_all_costs(const struct trial *played)
{
    return played->serial || played->section_count > 0;
}

bool trial_price(const struct trial *played, const struct setup *setup, const double value[COSTS],
                 const ps_t price[EVENT_KINDS], struct histogram *stalls, struct times *times)
{
    if (!trial_is_for_all_costs(played) || (stalls && !played->has_tails) ||
        path_is_slower(played, setup, value, price)) {
        return false;
    }
    if (!played->serial) {
        return price_sections(played, value, price, times);
    }
    trial_reprice(played, price, stalls, times);
    return true;
}

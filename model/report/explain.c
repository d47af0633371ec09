#include "report/explain.h"

#include "core/error.h"
#include "report/story_report.h"
#include "run/sim.h"
#include "run/trace.h"
#include "study/metrics.h"
#include "study/verdict.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TIME_BYTES 40

/* What is printed about. */
struct account {
    FILE *out;
    const struct setup *setup;
    const struct timeline *timeline;
    const struct sim *sim;
};

/* Times stand in one unit below each other, so that they can be compared. */
static char *in_us(ps_t ps, char *buf)
{
    snprintf(buf, TIME_BYTES, "%" PRIu64 ".%03" PRIu64, ps / PS_PER_US, ps % PS_PER_US / PS_PER_NS);
    return buf;
}

/* --- heading --- */

static void write_heading(const struct account *account)
{
    const struct setup *setup = account->setup;
    const char *hypothetical = setup_hypothetical(&setup->platform, setup->strategy);
    fprintf(account->out, "%s: %s\n", workload_name(setup->workload),
            workload_title(setup->workload));
    fprintf(account->out, "  machine   %s, %s\n", setup->platform.name, setup->platform.title);
    fprintf(account->out, "  kernel    %s\n", setup->kernel.name);
    fprintf(account->out, "  strategy  %s, %s%s%s\n", setup->strategy->name, setup->strategy->title,
            hypothetical ? ": what it would be " : "", hypothetical ? hypothetical : "");
    char caveat[STRATEGY_CAVEAT_BYTES];
    if (strategy_caveat(setup->strategy, caveat, sizeof caveat)[0]) {
        fprintf(account->out, "  caveat    %s\n", caveat);
    }
    fprintf(account->out, "  costs     all at their modes; %s\n\n",
            setup->exact ? "leaf by leaf and line by line" : "whole extents at a time");
}

/* --- the ledger --- */

static void write_kind(const struct account *account, struct ledger_slice slice, const char *phase,
                       const char *actor)
{
    uint64_t count = ledger_count(&account->sim->ledger, slice);
    char time[TIME_BYTES], each[TIME_BYTES];
    if (count == 0) {
        return;
    }
    ps_t price = account->sim->price[slice.kind];
    snprintf(each, sizeof each, "%" PRIu64 ".%03" PRIu64, price / PS_PER_NS, price % PS_PER_NS);
    fprintf(account->out, "  %-10.10s %-9s %-15s %15" PRIu64 " %12s %16s  %s [%s]\n", phase, actor,
            event_name[slice.kind], count, price ? each : "-",
            price ? in_us(ledger_busy(&account->sim->ledger, slice), time) : "-",
            event_title[slice.kind], event_unit[slice.kind]);
}

static void write_waits(const struct account *account, uint32_t actor, uint32_t phase,
                        const char *phase_name, const char *name)
{
    char time[TIME_BYTES];
    for (uint32_t resource = 0; resource < RESOURCES; resource++) {
        ps_t waited = ledger_waited(&account->sim->ledger, actor, phase, resource);
        if (waited > 0) {
            fprintf(account->out, "  %-10.10s %-9s %-15s %15s %12s %16s  waited for it\n",
                    phase_name, name, resource_name[resource], "", "", in_us(waited, time));
        }
    }
    ps_t idle = ledger_idled(&account->sim->ledger, actor, phase);
    if (idle > 0) {
        fprintf(account->out, "  %-10.10s %-9s %-15s %15s %12s %16s  nothing to do\n", phase_name,
                name, "idle", "", "", in_us(idle, time));
    }
}

static void write_ledger(const struct account *account)
{
    const struct ledger_shape *shape = &account->sim->ledger.shape;
    char name[32];
    fprintf(account->out, "Ledger\n  %-10s %-9s %-15s %15s %12s %16s\n", "phase", "actor", "kind",
            "count", "each [ns]", "time [us]");
    for (uint32_t phase = 0; phase < shape->phases; phase++) {
        const char *phase_name = account->timeline->phases[phase];
        for (uint32_t actor = 0; actor < shape->actors; actor++) {
            const char *who = sim_actor_name(account->sim, actor, name, sizeof name);
            for (uint32_t kind = 0; kind < shape->kinds; kind++) {
                struct ledger_slice slice = {actor, phase, LEDGER_ALL, kind};
                write_kind(account, slice, phase_name, who);
            }
            write_waits(account, actor, phase, phase_name, who);
        }
    }
}

/* --- the window --- */

static void write_part(const struct account *account, const char *name, ps_t here, ps_t ideal)
{
    char own[TIME_BYTES], yard[TIME_BYTES], more[TIME_BYTES];
    bool less = here < ideal;
    if (here > 0 || ideal > 0) {
        in_us(less ? ideal - here : here - ideal, more + 1);
        more[0] = less ? '-' : ' ';
        fprintf(account->out, "  %-16s %16s %16s %17s\n", name, in_us(here, own),
                in_us(ideal, yard), more);
    }
}

static void write_window(const struct account *account, const struct times *times,
                         const struct times *ideal)
{
    ps_t busy = 0, ideal_busy = 0;
    fprintf(account->out,
            "\nWindow: from the first re-init call to the end\n"
            "  %-16s %16s %16s %17s\n",
            "part", "time [us]", "yardstick [us]", "added [us]");
    for (int part = 0; part < PARTS; part++) {
        write_part(account, part_name[part], times->part[part], ideal->part[part]);
        busy += times->part[part];
        ideal_busy += ideal->part[part];
    }
    write_part(account, "all parts", busy, ideal_busy);
    write_part(account, "window", times->window_ps, ideal->window_ps);
    if (busy != times->window_ps) {
        fprintf(account->out, "  Parts are busy times of all actors; waiting, idling and what went "
                              "on side by side\n  make the difference to the window.\n");
    }
}

static void write_facts(const struct account *account, const struct trial *played,
                        const struct times *times)
{
    char text[64];
    fprintf(account->out, "\n  %-34s %s\n", "longest hold of mmu_lock for write",
            unit_format_ps(times->tail.pause_ps, text, sizeof text));
    fprintf(account->out, "  %-34s", "a vCPU stalls");
    const ps_t stalls[] = {times->tail.stall_p50_ps, times->tail.stall_p99_ps,
                           times->tail.stall_max_ps};
    for (size_t i = 0; i < sizeof stalls / sizeof *stalls; i++) {
        fprintf(account->out, "%s %s", i ? "," : "", unit_format_ps(stalls[i], text, sizeof text));
    }
    fprintf(account->out, " (median, 99 %%, longest)\n");
    if (times->tail.first_insn_ps != UINT64_MAX) {
        fprintf(account->out, "  %-34s %s\n", "re-init to the first thing done",
                unit_format_ps(times->tail.first_insn_ps, text, sizeof text));
    }
    fprintf(account->out,
            "  %-34s %" PRIu64 " of the granule, %" PRIu64 " blocks, %" PRIu64 " of 1 GiB\n",
            "leaves at the end", played->leaves[LEAF_PAGE], played->leaves[LEAF_BLOCK],
            played->leaves[LEAF_GIG]);
}

/* --- the verdict --- */

static void write_verdict(const struct account *account, const struct verdict verdict[READERS])
{
    unsigned conditions;
    enum outcome worst = verdict_worst(verdict, &conditions);
    char condition[512];
    fprintf(account->out, "\nVerdict\n  %-22s %-10s %15s %15s %15s\n", "reader", "", "lines read",
            "may be stale", "only-if");
    for (int reader = 0; reader < READERS; reader++) {
        const struct verdict *one = &verdict[reader];
        fprintf(account->out, "  %-22s %-10s %15" PRIu64 " %15" PRIu64 " %15" PRIu64 "\n",
                reader_name[reader], outcome_name[one->outcome], one->lines_read, one->lines_stale,
                one->lines_conditional);
    }
    verdict_text(verdict, condition, sizeof condition);
    fprintf(account->out, "  In all: %s%s%s%s\n", outcome_name[worst], condition[0] ? " (" : "",
            condition, condition[0] ? ")" : "");
}

/* --- all of it --- */

static bool write_run(const struct account *account, const double value[COSTS], struct error *err)
{
    struct setup yardstick = *account->setup;
    struct trial *played = calloc(2, sizeof *played);
    struct times times[2];
    if (!played) {
        error_fatal("out of memory for a run");
    }
    yardstick.strategy = &strategy_ideal;
    bool good = trial_play(account->setup, account->timeline, value, &played[0], err) &&
                trial_play(&yardstick, account->timeline, value, &played[1], err);
    if (good) {
        trial_times(&played[0], account->sim->price, &times[0]);
        trial_times(&played[1], account->sim->price, &times[1]);
        write_heading(account);
        write_ledger(account);
        write_window(account, &times[0], &times[1]);
        write_facts(account, &played[0], &times[0]);
        write_verdict(account, played[0].verdict);
    }
    trial_free(&played[0]);
    trial_free(&played[1]);
    free(played);
    return good;
}

static bool explain_timeline(FILE *out, const struct setup *setup, const struct timeline *timeline,
                             const struct explain_options *options, struct error *err)
{
    double value[COSTS];
    platform_modes(&setup->platform, value);
    struct point point = trial_point(setup, timeline, value);
    if (!sim_possible(&point, err)) {
        return false;
    }
    struct sim *sim = malloc(sizeof *sim);
    if (!sim) {
        error_fatal("out of memory for a simulation");
    }
    sim_init(sim, &point);
    if (options->tracks.count > 0) {
        watch_start(sim, options->tracks.limit);
    }
    if (options->trace) {
        trace_start(sim, out, options->from, options->to);
    }
    struct account account = {out, setup, timeline, sim};
    struct stories stories = {.watching = false};
    if (!options->trace) {
        stories_search(&stories, &sim->memory.oracle, &sim->engine);
    }
    bool good = sim_run(sim, err) && tracks_write(&options->tracks, setup, sim, stderr, err) &&
                (options->trace || (write_run(&account, value, err) &&
                                    story_report_write(out, &point, &stories, err)));
    stories_free(&stories);
    sim_free(sim);
    free(sim);
    return good;
}

bool explain_write(FILE *out, const struct setup *setup, const struct explain_options *options,
                   struct error *err)
{
    struct timeline timeline;
    if (!workload_build(setup->workload, &timeline, err)) {
        return false;
    }
    bool good = explain_timeline(out, setup, &timeline, options, err);
    timeline_free(&timeline);
    return good;
}

#include "report/explain.h"

#include "core/alloc.h"
#include "core/error.h"
#include "machine/platform_names.h"
#include "report/explain_parts.h"
#include "report/story_report.h"
#include "run/sim.h"
#include "run/trace.h"
#include "study/verdict.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- heading --- */

/* How well a platform stands for the machine that was asked for by another name. */
static void write_alias(FILE *out, const char *name)
{
    struct platform_aliases *aliases =
        alloc_checked(calloc(1, sizeof *aliases), "names of machines");
    struct error unused;
    const struct platform_alias *alias =
        name && platform_aliases_read(aliases, &unused) ? platform_alias_find(aliases, name) : NULL;
    if (alias) {
        fprintf(out, "            for %s, %s: %s\n", name,
                strcmp(alias->fit, "same") == 0    ? "which it is"
                : strcmp(alias->fit, "class") == 0 ? "the same chip in another board or cloud"
                                                   : "the same core; caches and memory differ",
                alias->remark);
    }
    free(aliases);
}

static void write_heading(const struct account *account, const struct explain_options *options)
{
    const struct setup *setup = account->setup;
    const char *hypothetical = setup_hypothetical(&setup->platform, setup->strategy);
    fprintf(account->out, "%s: %s\n", workload_name(setup->workload),
            workload_title(setup->workload));
    fprintf(account->out, "  machine   %s, %s\n", setup->platform.name, setup->platform.title);
    write_alias(account->out, options->machine);
    fprintf(account->out, "  kernel    %s\n", setup->kernel.name);
    /* The title is of the row without what was changed in it. */
    fprintf(account->out, "  strategy  %s%s%s%s%s\n", setup->strategy->name,
            setup->changes > 0 ? " with what is set below" : ", ",
            setup->changes > 0 ? "" : setup->strategy->title,
            hypothetical ? ": what it would be " : "", hypothetical ? hypothetical : "");
    char caveat[STRATEGY_CAVEAT_BYTES];
    if (strategy_caveat(setup->strategy, caveat, sizeof caveat)[0]) {
        fprintf(account->out, "  caveat    %s\n", caveat);
    }
    bool cost = false;
    for (size_t i = 0; i < options->setting_count; i++) {
        const struct explain_setting *setting = &options->settings[i];
        bool same = strcmp(setting->value, setting->before) == 0;
        fprintf(account->out, "  %-9s %s = %s%s%s\n", i == 0 ? "set" : "", setting->key,
                setting->value, same ? ", as it is anyway" : ", not ", same ? "" : setting->before);
        cost |= setup_key_owner(setting->key) == KEY_COST;
    }
    fprintf(account->out, "  costs     %s; %s\n\n",
            cost ? "at their modes where not set above" : "all at their modes",
            setup->exact ? "leaf by leaf and line by line" : "whole extents at a time");
}

static void write_facts(const struct account *account)
{
    const struct trial *played = account->played;
    const struct times *times = account->times;
    char text[64];
    fprintf(account->out, "\n  %-34s %s\n", "longest hold of mmu_lock for write",
            times->tail.pause_ps > 0 ? unit_format_ps(times->tail.pause_ps, text, sizeof text)
                                     : "none");
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

static void write_verdict(const struct account *account)
{
    const struct verdict *verdict = account->played->verdict;
    unsigned conditions;
    enum outcome worst = verdict_worst(verdict, &conditions);
    char condition[512];
    fprintf(account->out, "\nVerdict\n  %-22s %-10s %15s %15s %15s\n", "reader", "", "lines read",
            "may be stale", "only-if");
    for (int reader = 0; reader < READERS; reader++) {
        const struct verdict *one = &verdict[reader];
        if (one->lines_read == 0 && !account->full) {
            continue;
        }
        fprintf(account->out, "  %-22s %-10s %15" PRIu64 " %15" PRIu64 " %15" PRIu64 "\n",
                reader_name[reader], outcome_name[one->outcome], one->lines_read, one->lines_stale,
                one->lines_conditional);
    }
    verdict_text(verdict, condition, sizeof condition);
    fprintf(account->out, "  In all: %s%s%s%s\n", outcome_name[worst], condition[0] ? " (" : "",
            condition, condition[0] ? ")" : "");
}

/* --- all of it --- */

static bool write_run(struct account *account, const struct explain_options *options,
                      const double value[COSTS], struct error *err)
{
    struct setup yardstick = *account->setup;
    struct trial *played = alloc_checked(calloc(2, sizeof *played), "a run");
    struct times times[2];
    yardstick.strategy = &strategy_ideal;
    account->played = played;
    bool good = trial_play(account->setup, account->timeline, value, &played[0], err) &&
                explain_check_settings(account, options, value, err) &&
                trial_play(&yardstick, account->timeline, value, &played[1], err);
    if (good) {
        trial_times(&played[0], account->sim->price, &times[0]);
        trial_times(&played[1], account->sim->price, &times[1]);
        account->times = times;
        write_heading(account, options);
        explain_window(account);
        write_facts(account);
        write_verdict(account);
        if (account->full) {
            explain_ledger(account);
        }
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
    struct sim *sim = alloc_checked(malloc(sizeof *sim), "a simulation");
    sim_init(sim, &point);
    if (options->tracks.count > 0) {
        watch_start(sim, options->tracks.limit);
    }
    if (options->trace) {
        trace_start(sim, out, options->from, options->to);
    }
    struct account account = {
        .out = out, .setup = setup, .timeline = timeline, .sim = sim, .full = options->full};
    struct stories stories = {.watching = false};
    if (!options->trace) {
        stories_search(&stories, &sim->memory.oracle, &sim->engine);
    }
    bool good = sim_run(sim, err) && tracks_write(&options->tracks, setup, sim, stderr, err) &&
                (options->trace || (write_run(&account, options, value, err) &&
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

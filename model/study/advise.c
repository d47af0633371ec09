#include "study/advise.h"

#include "core/alloc.h"
#include "core/error.h"
#include "study/advise_search.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const advise_hardware_name[HARDWARES] = {
    [HARDWARE_OWN] = "the machine as it is",
    [HARDWARE_FWB] = "FEAT_S2FWB",
    [HARDWARE_FWB_DIC] = "FEAT_S2FWB and CTR_EL0.DIC",
    [HARDWARE_DIC] = "CTR_EL0.DIC",
    [HARDWARE_RANGE_TLBI] = "FEAT_TLBIRANGE",
    [HARDWARE_RANGE_CMO] = "caches cleaned by physical range",
};

/* Gives the machine the hardware; false where it has it. */
static bool equip(struct platform *platform, enum advise_hardware hardware)
{
    const struct platform before = *platform;
    switch (hardware) {
    case HARDWARE_OWN:
    case HARDWARE_RANGE_CMO:
        return true;
    case HARDWARE_FWB:
        platform->fwb = true;
        return !before.fwb;
    case HARDWARE_FWB_DIC:
        platform->fwb = platform->dic = true;
        return !before.fwb || !before.dic;
    case HARDWARE_DIC:
        platform->dic = true;
        return !before.dic;
    case HARDWARE_RANGE_TLBI:
        platform->tlbirange = true;
        return !before.tlbirange;
    case HARDWARES:
        break;
    }
    return false;
}

/* --- what a strategy costs --- */

struct pricing {
    const struct advise_request *request;
    struct advise_search *search;
    struct times *ideal; /* [runs] */
    double *scratch; /* [runs] */
};

static struct advise_band band_of(const struct pricing *pricing, const double *values)
{
    size_t runs = pricing->search->scenario->runs;
    struct advise_band band = {values[0], values[0], values[0]};
    if (runs > 1) {
        memcpy(pricing->scratch, values + 1, (runs - 1) * sizeof *values);
        band.p10 = stats_quantile(pricing->scratch, runs - 1, 0.1);
        band.p50 = stats_quantile(pricing->scratch, runs - 1, 0.5);
        band.p90 = stats_quantile(pricing->scratch, runs - 1, 0.9);
    }
    return band;
}

static struct quantile_error error_of(const struct pricing *pricing, const double *values)
{
    size_t draws = pricing->search->scenario->runs - 1;
    memcpy(pricing->scratch, values + 1, draws * sizeof *values);
    return stats_quantile_error(pricing->scratch, draws);
}

/* The metric, the processor time and the pause of a strategy in all runs. A metric that pricing
 * again does not know takes runs of its own; a pause that only plays tell is fitted where they were
 * not played for their times either. */
static bool costs_of(const struct pricing *pricing, const struct strategy *strategy, double *cost,
                     double *cpu, double *pause, struct error *err)
{
    struct scenario *scenario = pricing->search->scenario;
    const struct trial *trial = evaluate_trial(scenario, strategy, err);
    struct times *times = alloc_zeroed(scenario->runs, sizeof *times, "runs of a scenario");
    bool good = trial && evaluate_runs(scenario, strategy, TAILS_KNOWN, times, err);
    bool known = true, pause_known = true, pause_fitted = false;
    for (size_t run = 0; good && run < scenario->runs; run++) {
        const struct times *ideal = &pricing->ideal[run];
        bool tells = metric_known(METRIC_pause_ns, trial, &times[run]);
        pause_known &= !pause || tells || times[run].fitted;
        pause_fitted |= !tells;
        if (pause) {
            pause[run] = tells ? metric_value(METRIC_pause_ns, trial, &times[run], ideal) : NAN;
        }
        known &= metric_known(pricing->request->metric, trial, &times[run]);
        cost[run] = known ? metric_value(pricing->request->metric, trial, &times[run], ideal) : NAN;
        cpu[run] = metric_value(METRIC_cpu_ns, trial, &times[run], ideal);
    }
    free(times);
    return good &&
           (known ||
            evaluate_metric(scenario, pricing->request->metric, &strategy, 1, cost, err)) &&
           (pause_known || evaluate_metric(scenario, METRIC_pause_ns, &strategy, 1, pause, err)) &&
           (!pause || !pause_known || !pause_fitted ||
            evaluate_fit_rest(scenario, strategy, pause, err));
}

/* --- rungs --- */

/* Where a rung stands in the search. */
struct climb {
    size_t rung[ADVISE_RUNGS], count; /* policies of the space */
    size_t conditional[ADVISE_RUNGS], conditional_count;
};

/* What a policy costs in the middle of the draws, or at the modes where there are none. */
static bool price_median(const struct pricing *pricing, size_t policy, struct error *err)
{
    struct advise_entry *entry = &pricing->search->entry[policy];
    const struct strategy *strategy = &pricing->search->space.policies[policy].strategy;
    size_t runs = pricing->search->scenario->runs;
    if (entry->priced) {
        return true;
    }
    double *cost = alloc_zeroed(2 * runs, sizeof *cost, "runs of a scenario");
    entry->priced = costs_of(pricing, strategy, cost, cost + runs, NULL, err);
    entry->median = band_of(pricing, cost).p50;
    free(cost);
    return entry->priced;
}

/* A strategy in the first draws, shared out among threads. */
struct sample {
    struct scenario *scenario;
    enum metric metric;
    const struct strategy *strategy;
    size_t from; /* draws that are there */
    double *cost;
};

static bool sample_part(void *context, size_t part, struct error *err)
{
    const struct sample *sample = context;
    size_t draw = sample->from + part;
    return evaluate_run(sample->scenario, sample->metric, draw + 1, &sample->strategy, 1,
                        &sample->cost[draw], err);
}

/* So many draws of a policy, from the first on. */
static bool take_sample(const struct pricing *pricing, size_t policy, size_t draws,
                        struct error *err)
{
    struct advise_search *search = pricing->search;
    struct advise_entry *entry = &search->entry[policy];
    struct sample sample = {search->scenario, evaluate_difference(search->metric),
                            &search->space.policies[policy].strategy, entry->sampled,
                            entry->sample};
    if (entry->sampled >= draws) {
        return true;
    }
    bool good = sweep_parts(search->scenario->evaluator->sweep, draws - entry->sampled, sample_part,
                            &sample, err);
    entry->sampled = good ? draws : entry->sampled;
    return good;
}

/* How a policy stands to another in their first draws. */
struct standing {
    size_t cheaper, above; /* in so many of them it costs less, more */
    bool apart; /* more in each, and by much more than draws differ in that */
};

static bool compare_samples(const struct pricing *pricing, size_t policy, size_t best, size_t draws,
                            struct standing *standing, struct error *err)
{
    const struct advise_entry *entry = pricing->search->entry;
    double over[ADVISE_FIRST_DRAWS];
    *standing = (struct standing){0};
    if (!take_sample(pricing, policy, draws, err) || !take_sample(pricing, best, draws, err)) {
        return false;
    }
    for (size_t i = 0; i < draws; i++) {
        over[i] = entry[policy].sample[i] - entry[best].sample[i];
        standing->cheaper += over[i] < 0;
        standing->above += over[i] > 0;
    }
    standing->apart = standing->above == draws &&
                      stats_mean(over, draws) >= ADVISE_APART * stats_deviation(over, draws);
    return true;
}

/* Whether what two policies differ by is the events of their runs, which says in all draws that
 * one is not the cheaper one: then none of them need be played. */
#define EVENTS_TELL 0.02 /* of the difference at the modes they may be off */

static bool is_dearer_by_events(const struct pricing *pricing, size_t policy, size_t best,
                                struct error *err)
{
    const struct advise_search *search = pricing->search;
    struct scenario *scenario = search->scenario;
    const struct trial *one =
        evaluate_trial(scenario, &search->space.policies[policy].strategy, err);
    const struct trial *other =
        evaluate_trial(scenario, &search->space.policies[best].strategy, err);
    double by = search->entry[policy].mode - search->entry[best].mode;
    if (!one || !other || !(by > 0) ||
        fabs(advise_events_over(one, other, one->price) - by) > EVENTS_TELL * by) {
        return false;
    }
    bool dearer = true;
    for (size_t run = 1; run < scenario->runs && dearer; run++) {
        double costs[COSTS];
        ps_t price[EVENT_KINDS];
        scenario_costs(scenario, run, costs);
        trial_prices(&scenario->setup, costs, price);
        dearer = advise_events_over(one, other, price) >= 0;
    }
    return dearer;
}

/* Whether a policy cannot be the cheapest, by the first draws: it is cheaper than `best` in none of
 * them, and not its equal if it comes before it. Draws that are fitted take fewer plays than these.
 */
static bool is_dearer(const struct pricing *pricing, size_t policy, size_t best, bool *dearer,
                      struct error *err)
{
    struct advise_search *search = pricing->search;
    const struct strategy *strategy = &search->space.policies[policy].strategy;
    const struct trial *trial = evaluate_trial(search->scenario, strategy, err);
    struct standing first, all;
    *dearer = trial && !trial->serial && is_dearer_by_events(pricing, policy, best, err);
    if (!trial || *dearer || trial->serial || evaluate_fits(search->scenario) ||
        search->scenario->runs <= 1 + ADVISE_FIRST_DRAWS) {
        return trial != NULL;
    }
    if (!compare_samples(pricing, policy, best, ADVISE_FEW_DRAWS, &first, err)) {
        return false;
    }
    *dearer = first.apart;
    if (first.apart || first.cheaper > 0) {
        return true;
    }
    if (!compare_samples(pricing, policy, best, ADVISE_FIRST_DRAWS, &all, err)) {
        return false;
    }
    *dearer = all.cheaper == 0 && (all.above > 0 || policy > best);
    return true;
}

/* What no reader reads is as good as coherent. */
static bool may_be_rung(const struct advise_search *search, size_t policy, size_t changes,
                        enum outcome outcome)
{
    enum outcome worst = search->entry[policy].verdict.worst;
    return search->space.policies[policy].changes == changes &&
           search->entry[policy].state == ENTRY_PLAYED && !search->entry[policy].matched &&
           (worst == NOT_READ ? COHERENT : worst) == outcome;
}

/* Takes a policy for the best where its median is lower, the first of equals, or where there is
 * none yet. */
static bool compare(const struct pricing *pricing, size_t policy, size_t *best, struct error *err)
{
    const struct advise_entry *entry = pricing->search->entry;
    bool dearer = false;
    if (*best != SIZE_MAX && !is_dearer(pricing, policy, *best, &dearer, err)) {
        return false;
    }
    if (dearer) {
        return true;
    }
    if (!price_median(pricing, policy, err)) {
        return false;
    }
    bool lower = *best == SIZE_MAX || entry[policy].median < entry[*best].median ||
                 (entry[policy].median == entry[*best].median && policy < *best);
    *best = lower ? policy : *best;
    return true;
}

/* The cheapest with so many changes and that outcome; SIZE_MAX: none that could be cheaper than the
 * rung below. Draws are played of those alone that the modes have near the cheapest. */
static bool find_cheapest(const struct pricing *pricing, size_t changes, enum outcome outcome,
                          size_t below, size_t *best, struct error *err)
{
    const struct advise_search *search = pricing->search;
    size_t first = SIZE_MAX, count = search->space.count;
    double limit = search->entry[below].mode * (1 + ADVISE_NEAR);
    *best = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        if (may_be_rung(search, i, changes, outcome) &&
            (first == SIZE_MAX || search->entry[i].mode < search->entry[first].mode)) {
            first = i;
        }
    }
    /* The cheapest at the modes comes first: most others are then soon found to be dearer. */
    for (size_t k = 0; first != SIZE_MAX && k <= count; k++) {
        size_t i = k == 0 ? first : k - 1;
        double mode_min = search->entry[first].mode;
        bool near = search->entry[i].mode - mode_min <= ADVISE_NEAR * fabs(mode_min) &&
                    search->entry[i].mode <= limit;
        bool dearer = (k > 0 && i == first) || !near || !may_be_rung(search, i, changes, outcome);
        if (!dearer && !is_dearer(pricing, i, below, &dearer, err)) {
            return false;
        }
        if (!dearer && !compare(pricing, i, best, err)) {
            return false;
        }
    }
    return true;
}

static bool gains(double before, double after)
{
    return before - after >= ADVISE_GAIN_MIN * fabs(before) && after < before;
}

static bool climb(const struct pricing *pricing, struct climb *climb, struct error *err)
{
    const struct advise_search *search = pricing->search;
    *climb = (struct climb){.rung = {0}, .count = 1};
    if (!price_median(pricing, 0, err)) {
        return false;
    }
    double coherent = search->entry[0].median, conditional = coherent;
    size_t below = 0, below_conditional = 0;
    for (size_t changes = 1; changes <= search->space.changes_max; changes++) {
        size_t best, leaning;
        if (!find_cheapest(pricing, changes, COHERENT, below, &best, err)) {
            return false;
        }
        if (best != SIZE_MAX && gains(coherent, search->entry[best].median)) {
            climb->rung[climb->count++] = below = best;
            coherent = search->entry[best].median;
        }
        below_conditional = coherent <= conditional ? below : below_conditional;
        conditional = fmin(coherent, conditional);
        if (!find_cheapest(pricing, changes, ONLY_IF, below_conditional, &leaning, err)) {
            return false;
        }
        if (leaning != SIZE_MAX && gains(conditional, search->entry[leaning].median)) {
            climb->conditional[climb->conditional_count++] = below_conditional = leaning;
            conditional = search->entry[leaning].median;
        }
    }
    return true;
}

/* --- what a rung is --- */

/* By which `after` is cheaper than `before`, by draw; returns the share of draws in which it is. */
static double gain_of(const struct pricing *pricing, const double *before, const double *after,
                      struct advise_band *gain)
{
    size_t runs = pricing->search->scenario->runs, won = 0;
    double *by = alloc_zeroed(runs, sizeof *by, "runs of a scenario");
    for (size_t run = 0; run < runs; run++) {
        by[run] = before[run] - after[run];
        won += run > 0 && by[run] > 0;
    }
    *gain = band_of(pricing, by);
    free(by);
    return runs > 1 ? (double)won / (double)(runs - 1) : NAN;
}

/* A row that does the same lends its name. */
static void name_rung(const struct study *study, struct strategy *strategy)
{
    strategy->name[0] = strategy->title[0] = '\0';
    for (size_t i = 0; i < strategy_count + strategy_more_count + study->own_count; i++) {
        size_t more = i - strategy_count, own = more - strategy_more_count;
        const struct strategy *row = i < strategy_count           ? &strategy_rows[i]
                                     : more < strategy_more_count ? &strategy_more[more]
                                                                  : &study->own[own];
        if (kernel_changes(row, strategy, NULL) == 0) {
            *strategy = *row;
            return;
        }
    }
}

/* What one rung is and costs; `before` NULL: the first. */
static bool price_rung(const struct pricing *pricing, size_t policy,
                       const struct advise_rung *before, const double *before_cost,
                       struct advise_rung *rung, double *cost, struct error *err)
{
    struct advise_search *search = pricing->search;
    struct scenario *scenario = search->scenario;
    const struct strategy *strategy = &search->space.policies[policy].strategy;
    double *cpu = alloc_zeroed(2 * scenario->runs, sizeof *cpu, "runs of a scenario");
    double *pause = cpu + scenario->runs;
    *rung = (struct advise_rung){.strategy = *strategy,
                                 .changes = search->space.policies[policy].changes,
                                 .verdict = search->entry[policy].verdict,
                                 .mode = search->entry[policy].mode,
                                 .probability = NAN};
    name_rung(scenario->evaluator->study, &rung->strategy);
    kernel_changes(&search->space.policies[0].strategy, strategy, rung->change);
    for (size_t i = 0; before && i < rung->changes; i++) {
        for (size_t k = 0; k < before->changes; k++) {
            rung->kept[i] |= strcmp(rung->change[i].key, before->change[k].key) == 0 &&
                             strcmp(rung->change[i].value, before->change[k].value) == 0;
        }
    }
    bool good = costs_of(pricing, strategy, cost, cpu, pause, err);
    if (good) {
        rung->pause_ns = band_of(pricing, pause);
        rung->pause_error = error_of(pricing, pause);
        rung->cost = band_of(pricing, cost);
        rung->cost_error = error_of(pricing, cost);
        rung->cpu_ns = band_of(pricing, cpu);
        if (before) {
            rung->probability = gain_of(pricing, before_cost, cost, &rung->gain);
        }
    }
    free(cpu);
    return good;
}

/* The coherent rung with at most so many changes that costs least. */
static size_t rung_within(const struct advise_ladder *ladder, size_t changes)
{
    size_t at = 0;
    while (at + 1 < ladder->count && ladder->rung[at + 1].changes <= changes) {
        at++;
    }
    return at;
}

/* Fills the rungs; leaves the last one's costs by run in `last`. */
static bool price_rungs(const struct pricing *pricing, const struct climb *climb,
                        struct advise_ladder *ladder, double *last, struct error *err)
{
    struct scenario *scenario = pricing->search->scenario;
    size_t runs = scenario->runs;
    double *cost = alloc_zeroed((ADVISE_RUNGS + 1) * runs, sizeof *cost, "runs of a scenario");
    bool good = true;
    for (size_t i = 0; good && i < climb->count; i++) {
        good = price_rung(pricing, climb->rung[i], i > 0 ? &ladder->rung[i - 1] : NULL,
                          cost + (i - (i > 0)) * runs, &ladder->rung[i], cost + i * runs, err);
        ladder->count += good;
    }
    for (size_t i = 0; good && i < climb->conditional_count; i++) {
        struct advise_rung *rung = &ladder->conditional[i];
        size_t changes = pricing->search->space.policies[climb->conditional[i]].changes;
        size_t beside = rung_within(ladder, changes);
        good = price_rung(pricing, climb->conditional[i], &ladder->rung[beside],
                          cost + beside * runs, rung, cost + ADVISE_RUNGS * runs, err);
        ladder->conditional_count += good;
    }
    if (good) {
        memcpy(last, cost + (ladder->count - 1) * runs, runs * sizeof *last);
    }
    free(cost);
    return good;
}

/* Which rungs need more of the guest than what Linux does: their readers fare worse where the guest
 * maintains nothing itself. */
static bool ask_without_guest(struct scenario *scenario, size_t point,
                              enum advise_hardware hardware, struct advise_ladder *ladder,
                              struct error *err)
{
    const struct scenario_key none = {.key = "guest_maintenance", .text = "none"};
    struct scenario alone;
    if (!scenario_open(&alone, scenario->evaluator, point, none, err)) {
        return false;
    }
    equip(&alone.setup.platform, hardware);
    const struct trial *base = evaluate_trial(&alone, &ladder->rung[0].strategy, err);
    bool good = base != NULL;
    for (size_t i = 1; good && i < ladder->count + ladder->conditional_count; i++) {
        struct advise_rung *rung =
            i < ladder->count ? &ladder->rung[i] : &ladder->conditional[i - ladder->count];
        const struct trial *trial = evaluate_trial(&alone, &rung->strategy, err);
        good = trial != NULL;
        for (int reader = 0; good && reader < READERS; reader++) {
            /* A reader that Linux leaves nothing to read fares no worse where it reads all. */
            enum outcome outcome = trial->verdict[reader].outcome;
            rung->needs_guest |= outcome > COHERENT && outcome > base->verdict[reader].outcome;
        }
    }
    scenario_close(&alone);
    return good;
}

/* What stands in every answer, whether it is an axis of the study or not, and the other axes. */
static void tell_situation(const struct scenario *scenario, size_t point, char *text, size_t size)
{
    static const char *const said[] = {"vcpus", "backing"};
    const struct study *study = scenario->evaluator->study;
    const struct vm_shape *vm = &scenario->timeline.vm;
    size_t used = (size_t)snprintf(text, size, "%s, kernel %s, %s, %s, %" PRIu32 " vCPU%s",
                                   scenario->setup.platform.name, scenario->setup.kernel.name,
                                   scenario->timeline.name, backing_name[vm->slots[0].backing],
                                   vm->vcpus, vm->vcpus == 1 ? "" : "s");
    for (size_t i = 0; i < study->axis_count && used < size; i++) {
        const struct axis *axis = &study->axes[i];
        char value[64];
        if (axis->role == AXIS_KEY && strcmp(axis->name, said[0]) != 0 &&
            strcmp(axis->name, said[1]) != 0) {
            groups_spell(axis, axis->values.text[study_digit(axis, point)], value, sizeof value);
            used += (size_t)snprintf(text + used, size - used, ", %s %s", axis->name, value);
        }
    }
    for (size_t i = 0; i < study->setting_count && used < size; i++) {
        const struct setting *setting = &study->settings[i];
        used += (size_t)snprintf(text + used, size - used, ", %s %s", setting->key, setting->text);
    }
}

static bool fill_ladder(const struct advise_request *request, struct advise_search *search,
                        struct advise_ladder *ladder, double *last, struct error *err)
{
    struct climb found;
    struct pricing pricing = {.request = request, .search = search};
    size_t runs = search->scenario->runs;
    *ladder = (struct advise_ladder){.facts = search->facts,
                                     .policies = search->space.count,
                                     .same = search->space.same,
                                     .vain = search->space.vain,
                                     .changes_max = search->space.changes_max};
    for (size_t i = 0; i < search->space.count; i++) {
        ladder->played += search->entry[i].state == ENTRY_PLAYED;
        ladder->stale += search->entry[i].state == ENTRY_STALE;
        ladder->dominated += search->entry[i].state == ENTRY_DOMINATED;
        ladder->no_gain += search->entry[i].state == ENTRY_NO_GAIN;
        ladder->dear += search->entry[i].state == ENTRY_DEAR;
        ladder->impossible += search->entry[i].state == ENTRY_IMPOSSIBLE;
    }
    pricing.ideal = alloc_zeroed(runs, sizeof *pricing.ideal, "runs of a scenario");
    pricing.scratch = alloc_zeroed(runs, sizeof *pricing.scratch, "runs of a scenario");
    bool good = evaluate_runs(search->scenario, &strategy_ideal, TAILS_KNOWN, pricing.ideal, err) &&
                climb(&pricing, &found, err) && price_rungs(&pricing, &found, ladder, last, err);
    free(pricing.ideal);
    free(pricing.scratch);
    return good;
}

/* --- all scenarios --- */

struct advising {
    struct evaluator evaluator;
    const struct advise_request *request;
    struct advise_results *results;
    double *last; /* [group][HARDWARES][runs]: what the last rung costs */
};

static bool run_part(void *context, size_t part, struct error *err)
{
    struct advising *advising = context;
    size_t hardwares = advising->request->hardware ? HARDWARES : 1, group = part / hardwares;
    enum advise_hardware hardware = (enum advise_hardware)(part % hardwares);
    size_t index = group * HARDWARES + hardware;
    size_t point = groups_point(&advising->results->groups, group);
    struct advise_ladder *ladder = &advising->results->ladder[index];
    struct scenario scenario;
    struct advise_search search;
    if (!scenario_open(&scenario, &advising->evaluator, point, (struct scenario_key){0}, err)) {
        return false;
    }
    bool good = true;
    if (equip(&scenario.setup.platform, hardware)) {
        good = advise_search(&search, &scenario, advising->request, hardware == HARDWARE_RANGE_CMO,
                             err) &&
               fill_ladder(advising->request, &search, ladder,
                           advising->last + index * scenario.runs, err) &&
               ask_without_guest(&scenario, point, hardware, ladder, err);
        tell_situation(&scenario, point, ladder->situation, sizeof ladder->situation);
        ladder->there = good;
        advise_search_free(&search);
    }
    scenario_close(&scenario);
    return good;
}

/* What hardware gains on top of the best that the machine's own kernel can do, where that is known.
 */
static void compare_hardware(struct advising *advising)
{
    struct advise_results *results = advising->results;
    size_t runs = 1 + advising->evaluator.study->draws;
    struct scenario scenario = {.runs = runs};
    struct advise_search search = {.scenario = &scenario};
    struct pricing pricing = {.search = &search,
                              .scratch = alloc_zeroed(runs, sizeof(double), "runs of a scenario")};
    for (size_t i = 0; i < results->groups.count * HARDWARES; i++) {
        struct advise_ladder *ladder = &results->ladder[i];
        size_t own = i - i % HARDWARES;
        if (ladder->there && results->ladder[own].there) {
            ladder->hardware_probability =
                gain_of(&pricing, advising->last + own * runs, advising->last + i * runs,
                        &ladder->hardware_gain);
        }
    }
    free(pricing.scratch);
}

/* False with a line why where no ladder is there. */
static bool any_there(const struct advise_results *results, struct error *err)
{
    for (size_t i = 0; i < results->groups.count * HARDWARES; i++) {
        if (results->ladder[i].there) {
            return true;
        }
    }
    *err = results->failed.err;
    return false;
}

bool advise_run(const struct study *study, const struct advise_request *request,
                struct sweep *sweep, struct store *store, struct advise_results *results,
                struct error *err)
{
    struct advising advising = {.request = request, .results = results};
    size_t runs = 1 + study->draws;
    *results = (struct advise_results){.request = *request};
    groups_init(&results->groups, study, NULL, NULL);
    size_t ladders = results->groups.count * HARDWARES;
    uint64_t kept = ladders * (sizeof *results->ladder + runs * sizeof(double));
    uint64_t own = POLICIES_MAX * (sizeof(struct policy) + sizeof(struct advise_entry)) +
                   (ADVISE_RUNGS + 4) * runs * sizeof(double);
    if (!scenario_count_allowed(study, sweep->jobs, kept, own, "advice",
                                "fewer --jobs, draws or values of axes take less", err)) {
        return false;
    }
    results->ladder = alloc_zeroed(ladders, sizeof *results->ladder, "ladders");
    advising.last = alloc_zeroed(ladders * runs, sizeof *advising.last, "ladders");
    evaluator_open(&advising.evaluator, study, sweep, store);
    bool good = sweep_passing(sweep, results->groups.count * (request->hardware ? HARDWARES : 1),
                              run_part, &advising, &results->failed, err);
    if (good) {
        compare_hardware(&advising);
        good = any_there(results, err);
    }
    evaluator_close(&advising.evaluator);
    free(advising.last);
    if (!good) {
        advise_free(results);
    }
    return good;
}

void advise_free(struct advise_results *results)
{
    free(results->ladder);
    *results = (struct advise_results){0};
}

const struct advise_ladder *advise_ladder(const struct advise_results *results, size_t group,
                                          enum advise_hardware hardware)
{
    const struct advise_ladder *ladder = &results->ladder[group * HARDWARES + hardware];
    return ladder->there ? ladder : NULL;
}

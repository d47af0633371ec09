#include "study/advise_search.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/invariant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- what there is to act on --- */

static bool has_op(const struct timeline *timeline, enum op_kind kind)
{
    for (uint32_t i = 0; i < timeline->script_count; i++) {
        const struct script *script = &timeline->scripts[i];
        for (size_t op = 0; op < script->count; op++) {
            if (script->ops[op].kind == kind) {
                return true;
            }
        }
    }
    return false;
}

static bool is_hold(enum metric metric)
{
    return metric == METRIC_pause_ns || metric == METRIC_stall_p50_ns ||
           metric == METRIC_stall_p99_ns || metric == METRIC_stall_max_ns;
}

static bool find_facts(struct scenario *scenario, enum metric metric,
                       const struct strategy *upstream, struct policy_facts *facts,
                       struct error *err)
{
    const struct trial *trial = evaluate_trial(scenario, upstream, err);
    const struct timeline *timeline = &scenario->timeline;
    uint64_t actors = (uint64_t)timeline->vm.copies * (timeline->vm.vcpus + 1u);
    if (!trial) {
        return false;
    }
    *facts = (struct policy_facts){
        .pages = trial->seen[EV_map_4k],
        .blocks = trial->seen[EV_map_2m] || trial->seen[EV_map_1g],
        .notifiers = trial->seen[EV_gfn_unmap] || has_op(timeline, OP_SLOT_DELETE),
        .logged = has_op(timeline, OP_DIRTY_LOG),
        .mapped_ahead = has_op(timeline, OP_PREFAULT),
        .holds = is_hold(metric),
        .spare_cores = (scenario->setup.platform.cores - actors) / timeline->vm.copies};
    return true;
}

/* --- what is known without a run --- */

/* What it leaves out of a run with fewer changes has to take such a share of it: draws may make it
 * ten times as much. */
#define GAIN_POSSIBLE (ADVISE_GAIN_MIN / 10)

/* Strategies that cost the same but for such a share have the same run. */
#define SAME_MODE 1e-9

/* Of no other metric is it known that less work makes it less. */
static bool has_bound(enum metric metric)
{
    return metric == METRIC_added_boot_ns || metric == METRIC_window_ns || metric == METRIC_cpu_ns;
}

/* Whether the counts of one that was played show that another costs no less. */
static bool costs_no_less(const struct advise_search *search, size_t played, size_t policy)
{
    const struct advise_entry *from = &search->entry[played];
    const struct strategy *one = &search->space.policies[played].strategy;
    const struct strategy *other = &search->space.policies[policy].strategy;
    return has_bound(search->metric)
               ? advise_cheaper_by(one, &from->spares, other) <= GAIN_POSSIBLE * fabs(from->mode)
               : policy_does_all_of(other, one);
}

/* What one that was played says of another that was not. */
static void learn_from(struct advise_search *search, size_t played, size_t policy)
{
    const struct advise_entry *from = &search->entry[played];
    const struct policy *one = &search->space.policies[played];
    const struct policy *other = &search->space.policies[policy];
    struct advise_entry *entry = &search->entry[policy];
    bool less = policy_does_all_of(&one->strategy, &other->strategy);
    bool fewer = one->changes <= other->changes;
    if (entry->state != ENTRY_OPEN) {
        return;
    }
    if (from->verdict.worst == STALE && less) {
        entry->state = ENTRY_STALE;
    } else if (fewer && (from->verdict.worst <= COHERENT || (less && has_bound(search->metric))) &&
               costs_no_less(search, played, policy)) {
        bool more = policy_does_all_of(&other->strategy, &one->strategy);
        entry->state = more ? ENTRY_DOMINATED : ENTRY_NO_GAIN;
    } else if (has_bound(search->metric)) {
        double by = advise_cheaper_by(&one->strategy, &from->spares, &other->strategy);
        entry->min = fmax(entry->min, from->mode - by);
    }
    entry->conditional |= from->verdict.worst == ONLY_IF && less;
}

/* The lowest cost of those that were played with at most so many changes, and are coherent or, if
 * `conditional`, so under a condition. */
static double lowest(const struct advise_search *search, size_t changes, bool conditional)
{
    double min = INFINITY;
    for (size_t i = 0; i < search->space.count; i++) {
        const struct advise_entry *entry = &search->entry[i];
        bool fits = entry->state == ENTRY_PLAYED && search->space.policies[i].changes <= changes &&
                    entry->verdict.worst <= (conditional ? ONLY_IF : COHERENT);
        min = fits ? fmin(min, entry->mode) : min;
    }
    return min;
}

static bool possible(const struct advise_search *search, size_t policy)
{
    struct setup setup = search->scenario->setup;
    struct error unused;
    setup_use(&setup, &search->space.policies[policy].strategy);
    return trial_possible(&setup, &search->scenario->timeline, &unused);
}

/* --- waves --- */

/* So many of a number of changes are played before what they say of the others is looked at: the
 * same for any number of threads. */
#define WAVE 4

struct wave {
    struct advise_search *search;
    size_t policy[WAVE];
    size_t count;
};

static bool play_part(void *context, size_t part, struct error *err)
{
    const struct wave *wave = context;
    struct advise_search *search = wave->search;
    const struct strategy *strategy = &search->space.policies[wave->policy[part]].strategy;
    struct advise_entry *entry = &search->entry[wave->policy[part]];
    double modes[COSTS];
    platform_modes(&search->scenario->setup.platform, modes);
    const struct trial *trial = evaluate_trial(search->scenario, strategy, err);
    if (!trial || !evaluate_verdict(search->scenario, strategy, &entry->verdict, err) ||
        !evaluate_at(search->scenario, search->metric, modes, &strategy, 1, &entry->mode, err)) {
        return false;
    }
    entry->spares = advise_spares_of(trial);
    return true;
}

/* Those that may be the cheapest come first; of equals the first one. */
static void take_wave(struct advise_search *search, size_t changes, struct wave *wave)
{
    double limit[2];
    for (int conditional = 0; conditional < 2; conditional++) {
        double min = lowest(search, changes, conditional);
        limit[conditional] = min + ADVISE_NEAR * fabs(min);
    }
    wave->count = 0;
    for (size_t i = 0; i < search->space.count; i++) {
        struct advise_entry *entry = &search->entry[i];
        if (search->space.policies[i].changes != changes || entry->state != ENTRY_OPEN) {
            continue;
        }
        if (entry->min > limit[entry->conditional]) {
            entry->state = ENTRY_DEAR;
            continue;
        }
        size_t at = wave->count;
        while (at > 0 && search->entry[wave->policy[at - 1]].min > entry->min) {
            at--;
        }
        if (at < WAVE) {
            size_t last = wave->count < WAVE ? wave->count++ : WAVE - 1;
            memmove(wave->policy + at + 1, wave->policy + at, (last - at) * sizeof *wave->policy);
            wave->policy[at] = i;
        }
    }
}

static bool play_wave(struct advise_search *search, struct wave *wave, struct error *err)
{
    if (!sweep_parts(search->scenario->evaluator->sweep, wave->count, play_part, wave, err)) {
        return false;
    }
    for (size_t i = 0; i < wave->count; i++) {
        search->entry[wave->policy[i]].state = ENTRY_PLAYED;
    }
    for (size_t i = 0; i < wave->count; i++) {
        for (size_t policy = 0; policy < search->space.count; policy++) {
            learn_from(search, wave->policy[i], policy);
        }
    }
    return true;
}

static bool play_changes(struct advise_search *search, size_t changes, struct error *err)
{
    struct wave wave = {.search = search};
    bool good = true;
    for (size_t i = 0; i < search->space.count; i++) {
        struct advise_entry *entry = &search->entry[i];
        if (search->space.policies[i].changes == changes && !possible(search, i)) {
            entry->state = ENTRY_IMPOSSIBLE;
        }
    }
    for (take_wave(search, changes, &wave); good && wave.count > 0;
         take_wave(search, changes, &wave)) {
        good = play_wave(search, &wave, err);
    }
    return good;
}

/* Whether one that was played costs no less than another at the modes, and what they do says that
 * it is so at other costs, too. */
static bool is_matched_by(const struct advise_search *search, size_t policy, size_t by)
{
    const struct policy *one = &search->space.policies[policy],
                        *other = &search->space.policies[by];
    const struct advise_entry *own = &search->entry[policy], *from = &search->entry[by];
    bool more = policy_does_all_of(&one->strategy, &other->strategy);
    bool less = policy_does_all_of(&other->strategy, &one->strategy);
    bool alike = less && fabs(own->mode - from->mode) <= SAME_MODE * fabs(from->mode) &&
                 (one->changes > other->changes || policy > by);
    return from->state == ENTRY_PLAYED && from->verdict.worst <= own->verdict.worst &&
           other->changes <= one->changes &&
           (alike || (own->mode >= from->mode && (more || costs_no_less(search, by, policy))));
}

static void match(struct advise_search *search)
{
    for (size_t i = 0; i < search->space.count; i++) {
        for (size_t k = 0; k < search->space.count && search->entry[i].state == ENTRY_PLAYED; k++) {
            search->entry[i].matched |= i != k && is_matched_by(search, i, k);
        }
    }
}

bool advise_search(struct advise_search *search, struct scenario *scenario,
                   const struct advise_request *request, bool range_commands, struct error *err)
{
    const struct strategy *upstream = policy_upstream(scenario->setup.platform.fwb);
    *search = (struct advise_search){.scenario = scenario, .metric = request->metric};
    if (!find_facts(scenario, request->metric, upstream, &search->facts, err)) {
        return false;
    }
    search->facts.range_commands = range_commands;
    policy_space_init(&search->space, upstream, &search->facts, request->changes_max);
    INVARIANT(search->space.count > 0 && search->space.policies[0].changes == 0,
              "what Linux does is the first of %zu", search->space.count);
    search->entry = alloc_zeroed(search->space.count, sizeof *search->entry, "policies");
    for (size_t i = 0; i < search->space.count; i++) {
        search->entry[i].min = -INFINITY;
    }
    bool good = true;
    for (size_t changes = 0; good && changes <= search->space.changes_max; changes++) {
        good = play_changes(search, changes, err);
    }
    match(search);
    return good;
}

void advise_search_free(struct advise_search *search)
{
    free(search->entry);
    policy_space_free(&search->space);
}

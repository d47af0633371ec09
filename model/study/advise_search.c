#include "study/advise_search.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/invariant.h"

#include <stdlib.h>

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

/* Whether some strategy that was played is stale and does all that this one does, or is
 * coherent, has no more changes, and does nothing that this one does not. */
static enum advise_state known(const struct advise_search *search, size_t policy)
{
    const struct policy *policies = search->space.policies;
    for (size_t i = 0; i < search->space.count; i++) {
        const struct advise_entry *entry = &search->entry[i];
        if (entry->state != ENTRY_PLAYED || i == policy) {
            continue;
        }
        if (entry->verdict.worst == STALE &&
            policy_does_all_of(&policies[i].strategy, &policies[policy].strategy)) {
            return ENTRY_STALE;
        }
        if (entry->verdict.worst <= COHERENT && policies[i].changes <= policies[policy].changes &&
            policy_does_all_of(&policies[policy].strategy, &policies[i].strategy)) {
            return ENTRY_DOMINATED;
        }
    }
    return ENTRY_OPEN;
}

static bool possible(const struct advise_search *search, size_t policy)
{
    struct setup setup = search->scenario->setup;
    struct error unused;
    setup_use(&setup, &search->space.policies[policy].strategy);
    return trial_possible(&setup, &search->scenario->timeline, &unused);
}

/* --- waves --- */

/* Strategies with the same number of changes, none of which is known yet. */
struct wave {
    struct advise_search *search;
    size_t *policy;
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
    if (!evaluate_verdict(search->scenario, strategy, &entry->verdict, err) ||
        !evaluate_at(search->scenario, search->metric, modes, &strategy, 1, &entry->mode, err)) {
        return false;
    }
    entry->state = ENTRY_PLAYED;
    return true;
}

/* What those with fewer changes say of these does not depend on who is played first. */
static bool play_wave(struct advise_search *search, size_t changes, struct wave *wave,
                      struct error *err)
{
    wave->count = 0;
    for (size_t i = 0; i < search->space.count; i++) {
        struct advise_entry *entry = &search->entry[i];
        if (search->space.policies[i].changes == changes) {
            entry->state = !possible(search, i) ? ENTRY_IMPOSSIBLE : known(search, i);
            if (entry->state == ENTRY_OPEN) {
                wave->policy[wave->count++] = i;
            }
        }
    }
    return wave->count == 0 ||
           sweep_parts(search->scenario->evaluator->sweep, wave->count, play_part, wave, err);
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
    struct wave wave = {.search = search};
    wave.policy = alloc_zeroed(search->space.count, sizeof *wave.policy, "policies");
    bool good = true;
    for (size_t changes = 0; good && changes <= search->space.changes_max; changes++) {
        good = play_wave(search, changes, &wave, err);
    }
    free(wave.policy);
    return good;
}

void advise_search_free(struct advise_search *search)
{
    free(search->entry);
    policy_space_free(&search->space);
}

/* Keys that change nothing in what a point plays or costs, and the way out. */
#include "study/setup.h"

#include <string.h>

/* --- costs that the machine or the strategy never charges --- */

static bool has_vhe(const struct setup *setup)
{
    return setup->platform.vhe;
}

static bool has_dic(const struct setup *setup)
{
    return setup->platform.dic;
}

static bool cleans_nothing(const struct setup *setup)
{
    return setup->strategy->fwb;
}

static bool flushes_no_range(const struct setup *setup)
{
    return setup->strategy->flush_by != FLUSH_BY_RANGE;
}

static bool relaxes_for_all(const struct setup *setup)
{
    return setup->kernel.value[SWITCH_RELAX_LOCAL] == 0;
}

static bool invalidates_no_range(const struct setup *setup)
{
    return !setup->platform.tlbirange || (setup->kernel.value[SWITCH_TLBI_DEFER] == 0 &&
                                          setup->strategy->reinit_tlbi != REINIT_TLBI_RANGE);
}

#define CLEANS_NOTHING "changes nothing: fwb = yes cleans no line, expected a strategy without it"
#define RANGES "changes nothing: caches are cleaned line by line, expected flush_by = range"
static const struct {
    enum cost_id id;
    bool (*idle)(const struct setup *setup);
    const char *why;
} idle_costs[] = {
    {COST_hvc_ns, has_vhe,
     "changes nothing: the machine has vhe = yes, expected one whose host runs below EL2, such as "
     "cortex-a72"},
    {COST_ic_line_ns, has_dic,
     "changes nothing: the machine has dic = yes, expected one that must invalidate I-caches"},
    {COST_ic_all_ns, has_dic,
     "changes nothing: the machine has dic = yes, expected one that must invalidate I-caches"},
    {COST_dc_absent_ns, cleans_nothing, CLEANS_NOTHING},
    {COST_dc_clean_ratio, cleans_nothing, CLEANS_NOTHING},
    {COST_dc_dirty_ratio, cleans_nothing, CLEANS_NOTHING},
    {COST_dsb_ns, cleans_nothing, CLEANS_NOTHING},
    {COST_cmo_path_ns, cleans_nothing, CLEANS_NOTHING},
    {COST_range_cmo_ns, flushes_no_range, RANGES},
    {COST_range_cmo_gbps, flushes_no_range, RANGES},
    {COST_uncached_ns, cleans_nothing,
     "changes nothing: with fwb = yes no access is past the caches, expected a strategy without "
     "it"},
    {COST_tlbi_local_ns, relaxes_for_all,
     "changes nothing: kernels before 6.5 invalidate for all cores, expected a later kernel"},
    {COST_tlbi_range_ns, invalidates_no_range,
     "changes nothing: no range is invalidated at once, expected a machine with tlbirange = yes "
     "and a kernel from 6.6 or reinit_tlbi = range"},
};

static const char *cost_without_effect(const struct setup *setup, const char *key)
{
    for (size_t i = 0; i < sizeof idle_costs / sizeof *idle_costs; i++) {
        if (strcmp(cost_name[idle_costs[i].id], key) == 0 && idle_costs[i].idle(setup)) {
            return idle_costs[i].why;
        }
    }
    return NULL;
}

const char *setup_without_effect(const struct setup *setup, const char *key)
{
    switch (setup_key_owner(key)) {
    case KEY_WORKLOAD:
        return workload_without_effect(setup->workload, key);
    case KEY_COST:
        return cost_without_effect(setup, key);
    case KEY_STRATEGY:
        return strategy_without_effect(setup->strategy, key);
    case KEY_NOBODY:
        break;
    }
    return NULL;
}
